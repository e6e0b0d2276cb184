"""What a strategy knows of its own orders and positions: what it was told, no more."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from actors.messages.account import PositionChanged
from actors.messages.trading import OrderUpdate, Signal, SignalRefused
from actors.model.money import ZERO
from actors.model.order import TERMINAL, OrderStatus, Side


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order that is not over: what was asked for, and the last word on it.

    ``status`` is None until the order manager has spoken.
    """

    client_order_id: str
    instrument: str
    side: Side
    quantity: Decimal
    filled_quantity: Decimal
    status: OrderStatus | None


class Blotter:
    """Open orders, oldest first, and positions."""

    __slots__ = ("_changes", "_open", "_positions")

    def __init__(self) -> None:
        self._open: dict[str, Signal | OrderUpdate] = {}
        self._changes: dict[str, int] = {}
        self._positions: dict[str, Decimal] = {}

    def asked(self, signal: Signal) -> None:
        """Take notice of a signal that was sent.

        A signal with a target may lead to no order and then to no answer: it does not count as
        open before the order manager speaks of it.
        """
        if signal.target is None:
            self._open[signal.signal_id] = signal

    def asked_to_change(self, order_id: str) -> None:
        """Take notice of a change that was asked for."""
        if order_id in self._open:
            self._changes[order_id] = self._changes.get(order_id, 0) + 1

    def forget(self, signal: Signal) -> None:
        """Take notice that a signal was not sent after all."""
        self._open.pop(signal.signal_id, None)

    def refused(self, refusal: SignalRefused) -> None:
        """Take notice that a signal will not become an order, or a change was refused.

        An order that was spoken of is there. Of one that was not, the refusals of its changes come
        after that of itself, and there is one more of them: so the last one counts.
        """
        order_id = refusal.signal_id
        if isinstance(self._open.get(order_id), OrderUpdate):
            return
        changes = self._changes.pop(order_id, 0)
        if changes > 1:
            self._changes[order_id] = changes - 1
        if not changes:
            self._open.pop(order_id, None)

    def updated(self, update: OrderUpdate) -> None:
        """Take notice of an order's progress: a change of its quantity is in it."""
        order_id = update.client_order_id
        if self._changes:
            self._changes.pop(order_id, None)
        if update.status in TERMINAL:
            self._open.pop(order_id, None)
        else:
            self._open[order_id] = update

    def position_changed(self, change: PositionChanged) -> None:
        """Take notice of a position."""
        self._positions[change.instrument] = change.quantity

    def position(self, instrument: str) -> Decimal:
        """Return the signed position in an instrument, in units."""
        return self._positions.get(instrument, ZERO)

    def has_open(self, instrument: str) -> bool:
        """Return whether an order in this instrument is open."""
        return any(word.instrument == instrument for word in self._open.values())

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Return the open orders, oldest first."""
        return tuple(_open_order(word) for word in self._open.values())

    def saved(self) -> dict[str, Any]:
        """Return all that is known, as plain values for JSON."""
        return {
            "asked": [key for key, word in self._open.items() if isinstance(word, Signal)],
            "open": [msgspec.to_builtins(word) for word in self._open.values()],
            "changes": dict(self._changes),
            "positions": {key: str(quantity) for key, quantity in self._positions.items()},
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Know what :meth:`saved` has returned, and nothing else.

        Raises:
            msgspec.ValidationError: If it is of another shape.
        """
        asked = set(saved["asked"])
        self._open = {}
        for plain in saved["open"]:
            if plain.get("signal_id") in asked:
                self._open[plain["signal_id"]] = msgspec.convert(plain, Signal)
            else:
                update = msgspec.convert(plain, OrderUpdate)
                self._open[update.client_order_id] = update
        self._changes = dict(saved["changes"])
        self._positions = {key: Decimal(text) for key, text in saved["positions"].items()}


def _open_order(word: Signal | OrderUpdate) -> OpenOrder:
    if isinstance(word, OrderUpdate):
        return OpenOrder(
            client_order_id=word.client_order_id,
            instrument=word.instrument,
            side=word.side,
            quantity=word.quantity,
            filled_quantity=word.filled_quantity,
            status=word.status,
        )
    assert word.side is not None
    assert word.quantity is not None
    return OpenOrder(
        client_order_id=word.signal_id,
        instrument=word.instrument,
        side=word.side,
        quantity=word.quantity,
        filled_quantity=ZERO,
        status=None,
    )
