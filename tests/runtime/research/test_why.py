"""Why an order was sent, from the journal."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import msgspec
import pytest

from actors.messages.account import PositionChanged
from actors.messages.records import MarketRow
from actors.messages.system import TimerFired
from actors.messages.trading import (
    CancelOrder,
    ExecutionReport,
    Fill,
    OrderArrived,
    OrderUpdate,
    PlaceOrder,
    ReportKind,
    Signal,
    SignalRefused,
    SubmitOrder,
    Violation,
)
from actors.model.order import Liquidity, Order, OrderStatus, OrderType, Side
from runtime.kernel.envelope import Envelope
from runtime.kernel.journal import InlineJournal, read_journal
from runtime.research.why import Chain, UnknownOrder, why
from runtime.wiring.plant import codec
from tests.builders import START_NS, order

_MS = 1_000_000
_ID = "run-cross-1"


@attrs.frozen(kw_only=True)
class Row:
    """A journal's row."""

    sequence: int
    time_ns: int
    sender: str
    receiver: str
    cause: int
    due_ns: int | None
    type: str
    message: Any


class Log:
    """Collects rows as a run would: each gets the next number."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(
        self,
        message: Any,
        way: str = "a > b",
        *,
        cause: int = 0,
        at_ms: int = 0,
        due_ms: int | None = None,
    ) -> int:
        """Add a row and return its number."""
        sender, _, receiver = way.partition(" > ")
        row = Row(
            sequence=len(self.rows) + 1,
            time_ns=START_NS + at_ms * _MS,
            sender=sender,
            receiver=receiver,
            cause=cause,
            due_ns=None if due_ms is None else START_NS + due_ms * _MS,
            type=type(message).__name__,
            message=message,
        )
        self.rows.append(row)
        return row.sequence

    def chain(self, order_id: str) -> Chain:
        """Return the chain of an order that is there."""
        found = why(lambda: self.rows, order_id)
        assert isinstance(found, Chain)
        return found


def _market_row() -> MarketRow:
    return MarketRow(
        kind="QUOTE",
        instrument="BTC",
        time_ns=START_NS,
        venue_time_ns=0,
        line=12,
        tick=Decimal("0.01"),
        lot=Decimal(1),
        columns=(51, 52, 10, 20, 0),
    )


def _signal(signal_id: str = _ID, **changes: Any) -> Signal:
    values = {"side": Side.BUY, "quantity": Decimal(10), "reason": "fast above slow", **changes}
    return Signal(signal_id=signal_id, strategy="cross", instrument="BTC", **values)


def _order() -> Order:
    return order(Side.BUY, "10", "0.52", id=_ID, strategy="cross")


def _report(kind: ReportKind, **changes: Any) -> ExecutionReport:
    return ExecutionReport(
        client_order_id=_ID, kind=kind, venue="simulated", venue_time_ns=START_NS, **changes
    )


def _fill() -> Fill:
    return Fill(
        client_order_id=_ID,
        strategy="cross",
        instrument="BTC",
        venue="simulated",
        trade_id="t-1",
        side=Side.BUY,
        last_quantity=Decimal(10),
        last_price=Decimal("0.52"),
        commission=Decimal("0.01"),
        liquidity=Liquidity.TAKER,
        leaves_quantity=Decimal(0),
        venue_time_ns=START_NS,
    )


def _update(status: OrderStatus, filled: str = "0") -> OrderUpdate:
    return OrderUpdate(
        client_order_id=_ID,
        strategy="cross",
        instrument="BTC",
        side=Side.BUY,
        status=status,
        quantity=Decimal(10),
        filled_quantity=Decimal(filled),
    )


def _position() -> PositionChanged:
    return PositionChanged(
        strategy="cross",
        instrument="BTC",
        quantity=Decimal(10),
        cost=Decimal("5.2"),
        realized_pnl=Decimal(0),
        commission=Decimal("0.01"),
    )


def _ring() -> Log:
    """Return the journal of one order, from the market row to the position, with noise around."""
    log = Log()
    log.add(_signal("run-cross-0"), "cross > portfolio")
    row = log.add(_market_row(), "market > cross")
    signal = log.add(_signal(), "cross > portfolio", cause=row)
    submit = SubmitOrder(
        order=_order(), approved_by=("CashLimit", "NoShort"), reserved=Decimal("5.2")
    )
    submitted = log.add(submit, "portfolio > orders", cause=signal)
    placed = log.add(PlaceOrder(order=_order()), "orders > broker", cause=submitted)
    arrival = OrderArrived(order=_order())
    sent = log.add(arrival, "broker > broker", cause=placed, due_ms=5)
    arrived = log.add(arrival, "broker > broker", cause=sent, at_ms=5)
    trade = _report(
        ReportKind.TRADE,
        trade_id="t-1",
        last_quantity=Decimal(10),
        last_price=Decimal("0.52"),
        commission=Decimal("0.01"),
    )
    reported = log.add(trade, "broker > orders", cause=arrived, at_ms=5)
    filled = log.add(_fill(), "orders > portfolio,cross", cause=reported, at_ms=5)
    log.add(_update(OrderStatus.FILLED, "10"), "orders > portfolio,cross", cause=reported, at_ms=5)
    log.add(_position(), "portfolio > cross", cause=filled, at_ms=5)
    log.add(_position(), "portfolio > other", cause=1, at_ms=6)
    return log


def test_the_chain_runs_from_the_market_row_to_the_position() -> None:
    steps = _ring().chain(_ID).steps

    assert [(step.depth, step.entry.type) for step in steps] == [
        (0, "MarketRow"),
        (1, "Signal"),
        (2, "SubmitOrder"),
        (3, "PlaceOrder"),
        (4, "OrderArrived"),
        (5, "ExecutionReport"),
        (6, "Fill"),
        (7, "PositionChanged"),
        (6, "OrderUpdate"),
    ]


def test_the_chain_tells_times_ways_and_the_values_that_decided() -> None:
    lines = _ring().chain(_ID).lines()

    assert lines[0] == "order run-cross-1 (2023-11-14, UTC)"
    assert lines[1] == (
        "22:13:20.000000000  MarketRow market -> cross: QUOTE BTC bid=0.51 ask=0.52"
        " bid_quantity=10 ask_quantity=20 (line 12)"
    )
    assert lines[2].endswith(
        "  Signal cross -> portfolio: BUY 10 BTC MARKET, because fast above slow"
    )
    assert lines[3].endswith("LIMIT at 0.52 GTC, approved by CashLimit, NoShort, reserved 5.2")
    assert lines[5].endswith(": at the venue (sent 22:13:20.000000000)")
    assert lines[6].endswith("TRADE 10 at 0.52 TAKER, commission 0.01 at simulated")
    assert lines[8].endswith("cross holds 10 BTC for 5.2, realized 0, fees 0.01")
    assert lines[9].endswith("OrderUpdate orders -> portfolio,cross: FILLED, 10 of 10 filled")


def test_what_never_arrived_is_shown_with_when_it_was_due() -> None:
    log = Log()
    signal = log.add(_signal())
    log.add(OrderArrived(order=_order()), "broker > broker", cause=signal, due_ms=5)

    assert log.chain(_ID).lines()[2].endswith(": at the venue (due 22:13:20.005000000)")


def test_an_ending_that_only_one_id_has_is_enough() -> None:
    assert _ring().chain("cross-1").order_id == _ID


@pytest.mark.parametrize("text", ["run-cross-11", "run-corss-1"])
def test_an_unknown_order_names_the_nearest(text: str) -> None:
    found = why(lambda: _ring().rows, text)

    assert isinstance(found, UnknownOrder)
    assert _ID in found.nearest


def test_an_ending_that_two_ids_have_names_both() -> None:
    log = Log()
    log.add(_signal("run-a-1"))
    log.add(_signal("run-b-1"))

    found = why(lambda: log.rows, "1")
    assert isinstance(found, UnknownOrder)
    assert found.nearest == ("run-a-1", "run-b-1")


def test_a_refused_signal_tells_every_limit_and_what_was_found() -> None:
    log = Log()
    signal = log.add(_signal(target=Decimal("-2.50"), side=None, quantity=None, reason=""))
    violations = (Violation("NoShort", "0", "2.5"), Violation("CashLimit", "1", "2"))
    refused = SignalRefused(
        signal_id=_ID, strategy="cross", instrument="BTC", violations=violations
    )
    log.add(refused, cause=signal)

    lines = log.chain(_ID).lines()
    assert lines[1].endswith("target -2.5 BTC MARKET")
    assert lines[2].endswith("NoShort: limit 0, found 2.5; CashLimit: limit 1, found 2")


def test_a_cancel_brings_its_own_cause_along() -> None:
    log = Log()
    signal = log.add(_signal(quantity=None, order_type=OrderType.LIMIT, limit_price=Decimal("1")))
    submit = SubmitOrder(order=_order(), approved_by=(), reserved=Decimal(0))
    log.add(submit, cause=signal)
    timer = log.add(TimerFired("cross", "stale", START_NS), "cross", at_ms=7)
    cancel = CancelOrder(client_order_id=_ID, strategy="cross", reason="too old")
    log.add(cancel, cause=timer, at_ms=7)
    log.add(_report(ReportKind.CANCELLED, reason="as asked"), cause=4, at_ms=7)

    lines = log.chain(_ID).lines()
    assert lines[1].endswith("BUY BTC LIMIT at 1, because fast above slow")
    assert "approved by no policy" in lines[2]
    assert lines[3].endswith("TimerFired cross: stale of cross")
    assert lines[4].endswith("  CancelOrder a -> b: too old")
    assert lines[5].endswith("CANCELLED at simulated, because as asked")


def test_a_stop_order_says_where_it_wakes_up() -> None:
    log = Log()
    stop: dict[str, Any] = {"order_type": OrderType.STOP_LIMIT, "stop_price": Decimal("2.50")}
    signal = log.add(_signal(quantity=None, limit_price=Decimal("3"), **stop))
    order = msgspec.structs.replace(_order(), limit_price=Decimal("3"), **stop)
    log.add(SubmitOrder(order=order, approved_by=(), reserved=Decimal(0)), cause=signal)

    lines = log.chain(_ID).lines()
    assert lines[1].endswith("BUY BTC STOP_LIMIT at 3 stop 2.5, because fast above slow")
    assert "STOP_LIMIT at 3 stop 2.5 " in lines[2]


def test_a_long_history_is_cut_to_what_came_last() -> None:
    log = Log()
    cause = 0
    for _ in range(40):
        cause = log.add(TimerFired("cross", "again", START_NS), cause=cause)
    log.add(_signal(), cause=cause)

    chain = log.chain(_ID)
    assert chain.left_out == 16
    assert chain.lines()[1] == "... 16 earlier causes are left out"
    assert chain.steps[-1].entry.type == "Signal"


def test_a_journal_on_disk_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = InlineJournal(path, codec(), {})
    messages: Sequence[Any] = (
        _market_row(),
        _signal(),
        SubmitOrder(order=_order(), approved_by=("CashLimit",), reserved=Decimal(1)),
    )
    for i, message in enumerate(messages):
        journal.append(Envelope(i + 1, START_NS, "sender", i, message), "receiver")
    journal.close()

    found = why(lambda: read_journal(path, codec()), "cross-1")
    assert isinstance(found, Chain)
    assert [step.entry.type for step in found.steps] == ["MarketRow", "Signal", "SubmitOrder"]
