"""What a kill switch is told: the conditions that trip it, and how it sees a halt through."""

from decimal import Decimal, InvalidOperation
from typing import Any

import attrs

_SECOND = 1_000_000_000
_LARGEST_SHARE = Decimal(100)


def _positive(_owner: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    if value is not None and value <= 0:
        name = field.name.removesuffix("_ns")
        raise ValueError(f"{name}: expected more than 0, found {value}")


def _loss(_owner: object, _field: object, value: Decimal | str | None) -> None:
    if value is None:
        return
    expected = "expected an amount of money such as 500, or a share such as 5%, above 0"
    try:
        amount, is_share = loss_limit(value)
    except InvalidOperation:
        raise ValueError(f"daily_loss: {expected}, found {value!r}") from None
    if amount <= 0 or (is_share and amount > _LARGEST_SHARE):
        raise ValueError(f"daily_loss: {expected}, found {value}")


def loss_limit(value: Decimal | str) -> tuple[Decimal, bool]:
    """Return a limit on losses: an amount of money, or a percentage and True.

    Raises:
        InvalidOperation: If it is neither.
    """
    if isinstance(value, Decimal):
        return value, False
    text = value.strip()
    amount = Decimal(text.removesuffix("%").strip())
    if not amount.is_finite():
        raise InvalidOperation
    return amount, text.endswith("%")


@attrs.frozen(kw_only=True)
class ErrorLimit:
    """So many failures of actors within a time are too many."""

    count: int = attrs.field(validator=_positive)
    within_ns: int = attrs.field(default=60 * _SECOND, validator=_positive)


@attrs.frozen(kw_only=True)
class RejectLimit:
    """So many refused orders within a time are too many, or so large a share of all orders.

    Attributes:
        count: How many refusals (by the order manager or the venue); None for any number.
        rate: Which share of the orders, above 0 and up to 1; None for any share.
        within_ns: How far it looks back.
        least: A share says nothing of fewer orders than these.
    """

    count: int | None = attrs.field(default=None, validator=_positive)
    rate: float | None = attrs.field(default=None)
    within_ns: int = attrs.field(default=60 * _SECOND, validator=_positive)
    least: int = attrs.field(default=10, validator=_positive)

    @rate.validator
    def _is_a_share(self, _attribute: object, value: float | None) -> None:
        if value is not None and not 0 < value <= 1:
            raise ValueError(f"rate: expected more than 0 and up to 1, found {value}")

    def __attrs_post_init__(self) -> None:
        if self.count is None and self.rate is None:
            raise ValueError("count: expected a count or a rate, found neither")


@attrs.frozen(kw_only=True)
class KillSwitchConfig:
    """When trading is halted by itself, and how a halt is seen through.

    Each condition is off where it is None (or False).

    Attributes:
        daily_loss: What the account may lose from midnight UTC on: money, or a share (``5%``) of
            its value then. The account is valued where the equity is sampled.
        errors: How often actors may fail.
        rejects: How often orders may be refused.
        stale_feed_ns: How long a feed may say nothing, from its first row on.
        stale_instrument_ns: How long nothing may come about one instrument, from its first row on
            until it is resolved.
        stale_when_down: Whether a feed that says of itself that it is DOWN counts as silent; False
            for venues that close, whose feeds say so.
        lost_heartbeat: Whether a strategy or feed in a process of its own may stop answering.
        heartbeat_ns: How long whoever has sent a first heartbeat may be silent.
        reconciliation: Whether an unexplained difference with the venue halts.
        unknown_orders_ns: How long an order may be UNKNOWN.
        deadline_ns: When, after a halt, nothing may be open any more; alarms follow.
        repeat_ns: How often it cancels and asks until nothing is open.
        alarm_every_ns: How often it tells that something is still open.
        recheck_ns: How often it asks again when nothing is, while the halt lasts.
    """

    daily_loss: Decimal | str | None = attrs.field(default=None, validator=_loss)
    errors: ErrorLimit | None = None
    rejects: RejectLimit | None = None
    stale_feed_ns: int | None = attrs.field(default=None, validator=_positive)
    stale_instrument_ns: int | None = attrs.field(default=None, validator=_positive)
    stale_when_down: bool = True
    lost_heartbeat: bool = False
    heartbeat_ns: int | None = attrs.field(default=None, validator=_positive)
    reconciliation: bool = False
    unknown_orders_ns: int | None = attrs.field(default=None, validator=_positive)
    deadline_ns: int = attrs.field(default=10 * _SECOND, validator=_positive)
    repeat_ns: int = attrs.field(default=_SECOND, validator=_positive)
    alarm_every_ns: int = attrs.field(default=5 * _SECOND, validator=_positive)
    recheck_ns: int = attrs.field(default=10 * _SECOND, validator=_positive)

    @property
    def has_conditions(self) -> bool:
        """Return whether anything trips it by itself."""
        limits = (
            self.daily_loss,
            self.errors,
            self.rejects,
            self.stale_feed_ns,
            self.stale_instrument_ns,
            self.heartbeat_ns,
            self.unknown_orders_ns,
        )
        return (
            self.lost_heartbeat or self.reconciliation or any(each is not None for each in limits)
        )

    @property
    def watches_market(self) -> bool:
        """Return whether it must see the market's rows."""
        return self.stale_feed_ns is not None or self.stale_instrument_ns is not None
