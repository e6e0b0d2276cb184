"""Decides on changes of orders that work, as on new ones: the same gate, the same reservation."""

from decimal import Decimal

from msgspec.structs import replace

from actors.messages.trading import (
    ModifyOrder,
    ReplaceOrder,
    ReplaceResult,
    SignalRefused,
    Violation,
)
from actors.model.money import ZERO, plain, round_down
from actors.model.order import Order, OrderType, Side
from actors.portfolio.account import Account, Stake
from actors.portfolio.approval.gate import Gate, refusal
from actors.portfolio.approval.reduce_only import nothing_to_reduce, reduced
from actors.portfolio.approval.requests import Requests
from actors.portfolio.approval.sizing import no_price
from actors.portfolio.books.exact import add, subtract
from actors.portfolio.claims.alternatives import Claim
from actors.portfolio.claims.room import closable, room_of_change
from actors.risk.policy import opening_quantity

_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it
_LIMITED = frozenset({OrderType.LIMIT, OrderType.POST_ONLY, OrderType.STOP_LIMIT})
_STOPPED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT})


class Changes:
    """Approves changes of one account's orders.

    From the approval to the venue's answer, the greater of the old and the new form is reserved; of
    several changes that are under way, the greatest of all.
    """

    def __init__(self, account: Account, gate: Gate, requests: Requests) -> None:
        self._account = account
        self._gate = gate
        self._requests = requests

    def decide(self, message: ModifyOrder, now_ns: int) -> ReplaceOrder | SignalRefused:
        """Return the order as it shall be, its capital reserved, or why not.

        It is approved, and so ``created``, now; its arrival price stays that of its first form.
        """
        claim = self._account.reservations.claim(message.client_order_id)
        if claim is None or claim.order.strategy != message.strategy:
            return _unknown(message)
        before = claim.proposals[-1].order if claim.proposals else claim.order
        problem = self._gate.blocked(before) or _problem(message, before, claim)
        if problem is not None:
            return refusal(before, problem)
        stake = self._account.stake((before.strategy, before.instrument))
        assert stake is not None, f"{before.instrument} is not known"
        order = _changed(message, before, stake.instrument.lot, now_ns)
        return self._weighed(order, claim, stake)

    def _weighed(self, order: Order, claim: Claim, stake: Stake) -> ReplaceOrder | SignalRefused:
        """Return the decision on an order as it shall be."""
        filled = claim.filled()
        leaves = subtract(order.quantity, filled)
        if leaves <= ZERO:
            wanted = f"more than the {plain(filled)} filled"
            return refusal(order, Violation("Size", wanted, plain(order.quantity)))
        signed = leaves if order.side is _BUY else leaves.copy_negate()
        room = room_of_change(claim, self._account.reservations)
        if order.reduce_only:
            asked, signed = signed, reduced(signed, stake, room)
            if not signed:
                return refusal(order, nothing_to_reduce(asked, stake))
            order = replace(order, quantity=add(filled, signed.copy_abs()))
        price = self._price(order, stake, signed)
        if price is None or price <= ZERO:
            return refusal(order, no_price(signed, price))
        request = self._requests.of(order, stake, signed, price, order.created_ns)
        request = self._requests.with_room(request, stake, room)
        violations = self._gate.violations(request)
        if violations:
            return refusal(order, *violations)
        self._account.reservations.propose(order, request.opening, request.cost)
        self._gate.passed(order)
        return ReplaceOrder(order=order, approved_by=self._gate.approved_by, reserved=request.cost)

    def _price(self, order: Order, stake: Stake, signed: Decimal) -> Decimal | None:
        for price in (order.limit_price, order.stop_price):
            if price is not None:
                return price
        return self._requests.touch(stake, signed)

    def settle(self, result: ReplaceResult) -> None:
        """Count an order as it stands after a change that was accepted or not."""
        reservations = self._account.reservations
        reservations.change(result.client_order_id, result.order, accepted=result.accepted)

    def answers(self, message: ModifyOrder, replaced: ReplaceOrder) -> bool:
        """Return whether a change seems to be what a message led to."""
        order = replaced.order
        if message.quantity is not None:
            instrument = self._account.instruments.get(order.instrument)
            lot = order.quantity if instrument is None else instrument.lot
            asked = round_down(message.quantity, lot)
            if order.quantity != asked and not (order.reduce_only and order.quantity < asked):
                return False
        prices = (
            (message.limit_price, order.limit_price),
            (message.stop_price, order.stop_price),
        )
        return all(wanted is None or wanted == found for wanted, found in prices)

    def restore(self, replaced: ReplaceOrder) -> None:
        """Count a change that was sent before a restart, in the state in which it was approved."""
        order = replaced.order
        reservations = self._account.reservations
        claim = reservations.claim(order.client_order_id)
        if claim is not None:
            leaves = subtract(order.quantity, claim.filled())
            room = room_of_change(claim, reservations)
            held = self._account.ledger.position((order.strategy, order.instrument)).quantity
            most = closable(held, claim.own, room, is_buy=claim.is_buy)
            opening = opening_quantity(leaves, most)
            if replaced.reserved:
                opening = opening or leaves
            reservations.propose(order, opening, replaced.reserved)
        self._gate.passed(order)


def _changed(message: ModifyOrder, before: Order, lot: Decimal, now_ns: int) -> Order:
    """Return an order as it shall be, in whole lots."""
    quantity = before.quantity
    if message.quantity is not None:
        quantity = round_down(message.quantity, lot)
    limit, stop = message.limit_price, message.stop_price
    return replace(
        before,
        quantity=quantity,
        limit_price=before.limit_price if limit is None else limit,
        stop_price=before.stop_price if stop is None else stop,
        created_ns=now_ns,
        reason=message.reason or before.reason,
    )


def _problem(message: ModifyOrder, before: Order, claim: Claim) -> Violation | None:
    """Return why an order cannot be changed so, whatever the policies say."""
    kind = before.order_type
    if message.limit_price is not None and kind not in _LIMITED:
        return Violation("Modify", f"no limit of a {kind} order", plain(message.limit_price))
    if message.stop_price is not None and kind not in _STOPPED:
        return Violation("Modify", f"no stop price of a {kind} order", plain(message.stop_price))
    if message.quantity is not None and message.quantity <= claim.filled():
        wanted = f"more than the {plain(claim.filled())} filled"
        return Violation("Size", wanted, plain(message.quantity))
    if message.quantity is message.limit_price is message.stop_price is None:
        return Violation("Modify", "something to change", "nothing")
    return None


def _unknown(message: ModifyOrder) -> SignalRefused:
    wanted = "an open order of the strategy"
    return SignalRefused(
        signal_id=message.client_order_id,
        strategy=message.strategy,
        instrument="",
        violations=(Violation("Modify", wanted, message.client_order_id),),
    )
