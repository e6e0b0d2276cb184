"""The ledger: what each strategy holds and what it cost, and the account's cash, all from fills.

Cash is exact: a sum of price times quantity and of commissions. By the average-cost method, closing
a part of a position takes the same part of its cost, half-even to 28 significant digits where that
division is inexact. Closing all of it takes all of the cost, so rounding never accumulates:
``cash = initial + realized - costs of longs + costs of shorts - commissions`` holds exactly at any
time. By FIFO nothing is divided.
"""

from collections.abc import Iterable
from decimal import Decimal
from functools import reduce
from typing import Protocol

from actors.actor import Context
from actors.messages.account import CashAdjusted, PositionChanged
from actors.messages.trading import Fill, FillSettled
from actors.model.instrument import Instrument, Instruments
from actors.model.money import ZERO
from actors.model.order import Liquidity, Side
from actors.portfolio.books.exact import add, subtract
from actors.portfolio.books.memory import CASH, FILL, Memory, Name, archive_key, name_of, signed
from actors.portfolio.books.positions import Key, Position, Total
from actors.portfolio.books.settings import Books, BookSettings

_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it
_SETTLEMENT = Liquidity.SETTLEMENT
_CONVERSION = Liquidity.CONVERSION


class Watcher(Protocol):
    """Who takes notice of what is booked."""

    def filled(self, fill: Fill) -> None:
        """Take notice of a fill."""
        ...

    def moved(self, currency: str, instrument: str = "") -> None:
        """Take notice of cash that moved without a fill, or with one that was taken back."""
        ...


class Ledger:
    """Cash and positions of one account: the fold of its fills and cash entries."""

    def __init__(
        self,
        cash: Decimal,
        instruments: Instruments | None = None,
        settings: BookSettings | None = None,
        most: int | None = None,
        context: Context | None = None,
    ) -> None:
        self.books = Books(settings or BookSettings(), cash, instruments or Instruments())
        self.own = self.books.own
        """The purse of the account's currency."""
        self.duplicates = 0
        """How many fills came again and were ignored; those that we made ourselves do not count."""
        self.settled = 0
        """How many of the fills are settlements."""
        self.entries: dict[str, CashAdjusted] = {}
        """What moved cash without a fill, by entry id; the latest, if there is a bound."""
        self.adjusted: dict[tuple[str, str], Decimal] = {}
        """What all of them come to, by strategy and currency of the purse."""
        self.watcher: Watcher | None = None
        """Who is told of what is booked."""
        self.memory = None if most is None else Memory(context, most, self.books)
        """Lets go of old fills and entries; None if all are kept."""
        self.unsettled: dict[Name, Fill] = {}
        """The provisional fills that nobody has settled yet."""
        self.failed: dict[Name, None] = {}
        """Those that were taken back."""
        self._fills: dict[Name, Fill] = {}
        self._positions: dict[Key, Position] = {}
        """All that were ever asked for, held or not."""
        self._opened: dict[Key, Position] = {}
        """Those of them that there ever was a fill of."""
        self._open: dict[Key, Position] = {}
        """Those of them that are not flat."""
        self._totals: dict[str, Total] = {}

    # --- booking ---------------------------------------------------------------------------------

    def apply(self, fill: Fill) -> PositionChanged | None:
        """Book a fill; None if this trade has been booked before for this order.

        Two orders of ours that meet each other have one trade between them, and both are booked.
        """
        name = (fill.venue, fill.trade_id, fill.client_order_id)  # as name_of, without the call
        memory = self.memory
        if (
            name in self._fills
            or (self.failed and name in self.failed)
            or (memory is not None and memory.knows(FILL, archive_key(name)))
        ):
            is_own = fill.liquidity is _SETTLEMENT or fill.liquidity is _CONVERSION
            self.duplicates += not is_own
            return None
        quantity = fill.last_quantity
        assert quantity > ZERO, f"fill {name} of nothing"
        self._fills[name] = fill
        if fill.provisional:
            self.unsettled[name] = fill
        elif fill.liquidity is _SETTLEMENT:
            self.settled += 1
        key = (fill.strategy, fill.instrument)
        position = self._positions.get(key) or self.position(key)
        moved = quantity if fill.side is _BUY else quantity.copy_negate()
        held = position.quantity
        if held < ZERO:
            shorts = position.shorts
            shorts.short_cost = subtract(shorts.short_cost, position.cost)
        elif not held:
            self._open[key] = self._opened[key] = position
        position.book(moved, fill.last_price, fill.commission)
        total = position.total
        total.quantity = add(total.quantity, moved)
        held = position.quantity
        if held < ZERO:
            shorts = position.shorts
            shorts.short_cost = add(shorts.short_cost, position.cost)
        elif not held:
            del self._open[key]
        if self.watcher is not None:
            self.watcher.filled(fill)
        if memory is not None:
            memory.number(name)
            memory.trim_fills(self._fills, self.unsettled)
        return position.changed()

    def adjust(self, entry: CashAdjusted) -> bool:
        """Book an amount of cash that no fill explains; False if it has been booked before."""
        memory = self.memory
        if entry.entry_id in self.entries:
            return False
        if memory is not None and memory.knows(CASH, entry.entry_id):
            return False
        self.entries[entry.entry_id] = entry
        purse = self.books.purse(entry.currency)
        purse.cash = add(purse.cash, entry.amount)
        key = (entry.strategy, purse.currency)
        self.adjusted[key] = add(self.adjusted.get(key, ZERO), entry.amount)
        if self.watcher is not None:
            self.watcher.moved(purse.currency)
        if memory is not None:
            memory.number(("", entry.entry_id, ""))
            memory.trim_entries(self.entries)
        return True

    def confirm(self, word: FillSettled) -> bool:
        """Note that a provisional fill is final; False if there is none of that name."""
        return self.unsettled.pop(name_of(word), None) is not None

    def take_back(self, word: FillSettled) -> PositionChanged | None:
        """Undo a provisional fill, as if it had never been; None if there is none of that name.

        The position is booked anew from its other fills, in their order.
        """
        name = name_of(word)
        if self.unsettled.pop(name, None) is None:
            return None
        fill = self._fills.pop(name)
        self.failed[name] = None
        key = (fill.strategy, fill.instrument)
        position = self._opened[key]
        others = [each for each in self._fills.values() if _key(each) == key]
        self._book_anew(position, others)
        if not others and (self.memory is None or self.memory.base(key) is None):
            del self._opened[key]
        if self.watcher is not None:
            self.watcher.moved(position.purse.currency, fill.instrument)
        if self.memory is not None:
            self.memory.trim_failed(self.failed)
        return position.changed()

    def _book_anew(self, position: Position, fills: Iterable[Fill]) -> None:
        purse, shorts, total = position.purse, position.shorts, position.total
        purse.cash = subtract(purse.cash, position.flow())
        if position.quantity < ZERO:
            shorts.short_cost = subtract(shorts.short_cost, position.cost)
        total.quantity = subtract(total.quantity, position.quantity)
        self._open.pop(position.key, None)
        position.clear()
        base = None if self.memory is None else self.memory.base(position.key)
        if base is not None:
            position.resume(base)
            purse.cash = add(purse.cash, base.flow())
        for fill in fills:
            position.book(signed(fill), fill.last_price, fill.commission)
        if position.quantity < ZERO:
            shorts.short_cost = add(shorts.short_cost, position.cost)
        total.quantity = add(total.quantity, position.quantity)
        if position.quantity:
            self._open[position.key] = position

    def settle(
        self,
        instrument: Instrument,
        payoff: Decimal,
        time_ns: int,
        late: Fill | str | None = None,
    ) -> list[Fill]:
        """Return the fills that close every position in a resolved instrument; books nothing.

        They are sales by longs and purchases by shorts at what one unit pays, without commission,
        so that fills alone explain the cash.

        Args:
            instrument: What has resolved.
            payoff: What one unit pays.
            time_ns: When it is settled.
            late: What came after the resolution, if that is why: a fill, or a word for it.
        """
        return [
            closing_fill(
                position,
                instrument,
                payoff,
                time_ns,
                settlement_id(instrument.id, position.strategy, late),
            )
            for position in self.open_positions()
            if position.instrument == instrument.id
        ]

    # --- looking ---------------------------------------------------------------------------------

    @property
    def version(self) -> int:
        """Return a number that changes with everything that is booked."""
        changes = 0 if self.memory is None else self.memory.changes
        return len(self._fills) + len(self.entries) + 2 * len(self.failed) + changes

    @property
    def cash(self) -> Decimal:
        """Return the balance in the account's currency."""
        return self.own.cash

    @property
    def short_cost(self) -> Decimal:
        """Return what the open shorts in the account's currency were sold for, all together."""
        return self.own.short_cost

    def position(self, key: Key) -> Position:
        """Return one strategy's position in one instrument, flat if there is none."""
        position = self._positions.get(key)
        if position is None:
            position = self.books.position(key, self.total(key[1]))
            self._positions[key] = position
        return position

    def total(self, instrument: str) -> Total:
        """Return what the account holds of one instrument."""
        total = self._totals.get(instrument)
        if total is None:
            total = self._totals[instrument] = Total()
        return total

    @property
    def commission(self) -> Decimal:
        """Return the sum of all commissions paid, in whatever currency; rebates are negative."""
        return reduce(add, [position.commission for position in self._opened.values()], ZERO)

    def held(self) -> Iterable[Position]:
        """Return the positions that are not flat, in no order that means anything."""
        return self._open.values()

    def open_positions(self) -> list[Position]:
        """Return the positions that are not flat, by strategy and instrument."""
        return [self._open[key] for key in sorted(self._open)]

    def opened(self) -> list[Position]:
        """Return every position that there ever was, by strategy and instrument."""
        return [self._opened[key] for key in sorted(self._opened)]

    def positions(self) -> list[PositionChanged]:
        """Return what every position that there ever was is now, by strategy and instrument."""
        return [position.changed() for position in self.opened()]

    @property
    def count(self) -> int:
        """Return how many fills have been booked."""
        return len(self._fills) + (0 if self.memory is None else self.memory.fills)

    @property
    def fills(self) -> list[Fill]:
        """Return the fills booked, settlements too, in order; not those taken back.

        All of them or, if there is a bound, the latest.
        """
        return list(self._fills.values())


def settlement_id(instrument: str, strategy: str, late: Fill | str | None) -> str:
    """Return the trade id of a settlement; it tells which late fill it answers, if any."""
    name = f"settle-{instrument}-{strategy}"
    if late is None:
        return name
    return f"{name}-{late if isinstance(late, str) else cause_id(late)}"


def cause_id(fill: Fill | FillSettled) -> str:
    """Return what names a fill that leads to something; a trade's id may name two fills.

    Where ids of trades are made of their orders' they name one, and are taken as they are.
    """
    order_id, trade_id = fill.client_order_id, fill.trade_id
    return trade_id if trade_id.startswith(f"{order_id}-") else f"{order_id}/{trade_id}"


def is_caused(fill: Fill) -> bool:
    """Return whether a fill is a conversion's, a redemption's or a liquidation's.

    A settlement, which answers no request, has one name for its order and for its trade.
    """
    is_own = fill.liquidity is _SETTLEMENT or fill.liquidity is _CONVERSION
    return is_own and fill.client_order_id != fill.trade_id


def closing_fill(
    position: Position, instrument: Instrument, price: Decimal, time_ns: int, trade_id: str
) -> Fill:
    """Return the fill that closes a position outside of the market, whole and free of charge."""
    return Fill(
        client_order_id=trade_id,
        strategy=position.strategy,
        instrument=instrument.id,
        venue=instrument.venue,
        trade_id=trade_id,
        side=Side.SELL if position.quantity > 0 else Side.BUY,
        last_quantity=position.quantity.copy_abs(),
        last_price=price,
        commission=ZERO,
        liquidity=Liquidity.SETTLEMENT,
        leaves_quantity=ZERO,
        venue_time_ns=time_ns,
        reason="settlement",
    )


def _key(fill: Fill) -> Key:
    return fill.strategy, fill.instrument
