"""Turns a signal into an order or a refusal: gate, size, price, risk, reservation in one step."""

from collections.abc import Sequence
from decimal import Decimal

from msgspec.structs import replace

from actors.messages.account import TradingState
from actors.messages.trading import Signal, SignalRefused, SubmitOrder, Violation
from actors.model.money import ZERO
from actors.model.order import Order, Side
from actors.portfolio.account import Account, Stake
from actors.portfolio.approval.changes import Changes
from actors.portfolio.approval.gate import Gate, refusal
from actors.portfolio.approval.reduce_only import nothing_to_reduce, reduced
from actors.portfolio.approval.requests import Requests
from actors.portfolio.approval.sizing import no_price, signed_quantity, size_violation
from actors.portfolio.books.exact import subtract
from actors.portfolio.claims.room import ALONE, Room, closable, room_of_change, room_of_new
from actors.portfolio.config import PortfolioConfig
from actors.risk.policy import RiskRequest, opening_quantity

_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it
_HALTED = TradingState.HALTED

Decision = SubmitOrder | SignalRefused


class Approval:
    """Decides on signals.

    Attributes:
        gate: What may refuse them, and the trading state.
        changes: Decides on changes of what was approved.
    """

    def __init__(self, account: Account, config: PortfolioConfig) -> None:
        self._account = account
        self.gate = Gate(account, config)
        self._requests = Requests(account, config, self.gate.view)
        self.changes = Changes(account, self.gate, self._requests)

    @property
    def is_halted(self) -> bool:
        """Return whether every signal is refused."""
        return self.gate.states.state is _HALTED

    def halt(self, cause: str, *, final: bool = True) -> None:
        """Refuse every signal from now on, perhaps for good; the first cause stays."""
        self.gate.states.halt(cause, final=final)

    def stop_strategy(self, strategy: str, cause: str) -> None:
        """Refuse one strategy's signals from now on; the first cause stays."""
        self.gate.stop_strategy(strategy, cause)

    def order_over(self, client_order_id: str) -> None:
        """Give back what is left of an order that has ended, and watch no more over it."""
        self._account.order_over(client_order_id)
        if self.gate.reduce_only.watched:
            self.gate.reduce_only.forget(client_order_id)

    def decide(self, signal: Signal, now_ns: int) -> Decision | None:
        """Return the order, counted and its capital reserved, or why not; None if a target is met.

        Every policy that is violated is named. What stands before the policies (a halt, an unknown
        instrument, no size, no price) refuses alone.
        """
        blocked = self.gate.blocked(signal)
        if blocked is not None:
            return refusal(signal, blocked)
        account = self._account
        stake = account.stake((signal.strategy, signal.instrument))
        if stake is None:
            return refusal(signal, Violation("Instrument", "a known instrument", signal.instrument))
        signed = signed_quantity(signal, stake)
        if signed is None:
            return refusal(signal, size_violation(signal, stake))
        if not signed:
            return None
        room = ALONE
        if signal.group or signal.parent or signal.reduce_only:
            is_buy = signed > ZERO
            room = room_of_new(signal, stake.working, account.reservations, is_buy=is_buy)
            if signal.reduce_only:
                asked, signed = signed, reduced(signed, stake, room)
                if not signed:
                    return refusal(signal, nothing_to_reduce(asked, stake))
        return self._weighed(signal, stake, signed, room, now_ns)

    def _weighed(
        self, signal: Signal, stake: Stake, signed: Decimal, room: Room, now_ns: int
    ) -> Decision:
        """Return the decision on a signal whose size is known."""
        account, requests = self._account, self._requests
        price = signal.limit_price
        arrival: Decimal | None = None
        if price is None or signal.stop_price is not None or signal.schedule is not None:
            arrival = requests.touch(stake, signed)
            if price is None:
                price = arrival if signal.stop_price is None else signal.stop_price
        if price is None or price <= ZERO:
            return refusal(signal, no_price(signed, price))
        if not account.ledger.books.is_plain and not requests.has_rate(stake, price):
            wanted = f"a rate of {stake.instrument.currency}"
            return refusal(signal, Violation("Rate", wanted, "none"))
        request = requests.of(signal, stake, signed, price, now_ns)
        if room is not ALONE:
            request = requests.with_room(request, stake, room)
        violations = self.gate.violations(request)
        if violations:
            return refusal(signal, *violations)
        return self._submit(signal, request, stake, room, arrival)

    def _submit(
        self,
        signal: Signal,
        request: RiskRequest,
        stake: Stake,
        room: Room,
        arrival: Decimal | None,
    ) -> SubmitOrder:
        order = Order(
            client_order_id=signal.signal_id,
            strategy=signal.strategy,
            instrument=signal.instrument,
            side=request.side,
            quantity=request.quantity,
            order_type=signal.order_type,
            limit_price=signal.limit_price,
            time_in_force=signal.time_in_force,
            arrival_price=arrival,
            created_ns=request.now_ns,
            reason=signal.reason,
        )
        if (
            room is not ALONE
            or signal.stop_price is not None
            or signal.expire_time_ns
            or signal.schedule is not None
        ):
            # apart: with all of its fields named, a message takes three times as long to make
            order = replace(
                order,
                stop_price=signal.stop_price,
                expire_time_ns=signal.expire_time_ns,
                reduce_only=signal.reduce_only,
                group=signal.group,
                parent=signal.parent,
                schedule=signal.schedule,
            )
        cost = request.cost
        self._account.reservations.add(order, stake.working, request.opening, cost)
        if self.gate.remembers or order.reduce_only:
            self.gate.passed(order)
        return SubmitOrder(order=order, approved_by=self.gate.approved_by, reserved=cost)

    def all_or_none(self, decisions: Sequence[Decision]) -> list[Decision]:
        """Return the decisions on wishes that are approved together or not at all.

        Where one is refused, the others are taken back: nothing of them has been sent yet.
        """
        refused = [each for each in decisions if isinstance(each, SignalRefused)]
        if not refused:
            return list(decisions)
        violation = Violation("Batch", "all of a batch approved", f"{refused[0].signal_id} refused")
        return [
            self._taken_back(each.order, violation) if isinstance(each, SubmitOrder) else each
            for each in decisions
        ]

    def _taken_back(self, order: Order, violation: Violation) -> SignalRefused:
        self._account.reservations.release(order.client_order_id)
        self.gate.take_back(order)
        return refusal(order, violation)

    def review(self, order: Order, reserved: Decimal, now_ns: int) -> tuple[Violation, ...]:
        """Return why an order, or an order as it shall be after a change, would be refused now.

        Nothing is counted. ``reserved`` is what was held back for it when it was approved, perhaps
        by other policies.
        """
        account = self._account
        blocked = self.gate.blocked(order)
        if blocked is not None:
            return (blocked,)
        stake = account.stake((order.strategy, order.instrument))
        if stake is None:
            return (Violation("Instrument", "a known instrument", order.instrument),)
        claim = account.reservations.claim(order.client_order_id)
        is_buy = order.side is _BUY
        if claim is None:
            room = room_of_new(order, stake.working, account.reservations, is_buy=is_buy)
            quantity = order.quantity
        else:
            room = room_of_change(claim, account.reservations)
            quantity = subtract(order.quantity, claim.filled())
        signed = quantity if is_buy else quantity.copy_negate()
        prices = (order.limit_price, order.stop_price, order.arrival_price)
        price = next((each for each in prices if each is not None), None)
        price = price or self._requests.touch(stake, signed)
        if price is None:
            return (no_price(signed, price),)
        request = self._requests.of(order, stake, signed, price, now_ns)
        request = self._requests.with_room(request, stake, room)
        return self.gate.violations(replace(request, cost=reserved))

    def restore(self, submitted: SubmitOrder) -> None:
        """Count an order that was sent before a restart.

        To be called in the state in which it was approved; which part of it opens a position
        follows from that, what was reserved for it is as it was sent.
        """
        order = submitted.order
        reservations = self._account.reservations
        key = (order.strategy, order.instrument)
        own = reservations.strategy(key)
        is_buy = order.side is _BUY
        room = ALONE
        if order.group or order.parent:
            room = room_of_new(order, own, reservations, is_buy=is_buy)
        held = self._account.ledger.position(key).quantity
        opening = opening_quantity(order.quantity, closable(held, own, room, is_buy=is_buy))
        if submitted.reserved:
            opening = opening or order.quantity
        reservations.add(order, own, opening, submitted.reserved)
        self.gate.passed(order)
