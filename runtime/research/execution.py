"""What became of the orders of a run, and how well they were executed: from journal or result."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from actors.messages.system import ActorFailed
from actors.messages.trading import (
    ExecutionReport,
    Fill,
    FillSettled,
    OrderUpdate,
    PlaceOrder,
    ReplaceResult,
    Signal,
    SignalBatch,
    SignalRefused,
    SubmitOrder,
)
from actors.model.money import ZERO
from actors.model.order import Liquidity, Order, OrderStatus
from runtime.kernel.journal import Entry
from runtime.observe.result import RunResult
from runtime.research.measures.distributions import spread_of
from runtime.research.measures.trades import without_numbers

Stats = dict[str, dict[str, Any]]

_MS = 1_000_000
_BPS = 10_000
_CAUSES_KEPT = 4096
_TRADES = (Liquidity.TAKER, Liquidity.MAKER)
_NOT_SENT = frozenset({OrderStatus.RECEIVED, OrderStatus.VALIDATED, OrderStatus.DENIED})
_REFUSED = frozenset({OrderStatus.DENIED, OrderStatus.REJECTED})


@attrs.define
class _Progress:
    """One order as far as it has come."""

    order: Order
    is_placed: bool = False
    placed_ns: int | None = None
    """When it went to the venue; None once the venue has answered."""
    status: OrderStatus = OrderStatus.RECEIVED
    filled: Decimal = ZERO


class ExecutionLog:
    """Counts what happens to orders, entry by entry of a journal.

    Children of a schedule (``<parent>/1``) are counted as their parent.
    """

    def __init__(self) -> None:
        self.messages = 0
        self.errors = 0
        self._orders: dict[str, _Progress] = {}
        self._fills = 0
        self._commission = ZERO
        self._slippages: list[Decimal] = []
        self._slippages_bps: list[float] = []
        self._shortfall = ZERO
        self._arrival_notional = ZERO
        self._failed_trades = 0
        self._refusals: Counter[str] = Counter()
        self._rejections: Counter[str] = Counter()
        self._latencies_ns: dict[str, list[int]] = {"decide": [], "risk": [], "venue": []}
        self._times_ns: dict[int, int] = {}
        self._kept: deque[int] = deque()
        self._signals_ns: dict[str, int] = {}
        self._takers: Mapping[type, Callable[[Any, Entry], None]] = {
            Signal: self._signal,
            SignalBatch: self._batch,
            SubmitOrder: self._submit,
            PlaceOrder: self._place,
            ExecutionReport: self._report,
            OrderUpdate: self._update,
            Fill: self._fill,
            FillSettled: self._settled,
            ReplaceResult: self._replaced,
            SignalRefused: self._refused,
            ActorFailed: self._failure,
        }

    def take(self, entry: Entry) -> None:
        """Take the next entry; what is to be delivered later counts when it is delivered."""
        if entry.due_ns is not None:
            return
        self.messages += 1
        self._times_ns[entry.sequence] = entry.time_ns
        self._kept.append(entry.sequence)
        if len(self._kept) > _CAUSES_KEPT:
            del self._times_ns[self._kept.popleft()]
        taker = self._takers.get(type(entry.message))
        if taker is not None:
            taker(entry.message, entry)

    def take_result(self, result: RunResult) -> None:
        """Take everything that a result tells: all but times on the way and late failures."""
        for row in result.orders:
            progress = _Progress(order=row.order, status=row.status)
            progress.is_placed = row.status not in _NOT_SENT
            self._orders[row.order.client_order_id] = progress
            if row.status in _REFUSED:
                self._rejections[without_numbers(row.reason)] += 1
        for fill in result.fills:
            self._count(fill.fill)
        self._refusals.update(result.refusals)
        self.errors = sum(isinstance(row.event, ActorFailed) for row in result.system)
        self.messages = result.messages

    # --- what it came to -------------------------------------------------------------------------

    def stats(self, events: int | None = None) -> Stats:
        """Return the groups ``engine_stats``, ``broker_stats`` and ``order_stats``.

        ``avg_slippage_per_fill`` is in money a unit: how much worse than its order's arrival price
        an execution was (better: negative), where that price is known. ``fill_rate`` is the share
        of the orders that went to the broker which were filled whole. None where there is nothing.

        Args:
            events: Market rows that passed; without it, messages are what was processed.
        """
        orders = self._orders.values()
        placed = sum(each.is_placed for each in orders)
        statuses = Counter(each.status for each in orders)
        filled = statuses[OrderStatus.FILLED]
        known = len(self._slippages)
        return {
            "engine_stats": {
                "events_processed": self.messages if events is None else events,
                "orders_executed": sum(each.filled > 0 for each in orders),
                "fills_generated": self._fills,
                "errors_encountered": self.errors,
            },
            "broker_stats": {
                "total_orders": placed,
                "fill_rate": filled / placed if placed else None,
                "avg_commission_per_fill": (
                    float(self._commission / self._fills) if self._fills else None
                ),
                "avg_slippage_per_fill": (
                    float(sum(self._slippages, ZERO) / known) if known else None
                ),
            },
            "order_stats": {
                "total_created": len(self._orders),
                "total_submitted": placed,
                "total_filled": filled,
                "total_cancelled": statuses[OrderStatus.CANCELLED],
                "total_rejected": sum(statuses[status] for status in _REFUSED),
            },
        }

    def quality(self) -> dict[str, Any]:
        """Return how well orders were executed.

        ================= ======================================================================
        name              is
        ================= ======================================================================
        fill_ratio        filled quantity per quantity of each order that went out, their mean
        shortfall         money lost to the arrival prices (gained: negative), commissions aside
        shortfall_bps     the same in 1/10,000 of what the fills would have cost at arrival
        slippage_bps      spread of each fill's slippage, in 1/10,000 of the arrival price
        latency_ms        spread of the time from the market row to the signal (``decide``), from
                          the signal to the approved order (``risk``), and from the order's going
                          out to the venue's first answer (``venue``)
        refused_by        how often each policy refused a signal
        rejected_because  how often orders were rejected or denied, by reason (numbers: #)
        failed_trades     provisional trades that came to nothing
        ================= ======================================================================

        Source: Perold (1988), "The Implementation Shortfall: Paper Versus Reality".
        """
        shares = [
            float(each.filled / each.order.quantity)
            for each in self._orders.values()
            if each.is_placed
        ]
        has_arrival = bool(self._arrival_notional)
        return {
            "fill_ratio": sum(shares) / len(shares) if shares else None,
            "shortfall": str(self._shortfall) if self._slippages else None,
            "shortfall_bps": (
                float(self._shortfall / self._arrival_notional * _BPS) if has_arrival else None
            ),
            "slippage_bps": spread_of(self._slippages_bps),
            "latency_ms": {
                stage: spread_of([each / _MS for each in taken])
                for stage, taken in self._latencies_ns.items()
            },
            "refused_by": dict(sorted(self._refusals.items())),
            "rejected_because": dict(sorted(self._rejections.items())),
            "failed_trades": self._failed_trades,
        }

    # --- entries ---------------------------------------------------------------------------------

    def _batch(self, batch: SignalBatch, entry: Entry) -> None:
        for signal in batch.signals:
            self._signal(signal, entry)

    def _signal(self, signal: Signal, entry: Entry) -> None:
        self._signals_ns[signal.signal_id] = entry.time_ns
        begun_ns = self._times_ns.get(entry.cause)
        if begun_ns is not None:
            self._latencies_ns["decide"].append(entry.time_ns - begun_ns)

    def _submit(self, submit: SubmitOrder, entry: Entry) -> None:
        order = submit.order
        self._orders[order.client_order_id] = _Progress(order=order)
        asked_ns = self._signals_ns.pop(order.client_order_id, None)
        if asked_ns is not None:
            self._latencies_ns["risk"].append(entry.time_ns - asked_ns)

    def _place(self, place: PlaceOrder, entry: Entry) -> None:
        progress = self._of(place.order.client_order_id)
        if progress is not None and not progress.is_placed:
            progress.is_placed = True
            progress.placed_ns = entry.time_ns

    def _report(self, report: ExecutionReport, entry: Entry) -> None:
        progress = self._of(report.client_order_id)
        if progress is not None and progress.placed_ns is not None:
            self._latencies_ns["venue"].append(entry.time_ns - progress.placed_ns)
            progress.placed_ns = None

    def _update(self, update: OrderUpdate, _entry: Entry) -> None:
        progress = self._of(update.client_order_id)
        if progress is None:
            return
        if update.status in _REFUSED and progress.status not in _REFUSED:
            self._rejections[without_numbers(update.reason)] += 1
        progress.status = update.status

    def _fill(self, fill: Fill, _entry: Entry) -> None:
        self._count(fill)

    def _settled(self, settled: FillSettled, _entry: Entry) -> None:
        self._failed_trades += settled.failed

    def _replaced(self, result: ReplaceResult, _entry: Entry) -> None:
        progress = self._of(result.client_order_id)
        if progress is not None:
            progress.order = result.order

    def _refused(self, refused: SignalRefused, _entry: Entry) -> None:
        self._signals_ns.pop(refused.signal_id, None)
        self._refusals.update(violation.policy for violation in refused.violations)

    def _failure(self, _failed: ActorFailed, _entry: Entry) -> None:
        self.errors += 1

    def _of(self, order_id: str) -> _Progress | None:
        return self._orders.get(order_id) or self._orders.get(order_id.partition("/")[0])

    def _count(self, fill: Fill) -> None:
        progress = self._of(fill.client_order_id)
        if fill.liquidity not in _TRADES:
            return
        self._fills += 1
        self._commission += fill.commission
        if progress is None:
            return
        progress.filled += fill.last_quantity
        arrival = progress.order.arrival_price
        if arrival is None:
            return
        worse = (fill.last_price - arrival) * fill.side.sign
        self._slippages.append(worse)
        self._shortfall += worse * fill.last_quantity
        self._arrival_notional += abs(arrival) * fill.last_quantity
        if arrival:
            self._slippages_bps.append(float(worse / abs(arrival)) * _BPS)


TYPES_READ = frozenset(
    {
        "MarketRow",
        "TimerFired",
        "Signal",
        "SignalBatch",
        "SubmitOrder",
        "PlaceOrder",
        "ExecutionReport",
        "OrderUpdate",
        "Fill",
        "FillSettled",
        "ReplaceResult",
        "SignalRefused",
        "ActorFailed",
    }
)
"""The message types from which execution is judged; causes among them."""


def get_execution_stats(source: RunResult | Iterable[Entry], *, events: int | None = None) -> Stats:
    """Return ``engine_stats``, ``broker_stats`` and ``order_stats`` of a run.

    Args:
        source: The entries of its journal (:func:`runtime.kernel.journal.read_journal`), or its
            result. A result does not know whether an order that was cancelled had been sent; it
            counts it as sent.
        events: Market rows that passed, which a journal does not hold.
    """
    log = ExecutionLog()
    if isinstance(source, RunResult):
        log.take_result(source)
        return log.stats(source.events if events is None else events)
    for entry in source:
        log.take(entry)
    return log.stats(events)
