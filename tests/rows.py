"""Market rows as plain tuples: strategies that draw them, and what they become."""

from collections.abc import Sequence
from typing import NamedTuple

from hypothesis import strategies as st

from actors.messages.market import (
    CONNECTION_STATES,
    NO_PRICE,
    Bar,
    BookChange,
    Connection,
    EventKind,
    MarketEvent,
    Quote,
    Resolution,
    Trade,
)
from actors.messages.records import Origin
from actors.messages.slices import WHOLE_FEED, Slice, SliceBuilder
from actors.model.book import Level
from actors.model.instrument import Instruments
from tests.builders import instrument, instruments


class Row(NamedTuple):
    """One market row before it is in a column."""

    kind: EventKind
    time_ns: int
    instrument: int
    values: tuple[int, ...]
    levels: tuple[Level, ...] = ()


def table() -> Instruments:
    """Return three instruments with different grids."""
    return instruments(
        instrument("A"), instrument("B", tick="0.0025"), instrument("C", tick="0.1", lot="1")
    )


_lots = st.integers(-1, 50)
_ticks = st.integers(1, 400)
_level = st.tuples(st.sampled_from([1, -1]), st.integers(1, 9), st.integers(0, 5))


def _of_kind(kind: EventKind) -> st.SearchStrategy[tuple[tuple[int, ...], tuple[Level, ...]]]:
    no_levels = st.just(())
    match kind:
        case EventKind.QUOTE:
            return st.tuples(st.tuples(_ticks, _ticks, _lots, _lots), no_levels)
        case EventKind.TRADE:
            return st.tuples(st.tuples(_ticks, _lots, st.integers(-1, 1)), no_levels)
        case EventKind.BAR:
            return st.tuples(st.tuples(_ticks, _ticks, _ticks, _ticks, _lots), no_levels)
        case EventKind.BOOK:
            values = st.tuples(st.integers(0, 1), st.integers(0, 99))
            return st.tuples(values, st.lists(_level, max_size=4).map(tuple))
        case EventKind.CONNECTION:
            return st.tuples(st.tuples(st.integers(0, len(CONNECTION_STATES) - 1)), no_levels)
        case EventKind.RESOLUTION:
            return st.tuples(st.tuples(st.sampled_from([0, 100])), no_levels)


@st.composite
def row_lists(
    draw: st.DrawFn, *, kinds: Sequence[EventKind] = tuple(EventKind), max_size: int = 25
) -> list[Row]:
    """Draw rows in time order, often several of one instant, often all of one code."""
    allowed = draw(st.sampled_from([tuple(kinds), *((kind,) for kind in kinds)]))
    members = draw(st.sampled_from([(0, 1, 2), (1,)]))
    rows: list[Row] = []
    time_ns = 0
    for _ in range(draw(st.integers(0, max_size))):
        time_ns += draw(st.integers(0, 2))
        kind = draw(st.sampled_from(allowed))
        values, levels = draw(_of_kind(kind))
        index = draw(st.sampled_from(members))
        if kind is EventKind.CONNECTION and draw(st.booleans()):
            index = WHOLE_FEED
        rows.append(Row(kind, time_ns, index, values, levels))
    return rows


def built(rows: Sequence[Row], of: Instruments) -> Slice:
    """Return the rows as a slice; their line is their number."""
    builder = SliceBuilder(of)
    for line, row in enumerate(rows, 1):
        add(builder, row, line)
    return builder.build()


def add(builder: SliceBuilder, row: Row, line: int = 0) -> None:
    """Add a row to a builder, by the method of its kind."""
    update_id = row.values[1] if row.kind is EventKind.BOOK else 0
    origin = Origin(row.time_ns, row.time_ns + 7, line, update_id)
    match row.kind, row.values:
        case EventKind.QUOTE, (bid, ask, bid_lots, ask_lots):
            builder.quote(origin, row.instrument, (bid, ask, bid_lots, ask_lots))
        case EventKind.TRADE, (price, lots, aggressor):
            builder.trade(origin, row.instrument, (price, lots, aggressor))
        case EventKind.BAR, (open_, high, low, close, volume):
            builder.bar(origin, row.instrument, (open_, high, low, close, volume))
        case EventKind.BOOK, (is_snapshot, _):
            builder.book(origin, row.instrument, row.levels, is_snapshot=bool(is_snapshot))
        case EventKind.CONNECTION, (state,):
            builder.connection(origin, CONNECTION_STATES[state], row.instrument)
        case EventKind.RESOLUTION, (payoff,):
            builder.resolution(origin, row.instrument, payoff)
        case _:
            raise AssertionError(row)


def event(row: Row, of: Instruments) -> MarketEvent:
    """Return the object that a strategy's callback gets for a row."""
    name = None if row.instrument == WHOLE_FEED else of[row.instrument]
    if row.kind is EventKind.CONNECTION or name is None:
        return Connection(row.time_ns, name, CONNECTION_STATES[row.values[0]])
    tick = float(name.tick)
    match row.kind, row.values:
        case EventKind.QUOTE, (bid, ask, bid_lots, ask_lots):
            mid = (bid + ask) * (tick * 0.5) if bid_lots and ask_lots else float("nan")
            bid_ticks, ask_ticks = bid if bid_lots else 0, ask if ask_lots else NO_PRICE
            return Quote(row.time_ns, name, bid_ticks, ask_ticks, bid_lots, ask_lots, mid)
        case EventKind.TRADE, (price, lots, aggressor):
            return Trade(row.time_ns, name, price, lots, aggressor)
        case EventKind.BAR, (open_, high, low, close, volume):
            return Bar(row.time_ns, name, open_, high, low, close, volume, close * tick)
        case EventKind.BOOK, (is_snapshot, update_id):
            return BookChange(row.time_ns, name, bool(is_snapshot), row.levels, update_id)
        case EventKind.RESOLUTION, (payoff,):
            return Resolution(row.time_ns, name, payoff)
        case _:
            raise AssertionError(row)


def texts(events: Sequence[MarketEvent]) -> list[str]:
    """Return row objects in a form in which nan equals nan."""
    return [repr(each) for each in events]
