"""A venue that exists only here: its order desk, and the way there and back."""

from collections.abc import Iterable
from typing import Any, assert_never

from actors.actor import Context, Later
from actors.brokers.desk import Desk, Matcher
from actors.brokers.latency import LatencyModel
from actors.brokers.open_orders import OpenOrder
from actors.brokers.recovery import held_orders
from actors.brokers.venue_market import VenueMarket
from actors.messages.slices import MarketData, Slice
from actors.messages.system import CancelAllAtVenue
from actors.messages.trading import (
    CancelArrived,
    CancelPlacedOrder,
    ExecutionReport,
    OrderArrived,
    PlaceOrder,
)
from actors.model.instrument import Instruments
from actors.model.order import Order

BrokerInput = (
    PlaceOrder | OrderArrived | CancelPlacedOrder | CancelArrived | CancelAllAtVenue | MarketData
)
BrokerOutput = ExecutionReport | Later


class Venue:
    """The broker of a simulated venue, which is the venue itself.

    An order that comes twice is not heard again; an order that finds no price waits for one, unless
    it is IOC or FOK. A resolution ends all orders of its instrument, and refuses new ones;
    ``CancelAllAtVenue`` does so for every instrument, without latency. DOWN and UP of a feed say
    nothing of the venue: orders go on matching the last known prices.
    """

    def __init__(
        self, context: Context, instruments: Instruments, latency: LatencyModel, matcher: Matcher
    ) -> None:
        self._random = context.random
        self._latency = latency
        self._desk = Desk(instruments, matcher)
        self._arrived: set[str] = set()
        self.market = matcher.market
        """What the venue shows; the next incarnation inherits it."""

    def open_orders(self) -> list[OpenOrder]:
        """Return what the venue holds, by instrument and side, in the order of trading."""
        return self._desk.open_orders()

    # --- core --------------------------------------------------------------------------------

    def start(self, now_ns: int) -> list[BrokerOutput]:
        """Return nothing: orders come from outside."""
        return []

    def stop(self, now_ns: int) -> list[BrokerOutput]:
        """Return nothing: the venue goes on without us."""
        return []

    def handle(self, message: BrokerInput, now_ns: int) -> list[BrokerOutput]:
        """Return the venue's reports, or what is on its way to or from it."""
        if isinstance(message, PlaceOrder):  # every order: outside of ``match``, which is slower
            delay = self._latency.submit_delay(now_ns, self._random)
            if delay:
                return [Later(OrderArrived(order=message.order), now_ns + delay)]
            return self._arrive(message.order, now_ns)
        match message:
            case OrderArrived():
                return self._arrive(message.order, now_ns)
            case CancelPlacedOrder():
                delay = self._latency.cancel_delay(now_ns, self._random)
                if delay:
                    arrival = CancelArrived(
                        client_order_id=message.client_order_id, instrument=message.instrument
                    )
                    return [Later(arrival, now_ns + delay)]
                return self._send([self._desk.cancel(message.client_order_id, now_ns)], now_ns)
            case CancelArrived():
                return self._send([self._desk.cancel(message.client_order_id, now_ns)], now_ns)
            case CancelAllAtVenue():
                return self._send(self._desk.close(message.cause, now_ns), now_ns)
            case MarketData():
                return self._pass_rows(message.rows)
            case _:
                assert_never(message)

    def inherit(self, market: VenueMarket) -> None:
        """Take over the market as the incarnation before knew it: a crash is not the venue's."""
        self.market = self._desk.matcher.market = market

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Rebuild the open orders from what was received and sent."""
        past = held_orders(history)
        self._arrived = past.arrived
        self.market.keep_takes(past.trade_ids)
        for held in past.held:
            self._desk.restore(held)
        self._desk.closed = past.closed

    # --- the way there and back --------------------------------------------------------------

    def _arrive(self, order: Order, now_ns: int) -> list[BrokerOutput]:
        """Hand an order to the desk; one that comes twice is not heard again."""
        order_id = order.client_order_id
        if order_id in self._arrived:
            return []
        self._arrived.add(order_id)
        return self._send(self._desk.place(order, now_ns), now_ns)

    def _send(self, reports: list[ExecutionReport], now_ns: int) -> list[BrokerOutput]:
        if not reports:
            return []
        delay = self._latency.report_delay(now_ns, self._random)
        if delay:
            return [Later(report, now_ns + delay) for report in reports]
        return [*reports]

    # --- market rows -------------------------------------------------------------------------

    def advance(self, rows: Slice, stop: int) -> None:
        """Take notice of the rows before ``stop``."""
        self.market.advance(rows, stop)

    def look(self, rows: Slice, start: int, stop: int) -> int:
        """Return the first row in ``[start, stop)`` that may move an open order, or ``stop``."""
        return self._desk.look(rows, start, stop)

    def react(self, rows: Slice, row: int, now_ns: int) -> list[BrokerOutput]:
        """Match the open orders of a row's instrument against it."""
        return self._send(self._desk.react(rows, row, now_ns), now_ns)

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
