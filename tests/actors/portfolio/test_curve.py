"""The equity curve on change: the last sample of each moment, and never too many."""

from decimal import Decimal

from actors.actor import Later
from actors.messages.account import EquityMarked, MarkEquity
from actors.portfolio.books.curve import MAX_SAMPLES, EquityCurve
from actors.portfolio.books.valuation import Marks
from actors.portfolio.config import EquitySampling
from tests.actors.portfolio.accounts import TABLE, core
from tests.actors.portfolio.builders import SECOND, fill

CASH = Decimal(1000)


def sample(time_ns: int, equity: int) -> EquityMarked:
    return EquityMarked(time_ns=time_ns, cash=CASH, equity=Decimal(equity))


def changes(*samples: tuple[int, int]) -> EquityCurve:
    curve = EquityCurve(SECOND, CASH, keeps_changes=True)
    for each in samples:
        curve.add(sample(*each))
    return curve


def values(curve: EquityCurve) -> list[tuple[int, int]]:
    return [(each.time_ns, int(each.equity)) for each in curve.samples()]


def test_every_moment_keeps_its_last_value() -> None:
    curve = changes((5, 990), (5, 980), (7, 1010), (8, 1005), (8, 1020))
    assert values(curve) == [(5, 980), (7, 1010), (8, 1020)]
    assert (curve.peak, curve.max_drawdown) == (Decimal(1020), Decimal(20))


def test_the_grid_goes_on_beside_the_changes() -> None:
    curve = changes((5, 990))
    assert curve.due_ns(5) == SECOND
    curve.add(sample(SECOND, 1000))
    assert curve.due_ns(SECOND) == 2 * SECOND


def test_too_many_changes_are_thinned_out() -> None:
    curve = EquityCurve(SECOND, CASH, keeps_changes=True)
    for number in range(5 * MAX_SAMPLES):
        curve.add(sample(number * 1000, number))
        assert len(curve.samples()) <= MAX_SAMPLES
    times = [each.time_ns for each in curve.samples()]
    assert times == sorted(set(times))
    assert len(times) > MAX_SAMPLES // 4
    assert curve.samples()[-1].equity == 5 * MAX_SAMPLES - 1


def test_on_change_there_is_a_sample_for_each_fill_and_no_timer() -> None:
    booked = core(equity=EquitySampling.ON_CHANGE)
    assert booked.start(0) == []
    outputs = booked.handle(fill(1, quantity="10", price="5", commission="1"), 7)
    assert outputs[-1] == EquityMarked(time_ns=7, cash=Decimal(949), equity=Decimal(999))
    assert booked.equity_curve().samples() == outputs[-1:]


def test_both_ways_may_go_together() -> None:
    booked = core(equity=EquitySampling.BOTH)
    (timer,) = booked.start(0)
    assert isinstance(timer, Later)
    booked.handle(fill(1, quantity="10", price="5", commission="1"), 7)
    taken, timer = booked.handle(MarkEquity(), timer.at_ns)
    assert isinstance(taken, EquityMarked)
    assert [each.time_ns for each in booked.equity_curve().samples()] == [7, taken.time_ns]


def test_on_a_grid_fills_leave_no_samples() -> None:
    booked = core()
    assert len(booked.handle(fill(1), 7)) == 1
    assert booked.equity_curve().samples() == []


def test_a_mark_of_something_unheard_of_is_none() -> None:
    marks = Marks(TABLE)
    assert marks.priced("UNHEARD") is None
    marks.catch_up_resolutions()
    assert marks.payoffs == {}
