"""What a strategy may do: wish, cancel, set timers, look at what it holds."""

from decimal import Decimal
from typing import Any, Unpack

import msgspec

from actors.actor import Context, Later
from actors.messages.system import TimerFired
from actors.messages.trading import CancelOrder, Signal
from actors.model.instrument import Instrument
from actors.model.order import Side
from actors.strategies.blotter import Blotter, OpenOrder
from actors.strategies.wishes import MARKET_ORDER, Number, Terms, exact, order_terms, positive


class _SetTimer(msgspec.Struct, frozen=True, gc=False):
    """Waits in the outbox until the time is known from which the delay counts."""

    name: str
    delay_ns: int


class Verbs:
    """Puts what a strategy wishes into its outbox.

    Client ids are ``<run>-<strategy>-<n>``; those of the k-th restart ``<run>-<strategy>.<k>-<n>``.
    """

    def __init__(self, context: Context) -> None:
        self.name = context.actor
        self.now_ns = 0
        self.outbox: list[Any] = []
        life = f".{context.incarnation}" if context.incarnation else ""
        self._id_prefix = f"{context.run_id}-{context.actor}{life}-"
        self._wishes = 0
        self._blotter = Blotter()
        self._timers: dict[str, int] = {}
        self._sets_timers = False

    def buy(self, instrument: Instrument | str, quantity: Number, **terms: Unpack[Terms]) -> str:
        """Wish to buy a quantity, in units; return the order's client id.

        Raises:
            TypeError: If a number is a float.
            ValueError: If the quantity is not above 0, or the terms contradict each other.
        """
        return self._wish(instrument, Side.BUY, positive(quantity, "quantity"), terms)

    def sell(self, instrument: Instrument | str, quantity: Number, **terms: Unpack[Terms]) -> str:
        """Wish to sell a quantity; otherwise as :meth:`buy`."""
        return self._wish(instrument, Side.SELL, positive(quantity, "quantity"), terms)

    def target(self, instrument: Instrument | str, position: Number, **terms: Unpack[Terms]) -> str:
        """Wish to hold a position, in units and signed; return the client id of the order for it.

        The portfolio takes the side and the quantity from what this strategy holds and has under
        way. Where that is the target already, no order follows.

        Raises:
            TypeError: If a number is a float.
            ValueError: If a number is not finite, or the terms contradict each other.
        """
        return self._wish(instrument, None, exact(position, "position"), terms)

    def cancel(self, order_id: str, *, reason: str = "") -> None:
        """Ask to cancel an order of this strategy; it may fill before it is cancelled."""
        self.outbox.append(CancelOrder(client_order_id=order_id, strategy=self.name, reason=reason))

    def set_timer(self, name: str, delay_ns: int) -> None:
        """Have :meth:`on_timer` called in ``delay_ns`` nanoseconds, once.

        A timer that is set again under the same name forgets its earlier time.

        Raises:
            ValueError: If the delay is not above 0.
        """
        if delay_ns <= 0:
            raise ValueError(f"delay of timer {name!r}: expected above 0 ns, found {delay_ns}")
        self._sets_timers = True
        self.outbox.append(_SetTimer(name, delay_ns))

    def position(self, instrument: Instrument | str) -> Decimal:
        """Return this strategy's own position, in units and signed."""
        return self._blotter.position(_id_of(instrument))

    def open_orders(self) -> tuple[OpenOrder, ...]:
        """Return this strategy's orders that are not over, oldest first."""
        return self._blotter.open_orders()

    def has_open_order(self, instrument: Instrument | str) -> bool:
        """Return whether one of :meth:`open_orders` is in this instrument."""
        return self._blotter.has_open(_id_of(instrument))

    def _wish(
        self,
        instrument: Instrument | str,
        side: Side | None,
        amount: Decimal,
        terms: Terms,
    ) -> str:
        order_type, limit, time_in_force, reason, priority = (
            order_terms(**terms) if terms else MARKET_ORDER
        )
        self._wishes += 1
        signal = Signal(
            signal_id=self._id_prefix + str(self._wishes),
            strategy=self.name,
            instrument=_id_of(instrument),
            side=side,
            quantity=None if side is None else amount,
            target=amount if side is None else None,
            order_type=order_type,
            limit_price=limit,
            time_in_force=time_in_force,
            priority=priority,
            reason=reason,
        )
        self._blotter.asked(signal)
        self.outbox.append(signal)
        return signal.signal_id

    def take_outbox(self, now_ns: int) -> list[Any]:
        """Return and forget what was sent; timers' delays count from ``now_ns``."""
        self.now_ns = now_ns
        outbox = self.outbox
        if not outbox:
            return []
        sent = outbox.copy()
        outbox.clear()
        if self._sets_timers:
            self._sets_timers = False
            return [self._timed(m, now_ns) if isinstance(m, _SetTimer) else m for m in sent]
        return sent

    def _timed(self, timer: _SetTimer, now_ns: int) -> Later:
        at_ns = now_ns + timer.delay_ns
        self._timers[timer.name] = at_ns
        return Later(TimerFired(self.name, timer.name, at_ns), at_ns, background=True)

    def _is_due(self, timer: TimerFired) -> bool:
        """Forget a timer; return False if it was set anew, or by an earlier incarnation."""
        if self._timers.get(timer.name) != timer.at_ns:
            return False
        del self._timers[timer.name]
        return True


def _id_of(instrument: Instrument | str) -> str:
    return instrument if isinstance(instrument, str) else instrument.id
