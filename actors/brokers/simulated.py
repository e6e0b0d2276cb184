"""A simulated venue: matches orders against the recorded or generated market."""

from collections.abc import Iterable
from typing import Any, assert_never

import attrs

from actors.actor import Context, Later
from actors.brokers.commission import CommissionModel, NoCommission
from actors.brokers.latency import ConstantLatency, LatencyModel
from actors.brokers.matcher import Matcher
from actors.brokers.open_orders import OpenOrder, OpenOrders
from actors.brokers.recovery import WAITS, held_orders
from actors.brokers.reports import Reporter
from actors.brokers.slippage import NoSlippage, SlippageModel
from actors.brokers.venue_market import VenueMarket
from actors.brokers.watch import Watch
from actors.messages.market import EventKind
from actors.messages.slices import MarketData, Slice
from actors.messages.trading import (
    CancelArrived,
    CancelPlacedOrder,
    ExecutionReport,
    OrderArrived,
    PlaceOrder,
    ReportKind,
)
from actors.model.instrument import Instruments
from actors.model.order import Order

BrokerInput = PlaceOrder | OrderArrived | CancelPlacedOrder | CancelArrived | MarketData
BrokerOutput = ExecutionReport | Later


@attrs.frozen(kw_only=True)
class SimulatedBrokerConfig:
    """How the simulated venue differs from an ideal one.

    Attributes:
        latency: How long messages are on their way.
        commission: What a trade costs.
        slippage: How much worse than shown an order is filled that takes.
        venue: The name in the reports.
        partial_fills: Whether shown sizes limit what trades. If not, every order fills whole at
            the best price.
    """

    latency: LatencyModel = attrs.field(factory=ConstantLatency)
    commission: CommissionModel = attrs.field(factory=NoCommission)
    slippage: SlippageModel = attrs.field(factory=NoSlippage)
    venue: str = "simulated"
    partial_fills: bool = True


class SimulatedBroker:
    """Holds the open orders of a venue that exists only here, and matches them.

    - What takes walks the book, or fills against the best quote, up to the sizes shown; they are
      shown anew by the instrument's next quote. Without quotes, a bar's close or a trade's price
      has room for everything. The market does not notice our orders beyond that.
    - What rests trades at its limit when a later quote or trade reaches it, up to the size quoted;
      in a bar that reaches it, whole, at the limit or at the open if that is better.
    - What is left of a market order waits for the next quotes. An order that finds no price, or a
      book with a gap, waits for the first price and takes then; IOC and FOK do not wait.
    - A resolution ends all orders of its instrument, and refuses new ones.
    - DOWN and UP of a feed say nothing of the venue: orders go on matching the last known prices.
    """

    def __init__(
        self,
        context: Context,
        instruments: Instruments,
        config: SimulatedBrokerConfig | None = None,
    ) -> None:
        config = config or SimulatedBrokerConfig()
        self.market = VenueMarket(instruments, keeps_books=config.partial_fills)
        """What the venue shows; the next incarnation inherits it."""
        self._instruments = instruments
        self._random = context.random
        self._latency = config.latency
        self._reporter = Reporter(config.venue, config.commission)
        self._matcher = Matcher(
            instruments,
            self.market,
            self._reporter,
            config.slippage,
            partial_fills=config.partial_fills,
        )
        self._orders = OpenOrders()
        self._watch = Watch(instruments, self._orders)
        self._arrived: set[str] = set()
        self._count = 0

    def open_orders(self) -> list[OpenOrder]:
        """Return what the venue holds, by instrument, in the order in which it would trade."""
        indices = sorted(set(self._orders.instruments()))
        return [h for index in indices for sign in (1, -1) for h in self._orders.side(index, sign)]

    # --- core --------------------------------------------------------------------------------

    def start(self, now_ns: int) -> list[BrokerOutput]:
        """Return nothing: orders come from outside."""
        return []

    def stop(self, now_ns: int) -> list[BrokerOutput]:
        """Return nothing: the venue goes on without us."""
        return []

    def handle(self, message: BrokerInput, now_ns: int) -> list[BrokerOutput]:
        """Return the venue's reports, or what is on its way to or from it."""
        match message:
            case PlaceOrder():
                delay = self._latency.submit_delay(now_ns, self._random)
                if delay:
                    return [Later(OrderArrived(order=message.order), now_ns + delay)]
                return self._send(self._arrive(message.order, now_ns), now_ns)
            case OrderArrived():
                return self._send(self._arrive(message.order, now_ns), now_ns)
            case CancelPlacedOrder():
                delay = self._latency.cancel_delay(now_ns, self._random)
                if delay:
                    arrival = CancelArrived(
                        client_order_id=message.client_order_id, instrument=message.instrument
                    )
                    return [Later(arrival, now_ns + delay)]
                return self._send([self._cancel(message.client_order_id, now_ns)], now_ns)
            case CancelArrived():
                return self._send([self._cancel(message.client_order_id, now_ns)], now_ns)
            case MarketData():
                return self._pass_rows(message.rows)
            case _:
                assert_never(message)

    def inherit(self, market: VenueMarket) -> None:
        """Take over the market as the incarnation before knew it: a crash is not the venue's."""
        self.market = self._matcher.market = market

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Rebuild the open orders from what was received and sent."""
        held, self._arrived = held_orders(history)
        for each in held:
            known = self._read(each.order)
            if isinstance(known, OpenOrder):
                instrument = self._instruments[known.index]
                known.leaves -= instrument.lots(each.filled)
                known.trades = each.trades
                known.takes = known.limit is None or (each.waits and not each.trades)
                self._orders.add(known)

    # --- orders ------------------------------------------------------------------------------

    def _arrive(self, order: Order, now_ns: int) -> list[ExecutionReport]:
        """Take an order in; one that comes twice is not heard again."""
        order_id = order.client_order_id
        if order_id in self._arrived:
            return []
        self._arrived.add(order_id)
        held = self._read(order)
        if isinstance(held, str):
            return [self._reporter.say(ReportKind.REJECTED, order_id, now_ns, held)]
        if held.is_post_only and self._matcher.would_take(held):
            reason = "post-only, but it would take"
            return [self._reporter.say(ReportKind.REJECTED, order_id, now_ns, reason)]
        return self._match_new(held, now_ns)

    def _match_new(self, held: OpenOrder, now_ns: int) -> list[ExecutionReport]:
        """Accept an order, let it take, and keep or cancel what is left of it."""
        order_id = held.order.client_order_id
        held.takes = not held.is_post_only
        levels = self._matcher.levels(held) if held.takes else None
        waits = held.takes and levels is None and held.may_rest
        reports = [
            self._reporter.say(ReportKind.ACCEPTED, order_id, now_ns, WAITS if waits else "")
        ]
        if levels is not None:
            self._matcher.take(held, levels, now_ns, reports)
        if held.leaves and held.may_rest:
            self._orders.add(held)
        elif held.leaves:
            reason = f"{held.order.time_in_force}: not enough at its price"
            reports.append(self._reporter.say(ReportKind.CANCELLED, order_id, now_ns, reason))
        return reports

    def _read(self, order: Order) -> OpenOrder | str:
        """Return an order in ticks and lots, or why the venue refuses it."""
        if order.instrument not in self._instruments:
            return f"instrument {order.instrument} is not known"
        index = self._instruments.index(order.instrument)
        if self.market.is_resolved(index):
            return f"the market of {order.instrument} has resolved"
        instrument = self._instruments[index]
        limit = order.limit_price
        try:
            lots = instrument.lots(order.quantity)
            ticks = None if limit is None else instrument.ticks(limit)
        except ValueError as error:
            return str(error)
        self._count += 1
        return OpenOrder(order, index, order.side.sign, ticks, lots, self._count)

    def _cancel(self, client_order_id: str, now_ns: int) -> ExecutionReport:
        held = self._orders.get(client_order_id)
        if held is None:
            reason = "the order is not open"
            return self._reporter.say(ReportKind.CANCEL_REJECTED, client_order_id, now_ns, reason)
        self._orders.remove(held)
        return self._reporter.say(ReportKind.CANCELLED, client_order_id, now_ns)

    def _send(self, reports: list[ExecutionReport], now_ns: int) -> list[BrokerOutput]:
        delay = self._latency.report_delay(now_ns, self._random) if reports else 0
        if delay:
            return [Later(report, now_ns + delay) for report in reports]
        return [*reports]

    # --- market rows -------------------------------------------------------------------------

    def advance(self, rows: Slice, stop: int) -> None:
        """Take notice of the rows before ``stop``."""
        self.market.advance(rows, stop)

    def look(self, rows: Slice, start: int, stop: int) -> int:
        """Return the first row in ``[start, stop)`` that may move an open order, or ``stop``."""
        if not len(self._orders):
            return stop
        return self._watch.first(self.market, rows, start, stop)

    def react(self, rows: Slice, row: int, now_ns: int) -> list[BrokerOutput]:
        """Match the open orders of a row's instrument against it."""
        kind = int(rows.kind[row])
        index = int(rows.instrument[row])
        reports: list[ExecutionReport] = []
        if kind == EventKind.RESOLUTION:
            self._expire(index, now_ns, reports)
        elif kind < EventKind.BOOK and not self.market.is_gapped(index):
            for sign in (1, -1):
                for held in self._orders.side(index, sign):
                    if not self._meet(held, rows, row, now_ns, reports):
                        break
        return self._send(reports, now_ns)

    def _meet(
        self, held: OpenOrder, rows: Slice, row: int, now_ns: int, reports: list[ExecutionReport]
    ) -> bool:
        """Let an order trade at a row; return whether those behind it may be reached too."""
        if held.takes:
            levels = self._matcher.levels(held)
            if levels is not None:
                self._orders.remove(held)
                self._matcher.take(held, levels, now_ns, reports)
                if held.leaves:
                    self._orders.add(held)
            return True
        is_reached = self._matcher.provide(held, rows, row, now_ns, reports)
        if not held.leaves:
            self._orders.remove(held)
        return is_reached

    def _expire(self, index: int, now_ns: int, reports: list[ExecutionReport]) -> None:
        for sign in (1, -1):
            for held in self._orders.side(index, sign):
                self._orders.remove(held)
                reports.append(
                    self._reporter.say(
                        ReportKind.EXPIRED, held.order.client_order_id, now_ns, "market resolved"
                    )
                )

    def _pass_rows(self, rows: Slice) -> list[BrokerOutput]:
        """Take rows as they arrive, each at its own time."""
        outputs: list[BrokerOutput] = []
        start, stop = 0, len(rows)
        times = rows.times()
        while start < stop:
            row = self.look(rows, start, stop)
            if row == stop:
                break
            self.advance(rows, row + 1)
            outputs += self.react(rows, row, times[row])
            start = row + 1
        self.advance(rows, stop)
        return outputs
