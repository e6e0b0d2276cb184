"""What a configuration says of a run in real time: how long it lasts, and how it is stopped."""

from enum import StrEnum
from typing import Any

import attrs

_SECOND = 1_000_000_000


class StopPolicy(StrEnum):
    """What becomes of what is open at the venue when a run in real time ends."""

    KEEP = "keep"
    """Orders go on working, and the next start takes them up again."""
    CANCEL = "cancel"
    """Orders are cancelled, positions stay."""
    FLATTEN = "flatten"
    """Orders are cancelled and positions closed."""


class FeedLoss(StrEnum):
    """What becomes of trading when a feed has given up: nobody hears of its market any more."""

    HALT = "halt"
    """Nothing new; what works is cancelled. Somebody must look, and resume."""
    REDUCE = "reduce"
    """Only what makes a position smaller."""
    CONTINUE = "continue"
    """It is told, and trading goes on with the other feeds."""


def _not_negative(_owner: object, _field: object, value: int | None) -> None:
    if value is not None and value < 0:
        raise ValueError(f"expected 0 or more, found {value}")


def _positive(_owner: object, _field: object, value: int | None) -> None:
    if value is not None and value <= 0:
        raise ValueError(f"expected more than 0, found {value}")


def _is_port(_owner: object, _field: object, value: int | None) -> None:
    if value is not None and not 0 < value < 65_536:
        raise ValueError(f"expected a number from 1 to 65535, found {value}")


def _deadline(seconds: int) -> Any:
    return attrs.field(default=seconds * _SECOND, validator=_not_negative)


@attrs.frozen(kw_only=True)
class StopConfig:
    """An orderly stop: what becomes of open orders, and how long each stage may take.

    Attributes:
        policy: What becomes of open orders and positions.
        strategies_ns: For the strategies' last words.
        orders_ns: For orders to be cancelled, and positions to be closed.
        fills_ns: For what is in flight to arrive, and for unknown orders to be resolved.
        journal_ns: For everything to be durable.
        links_ns: For actors and connections to end.
    """

    policy: StopPolicy = StopPolicy.CANCEL
    strategies_ns: int = _deadline(5)
    orders_ns: int = _deadline(10)
    fills_ns: int = _deadline(5)
    journal_ns: int = _deadline(5)
    links_ns: int = _deadline(5)

    @property
    def total_ns(self) -> int:
        """Return how long all stages together may take."""
        own = self.strategies_ns + self.orders_ns + self.fills_ns
        return own + self.journal_ns + self.links_ns


@attrs.frozen(kw_only=True)
class CrashConfig:
    """The end by failure: an actor that is needed gave up, or the journal cannot be written."""

    policy: StopPolicy = StopPolicy.CANCEL


@attrs.frozen(kw_only=True)
class DaemonConfig:
    """A run in real time.

    Attributes:
        duration_ns: It ends in order after so long; None for when the feeds or a person end it.
        status_every_ns: How often a line says how far it has come; 0 for never.
        snapshot_every: A snapshot of an actor is kept after so many messages; 0 for none.
        blocked_after_ns: Who holds the event loop for so long is named; 0 for nobody.
        feed_loss: What follows when a feed gives up for good.
    """

    duration_ns: int | None = attrs.field(default=None, validator=_positive)
    status_every_ns: int = attrs.field(default=60 * _SECOND, validator=_not_negative)
    snapshot_every: int = attrs.field(default=10_000, validator=_not_negative)
    control_port: int | None = attrs.field(default=None, validator=_is_port)
    blocked_after_ns: int = attrs.field(default=_SECOND, validator=_not_negative)
    feed_loss: FeedLoss = FeedLoss.HALT
