"""The order manager: owns every order's life, from the portfolio's yes to the venue's last word."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, assert_never

from actors.actor import Context
from actors.errors import OrderStateError
from actors.messages.reconciliation import ResolveDifference, VenueOrders
from actors.messages.system import (
    CancelAll,
    CancelStrategy,
    Halt,
    HaltLifted,
    Resumed,
    TimerFired,
)
from actors.messages.trading import (
    CancelOrder,
    CancelOrders,
    ExecutionReport,
    ReplaceOrder,
    ReportKind,
    SubmitOrder,
)
from actors.model.instrument import Instruments
from actors.model.order import OrderStatus
from actors.orders.ageing import AGEING, Ageing
from actors.orders.asks import Asks
from actors.orders.changes import Changes
from actors.orders.config import OrderManagerConfig
from actors.orders.contingent import RETRY, Contingents
from actors.orders.doubts import DOUBT, Doubts
from actors.orders.fill_check import FillCheck
from actors.orders.guard import DuplicateGuard
from actors.orders.memory import Memory
from actors.orders.outputs import Output
from actors.orders.parts import Parts
from actors.orders.reconciliation.reconciliation import Ours, Reconciliation
from actors.orders.records import OrderRecord
from actors.orders.registry import Registry
from actors.orders.reports import Reports
from actors.orders.requests import Requests
from actors.orders.resumption import Resumption
from actors.orders.trades import Trades
from actors.orders.validation import FillValidator

OrderInput = (
    SubmitOrder
    | ReplaceOrder
    | CancelOrder
    | CancelOrders
    | ExecutionReport
    | TimerFired
    | Halt
    | HaltLifted
    | CancelAll
    | CancelStrategy
    | Resumed
    | VenueOrders
    | ResolveDifference
)
OrderOutput = Output
_SystemsWord = Halt | HaltLifted | CancelAll | CancelStrategy | Resumed
_Other = (
    CancelOrder
    | ReplaceOrder
    | CancelOrders
    | TimerFired
    | VenueOrders
    | ResolveDifference
    | _SystemsWord
)

_TRADE = ReportKind.TRADE  # on Python 3.11 looking a member up costs as much as a call


class OrderManager:
    """Validates, tracks, changes and cancels orders; turns venues' reports into fills and updates.

    Everything may come twice: an order id that was seen, a trade that was applied and news that
    change nothing are ignored. A report that contradicts what is known (an order that nobody
    placed, a trade that would fill more than was ordered) raises :class:`OrderStateError` and
    changes nothing: the runtime sets it aside with its place in the journal and tells, so that a
    wrong position is never booked in silence.

    The rooms it dispatches to: requests, trades and other reports; alternatives and exits
    (:mod:`actors.orders.contingent`), scheduled orders (:mod:`actors.orders.parts`), orders in
    doubt (:mod:`actors.orders.doubts`), the venue's own lists
    (:mod:`actors.orders.reconciliation`), and what was evicted (:mod:`actors.orders.memory`).
    """

    def __init__(
        self, context: Context, instruments: Instruments, config: OrderManagerConfig | None = None
    ) -> None:
        config = config or OrderManagerConfig()
        is_limited = config.max_completed_orders is not None
        has_archive = is_limited and context.archive is not None
        registry = self._registry = Registry(config.max_completed_orders, has_archive=has_archive)
        memory = self._memory = Memory(context, registry) if has_archive else None
        asks = Asks(registry)
        parts = self._parts = Parts(context.actor, registry, asks, instruments)
        contingents = self._contingents = Contingents(
            context.actor, registry, asks, parts, instruments
        )
        changes = Changes(asks, contingents)
        max_age_ns = config.max_age_ns
        ageing = None if max_age_ns is None else Ageing(context.actor, registry, max_age_ns)
        requests = self._requests = Requests(registry, contingents, parts, instruments, ageing)
        requests.validates = config.validation_enabled
        requests.memory = memory
        if config.duplicate_guard:
            requests.guard = DuplicateGuard(config.duplicate_timeout_ns)
        self._submit = requests.submit
        doubts = self._doubts = Doubts(context.actor, registry, config)
        self._in_doubt = doubts.open
        trades = Trades(registry, asks, changes, contingents, parts)
        check = FillCheck(registry, instruments, FillValidator(), trades.apply, memory)
        self._trade = check.apply
        reports = Reports(asks, changes, contingents, parts, doubts)
        reports.memory = memory
        self._report = reports.apply
        self._reconciliation = Reconciliation(
            Ours(registry, memory, doubts), instruments, config, self._hear
        )
        self._resumption = Resumption(registry, contingents, parts, ageing, doubts)
        self._is_remote = config.remote

    # --- look-ups ----------------------------------------------------------------------------

    def orders(self) -> Iterator[OrderRecord]:
        """Yield every order that is not evicted, in the order of receipt."""
        return iter(self._registry.records.values())

    def open_orders(self, strategy: str | None = None) -> list[OrderRecord]:
        """Return the orders that are not over, in the order of receipt."""
        return self._registry.open_orders(strategy)

    def order(self, client_order_id: str) -> OrderRecord | None:
        """Return an order by our id, or None."""
        return self._registry.records.get(client_order_id)

    def get_order(self, order_id: str) -> OrderRecord | None:
        """Return an order by our id, a scheduled order's part too; or None."""
        return self._registry.records.get(order_id) or self._registry.parts.get(order_id)

    def get_status(self, order_id: str) -> OrderStatus | None:
        """Return where an order is, or None if it is not known."""
        record = self.get_order(order_id)
        return None if record is None else record.status

    def get_active_orders(self) -> list[OrderRecord]:
        """Return the orders that are not over, in the order of receipt."""
        return self._registry.open_orders()

    def get_pending_orders(self) -> list[OrderRecord]:
        """Return the orders that are not over and have not traded, in the order of receipt."""
        return [record for record in self._registry.open_orders() if not record.trade_ids]

    @property
    def active_orders(self) -> dict[str, OrderRecord]:
        """Return the orders that are not over, by id."""
        return dict(self._registry.open)

    @property
    def completed_orders(self) -> dict[str, OrderRecord]:
        """Return the orders that are over and not evicted, by id."""
        return {each.order.client_order_id: each for each in self._registry.completed()}

    def shortfall(self, order_id: str) -> Decimal | None:
        """Return :attr:`OrderRecord.shortfall` of an order; None if it is not known."""
        record = self.get_order(order_id)
        return None if record is None else record.shortfall

    @property
    def evicted_orders(self) -> int:
        """Return how many orders were forgotten; the journal has them."""
        return self._registry.evicted

    @property
    def refused_duplicates(self) -> int:
        """Return how many orders the duplicate guard has denied."""
        return 0 if self._requests.guard is None else self._requests.guard.refused

    def cleanup_old_orders(self) -> int:
        """Forget every order that is over and that nothing waits for; return how many were.

        Where an archive remembers them, they go by themselves: nothing is done then.
        """
        if self._memory is not None:
            return 0
        self._registry.add_all_completed()
        return len(self._registry.evict(0))

    # --- core --------------------------------------------------------------------------------

    def start(self, now_ns: int) -> list[Any]:
        """Return nothing: orders come from outside; timers outlive the core that set them."""
        return []

    def stop(self, now_ns: int) -> list[Any]:
        """Return nothing: whether to cancel at the end is the system's to say."""
        return []

    def handle(self, message: OrderInput, now_ns: int) -> list[OrderOutput]:
        """Return what a request or a report leads to.

        Raises:
            OrderStateError: If a report contradicts what is known; nothing has changed then.
        """
        # The two that every order brings come first, and outside of ``match``, which is slower.
        if isinstance(message, ExecutionReport):
            apply = self._trade if message.kind is _TRADE else self._report
            outputs = apply(message, now_ns)
            if self._in_doubt:
                outputs += self._explained(message, now_ns)
        elif isinstance(message, SubmitOrder):
            outputs = self._submit(message.order, now_ns)
        else:
            outputs = self._other(message, now_ns)
        if self._registry.is_crowded:
            return outputs + self._evict()
        return outputs

    def _hear(self, report: ExecutionReport, now_ns: int) -> list[OrderOutput]:
        """Apply a report that the venue's lists stand for."""
        apply = self._trade if report.kind is _TRADE else self._report
        return apply(report, now_ns) + self._explained(report, now_ns)

    def _explained(self, report: ExecutionReport, now_ns: int) -> list[OrderOutput]:
        """Return what follows a report that ends a doubt, after it was applied."""
        if self._doubts.heard(report):
            return self._reconciliation.explained(report.client_order_id, now_ns)
        return []

    def _evict(self) -> list[OrderOutput]:
        if self._memory is None:
            self._registry.evict()
            return []
        return [*self._memory.evict()]

    def _other(self, message: _Other, now_ns: int) -> list[OrderOutput]:
        requests = self._requests
        match message:
            case CancelOrder():
                return requests.cancel(message, now_ns)
            case ReplaceOrder():
                return requests.replace(message, now_ns)
            case CancelOrders():
                return requests.cancel_some(message, now_ns)
            case TimerFired():
                return self._tick(message, now_ns)
            case VenueOrders():
                return self._reconciliation.compare(message, now_ns)
            case ResolveDifference():
                return self._reconciliation.resolve(message, now_ns)
            case _:
                return self._obey(message, now_ns)

    def _obey(self, message: _SystemsWord, now_ns: int) -> list[OrderOutput]:
        match message:
            case Halt():
                return self._requests.halt(message.cause, now_ns, is_final=message.final)
            case HaltLifted():
                return self._requests.lift_halt(message.cause)
            case CancelAll():
                return self._requests.cancel_all(None, message.cause, now_ns)
            case CancelStrategy():
                return self._requests.stop_strategy(message.strategy, message.cause, now_ns)
            case Resumed():
                self._requests.go_on()
                if self._is_remote:
                    self._requests.stale_ns = message.last_ns
                return self._resumption.resume(now_ns, is_remote=self._is_remote)
            case _:
                assert_never(message)

    def _tick(self, timer: TimerFired, now_ns: int) -> list[OrderOutput]:
        if timer.name == AGEING:
            return self._requests.age(timer, now_ns)
        if timer.name.startswith(RETRY):
            return self._contingents.retry(timer, now_ns)
        if timer.name.startswith(DOUBT):
            return self._doubts.tick(timer, now_ns)
        record, outputs = self._parts.tick(timer, now_ns)
        if record is not None:
            outputs += self._contingents.after(record, now_ns)
        return outputs

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Rebuild by handling what was received again; what it led to was sent already.

        The times are those of the history, where it tells them. Else they are the latest that the
        messages tell (of approvals, of venues and of timers). A report that was refused the first
        time is refused again.
        """
        now_ns = 0
        is_told = False
        memory = self._memory
        for direction, message in history:
            if direction == "at":
                now_ns, is_told = message, True
                if memory is not None:
                    memory.replays(now_ns)
            if direction != "received":
                continue
            if not is_told:
                now_ns = max(now_ns, _time_of(message))
            try:
                self.handle(message, now_ns)
            except OrderStateError:
                continue
        if memory is not None:
            memory.replays(None)


def _time_of(message: Any) -> int:
    """Return the time that a message tells, 0 if none."""
    match message:
        case ExecutionReport():
            return message.venue_time_ns
        case SubmitOrder() | ReplaceOrder():
            return message.order.created_ns
        case TimerFired():
            return message.at_ns
        case _:
            return 0
