"""Rows from before a strategy began: its callbacks learn from them, and nothing goes out."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random  # noqa: TID251 - seeded below
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.actor import Context, Later
from actors.messages.alerts import Logged
from actors.messages.market import BookView, ConnectionState, Quote
from actors.messages.records import Origin
from actors.messages.slices import MarketData, Slice, SliceBuilder
from actors.messages.trading import Signal, SignalBatch
from actors.model.instrument import Instruments
from actors.model.order import Side
from actors.strategies import STRATEGIES, Strategy, StrategyConfig
from actors.strategies.average_cross import AverageCross
from actors.strategies.momentum import Momentum
from actors.strategies.warming import Past, PastShown
from actors.strategies.yes_no import YesNo
from actors.strategies.yes_no.parameters import OracleParameters
from tests.actors.strategies.builders import outcome_pair, play, position, update
from tests.actors.strategies.test_vectorised import ByColumn, ByRow
from tests.builders import START_NS, instrument, instruments, quote_rows

A = instrument("A")
LATE_NS = START_NS * 2
RISING = [(100 + n, 102 + n) for n in range(8)]


def past_of(*slices: Slice) -> Past:
    """Return a past of these rows, whenever one begins."""
    return lambda _now_ns: iter(slices)


def made(
    kind: type[Strategy], table: Instruments, past: Past | None, parameters: Any = None
) -> Any:
    """Return a strategy that has not begun."""
    context = Context(run_id="run", actor="s", incarnation=0, random=Random(7))
    return kind(context, table, StrategyConfig(parameters=parameters, past=past))


def warmed(
    kind: type[Strategy], table: Instruments, *slices: Slice, parameters: Any = None
) -> tuple[Any, list[Any]]:
    """Return a strategy that has been shown rows, and what it has sent since it was built."""
    core = made(kind, table, past_of(*slices), parameters)
    return core, core.start(LATE_NS)


class Busy(Strategy):
    """Does all it can at each quote, and writes down what comes of it."""

    def on_start(self) -> None:
        self.told: list[Any] = []
        self.note("start")
        self.set_timer("first", 5)

    def note(self, what: str) -> None:
        self.told.append((what, self.is_warming, self.now_ns))

    def on_quote(self, quote: Quote) -> None:
        self.note("quote")
        a = quote.instrument
        ids = [self.buy(a, 1), self.sell(a, 1, limit=quote.ask, post_only=True), self.target(a, 3)]
        ids += self.bracket(a, Side.BUY, 1, take_profit=9, stop_loss=1)
        ids += [self.split(a, 1), self.merge(a, 1), self.redeem(a, 1)]
        with self.batch():
            ids.append(self.buy(a, 2))
        self.modify("an order", quantity=1)
        self.cancel("an order")
        self.cancel_all()
        self.set_timer("then", 7)
        self.outbox.append(Logged(strategy=self.name, text="seen", time_ns=quote.time_ns))
        self.told.append(ids)

    def on_warmed(self) -> None:
        self.note("warmed")
        self.buy("A", 1, reason="at last")


def test_what_is_asked_for_while_warming_is_not_done() -> None:
    table = instruments(A)
    rows = quote_rows(RISING[:2], table=table)
    core, sent = warmed(Busy, table, rows)
    first, second = rows.times()
    assert core.told == [
        ("start", False, LATE_NS),
        ("quote", True, first),
        [""] * 10,
        ("quote", True, second),
        [""] * 10,
        ("warmed", False, LATE_NS),
    ]
    timer, wish = sent
    assert isinstance(timer, Later)
    assert timer.at_ns == LATE_NS + 5
    assert isinstance(wish, Signal)
    assert (wish.signal_id, wish.reason) == ("run-s-1", "at last")
    assert [each.client_order_id for each in core.open_orders()] == ["run-s-1"]
    assert core._timers == {"first": LATE_NS + 5}


def test_afterwards_it_acts_as_ever() -> None:
    table = instruments(A)
    core, _ = warmed(Busy, table, quote_rows(RISING[:2], table=table))
    rows = quote_rows(RISING[:1], table=table, start_ns=LATE_NS)
    sent = core.handle(MarketData(rows), LATE_NS)
    assert core.told[-1][0] == "run-s-2"
    assert len(set(core.told[-1])) == 10
    assert sum(isinstance(each, Logged) for each in sent) == 1
    assert sum(isinstance(each, Later) for each in sent) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda s: s.buy("A", 0),
        lambda s: s.buy("A", 1, limit=1.5),
        lambda s: s.modify("x"),
        lambda s: s.merge("A", -1),
        lambda s: s.set_timer("t", 0),
        lambda s: 1 // 0,
    ],
)
def test_a_mistake_is_one_even_then(wrong: Any) -> None:
    class Wrong(Strategy):
        def on_quote(self, quote: Quote) -> None:
            wrong(self)

    table = instruments(A)
    with pytest.raises((ValueError, TypeError, ZeroDivisionError)):
        warmed(Wrong, table, quote_rows(RISING, table=table))


def test_it_is_not_told_of_instruments_that_are_not_its_own() -> None:
    table = instruments(A, instrument("B"))
    context = Context(run_id="run", actor="s", incarnation=0, random=Random(7))
    past = past_of(quote_rows(RISING, table=table, index=1))
    core = Busy(context, table, StrategyConfig(instruments=("A",), past=past))
    core.start(LATE_NS)
    assert [each[0] for each in core.told] == ["start", "warmed"]


def test_one_that_has_its_state_is_not_warmed() -> None:
    class Saver(Busy):
        def save(self) -> Any:
            return {}

    table = instruments(A)
    rows = quote_rows(RISING, table=table)
    core = made(Saver, table, past_of(rows))
    core.reinstate({"wishes": 4, "blotter": core._blotter.saved(), "own": {}})
    core.start(LATE_NS)
    assert core.told == [("start", False, LATE_NS)]
    core = made(Saver, table, past_of(rows))
    core.reinstate({"wishes": 4, "blotter": core._blotter.saved(), "own": None})
    sent = core.start(LATE_NS)
    assert sent[-1].signal_id == "run-s-5"


def test_it_knows_what_it_holds_now_while_it_is_warmed() -> None:
    class Holder(Strategy):
        def on_start(self) -> None:
            self.seen: list[Any] = []

        def on_quote(self, quote: Quote) -> None:
            self.buy("A", 1)
            self.seen.append((self.position("A"), len(self.open_orders())))

    table = instruments(A)
    core = made(Holder, table, past_of(quote_rows(RISING[:2], table=table)))
    core.recover([("received", position("A", "3"))])
    core.start(LATE_NS)
    assert core.seen == [(Decimal(3), 0)] * 2


def test_the_past_is_asked_for_when_it_begins_and_only_then() -> None:
    asked: list[int] = []

    def past(now_ns: int) -> Iterator[Slice]:
        asked.append(now_ns)
        return iter(())

    core = made(Busy, instruments(A), past)
    assert asked == []
    sent = core.start(LATE_NS)
    assert asked == [LATE_NS]
    assert [each[0] for each in core.told] == ["start", "warmed"]
    assert len(sent) == 2


def test_one_that_cannot_fetch_the_past_is_shown_the_same() -> None:
    table = instruments(A)
    slices = (quote_rows(RISING[:3], table=table), quote_rows(RISING[3:5], table=table))
    core, sent = warmed(Busy, table, *slices)
    away = made(Busy, table, None)
    answers = away.start(LATE_NS)
    for rows in slices:
        assert away.handle(PastShown(rows), LATE_NS) == []
    answers += away.handle(PastShown(None), LATE_NS)
    assert away.told == core.told
    assert answers == sent
    assert not away.is_warming


# --- books and columns ---------------------------------------------------------------------------


class Reader(Strategy):
    """Writes down the best bid after each change of a book."""

    def on_start(self) -> None:
        self.bids: list[int] = []

    def on_book(self, book: BookView) -> None:
        self.bids.append(book.bids[0][0])


def book(table: Instruments, level: int, *, is_snapshot: bool) -> Slice:
    """Return one change of A's book: a bid."""
    builder = SliceBuilder(table)
    builder.book(Origin(START_NS), 0, [(1, level, 5)], is_snapshot=is_snapshot)
    return builder.build()


def test_the_books_of_the_past_are_not_those_of_now() -> None:
    table = instruments(A)
    before = made(Reader, table, None)
    before.start(0)
    before.handle(MarketData(book(table, 10, is_snapshot=True)), 1)
    core = made(Reader, table, past_of(book(table, 50, is_snapshot=True)))
    core.inherit(before.market)
    core.start(LATE_NS)
    assert core.bids == [50]
    core.handle(MarketData(book(table, 9, is_snapshot=False)), LATE_NS)
    assert core.bids == [50, 10]
    assert core.market is before.market


@pytest.mark.parametrize("cut", [1, 3, 100])
def test_columns_are_shown_as_rows_are(cut: int) -> None:
    table = instruments(A)
    quotes = [(100 + n * 7 % 60, 102 + n * 7 % 60) for n in range(60)]
    rows = quote_rows(quotes, table=table)
    slices = [rows.take(slice(first, first + cut)) for first in range(0, 60, cut)]
    by_row, _ = warmed(ByRow, table, rows)
    by_column, sent = warmed(ByColumn, table, *slices)
    assert sent == []
    assert by_column.lowest == by_row.lowest
    assert by_column.now_ns == LATE_NS
    more = quote_rows(quotes, table=table, start_ns=LATE_NS)
    acts = play(by_row, [more])
    assert play(by_column, [more]) == acts
    assert acts


# --- the built-in ones ---------------------------------------------------------------------------


def averages(core: AverageCross) -> Any:
    known = dict(core.save()["known"]["A"])
    return {name: known[name] for name in known if name not in ("is_above", "is_told")}


mids = st.lists(st.integers(50, 60), min_size=6, max_size=40)


@settings(max_examples=60, deadline=None)
@given(
    mids=mids, share=st.floats(0, 1), average=st.sampled_from(["ema", "sma"]), waits=st.booleans()
)
def test_averages_are_those_of_one_that_has_seen_all(
    mids: list[int], share: float, average: Any, waits: bool
) -> None:
    table = instruments(A)
    parameters = AverageCross.Parameters(fast=2, slow=4, average=average, wait_for_cross=waits)
    rows = quote_rows([(mid - 1, mid + 1) for mid in mids], table=table)
    cut = max(1, int(share * (len(mids) - 1)))
    whole, _ = warmed(AverageCross, table, parameters=parameters)
    all_acts = play(whole, [rows])
    core, sent = warmed(AverageCross, table, rows.take(slice(0, cut)), parameters=parameters)
    assert sent == []
    acts = play(core, [rows.take(slice(cut, None))])
    assert averages(core) == averages(whole)
    # it has come to the same side, if it is on any: at the latest with the next cross
    if acts:
        assert acts[-1][1].target == all_acts[-1][1].target
    elif not waits:
        assert not all_acts or core.save()["known"]["A"]["is_above"] is None


@pytest.mark.parametrize(
    ("waits", "held", "expected"), [(False, "0", 1), (True, "0", 0), (True, "-1", 1)]
)
def test_after_a_warm_up_it_takes_its_side_with_the_next_price(
    waits: bool, held: str, expected: int
) -> None:
    table = instruments(A)
    parameters = AverageCross.Parameters(fast=2, slow=4, wait_for_cross=waits)
    core = made(AverageCross, table, past_of(quote_rows(RISING, table=table)), parameters)
    core.recover([("received", position("A", held))])
    assert core.start(LATE_NS) == []
    more = quote_rows([(110, 112), (111, 113)], table=table, start_ns=LATE_NS)
    assert [int(wish.target) for _, wish in play(core, [more])] == [1] * expected


def test_momentum_goes_with_the_first_move() -> None:
    table = instruments(A)
    parameters = Momentum.Parameters(lookback=3, threshold_bps=Decimal(1))
    core, sent = warmed(Momentum, table, quote_rows(RISING, table=table), parameters=parameters)
    assert sent == []
    acts = play(core, [quote_rows([(110, 112)], table=table, start_ns=LATE_NS)])
    assert [int(wish.target) for _, wish in acts] == [1]
    cold, _ = warmed(Momentum, table, parameters=parameters)
    assert play(cold, [quote_rows([(110, 112)], table=table, start_ns=LATE_NS)]) == []


@pytest.fixture
def pair_table() -> Instruments:
    return instruments(*outcome_pair(), A)


def pair_quotes(table: Instruments, start_ns: int) -> list[Slice]:
    """Return quotes at which YES and NO together cost 0.9, and one of the oracle before."""
    oracle = quote_rows([(100, 102)], table=table, index=2, start_ns=start_ns)
    return [oracle] + [
        quote_rows([(40, 45, 1000, 1000)], table=table, index=index, start_ns=start_ns + 1 + index)
        for index in (0, 1)
    ]


def test_yes_no_learns_of_the_oracle_and_uses_no_old_offer(pair_table: Instruments) -> None:
    oracle = OracleParameters(instrument="A", width=Decimal(1))
    parameters = YesNo.Parameters(oracle=oracle)
    core, sent = warmed(
        YesNo, pair_table, *pair_quotes(pair_table, START_NS), parameters=parameters
    )
    assert sent == []
    (pair,) = core._markets.pairs()
    assert pair.first_price == A.price(101)
    first, second = pair_quotes(pair_table, LATE_NS)[1:]
    assert play(core, [first]) == []
    (batch,) = (each for _, each in play(core, [second]) if isinstance(each, SignalBatch))
    assert [each.signal_id for each in batch.signals] == ["run-s-1", "run-s-2"]


def test_yes_no_trusts_connections_as_one_that_begins(pair_table: Instruments) -> None:
    builder = SliceBuilder(pair_table)
    builder.connection(Origin(START_NS + 9), ConnectionState.GAPPED, 0)
    past = [*pair_quotes(pair_table, START_NS), builder.build()]
    core, _ = warmed(YesNo, pair_table, *past)
    (pair,) = core._markets.pairs()
    assert (pair.yes.is_synced, pair.yes.quote) == (True, None)


def test_who_learns_nothing_from_the_past_says_so() -> None:
    learners = {name for name, kind in STRATEGIES.items() if kind.learns}
    assert learners == {"average_cross", "momentum", "yes_no"}


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_every_built_in_goes_on_after_a_warm_up(name: str, pair_table: Instruments) -> None:
    kind = STRATEGIES[name]
    past = pair_quotes(pair_table, START_NS) if kind.learns else []
    core, sent = warmed(kind, pair_table, *past)
    assert [each for each in sent if isinstance(each, Signal)] == []
    assert core.open_orders() == ()
    play(core, pair_quotes(pair_table, LATE_NS))
    for order in core.open_orders():
        assert order.client_order_id.startswith("run-s-")


def test_an_order_of_before_is_still_told_of() -> None:
    table = instruments(A)
    core, sent = warmed(Busy, table, quote_rows(RISING[:1], table=table))
    core.handle(update(sent[1], "FILLED"), LATE_NS + 1)  # type: ignore[arg-type]
    assert core.open_orders() == ()
