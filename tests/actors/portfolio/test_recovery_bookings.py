"""Whatever an account books is rebuilt from the journal: the next core answers as the last one."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.actor import Later
from actors.messages.account import CashAdjusted, ConversionKind, ConvertTokens, MarkEquity
from actors.messages.slices import Slice
from actors.messages.trading import Fill
from actors.model.order import Side
from actors.portfolio.books.settings import CostMethod
from actors.portfolio.config import EquitySampling
from actors.portfolio.portfolio import Portfolio
from tests.actors.portfolio.accounts import (
    COIN,
    EURO_STOCK,
    FUTURE,
    NO,
    YES,
    core,
    fills_of,
    tape,
    word,
)
from tests.actors.portfolio.builders import fill, signal

TERMS: dict[str, Any] = {
    "fx": {"EUR": Decimal("1.1")},
    "balances": {"EUR": Decimal(50)},
    "leverage": Decimal(20),
    "liquidate_at": Decimal(100),
    "auto_redeem": False,
}


class Run:
    """A portfolio with a journal; messages may be queued behind one another."""

    def __init__(self, **terms: Any) -> None:
        self.terms = {**TERMS, **terms}
        self.core = core(**self.terms)
        self.history: list[tuple[str, Any]] = []
        self.time_ns = 0
        self._sent(self.core.start(0))

    def take(self, *queue: Any) -> list[Any]:
        """Handle messages that were all queued before the first of them was handled."""
        self.time_ns += 1
        self.history += (("received", message) for message in queue)
        told = [out for message in queue for out in self.core.handle(message, self.time_ns)]
        self._sent(told)
        return told

    def rows(self, rows: Slice) -> None:
        """Let rows pass."""
        position = 0
        while position < len(rows):
            row = self.core.look(rows, position, len(rows))
            if row < len(rows):
                self._sent(self.core.react(rows, row, rows.times()[row]))
                row += 1
            self.core.advance(rows, row)
            position = row

    def _sent(self, outputs: list[Any]) -> None:
        self.history += (("sent", output) for output in outputs if not isinstance(output, Later))

    def restarted(self) -> Portfolio:
        again = core(incarnation=1, **self.terms)
        again.inherit(self.core.market)
        again.recover(iter(self.history))
        return again


def state(booked: Portfolio) -> tuple[Any, ...]:
    """Return everything that a decision may depend on, and everything that is shown."""
    return (
        booked.balances,
        booked.reserved,
        booked.available,
        booked.fills,
        booked.positions(),
        booked.sub_portfolios(),
        booked.pairs(),
        booked.settled_cash,
        booked.equity_curve().samples(),
        booked.statistics(),
    )


def convert(number: int, kind: ConversionKind, quantity: str, instrument: str) -> ConvertTokens:
    return ConvertTokens(
        request_id=f"convert-{number}",
        strategy="cross",
        kind=kind,
        instrument=instrument,
        quantity=Decimal(quantity),
    )


def test_a_core_that_missed_a_resolution_settles_when_it_is_back() -> None:
    run = Run(auto_redeem=True)
    run.take(fill(1, Side.BUY, "10", "0.60", instrument=YES))
    rows = tape().quote(1, "0.5", "0.6", YES).resolution(2, "1", YES).quote(3, "1", "1").rows()
    run.core.market.advance(rows, 3)  # it was down: what it knew of the market went on
    again = run.restarted()
    outputs = again.start(5)
    (settlement,) = fills_of(outputs)
    assert settlement.last_price == 1
    assert settlement.venue_time_ns == 5
    assert again.get_position(YES) == 0
    assert again.cash == 1000 - 6 + 10
    assert fills_of(again.start(6)) == []

    run.history += [("sent", output) for output in outputs]
    third = core(incarnation=2, **run.terms)
    third.inherit(again.market)
    third.recover(run.history)
    assert (third.cash, third.positions()) == (again.cash, again.positions())
    assert fills_of(third.start(7)) == []


def test_a_resolution_is_known_even_when_its_slice_has_passed() -> None:
    run = Run(auto_redeem=True)
    run.take(fill(1, Side.BUY, "10", "0.60", instrument=YES))
    market = run.core.market
    first, second = tape().resolution(2, "0", YES).rows(), tape().quote(3, "1", "1").rows()
    market.advance(first, 1)
    market.advance(second, 1)
    assert len(fills_of(run.restarted().start(5))) == 1


def test_who_redeems_by_hand_is_not_settled_at_the_start() -> None:
    run = Run()
    run.take(fill(1, Side.BUY, "10", "0.60", instrument=YES))
    run.core.market.advance(tape().resolution(2, "1", YES).rows(), 1)
    assert fills_of(run.restarted().start(5)) == []


def test_a_conversion_is_booked_where_it_was_asked_for() -> None:
    run = Run()
    run.take(fill(1, Side.BUY, "10", "0.60", instrument=YES))
    run.take(
        convert(1, ConversionKind.SPLIT, "5", YES),
        fill(2, Side.SELL, "12", "0.80", instrument=YES),
        convert(2, ConversionKind.MERGE, "9", YES),
        convert(2, ConversionKind.MERGE, "9", YES),
    )
    again = run.restarted()
    assert state(again) == state(run.core)
    assert again.statistics().refused_conversions == 1
    late = convert(3, ConversionKind.MERGE, "3", NO)
    assert again.handle(late, 9) == run.core.handle(late, 9)


def test_a_settlement_after_a_failed_fill_is_rebuilt() -> None:
    run = Run(auto_redeem=True)
    run.take(
        fill(1, Side.BUY, "10", "0.60", instrument=YES),
        replace(fill(2, Side.BUY, "5", "0.60", instrument=YES), provisional=True),
    )
    run.rows(tape().resolution(2, "1", YES).rows())
    run.take(word(2, failed=True, instrument=YES), word(9, failed=False))
    assert run.core.get_position(YES) == 0
    again = run.restarted()
    assert (again.cash, again.positions()) == (run.core.cash, run.core.positions())
    assert again.statistics() == run.core.statistics()


# --- the property --------------------------------------------------------------------------------

tenths = st.integers(1, 400).map(lambda lots: str(Decimal(lots) / 10))
ticks = st.integers(1, 300).map(lambda n: str(Decimal(n).scaleb(-2)))
names = st.sampled_from((COIN, FUTURE, EURO_STOCK, YES, NO))


@st.composite
def fills(draw: st.DrawFn) -> Fill:
    one = fill(
        draw(st.integers(1, 12)),
        draw(st.sampled_from(Side)),
        draw(tenths),
        draw(ticks),
        order=draw(st.integers(1, 9)),
        leaves=draw(st.sampled_from(("0", "1"))),
        commission=draw(st.sampled_from(("0", "0.0123"))),
        strategy=draw(st.sampled_from(("cross", "other"))),
        instrument=draw(names),
    )
    return replace(one, provisional=draw(st.booleans()))


messages = st.one_of(
    fills(),
    fills(),
    st.builds(
        lambda number, failed, name: word(number, failed=failed, instrument=name),
        st.integers(1, 12),
        st.booleans(),
        names,
    ),
    st.builds(
        convert,
        st.integers(1, 9),
        st.sampled_from(ConversionKind),
        tenths,
        st.sampled_from((YES, NO, COIN)),
    ),
    st.builds(
        lambda number, side, quantity, price: signal(number, side, quantity, limit=price),
        st.integers(1, 9),
        st.sampled_from(Side),
        tenths,
        ticks,
    ),
    st.builds(
        lambda number, cents: CashAdjusted(
            entry_id=f"entry-{number}",
            time_ns=0,
            currency="EUR",
            amount=Decimal(cents).scaleb(-2),
            reason="funding",
        ),
        st.integers(1, 5),
        st.integers(-100, 100),
    ),
)
quotes = st.tuples(names, st.integers(1, 400))
steps = st.lists(
    st.one_of(
        st.lists(messages, min_size=1, max_size=4),
        st.lists(messages, min_size=2, max_size=4),
        st.lists(quotes, min_size=1, max_size=6).map(tuple),
        st.tuples(st.sampled_from((YES, NO)), st.sampled_from(("0", "1"))),
    ),
    min_size=4,
    max_size=20,
)


@given(
    steps,
    st.sampled_from(CostMethod),
    st.sampled_from(EquitySampling),
    st.sampled_from([None, Decimal("0.01")]),
)
@settings(deadline=None, max_examples=250)
def test_a_replay_equals_the_first_run(
    plan: list[Any], method: CostMethod, equity: EquitySampling, step: Decimal | None
) -> None:
    run = Run(cost_method=method, equity=equity, money_step=step)
    run.take(convert(99, ConversionKind.SPLIT, "50", YES))
    resolved: set[str] = set()
    for number, each in enumerate(plan, 1):
        if isinstance(each, list):
            run.take(*each)
        elif isinstance(each[0], tuple):
            quoted = tape()
            for name, price in each:
                quoted.quote(number * 100, str(price), str(price), name)
            run.rows(quoted.rows())
        elif each[0] not in resolved:
            resolved.add(each[0])
            run.rows(tape().resolution(number * 100, each[1], each[0]).rows())
    again = run.restarted()
    assert state(again) == state(run.core)
    for probe in (fill(77, instrument=YES), MarkEquity(), signal(88, limit="1")):
        assert again.handle(probe, 10**9) == run.core.handle(probe, 10**9)
