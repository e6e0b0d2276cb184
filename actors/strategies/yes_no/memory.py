"""What the YES/NO strategy knows of its orders and positions, and rebuilds after a failure."""

from decimal import Decimal
from typing import Any

import attrs
import msgspec

from actors.messages.account import PositionChanged
from actors.messages.trading import OrderUpdate, Signal, SignalRefused
from actors.model.instrument import Outcome
from actors.model.money import ZERO

_LEG_REASONS = ("arbitrage:", "leg:")
"""How the reasons of orders begin that make up the legs of an arbitrage."""


@attrs.define
class _Order:
    instrument: str
    sign: int
    price: Decimal
    held_before: Decimal
    is_leg: bool
    filled: Decimal = ZERO
    is_over: bool = False


@attrs.define
class _Lag:
    """A position that the portfolio has not told yet, though the order for it is over."""

    expected: Decimal
    sign: int
    since_ns: int


@attrs.frozen
class HalfPair:
    """What the legs of arbitrages have left over in one market: so much of one side."""

    side: Outcome
    size: Decimal
    paid: Decimal


class _Saved(msgspec.Struct, frozen=True, kw_only=True):
    """A memory as it is saved."""

    orders: dict[str, _Order]
    positions: dict[str, PositionChanged]
    lags: dict[str, _Lag]
    legs: dict[str, Decimal]
    paid: dict[str, Decimal]


class Memory:
    """A fold of the strategy's own signals and of what it was told."""

    def __init__(self) -> None:
        self._orders: dict[str, _Order] = {}
        self._positions: dict[str, PositionChanged] = {}
        self._lags: dict[str, _Lag] = {}
        self._legs: dict[str, Decimal] = {}
        self._paid: dict[str, Decimal] = {}

    def sent(self, signal: Signal) -> None:
        """Take notice of an order that was asked for."""
        assert signal.side is not None
        assert signal.limit_price is not None
        self._orders[signal.signal_id] = _Order(
            instrument=signal.instrument,
            sign=signal.side.sign,
            price=signal.limit_price,
            held_before=self.quantity(signal.instrument),
            is_leg=signal.reason.startswith(_LEG_REASONS),
        )
        self._forget_finished(signal)

    def refused(self, refusal: SignalRefused) -> None:
        """Take notice that there will be no such order."""
        self._orders.pop(refusal.signal_id, None)

    def updated(self, update: OrderUpdate, now_ns: int) -> None:
        """Take notice of an order's progress; late fills count too."""
        order = self._orders.get(update.client_order_id)
        if order is None:
            return
        new = update.filled_quantity - order.filled
        order.filled = update.filled_quantity
        order.is_over = update.status.is_terminal
        if new and order.is_leg:
            legs = self._legs.get(order.instrument, ZERO)
            self._legs[order.instrument] = legs + order.sign * new
            if order.sign > 0:
                self._paid[order.instrument] = order.price
        if order.is_over and order.filled:
            expected = order.held_before + order.sign * order.filled
            lag = _Lag(expected, order.sign, now_ns)
            if not _has_come(lag, self.quantity(order.instrument)):
                self._lags[order.instrument] = lag

    def position_changed(self, change: PositionChanged) -> None:
        """Take notice of a position."""
        self._positions[change.instrument] = change
        lag = self._lags.get(change.instrument)
        if lag is not None and _has_come(lag, change.quantity):
            del self._lags[change.instrument]

    def position(self, instrument: str) -> PositionChanged | None:
        """Return the portfolio's last word on a position."""
        return self._positions.get(instrument)

    def quantity(self, instrument: str) -> Decimal:
        """Return what is held, as far as the portfolio has told."""
        change = self._positions.get(instrument)
        return ZERO if change is None else change.quantity

    def lags(self, instrument: str, now_ns: int, timeout_ns: int) -> bool:
        """Return whether a position is yet to follow an order's fills, for less than so long."""
        lag = self._lags.get(instrument)
        return lag is not None and now_ns - lag.since_ns < timeout_ns

    def half_pair(self, yes: str, no: str) -> HalfPair | None:
        """Return what arbitrages have left over of a pair's one side; None if nothing."""
        excess = self._legs.get(yes, ZERO) - self._legs.get(no, ZERO)
        if not excess:
            return None
        side, instrument = (Outcome.YES, yes) if excess > 0 else (Outcome.NO, no)
        return HalfPair(side, abs(excess), self._paid.get(instrument, ZERO))

    def saved(self) -> Any:
        """Return all of it, as plain values for JSON."""
        saved = _Saved(
            orders=self._orders,
            positions=self._positions,
            lags=self._lags,
            legs=self._legs,
            paid=self._paid,
        )
        return msgspec.to_builtins(saved)

    def restore(self, state: Any) -> None:
        """Know what :meth:`saved` has returned, and nothing else.

        Raises:
            msgspec.ValidationError: If it is of another shape.
        """
        saved = msgspec.convert(state, _Saved)
        self._orders, self._positions, self._lags = saved.orders, saved.positions, saved.lags
        self._legs, self._paid = saved.legs, saved.paid

    def _forget_finished(self, signal: Signal) -> None:
        """Drop the earlier orders of an instrument that are over: a new one follows them."""
        finished = [
            order_id
            for order_id, order in self._orders.items()
            if order.is_over and order.instrument == signal.instrument
        ]
        for order_id in finished:
            del self._orders[order_id]


def _has_come(lag: _Lag, quantity: Decimal) -> bool:
    return lag.sign * (quantity - lag.expected) >= 0
