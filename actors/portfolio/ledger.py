"""The ledger: what each strategy holds and what it cost, and the account's cash, all from fills.

Cash is exact: a sum of price times quantity and of commissions. Costs follow the average-cost
method: closing a part of a position takes the same part of its cost, half-even to 28 significant
digits where that division is inexact. Closing all of it takes all of the cost, so rounding never
accumulates: ``cash = initial + realized - costs of longs + costs of shorts - commissions`` holds
exactly at any time.
"""

from decimal import Decimal
from functools import reduce

from actors.messages.account import PositionChanged
from actors.messages.trading import Fill
from actors.model.instrument import Instrument
from actors.model.money import ZERO
from actors.model.order import Liquidity, Side
from actors.portfolio.exact import add, multiply, multiply_add, share, subtract

Key = tuple[str, str]
"""Strategy and instrument id."""

_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it
_SETTLEMENT = Liquidity.SETTLEMENT


class Total:
    """What the account holds of one instrument: the sum over its strategies, signed."""

    __slots__ = ("quantity",)

    def __init__(self) -> None:
        self.quantity = ZERO


class Position:
    """What one strategy holds of one instrument; units as in :class:`PositionChanged`."""

    __slots__ = ("commission", "cost", "key", "quantity", "realized_pnl", "total")

    def __init__(self, key: Key, total: Total) -> None:
        self.key = key
        self.total = total
        self.quantity = ZERO
        self.cost = ZERO
        self.realized_pnl = ZERO
        self.commission = ZERO

    @property
    def strategy(self) -> str:
        """Return whose it is."""
        return self.key[0]

    @property
    def instrument(self) -> str:
        """Return what it is of."""
        return self.key[1]

    def move(self, signed: Decimal, price: Decimal) -> None:
        """Buy a quantity, or sell it where it is negative: opens, closes, or both in turn."""
        held = self.quantity
        self.quantity = left = add(held, signed)
        is_long = held > ZERO
        if not held or (signed > ZERO) is is_long:
            self.cost = multiply_add(price, signed.copy_abs(), self.cost)
            return
        if left and (left > ZERO) is is_long:
            closed, removed = signed.copy_negate(), self._part_of_cost(held, signed)
            self.cost = subtract(self.cost, removed)
        else:
            closed, removed = held, self.cost
            self.cost = multiply(price, left.copy_abs())
        pnl = multiply_add(price, closed, self.realized_pnl)
        self.realized_pnl = subtract(pnl, removed) if is_long else add(pnl, removed)

    def _part_of_cost(self, held: Decimal, signed: Decimal) -> Decimal:
        return share(self.cost, signed.copy_abs(), held.copy_abs())

    def changed(self) -> PositionChanged:
        """Return the position as it is now."""
        strategy, instrument = self.key
        return PositionChanged(
            strategy=strategy,
            instrument=instrument,
            quantity=self.quantity,
            cost=self.cost,
            realized_pnl=self.realized_pnl,
            commission=self.commission,
        )


class Ledger:
    """Cash and positions of one account in one currency: the fold of its fills."""

    def __init__(self, cash: Decimal) -> None:
        self.cash = cash
        self.short_cost = ZERO
        """What the open shorts were sold for, all together."""
        self.duplicates = 0
        """How many fills came again and were ignored; our own settlements do not count."""
        self.settled = 0
        """How many of the fills are settlements."""
        self._fills: dict[tuple[str, str], Fill] = {}
        self._positions: dict[Key, Position] = {}
        """All that were ever asked for, held or not."""
        self._opened: dict[Key, Position] = {}
        """Those of them that there ever was a fill of."""
        self._open: dict[Key, Position] = {}
        """Those of them that are not flat."""
        self._totals: dict[str, Total] = {}

    def apply(self, fill: Fill) -> PositionChanged | None:
        """Book a fill; None if ``(venue, trade_id)`` has been booked before."""
        name = (fill.venue, fill.trade_id)
        if name in self._fills:
            self.duplicates += fill.liquidity is not _SETTLEMENT
            return None
        quantity = fill.last_quantity
        assert quantity > ZERO, f"fill {name} of nothing"
        self._fills[name] = fill
        if fill.liquidity is _SETTLEMENT:
            self.settled += 1
        if fill.side is _BUY:
            received, given = quantity, quantity.copy_negate()
        else:
            received, given = quantity.copy_negate(), quantity
        self.cash = multiply_add(fill.last_price, given, self.cash)
        position = self.position((fill.strategy, fill.instrument))
        self._move(position, received, fill.last_price)
        if fill.commission:
            self.cash = subtract(self.cash, fill.commission)
            position.commission = add(position.commission, fill.commission)
        return position.changed()

    def _move(self, position: Position, signed: Decimal, price: Decimal) -> None:
        held = position.quantity
        if held < ZERO:
            self.short_cost = subtract(self.short_cost, position.cost)
        elif not held:
            self._open[position.key] = self._opened[position.key] = position
        position.move(signed, price)
        total = position.total
        total.quantity = add(total.quantity, signed)
        if position.quantity < ZERO:
            self.short_cost = add(self.short_cost, position.cost)
        elif not position.quantity:
            del self._open[position.key]

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

    def position(self, key: Key) -> Position:
        """Return one strategy's position in one instrument, flat if there is none."""
        position = self._positions.get(key)
        if position is None:
            position = self._positions[key] = Position(key, self.total(key[1]))
        return position

    def total(self, instrument: str) -> Total:
        """Return what the account holds of one instrument."""
        total = self._totals.get(instrument)
        if total is None:
            total = self._totals[instrument] = Total()
        return total

    @property
    def commission(self) -> Decimal:
        """Return the sum of all commissions paid; rebates are negative."""
        return reduce(add, [position.commission for position in self._opened.values()], ZERO)

    def open_positions(self) -> list[Position]:
        """Return the positions that are not flat, by strategy and instrument."""
        return [self._open[key] for key in sorted(self._open)]

    def positions(self) -> list[PositionChanged]:
        """Return every position that there ever was, by strategy and instrument."""
        return [self._opened[key].changed() for key in sorted(self._opened)]

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
