"""The ledger: what each strategy holds and what it cost, and the account's cash, all from fills.

Cash is exact: a sum of price times quantity and of commissions. Costs follow the average-cost
method: closing a part of a position takes the same part of its cost, half-even to 28 significant
digits where that division is inexact. Closing all of it takes all of the cost, so rounding never
accumulates: ``cash = initial + realized - costs of longs + costs of shorts - commissions`` holds
exactly at any time.
"""

from decimal import Decimal

from actors.messages.account import PositionChanged
from actors.messages.trading import Fill
from actors.model.instrument import Instrument
from actors.model.money import ZERO
from actors.model.order import Liquidity, Side
from actors.portfolio.exact import add, multiply, share, subtract

Key = tuple[str, str]
"""Strategy and instrument id."""

_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it
_SETTLEMENT = Liquidity.SETTLEMENT


class Position:
    """What one strategy holds of one instrument; units as in :class:`PositionChanged`."""

    __slots__ = ("commission", "cost", "instrument", "quantity", "realized_pnl", "strategy")

    def __init__(self, strategy: str, instrument: str) -> None:
        self.strategy = strategy
        self.instrument = instrument
        self.quantity = ZERO
        self.cost = ZERO
        self.realized_pnl = ZERO
        self.commission = ZERO

    def open(self, signed: Decimal, amount: Decimal) -> None:
        """Add to a position, or begin one.

        Args:
            signed: Quantity, negative for a short; of the same sign as what is held.
            amount: What it was bought or sold for; not negative.
        """
        self.quantity = add(self.quantity, signed)
        self.cost = add(self.cost, amount)

    def close(self, signed: Decimal, price: Decimal) -> None:
        """Take quantity away, and over zero into a new position the other way."""
        held = self.quantity
        size, holding = signed.copy_abs(), held.copy_abs()
        closed = min(size, holding)
        removed = self.cost if closed == holding else share(self.cost, closed, holding)
        amount = multiply(price, closed)
        gain = subtract(amount, removed) if held > 0 else subtract(removed, amount)
        self.realized_pnl = add(self.realized_pnl, gain)
        self.quantity = add(held, signed)
        opened = subtract(size, closed)
        self.cost = multiply(price, opened) if opened else subtract(self.cost, removed)

    def changed(self) -> PositionChanged:
        """Return the position as it is now."""
        return PositionChanged(
            strategy=self.strategy,
            instrument=self.instrument,
            quantity=self.quantity,
            cost=self.cost,
            realized_pnl=self.realized_pnl,
            commission=self.commission,
        )


class Ledger:
    """Cash and positions of one account in one currency: the fold of its fills."""

    def __init__(self, cash: Decimal) -> None:
        self.cash = cash
        self.commission = ZERO
        """The sum of all commissions paid; rebates are negative."""
        self.short_cost = ZERO
        """What the open shorts were sold for, all together."""
        self.duplicates = 0
        """How many fills came again and were ignored; our own settlements do not count."""
        self.settled = 0
        """How many of the fills are settlements."""
        self._fills: dict[tuple[str, str], Fill] = {}
        self._positions: dict[Key, Position] = {}
        self._open: dict[Key, Position] = {}
        self._account: dict[str, Decimal] = {}

    def apply(self, fill: Fill) -> PositionChanged | None:
        """Book a fill; None if ``(venue, trade_id)`` has been booked before."""
        name = (fill.venue, fill.trade_id)
        if name in self._fills:
            self.duplicates += fill.liquidity is not Liquidity.SETTLEMENT
            return None
        assert fill.last_quantity > 0, f"fill {name} of nothing"
        self._fills[name] = fill
        self.settled += fill.liquidity is _SETTLEMENT
        commission = fill.commission
        amount = multiply(fill.last_price, fill.last_quantity)
        if fill.side is _BUY:
            signed = fill.last_quantity
            self.cash = subtract(self.cash, amount)
        else:
            signed = fill.last_quantity.copy_negate()
            self.cash = add(self.cash, amount)
        if commission:
            self.cash = subtract(self.cash, commission)
            self.commission = add(self.commission, commission)
        return self._move(fill, signed, amount)

    def _move(self, fill: Fill, signed: Decimal, amount: Decimal) -> PositionChanged:
        key = (fill.strategy, fill.instrument)
        position = self._positions.get(key)
        if position is None:
            position = self._positions[key] = Position(*key)
        held = position.quantity
        if held < 0:
            self.short_cost = subtract(self.short_cost, position.cost)
        if not held or (held > 0) == (signed > 0):
            position.open(signed, amount)
        else:
            position.close(signed, fill.last_price)
        if position.quantity < 0:
            self.short_cost = add(self.short_cost, position.cost)
        if position.quantity:
            self._open[key] = position
        else:
            self._open.pop(key, None)
        position.commission = add(position.commission, fill.commission)
        self._account[fill.instrument] = add(self.account_quantity(fill.instrument), signed)
        return position.changed()

    def settle(
        self, instrument: Instrument, payoff: Decimal, time_ns: int, late: Fill | None = None
    ) -> list[Fill]:
        """Return the fills that close every position in a resolved instrument; books nothing.

        They are sales by longs and purchases by shorts at what one unit pays, without commission,
        so that fills alone explain the cash.

        Args:
            instrument: What has resolved.
            payoff: What one unit pays.
            time_ns: When it is settled.
            late: The fill that came after the resolution, if that is why.
        """
        return [
            _settlement(position, instrument, payoff, time_ns, late)
            for position in self.open_positions()
            if position.instrument == instrument.id
        ]

    def quantity(self, key: Key) -> Decimal:
        """Return one strategy's signed position in one instrument."""
        position = self._open.get(key)
        return ZERO if position is None else position.quantity

    def account_quantity(self, instrument: str) -> Decimal:
        """Return the account's signed position: the sum over its strategies."""
        return self._account.get(instrument, ZERO)

    def open_positions(self) -> list[Position]:
        """Return the positions that are not flat, by strategy and instrument."""
        return [self._open[key] for key in sorted(self._open)]

    def positions(self) -> list[PositionChanged]:
        """Return every position that there ever was, by strategy and instrument."""
        return [self._positions[key].changed() for key in sorted(self._positions)]

    @property
    def count(self) -> int:
        """Return how many fills have been booked."""
        return len(self._fills)

    @property
    def fills(self) -> list[Fill]:
        """Return every fill booked, settlements too, in order."""
        return list(self._fills.values())


def settlement_id(instrument: str, strategy: str, late: Fill | None) -> str:
    """Return the trade id of a settlement; it tells which late fill it answers, if any."""
    name = f"settle-{instrument}-{strategy}"
    return name if late is None else f"{name}-{late.trade_id}"


def _settlement(
    position: Position, instrument: Instrument, payoff: Decimal, time_ns: int, late: Fill | None
) -> Fill:
    name = settlement_id(instrument.id, position.strategy, late)
    return Fill(
        client_order_id=name,
        strategy=position.strategy,
        instrument=instrument.id,
        venue=instrument.venue,
        trade_id=name,
        side=Side.SELL if position.quantity > 0 else Side.BUY,
        last_quantity=position.quantity.copy_abs(),
        last_price=payoff,
        commission=ZERO,
        liquidity=Liquidity.SETTLEMENT,
        leaves_quantity=ZERO,
        venue_time_ns=time_ns,
        reason="settlement",
    )
