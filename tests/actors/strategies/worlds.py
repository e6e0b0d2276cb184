"""A small world around one strategy: rows, and plain answers to what it sends; and its rebirth."""

from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from random import Random  # noqa: TID251 - seeded below
from typing import Any

import msgspec

from actors.actor import Later
from actors.messages.market import Quote
from actors.messages.trading import CancelOrder, ModifyOrder, OrderUpdate, Signal, SignalBatch
from actors.model.order import OrderStatus, Side
from actors.strategies import Strategy
from tests.actors.strategies.builders import position

ZERO = Decimal(0)


def reborn(core: Strategy, fresh: Strategy, *, now_ns: int = 0) -> tuple[Strategy, list[Any]]:
    """Return a fresh strategy that goes on from another one's snapshot, and what it sends."""
    snapshot = core.snapshot()
    assert snapshot is not None
    fresh.reinstate(msgspec.json.decode(msgspec.json.encode(snapshot)))
    fresh.recover([])
    return fresh, fresh.start(now_ns)


class World:
    """Quotes a market and answers orders, a little later and by a seeded chance.

    Args:
        make: Builds a strategy that has not started.
        seed: Decides the answers.
    """

    def __init__(self, make: Callable[[], Strategy], seed: int) -> None:
        self.core = make()
        self.sent: list[Any] = []
        self._make = make
        self._chance = Random(seed)
        self._due: deque[Any] = deque()
        self._orders: dict[str, OrderUpdate] = {}
        self._held: dict[str, Decimal] = {}
        self._take(self.core.start(0))

    def be_reborn(self, now_ns: int) -> None:
        """Put a fresh strategy in the place of the one there is."""
        self.core, sent = reborn(self.core, self._make(), now_ns=now_ns)
        assert [each for each in sent if not isinstance(each, Later)] == []

    def show(self, quotes: Sequence[Quote]) -> None:
        """Show quotes; after each, some of what is due is said."""
        for quote in quotes:
            self.core.on_quote(quote)
            self._take(self.core.take_outbox(quote.time_ns))
            while self._due and self._chance.random() < 0.6:
                self._take(self.core.handle(self._due.popleft(), quote.time_ns))

    def _take(self, sent: list[Any]) -> None:
        for message in sent:
            if isinstance(message, Later):
                continue
            self.sent.append(message)
            for each in message.signals if isinstance(message, SignalBatch) else (message,):
                self._answer(each)

    def _answer(self, message: Any) -> None:
        if isinstance(message, Signal):
            self._place(message)
        elif isinstance(message, ModifyOrder | CancelOrder):
            order = self._orders[message.client_order_id]
            if order.status.is_terminal:
                return
            if isinstance(message, ModifyOrder):
                self._say(order, OrderStatus.REPLACING)
                self._say(order, OrderStatus.WORKING, quantity=message.quantity)
            else:
                self._say(order, OrderStatus.CANCELLED)

    def _place(self, signal: Signal) -> None:
        assert signal.side is not None
        assert signal.quantity is not None
        order = OrderUpdate(
            client_order_id=signal.signal_id,
            strategy="s",
            instrument=signal.instrument,
            side=signal.side,
            status=OrderStatus.WORKING,
            quantity=signal.quantity,
            filled_quantity=ZERO,
        )
        self._say(order, OrderStatus.WORKING)
        if self._chance.random() < 0.5:
            self._fill(signal.signal_id)
        if str(signal.time_in_force) == "IOC":
            self._say(self._orders[signal.signal_id], OrderStatus.CANCELLED)

    def _fill(self, order_id: str) -> None:
        order = self._orders[order_id]
        filled = (order.quantity / 2).quantize(Decimal(1))
        self._say(order, OrderStatus.PARTIALLY_FILLED, filled_quantity=filled)
        sign = 1 if order.side is Side.BUY else -1
        held = self._held.get(order.instrument, ZERO) + sign * filled
        self._held[order.instrument] = held
        self._due.append(position(order.instrument, str(held)))

    def _say(self, order: OrderUpdate, status: OrderStatus, **changes: Any) -> None:
        changes = {name: value for name, value in changes.items() if value is not None}
        latest = self._orders.get(order.client_order_id, order)
        word = msgspec.structs.replace(latest, status=status, **changes)
        self._orders[word.client_order_id] = word
        self._due.append(word)
