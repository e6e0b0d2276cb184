from decimal import Decimal
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.actor import Core, Follower, Later, Reactor
from actors.messages.account import EquityMarked, MarkEquity, PositionChanged
from actors.messages.market import ConnectionState
from actors.messages.records import Origin
from actors.messages.slices import MarketData, Slice, SliceBuilder
from actors.messages.trading import Fill, SignalRefused, Violation
from actors.model.order import Side
from actors.portfolio.portfolio import Portfolio, PortfolioOutput
from tests.actors.portfolio.builders import (
    COIN,
    NO,
    SECOND,
    YES,
    Tape,
    fill,
    only,
    portfolio,
    see,
    signal,
    table,
)


def test_a_portfolio_is_a_core_and_a_reactor() -> None:
    core: Core = portfolio()
    assert isinstance(core, Follower)
    assert isinstance(core, Reactor)


# --- resolutions ---------------------------------------------------------------------------------


def settling() -> tuple[Portfolio, Tape]:
    """Return a portfolio in which two strategies hold YES and one holds NO, and a tape for it."""
    instruments = table()
    core = portfolio(instruments=instruments)
    core.handle(fill(1, Side.BUY, "10", "0.60", strategy="b", instrument=YES), 0)
    core.handle(fill(2, Side.BUY, "5", "0.50", strategy="a", instrument=YES), 0)
    core.handle(fill(3, Side.BUY, "5", "0.45", strategy="a", instrument=NO), 0)
    return core, Tape(instruments)


def test_it_would_react_to_the_first_resolution_only() -> None:
    core, tape = settling()
    tape.quote(1, "0.50", "0.51").resolution(2, "1").quote(3, "0.50", "0.51").resolution(4, "0", NO)
    rows = tape.rows()
    assert [core.look(rows, start, 4) for start in range(5)] == [1, 1, 3, 3, 4]
    assert core.look(rows, 0, 1) == 1
    assert core.look(rows, 2, 3) == 3


def test_it_does_not_react_to_connections() -> None:
    builder = SliceBuilder(table())
    rows = builder.connection(Origin(time_ns=1), ConnectionState.DOWN).build()
    assert portfolio().look(rows, 0, 1) == 1


def test_a_resolution_settles_every_position_in_its_instrument() -> None:
    core, tape = settling()
    rows = tape.resolution(7, "1").rows()
    core.advance(rows, 1)
    outputs = core.react(rows, 0, 7)
    assert [type(output) for output in outputs] == [Fill, PositionChanged] * 2
    settled = [output for output in outputs if isinstance(output, Fill)]
    assert [(f.trade_id, f.side, f.last_quantity, f.venue_time_ns) for f in settled] == [
        ("settle-YES-a", Side.SELL, Decimal(5), 7),
        ("settle-YES-b", Side.SELL, Decimal(10), 7),
    ]
    assert core.fills[-2:] == settled
    assert core.account_position(YES) == 0
    assert core.account_position(NO) == 5
    assert core.cash == 1000 - 6 - Decimal("2.5") - Decimal("2.25") + 15
    assert core.statistics().settlements == 2


def test_a_losing_token_pays_nothing() -> None:
    core, tape = settling()
    cash = core.cash
    outputs = core.react(tape.resolution(7, "0", NO).rows(), 0, 7)
    assert core.cash == cash
    (changed,) = (output for output in outputs if isinstance(output, PositionChanged))
    assert changed.realized_pnl == Decimal("-2.25")


def test_a_settlement_that_comes_back_by_mail_changes_nothing() -> None:
    core, tape = settling()
    outputs = core.react(tape.resolution(7, "1").rows(), 0, 7)
    cash = core.cash
    assert isinstance(outputs[0], Fill)
    assert core.handle(outputs[0], 7) == []
    assert core.cash == cash


def test_a_fill_that_is_reported_after_the_resolution_is_settled_at_once() -> None:
    core, tape = settling()
    core.react(tape.resolution(7, "1").rows(), 0, 7)
    outputs = core.handle(fill(9, Side.BUY, "2", "0.70", strategy="a", instrument=YES), 8)
    opened, settlement, closed = outputs
    assert isinstance(opened, PositionChanged)
    assert isinstance(settlement, Fill)
    assert isinstance(closed, PositionChanged)
    assert (opened.quantity, closed.quantity) == (Decimal(2), Decimal(0))
    assert settlement.trade_id == "settle-YES-a-run-a-1/trade-9"
    assert core.account_position(YES) == 0


def test_a_resolved_market_takes_no_more_signals() -> None:
    core, tape = settling()
    core.react(tape.resolution(7, "1").rows(), 0, 7)
    refused = only(core.handle(signal(1, instrument=YES), 8), SignalRefused)
    assert refused.violations == (Violation("Resolved", "an open market", "resolved at 1"),)


def test_a_live_slice_is_taken_whole() -> None:
    core, tape = settling()
    tape.quote(1, "0.50", "0.52").resolution(2, "1").resolution(3, "0", NO).quote(4, "0.6", "0.62")
    outputs = core.handle(MarketData(tape.rows()), 9)
    assert len([output for output in outputs if isinstance(output, Fill)]) == 3
    assert core.mark(COIN) == Decimal("0.61")
    assert core.handle(MarketData(tape.rows()), 10) == []


# --- equity --------------------------------------------------------------------------------------


def test_it_begins_with_a_timer_in_the_background() -> None:
    core = portfolio(interval_ns=SECOND)
    assert core.start(10 * SECOND + 1) == [Later(MarkEquity(), 11 * SECOND, background=True)]


def test_it_samples_the_equity_and_sets_the_next_timer() -> None:
    instruments = table()
    core = portfolio(instruments=instruments)
    core.start(1)
    core.handle(fill(1, Side.BUY, "10", "0.50"), 2)
    see(core, Tape(instruments).quote(3, "0.60", "0.62").rows())
    sample = EquityMarked(time_ns=SECOND, cash=Decimal(995), equity=Decimal("1001.1"))
    assert core.handle(MarkEquity(), SECOND) == [
        sample,
        Later(MarkEquity(), 2 * SECOND, background=True),
    ]
    assert core.equity_curve().samples() == [sample]
    assert core.equity() == Decimal("1001.1")


def test_the_timer_of_an_earlier_incarnation_is_ignored() -> None:
    core = portfolio()
    core.start(1)
    assert len(core.handle(MarkEquity(), SECOND)) == 2
    assert core.handle(MarkEquity(), SECOND) == []


def test_it_stops_with_a_last_sample() -> None:
    sample = only(portfolio().stop(5), EquityMarked)
    assert sample == EquityMarked(time_ns=5, cash=Decimal(1000), equity=Decimal(1000))


def test_its_successor_inherits_what_it_knew_of_the_market() -> None:
    instruments = table()
    first = portfolio(instruments=instruments)
    see(first, Tape(instruments).quote(1, "0.50", "0.52").rows())
    second = portfolio(instruments=instruments, incarnation=1)
    second.inherit(first.market)
    assert second.mark(COIN) == Decimal("0.51")


# --- how market data are cut ---------------------------------------------------------------------


def run(rows: Slice, cuts: list[int]) -> list[PortfolioOutput]:
    """Pass rows as the sequencer does, cut into slices at will; return everything it says."""
    core = portfolio(instruments=rows.instruments, interval_ns=3)
    said: list[PortfolioOutput] = []
    due_ns = later(core.start(0))
    for number, name in enumerate((COIN, YES, NO)):
        core.handle(fill(number, Side.BUY, "10", "0.30", instrument=name), 0)
    edges = sorted({0, len(rows), *(cut % len(rows) for cut in cuts)})
    for start, stop in pairwise(edges):
        part = rows.take(slice(start, stop))
        position = 0
        while position < len(part):
            until = next((i for i, t in enumerate(part.times()) if t >= due_ns), len(part))
            if until <= position:
                core.advance(part, position)
                outputs = core.handle(MarkEquity(), due_ns)
                due_ns = later(outputs)
                said += outputs
                continue
            row = core.look(part, position, until)
            if row < until:
                core.advance(part, row + 1)
                said += core.react(part, row, part.times()[row])
                row += 1
            position = row
        core.advance(part, len(part))
    return [*said, *core.stop(10**6)]


def later(outputs: list[PortfolioOutput]) -> int:
    (timer,) = (output for output in outputs if isinstance(output, Later))
    return timer.at_ns


prices = st.one_of(st.none(), st.integers(1, 99).map(lambda ticks: f"0.{ticks:02}"))
events = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from((COIN, YES, NO)), prices, prices, st.booleans()),
    min_size=1,
    max_size=40,
)


@given(events, st.lists(st.integers(0, 100), max_size=10))
@settings(deadline=None, max_examples=150)
def test_what_it_says_does_not_depend_on_the_cut_into_slices(
    plan: list[tuple[int, str, str | None, str | None, bool]], cuts: list[int]
) -> None:
    tape = Tape(table())
    time_ns = 0
    resolved: set[str] = set()
    for delay_ns, name, bid, ask, ends in plan:
        time_ns += delay_ns
        if ends and name not in resolved:
            resolved.add(name)
            tape.resolution(time_ns, bid or "1", name)
        else:
            tape.quote(time_ns, bid, ask, name)
    rows = tape.rows()
    whole = run(rows, [])
    assert run(rows, cuts) == whole
    assert run(rows, list(range(len(rows)))) == whole
