"""What an order manager is told about its limits."""

from enum import StrEnum
from typing import Any

import attrs

from actors.model.money import NANOSECONDS

HOUR_NS = 3600 * NANOSECONDS


class ExternalOrders(StrEnum):
    """What to do about a venue's orders that are not ours."""

    IGNORE = "ignore"
    ADOPT = "adopt"
    """Track them, and book their fills, under the strategy ``external``."""
    CANCEL = "cancel"
    REFUSE = "refuse"
    """No new order of ours until somebody decides."""


class ExternalTrades(StrEnum):
    """What to do about a venue's trades in orders that are not ours."""

    IGNORE = "ignore"
    ADOPT = "adopt"
    """Book them under the strategy ``external``."""
    REFUSE = "refuse"
    """No new order of ours until somebody decides."""


def _above_zero(_owner: object, field: "attrs.Attribute[Any]", value: int) -> None:
    if value <= 0:
        key = field.name.removesuffix("_ns")
        raise ValueError(f"{key}: expected above 0, found {value} ns")


@attrs.frozen(kw_only=True)
class OrderManagerConfig:
    """Limits, the guard against duplicates, and what is done when the venue leaves us in doubt.

    Ageing, clean-up and the guard are off by default; the rest concerns real venues only.

    A run that ends shows every order in its result, so it keeps them all, and a bar of a day is
    longer than 6 hours. What runs for weeks takes :meth:`bounded`.

    Attributes:
        validation_enabled: Whether orders are checked before they are placed; what the venue
            reports is always checked.
        max_order_age_hours: A GTC order that has been open for longer is cancelled; None or 0 for
            never.
        max_completed_orders: How many orders that are over are remembered: older ones are evicted,
            the journal has them; None for all.
        duplicate_guard: Whether a strategy may have only one order at a time for each instrument
            and side. Alternatives (of one ``group``) and exits (with a ``parent``) do not count.
        duplicate_timeout_ns: How long an open order blocks a second one; 0 for as long as it is
            open.
        query_after_ns: How long after an answer was lost the venue is asked how the order stands.
        query_backoff: By how much longer each further wait is than the one before; 1 or more.
        query_cap_ns: The longest wait between two questions: they never end.
        unknown_deadline_ns: After how long in doubt an alarm is raised, and again as long later.
        external_orders: What to do about the venue's orders that are not ours.
        external_trades: What to do about the venue's trades in orders that are not ours.
        remote: Whether the broker speaks to a real venue, which goes on while we do not: set by
            what wires the run.
    """

    validation_enabled: bool = True
    max_order_age_hours: float | None = attrs.field(default=None)
    max_completed_orders: int | None = attrs.field(default=None)
    duplicate_guard: bool = False
    duplicate_timeout_ns: int = attrs.field(default=0)
    query_after_ns: int = attrs.field(default=NANOSECONDS, validator=_above_zero)
    query_backoff: float = attrs.field(default=2.0)
    query_cap_ns: int = attrs.field(default=30 * NANOSECONDS, validator=_above_zero)
    unknown_deadline_ns: int = attrs.field(default=60 * NANOSECONDS, validator=_above_zero)
    external_orders: ExternalOrders = ExternalOrders.REFUSE
    external_trades: ExternalTrades = ExternalTrades.REFUSE
    remote: bool = attrs.field(default=False, metadata={"hidden": True})

    @max_order_age_hours.validator
    def _age_is_not_negative(self, _attribute: object, value: float | None) -> None:
        if value is not None and not 0 <= value < float("inf"):
            raise ValueError(f"max_order_age_hours: expected 0 or more, or none, found {value}")

    @max_completed_orders.validator
    def _room_is_not_negative(self, _attribute: object, value: int | None) -> None:
        if value is not None and value < 0:
            raise ValueError(f"max_completed_orders: expected 0 or more, or none, found {value}")

    @duplicate_timeout_ns.validator
    def _timeout_is_not_negative(self, _attribute: object, value: int) -> None:
        if value < 0:
            raise ValueError(f"duplicate_timeout: expected 0 or more, found {value} ns")

    @query_backoff.validator
    def _waits_do_not_shrink(self, _attribute: object, value: float) -> None:
        if not 1 <= value < float("inf"):
            raise ValueError(f"query_backoff: expected 1 or more, found {value}")

    @classmethod
    def daemon(cls) -> "OrderManagerConfig":
        """Return the limits of a daemon whose journal keeps what is evicted: 1,000 orders."""
        return cls(max_completed_orders=1_000)

    @classmethod
    def bounded(cls) -> "OrderManagerConfig":
        """Return the limits of a system that runs for weeks: 6 hours, 10,000 completed orders."""
        return cls(max_order_age_hours=6.0, max_completed_orders=10_000)

    @property
    def max_age_ns(self) -> int | None:
        """Return the age in nanoseconds, or None if orders do not age."""
        return round(self.max_order_age_hours * HOUR_NS) if self.max_order_age_hours else None
