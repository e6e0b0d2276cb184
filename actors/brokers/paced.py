"""A broker behind a rate limit: requests wait for their turn, cancels first."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

from actors.actor import Core, Later, Reactor
from actors.brokers.rate_limiter import Lane, RateLimiter
from actors.messages.system import TimerFired
from actors.messages.trading import (
    CancelPlacedOrder,
    ExecutionReport,
    PlaceOrder,
    ReplacePlacedOrder,
    ReportKind,
)

_LANES: Mapping[type, Lane] = {
    CancelPlacedOrder: Lane.CANCEL,
    ReplacePlacedOrder: Lane.REPLACE,
    PlaceOrder: Lane.NEW,
}
_PRECEDENCE = tuple(Lane)
_CANCEL, _, _NEW = _PRECEDENCE
_MARK = "paced "
"""Begins the name of the timer that tells the state: ``paced <full_ns> <hits> <requests gone, by
lane>``. It is what wakes the broker, and what a fresh one finds in the journal."""


def hits_told(timer: TimerFired) -> int | None:
    """Return how many requests of a run have had to wait by then; None for another timer.

    So statistics can be had of a journal: the last one that a broker has sent tells.
    """
    if not timer.name.startswith(_MARK):
        return None
    return int(timer.name.removeprefix(_MARK).split()[1])


class Broker(Core, Reactor, Protocol):
    """What can be put behind a rate limit: a simulated venue."""

    market: Any

    def inherit(self, market: Any) -> None:
        """Take over the market as the incarnation before knew it."""
        ...

    def open_orders(self) -> list[Any]:
        """Return what the venue holds."""
        ...


class Pacing:
    """Holds requests back until the limiter has a token for them; the rest is the broker's.

    Requests of one lane keep their order; a cancel overtakes replacements and new orders. An order
    that still waits is cancelled here: it never leaves, and its cancel takes no token. A cancel
    that waits already does not wait twice. What the broker does by itself (ending orders, waking
    stops) takes no token either.

    Attributes:
        hits: How many requests have had to wait.
    """

    def __init__(self, broker: Core, limiter: RateLimiter, actor: str) -> None:
        self.hits = 0
        self._broker = broker
        self._limiter = limiter
        self._actor = actor
        self._queues: dict[Lane, deque[Any]] = {lane: deque() for lane in _PRECEDENCE}
        self._gone = dict.fromkeys(_PRECEDENCE, 0)
        self._wake_ns = 0

    @property
    def waiting(self) -> int:
        """Return how many requests wait."""
        return sum(len(queue) for queue in self._queues.values())

    # --- core --------------------------------------------------------------------------------

    def start(self, now_ns: int) -> list[Any]:
        """Return what the broker begins with."""
        return self._broker.start(now_ns)

    def stop(self, now_ns: int) -> list[Any]:
        """Return the broker's last words; what waits is not sent any more."""
        return self._broker.stop(now_ns)

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        """Let a request pass or wait; hand on everything else."""
        lane = _LANES.get(type(message))
        if lane is not None:
            if not self._queue(message, lane):
                return self._kept_back(message, now_ns)
            going = self._due(now_ns)
            if not any(request is message for request in going):
                self.hits += 1
        elif isinstance(message, TimerFired) and message.name.startswith(_MARK):
            going = self._due(now_ns)
            if not going and (not self.waiting or self._wake_ns > now_ns):
                return []
        else:
            return self._broker.handle(message, now_ns)
        outputs: list[Any] = [self._mark(now_ns)]
        for request in going:
            outputs += self._broker.handle(request, now_ns)
        return outputs

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Rebuild: the broker is told of each request when it went, not when it came."""
        self._broker.recover(self._as_sent(history))

    def takes(self, message: Any) -> bool:
        """Return whether a message is a request, which needs a token."""
        return type(message) in _LANES

    def passes(self, message: Any) -> bool:
        """Return whether a request of the past went to the broker at once, without a token."""
        return False

    # --- the queue ---------------------------------------------------------------------------

    def _queue(self, request: Any, lane: Lane) -> bool:
        """Let a request wait for its turn; return False if there is no need to send it."""
        if isinstance(request, CancelPlacedOrder):
            order_id = request.client_order_id
            cancels, orders = self._queues[_CANCEL], self._queues[_NEW]
            if any(each.client_order_id == order_id for each in cancels):
                return False
            for place in orders:
                if place.order.client_order_id == order_id:
                    orders.remove(place)
                    return False
        self._queues[lane].append(request)
        return True

    def _kept_back(self, cancel: CancelPlacedOrder, now_ns: int) -> list[Any]:
        """Return the answer to a cancel that is not sent; none if it waits already."""
        if any(each.client_order_id == cancel.client_order_id for each in self._queues[_CANCEL]):
            return []
        return [
            ExecutionReport(
                client_order_id=cancel.client_order_id,
                kind=ReportKind.CANCELLED,
                venue=self._limiter.venue,
                venue_time_ns=now_ns,
                reason="cancelled before it was sent",
            )
        ]

    def _due(self, now_ns: int) -> list[Any]:
        """Take out what may go now; nothing passes what has precedence and waits."""
        going: list[Any] = []
        for lane in _PRECEDENCE:
            queue = self._queues[lane]
            while queue:
                if not self._limiter.try_check(now_ns, lane=lane):
                    return going
                going.append(queue.popleft())
                self._gone[lane] += 1
        return going

    def _let_all_go(self, now_ns: int) -> list[Any]:
        """Hand on everything that waits, in the order of precedence, without a token."""
        going: list[Any] = []
        for lane in _PRECEDENCE:
            queue = self._queues[lane]
            self._gone[lane] += len(queue)
            going += queue
            queue.clear()
        outputs: list[Any] = [self._mark(now_ns)]
        for request in going:
            outputs += self._broker.handle(request, now_ns)
        return outputs

    def _mark(self, now_ns: int) -> Later:
        """Return the timer that tells the state and wakes us when the next request may go."""
        waiting = next((lane for lane in _PRECEDENCE if self._queues[lane]), None)
        at_ns = now_ns
        if waiting is not None:
            at_ns += self._limiter.wait_ns(now_ns, lane=waiting)
        self._wake_ns = at_ns
        gone = " ".join(str(self._gone[lane]) for lane in _PRECEDENCE)
        name = f"{_MARK}{self._limiter.full_ns} {self.hits} {gone}"
        return Later(TimerFired(self._actor, name, at_ns), at_ns)

    def _as_sent(self, history: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
        """Yield a history with each request where it went to the broker."""
        for direction, message in history:
            lane = _LANES.get(type(message)) if direction == "received" else None
            said = message.message if isinstance(message, Later) else message
            if lane is not None and not self.passes(message):
                self._queue(message, lane)
            elif not (isinstance(said, TimerFired) and said.name.startswith(_MARK)):
                yield direction, message
            elif direction == "sent":
                yield from self._restore(said)

    def _restore(self, mark: TimerFired) -> Iterator[tuple[str, Any]]:
        full_ns, hits, *gone = (int(word) for word in mark.name.removeprefix(_MARK).split())
        self._limiter.full_ns = full_ns
        self.hits = hits
        self._wake_ns = mark.at_ns
        for lane, count in zip(_PRECEDENCE, gone, strict=True):
            while self._gone[lane] < count:
                self._gone[lane] += 1
                yield "received", self._queues[lane].popleft()


class Paced(Pacing):
    """A simulated venue behind a rate limit: it goes on meeting the market meanwhile."""

    def __init__(self, broker: Broker, limiter: RateLimiter, actor: str) -> None:
        super().__init__(broker, limiter, actor)
        self._venue = broker

    @property
    def market(self) -> Any:
        """Return what the venue shows; the next incarnation inherits it."""
        return self._venue.market

    def open_orders(self) -> list[Any]:
        """Return what the venue holds."""
        return self._venue.open_orders()

    def inherit(self, market: Any) -> None:
        """Hand on the market as the incarnation before knew it."""
        self._venue.inherit(market)

    def advance(self, rows: Any, stop: int) -> None:
        """Take notice of the rows before ``stop``."""
        self._venue.advance(rows, stop)

    def look(self, rows: Any, start: int, stop: int) -> int:
        """Return the first row in ``[start, stop)`` at which the broker would react."""
        return self._venue.look(rows, start, stop)

    def react(self, rows: Any, row: int, now_ns: int) -> list[Any]:
        """Take row ``row`` and return the outputs it leads to."""
        return self._venue.react(rows, row, now_ns)
