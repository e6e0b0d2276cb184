"""Round trips by average cost and first in, first out, and their measures."""

import math
from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.model.instrument import Instrument, InstrumentId
from actors.model.order import Liquidity, Side
from runtime.observe.result import FillRow
from runtime.research.excursions import PricePath, mark_outs, with_excursions
from runtime.research.lots import fifo_trips
from runtime.research.measures.trades import (
    breakdowns,
    grouped,
    kelly,
    sqn,
    streak,
    trade_statistics,
    without_numbers,
)
from runtime.research.round_trips import RoundTrip, TradeBook, round_trips, trade_books
from tests.builders import SECOND, START_NS
from tests.runtime.results import buy, fill_row, sell

HOUR = 3_600 * SECOND


def trip(pnl: str, *, hours: int = 1, notional: str = "100", **others: Any) -> RoundTrip:
    """Return a round trip that made an amount."""
    plain = RoundTrip(
        opened_ns=START_NS,
        closed_ns=START_NS + hours * HOUR,
        pnl=Decimal(pnl),
        quantity=Decimal(10),
        notional=Decimal(notional),
    )
    return attrs.evolve(plain, **others)


def told(*values: Any) -> tuple[Any, ...]:
    """Return values to compare with plain numbers."""
    return values


def future(id: str = "BTC") -> Instrument:  # noqa: A002 - the field's name
    """Return a future with a multiplier of 10."""
    return Instrument(
        id=InstrumentId(id),
        venue="venue",
        symbol=id,
        multiplier=Decimal(10),
        margin=Decimal(1000),
    )


def test_a_round_trip_has_the_fields_that_people_know() -> None:
    fills = [
        buy("10", "2", "1", at_s=0),
        buy("10", "4", "1", at_s=60),
        sell("20", "5", "2", at_s=7200),
    ]
    (found,) = round_trips(fills)

    assert told(found.quantity, found.entry_price, found.exit_price) == (20, 3, 5)
    assert told(found.realized_pnl, found.fees, found.notional) == (36, 4, 60)
    assert (found.entry_time, found.exit_time) == (START_NS, START_NS + 7200 * SECOND)
    assert found.return_fraction == pytest.approx(0.6)
    assert found.holding_hours == 2
    assert (found.strategy, found.instrument, found.is_long) == ("cross", "BTC", True)


def test_a_short_round_trip_gains_when_the_price_falls() -> None:
    (found,) = round_trips([sell("10", "5"), buy("4", "4"), buy("6", "3")])

    assert not found.is_long
    assert told(found.pnl, found.entry_price, found.exit_price) == (16, 5, Decimal("3.4"))


def test_a_reversal_ends_one_trip_and_opens_the_next_with_its_share_of_the_fee() -> None:
    trips = round_trips(
        [buy("10", "1", at_s=1), sell("15", "2", "3", at_s=2), buy("5", "1", at_s=3)]
    )

    assert [told(each.is_long, each.quantity, each.pnl, each.fees) for each in trips] == [
        (True, 10, 8, 2),
        (False, 5, 4, 1),
    ]
    assert trips[1].opened_ns == trips[0].closed_ns


def test_first_in_first_out_makes_a_trip_of_each_lot() -> None:
    fills = [buy("10", "1", "1", at_s=1), buy("10", "3", at_s=2), sell("15", "4", "3", at_s=3)]
    first, second = fifo_trips(fills)

    assert told(first.quantity, first.entry_price, first.pnl, first.fees) == (10, 1, 27, 3)
    assert told(second.quantity, second.entry_price, second.pnl, second.fees) == (5, 3, 4, 1)
    assert (first.opened_ns, second.opened_ns) == (START_NS + SECOND, START_NS + 2 * SECOND)


def test_first_in_first_out_turns_around_as_well() -> None:
    fills = [sell("10", "5"), buy("15", "4"), sell("5", "6")]
    short, long = fifo_trips(fills, {fills[0].fill.client_order_id: "too dear"})

    assert told(short.is_long, short.pnl, short.entry_reason) == (False, 10, "too dear")
    assert told(long.is_long, long.pnl, long.entry_reason) == (True, 10, "")


def test_a_multiplier_makes_money_of_prices_and_a_margin_is_not_paid_for() -> None:
    fills = [buy("2", "100", "1"), sell("1", "103", "1")]
    book = trade_books(fills, instruments={"BTC": future()})["cross", "BTC"]

    assert told(book.realized_pnl, book.cash_flow) == (30, 28)
    assert book.unrealized_pnl(Decimal(101)) == book.held(Decimal(101)) == 10
    (closed,) = fifo_trips(fills, instruments={"BTC": future()})
    assert closed.pnl == Decimal("28.5")
    assert TradeBook(quantity=Decimal(-2), cost=Decimal(6)).held(None) == -6


def test_a_trip_says_why_it_began_and_why_it_ended() -> None:
    fills = [buy("1", "1", reason="filled"), sell("1", "2")]
    reasons = {fills[1].fill.client_order_id: "take profit"}
    settled = [buy("1", "1"), sell("1", "1", liquidity=Liquidity.SETTLEMENT)]
    liquidated = [buy("1", "1"), sell("1", "0", reason="liquidation")]

    assert [(each.entry_reason, each.exit_reason) for each in round_trips(fills, reasons)] == [
        ("filled", "take profit")
    ]
    assert round_trips(settled)[0].exit_reason == "settlement"
    assert round_trips(liquidated)[0].exit_reason == "liquidation"


def test_what_cost_nothing_has_no_return() -> None:
    assert trip("1", notional="0").return_fraction is None


def test_the_measures_of_trades_carry_the_names_that_people_know() -> None:
    trips = [trip("10", hours=1), trip("-5", hours=2), trip("20", hours=3), trip("-10", hours=6)]
    figures = trade_statistics(trips)

    assert figures["win_rate"] == 0.5
    assert figures["profit_factor"] == 2
    assert (figures["avg_win"], figures["avg_loss"]) == (15, -7.5)
    assert (figures["max_win"], figures["max_loss"]) == (20, -10)
    assert figures["avg_holding_time"] == 3
    assert figures["avg_trade_size"] == 10
    assert figures["expectancy"] == 3.75
    assert figures["expectancy_return"] == pytest.approx(0.0375)
    assert (figures["best_trade"], figures["worst_trade"]) == (0.2, -0.1)
    assert figures["avg_trade"] == pytest.approx((1.1 * 0.95 * 1.2 * 0.9) ** 0.25 - 1)
    assert figures["kelly"] == pytest.approx(0.5 - 0.5 / 2)
    assert figures["max_duration_s"] == 6 * 3600
    assert figures["avg_duration_s"] == 3 * 3600
    spread = math.sqrt(sum((each - 3.75) ** 2 for each in (10, -5, 20, -10)))
    assert figures["sqn"] == pytest.approx(2 * 3.75 / (spread / math.sqrt(3)))
    assert figures["sqn_population"] == pytest.approx(2 * 3.75 / (spread / 2))


def test_no_trades_leave_everything_undefined_but_their_number() -> None:
    figures = trade_statistics([])

    assert figures.pop("trades") == 0
    assert figures.pop("longest_winning_streak") == figures.pop("longest_losing_streak") == 0
    assert set(figures.values()) == {None}


def test_trades_that_only_won_have_no_kelly_and_an_infinite_profit_factor() -> None:
    figures = trade_statistics([trip("1"), trip("1")])

    assert figures["kelly"] is None
    assert figures["sqn"] is None
    assert figures["profit_factor"] == math.inf
    assert kelly([-1]) is sqn([1]) is None


def test_streaks_are_the_longest_runs() -> None:
    assert streak([True, False, True, True, False]) == 2
    assert streak([]) == 0


def test_trips_are_broken_down_by_reason_exit_instrument_strategy_and_hour() -> None:
    trips = [
        trip(
            "1", entry_reason="edge 0.01 a pair", exit_reason="stop", instrument="X", strategy="a"
        ),
        trip(
            "-2", entry_reason="edge 2 a pair", exit_reason="profit", instrument="Y", strategy="a"
        ),
    ]
    parts = breakdowns(trips)

    assert parts["reason"].keys() == {"edge # a pair"}
    assert parts["reason"]["edge # a pair"]["realized_pnl"] == -1
    assert parts["exit"]["stop"]["win_rate"] == 1
    assert list(parts["instrument"]) == ["X", "Y"]
    assert parts["strategy"]["a"]["trades"] == 2
    assert parts["hour"].keys() == {"22"}
    assert grouped([], lambda each: each.strategy) == {}


def test_names_with_digits_are_no_numbers() -> None:
    assert without_numbers("run-cross-17 above SMA30 by -1,000.5e-3") == (
        "run-cross-17 above SMA30 by #"
    )


def test_excursions_are_the_worst_and_the_best_price_within_the_trip() -> None:
    times = [START_NS + i * SECOND for i in range(6)]
    path = PricePath(
        times_ns=times, prices=[10] * 6, lows=[1, 9, 8, 9, 9, 1], highs=[99, 11, 10, 13, 11, 99]
    )
    long, short = (
        attrs.evolve(
            trip("1", instrument="X"),
            is_long=is_long,
            entry_price=Decimal(10),
            exit_price=Decimal(12),
            opened_ns=times[0],
            closed_ns=times[4],
        )
        for is_long in (True, False)
    )
    measured = with_excursions(
        [long, short, trip("1"), attrs.evolve(long, entry_price=Decimal(0))], {"X": path}
    )

    assert (measured[0].worst, measured[0].best) == pytest.approx((-0.2, 0.3))
    assert (measured[1].worst, measured[1].best) == pytest.approx((-0.3, 0.2))
    assert measured[2].worst is measured[3].worst is None
    assert trade_statistics(measured)["avg_worst"] == pytest.approx(-0.25)


def test_the_prices_of_a_path_are_in_step_with_its_times() -> None:
    with pytest.raises(ValueError, match="highs: expected 2 values, found 1"):
        PricePath(times_ns=[1, 2], prices=[1, 2], highs=[3])


def test_mark_outs_tell_how_the_price_moved_after_the_fills() -> None:
    path = PricePath(
        times_ns=[START_NS, START_NS + 2 * SECOND, START_NS + 9 * SECOND], prices=[10, 11, 9]
    )
    fills = [buy("1", "10"), sell("1", "10", at_s=1), buy("1", "0"), buy("1", "1", instrument="Y")]
    found = mark_outs(fills, {"BTC": path}, (1, 2, 30))

    assert found == {"1s": pytest.approx(-500), "2s": pytest.approx(0), "30s": None}
    early = fill_row(Side.BUY, "1", "10", at_s=-5)
    assert mark_outs([early], {"BTC": path}, (1,)) == {"1s": None}


_rows = st.lists(
    st.builds(
        lambda is_buy, quantity, price, fee: fill_row(
            Side.BUY if is_buy else Side.SELL, str(quantity), str(price), str(fee)
        ),
        st.booleans(),
        st.integers(1, 20),
        st.decimals("0.01", "100", places=2),
        st.decimals("0", "1", places=2),
    ),
    max_size=25,
)


@settings(max_examples=100, deadline=None)
@given(_rows)
def test_both_methods_gain_the_same_when_all_is_closed(fills: list[FillRow]) -> None:
    held = sum(row.fill.last_quantity * row.fill.side.sign for row in fills)
    if held:
        fills = [*fills, fill_row(Side.SELL if held > 0 else Side.BUY, str(abs(held)), "7")]
    by_average, by_lots = (
        sum((each.pnl for each in method(fills)), Decimal(0))
        for method in (round_trips, fifo_trips)
    )
    cash = sum(
        (
            -row.fill.last_quantity * row.fill.side.sign * row.fill.last_price - row.fill.commission
            for row in fills
        ),
        Decimal(0),
    )
    assert abs(by_average - cash) < Decimal("1e-15")
    assert abs(by_lots - cash) < Decimal("1e-15")
