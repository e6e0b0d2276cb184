from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages.account import EquityMarked
from actors.model.order import Side
from actors.portfolio.books.curve import MAX_SAMPLES, EquityCurve
from actors.portfolio.books.ledger import Ledger
from actors.portfolio.books.valuation import Marks, equity
from tests.actors.portfolio.builders import COIN, SECOND, YES, Tape, fill, table


def marks_after(*tapes: Tape) -> Marks:
    marks = Marks(TABLE)
    for tape in tapes:
        rows = tape.rows()
        marks.advance(rows, len(rows))
    return marks


TABLE = table()
CENT = TABLE[0].tick


def tape() -> Tape:
    return Tape(TABLE)


def test_the_mark_is_the_exact_mid() -> None:
    assert marks_after(tape().quote(1, "0.50", "0.53")).mark(COIN) == Decimal("0.515")


def test_the_mark_of_a_one_sided_quote_is_that_side() -> None:
    assert marks_after(tape().quote(1, "0.99", None)).mark(COIN) == Decimal("0.99")
    assert marks_after(tape().quote(1, None, "0.01")).mark(COIN) == Decimal("0.01")


def test_without_quotes_the_mark_is_the_last_close_or_print() -> None:
    assert marks_after(tape().bar(1, "0.41")).mark(COIN) == Decimal("0.41")
    assert marks_after(tape().trade(1, "0.42")).mark(COIN) == Decimal("0.42")


def test_there_is_no_mark_before_the_first_price() -> None:
    assert Marks(TABLE).mark(COIN) is None
    assert marks_after(tape().quote(1, None, None)).mark(COIN) is None
    assert Marks(TABLE).mark("UNHEARD") is None


def test_an_empty_book_keeps_the_last_good_mark() -> None:
    marks = marks_after(tape().quote(1, "0.50", "0.52"))
    assert marks.keep(COIN) == Decimal("0.51")
    gone = tape().quote(2, None, None).rows()
    marks.advance(gone, 1)
    assert marks.mark(COIN) == marks.keep(COIN) == Decimal("0.51")


def test_looking_at_a_mark_does_not_keep_it() -> None:
    marks = marks_after(tape().quote(1, "0.50", "0.52"))
    assert marks.mark(COIN) == Decimal("0.51")
    gone = tape().quote(2, None, None).rows()
    marks.advance(gone, 1)
    assert marks.mark(COIN) is None
    assert marks.keep(COIN) is None


def test_an_order_would_meet_the_other_side_of_the_quote() -> None:
    marks = marks_after(tape().quote(1, "0.50", "0.53"))
    assert marks.price(0, CENT, is_buy=True) == Decimal("0.53")
    assert marks.price(0, CENT, is_buy=False) == Decimal("0.50")


def test_an_order_meets_nobody_on_an_empty_side() -> None:
    marks = marks_after(tape().quote(1, "0.50", None))
    assert marks.price(0, CENT, is_buy=True) is None
    assert marks_after(tape().quote(1, None, "0.50")).price(0, CENT, is_buy=False) is None


def test_a_payoff_is_known_after_the_resolution() -> None:
    marks = Marks(TABLE)
    assert marks.payoff(YES) is None
    marks.resolve(YES, Decimal(1))
    assert marks.payoff(YES) == Decimal(1)


def test_equity_is_cash_and_positions_at_their_marks() -> None:
    ledger = Ledger(Decimal(100))
    ledger.apply(fill(1, Side.BUY, "10", "0.40"))
    ledger.apply(fill(2, Side.SELL, "5", "0.60", strategy="other"))
    marks = marks_after(tape().quote(1, "0.50", "0.52"))
    assert equity(ledger, marks.mark) == 100 - 4 + 3 + 5 * Decimal("0.51")


def test_positions_without_any_price_are_valued_at_cost() -> None:
    ledger = Ledger(Decimal(100))
    ledger.apply(fill(1, Side.BUY, "10", "0.40", instrument="UNHEARD"))
    ledger.apply(fill(2, Side.SELL, "5", "0.60"))
    assert equity(ledger, Marks(TABLE).mark) == Decimal(100)


# --- the curve -----------------------------------------------------------------------------------


def sample(time_ns: int, value: int = 100) -> EquityMarked:
    return EquityMarked(time_ns=time_ns, cash=Decimal(value), equity=Decimal(value))


def marked(count: int, start_ns: int = 0) -> tuple[EquityCurve, list[EquityMarked]]:
    """Return a curve marked whenever it says so, and all samples it was given."""
    curve = EquityCurve(SECOND, Decimal(100))
    now_ns = start_ns
    given: list[EquityMarked] = []
    for _ in range(count):
        now_ns = curve.due_ns(now_ns)
        given.append(sample(now_ns, now_ns // SECOND % 1000))
        curve.add(given[-1])
    return curve, given


def test_samples_are_due_on_the_grid() -> None:
    curve, given = marked(3, start_ns=SECOND + 1)
    assert [one.time_ns // SECOND for one in given] == [2, 3, 4]
    assert curve.samples() == given


def test_a_sample_is_due_at_once_on_the_grid_but_only_once() -> None:
    curve = EquityCurve(SECOND, Decimal(100))
    assert curve.due_ns(5 * SECOND) == 5 * SECOND
    curve.add(sample(5 * SECOND))
    assert curve.due_ns(5 * SECOND) == 6 * SECOND
    assert curve.due_ns(4 * SECOND) == 6 * SECOND


@given(st.integers(1, 6 * MAX_SAMPLES), st.integers(0, 50 * SECOND))
@settings(deadline=None, max_examples=20)
def test_a_curve_of_any_length_is_bounded_and_even(count: int, start_ns: int) -> None:
    curve, given_samples = marked(count, start_ns)
    kept = curve.samples()
    assert len(kept) <= MAX_SAMPLES
    assert len(kept) >= min(count, MAX_SAMPLES // 2)
    assert kept[-1] == given_samples[-1]
    gaps = {b.time_ns - a.time_ns for a, b in pairwise(kept[1:-1])}
    assert gaps <= {curve.interval_ns}
    assert set(kept) <= set(given_samples)


def test_peak_and_drawdown_count_samples_that_are_thinned_out() -> None:
    curve = EquityCurve(SECOND, Decimal(100))
    values = [90, 100, 200, 150, 199] + [190] * 5 * MAX_SAMPLES
    for number, value in enumerate(values):
        curve.add(sample((number + 1) * SECOND, value))
    assert curve.peak == 200
    assert curve.max_drawdown == 50
    assert curve.max_drawdown_fraction == Decimal("0.25")
    assert Decimal(200) not in [one.equity for one in curve.samples()]


def test_the_initial_cash_is_the_first_peak() -> None:
    curve = EquityCurve(SECOND, Decimal(100))
    curve.add(sample(1, 99))
    assert (curve.peak, curve.max_drawdown) == (Decimal(100), Decimal(1))
    assert curve.max_drawdown_fraction == Decimal("0.01")


def test_an_account_that_begins_with_nothing_has_no_fraction_of_its_peak() -> None:
    curve = EquityCurve(SECOND, Decimal(0))
    curve.add(sample(1, -5))
    assert curve.max_drawdown == 5
    assert curve.max_drawdown_fraction == 0


def test_samples_at_one_instant_do_not_keep_a_curve_from_thinning() -> None:
    curve = EquityCurve(SECOND, Decimal(100))
    for _ in range(3 * MAX_SAMPLES):
        curve.add(sample(7 * SECOND))
    assert curve.samples() == [sample(7 * SECOND)] * 2


def test_a_curve_needs_an_interval() -> None:
    with pytest.raises(ValueError, match="equity interval: expected above 0, found 0 ns"):
        EquityCurve(0, Decimal(100))
