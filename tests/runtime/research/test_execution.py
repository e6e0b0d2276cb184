"""What became of the orders of a run, from its journal and from its result."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from actors.messages.system import ActorFailed, FailureReport, TimerFired
from actors.messages.trading import (
    FillSettled,
    PlaceOrder,
    ReplaceResult,
    Signal,
    SignalBatch,
    SignalRefused,
    Violation,
)
from actors.model.order import Liquidity, Order, OrderStatus, Side
from runtime.observe.result import OrderRow, SystemRow
from runtime.research.execution import TYPES_READ, ExecutionLog, get_execution_stats
from runtime.wiring.routes import journaled_types
from tests.builders import START_NS, order
from tests.runtime.journals import Log, answer, executed, submit, update
from tests.runtime.results import order_row, run_result, sell

_FAILED = ActorFailed(
    actor="cross",
    failure=FailureReport(kind="ValueError", text="no", where="a:b:1"),
    message_sequence=0,
)


def _priced(side: Side = Side.BUY, arrival: str | None = "10", **others: Any) -> Order:
    known = None if arrival is None else Decimal(arrival)
    return msgspec.structs.replace(order(side, "10", **others), arrival_price=known)


def _log(log: Log) -> ExecutionLog:
    found = ExecutionLog()
    for entry in log.entries:
        found.take(entry)
    return found


def test_the_groups_and_names_are_those_that_people_know() -> None:
    stats = get_execution_stats([])

    assert {group: list(names) for group, names in stats.items()} == {
        "engine_stats": [
            "events_processed",
            "orders_executed",
            "fills_generated",
            "errors_encountered",
        ],
        "broker_stats": [
            "total_orders",
            "fill_rate",
            "avg_commission_per_fill",
            "avg_slippage_per_fill",
        ],
        "order_stats": [
            "total_created",
            "total_submitted",
            "total_filled",
            "total_cancelled",
            "total_rejected",
        ],
    }
    assert stats["broker_stats"]["fill_rate"] is None
    assert stats["broker_stats"]["avg_slippage_per_fill"] is None


def test_orders_are_counted_by_how_they_ended() -> None:
    log = Log()
    endings = (
        OrderStatus.FILLED,
        OrderStatus.FILLED,
        OrderStatus.CANCELLED,
        OrderStatus.REJECTED,
    )
    for number, status in enumerate(endings):
        sent = order(id=str(number))
        log.submitted(sent)
        log.add(update(sent, OrderStatus.WORKING))
        log.add(update(sent, status))
    denied = order(id="denied")
    log.add(submit(denied))
    log.add(update(denied, OrderStatus.DENIED, "off tick by 0.3"))
    log.add(update(denied, OrderStatus.DENIED, "off tick by 0.3"))
    log.add(_FAILED)
    found = _log(log)
    stats = found.stats(events=1250)

    assert stats["order_stats"] == {
        "total_created": 5,
        "total_submitted": 4,
        "total_filled": 2,
        "total_cancelled": 1,
        "total_rejected": 2,
    }
    assert stats["broker_stats"]["fill_rate"] == 0.5
    assert stats["engine_stats"]["events_processed"] == 1250
    assert stats["engine_stats"]["errors_encountered"] == 1
    assert found.quality()["rejected_because"] == {"": 1, "off tick by #": 1}


def test_slippage_is_how_much_worse_than_at_arrival() -> None:
    log = Log()
    bought, sold, unknown = (
        _priced(id="a"),
        _priced(Side.SELL, "20", id="b"),
        _priced(arrival=None, id="c"),
    )
    for each in (bought, sold, unknown):
        log.submitted(each)
    log.add(executed(bought, "4", "10.5", "1"))
    log.add(executed(bought, "6", "9.8", "2"))
    log.add(executed(sold, "10", "19", "3"))
    log.add(executed(unknown, "5", "7", "0"))
    log.add(executed(sold, "10", "0", liquidity=Liquidity.SETTLEMENT))
    found = _log(log)
    quality = found.quality()

    stats = found.stats()
    assert stats["engine_stats"]["fills_generated"] == 4
    assert stats["engine_stats"]["orders_executed"] == 3
    assert stats["broker_stats"]["avg_commission_per_fill"] == 1.5
    assert stats["broker_stats"]["avg_slippage_per_fill"] == pytest.approx(1.3 / 3)
    assert Decimal(quality["shortfall"]) == Decimal("10.8")
    assert quality["shortfall_bps"] == pytest.approx(10.8 / 300 * 10_000)
    assert quality["slippage_bps"]["max"] == pytest.approx(500)
    assert quality["fill_ratio"] == pytest.approx((1 + 1 + 0.5) / 3)


def test_a_price_of_nothing_at_arrival_has_no_bps() -> None:
    log = Log()
    free = _priced(arrival="0")
    log.submitted(free)
    log.add(executed(free, "10", "1"))
    quality = _log(log).quality()

    assert quality["shortfall"] == "10"
    assert quality["shortfall_bps"] is None
    assert quality["slippage_bps"]["count"] == 0


def test_the_time_on_the_way_is_told_by_stage() -> None:
    log = Log()
    row = log.add(TimerFired("s", "hourly", START_NS))
    log.add(Signal(signal_id="a", strategy="s", instrument="BTC"), at_ms=2, cause=row)
    sent = order(id="a")
    log.add(submit(sent), at_ms=5)
    log.add(PlaceOrder(order=sent), at_ms=6)
    log.add(answer("a"), at_ms=7, due_ms=46)
    log.add(answer("a"), at_ms=46)
    log.add(answer("a"), at_ms=90)
    latencies = _log(log).quality()["latency_ms"]

    assert {stage: spread["mean"] for stage, spread in latencies.items()} == {
        "decide": 2,
        "risk": 3,
        "venue": 40,
    }


def test_signals_of_a_batch_count_one_by_one() -> None:
    log = Log()
    signals = tuple(Signal(signal_id=name, strategy="s", instrument="BTC") for name in "ab")
    log.add(SignalBatch(strategy="s", signals=signals), at_ms=1)
    for name in "ab":
        log.add(submit(order(id=name)), at_ms=4)

    assert _log(log).quality()["latency_ms"]["risk"]["mean"] == 3


def test_a_cause_that_lies_far_back_is_forgotten() -> None:
    log = Log()
    first = log.add(_FAILED)
    for _ in range(5000):
        log.add(_FAILED)
    log.add(Signal(signal_id="a", strategy="s", instrument="BTC"), cause=first)

    assert _log(log).quality()["latency_ms"]["decide"]["count"] == 0


def test_children_of_a_schedule_count_as_their_parent() -> None:
    log = Log()
    parent = order(id="run-s-1")
    log.add(submit(parent))
    for number in (1, 2):
        log.add(PlaceOrder(order=order(id=f"run-s-1/{number}")), at_ms=number)
        log.add(answer(f"run-s-1/{number}"), at_ms=number + 40)
    found = _log(log)

    assert found.stats()["order_stats"]["total_submitted"] == 1
    assert found.quality()["latency_ms"]["venue"]["count"] == 1


def test_a_change_of_quantity_changes_what_there_was_to_fill() -> None:
    log = Log()
    sent = order(quantity="10", id="a")
    log.submitted(sent)
    smaller = msgspec.structs.replace(sent, quantity=Decimal(4))
    log.add(ReplaceResult(client_order_id="a", strategy="s", accepted=True, order=smaller))
    log.add(executed(sent, "4", "1"))

    assert _log(log).quality()["fill_ratio"] == 1


def test_refusals_and_failed_trades_are_counted() -> None:
    log = Log()
    violations = (Violation("CashLimit", "1", "2"), Violation("NoShort", "1", "2"))
    log.add(SignalRefused(signal_id="a", strategy="s", instrument="BTC", violations=violations))
    for failed in (True, False):
        log.add(
            FillSettled(
                client_order_id="a",
                strategy="s",
                instrument="BTC",
                venue="v",
                trade_id="t",
                failed=failed,
            )
        )
    quality = _log(log).quality()

    assert quality["refused_by"] == {"CashLimit": 1, "NoShort": 1}
    assert quality["failed_trades"] == 1


def test_words_about_orders_that_are_not_known_are_left_out() -> None:
    log = Log()
    stranger = order(id="stranger")
    log.add(PlaceOrder(order=stranger))
    log.add(answer("stranger"))
    log.add(update(stranger, OrderStatus.FILLED))
    log.add(executed(stranger, "1", "1"))
    log.add(ReplaceResult(client_order_id="x", strategy="s", accepted=False, order=stranger))
    stats = _log(log).stats()

    assert stats["order_stats"]["total_filled"] == 0
    assert stats["engine_stats"]["fills_generated"] == 1


def test_a_result_tells_the_same_as_far_as_it_knows() -> None:
    priced = _priced(Side.SELL, "12", id="a")
    filled = OrderRow(order=priced, status=OrderStatus.FILLED, created_ns=0, updated_ns=0)
    fill = sell("10", "11", "2", strategy="strategy")
    row = type(fill)(time_ns=0, fill=msgspec.structs.replace(fill.fill, client_order_id="a"))
    result = run_result(
        orders=(
            filled,
            order_row("b", status=OrderStatus.DENIED),
            order_row("c", status=OrderStatus.CANCELLED),
        ),
        fills=(row,),
        events=7,
        system=(SystemRow(time_ns=START_NS, event=_FAILED),),
        refusals={"CashLimit": 2},
    )
    stats = get_execution_stats(result)

    assert stats["engine_stats"] == {
        "events_processed": 7,
        "orders_executed": 1,
        "fills_generated": 1,
        "errors_encountered": 1,
    }
    assert stats["broker_stats"]["total_orders"] == 2
    assert stats["broker_stats"]["avg_slippage_per_fill"] == 1
    assert stats["order_stats"]["total_rejected"] == 1
    assert get_execution_stats(result, events=9)["engine_stats"]["events_processed"] == 9


def test_what_is_read_of_a_journal_are_messages_that_there_are() -> None:
    assert {each.__name__ for each in journaled_types()} >= TYPES_READ
