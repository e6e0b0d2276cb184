from decimal import Decimal
from typing import Any

import pytest

from actors.messages.market import EventKind
from actors.messages.records import Origin
from actors.messages.slices import Slice, SliceBuilder
from actors.model.instrument import Instruments
from actors.strategies.momentum import Momentum
from tests.actors.strategies.builders import code, play, position, started
from tests.builders import START_NS, instrument, instruments, quote_rows

A = instrument("A")


def momentum(table: Instruments, **parameters: Any) -> Momentum:
    """Return a strategy that compares with the price two before, and acts on 10 %."""
    given = {"lookback": 2, "threshold_bps": Decimal(1000), "quantity": Decimal(5), **parameters}
    return started(Momentum, table, parameters=Momentum.Parameters(**given))


def acts(core: Momentum, rows: Slice) -> list[tuple[int, int, str]]:
    """Return at which rows it acts, the position it wants, and why."""
    times = rows.times()
    return [(times.index(at), int(m.target), m.reason) for at, m in play(core, [rows])]


def quotes(mids: list[int], table: Instruments) -> Slice:
    return quote_rows([(mid - 1, mid + 1) for mid in mids], table=table)


PATH = [100, 100, 105, 111, 120, 121, 110, 100, 90]


def test_it_goes_with_a_move_that_is_large_enough() -> None:
    table = instruments(A)
    core = momentum(table, allow_short=True)
    # 111 is 11 % above 100; 100 is 17 % below 121
    assert acts(core, quotes(PATH, table)) == [(3, 5, "rising"), (7, -5, "falling")]


def test_without_shorts_it_goes_flat() -> None:
    table = instruments(A)
    core = momentum(table)
    assert acts(core, quotes(PATH[:5], table)) == [(3, 5, "rising")]
    core.handle(position("A", "5"), 1)
    assert acts(core, quotes(PATH[5:], table)) == [(2, 0, "falling")]
    assert acts(momentum(table), quotes(PATH[5:], table)) == []


def test_a_move_of_exactly_the_threshold_is_not_enough() -> None:
    table = instruments(A)
    assert acts(momentum(table), quotes([1000, 1000, 1100, 1100], table)) == []


def test_closes_of_bars_are_prices_too_and_holes_are_none() -> None:
    table = instruments(A)
    builder = SliceBuilder(table)
    for number, close in enumerate(PATH):
        builder.bar(Origin(START_NS + number), 0, (close, close, close, close, 1))
    assert acts(momentum(table, on="bar"), builder.build())[0] == (3, 5, "rising")
    holes = quote_rows([(9, 11, 0, 5)] * 9, table=table)
    assert acts(momentum(table), holes) == []


def test_it_hears_only_what_it_acts_on() -> None:
    core = started(Momentum, instruments(A, instrument("B")), instruments=("A",))
    heard = [kind for kind in EventKind if core.callback(code(kind)) is not None]
    assert heard == [EventKind.QUOTE]
    assert core.callback(code(EventKind.QUOTE, 1)) is None


@pytest.mark.parametrize(
    "wrong",
    [{"lookback": 0}, {"threshold_bps": Decimal(-1)}, {"quantity": Decimal(0)}, {"on": "trade"}],
)
def test_parameters_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Momentum.Parameters(**wrong)
