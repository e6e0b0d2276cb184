"""What a policy may ask of the account beside the order itself; nothing is found before it asks."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Protocol

import msgspec

from actors.model.instrument import Instrument
from actors.model.order import Order


class WorkingOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order that is not over.

    ``leaves`` is what of it may still fill, in units: of the greater of its two forms while a
    change is under way; 0 while its parent has filled nothing.
    """

    order: Order
    leaves: Decimal


class Exposure(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is held of one instrument, and what its orders may add and take.

    ``quantity`` is signed, in units; ``cost`` is what the open quantity was bought for, negative
    for what a short was sold for; ``buying`` and ``selling`` are never negative.
    """

    instrument: Instrument
    quantity: Decimal
    cost: Decimal
    buying: Decimal
    selling: Decimal


class Approved(msgspec.Struct, frozen=True, gc=False):
    """An order, or a change of one, that was approved."""

    time_ns: int
    order: Order


class AccountView(Protocol):
    """The account as policies see it. Asking changes nothing."""

    def equity(self) -> Decimal:
        """Return the account's value at the latest marks."""
        ...

    def day_start_equity(self, now_ns: int) -> Decimal:
        """Return the account's value when the day (UTC) of ``now_ns`` began."""
        ...

    def peak_equity(self) -> Decimal:
        """Return the highest value that was ever sampled, the initial cash included."""
        ...

    def mark(self, instrument_id: str) -> Decimal | None:
        """Return what one unit is worth, or None if there never was a price."""
        ...

    def rate(self, instrument: Instrument) -> Decimal:
        """Return the account's currency per unit of the instrument's; 1 if nobody knows."""
        ...

    def price_time_ns(self, instrument_id: str) -> int | None:
        """Return when the price that marks an instrument was seen; None if there is none."""
        ...

    def group(self, instrument: Instrument, *, by_event: bool) -> Sequence[Instrument]:
        """Return the instruments of the same market, or event; of neither, the one alone."""
        ...

    def exposures(
        self, strategy: str | None, instruments: Iterable[Instrument] | None = None
    ) -> Sequence[Exposure]:
        """Return what one strategy, or the account, holds and has working.

        Without ``instruments``, of every instrument of which there is something.
        """
        ...

    def orders(self, instrument_id: str) -> Sequence[WorkingOrder]:
        """Return the account's orders in one instrument that are not over."""
        ...

    def open_orders(self) -> Iterable[Order]:
        """Return every order of the account that is not over."""
        ...

    def approvals(self, after_ns: int) -> Iterable[Approved]:
        """Return what was approved later than ``after_ns``, the newest first."""
        ...
