"""Positions by average cost, and the round trips they make."""

from collections.abc import Iterable
from decimal import Decimal

import attrs

from actors.messages.trading import Fill
from actors.model.order import Liquidity
from runtime.observe.result import FillRow

_ZERO = Decimal(0)


@attrs.frozen(kw_only=True)
class RoundTrip:
    """A position from nothing back to nothing. ``pnl`` is after the ``fees``."""

    opened_ns: int
    closed_ns: int
    pnl: Decimal
    fees: Decimal


@attrs.define
class TradeBook:
    """What one strategy's fills in one instrument came to.

    The average-cost method: a closing fill takes its share of the cost of what is open, and
    realizes the difference. A fill that turns the position around closes all of it and opens the
    rest; its commission is divided by quantity.
    """

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
    _opened_ns: int = 0
    _trip_pnl: Decimal = _ZERO
    _trip_fees: Decimal = _ZERO

    def apply(self, fill: Fill, time_ns: int) -> None:
        """Take the next fill."""
        signed = fill.last_quantity * fill.side.sign
        notional = fill.last_price * fill.last_quantity
        self.fills += 1
        self.fees += fill.commission
        self.cash_flow -= signed * fill.last_price + fill.commission
        if fill.liquidity is not Liquidity.SETTLEMENT:
            self.traded += notional
        closing = _ZERO
        if self.quantity * signed < 0:
            closing = min(fill.last_quantity, abs(self.quantity))
        closing_fee = _share(fill.commission, closing, fill.last_quantity)
        if closing:
            self._close(closing, fill.last_price, closing_fee, time_ns)
        if closing != fill.last_quantity:
            self._open(signed, closing, fill.last_price, fill.commission - closing_fee, time_ns)

    def unrealized_pnl(self, mark: Decimal | None) -> Decimal:
        """Return the gain of the open quantity at a mark; 0 if there is none."""
        if mark is None or not self.quantity:
            return _ZERO
        value = mark * self.quantity
        return value - self.cost if self.quantity > 0 else value + self.cost

    def _close(self, quantity: Decimal, price: Decimal, fee: Decimal, time_ns: int) -> None:
        share = _share(self.cost, quantity, abs(self.quantity))
        is_long = self.quantity > 0
        gain = price * quantity - share if is_long else share - price * quantity
        self.cost -= share
        self.quantity -= quantity if is_long else -quantity
        self.realized_pnl += gain
        self._trip_pnl += gain - fee
        self._trip_fees += fee
        if not self.quantity:
            self._finish(time_ns)

    def _open(
        self, signed: Decimal, closed: Decimal, price: Decimal, fee: Decimal, time_ns: int
    ) -> None:
        if not self.quantity:
            self._opened_ns = time_ns
        opening = abs(signed) - closed
        self.quantity += opening if signed > 0 else -opening
        self.cost += price * opening
        self._trip_pnl -= fee
        self._trip_fees += fee

    def _finish(self, time_ns: int) -> None:
        self.trips.append(
            RoundTrip(
                opened_ns=self._opened_ns,
                closed_ns=time_ns,
                pnl=self._trip_pnl,
                fees=self._trip_fees,
            )
        )
        self._trip_pnl = self._trip_fees = _ZERO


def _share(whole: Decimal, part: Decimal, of: Decimal) -> Decimal:
    """Return the part of an amount that falls to ``part`` of ``of``; exact for all and nothing."""
    return whole if part == of else whole * part / of


def trade_books(fills: Iterable[FillRow]) -> dict[tuple[str, str], TradeBook]:
    """Return the books by ``(strategy, instrument)``, in the order of their first fills."""
    books: dict[tuple[str, str], TradeBook] = {}
    for row in fills:
        key = (row.fill.strategy, row.fill.instrument)
        book = books.get(key)
        if book is None:
            book = books[key] = TradeBook()
        book.apply(row.fill, row.time_ns)
    return books
