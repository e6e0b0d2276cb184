"""What a strategy may do: wish, change, cancel, set timers, look at what it holds."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Unpack

import msgspec

from actors.actor import Context, Later
from actors.messages.account import ConversionKind, ConvertTokens
from actors.messages.system import TimerFired
from actors.messages.trading import (
    CancelOrder,
    CancelOrders,
    ModifyOrder,
    Signal,
    SignalBatch,
)
from actors.model.instrument import Instrument
from actors.model.order import Side
from actors.strategies.blotter import Blotter, OpenOrder
from actors.strategies.wishes import (
    MARKET_ORDER,
    BracketTerms,
    ChangeTerms,
    Number,
    Terms,
    bracket_prices,
    change_terms,
    exact,
    order_terms,
    positive,
)


class _SetTimer(msgspec.Struct, frozen=True, gc=False):
    """Waits in the outbox until the time is known from which the delay counts."""

    name: str
    delay_ns: int


class Verbs:
    """Puts what a strategy wishes into its outbox.

    Client ids are ``<run>-<strategy>-<n>``; those of the k-th restart ``<run>-<strategy>.<k>-<n>``.

    While ``is_warming``, the verbs check what they are given, and do nothing: no order is asked
    for, no timer set, no id used up. Ids that they return are empty then.
    """

    def __init__(self, context: Context) -> None:
        self.name = context.actor
        self.now_ns = 0
        self.is_warming = False
        self.outbox: list[Any] = []
        life = f".{context.incarnation}" if context.incarnation else ""
        self._id_prefix = f"{context.run_id}-{context.actor}{life}-"
        self._wishes = 0
        self._blotter = Blotter()
        self._timers: dict[str, int] = {}
        self._sets_timers = False
        self._batch: list[Signal] | None = None

    # --- orders ----------------------------------------------------------------------------------

    def buy(self, instrument: Instrument | str, quantity: Number, **terms: Unpack[Terms]) -> str:
        """Wish to buy a quantity, in units; return the order's client id.

        Raises:
            TypeError: If a number is a float, or there is no such term.
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

    def cancel_all(
        self,
        instrument: Instrument | str | None = None,
        side: Side | None = None,
        *,
        reason: str = "",
    ) -> None:
        """Ask to cancel this strategy's orders: of one instrument or side, if these are named."""
        self.outbox.append(
            CancelOrders(
                strategy=self.name,
                instrument="" if instrument is None else _id_of(instrument),
                side=side,
                reason=reason,
            )
        )

    def modify(self, order_id: str, **changes: Unpack[ChangeTerms]) -> None:
        """Ask to change an open order of this strategy, under its id.

        ``quantity`` is that of the whole order, with what has been filled. :meth:`on_order` tells
        what became of it; one change of an order at a time is under way, another is refused.

        Raises:
            TypeError: If a number is a float, or there is no such change.
            ValueError: If the quantity or a price is not above 0, or nothing is to change.
        """
        quantity, limit, stop, reason = change_terms(changes)
        if self.is_warming:
            return
        self._blotter.asked_to_change(order_id)
        self.outbox.append(
            ModifyOrder(
                client_order_id=order_id,
                strategy=self.name,
                quantity=quantity,
                limit_price=limit,
                stop_price=stop,
                reason=reason,
            )
        )

    @contextmanager
    def batch(self, *, all_or_none: bool = False) -> Iterator[None]:
        """Send the wishes that are made inside together; of ``all_or_none`` ones, all or none.

        Cancels and changes go out by themselves, before the batch. If the block raises, none of its
        wishes is sent.

        Raises:
            ValueError: If a batch is open already.
        """
        if self._batch is not None:
            raise ValueError("a batch is open already")
        signals = self._batch = []
        try:
            yield
        except BaseException:
            for signal in signals:
                self._blotter.forget(signal)
            raise
        finally:
            self._batch = None
        if signals:
            batch = SignalBatch(strategy=self.name, signals=tuple(signals), all_or_none=all_or_none)
            self.outbox.append(batch)

    def bracket(
        self,
        instrument: Instrument | str,
        side: Side,
        quantity: Number,
        **terms: Unpack[BracketTerms],
    ) -> tuple[str, str, str]:
        """Wish to enter with two exits: a limit that takes the profit, a stop that ends the loss.

        The exits wait for the entry to fill and are alternatives; both only reduce. The three are
        approved together or not at all, unless they are part of a batch of yours.

        Returns:
            The client ids of the entry, of the take-profit and of the stop-loss.

        Raises:
            TypeError: If a number is a float, or a term is missing or unknown.
            ValueError: If a number is not above 0, or the exits are not on both sides of the entry.
        """
        side = Side(side)
        profit, loss, limit, reason = bracket_prices(side, terms)
        if self._batch is None:
            with self.batch(all_or_none=True):
                return self.bracket(instrument, side, quantity, **terms)
        amount = positive(quantity, "quantity")
        entry = self._wish(instrument, side, amount, {"limit": limit, "reason": reason})
        exits: Terms = {
            "reduce_only": True,
            "group": f"{entry}-exits",
            "parent": entry,
        }
        names = (("take profit", {"limit": profit}), ("stop loss", {"stop": loss}))
        take, stop = (
            self._wish(
                instrument,
                side.opposite,
                amount,
                {**exits, **price, "reason": f"{name} of {entry}"},  # type: ignore[typeddict-item]
            )
            for name, price in names
        )
        return entry, take, stop

    # --- outcome tokens --------------------------------------------------------------------------

    def split(self, instrument: Instrument | str, quantity: Number, *, reason: str = "") -> str:
        """Wish to make tokens of each outcome of a market out of cash; return the request's id.

        Raises:
            TypeError: If the quantity is a float.
            ValueError: If it is not above 0.
        """
        return self._convert(ConversionKind.SPLIT, instrument, quantity, reason)

    def merge(self, instrument: Instrument | str, quantity: Number, *, reason: str = "") -> str:
        """Wish to make cash out of tokens of each outcome of a market; as :meth:`split`."""
        return self._convert(ConversionKind.MERGE, instrument, quantity, reason)

    def redeem(self, instrument: Instrument | str, quantity: Number, *, reason: str = "") -> str:
        """Wish to make of tokens of a resolved market what they pay; as :meth:`split`."""
        return self._convert(ConversionKind.REDEEM, instrument, quantity, reason)

    def _convert(
        self, kind: ConversionKind, instrument: Instrument | str, quantity: Number, reason: str
    ) -> str:
        amount = positive(quantity, "quantity")
        if self.is_warming:
            return ""
        self._wishes += 1
        request_id = self._id_prefix + str(self._wishes)
        self.outbox.append(
            ConvertTokens(
                request_id=request_id,
                strategy=self.name,
                kind=kind,
                instrument=_id_of(instrument),
                quantity=amount,
                reason=reason,
            )
        )
        return request_id

    # --- timers, and what is known ---------------------------------------------------------------

    def set_timer(self, name: str, delay_ns: int) -> None:
        """Have :meth:`on_timer` called in ``delay_ns`` nanoseconds, once.

        A timer that is set again under the same name forgets its earlier time.

        Raises:
            ValueError: If the delay is not above 0.
        """
        if delay_ns <= 0:
            raise ValueError(f"delay of timer {name!r}: expected above 0 ns, found {delay_ns}")
        if self.is_warming:
            return
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
        order_type, limit, time_in_force, reason, priority, others = (
            order_terms(terms) if terms else MARKET_ORDER
        )
        if self.is_warming:
            return ""
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
        if others:  # apart: keywords out of a mapping take three times as long
            signal = msgspec.structs.replace(signal, **others)
        self._blotter.asked(signal)
        if self._batch is None:
            self.outbox.append(signal)
        else:
            self._batch.append(signal)
        return signal.signal_id

    def _was_used(self, wish_id: str) -> None:
        """Use no id again that this incarnation has used before, in another process."""
        number = wish_id.removeprefix(self._id_prefix)
        if number != wish_id and number.isdecimal():
            self._wishes = max(self._wishes, int(number))

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
