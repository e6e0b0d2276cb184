from decimal import Decimal

import pytest
from msgspec.structs import replace

from actors.messages.account import CloseOut, PositionChanged
from actors.messages.system import CancelStrategy, Halt
from actors.messages.trading import SignalRefused, SubmitOrder, Violation
from actors.model.order import Order, OrderStatus, OrderType, Side
from actors.portfolio.config import PortfolioConfig
from actors.portfolio.portfolio import Portfolio
from actors.risk.limits import CashLimit, NoShort, PositionLimit
from tests.actors.portfolio.builders import (
    COIN,
    NO,
    YES,
    Tape,
    all_policies,
    fill,
    only,
    portfolio,
    see,
    signal,
    submitted,
    table,
    target,
    update,
)


def violations(outputs: object) -> tuple[Violation, ...]:
    assert isinstance(outputs, list)
    return only(outputs, SignalRefused).violations


def refused_by(outputs: object) -> list[str]:
    return [violation.policy for violation in violations(outputs)]


# --- sizes ---------------------------------------------------------------------------------------


def test_a_signal_becomes_an_order_that_names_its_approval_and_reservation() -> None:
    core = portfolio(*all_policies(), fee_rate="0.01")
    assert core.handle(signal(quantity="10", limit="0.50"), 0) == [
        SubmitOrder(
            order=Order(
                client_order_id="run-cross-1",
                strategy="cross",
                instrument=COIN,
                side=Side.BUY,
                quantity=Decimal(10),
                order_type=OrderType.LIMIT,
                limit_price=Decimal("0.50"),
                reason="a reason",
            ),
            approved_by=("PositionLimit", "CashLimit", "NoShort"),
            reserved=Decimal("5.05"),
        )
    ]
    assert core.reserved == Decimal("5.05")
    assert core.cash == Decimal(1000)
    assert core.available == Decimal("994.95")


def test_without_policies_nobody_approves() -> None:
    assert submitted(portfolio().handle(signal(), 0)).approved_by == ()


def test_quantities_are_rounded_down_to_the_lot() -> None:
    order = submitted(portfolio().handle(signal(quantity="10.19"), 0)).order
    assert order.quantity == Decimal("10.1")


@pytest.mark.parametrize(
    ("side", "quantity", "found"),
    [(Side.BUY, "0.09", "0.09"), (Side.BUY, "0", "0"), (Side.SELL, "-1", "-1")],
)
def test_a_quantity_that_is_no_lot_is_refused(side: Side, quantity: str, found: str) -> None:
    (violation,) = violations(portfolio().handle(signal(1, side, quantity), 0))
    assert (violation.policy, violation.found) == ("Size", found)


def test_a_signal_without_side_or_quantity_is_refused() -> None:
    core = portfolio()
    assert refused_by(core.handle(signal(1, None, "10"), 0)) == ["Size"]
    assert refused_by(core.handle(signal(2, Side.BUY, None), 0)) == ["Size"]


def test_a_target_asks_for_the_way_from_the_position() -> None:
    core = portfolio()
    core.handle(fill(1, Side.BUY, "10"), 0)
    order = submitted(core.handle(target(2, "25"), 0)).order
    assert (order.side, order.quantity) == (Side.BUY, Decimal(15))
    order = submitted(portfolio_holding("10").handle(target(2, "-5"), 0)).order
    assert (order.side, order.quantity) == (Side.SELL, Decimal(15))


def portfolio_holding(quantity: str, instrument: str = COIN) -> Portfolio:
    core = portfolio(*all_policies())
    core.handle(fill(99, Side.BUY, quantity, order=99, instrument=instrument), 0)
    return core


def test_a_target_counts_what_is_on_its_way() -> None:
    core = portfolio()
    core.handle(target(1, "10"), 0)
    assert core.handle(target(2, "10"), 0) == []
    assert submitted(core.handle(target(3, "4"), 0)).order.side is Side.SELL
    assert core.handle(target(4, "4"), 0) == []
    assert core.statistics().targets_met == 2


def test_a_target_within_a_lot_is_met() -> None:
    assert portfolio_holding("10").handle(target(1, "10.05"), 0) == []


def test_the_target_of_one_strategy_ignores_what_others_hold() -> None:
    core = portfolio()
    core.handle(fill(1, Side.BUY, "10", strategy="other"), 0)
    assert submitted(core.handle(target(1, "10"), 0)).order.quantity == Decimal(10)


# --- prices --------------------------------------------------------------------------------------


def test_a_market_order_reserves_at_the_ask_and_a_sale_at_the_bid() -> None:
    instruments = table()
    core = portfolio(instruments=instruments)
    see(core, Tape(instruments).quote(1, "0.50", "0.53").rows())
    assert submitted(core.handle(signal(1, limit=None), 0)).reserved == Decimal("5.3")
    short = signal(1, Side.SELL, limit=None, strategy="other")
    assert submitted(core.handle(short, 0)).reserved == Decimal(5)


def test_a_market_order_without_a_price_is_refused() -> None:
    instruments = table()
    core = portfolio(instruments=instruments)
    assert violations(core.handle(signal(1, limit=None), 0)) == (
        Violation("NoPrice", "an ask to buy at", "none"),
    )
    see(core, Tape(instruments).quote(1, None, "0.53").rows())
    assert violations(core.handle(signal(2, Side.SELL, limit=None), 0)) == (
        Violation("NoPrice", "a bid to sell at", "none"),
    )


def test_a_price_of_nothing_is_no_price() -> None:
    (violation,) = violations(portfolio().handle(signal(limit="0"), 0))
    assert (violation.policy, violation.found) == ("NoPrice", "0")


# --- risk ----------------------------------------------------------------------------------------


def test_two_signals_at_one_instant_cannot_spend_the_same_cash() -> None:
    core = portfolio(CashLimit(), cash="10")
    assert submitted(core.handle(signal(1, quantity="12", limit="0.50"), 0)).reserved == 6
    assert violations(core.handle(signal(2, quantity="12", limit="0.50"), 0)) == (
        Violation("CashLimit", "4", "6"),
    )
    assert submitted(core.handle(signal(3, quantity="8", limit="0.50"), 0)).reserved == 4


def test_two_signals_at_one_instant_cannot_take_the_same_room() -> None:
    core = portfolio(PositionLimit(max_size=Decimal(15)))
    submitted(core.handle(signal(1, quantity="10"), 0))
    assert refused_by(core.handle(signal(2, quantity="10", strategy="other"), 0)) == [
        "PositionLimit"
    ]


def test_two_signals_at_one_instant_cannot_sell_the_same_token() -> None:
    core = portfolio_holding("10", YES)
    submitted(core.handle(signal(1, Side.SELL, "6", instrument=YES), 0))
    assert violations(core.handle(signal(2, Side.SELL, "6", instrument=YES), 0)) == (
        Violation("NoShort", "4", "6"),
    )


def test_a_strategy_cannot_sell_what_another_one_holds() -> None:
    core = portfolio(NoShort())
    core.handle(fill(1, Side.BUY, "10", strategy="other", instrument=NO), 0)
    assert refused_by(core.handle(signal(1, Side.SELL, instrument=NO), 0)) == ["NoShort"]


def test_a_refusal_names_every_policy_and_reserves_nothing() -> None:
    core = portfolio(*all_policies(max_size="5"), cash="1")
    assert refused_by(core.handle(signal(1, Side.SELL, instrument=YES), 0)) == [
        "PositionLimit",
        "CashLimit",
        "NoShort",
    ]
    assert core.reserved == 0
    assert core.statistics().refused_by == {"CashLimit": 1, "NoShort": 1, "PositionLimit": 1}
    assert core.statistics().refused_signals == 1


def test_closing_needs_no_cash_and_opening_does() -> None:
    core = portfolio(CashLimit(), cash="5")
    core.handle(fill(1, Side.BUY, "10", "0.50", order=9), 0)
    assert core.available == 0
    assert submitted(core.handle(signal(1, Side.SELL, "10"), 0)).reserved == 0
    assert refused_by(core.handle(signal(2, Side.SELL, "1"), 0)) == ["CashLimit"]


def test_two_orders_at_one_instant_cannot_close_the_same_position() -> None:
    for held, closing in ((Side.SELL, Side.BUY), (Side.BUY, Side.SELL)):
        core = portfolio(CashLimit())
        core.handle(fill(1, held, "10", "0.50", order=9), 0)
        assert submitted(core.handle(signal(1, closing, "10"), 0)).reserved == 0
        assert submitted(core.handle(signal(2, closing, "10"), 0)).reserved == 5


def test_a_short_holds_its_proceeds_and_as_much_collateral() -> None:
    core = portfolio(CashLimit(), cash="100")
    submitted(core.handle(signal(1, Side.SELL, "60", limit="1"), 0))
    assert core.available == 40
    core.handle(fill(1, Side.SELL, "60", "1"), 0)
    assert core.cash == 160
    assert core.available == 40


# --- the life of a reservation -------------------------------------------------------------------


def test_a_fill_turns_its_part_of_the_reservation_into_a_position() -> None:
    core = portfolio(*all_policies())
    core.handle(signal(1, quantity="10", limit="0.50"), 0)
    outputs = core.handle(fill(1, Side.BUY, "4", "0.48", leaves="6"), 0)
    changed = only(outputs, PositionChanged)
    assert (changed.quantity, changed.cost) == (Decimal(4), Decimal("1.92"))
    assert core.reserved == Decimal(3)
    core.handle(fill(2, Side.BUY, "6", "0.50"), 0)
    assert core.reserved == 0
    assert core.account_position(COIN) == 10


@pytest.mark.parametrize(
    "status",
    [OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED],
)
def test_an_order_that_is_over_gives_its_reservation_back(status: OrderStatus) -> None:
    core = portfolio(*all_policies())
    core.handle(signal(1), 0)
    assert core.handle(update(1, status), 0) == []
    assert core.available == core.cash == Decimal(1000)


@pytest.mark.parametrize("status", [OrderStatus.WORKING, OrderStatus.UNKNOWN])
def test_an_order_that_is_not_over_keeps_its_reservation(status: OrderStatus) -> None:
    core = portfolio(*all_policies())
    core.handle(signal(1), 0)
    assert core.handle(update(1, status), 0) == []
    assert core.reserved == Decimal(5)


def test_a_fill_after_the_cancel_is_booked_all_the_same() -> None:
    core = portfolio(*all_policies())
    core.handle(signal(1), 0)
    core.handle(update(1), 0)
    assert only(core.handle(fill(1), 0), PositionChanged).quantity == 10
    assert (core.cash, core.reserved) == (Decimal(995), Decimal(0))


def test_a_fill_that_comes_twice_changes_nothing() -> None:
    core = portfolio(*all_policies())
    core.handle(signal(1), 0)
    core.handle(fill(1, quantity="4", leaves="6"), 0)
    assert core.handle(fill(1, quantity="4", leaves="6"), 0) == []
    assert (core.reserved, core.cash) == (Decimal(3), Decimal(998))
    assert core.statistics().duplicate_fills == 1


def test_a_signal_that_comes_twice_gives_one_order() -> None:
    core = portfolio(*all_policies())
    submitted(core.handle(signal(1), 0))
    assert core.handle(signal(1), 0) == []
    assert core.reserved == Decimal(5)
    assert core.statistics().duplicate_signals == 1


# --- who may trade -------------------------------------------------------------------------------


def test_after_a_halt_every_signal_is_refused() -> None:
    core = portfolio()
    assert core.handle(Halt("too much lost"), 0) == []
    core.handle(Halt("later"), 0)
    assert violations(core.handle(signal(1), 0)) == (
        Violation("Halted", "trading is active", "too much lost"),
    )
    assert core.handle(CloseOut(), 0) == []


def test_a_halt_without_a_cause_halts() -> None:
    core = portfolio()
    core.handle(Halt(""), 0)
    assert refused_by(core.handle(signal(1), 0)) == ["Halted"]


def test_a_stopped_strategy_is_refused_and_the_others_trade_on() -> None:
    core = portfolio()
    assert core.handle(CancelStrategy("cross", "crashed"), 0) == []
    assert violations(core.handle(signal(1), 0)) == (
        Violation("Stopped", "the strategy runs", "crashed"),
    )
    submitted(core.handle(signal(1, strategy="other"), 0))


def test_an_unknown_instrument_is_refused() -> None:
    assert violations(portfolio().handle(signal(instrument="UNHEARD"), 0)) == (
        Violation("Instrument", "a known instrument", "UNHEARD"),
    )


# --- closing out ---------------------------------------------------------------------------------


def test_closing_out_closes_each_strategys_position_at_the_market() -> None:
    core = portfolio(*all_policies())
    core.handle(fill(1, Side.BUY, "10", strategy="b"), 0)
    core.handle(fill(2, Side.SELL, "4", strategy="a"), 0)
    core.handle(fill(3, Side.BUY, "4", strategy="flat"), 0)
    core.handle(fill(4, Side.SELL, "4", strategy="flat"), 0)
    outputs = core.handle(CloseOut(), 0)
    orders = [output.order for output in outputs if isinstance(output, SubmitOrder)]
    assert [(o.client_order_id, o.strategy, o.side, o.quantity) for o in orders] == [
        ("run-close-1", "a", Side.BUY, Decimal(4)),
        ("run-close-2", "b", Side.SELL, Decimal(10)),
    ]
    assert {(o.order_type, o.reason) for o in orders} == {(OrderType.MARKET, "close out")}
    assert len(outputs) == 2
    assert core.reserved == 0


def test_closing_out_twice_does_not_sell_twice() -> None:
    core = portfolio_holding("10")
    submitted(core.handle(CloseOut(), 0))
    assert core.handle(CloseOut(), 0) == []


def test_a_close_out_that_was_cut_short_can_be_repeated() -> None:
    core = portfolio_holding("10")
    first = submitted(core.handle(CloseOut(), 0))
    assert first.approved_by == ("CloseOut",)
    part = fill(5, Side.SELL, "4", leaves="0")
    core.handle(replace(part, client_order_id=first.order.client_order_id), 0)
    again = submitted(core.handle(CloseOut(), 0)).order
    assert (again.client_order_id, again.quantity) == ("run-close-2", Decimal(6))


def test_positions_stay_open_where_the_configuration_says_so() -> None:
    core = portfolio(close_out=False)
    core.handle(fill(), 0)
    assert core.handle(CloseOut(), 0) == []


# --- what it counts, and its configuration -------------------------------------------------------


def test_it_counts_what_it_does() -> None:
    core = portfolio(CashLimit(), cash="10")
    core.handle(signal(1), 0)
    core.handle(signal(2, quantity="100"), 0)
    core.handle(target(3, "10"), 0)
    core.handle(fill(1, commission="0.1"), 0)
    core.handle(CloseOut(), 0)
    counts = core.statistics()
    assert (counts.signals, counts.orders, counts.close_outs) == (3, 2, 1)
    assert (counts.refused_signals, counts.targets_met, counts.fills) == (1, 1, 1)
    assert core.commission == Decimal("0.1")
    assert core.fills == [fill(1, commission="0.1")]
    assert [p.quantity for p in core.positions()] == [Decimal(10)]


@pytest.mark.parametrize(
    ("problem", "key"),
    [("cash: expected 0", "cash"), ("fee_rate: expected 0", "fee_rate")],
)
def test_negative_money_is_an_error(problem: str, key: str) -> None:
    money = {"cash": Decimal(1), key: Decimal(-1)}
    with pytest.raises(ValueError, match=problem):
        PortfolioConfig(**money)  # type: ignore[arg-type]


def test_an_equity_interval_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="equity interval: expected above 0, found 0 ns"):
        PortfolioConfig(cash=Decimal(1), equity_interval_ns=0)
