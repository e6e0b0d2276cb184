from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from actors.brokers.market.taken import OwnTrade, Taken
from actors.brokers.market.walking import PriceLevel

_TRADES = st.lists(
    st.tuples(st.sampled_from([1, -1]), st.integers(1, 3), st.integers(1, 4)), max_size=12
)
_Trade = OwnTrade


def _left(trades: list[_Trade], level: PriceLevel, side: int) -> PriceLevel:
    """Return what must be left of a level, counted from the beginning."""
    ticks, shown = level
    gone = sum(lots for _, sign, at, lots, _ in trades if (sign, at) == (side, ticks))
    return ticks, max(shown - gone, 0)


def _levels() -> Iterator[tuple[PriceLevel, int]]:
    return (((ticks, 7), sign) for ticks in (1, 2, 3) for sign in (1, -1))


@given(_TRADES, st.sets(st.integers(0, 11)), st.sets(st.integers(0, 11)))
def test_what_is_left_is_what_was_not_taken_whenever_it_is_asked_for(
    trades: list[tuple[int, int, int]], asked_after: set[int], told: set[int]
) -> None:
    taken = Taken(since=0)
    made: list[_Trade] = []
    for number, trade in enumerate(trades):
        made.append((str(number), *trade, number))
        taken.trades.append(made[-1])
        if number in asked_after:
            assert all(taken.rest_of(*each) == _left(made, *each) for each in _levels())
    taken.keep({str(number) for number in told})
    made = [trade for trade in made if int(trade[0]) in told]
    assert all(taken.rest_of(*each) == _left(made, *each) for each in _levels())


def test_there_is_always_enough_of_a_size_that_is_not_known() -> None:
    taken = Taken(since=0, trades=[("a", 1, 5, 100, 0)])
    assert taken.rest_of((5, -1), 1) == (5, -1)
    assert taken.rest_of((5, 0), 1) == (5, 0)


def test_two_of_them_share_nothing() -> None:
    first, second = Taken(since=0), Taken(since=0)
    first.trades.append(("a", 1, 5, 3, 0))
    assert first.rest_of((5, 4), 1) == (5, 1)
    assert second.rest_of((5, 4), 1) == (5, 4)
