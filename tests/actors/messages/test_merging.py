from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages.market import EventKind
from actors.messages.merging import Merger
from actors.messages.slices import Slice, resliced
from tests.rows import Row, built, event, row_lists, table, texts

sizes = st.lists(st.integers(1, 5), min_size=1, max_size=6)


def cut(rows: Slice, pattern: list[int]) -> Iterator[Slice]:
    """Cut a slice into pieces whose sizes follow the pattern again and again."""

    def endless() -> Iterator[int]:
        while True:
            yield from pattern

    return resliced([rows], endless())


def merged(sources: list[Iterator[Slice]]) -> list[Slice]:
    """Do as a merger's caller does."""
    merger = Merger(len(sources))
    taken: list[Slice] = []
    while True:
        rows = merger.take()
        if rows is not None:
            taken.append(rows)
            continue
        speaker = merger.missing()
        if speaker is None:
            speaker = merger.stalled()
        if speaker is None:
            return taken
        offered = next(sources[speaker], None)
        if offered is None:
            merger.finish(speaker)
        else:
            merger.offer(speaker, offered)


def trades(*times: int) -> list[Row]:
    return [Row(EventKind.TRADE, time_ns, 0, (time_ns, 1, 0)) for time_ns in times]


@settings(deadline=None)
@given(
    sources=st.lists(row_lists(max_size=12), min_size=1, max_size=4),
    patterns=st.lists(sizes, min_size=4, max_size=4),
)
def test_however_sources_cut_their_rows_the_merged_rows_are_the_same(
    sources: list[list[Row]], patterns: list[list[int]]
) -> None:
    of = table()
    slices = [
        cut(built(rows, of), pattern) for rows, pattern in zip(sources, patterns, strict=False)
    ]
    found = [each for part in merged(slices) for each in part.events()]
    numbered = [(number, row) for number, rows in enumerate(sources) for row in rows]
    numbered.sort(key=lambda pair: (pair[1].time_ns, pair[0]))
    assert texts(found) == texts([event(row, of) for _, row in numbered])


def test_nothing_is_taken_before_every_source_has_spoken() -> None:
    of = table()
    merger = Merger(2)
    merger.offer(0, built(trades(1, 2), of))
    assert merger.missing() == 1
    assert merger.take() is None
    merger.offer(1, built(trades(5), of))
    assert merger.missing() is None
    taken = merger.take()
    assert taken is not None
    assert taken.times() == [1]  # at 2 source 0 may have more
    assert merger.take() is None
    assert merger.stalled() == 0


def test_rows_that_were_put_back_come_again_in_their_place() -> None:
    of = table()
    merger = Merger(1)
    merger.offer(0, built(trades(1, 3, 5), of))
    first = merger.take()
    assert first is not None
    assert first.times() == [1, 3, 5]
    merger.put_back(first.take(slice(1, None)))
    merger.put_back(first.take(slice(3, None)))  # of no length: nothing to put back
    merger.offer(0, built(trades(5, 7), of))
    again = merger.take()
    assert again is not None
    assert again.times() == [3, 5, 5]
    merger.finish(0)
    last = merger.take()
    assert last is not None
    assert last.times() == [7]
    assert merger.take() is None


def test_a_source_that_speaks_again_is_waited_for() -> None:
    of = table()
    merger = Merger(2)
    merger.finish(0)
    merger.offer(1, built(trades(4, 6), of))
    merger.reopen(0)
    assert merger.missing() == 0
    assert merger.take() is None
    merger.offer(0, built(trades(5), of))
    taken = merger.take()
    assert taken is not None
    assert taken.times() == [4]
