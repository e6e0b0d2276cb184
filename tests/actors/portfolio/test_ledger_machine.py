"""The ledger against the plainest sums of its fills, whatever comes in whatever order."""

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from msgspec.structs import replace

from actors.messages.account import CashAdjusted
from actors.messages.trading import Fill, FillSettled
from actors.model.instrument import Instrument, InstrumentId, Instruments
from actors.model.order import Liquidity, Side
from actors.portfolio.account import Account, new_account
from actors.portfolio.booking.provisional import unsettled
from actors.portfolio.books.exact import round_to
from actors.portfolio.books.memory import name_of
from actors.portfolio.books.settings import CostMethod
from actors.portfolio.books.valuation import equity
from actors.portfolio.config import PortfolioConfig
from actors.portfolio.reporting.subportfolios import strategies_of, sub_portfolio
from tests.actors.portfolio.builders import fill

CASH = Decimal(1000)
EUROS = Decimal(70)
RATE = Decimal("1.0863")
STEP = Decimal("0.01")
PLAIN, SCALED, FUTURE, FOREIGN, YES, NO = "PLAIN", "SCALED", "FUTURE", "FOREIGN", "YES", "NO"
NAMES = (PLAIN, SCALED, FUTURE, FOREIGN, YES, NO)


def table() -> Instruments:
    instruments = Instruments()
    terms: dict[str, dict[str, Any]] = {
        PLAIN: {},
        SCALED: {"multiplier": Decimal(5)},
        FUTURE: {"multiplier": Decimal(10), "margin": Decimal(100)},
        FOREIGN: {"currency": "EUR"},
        YES: {"currency": "USDC"},
        NO: {"currency": "USDC"},
    }
    for name in NAMES:
        instruments.add(
            Instrument(id=InstrumentId(name), venue="venue", symbol=name, **terms[name])
        )
    return instruments


TABLE = table()
prices = st.integers(1, 9_999).map(lambda ticks: Decimal(ticks).scaleb(-2))
quantities = st.integers(1, 300).map(lambda lots: Decimal(lots).scaleb(-1))
commissions = st.integers(-300, 3000).map(lambda amount: Decimal(amount).scaleb(-4))
names = st.sampled_from(NAMES)
strategies = st.sampled_from("ab")


def known(name: str) -> Instrument:
    found = TABLE.get(name)
    assert found is not None
    return found


def word_on(one: Fill, *, failed: bool) -> FillSettled:
    return FillSettled(
        client_order_id=one.client_order_id,
        strategy=one.strategy,
        instrument=one.instrument,
        venue=one.venue,
        trade_id=one.trade_id,
        failed=failed,
    )


def fold(fills: list[Fill], *, fifo: bool) -> tuple[Fraction, Fraction, Fraction]:
    """Return quantity, cost and realized profit of one position, by fractions and by the book."""
    lots: list[tuple[Fraction, Fraction]] = []  # signed quantity and price of one unit
    realized = Fraction(0)
    for each in fills:
        multiplier = Fraction(known(each.instrument).multiplier)
        left = Fraction(each.last_quantity) * each.side.sign
        price = Fraction(each.last_price) * multiplier
        while left and lots and (lots[0][0] > 0) is not (left > 0):
            held, paid = lots[0]
            taken = min(abs(held), abs(left)) * (1 if held > 0 else -1)
            realized += (price - paid) * taken
            left += taken
            lots[0] = (held - taken, paid)
            lots = [lot for lot in lots if lot[0]]
        if left:
            lots.append((left, price))
        if lots and not fifo:
            quantity = sum((lot[0] for lot in lots), Fraction(0))
            cost = sum((lot[0] * lot[1] for lot in lots), Fraction(0))
            lots = [(quantity, cost / quantity)]
    quantity = sum((lot[0] for lot in lots), Fraction(0))
    return quantity, abs(sum((lot[0] * lot[1] for lot in lots), Fraction(0))), realized


class LedgerMachine(RuleBasedStateMachine):
    """Trades, conversions, settlements, reversals and cash entries, in any order."""

    account: Account

    @initialize(
        method=st.sampled_from(CostMethod), step=st.sampled_from([None, STEP]), data=st.data()
    )
    def open_account(self, method: CostMethod, step: Decimal | None, data: Any) -> None:
        self.config = PortfolioConfig(
            cash=CASH,
            balances={"EUR": EUROS},
            fx={"EUR": RATE},
            cost_method=method,
            money_step=step,
        )
        self.account = new_account(self.config, TABLE)
        self.ledger = self.account.ledger
        self.booked: list[Fill] = []
        self.adjusted = {"USD": Decimal(0), "EUR": Decimal(0)}
        self.number = 0
        self.marks = {name: Decimal(number) for number, name in enumerate(NAMES, 3)}

    def mark_of(self, name: str) -> Decimal | None:
        return self.marks.get(name)

    def _apply(self, one: Fill) -> None:
        assert self.ledger.apply(one) is not None
        self.booked.append(one)

    def _number(self) -> int:
        self.number += 1
        return self.number

    @rule(
        name=names,
        strategy=strategies,
        side=st.sampled_from(Side),
        size=st.tuples(quantities, prices, commissions),
        provisional=st.booleans(),
    )
    def trade(
        self,
        name: str,
        strategy: str,
        side: Side,
        size: tuple[Decimal, Decimal, Decimal],
        provisional: bool,
    ) -> None:
        quantity, price, commission = size
        one = fill(
            self._number(),
            side,
            str(quantity),
            str(price),
            commission=str(commission),
            strategy=strategy,
            instrument=name,
        )
        self._apply(replace(one, provisional=provisional))

    @rule(name=names, buyer=strategies, seller=strategies, quantity=quantities, price=prices)
    def meet(self, name: str, buyer: str, seller: str, quantity: Decimal, price: Decimal) -> None:
        """Let two orders of ours trade with each other: the venue has one id for both."""
        number, held = self._number(), self.ledger.total(name).quantity
        for order, (strategy, side) in enumerate(((buyer, Side.BUY), (seller, Side.SELL))):
            terms: dict[str, Any] = {"strategy": strategy, "instrument": name, "order": order}
            self._apply(fill(number, side, str(quantity), str(price), **terms))
        assert self.ledger.total(name).quantity == held

    @rule(
        strategy=strategies,
        quantity=quantities,
        price=st.integers(0, 100).map(lambda ticks: Decimal(ticks).scaleb(-2)),
        side=st.sampled_from(Side),
    )
    def convert(self, strategy: str, quantity: Decimal, price: Decimal, side: Side) -> None:
        cash = self.ledger.cash
        for name, each in ((YES, price), (NO, 1 - price)):
            leg = fill(
                self._number(), side, str(quantity), str(each), strategy=strategy, instrument=name
            )
            self._apply(replace(leg, liquidity=Liquidity.CONVERSION))
        if self.config.money_step is None:
            assert self.ledger.cash == cash - side.sign * quantity

    @rule(name=names, payoff=prices)
    def settle(self, name: str, payoff: Decimal) -> None:
        word = f"after {self._number()}"
        for one in self.ledger.settle(known(name), payoff, 1, word):
            self._apply(one)
        assert self.ledger.total(name).quantity == 0

    @precondition(lambda self: self.booked)
    @rule(data=st.data())
    def repeat(self, data: Any) -> None:
        assert self.ledger.apply(data.draw(st.sampled_from(self.booked))) is None

    @precondition(lambda self: self.ledger.unsettled)
    @rule(data=st.data(), failed=st.booleans())
    def have_the_last_word(self, data: Any, failed: bool) -> None:
        name = data.draw(st.sampled_from(sorted(self.ledger.unsettled)))
        word = word_on(self.ledger.unsettled[name], failed=failed)
        if failed:
            assert self.ledger.take_back(word) is not None
            gone = [each for each in self.booked if name_of(each) == name]
            self.booked = [each for each in self.booked if each not in gone]
            assert self.ledger.apply(gone[0]) is None, "it came to nothing for good"
        else:
            assert self.ledger.confirm(word)
        assert not self.ledger.confirm(word)
        assert self.ledger.take_back(word) is None

    @rule(currency=st.sampled_from(["USD", "EUR"]), amount=commissions, strategy=st.just("a"))
    def adjust(self, currency: str, amount: Decimal, strategy: str) -> None:
        entry = CashAdjusted(
            entry_id=f"entry-{self._number()}",
            time_ns=0,
            currency=currency,
            amount=amount,
            reason="funding",
            strategy=strategy,
        )
        assert self.ledger.adjust(entry)
        assert not self.ledger.adjust(entry)
        self.adjusted[currency] += amount

    # --- what holds at any time ------------------------------------------------------------------

    def _fills_of(self, strategy: str, name: str) -> list[Fill]:
        return [f for f in self.booked if (f.strategy, f.instrument) == (strategy, name)]

    @invariant()
    def cash_is_what_the_fills_paid(self) -> None:
        if not hasattr(self, "booked") or self.config.money_step is not None:
            return
        fifo = self.config.cost_method is CostMethod.FIFO
        cash = {"USD": CASH, "EUR": EUROS}
        with localcontext(prec=200):
            for one in self.booked:
                terms = known(one.instrument)
                currency = "EUR" if one.instrument == FOREIGN else "USD"
                cash[currency] -= one.commission
                if terms.margin is None:
                    worth = one.last_quantity * one.last_price * terms.multiplier
                    cash[currency] -= one.side.sign * worth
            futures = Fraction(0)
            for strategy in "ab":
                futures += fold(self._fills_of(strategy, FUTURE), fifo=fifo)[2]
            assert self.ledger.books.purses["EUR"].cash == cash["EUR"] + self.adjusted["EUR"]
            rest = Fraction(self.ledger.cash) - Fraction(cash["USD"] + self.adjusted["USD"])
        if fifo:
            assert rest == futures
        else:
            assert abs(rest - futures) < Fraction(1, 10**18)

    @invariant()
    def positions_are_those_of_the_book(self) -> None:
        if not hasattr(self, "booked"):
            return
        fifo = self.config.cost_method is CostMethod.FIFO
        slack = Fraction(0) if fifo else Fraction(1, 10**18)
        for now in self.ledger.positions():
            mine = self._fills_of(now.strategy, now.instrument)
            quantity, cost, realized = fold(mine, fifo=fifo)
            assert Fraction(now.quantity) == quantity
            assert abs(Fraction(now.cost) - cost) <= slack
            if self.config.money_step is None:
                assert abs(Fraction(now.realized_pnl) - realized) <= slack
                assert now.commission == sum(each.commission for each in mine)
            else:
                assert now.realized_pnl == round_to(now.realized_pnl, STEP)
                assert abs(Fraction(now.realized_pnl) - realized) <= len(mine) * Fraction(STEP) / 2
                paid = [round_to(each.commission, STEP) for each in mine]
                assert now.commission == sum(paid)
        for name in NAMES:
            held = [p.quantity for p in self.ledger.positions() if p.instrument == name]
            assert self.ledger.total(name).quantity == sum(held)
        shorts = [
            p.cost
            for p in self.ledger.open_positions()
            if p.quantity < 0 and p.instrument not in (FUTURE, FOREIGN)
        ]
        with localcontext(prec=200):
            assert self.ledger.short_cost == sum(shorts)

    @invariant()
    def parts_sum_to_the_account(self) -> None:
        if not hasattr(self, "booked"):
            return
        marks = self.account.marks
        marks.payoffs.update(self.marks)  # the shortest way to a mark
        value = equity(self.ledger, marks.mark, self.account.capital.rates)
        parts = [sub_portfolio(self.account, name) for name in strategies_of(self.account)]
        with localcontext(prec=200):
            known_parts = [part for part in parts if part is not None]
            assert len(known_parts) == len(parts)
            total = sum((part.equity for part in known_parts), Decimal(0))
            assert value == CASH + EUROS * RATE + total
            for part in known_parts:
                gained = part.realized_pnl + part.unrealized_pnl - part.commission
                assert part.equity == gained + part.adjustments
            flows = sum(
                (part.cash_flows.get("EUR", Decimal(0)) for part in known_parts), Decimal(0)
            )
            assert self.ledger.books.purses["EUR"].cash == EUROS + flows

    @invariant()
    def what_failed_has_never_been(self) -> None:
        if not hasattr(self, "booked"):
            return
        anew = new_account(self.config, TABLE).ledger
        for one in self.booked:
            anew.apply(one)
        for entry in self.ledger.entries.values():
            anew.adjust(entry)
        assert anew.fills == self.ledger.fills == self.booked
        assert anew.positions() == self.ledger.positions()
        assert anew.cash == self.ledger.cash
        assert anew.short_cost == self.ledger.short_cost

    @invariant()
    def unsettled_fills_are_the_difference_of_two_balances(self) -> None:
        if not hasattr(self, "booked"):
            return
        moved = unsettled(self.ledger)
        for key, quantity in moved.positions.items():
            mine = [f for f in self.booked if (f.strategy, f.instrument) == key and f.provisional]
            mine = [f for f in mine if name_of(f) in self.ledger.unsettled]
            assert quantity == sum(f.side.sign * f.last_quantity for f in mine)
        if not self.ledger.unsettled:
            assert not moved.cash


TestLedger = LedgerMachine.TestCase
TestLedger.settings = settings(deadline=None, max_examples=60, stateful_step_count=25)
