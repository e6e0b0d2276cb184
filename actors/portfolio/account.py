"""The account: the parts that the portfolio owns and its decisions are made from."""

from collections.abc import Iterable
from decimal import Decimal

import attrs

from actors.actor import Context
from actors.messages.account import PositionChanged
from actors.messages.trading import Fill
from actors.model.instrument import Instrument, Instruments
from actors.model.money import ZERO
from actors.model.order import Order
from actors.portfolio.books.currencies import Rates
from actors.portfolio.books.exact import multiply_add, subtract
from actors.portfolio.books.ledger import Ledger
from actors.portfolio.books.margin import Capital
from actors.portfolio.books.positions import Key, Position
from actors.portfolio.books.valuation import Marks, equity
from actors.portfolio.claims.alternatives import OwnWorking
from actors.portfolio.claims.reservations import Reservations
from actors.portfolio.config import PortfolioConfig
from actors.portfolio.reconciling.under_way import UnderWay

_MINUS_TWO = Decimal(-2)


@attrs.frozen
class Stake:
    """What a decision on one strategy's order in one instrument is made from, found at once.

    The position is the ledger's, what works is the reservations'; nobody else writes them.
    """

    index: int
    instrument: Instrument
    position: Position
    working: OwnWorking


@attrs.define(kw_only=True)
class Account:
    """Positions and cash, what is held back of it, and what is known of the market."""

    instruments: Instruments
    ledger: Ledger
    reservations: Reservations
    marks: Marks
    capital: Capital
    under_way: UnderWay | None = attrs.field(default=None, init=False)
    """What may be moving between us and the venue; None if nobody compares the two."""
    _stakes: dict[Key, Stake] = attrs.field(factory=dict, init=False)
    _closing: dict[Key, str] = attrs.field(factory=dict, init=False)
    """The order that closes a position at the end, by position."""

    def available(self) -> Decimal:
        """Return the capital that nothing has a claim on, in the account's currency.

        The proceeds of a short are not ours to spend, and as much again is its collateral: hence
        twice the cost of the shorts. With futures, leverage or several currencies, see
        :meth:`Capital.free`.
        """
        ledger = self.ledger
        if ledger.books.is_plain:
            own = ledger.own
            available = subtract(own.cash, self.reservations.reserved)
            if own.short_cost:
                available = multiply_add(_MINUS_TWO, own.short_cost, available)
            return available
        return subtract(self.capital.free(ledger, self.marks.mark), self.reservations.reserved)

    def unit_cost(self, stake: Stake, price: Decimal) -> Decimal | None:
        """Return the capital that opening one unit takes, in the account's currency, without fee.

        None if the instrument's currency has no rate.
        """
        if self.ledger.books.is_plain and type(stake.position) is Position:
            return price
        return self.capital.unit_cost(stake.instrument, price, self.marks.mark)

    def equity(self) -> Decimal | None:
        """Return the account's value at the latest marks; None if a currency has no rate."""
        return equity(self.ledger, self.marks.mark, self.capital.rates)

    def stake(self, key: Key) -> Stake | None:
        """Return a strategy's stake in an instrument, or None if that is not known (yet)."""
        stake = self._stakes.get(key)
        if stake is None:
            instrument = self.instruments.get(key[1])
            if instrument is None:
                return None
            index = self.instruments.index(key[1])
            position = self.ledger.position(key)
            working = self.reservations.strategy(key)
            stake = self._stakes[key] = Stake(index, instrument, position, working)
        return stake

    def book(self, fill: Fill) -> PositionChanged | None:
        """Book a fill and count it off its order; None if it has been booked before."""
        changed = self.ledger.apply(fill)
        if changed is not None:
            is_over = not fill.leaves_quantity
            self.reservations.fill(fill.client_order_id, fill.last_quantity, is_over=is_over)
        return changed

    def order_over(self, client_order_id: str) -> None:
        """Give back what is left of an order that has ended."""
        if self.under_way is not None:
            claim = self.reservations.claim(client_order_id)
            if claim is not None:
                self.under_way.ended(claim)
        self.reservations.release(client_order_id)

    def close(self, order: Order) -> None:
        """Count an order that closes a position at the end: it needs no cash."""
        key = (order.strategy, order.instrument)
        self._closing[key] = order.client_order_id
        self.reservations.add(order, self.reservations.strategy(key), order.quantity, ZERO)

    def is_closing(self, key: Key) -> bool:
        """Return whether such an order is on its way for a position."""
        return self._closing.get(key) in self.reservations

    def settle(
        self, instrument_id: str, now_ns: int, late: Fill | str | None = None
    ) -> list[Fill | PositionChanged]:
        """Close every position in a resolved instrument at what it pays; tell how.

        ``late`` is the fill, or the word for it, that came after the resolution, if that is why.
        """
        instrument = self.instruments.get(instrument_id)
        payoff = self.marks.payoff(instrument_id)
        assert instrument is not None, f"{instrument_id} is not known"
        assert payoff is not None, f"{instrument_id} has not resolved"
        return self.book_own(self.ledger.settle(instrument, payoff, now_ns, late))

    def book_own(self, fills: Iterable[Fill]) -> list[Fill | PositionChanged]:
        """Book fills that no venue made; return them, each with the position it makes."""
        told: list[Fill | PositionChanged] = []
        for fill in fills:
            changed = self.ledger.apply(fill)
            assert changed is not None, f"{fill.trade_id} was booked before"
            told += (fill, changed)
        return told


def new_account(
    config: PortfolioConfig, instruments: Instruments, context: Context | None = None
) -> Account:
    """Return the account of a configuration, as it is before the first fill."""
    ledger = Ledger(config.cash, instruments, config.books, config.max_fills, context)
    capital = Capital(Rates(config.books, instruments), config.leverage)
    if config.leverage > 1:
        ledger.books.is_plain = False
    account = Account(
        instruments=instruments,
        ledger=ledger,
        reservations=Reservations(),
        marks=Marks(instruments),
        capital=capital,
    )
    if config.reconciles:
        account.under_way = ledger.watcher = UnderWay(ledger, account.reservations)
    return account
