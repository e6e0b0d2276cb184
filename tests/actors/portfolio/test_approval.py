from decimal import Decimal

import pytest
from msgspec.structs import replace

from actors.messages.trading import SignalBatch, SubmitOrder, Violation
from actors.model.instrument import Instrument, InstrumentId
from actors.model.order import Schedule, ScheduleKind, Side
from actors.portfolio.config import PortfolioConfig
from actors.risk.limits import CashLimit, NoShort, PositionLimit
from actors.risk.orders import OrderRate
from tests.actors.portfolio.builders import YES, all_policies, signal, table, target
from tests.actors.portfolio.wishes import Desk, ended, modify, names, state, wish

BUY, SELL = Side


def limit(size: str) -> PositionLimit:
    return PositionLimit(max_size=Decimal(size))


# --- what is reserved, by order type -------------------------------------------------------------


def test_each_order_type_reserves_at_the_price_that_it_names() -> None:
    for wanted, price in (
        (wish(1, limit="0.50"), "0.50"),
        (wish(1, limit=None), "0.45"),
        (wish(1, SELL, limit=None), "0.40"),
        (wish(1, limit=None, stop="0.60"), "0.60"),
        (wish(1, limit="0.65", stop="0.60"), "0.65"),
    ):
        desk = Desk(*all_policies(), fee_rate=Decimal("0.01"))
        assert desk.order(wanted).reserved == 10 * Decimal(price) * Decimal("1.01")
        assert desk.core.reserved == 10 * Decimal(price) * Decimal("1.01")


def test_orders_without_a_limit_reserve_a_buffer_on_top() -> None:
    desk = Desk(market_order_buffer=Decimal("0.1"), fee_rate=Decimal("0.01"))
    assert desk.order(wish(1, limit=None)).reserved == Decimal("4.5") * Decimal("1.111")
    assert desk.order(wish(2, limit=None, stop="1")).reserved == 10 * Decimal("1.111")
    assert desk.order(wish(3, limit="1")).reserved == 10 * Decimal("1.01")


def test_a_negative_buffer_is_an_error() -> None:
    with pytest.raises(ValueError, match="market_order_buffer: expected 0 or more, found -1"):
        PortfolioConfig(cash=Decimal(1), market_order_buffer=Decimal(-1))


def test_an_order_knows_when_it_was_approved_and_what_it_would_have_met() -> None:
    twap = Schedule(kind=ScheduleKind.TWAP, duration_ns=10, slices=2)
    desk = Desk()
    for number, (wanted, arrival) in enumerate(
        (
            (wish(1, limit=None), "0.45"),
            (wish(2, SELL, limit=None), "0.40"),
            (wish(3, limit=None, stop="0.60"), "0.45"),
            (wish(4, limit="0.60", stop="0.60"), "0.45"),
            (wish(5, schedule=twap), "0.45"),
            (wish(6), None),
        )
    ):
        order = desk.order(wanted, now_ns=number).order
        assert order.created_ns == number
        assert order.arrival_price == (None if arrival is None else Decimal(arrival))
        assert (order.stop_price, order.schedule) == (wanted.stop_price, wanted.schedule)


def test_a_stop_needs_nobody_to_trade_with_now() -> None:
    desk = Desk()
    desk.quote(None, None)
    assert desk.order(wish(1, limit=None, stop="0.60")).order.arrival_price is None
    assert desk.refused(wish(2, limit=None)) == ["NoPrice"]


def test_a_future_reserves_its_margin_and_the_fee_on_its_notional() -> None:
    instruments = table()
    instruments.add(
        Instrument(
            id=InstrumentId("FUT"),
            venue="venue",
            symbol="fut",
            lot=Decimal(1),
            multiplier=Decimal(10),
            margin=Decimal(5),
        )
    )
    desk = Desk(CashLimit(), instruments=instruments, cash=Decimal(100), fee_rate=Decimal("0.01"))
    assert desk.order(wish(1, quantity="10", limit="2", instrument="FUT")).reserved == 52
    assert desk.refused(wish(2, quantity="10", limit="2", instrument="FUT")) == ["CashLimit"]


def test_leverage_makes_opening_cheaper() -> None:
    desk = Desk(CashLimit(), cash=Decimal(10), leverage=Decimal(4), fee_rate=Decimal("0.01"))
    assert desk.order(wish(1, quantity="60", limit="0.50")).reserved == Decimal("7.8")
    assert desk.refused(wish(2, quantity="60", limit="0.50")) == ["CashLimit"]


def test_a_currency_without_a_rate_is_refused() -> None:
    instruments = table()
    euro = Instrument(id=InstrumentId("EUR"), venue="venue", symbol="eur", currency="EUR")
    instruments.add(euro)
    desk = Desk(instruments=instruments)
    assert desk.refused(wish(1, instrument="EUR")) == ["Rate"]


# --- alternatives --------------------------------------------------------------------------------


def test_alternatives_reserve_once_and_count_once() -> None:
    desk = Desk(limit("15"), CashLimit(), cash=Decimal(6))
    desk.order(wish(1, limit="0.50", group="g"))
    assert desk.order(wish(2, limit="0.40", group="g")).reserved == 4
    assert desk.core.reserved == 5
    assert desk.working() == (10, 0)
    assert desk.order(wish(3, quantity="12", limit="0.50", group="g")).reserved == 6
    assert desk.core.reserved == 6
    assert desk.working() == (12, 0)
    assert desk.refused(wish(4, quantity="4", limit="0.01")) == ["PositionLimit", "CashLimit"]


def test_when_an_alternative_ends_the_greatest_of_the_others_counts() -> None:
    desk = Desk()
    orders = [
        desk.order(wish(n, quantity=size, limit="0.50", group="g")).order
        for n, size in ((1, "10"), (2, "4"), (3, "7"))
    ]
    for order, left in zip(orders, (7, 7, 0), strict=True):
        desk.take(ended(order))
        assert desk.working() == (left, 0)
        assert desk.core.reserved == Decimal(left) / 2


def test_alternatives_on_both_sides_count_on_each() -> None:
    desk = Desk(limit("10"))
    desk.order(wish(1, BUY, limit=None, stop="0.60", group="break"))
    desk.order(wish(2, SELL, limit=None, stop="0.30", group="break"))
    assert desk.working() == (10, 10)
    assert desk.core.reserved == 6
    assert desk.refused(wish(3, SELL, "1")) == ["PositionLimit"]


def test_groups_of_the_same_name_belong_to_their_strategies() -> None:
    desk = Desk()
    desk.order(wish(1, group="g"))
    desk.order(wish(1, group="g", strategy="other"))
    assert desk.working() == (20, 0)


# --- parents and children ------------------------------------------------------------------------


def bracket(desk: Desk, side: Side = BUY, quantity: str = "10") -> list[SubmitOrder]:
    """Ask for an entry at 0.50, a profit at 0.70 and a stop at 0.30."""
    out = side.opposite
    return [
        desk.order(wish(1, side, quantity)),
        desk.order(wish(2, out, quantity, limit="0.70", group="exit", parent=1, reduce_only=True)),
        desk.order(
            wish(
                3, out, quantity, limit=None, stop="0.30", group="exit", parent=1, reduce_only=True
            )
        ),
    ]


@pytest.mark.parametrize("side", Side)
def test_the_exits_of_a_bracket_close_what_its_entry_opens(side: Side) -> None:
    desk = Desk(limit("10"), CashLimit(), cash=Decimal(5))
    entry, profit, stop = bracket(desk, side)
    assert [each.reserved for each in (entry, profit, stop)] == [5, 0, 0]
    assert sorted(desk.working()) == [0, 10]


def test_exits_count_when_the_entry_has_filled() -> None:
    desk = Desk()
    entry, profit, stop = (each.order for each in bracket(desk))
    desk.fill(entry, "4", leaves="6")
    assert desk.working() == (6, 4)
    desk.fill(profit, "3", leaves="7")
    assert desk.working() == (6, 4)  # the other exit may still be for 4
    desk.fill(entry, "6", leaves="0")
    assert desk.working() == (0, 10)
    desk.take(ended(stop))
    assert desk.working() == (0, 7)
    desk.take(ended(profit))
    assert desk.working() == (0, 0)


def test_exits_of_an_entry_that_ends_early_stay_at_what_it_filled() -> None:
    desk = Desk()
    entry, profit, stop = (each.order for each in bracket(desk))
    desk.fill(entry, "4", leaves="6")
    desk.take(ended(entry))
    assert desk.working() == (0, 4)
    desk.take(ended(profit), ended(stop))
    assert (desk.working(), desk.core.reserved, len(desk.core._account.reservations)) == (
        (0, 0),
        0,
        0,
    )


def test_an_entry_can_be_closed_once_only() -> None:
    desk = Desk(NoShort())
    desk.quote("0.40", "0.45", YES)
    desk.order(wish(1, instrument=YES))
    desk.order(wish(2, SELL, "6", parent=1, instrument=YES))
    assert desk.refused(wish(3, SELL, "5", parent=1, instrument=YES)) == ["NoShort"]
    desk.order(wish(4, SELL, "4", parent=1, instrument=YES))


def test_a_child_of_what_does_not_work_is_an_order_like_any_other() -> None:
    desk = Desk(NoShort())
    assert desk.refused(wish(2, SELL, parent=1, instrument=YES)) == ["NoShort"]
    assert desk.order(wish(3, SELL, parent=1)).reserved == 5


def test_a_child_closes_nothing_of_what_its_parent_has_in_another_instrument() -> None:
    desk = Desk()
    desk.quote("0.40", "0.45", YES)
    desk.order(wish(1, instrument=YES))
    assert desk.order(wish(2, SELL, parent=1)).reserved == 5


def test_a_change_of_a_child_may_still_close_what_its_parent_opens() -> None:
    desk = Desk(limit("10"))
    _, profit, _ = bracket(desk)
    assert desk.change(modify(2, limit="0.80")).reserved == 0
    assert desk.change(modify(2, "99")).order.quantity == profit.order.quantity


def test_a_child_on_the_side_of_its_parent_closes_nothing_of_it() -> None:
    desk = Desk()
    desk.order(wish(1))
    assert desk.order(wish(2, BUY, parent=1)).reserved == 5
    assert desk.order(wish(3, SELL, parent=1, instrument=YES)).reserved == 5


# --- reduce only ---------------------------------------------------------------------------------


def held(desk: Desk, quantity: str, side: Side = BUY) -> None:
    desk.fill(desk.order(wish(100 + desk.fills, side, quantity)).order)


def test_reduce_only_is_clipped_to_what_can_be_closed() -> None:
    desk = Desk()
    held(desk, "7")
    assert desk.order(wish(1, SELL, "3", reduce_only=True)).order.quantity == 3
    found = desk.order(wish(2, SELL, "10", reduce_only=True))
    assert (found.order.quantity, found.order.reduce_only, found.reserved) == (4, True, 0)
    (refused,) = desk.take(wish(3, SELL, "10", reduce_only=True))
    assert refused.violations == (
        Violation("ReduceOnly", "a position to sell", "7 held, 7 closing"),
    )


def test_reduce_only_on_the_wrong_side_is_refused() -> None:
    desk = Desk()
    assert desk.refused(wish(1, SELL, reduce_only=True)) == ["ReduceOnly"]
    held(desk, "7")
    assert desk.refused(wish(2, BUY, reduce_only=True)) == ["ReduceOnly"]
    held(desk, "14", SELL)
    assert desk.order(wish(3, BUY, reduce_only=True)).order.quantity == 7


def test_of_reduce_only_alternatives_each_may_close_everything() -> None:
    desk = Desk()
    held(desk, "7")
    for number in (1, 2):
        wanted = wish(number, SELL, "10", group="g", reduce_only=True)
        assert desk.order(wanted).order.quantity == 7
    assert desk.working() == (0, 7)


def test_a_flat_position_cancels_what_could_only_reduce_it() -> None:
    desk = Desk()
    held(desk, "7")
    desk.order(wish(1, SELL, "7", limit="0.90", reduce_only=True))
    market = desk.order(wish(2, SELL, "7", limit=None)).order
    assert names(desk.fill(market, "3")) == ["PositionChanged"]
    (_, cancel) = desk.fill(market, "4", leaves="0")
    assert (cancel.client_order_id, cancel.strategy) == ("run-cross-1", "cross")
    # it is told once, also after a restart
    assert desk.restarted()._gate.reduce_only.watched == {}
    again = desk.order(wish(3, SELL, "1")).order
    assert names(desk.fill(again)) == ["PositionChanged"]


def test_what_waits_for_its_parent_or_ends_with_its_alternative_is_not_cancelled() -> None:
    desk = Desk()
    entry, profit, _ = (each.order for each in bracket(desk))
    held(desk, "3")
    held(desk, "3", SELL)  # flat, but the entry is still to come
    assert desk.core._gate.reduce_only.watched.keys() == {"run-cross-2", "run-cross-3"}
    desk.fill(entry)
    assert names(desk.fill(profit)) == ["PositionChanged"]


def test_reduce_only_orders_that_are_over_are_forgotten() -> None:
    desk = Desk()
    held(desk, "7")
    order = desk.order(wish(1, SELL, "7", reduce_only=True)).order
    desk.take(ended(order))
    held(desk, "1")
    assert not desk.core._gate.reduce_only.watched


def test_a_target_may_be_reduce_only() -> None:
    desk = Desk()
    held(desk, "7")
    found = desk.order(replace(target(1, "-5"), reduce_only=True))
    assert (found.order.side, found.order.quantity) == (SELL, 7)


# --- batches -------------------------------------------------------------------------------------


def test_a_batch_is_decided_one_by_one() -> None:
    desk = Desk(limit("15"))
    signals = (wish(1), wish(2), wish(3, quantity="5"))
    told = desk.take(SignalBatch(strategy="cross", signals=signals))
    assert names(told) == ["SubmitOrder", "SignalRefused", "SubmitOrder"]


def test_all_of_a_batch_are_approved_or_none() -> None:
    desk = Desk(limit("15"), OrderRate(max_orders=4, interval_ns=100))
    held(desk, "5")
    signals = (wish(1), wish(2, SELL, "3", reduce_only=True), wish(3))
    before = state(desk.core)[:-1]
    told = desk.take(SignalBatch(strategy="cross", signals=signals, all_or_none=True))
    assert names(told) == ["SignalRefused"] * 3
    assert [each.signal_id for each in told] == ["run-cross-1", "run-cross-2", "run-cross-3"]
    assert [v.policy for each in told for v in each.violations] == [
        "Batch",
        "Batch",
        "PositionLimit",
    ]
    assert told[0].violations[0].found == "run-cross-3 refused"
    assert state(desk.core)[:-1] == before
    assert state(desk.restarted()) == state(desk.core)
    counts = desk.core.statistics()
    assert (counts.orders, counts.refused_signals, counts.signals) == (1, 3, 4)
    # what was taken back does not count for the rate: three more are within it
    fine = (wish(4, quantity="1"), wish(5, quantity="1"), wish(6, SELL, "1"))
    told = desk.take(SignalBatch(strategy="cross", signals=fine, all_or_none=True))
    assert names(told) == ["SubmitOrder"] * 3
    assert desk.refused(wish(7, SELL, "1")) == ["OrderRate"]


def test_signals_of_a_batch_that_come_again_are_ignored() -> None:
    desk = Desk()
    batch = SignalBatch(strategy="cross", signals=(wish(1),))
    desk.take(batch)
    assert desk.take(batch) == []
    assert desk.restarted().handle(batch, 0) == []


# --- reviews -------------------------------------------------------------------------------------


def test_an_order_can_be_reviewed_without_being_counted() -> None:
    desk = Desk(limit("15"))
    order = desk.order(wish(1)).order
    market = desk.order(wish(2, quantity="5", limit=None)).order
    review = desk.core._approval.review
    before = state(desk.core)
    greater = replace(order, quantity=Decimal(11))
    assert review(order, Decimal(5), 0) == ()
    assert review(greater, Decimal(5), 0) == (Violation("PositionLimit", "15", "16"),)
    other = replace(market, client_order_id="new", quantity=Decimal(1))
    assert review(other, Decimal(1), 0) == (Violation("PositionLimit", "15", "16"),)
    sale = replace(other, side=SELL, arrival_price=None)
    assert review(sale, Decimal(1), 0) == ()
    unknown = replace(other, instrument="GOLD")
    assert review(unknown, Decimal(1), 0) == (
        Violation("Instrument", "a known instrument", "GOLD"),
    )
    assert state(desk.core) == before
    desk.quote(None, None)
    assert review(sale, Decimal(1), 0) == (Violation("NoPrice", "a bid to sell at", "none"),)


# --- after a restart -----------------------------------------------------------------------------


def test_every_kind_of_order_is_counted_again_after_a_restart() -> None:
    desk = Desk(OrderRate(max_orders=12, interval_ns=1000))
    held(desk, "3")
    desk.order(wish(6, SELL, "2", reduce_only=True))
    bracket(desk)
    desk.order(wish(4, limit=None, stop="0.60", group="g"))
    desk.order(wish(5, SELL, limit="0.90", group="g"))
    desk.change(modify(4, "12", stop="0.7"))
    desk.take(signal(7, limit="0.20"), modify(6, "1"))
    core = desk.restarted()
    assert state(core) == state(desk.core)
    for probe in (wish(8), wish(9), wish(10)):
        assert core.handle(probe, 1) == desk.core.handle(probe, 1)
    assert core.handle(wish(13), 1) == desk.core.handle(wish(13), 1) != []
