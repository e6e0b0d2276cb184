"""What an order manager is told about its limits."""

import attrs

from actors.model.money import NANOSECONDS

HOUR_NS = 3600 * NANOSECONDS


@attrs.frozen(kw_only=True)
class OrderManagerConfig:
    """Ageing, clean-up and the guard against duplicates; nothing of it is on by default.

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
    """

    validation_enabled: bool = True
    max_order_age_hours: float | None = attrs.field(default=None)
    max_completed_orders: int | None = attrs.field(default=None)
    duplicate_guard: bool = False
    duplicate_timeout_ns: int = attrs.field(default=0)

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

    @classmethod
    def bounded(cls) -> "OrderManagerConfig":
        """Return the limits of a system that runs for weeks: 6 hours, 10,000 completed orders."""
        return cls(max_order_age_hours=6.0, max_completed_orders=10_000)

    @property
    def max_age_ns(self) -> int | None:
        """Return the age in nanoseconds, or None if orders do not age."""
        return round(self.max_order_age_hours * HOUR_NS) if self.max_order_age_hours else None
