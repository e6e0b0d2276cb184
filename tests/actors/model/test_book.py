from hypothesis import given, settings
from hypothesis import strategies as st

from actors.model.book import Book, BookSide, Level

levels = st.tuples(st.sampled_from([1, -1]), st.integers(1, 20), st.integers(0, 5))
updates = st.lists(st.tuples(st.booleans(), st.lists(levels, max_size=12)), max_size=20)


class NaiveBook:
    """Two dictionaries, sorted whenever somebody asks."""

    def __init__(self) -> None:
        self.sides: dict[int, dict[int, int]] = {1: {}, -1: {}}

    def apply(self, changes: list[Level], *, is_snapshot: bool) -> None:
        if is_snapshot:
            self.sides = {1: {}, -1: {}}
        for side, ticks, lots in changes:
            self.sides[side][ticks] = lots
            if lots == 0:
                del self.sides[side][ticks]

    def bids(self) -> list[tuple[int, int]]:
        return sorted(self.sides[1].items(), reverse=True)

    def asks(self) -> list[tuple[int, int]]:
        return sorted(self.sides[-1].items())


@settings(deadline=None)
@given(updates=updates, depth=st.integers(0, 25))
def test_a_book_agrees_with_two_dictionaries(
    updates: list[tuple[bool, list[Level]]], depth: int
) -> None:
    book, naive = Book(), NaiveBook()
    for version, (is_snapshot, changes) in enumerate(updates, 1):
        book.apply(changes, is_snapshot=is_snapshot)
        naive.apply(changes, is_snapshot=is_snapshot)
        bids, asks = naive.bids(), naive.asks()
        assert book.best_bid() == (bids[0] if bids else None)
        assert book.best_ask() == (asks[0] if asks else None)
        assert book.top_bids(depth) == tuple(bids[:depth])
        assert book.top_asks(depth) == tuple(asks[:depth])
        assert (len(book.bids), len(book.asks)) == (len(bids), len(asks))
        assert book.version == version


@settings(deadline=None)
@given(updates)
def test_the_levels_of_a_book_are_a_snapshot_of_it(
    updates: list[tuple[bool, list[Level]]],
) -> None:
    book, copy = Book(), Book()
    for is_snapshot, changes in updates:
        book.apply(changes, is_snapshot=is_snapshot)
    copy.apply(book.levels(), is_snapshot=True)
    assert copy.levels() == book.levels()
    prices = [ticks for side, ticks, _ in book.levels() if side > 0]
    assert prices == sorted(prices)


def test_a_book_is_synced_by_its_first_snapshot() -> None:
    book = Book()
    assert not book.is_synced
    book.apply([(1, 50, 10)], is_snapshot=False)
    assert not book.is_synced
    book.apply([], is_snapshot=True)
    assert book.is_synced
    assert book.levels() == []


def test_removing_a_level_that_is_not_there_changes_nothing() -> None:
    side = BookSide()
    side.set(10, 5)
    side.set(11, 0)
    assert side.lowest_first() == [10]
    side.set(10, 7)
    assert side.lots == {10: 7}
    side.clear()
    assert len(side) == 0
