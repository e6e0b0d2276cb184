from hypothesis import given
from hypothesis import strategies as st

from actors.brokers.market.walking import is_within, walk


def test_a_walk_takes_the_best_levels_first() -> None:
    asks = [(101, 5), (102, 5), (104, 9)]
    assert walk(asks, 7, 1) == [(101, 5), (102, 2)]
    assert walk(asks, 100, 1) == asks
    assert walk([], 3, 1) == []


def test_a_walk_stops_at_the_limit() -> None:
    assert walk([(101, 5), (102, 5), (104, 9)], 100, 1, 103) == [(101, 5), (102, 5)]
    assert walk([(99, 5), (98, 5), (90, 9)], 100, -1, 98) == [(99, 5), (98, 5)]
    assert walk([(101, 5)], 100, 1, 100) == []


def test_a_walk_skips_empty_levels_and_ends_at_an_unlimited_one() -> None:
    assert walk([(101, 0), (102, -1), (103, 9)], 50, 1) == [(102, 50)]


_level = st.tuples(st.integers(1, 20), st.integers(-1, 6))


@given(st.lists(_level), st.integers(1, 40), st.sampled_from([1, -1]), st.none() | _level)
def test_a_walk_takes_what_there_is_and_no_more(
    levels: list[tuple[int, int]], lots: int, sign: int, limit: tuple[int, int] | None
) -> None:
    levels = sorted(levels, key=lambda level: level[0] * sign)
    worst = None if limit is None else limit[0]
    taken = walk(levels, lots, sign, worst)
    within = [level for level in levels if is_within(level[0], worst, sign)]
    there_is = lots if any(size < 0 for _, size in within) else sum(size for _, size in within)
    assert sum(size for _, size in taken) == min(lots, there_is)
    assert all(is_within(ticks, worst, sign) and size > 0 for ticks, size in taken)
