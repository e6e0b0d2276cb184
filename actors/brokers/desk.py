"""A venue's order desk: takes orders in, holds them, and lets them match; without any delay."""

from functools import lru_cache
from typing import Protocol

from actors.brokers.open_orders import OpenOrder, OpenOrders
from actors.brokers.recovery import RESTS, WAITS, HeldOrder
from actors.brokers.reports import Reporter
from actors.brokers.venue_market import VenueMarket
from actors.brokers.watch import Watch
from actors.messages.market import EventKind
from actors.messages.slices import Slice
from actors.messages.trading import ExecutionReport, ReportKind
from actors.model.instrument import Instruments
from actors.model.money import to_steps
from actors.model.order import Order, Side

_BUY = Side.BUY
_steps = lru_cache(maxsize=4096)(to_steps)
"""Quantities and limits repeat from order to order: remembering them is faster than dividing."""


class Matcher(Protocol):
    """How orders trade against the market."""

    market: VenueMarket
    reporter: Reporter

    def refusal(self, held: OpenOrder) -> str | None:
        """Return why the venue does not accept an order that has just come, or None."""
        ...

    def take(self, held: OpenOrder, now_ns: int) -> list[ExecutionReport] | None:
        """Let an order take what it can get now; None if no price is known.

        What is left of it takes again at the next price, or rests if ``held.takes`` is False.
        """
        ...

    def provide(
        self, held: OpenOrder, rows: Slice, row: int, now_ns: int
    ) -> list[ExecutionReport] | None:
        """Let a resting order trade at a row that has just been shown; None if out of reach."""
        ...


class Desk:
    """Holds the open orders; every change of them is in the reports that it returns.

    ``closed`` is why no orders are taken any more, or None.
    """

    def __init__(self, instruments: Instruments, matcher: Matcher) -> None:
        self.closed: str | None = None
        self.matcher = matcher
        self._instruments = instruments
        self._reporter = matcher.reporter
        self._orders = OpenOrders()
        self._watch = Watch(instruments, self._orders)
        self._count = 0

    def open_orders(self) -> list[OpenOrder]:
        """Return what is open, by instrument and side, in the order of trading."""
        indices = sorted(set(self._orders.instruments()))
        return [held for index in indices for held in self._both_sides(index)]

    def restore(self, past: HeldOrder) -> None:
        """Take an order in again that was accepted earlier."""
        held = self._read(past.order)
        held.leaves -= held.instrument.lots(past.filled)
        held.trades = past.trades
        held.takes = held.limit is None or (past.waits and not past.trades)
        self._orders.add(held)

    # --- orders ------------------------------------------------------------------------------

    def place(self, order: Order, now_ns: int) -> list[ExecutionReport]:
        """Accept an order and match it, or reject it."""
        try:
            held = self._read(order)
        except KeyError:
            return self._reject(order, now_ns, f"instrument {order.instrument} is not known")
        except (ValueError, TypeError) as error:  # a signalling NaN has no hash
            return self._reject(order, now_ns, str(error))
        if self.closed is not None:
            return self._reject(order, now_ns, f"closed: {self.closed}")
        if self.matcher.market.is_resolved(held.index):
            return self._reject(order, now_ns, f"the market of {order.instrument} has resolved")
        refusal = self.matcher.refusal(held)
        if refusal is not None:
            return self._reject(order, now_ns, refusal)
        return self._match_new(held, now_ns)

    def _read(self, order: Order) -> OpenOrder:
        """Return an order in ticks and lots.

        Raises:
            KeyError: If its instrument is not known.
            ValueError: Or TypeError: if its quantity or its limit is not on the grid.
        """
        index = self._instruments.index(order.instrument)
        instrument = self._instruments[index]
        lots = _steps(order.quantity, instrument.lot)
        limit = order.limit_price
        ticks = None if limit is None else _steps(limit, instrument.tick)
        sign = 1 if order.side is _BUY else -1
        self._count += 1
        return OpenOrder(order, instrument, index, sign, ticks, lots, self._count)

    def _reject(self, order: Order, now_ns: int, reason: str) -> list[ExecutionReport]:
        return [self._say(ReportKind.REJECTED, order, now_ns, reason)]

    def _match_new(self, held: OpenOrder, now_ns: int) -> list[ExecutionReport]:
        """Accept an order, let it take, and keep or cancel what is left of it.

        Trades that fill it whole say all there is to say: it is not acknowledged as well.
        """
        order = held.order
        trades = self.matcher.take(held, now_ns)
        if trades and not held.leaves:
            return trades
        reason = WAITS if trades is None and held.may_rest else ""
        reports = [self._say(ReportKind.ACCEPTED, order, now_ns, reason)]
        if trades:
            reports += trades
        if held.leaves and held.may_rest:
            self._orders.add(held)
        elif held.leaves:
            reason = f"{order.time_in_force}: not enough at its price"
            reports.append(self._say(ReportKind.CANCELLED, order, now_ns, reason))
        return reports

    def cancel(self, client_order_id: str, now_ns: int) -> ExecutionReport:
        """Cancel an order, or say that it is not open."""
        held = self._orders.get(client_order_id)
        if held is None:
            reason = "the order is not open"
            return self._reporter.say(ReportKind.CANCEL_REJECTED, client_order_id, now_ns, reason)
        self._orders.remove(held)
        return self._say(ReportKind.CANCELLED, held.order, now_ns, "")

    def close(self, cause: str, now_ns: int) -> list[ExecutionReport]:
        """Cancel everything, and take nothing from now on."""
        self.closed = self.closed or cause
        return self._end(self.open_orders(), ReportKind.CANCELLED, now_ns, cause)

    def _end(
        self, orders: list[OpenOrder], kind: ReportKind, now_ns: int, reason: str
    ) -> list[ExecutionReport]:
        for held in orders:
            self._orders.remove(held)
        return [self._say(kind, held.order, now_ns, reason) for held in orders]

    def _say(self, kind: ReportKind, order: Order, now_ns: int, reason: str) -> ExecutionReport:
        return self._reporter.say(kind, order.client_order_id, now_ns, reason)

    def _both_sides(self, index: int) -> list[OpenOrder]:
        return self._orders.side(index, 1) + self._orders.side(index, -1)

    # --- market rows -------------------------------------------------------------------------

    def look(self, rows: Slice, start: int, stop: int) -> int:
        """Return the first row in ``[start, stop)`` that may move an open order, or ``stop``."""
        if not len(self._orders):
            return stop
        return self._watch.first(self.matcher.market, rows, start, stop)

    def react(self, rows: Slice, row: int, now_ns: int) -> list[ExecutionReport]:
        """Match the open orders of a row's instrument against it."""
        kind = int(rows.kind[row])
        index = int(rows.instrument[row])
        if kind == EventKind.RESOLUTION:
            ended = self._both_sides(index)
            return self._end(ended, ReportKind.EXPIRED, now_ns, "market resolved")
        reports: list[ExecutionReport] = []
        if kind < EventKind.BOOK and not self.matcher.market.is_gapped(index):
            for sign in (1, -1):
                for held in self._orders.side(index, sign):
                    trades = self._meet(held, rows, row, now_ns)
                    if trades is None:
                        break  # those behind it are even farther away
                    reports += trades
        return reports

    def _meet(
        self, held: OpenOrder, rows: Slice, row: int, now_ns: int
    ) -> list[ExecutionReport] | None:
        """Let an open order trade at a row; None if it rests out of reach."""
        if not held.takes:
            trades = self.matcher.provide(held, rows, row, now_ns)
            if not held.leaves:
                self._orders.remove(held)
            return trades
        self._orders.remove(held)
        trades = self.matcher.take(held, now_ns)
        if held.leaves:
            self._orders.add(held)
        if trades or held.takes:
            return trades or []
        return [self._say(ReportKind.ACCEPTED, held.order, now_ns, RESTS)]
