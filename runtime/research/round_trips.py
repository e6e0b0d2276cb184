"""Positions by average cost, and the round trips they make."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import attrs

from actors.messages.trading import Fill
from actors.model.instrument import Instrument
from actors.model.order import Liquidity
from runtime.observe.result import FillRow

_ZERO = Decimal(0)
_ONE = Decimal(1)
NO_TRADES = frozenset({Liquidity.SETTLEMENT, Liquidity.CONVERSION})
"""How fills are marked that no market made."""
_HOUR_NS = 3_600 * 1_000_000_000

Reasons = Mapping[str, str]
"""Why each order was sent, by its client order id."""


@attrs.frozen(kw_only=True)
class RoundTrip:
    """A position from nothing back to nothing; of first-in-first-out trips, one lot of it.

    Attributes:
        strategy: Whose it was.
        instrument: Of what.
        is_long: Whether it was bought first.
        quantity: What was opened, and closed again, in units.
        entry_price: The average price of what opened it; ``exit_price`` of what closed it.
        opened_ns: When it was opened; ``closed_ns`` when nothing was left of it.
        notional: What was opened, in money: its price times quantity (times multiplier).
        pnl: What it made after the ``fees`` of both sides.
        entry_reason: Why the order that opened it was sent.
        exit_reason: Why it ended: the order's reason, ``settlement``, or what the fill says.
        worst: The most it was ever down, as a fraction of the entry price, 0 or below (maximum
            adverse excursion); None unless it was measured (:mod:`runtime.research.excursions`).
        best: The most it was ever up (maximum favourable excursion).
    """

    strategy: str = ""
    instrument: str = ""
    is_long: bool = True
    quantity: Decimal = _ZERO
    entry_price: Decimal = _ZERO
    exit_price: Decimal = _ZERO
    opened_ns: int
    closed_ns: int
    notional: Decimal = _ZERO
    pnl: Decimal
    fees: Decimal = _ZERO
    entry_reason: str = ""
    exit_reason: str = ""
    worst: float | None = None
    best: float | None = None

    @property
    def realized_pnl(self) -> Decimal:
        """Return what it made after fees."""
        return self.pnl

    @property
    def entry_time(self) -> int:
        """Return when it was opened (ns)."""
        return self.opened_ns

    @property
    def exit_time(self) -> int:
        """Return when it was closed (ns)."""
        return self.closed_ns

    @property
    def duration_ns(self) -> int:
        """Return how long it was held."""
        return self.closed_ns - self.opened_ns

    @property
    def holding_hours(self) -> float:
        """Return how long it was held, in hours."""
        return self.duration_ns / _HOUR_NS

    @property
    def return_fraction(self) -> float | None:
        """Return what it made after fees per money opened; None for what cost nothing."""
        return float(self.pnl / self.notional) if self.notional > 0 else None


@attrs.define
class _Trip:
    """A round trip that is under way; the costs are price times quantity."""

    opened_ns: int
    is_long: bool
    entry_reason: str
    opened: Decimal = _ZERO
    entry_cost: Decimal = _ZERO
    exit_cost: Decimal = _ZERO
    pnl: Decimal = _ZERO
    fees: Decimal = _ZERO


@attrs.define
class TradeBook:
    """What one strategy's fills in one instrument came to.

    The average-cost method: a closing fill takes its share of the cost of what is open, and
    realizes the difference. A fill that turns the position around closes all of it and opens the
    rest; its commission is divided by quantity.

    ``multiplier`` is the instrument's: money is price times quantity times multiplier. What has a
    ``margin`` (money held per unit) is not paid for: only its gains reach the cash.
    """

    strategy: str = ""
    instrument: str = ""
    multiplier: Decimal = _ONE
    margin: Decimal | None = None
    quantity: Decimal = _ZERO
    """What is open, signed."""
    cost: Decimal = _ZERO
    """What the open quantity was bought for (sold for, if short)."""
    fills: int = 0
    traded: Decimal = _ZERO
    fees: Decimal = _ZERO
    realized_pnl: Decimal = _ZERO
    cash_flow: Decimal = _ZERO
    """Exact: what was sold for, less what was bought for, less commissions."""
    trips: list[RoundTrip] = attrs.field(factory=list)
    _trip: _Trip | None = None

    @property
    def opened_ns(self) -> int | None:
        """Return when the open position was begun, None if nothing is open."""
        return None if self._trip is None else self._trip.opened_ns

    def apply(self, fill: Fill, time_ns: int, order_reason: str = "") -> None:
        """Take the next fill, and why its order was sent."""
        signed = fill.last_quantity * fill.side.sign
        worth = fill.last_price * self.multiplier
        self.fills += 1
        self.fees += fill.commission
        self.cash_flow -= fill.commission
        if self.margin is None:
            self.cash_flow -= signed * worth
        if fill.liquidity not in NO_TRADES:
            self.traded += worth * fill.last_quantity
        closing = _ZERO
        if self.quantity * signed < 0:
            closing = min(fill.last_quantity, abs(self.quantity))
        closing_fee = _share(fill.commission, closing, fill.last_quantity)
        if closing:
            self._close(closing, worth, closing_fee)
            if not self.quantity:
                self._finish(time_ns, exit_reason(fill, order_reason))
        if closing != fill.last_quantity:
            if self._trip is None:
                self._trip = _Trip(time_ns, signed > 0, order_reason or fill.reason)
            self._open(signed, closing, worth, fill.commission - closing_fee)

    def unrealized_pnl(self, mark: Decimal | None) -> Decimal:
        """Return the gain of the open quantity at a mark; 0 if there is none."""
        if mark is None or not self.quantity:
            return _ZERO
        value = mark * self.multiplier * self.quantity
        return value - self.cost if self.quantity > 0 else value + self.cost

    def held(self, mark: Decimal | None) -> Decimal:
        """Return what the open position adds to the cash; without a mark, what it cost."""
        if self.margin is not None:
            return self.unrealized_pnl(mark)
        if mark is not None:
            return mark * self.multiplier * self.quantity
        return self.cost if self.quantity > 0 else -self.cost

    def _close(self, quantity: Decimal, worth: Decimal, fee: Decimal) -> None:
        trip = self._trip
        assert trip is not None
        share = _share(self.cost, quantity, abs(self.quantity))
        gain = worth * quantity - share if trip.is_long else share - worth * quantity
        self.cost -= share
        self.quantity -= quantity if trip.is_long else -quantity
        self.realized_pnl += gain
        if self.margin is not None:
            self.cash_flow += gain
        trip.exit_cost += worth * quantity
        trip.pnl += gain - fee
        trip.fees += fee

    def _open(self, signed: Decimal, closed: Decimal, worth: Decimal, fee: Decimal) -> None:
        trip = self._trip
        assert trip is not None
        opening = abs(signed) - closed
        self.quantity += opening if signed > 0 else -opening
        self.cost += worth * opening
        trip.opened += opening
        trip.entry_cost += worth * opening
        trip.pnl -= fee
        trip.fees += fee

    def _finish(self, time_ns: int, reason: str) -> None:
        trip, self._trip = self._trip, None
        assert trip is not None
        units = trip.opened * self.multiplier
        self.trips.append(
            RoundTrip(
                strategy=self.strategy,
                instrument=self.instrument,
                is_long=trip.is_long,
                quantity=trip.opened,
                entry_price=trip.entry_cost / units,
                exit_price=trip.exit_cost / units,
                opened_ns=trip.opened_ns,
                closed_ns=time_ns,
                notional=trip.entry_cost,
                pnl=trip.pnl,
                fees=trip.fees,
                entry_reason=trip.entry_reason,
                exit_reason=reason,
            )
        )


def exit_reason(fill: Fill, order_reason: str) -> str:
    """Return why a fill closed a position: its order's reason, or what kind of fill it is."""
    if fill.liquidity in NO_TRADES:
        return fill.reason or fill.liquidity.value.lower()
    return order_reason or fill.reason


def _share(whole: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """Return the part of an amount that falls to ``part`` of ``of``; exact for all and nothing."""
    return whole if part == of else whole * part / of


def trade_books(
    fills: Iterable[FillRow],
    reasons: Reasons | None = None,
    instruments: Mapping[str, Instrument] | None = None,
) -> dict[tuple[str, str], TradeBook]:
    """Return the books by ``(strategy, instrument)``, in the order of their first fills.

    Args:
        fills: Every fill, in order.
        reasons: Why each order was sent; what is not known stays empty.
        instruments: By id, for multipliers and margins; what is not known is plain.
    """
    books: dict[tuple[str, str], TradeBook] = {}
    known_reasons, known = reasons or {}, instruments or {}
    for row in fills:
        fill = row.fill
        key = (fill.strategy, fill.instrument)
        book = books.get(key)
        if book is None:
            book = books[key] = _book(*key, known.get(fill.instrument))
        book.apply(fill, row.time_ns, known_reasons.get(fill.client_order_id, ""))
    return books


def _book(strategy: str, instrument: str, terms: Instrument | None) -> TradeBook:
    book = TradeBook(strategy=strategy, instrument=instrument)
    if terms is not None:
        book.multiplier, book.margin = terms.multiplier, terms.margin
    return book


def round_trips(
    fills: Iterable[FillRow],
    reasons: Reasons | None = None,
    instruments: Mapping[str, Instrument] | None = None,
) -> list[RoundTrip]:
    """Return the round trips of all fills by average cost, in the order in which they ended.

    Arguments as :func:`trade_books`'; :func:`runtime.research.lots.fifo_trips` is the other method.
    """
    books = trade_books(fills, reasons, instruments).values()
    return sorted((trip for book in books for trip in book.trips), key=lambda trip: trip.closed_ns)
