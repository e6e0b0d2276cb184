"""The figures of a run."""

import json
import math
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.model.order import Liquidity, OrderStatus, Side
from runtime.observe.result import FillRow
from runtime.research.round_trips import trade_books
from runtime.research.statistics import (
    max_drawdown,
    profit_factor,
    sharpe_ratio,
    statistics,
    to_json,
    win_rate,
)
from tests.builders import SECOND, START_NS
from tests.runtime.results import buy, curve, fill_row, held, order_row, run_result, sell
from tests.shared import conformance, shared_file


def test_a_closed_long_realizes_the_difference_to_its_average_cost() -> None:
    figures = statistics(run_result(fills=(buy("10", "1"), buy("10", "2"), sell("5", "3"))))

    assert figures.trading.realized_pnl == Decimal("7.5")
    assert figures.final_cash == Decimal("985")


def test_a_closed_short_realizes_what_it_was_sold_for_less_what_it_cost() -> None:
    figures = statistics(run_result(fills=(sell("10", "3"), buy("10", "2", "1"))))

    assert figures.trading.realized_pnl == Decimal(10)
    assert figures.trading.fees == Decimal(1)
    assert figures.final_equity == Decimal(1009)


def test_an_open_position_is_worth_its_mark() -> None:
    result = run_result(fills=(buy("10", "2"),), positions=(held("10", "2.5"),))
    figures = statistics(result)

    assert figures.trading.unrealized_pnl == Decimal(5)
    assert figures.final_equity == Decimal(1005)
    assert figures.total_return == pytest.approx(0.005)


def test_an_open_short_gains_when_the_mark_falls() -> None:
    result = run_result(fills=(sell("10", "2"),), positions=(held("-10", "1.5"),))

    assert statistics(result).trading.unrealized_pnl == Decimal(5)


@pytest.mark.parametrize("side", list(Side))
def test_a_position_without_a_mark_is_worth_its_cost(side: Side) -> None:
    result = run_result(fills=(fill_row(side, "10", "2"),), positions=(held("10", None),))
    figures = statistics(result)

    assert figures.trading.unrealized_pnl == 0
    assert figures.final_equity == Decimal(1000)


def test_a_round_trip_ends_when_nothing_is_held_and_is_judged_after_fees() -> None:
    fills = (
        buy("10", "1", "1", at_s=1),
        sell("5", "2", at_s=2),
        sell("5", "2", "3", at_s=3),
        buy("10", "1", "1", at_s=4),
        sell("10", "1", at_s=5),
    )
    figures = statistics(run_result(fills=fills)).trading

    assert figures.round_trips == 2
    assert figures.win_rate == 0.5
    assert figures.profit_factor == pytest.approx(6.0)


def test_a_fill_that_turns_a_position_around_ends_one_trip_and_begins_another() -> None:
    books = trade_books([buy("10", "1", at_s=1), sell("15", "2", "3", at_s=2)])
    book = books["cross", "BTC"]

    assert [trip.pnl for trip in book.trips] == [Decimal(8)]
    assert book.trips[0].opened_ns == START_NS + SECOND
    assert book.trips[0].closed_ns == START_NS + 2 * SECOND
    assert book.quantity == Decimal(-5)
    assert book.cost == Decimal(10)


def test_a_settlement_counts_as_a_fill_but_not_as_trade() -> None:
    settled = sell("10", "1", liquidity=Liquidity.SETTLEMENT)
    figures = statistics(run_result(fills=(buy("10", "0.4"), settled))).trading

    assert figures.traded == Decimal(4)
    assert figures.realized_pnl == Decimal(6)
    assert figures.round_trips == 1


def test_no_loss_gives_no_profit_factor_instead_of_infinity() -> None:
    figures = statistics(run_result(fills=(buy("1", "1"), sell("1", "2")))).trading

    assert figures.profit_factor is None
    assert figures.win_rate == 1.0


def test_no_trips_give_no_rates() -> None:
    assert win_rate([]) is None
    assert profit_factor([]) is None


def test_rows_of_strategies_and_instruments_add_up_to_the_whole() -> None:
    fills = (
        buy("10", "1", "0.1", strategy="a", instrument="X"),
        sell("10", "2", "0.1", strategy="a", instrument="X"),
        buy("5", "3", "0.2", strategy="b", instrument="X"),
        sell("5", "1", "0.2", strategy="b", instrument="Y"),
    )
    orders = (order_row("run-c-1", strategy="c", status=OrderStatus.REJECTED),)
    figures = statistics(run_result(fills=fills, orders=orders))

    assert list(figures.strategies) == ["a", "b", "c"]
    assert figures.strategies["c"].orders == 1
    assert figures.strategies["a"].realized_pnl == Decimal(10)
    assert sum(row.fees for row in figures.instruments.values()) == figures.trading.fees
    assert sum(row.traded for row in figures.strategies.values()) == figures.trading.traded


def test_orders_are_counted_by_how_they_ended() -> None:
    orders = (
        order_row("1"),
        order_row("2", status=OrderStatus.CANCELLED),
        order_row("3"),
    )
    figures = statistics(run_result(orders=orders, refusals={"CashLimit": 2, "NoShort": 1}))

    assert figures.order_statuses == {"FILLED": 2, "CANCELLED": 1}
    assert figures.signals_refused == 3


def test_the_drawdown_is_the_deepest_fall_below_the_peak_so_far() -> None:
    figures = statistics(run_result(equity=curve(["1000", "1200", "900", "1100", "1000"])))

    assert figures.max_drawdown == pytest.approx(-0.25)


def test_the_starting_cash_is_the_first_peak() -> None:
    late = tuple(curve(["900", "950"])[1:])

    assert statistics(run_result(equity=late)).max_drawdown == pytest.approx(-0.05)


def test_the_end_of_the_run_belongs_to_the_curve() -> None:
    result = run_result(
        fills=(buy("10", "10"),), positions=(held("10", "5"),), equity=curve(["1000"])
    )

    assert statistics(result).max_drawdown == pytest.approx(-0.05)


def test_a_curve_below_zero_has_no_sharpe_ratio() -> None:
    figures = statistics(run_result(equity=curve(["1000", "-10", "5"])))

    assert figures.sharpe is None
    assert figures.max_drawdown == pytest.approx(-1.01)


def test_a_run_without_duration_or_cash_has_no_ratios() -> None:
    result = run_result(starting_cash=Decimal(0), finished_ns=START_NS)
    figures = statistics(result)

    assert (figures.sharpe, figures.total_return, figures.turnover) == (None, None, None)
    assert figures.max_drawdown == 0


def test_the_sharpe_ratio_is_annualised_by_the_distance_of_the_samples() -> None:
    values = ["1000", "1010", "1005", "1020", "1020"]
    by_second = statistics(
        run_result(equity=curve(values), finished_ns=START_NS + 4 * SECOND)
    ).sharpe
    by_hour = statistics(
        run_result(equity=curve(values, interval_s=3600), finished_ns=START_NS + 4 * 3600 * SECOND)
    ).sharpe

    assert by_second is not None
    assert by_hour is not None
    assert by_second / by_hour == pytest.approx(60)


def test_equal_returns_have_no_sharpe_ratio() -> None:
    assert sharpe_ratio([0.1, 0.1, 0.1], 252) is None
    assert sharpe_ratio([0.1], 252) is None


@pytest.mark.parametrize("name", ["mixed_returns", "positive_returns", "negative_returns"])
def test_ratios_agree_with_a_peer_on_its_own_vectors(name: str) -> None:
    expected = conformance("20-empyrical-vectors")["expected"]
    returns = [r for r in map(float, expected["vectors"][name]) if not math.isnan(r)]
    results = expected["results"][name]

    assert sharpe_ratio(returns, 252) == pytest.approx(results["sharpe_ratio"], abs=1e-8)
    assert max_drawdown(_equity(returns)) == pytest.approx(results["max_drawdown"], abs=1e-8)


def test_ratios_agree_with_two_peers_on_real_prices() -> None:
    expected = conformance("21-returns-statistics-goog")["expected"]["empyrical"]
    lines = shared_file("data/bars/GOOG.csv").read_text().splitlines()
    column = lines[0].split(",").index("Close")
    closes = [float(line.split(",")[column]) for line in lines[1:]]
    returns = [after / before - 1 for before, after in pairwise(closes)]

    assert sharpe_ratio(returns, 252) == pytest.approx(expected["sharpe_ratio"], rel=1e-8)
    assert max_drawdown(_equity(returns)) == pytest.approx(expected["max_drawdown"], rel=1e-8)


def test_figures_as_json_are_exact_text_for_money_and_null_for_what_is_not_defined() -> None:
    result = run_result(fills=(buy("3", "0.1", "0.01"),), refusals={"b": 1, "a": 2})
    plain = to_json(statistics(result), result)

    assert plain["final_cash"] == "999.69"
    assert plain["fees"] == "0.01"
    assert plain["profit_factor"] is None
    assert list(plain["refusals"]) == ["a", "b"]
    assert plain["strategies"]["cross"]["traded"] == "0.3"


_amounts = st.decimals(min_value="0.01", max_value="1000", places=2)
_fills = st.lists(
    st.builds(
        lambda is_buy, quantity, price, fee, strategy: fill_row(
            Side.BUY if is_buy else Side.SELL,
            str(quantity),
            str(price),
            str(fee),
            strategy=strategy,
        ),
        st.booleans(),
        _amounts,
        _amounts,
        st.decimals(min_value="0", max_value="1", places=3),
        st.sampled_from(["a", "b"]),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=100)
@given(fills=_fills, mark=_amounts)
def test_equity_is_cash_and_gains_less_fees_whatever_is_traded(
    fills: list[FillRow], mark: Decimal
) -> None:
    marks = tuple(held("0", str(mark), strategy=strategy) for strategy in ("a", "b"))
    figures = statistics(run_result(fills=tuple(fills), positions=marks))
    trading = figures.trading
    gains = trading.realized_pnl + trading.unrealized_pnl - trading.fees

    assert abs(figures.final_equity - Decimal(1000) - gains) < Decimal("1e-15")


@settings(deadline=None, max_examples=100)
@given(fills=_fills)
def test_the_trips_share_out_the_realized_gain_and_all_fees(fills: list[FillRow]) -> None:
    for key, book in trade_books(fills).items():
        closed = sum((trip.pnl + trip.fees for trip in book.trips), Decimal(0))
        if not book.quantity:
            assert abs(closed - book.realized_pnl) < Decimal("1e-15")
        own = [row.fill for row in fills if row.fill.strategy == key[0]]
        assert book.fees == sum(fill.commission for fill in own)


def _equity(returns: list[float]) -> list[float]:
    equity = [1.0]
    for each in returns:
        equity.append(equity[-1] * (1 + each))
    return equity


def test_the_figures_have_the_measures_of_curve_and_trades() -> None:
    fills = (buy("10", "1", at_s=10), sell("10", "2", at_s=40))
    result = run_result(fills=fills, equity=curve(["1000", "1010", "990"]))
    figures = statistics(result)

    assert figures.exposure_time == pytest.approx(0.5)
    assert figures.trades["win_rate"] == 1
    assert figures.trades["profit_factor"] == math.inf
    assert figures.equity["max_drawdown"] == figures.max_drawdown
    assert figures.distributions["pnl"]["counts"] == (1,)
    assert to_json(figures, result)["trades"]["profit_factor"] is None
    json.dumps(to_json(figures, result), allow_nan=False)


def test_positions_that_overlap_or_stay_open_count_once() -> None:
    fills = (
        buy("1", "1", at_s=0),
        buy("1", "1", at_s=15, instrument="X"),
        sell("1", "1", at_s=30),
        sell("1", "1", at_s=30, instrument="X"),
        buy("1", "1", at_s=45),
    )

    assert statistics(run_result(fills=fills)).exposure_time == pytest.approx(0.75)


def test_the_portfolios_word_on_what_it_is_worth_goes_before_the_fills() -> None:
    result = run_result(
        fills=(buy("10", "1"),), final_cash=Decimal(5), final_equity=Decimal("1100")
    )
    figures = statistics(result)

    assert (figures.final_cash, figures.final_equity) == (Decimal(5), Decimal(1100))
    assert figures.total_return == pytest.approx(0.1)


def test_an_account_of_several_currencies_begins_with_its_first_sample() -> None:
    result = run_result(
        equity=curve(["2000", "2200"]),
        final_equity=Decimal(2200),
        config={"portfolio": {"balances": {"BTC": "1"}}},
    )

    assert statistics(result).total_return == pytest.approx(0.1)


def test_the_days_of_a_year_may_be_given() -> None:
    values = [str(1000 + i % 3) for i in range(24 * 40)]
    samples = curve(values, interval_s=3600)
    finished_ns = samples[-1].time_ns
    by_year = [
        statistics(
            run_result(equity=samples, finished_ns=finished_ns, config={"periods_per_year": days})
        )
        for days in (252, 365)
    ]

    assert [each.equity["periods_per_year"] for each in by_year] == [252, 365]


def test_reasons_of_orders_reach_the_trades() -> None:
    bought = buy("1", "1")
    rows = (order_row(bought.fill.client_order_id),)
    figures = statistics(run_result(fills=(bought, sell("1", "2")), orders=rows))

    assert list(figures.trades_by["reason"]) == ["fast above slow"]
