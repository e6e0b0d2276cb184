"""A remote broker to talk to, and a venue's answers to its calls."""

from decimal import Decimal
from typing import Any

from actors.actor import Later
from actors.brokers.capabilities import Capabilities
from actors.brokers.remote.broker import RemoteBroker
from actors.brokers.remote.config import RemoteBrokerConfig
from actors.messages.system import TimerFired
from actors.messages.trading import ExecutionReport, PlaceOrder, ReportKind
from actors.messages.venue import (
    CallKind,
    Outcome,
    VenueAnswer,
    VenueCall,
    VenueOrder,
    VenueTrade,
)
from actors.model.order import Order, OrderStatus, OrderType, Side
from actors.venues.traits import VenueTraits
from tests.builders import context

SECOND = 1_000_000_000
ID = "run-one-1"


def order(quantity: str = "5", limit: str = "10", order_id: str = ID, **fields: Any) -> Order:
    """Return a limit order to buy."""
    given: dict[str, Any] = {"order_type": OrderType.LIMIT, "limit_price": Decimal(limit), **fields}
    return Order(
        client_order_id=order_id,
        strategy="one",
        instrument="AAA",
        side=Side.BUY,
        quantity=Decimal(quantity),
        **given,
    )


def shown(
    status: OrderStatus = OrderStatus.WORKING,
    filled: str = "0",
    quantity: str = "5",
    limit: str | None = "10",
) -> VenueOrder:
    """Return that order as a venue shows it."""
    return VenueOrder(
        client_order_id=ID,
        venue_order_id="V1",
        instrument="AAA",
        side=Side.BUY,
        quantity=Decimal(quantity),
        filled_quantity=Decimal(filled),
        status=status,
        limit_price=None if limit is None else Decimal(limit),
    )


def trade(quantity: str = "5", trade_id: str = "T1", order_id: str = ID) -> VenueTrade:
    """Return a trade of that order."""
    return VenueTrade(
        venue="far",
        trade_id=trade_id,
        client_order_id=order_id,
        venue_order_id="V1",
        instrument="AAA",
        side=Side.BUY,
        quantity=Decimal(quantity),
        price=Decimal(10),
        venue_time_ns=7,
    )


class Talk:
    """A broker, what was said to it, and what it has asked."""

    def __init__(
        self,
        *,
        hides: int | None = 2 * SECOND,
        idempotent: bool = False,
        lacks: tuple[str, ...] = (),
        **options: Any,
    ) -> None:
        traits = VenueTraits(name="far", idempotent_submit=idempotent, hides_at_most_ns=hides)
        capabilities = Capabilities.without(lacks)
        self.config = RemoteBrokerConfig(traits=traits, capabilities=capabilities, **options)
        self.broker = RemoteBroker(context(actor="broker"), self.config)
        self.history: list[tuple[str, Any]] = []
        self.now_ns = 0
        self.calls: list[VenueCall] = []
        self._note(self.broker.start(0))

    def _note(self, outputs: list[Any]) -> list[Any]:
        self.history += [("sent", each) for each in outputs]
        self.calls += [each for each in outputs if isinstance(each, VenueCall)]
        return outputs

    def say(self, message: Any, at_s: float | None = None) -> list[Any]:
        """Tell the broker something; return what it says, without the timers of calls."""
        if at_s is not None:
            self.now_ns = round(at_s * SECOND)
        self.history += [("at", self.now_ns), ("received", message)]
        outputs = self._note(self.broker.handle(message, self.now_ns))
        return [each for each in outputs if not isinstance(each, Later)]

    def place(self, placed: Order | None = None, at_s: float = 0) -> VenueCall:
        """Place an order; return the call."""
        (call,) = self.say(PlaceOrder(order=placed or order()), at_s)
        assert isinstance(call, VenueCall)
        return call

    def answer(self, call: VenueCall, at_s: float | None = None, **fields: Any) -> list[Any]:
        """Answer a call."""
        return self.say(answer_to(call, **fields), at_s)

    def overdue(self, call: VenueCall) -> list[Any]:
        """Let the time of a call be over."""
        timer = TimerFired("broker", f"deadline {call.number}", call.deadline_ns)
        return self.say(timer, call.deadline_ns / SECOND)

    def last(self, kind: CallKind) -> VenueCall:
        """Return the last call of a kind."""
        return [call for call in self.calls if call.kind is kind][-1]

    def again(self) -> RemoteBroker:
        """Return a fresh broker that has recovered from the history."""
        fresh = RemoteBroker(context(actor="broker"), self.config)
        fresh.recover(iter(self.history))
        assert fresh.start(self.now_ns) == []
        return fresh


def answer_to(call: VenueCall, outcome: Outcome = Outcome.ANSWERED, **fields: Any) -> VenueAnswer:
    """Return an answer to a call."""
    return VenueAnswer(
        number=call.number,
        kind=call.kind,
        outcome=outcome,
        venue="far",
        venue_time_ns=3,
        client_order_id=call.client_order_id,
        **fields,
    )


def kinds(outputs: list[Any]) -> list[ReportKind]:
    """Return the kinds of all reports."""
    return [each.kind for each in outputs if isinstance(each, ExecutionReport)]
