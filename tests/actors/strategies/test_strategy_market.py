"""The base of strategies: what they are told of the market."""

from collections.abc import Callable
from typing import Any

from actors.messages.market import (
    BookView,
    Connection,
    ConnectionState,
    EventKind,
)
from actors.messages.records import Origin
from actors.messages.slices import WHOLE_FEED, MarketData, SliceBuilder
from actors.model.instrument import Instruments
from actors.strategies import Strategy
from tests.actors.strategies.builders import code, quote, started
from tests.actors.strategies.diaries import (
    A,
    B,
    BuyEachQuote,
    Diary,
    Idle,
)
from tests.builders import instrument, instruments

# --- the market ----------------------------------------------------------------------------------


def test_quotes_trades_and_bars_go_straight_to_the_callback() -> None:
    core = started(Diary, instruments(A))
    found = [
        core.callback(code(kind)) for kind in (EventKind.QUOTE, EventKind.TRADE, EventKind.BAR)
    ]
    assert found == [core.on_quote, core.on_trade, core.on_bar]
    assert core.callback(code(EventKind.RESOLUTION)) == core.on_resolution


def test_what_is_not_overridden_is_not_delivered() -> None:
    core = started(Idle, instruments(A))
    assert [core.callback(code(kind)) for kind in EventKind] == [None] * len(EventKind)


def test_a_strategy_hears_of_its_instruments_only() -> None:
    table = instruments(instrument("BTC.x"), instrument("ETH.x"), instrument("BTC.y"))
    core = started(BuyEachQuote, table, instruments=("BTC*", "nothing"))
    heard = [core.callback(code(EventKind.QUOTE, index)) is not None for index in range(3)]
    assert heard == [True, False, True]
    exact = started(BuyEachQuote, table, instruments=("ETH.x",))
    assert [exact.trades(index) for index in range(3)] == [False, True, False]


def test_what_concerns_a_whole_feed_is_told_whatever_the_instruments() -> None:
    class Watch(Strategy):
        def on_connection(self, connection: Connection) -> None:
            self.seen = connection

    core = started(Watch, instruments(A), instruments=("B",))
    whole = code(EventKind.CONNECTION, WHOLE_FEED)
    assert whole < 0
    assert core.callback(whole) == core.on_connection
    assert core.callback(code(EventKind.CONNECTION)) is None


def book_rows(table: Instruments, *rows: Callable[[SliceBuilder], Any]) -> MarketData:
    """Return rows as a live feed sends them."""
    builder = SliceBuilder(table)
    for row in rows:
        row(builder)
    return MarketData(builder.build())


def snapshot(time_ns: int) -> Callable[[SliceBuilder], Any]:
    levels = [(1, 98, 5), (1, 99, 1), (1, 97, 4), (-1, 101, 2), (-1, 102, 6)]
    return lambda builder: builder.book(Origin(time_ns), 0, levels, is_snapshot=True)


def change(time_ns: int, ticks: int, lots: int) -> Callable[[SliceBuilder], Any]:
    levels = [(1, ticks, lots)]
    return lambda builder: builder.book(Origin(time_ns), 0, levels, is_snapshot=False)


def state(time_ns: int, what: ConnectionState, index: int = 0) -> Callable[[SliceBuilder], Any]:
    return lambda builder: builder.connection(Origin(time_ns), what, index)


def views(core: Diary) -> list[tuple[int, tuple[tuple[int, int], ...], int]]:
    """Return time, bids and version of each book shown."""
    return [(v.time_ns, v.bids, v.version) for v in core.heard if isinstance(v, BookView)]


def test_a_book_is_shown_to_its_depth_after_each_change() -> None:
    table = instruments(A)
    core = started(Diary, table)
    core.handle(book_rows(table, change(1, 90, 1), snapshot(2), change(3, 99, 0)), 9)
    assert views(core) == [(2, ((99, 1), (98, 5)), 1), (3, ((98, 5), (97, 4)), 2)]
    assert core.heard[-1].asks == ((101, 2), (102, 6))


def test_a_book_with_a_gap_is_not_shown_before_its_next_snapshot() -> None:
    table = instruments(A)
    for index in (0, WHOLE_FEED):
        core = started(Diary, table)
        gap = state(2, ConnectionState.GAPPED, index)
        core.handle(book_rows(table, snapshot(1), gap, change(3, 99, 0), snapshot(4)), 9)
        assert [time_ns for time_ns, _, _ in views(core)] == [1, 4]
        assert sum(isinstance(each, Connection) for each in core.heard) == 1


def test_a_gap_before_the_first_snapshot_and_other_states_change_nothing() -> None:
    table = instruments(A)
    core = started(Diary, table)
    early = state(0, ConnectionState.GAPPED)
    core.handle(book_rows(table, early, snapshot(1), state(2, ConnectionState.DOWN)), 9)
    core.handle(book_rows(table, change(3, 99, 0)), 9)
    assert [time_ns for time_ns, _, _ in views(core)] == [1, 3]


def test_a_restarted_strategy_goes_on_with_its_books() -> None:
    table = instruments(A)
    first = started(Diary, table)
    first.handle(book_rows(table, snapshot(1)), 9)
    second = started(Diary, table, incarnation=1)
    second.inherit(first.market)
    second.handle(book_rows(table, change(2, 99, 7)), 9)
    assert views(second) == [(2, ((99, 7), (98, 5)), 2)]


def test_live_rows_are_taken_one_by_one_and_their_outputs_kept_in_order() -> None:
    table = instruments(A, B)
    core = started(BuyEachQuote, table, instruments=("A",))
    core.take_outbox(0)
    builder = SliceBuilder(table)
    builder.quote(Origin(1), 0, (1, 2, 3, 4)).quote(Origin(2), 1, (1, 2, 3, 4))
    builder.quote(Origin(3), 0, (1, 2, 3, 4))
    sent = core.handle(MarketData(builder.build()), 50)
    assert [signal.reason for signal in sent] == ["1", "3"]
    assert core.outbox == []


def test_the_outbox_stays_the_same_list() -> None:
    core = started(BuyEachQuote, instruments(A))
    outbox = core.outbox
    core.take_outbox(0)
    core.on_quote(quote(A, 1, 2))
    assert core.outbox is outbox
    assert len(core.take_outbox(0)) == 1
    assert core.take_outbox(0) == []
