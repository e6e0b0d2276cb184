"""A venue's order desk: takes orders in, holds them, and lets them match; without any delay."""

from collections.abc import Iterator
from functools import lru_cache

from actors.brokers.market.shown import ShownRow, shown_row
from actors.brokers.matching.matcher import Matcher
from actors.brokers.models.regimes import Regimes
from actors.brokers.open_orders.open_orders import OpenOrder, OpenOrders
from actors.brokers.open_orders.stops import wakes
from actors.brokers.open_orders.watch import Watch
from actors.brokers.recovery import RESTS, WAITS, HeldOrder, changed, keeps_place
from actors.messages.market import EventKind
from actors.messages.slices import Slice
from actors.messages.trading import ExecutionReport, ReportKind
from actors.model.instrument import Instruments
from actors.model.money import to_steps
from actors.model.order import Order, OrderType, Side, TimeInForce

_BUY = Side.BUY
_GTD = TimeInForce.GTD
_POST_ONLY = OrderType.POST_ONLY
_TRADE, _BOOK = int(EventKind.TRADE), int(EventKind.BOOK)
_steps = lru_cache(maxsize=4096)(to_steps)
"""Quantities and limits repeat from order to order: remembering them is faster than dividing."""

Reports = list[ExecutionReport]


class Desk:
    """Holds the open orders; every change of them is in the reports that it returns.

    ``closed`` is why no orders are taken any more, or None.
    """

    def __init__(
        self, instruments: Instruments, matcher: Matcher, regimes: Regimes | None = None
    ) -> None:
        self.closed: str | None = None
        self.is_halted = False
        """Whether orders that come now find nobody to trade with."""
        self.matcher = matcher
        self._instruments = instruments
        self._reporter = matcher.reporter
        self._orders = OpenOrders()
        fills = self._is_filled if matcher.market.queues is not None else None
        self._regimes = regimes
        self._watch = Watch(instruments, self._orders, fills, regimes)
        self._count = 0
        self._over: list[OpenOrder] = []
        """Orders that have ended; their places are kept until this has been told."""

    def open_orders(self) -> list[OpenOrder]:
        """Return what is open, by instrument and side, in the order of trading; sleepers last."""
        return self._orders.all()

    def get(self, client_order_id: str) -> OpenOrder | None:
        """Return an open order by its id, or None."""
        return self._orders.get(client_order_id)

    def restore(self, past: HeldOrder) -> None:
        """Take an order in again that was accepted earlier."""
        held = self.read(past.order)
        held.leaves -= held.instrument.lots(past.filled)
        held.trades = past.trades
        held.turn = past.turn
        if past.is_awake:
            held.stop = None
        held.takes = held.limit is None or held.stop is not None or past.waits
        self._orders.add(held)

    def held(self) -> list[HeldOrder]:
        """Return what is open as :meth:`restore` takes it, in the order of their turn."""
        return [_past_of(held) for held in sorted(self._orders.all(), key=_number)]

    def forget(self) -> None:
        """Let every order go, untold."""
        for held in self._orders.all():
            self._orders.remove(held)

    def keep_queues(self) -> None:
        """Forget the places of all orders that are not held: nobody was told of them."""
        queues = self.matcher.market.queues
        if queues is not None:
            queues.keep({_key(held) for held in self._orders.all()})

    # --- orders ------------------------------------------------------------------------------

    def place(self, order: Order, now_ns: int) -> Reports:
        """Accept an order and match it, or reject it."""
        try:
            held = self.read(order)
        except KeyError:
            return self._reject(order, now_ns, f"instrument {order.instrument} is not known")
        except (ValueError, TypeError) as error:  # a signalling NaN has no hash
            return self._reject(order, now_ns, str(error))
        if self.closed is not None:
            return self._reject(order, now_ns, f"closed: {self.closed}")
        if held.leaves <= 0:
            found = f"quantity: expected above 0, found {order.quantity}"
            return self._reject(order, now_ns, found)
        market = self.matcher.market
        market.now_ns = now_ns
        if market.is_resolved(held.index):
            return self._reject(order, now_ns, f"the market of {order.instrument} has resolved")
        if order.time_in_force is _GTD and order.expire_time_ns <= now_ns:
            return self._reject(order, now_ns, "expired before it came")
        refusal = self.matcher.refusal(held)
        if refusal is not None:
            return self._reject(order, now_ns, refusal)
        if self._over:
            self._forget_queues()
        if held.stop is not None:
            return self._accept_stop(held, now_ns)
        return self._match_new(held, now_ns)

    def read(self, order: Order) -> OpenOrder:
        """Return an order in ticks and lots.

        Raises:
            KeyError: If its instrument is not known.
            ValueError: Or TypeError: if its quantity, limit or stop is not on the grid.
        """
        index = self._instruments.index(order.instrument)
        instrument = self._instruments[index]
        lots = _steps(order.quantity, instrument.lot)
        limit = order.limit_price
        ticks = None if limit is None else _steps(limit, instrument.tick)
        sign = 1 if order.side is _BUY else -1
        self._count += 1
        held = OpenOrder(order, instrument, index, sign, ticks, lots, self._count)
        if order.stop_price is not None:
            held.stop = _steps(order.stop_price, instrument.tick)
        return held

    def _reject(self, order: Order, now_ns: int, reason: str) -> Reports:
        return [self._say(ReportKind.REJECTED, order, now_ns, reason)]

    def _match_new(self, held: OpenOrder, now_ns: int) -> Reports:
        """Accept an order, let it take, and keep or cancel what is left of it.

        Trades that fill it whole say all there is to say: it is not acknowledged as well.
        """
        trades = self._take(held, now_ns)
        if trades and not held.leaves:
            return trades
        reason = ""
        if trades is None and (held.may_rest or self.matcher.defers(held)):
            reason = WAITS
        accepted = self._say(ReportKind.ACCEPTED, held.order, now_ns, reason)
        return [accepted, *self._keep_rest(held, trades, now_ns)]

    def _take(self, held: OpenOrder, now_ns: int) -> Reports | None:
        """Let an order that has just come take; None if it finds no price, or a halt."""
        if self.is_halted and held.order.order_type is not _POST_ONLY:
            return None
        return self.matcher.take(held, now_ns)

    def _keep_rest(self, held: OpenOrder, trades: Reports | None, now_ns: int) -> Reports:
        """Keep what has not traded, or cancel it; return the trades and the cancel."""
        reports = trades or []
        if not held.leaves:
            return reports
        if held.may_rest or (trades is None and self.matcher.defers(held)):
            self._add(held)
            return reports
        return [*reports, self._cancel_rest(held, now_ns)]

    def _cancel_rest(self, held: OpenOrder, now_ns: int) -> ExecutionReport:
        reason = f"{held.order.time_in_force}: not enough at its price"
        return self._say(ReportKind.CANCELLED, held.order, now_ns, reason)

    def _accept_stop(self, held: OpenOrder, now_ns: int) -> Reports:
        """Accept an order that sleeps, unless the market has reached its stop already."""
        accepted = self._say(ReportKind.ACCEPTED, held.order, now_ns, "")
        price = None if self.is_halted else self.matcher.price_for_stops(held)
        if price is None or not wakes(held, price):
            self._orders.add(held)
            return [accepted]
        return [accepted, *self._wake(held, None, now_ns)]

    def _add(self, held: OpenOrder) -> None:
        """Hold an order; one that rests queues up at its price."""
        self._orders.add(held)
        market = self.matcher.market
        if market.queues is not None and not held.takes and held.limit is not None:
            market.join_queue(_key(held), (held.index, held.sign, held.limit))

    def _remove(self, held: OpenOrder) -> None:
        """Let an order go; its place in the queue is forgotten when this has been told."""
        self._orders.remove(held)
        if self.matcher.market.queues is not None:
            self._over.append(held)

    def _forget_queues(self) -> None:
        queues = self.matcher.market.queues
        for held in self._over:
            if queues is not None and self._orders.get(held.order.client_order_id) is not held:
                queues.leave(_key(held))
        self._over = []

    # --- changes and ends --------------------------------------------------------------------

    def cancel(self, client_order_id: str, now_ns: int) -> ExecutionReport:
        """Cancel an order, or say that it is not open."""
        held = self._orders.get(client_order_id)
        if held is None:
            reason = "the order is not open"
            return self._reporter.say(ReportKind.CANCEL_REJECTED, client_order_id, now_ns, reason)
        self._remove(held)
        return self._say(ReportKind.CANCELLED, held.order, now_ns, "")

    def expire(self, client_order_id: str, now_ns: int) -> Reports:
        """End an order whose time is over, if it is still open."""
        held = self._orders.get(client_order_id)
        if held is None:
            return []
        return self._end([held], ReportKind.EXPIRED, now_ns, "its time is over")

    def replace(self, order: Order, now_ns: int) -> Reports:
        """Change an open order into ``order``, or say why not.

        What has traded counts: the new quantity is that of the whole order. It keeps its place only
        if it becomes smaller at the same price; at another price it takes what it can get.
        """
        order_id = order.client_order_id
        old = self._orders.get(order_id)
        if old is None:
            return [self._no_change(order_id, now_ns, "the order is not open")]
        was = old.order
        if (order.instrument, order.side) != (was.instrument, was.side):
            return [self._no_change(order_id, now_ns, "only quantity and prices can be changed")]
        order = changed(was, order)
        try:
            held = self.read(order)
        except (ValueError, TypeError) as error:
            return [self._no_change(order_id, now_ns, str(error))]
        filled = _steps(was.quantity, old.instrument.lot) - old.leaves
        if held.leaves <= filled:
            reason = f"{order.quantity} is not more than what has been filled"
            return [self._no_change(order_id, now_ns, reason)]
        held.leaves -= filled
        return self._change(old, held, now_ns)

    def _change(self, old: OpenOrder, held: OpenOrder, now_ns: int) -> Reports:
        """Put an order in the place of another, or behind all others."""
        order = held.order
        market = self.matcher.market
        market.now_ns = now_ns
        held.trades = old.trades
        if old.stop is None:
            held.stop = None
        replaced = self._say(ReportKind.REPLACED, order, now_ns, "")
        if keeps_place(old.order, order):
            old.order, old.leaves = order, held.leaves
            return [replaced]
        refusal = self.matcher.refusal(held)
        if refusal is not None:
            return [self._no_change(order.client_order_id, now_ns, refusal)]
        self._remove(old)
        held.turn = old.turn + 1
        if held.stop is None:
            trades = self._take(held, now_ns)
            if trades is None:
                replaced = self._say(ReportKind.REPLACED, order, now_ns, WAITS)
            return [replaced, *self._keep_rest(held, trades, now_ns)]
        return [replaced, *self._accept_stop(held, now_ns)[1:]]

    def _no_change(self, order_id: str, now_ns: int, reason: str) -> ExecutionReport:
        return self._reporter.say(ReportKind.REPLACE_REJECTED, order_id, now_ns, reason)

    def close(self, cause: str, now_ns: int) -> Reports:
        """Cancel everything, and take nothing from now on."""
        self.closed = self.closed or cause
        return self._end(self.open_orders(), ReportKind.CANCELLED, now_ns, cause)

    def _end(self, orders: list[OpenOrder], kind: ReportKind, now_ns: int, reason: str) -> Reports:
        for held in orders:
            self._remove(held)
        return [self._say(kind, held.order, now_ns, reason) for held in orders]

    def _say(self, kind: ReportKind, order: Order, now_ns: int, reason: str) -> ExecutionReport:
        return self._reporter.say(kind, order.client_order_id, now_ns, reason)

    # --- market rows -------------------------------------------------------------------------

    def look(self, rows: Slice, start: int, stop: int) -> int:
        """Return the first row in ``[start, stop)`` that may move an open order, or ``stop``."""
        if not len(self._orders):
            return stop
        return self._watch.first(self.matcher.market, rows, start, stop)

    def react(self, rows: Slice, row: int, now_ns: int) -> Reports:
        """Match the open orders of a row's instrument against it."""
        kind = rows.kind.item(row)
        index = rows.instrument.item(row)
        if kind == EventKind.RESOLUTION:
            ended = self._orders.of(index)
            return self._end(ended, ReportKind.EXPIRED, now_ns, "market resolved")
        market = self.matcher.market
        if kind >= _BOOK or market.is_gapped(index) or self._is_halted_at(now_ns):
            return []
        if self._over:
            self._forget_queues()
        market.now_ns = now_ns
        is_price = kind != _TRADE or not market.is_firm(index, row)
        return self._meet_all(shown_row(rows, row, is_price=is_price), now_ns)

    def _is_halted_at(self, now_ns: int) -> bool:
        return self._regimes is not None and self._regimes.state_at(now_ns).halted

    def _meet_all(self, shown: ShownRow, now_ns: int) -> Reports:
        """Let orders meet a row, one after the other; of a group, only one may trade."""
        reports: Reports = []
        traded: set[str] = set()
        for held in self._meeting(shown):
            group = held.order.group
            if group and group in traded:
                continue
            if held.stop is not None:
                self._orders.remove(held)
                met = self._wake(held, shown, now_ns)
            else:
                met = self._meet(held, shown, now_ns)
            reports += met
            if group and any(report.kind is ReportKind.TRADE for report in met):
                traded.add(group)
        return reports

    def _meeting(self, shown: ShownRow) -> list[OpenOrder]:
        """Return the orders that a row may move: those that it wakes come first."""
        stops = self._orders.stops
        met = stops.woken(shown) if stops else []
        met += self._within(shown, 1)
        met += self._within(shown, -1)
        if shown.bar is not None and self.matcher.is_ordered:
            return self.matcher.in_order(shown.bar, met)
        return met

    def _within(self, shown: ShownRow, sign: int) -> Iterator[OpenOrder]:
        """Yield an instrument's orders of one side up to the first that a row does not reach."""
        matcher = self.matcher
        for held in self._orders.side(shown.index, sign):
            if not held.takes and not matcher.is_reached(held, shown):
                return  # those behind it are even farther away
            if held.takes and not shown.is_price:
                continue
            yield held

    def _wake(self, held: OpenOrder, shown: ShownRow | None, now_ns: int) -> Reports:
        """Let a sleeping order work from now on, and meet the row that has woken it."""
        stop = held.stop
        assert stop is not None, "only sleeping orders wake"
        held.stop = None
        held.turn += 1
        self._count += 1
        held.number = self._count
        triggered = self._say(ReportKind.TRIGGERED, held.order, now_ns, "")
        bar = None if shown is None else shown.bar
        if bar is None:
            trades = self.matcher.take(held, now_ns)
        else:
            trades = self.matcher.take_woken(held, bar, stop, now_ns)
        if trades is None and held.leaves:
            triggered = self._say(ReportKind.TRIGGERED, held.order, now_ns, WAITS)
        return [triggered, *self._keep_rest(held, trades, now_ns)]

    def _meet(self, held: OpenOrder, shown: ShownRow, now_ns: int) -> Reports:
        """Let an open order trade at a row."""
        if not held.takes:
            trades = self.matcher.provide(held, shown, now_ns)
            if not held.leaves:
                self._remove(held)
            return trades
        self._orders.remove(held)
        bar = shown.bar
        if bar is None:
            trades = self.matcher.take(held, now_ns) or []
        else:
            trades = self.matcher.take_bar(held, bar, now_ns)
        if held.leaves and not held.may_rest:
            return [*trades, self._cancel_rest(held, now_ns)]
        if held.leaves:
            self._add(held)
        if trades or held.takes:
            return trades
        return [self._say(ReportKind.ACCEPTED, held.order, now_ns, RESTS)]

    def _is_filled(self, rows: Slice, row: int, index: int) -> bool:
        """Return whether a public trade that is no price wakes or fills an order."""
        shown = shown_row(rows, row, is_price=False)
        if self._orders.stops and self._orders.stops.woken(shown):
            return True
        return any(
            self.matcher.is_filled(held, shown)
            for sign in (1, -1)
            for held in self._within(shown, sign)
        )


def _key(held: OpenOrder) -> tuple[str, int]:
    return held.order.client_order_id, held.turn


def _number(held: OpenOrder) -> int:
    return held.number


def _past_of(held: OpenOrder) -> HeldOrder:
    order = held.order
    return HeldOrder(
        order=order,
        waits=held.takes and held.limit is not None and held.stop is None,
        filled=order.quantity - held.instrument.lot * held.leaves,
        trades=held.trades,
        is_awake=order.stop_price is not None and held.stop is None,
        turn=held.turn,
    )
