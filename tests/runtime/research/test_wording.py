"""Every message that a journal may hold says in words what it is about."""

from decimal import Decimal
from typing import Any

import pytest

from actors.messages.account import (
    CashAdjusted,
    CloseOut,
    ConversionKind,
    ConvertTokens,
    EquityMarked,
    MarkEquity,
    PositionChanged,
    SetTradingState,
    TradingState,
    TradingStateChanged,
)
from actors.messages.alerts import Alert, AlertKind, Logged
from actors.messages.reconciliation import (
    Cure,
    Difference,
    DifferenceKind,
    Part,
    Reconcile,
    Reconciled,
    ResolveDifference,
    VenueHoldings,
    VenueOrders,
)
from actors.messages.records import MarketRow
from actors.messages.safety import Heartbeat, KillSwitchChanged, LatchedCause
from actors.messages.system import (
    ActorFailed,
    ActorGaveUp,
    ActorRestarted,
    Alarm,
    Archived,
    CancelAll,
    CancelAllAtVenue,
    CancelStrategy,
    FailureReport,
    Halt,
    HaltLifted,
    MessageQuarantined,
    Overtaken,
    Resume,
    Resumed,
    TimerFired,
    Trip,
)
from actors.messages.trading import (
    CancelArrived,
    CancelOrder,
    CancelOrders,
    CancelPlacedOrder,
    ExecutionReport,
    Fill,
    FillSettled,
    ModifyOrder,
    OrderArrived,
    OrderUpdate,
    PlaceOrder,
    ReplaceArrived,
    ReplaceOrder,
    ReplacePlacedOrder,
    ReplaceResult,
    ReportKind,
    Signal,
    SignalBatch,
    SignalRefused,
    SubmitOrder,
    Violation,
)
from actors.messages.venue import (
    CallKind,
    Outcome,
    QueryOrder,
    VenueAnswer,
    VenueCall,
    VenueNews,
    VenueOrder,
    VenueTrade,
)
from actors.model.order import Liquidity, OrderStatus, Side
from runtime.research.wording import WORDINGS, in_words
from runtime.wiring.routes import journaled_types
from tests.builders import START_NS, order

_ID = "run-one-1"
_ORDER = order(Side.BUY, "10", "0.52", id=_ID, strategy="one")
_OF_ORDER = "BUY 10 BTC LIMIT at 0.52 GTC"
_FAILURE = FailureReport(kind="ValueError", text="no", where="x.py:f:1")
_TEN, _ZERO = Decimal(10), Decimal(0)


def signal(**changes: Any) -> Signal:
    values = {"side": Side.BUY, "quantity": _TEN, **changes}
    return Signal(signal_id=_ID, strategy="one", instrument="BTC", **values)


def report(kind: ReportKind, **more: Any) -> ExecutionReport:
    return ExecutionReport(client_order_id=_ID, kind=kind, venue="v", venue_time_ns=0, **more)


def call(kind: CallKind, **more: Any) -> VenueCall:
    return VenueCall(number=7, kind=kind, deadline_ns=START_NS, **more)


def answer(kind: CallKind, outcome: Outcome = Outcome.ANSWERED, **more: Any) -> VenueAnswer:
    return VenueAnswer(number=7, kind=kind, outcome=outcome, venue="v", venue_time_ns=0, **more)


def there(status: OrderStatus = OrderStatus.WORKING) -> VenueOrder:
    return VenueOrder(
        client_order_id=_ID,
        venue_order_id="v-1",
        instrument="BTC",
        side=Side.BUY,
        quantity=_TEN,
        filled_quantity=Decimal(4),
        status=status,
    )


def trade(number: int = 1) -> VenueTrade:
    return VenueTrade(
        venue="v",
        trade_id=f"t-{number}",
        client_order_id=_ID,
        venue_order_id="v-1",
        instrument="BTC",
        side=Side.BUY,
        quantity=_TEN,
        price=Decimal("0.5"),
        venue_time_ns=0,
    )


def fill(**more: Any) -> Fill:
    return Fill(
        client_order_id=_ID,
        strategy="one",
        instrument="BTC",
        venue="v",
        trade_id="t-1",
        side=Side.BUY,
        last_quantity=_TEN,
        last_price=Decimal("0.5"),
        commission=_ZERO,
        liquidity=Liquidity.TAKER,
        leaves_quantity=_ZERO,
        venue_time_ns=0,
        **more,
    )


def settled(*, failed: bool) -> FillSettled:
    return FillSettled(
        client_order_id=_ID,
        strategy="one",
        instrument="BTC",
        venue="v",
        trade_id="t-1",
        failed=failed,
        reason="the chain forked" if failed else "",
    )


def difference(kind: DifferenceKind, *, is_open: bool) -> Difference:
    return Difference(
        kind=kind,
        key=f"{kind}:{_ID}",
        ours="10",
        theirs="",
        cure=Cure.ASK,
        is_open=is_open,
        time_ns=0,
    )


def result(*, accepted: bool) -> ReplaceResult:
    return ReplaceResult(
        client_order_id=_ID, strategy="one", accepted=accepted, order=_ORDER, reason="asked"
    )


_ROW = MarketRow(
    kind="TRADE",
    instrument="BTC",
    time_ns=0,
    venue_time_ns=0,
    line=3,
    tick=Decimal("0.01"),
    lot=Decimal(1),
    columns=(50, 2, 0, 0, 0),
)
_POSITION = PositionChanged(
    strategy="one",
    instrument="BTC",
    quantity=_TEN,
    cost=Decimal(5),
    realized_pnl=_ZERO,
    commission=_ZERO,
)
_ADJUSTED = CashAdjusted(
    entry_id="e-1", time_ns=0, currency="USD", amount=Decimal(-3), reason="gas"
)
_UPDATE = OrderUpdate(
    client_order_id=_ID,
    strategy="one",
    instrument="BTC",
    side=Side.BUY,
    status=OrderStatus.UNKNOWN,
    quantity=_TEN,
    filled_quantity=_ZERO,
    reason="no answer",
)
_VENUE_ORDERS: dict[str, Any] = {
    "round": 3,
    "venue": "v",
    "asked_ns": 0,
    "orders": (there(),),
    "trades": (),
}
_HOLDINGS = VenueHoldings(
    round=3, venue="v", asked_ns=0, positions={"BTC": _TEN}, balances={"USD": _TEN}
)
_TOKENS = ConvertTokens(
    request_id="r",
    strategy="one",
    kind=ConversionKind.MERGE,
    instrument="YES",
    quantity=_TEN,
    reason="cheap",
)
_ALERT = Alert(
    strategy="one",
    instrument="BTC",
    kind=AlertKind.THIN,
    is_raised=True,
    text="2 left",
    time_ns=0,
)
_ASIDE = MessageQuarantined(
    actor="one", message_sequence=9, message_type="Fill", attempts=3, failure=_FAILURE
)
_HALTED = KillSwitchChanged(
    causes=(LatchedCause(cause="loss", by="daily_loss", time_ns=0),), open_orders=2, note="halted"
)

SAID: list[tuple[Any, str]] = [
    (_ROW, "TRADE BTC price=0.5 quantity=2 (line 3)"),
    (signal(), "BUY 10 BTC MARKET"),
    (signal(target=_TEN, side=None, quantity=None), "target 10 BTC MARKET"),
    (
        SignalBatch(strategy="one", signals=(signal(), signal()), all_or_none=True),
        "2 wishes, all or none: BUY 10 BTC MARKET; BUY 10 BTC MARKET",
    ),
    (
        SignalBatch(strategy="one", signals=(signal(),)),
        "1 wishes, each by itself: BUY 10 BTC MARKET",
    ),
    (
        SignalRefused(
            signal_id=_ID,
            strategy="one",
            instrument="BTC",
            violations=(Violation("CashLimit", "5", "7"),),
        ),
        "CashLimit: limit 5, found 7",
    ),
    (
        ModifyOrder(client_order_id=_ID, strategy="one", quantity=_TEN, reason="more"),
        "into quantity 10, because more",
    ),
    (
        SubmitOrder(order=_ORDER, approved_by=("CashLimit",), reserved=Decimal("5.20")),
        f"{_OF_ORDER}, approved by CashLimit, reserved 5.2",
    ),
    (
        ReplaceOrder(order=_ORDER, approved_by=(), reserved=_ZERO),
        f"{_OF_ORDER}, approved by no policy, reserved 0",
    ),
    (PlaceOrder(order=_ORDER), _OF_ORDER),
    (ReplacePlacedOrder(order=_ORDER), _OF_ORDER),
    (OrderArrived(order=_ORDER), "at the venue"),
    (ReplaceArrived(order=_ORDER), "at the venue"),
    (CancelArrived(client_order_id=_ID, instrument="BTC"), "at the venue"),
    (CancelOrder(client_order_id=_ID, strategy="one"), f"cancel {_ID}"),
    (
        CancelOrders(strategy="one", instrument="BTC", side=Side.BUY, reason="late"),
        "cancel every order of one BUY BTC, because late",
    ),
    (CancelOrders(strategy="one"), "cancel every order of one"),
    (CancelPlacedOrder(client_order_id=_ID, instrument="BTC"), f"cancel {_ID} in BTC"),
    (report(ReportKind.ACCEPTED), "ACCEPTED at v"),
    (
        report(ReportKind.LOST, reason="timeout"),
        "LOST: the answer is lost: it may have arrived or not; at v, because timeout",
    ),
    (
        report(ReportKind.NOT_FOUND),
        "NOT_FOUND: the venue does not know it now, which proves nothing yet; at v",
    ),
    (
        report(ReportKind.GONE),
        "GONE: the venue does not know it, and would by now: it is over; at v",
    ),
    (report(ReportKind.TRADE_FAILED, trade_id="t-1"), "TRADE_FAILED t-1 at v"),
    (_UPDATE, "UNKNOWN, 0 of 10 filled, because no answer"),
    (result(accepted=True), f"changed into {_OF_ORDER}, because asked"),
    (result(accepted=False), f"refused, it stays {_OF_ORDER}, because asked"),
    (fill(), "BUY 10 BTC at 0.5, commission 0, trade t-1, leaves 0"),
    (fill(provisional=True), "BUY 10 BTC at 0.5, commission 0, trade t-1, leaves 0, provisional"),
    (settled(failed=False), "trade t-1 is final"),
    (settled(failed=True), "trade t-1 failed and is taken back, because the chain forked"),
    (
        call(CallKind.PLACE, client_order_id=_ID, order=_ORDER),
        f"call 7: PLACE {_OF_ORDER}, until 22:13:20.000000000",
    ),
    (call(CallKind.ORDER, client_order_id=_ID), f"call 7: ORDER {_ID}, until 22:13:20.000000000"),
    (
        call(CallKind.CANCEL_ALL, cause="halt"),
        "call 7: CANCEL_ALL, until 22:13:20.000000000, because halt",
    ),
    (
        answer(CallKind.PLACE, Outcome.LOST, reason="no answer in time"),
        "to call 7: PLACE LOST, because no answer in time",
    ),
    (
        answer(CallKind.ORDER, order=there(OrderStatus.PARTIALLY_FILLED), trades=(trade(),)),
        "to call 7: ORDER ANSWERED: PARTIALLY_FILLED, 4 of 10 filled; trade t-1 BUY 10 BTC at 0.5",
    ),
    (
        answer(CallKind.ORDER, client_order_id=_ID),
        "to call 7: ORDER ANSWERED: the venue does not know the order",
    ),
    (
        answer(CallKind.OPEN_ORDERS, orders=(there(), there())),
        "to call 7: OPEN_ORDERS ANSWERED: 2 orders open",
    ),
    (
        answer(CallKind.TRADES, trades=(trade(),), is_truncated=True),
        "to call 7: TRADES ANSWERED: 1 trade; not all that there are; trade t-1 BUY 10 BTC at 0.5",
    ),
    (
        answer(CallKind.ACCOUNT, positions={"BTC": _TEN}),
        "to call 7: ACCOUNT ANSWERED: 10 BTC; nothing",
    ),
    (
        VenueNews(reports=(report(ReportKind.CANCELLED),), trades=(trade(),)),
        f"CANCELLED {_ID}; trade t-1 BUY 10 BTC at 0.5",
    ),
    (VenueNews(), "nothing"),
    (
        QueryOrder(client_order_id=_ID, instrument="BTC", sent_ns=START_NS),
        f"how does {_ID} stand, sent at 22:13:20.000000000",
    ),
    (Reconcile("asked for"), "compare with the venue, because asked for"),
    (
        VenueOrders(**_VENUE_ORDERS),
        "round 3: 1 order open at v, 0 trades since the last round",
    ),
    (
        VenueOrders(**_VENUE_ORDERS, is_truncated=True),
        "round 3: 1 order open at v, 0 trades since the last round, not all that there are",
    ),
    (_HOLDINGS, "round 3: 10 BTC; 10 USD at v"),
    (Reconciled(part=Part.ORDERS, round=3), "ORDERS of round 3: all agrees"),
    (
        Reconciled(part=Part.HOLDINGS, round=3, open=tuple("abcdefg")),
        "HOLDINGS of round 3: not explained: a, b, c, d, e, and 2 more",
    ),
    (
        difference(DifferenceKind.ORDER_MISSING, is_open=True),
        f"ORDER_MISSING:{_ID}: ours 10, the venue's nothing; cure ASK, open",
    ),
    (
        difference(DifferenceKind.POSITION, is_open=False),
        f"POSITION:{_ID}: ours 10, the venue's nothing; cure ASK, over",
    ),
    (
        ResolveDifference(key="POSITION:BTC", cure=Cure.ADOPT, cause="it is ours"),
        "ADOPT POSITION:BTC, because it is ours",
    ),
    (_POSITION, "one holds 10 BTC for 5, realized 0, fees 0"),
    (EquityMarked(time_ns=0, cash=_TEN, equity=Decimal(12)), "worth 12, of that cash 10"),
    (_ADJUSTED, "-3 USD, entry e-1, because gas"),
    (MarkEquity(), "value the account"),
    (MarkEquity(is_last=True), "value the account, for the last time"),
    (CloseOut(), "close every position"),
    (
        SetTradingState(state=TradingState.ACTIVE, cause="all well", acknowledges="loss"),
        "be ACTIVE, because all well, acknowledging loss",
    ),
    (SetTradingState(state=TradingState.HALTED, cause="loss"), "be HALTED, because loss"),
    (TradingStateChanged(state=TradingState.REDUCING, cause="loss"), "REDUCING, because loss"),
    (_TOKENS, "MERGE 10 YES, because cheap"),
    (TimerFired("one", "stale", 0), "stale of one"),
    (
        ActorFailed(actor="one", failure=_FAILURE, message_sequence=9),
        "one failed at message 9: ValueError: no",
    ),
    (
        ActorFailed(actor="one", failure=_FAILURE, message_sequence=0),
        "one failed: ValueError: no",
    ),
    (
        ActorRestarted(actor="one", incarnation=2, delay_ns=1_500_000_000),
        "one runs again (restart 2, after 1.5 s)",
    ),
    (ActorRestarted(actor="one", incarnation=1, delay_ns=0), "one runs again (restart 1)"),
    (ActorGaveUp(actor="one", reason="too often"), "one stays down, because too often"),
    (_ASIDE, "one sets message 9 (Fill) aside after 3 attempts: ValueError: no"),
    (Overtaken("orders", 9), "orders handles message 9 after later ones"),
    (Halt("loss"), "no new orders, for good, because loss"),
    (Halt("loss", final=False), "no new orders, until it is lifted, because loss"),
    (HaltLifted("loss"), "orders may come again, acknowledged: loss"),
    (Trip("loss", "control"), "control wants a halt, because loss"),
    (Resume("loss"), "lift the halt, acknowledging loss"),
    (Resumed(last_ns=START_NS), "a new process goes on from 2023-11-14T22:13:20Z"),
    (Heartbeat(source="me", within_ns=30_000_000_000), "me lives; the next within 30.0 s"),
    (Heartbeat(source="me", within_ns=0, is_last=True), "me leaves"),
    (_HALTED, "halted, because loss (daily_loss); orders still open: 2; halted"),
    (
        KillSwitchChanged(causes=_HALTED.causes),
        "halted, because loss (daily_loss); orders still open: nobody knows how many",
    ),
    (KillSwitchChanged(note="the halt is lifted"), "not halted; the halt is lifted"),
    (Alarm(source="kill switch", text="still open", time_ns=0), "kill switch: still open"),
    (_ALERT, "THIN BTC raised: 2 left"),
    (Logged(strategy="one", text="hello", time_ns=0), "hello"),
    (Archived(kind="order", key=_ID, state="{}"), f"order {_ID} is kept in the journal only"),
    (CancelAll("the run ends"), "cancel every order, because the run ends"),
    (CancelAllAtVenue("loss"), "cancel whatever works at the venue, because loss"),
    (CancelStrategy("one", "gone"), "cancel every order of one, take no more, because gone"),
]


@pytest.mark.parametrize(
    ("message", "words"), SAID, ids=[f"{i}-{type(m).__name__}" for i, (m, _) in enumerate(SAID)]
)
def test_a_message_says_what_counts(message: Any, words: str) -> None:
    assert in_words(message) == words


def test_every_message_that_a_journal_may_hold_has_words() -> None:
    types = set(journaled_types())
    assert set(WORDINGS) == types
    assert {type(message) for message, _ in SAID} == types


def test_what_is_no_message_has_none() -> None:
    assert in_words(object()) == ""
