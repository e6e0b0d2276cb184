"""Turns a signal into an order or a refusal: gate, size, price, risk, reservation in one step."""

from decimal import Decimal

from actors.messages.trading import Signal, SignalRefused, SubmitOrder, Violation
from actors.model.money import ONE, ZERO, plain
from actors.model.order import Order, Side
from actors.portfolio.account import Account, Stake
from actors.portfolio.config import PortfolioConfig
from actors.portfolio.exact import add, multiply
from actors.portfolio.sizing import signed_quantity, size_violation
from actors.risk.policy import RiskRequest, evaluate, opening_quantity

_BUY, _SELL = Side  # on Python 3.11, looking a member up takes longer than comparing it


class Approval:
    """Decides on signals, and remembers whose are not wanted any more."""

    def __init__(self, account: Account, config: PortfolioConfig) -> None:
        self._account = account
        self._policies = config.policies
        self._approved_by = tuple(policy.name for policy in config.policies)
        self._with_fee = add(ONE, config.fee_rate)
        self._halted: str | None = None
        self._stopped: dict[str, str] = {}

    @property
    def is_halted(self) -> bool:
        """Return whether every signal is refused."""
        return self._halted is not None

    def halt(self, cause: str) -> None:
        """Refuse every signal from now on; the first cause stays."""
        if self._halted is None:
            self._halted = cause

    def stop_strategy(self, strategy: str, cause: str) -> None:
        """Refuse one strategy's signals from now on; the first cause stays."""
        self._stopped.setdefault(strategy, cause)

    def decide(self, signal: Signal) -> SubmitOrder | SignalRefused | None:
        """Return the order, counted and its capital reserved, or why not; None if a target is met.

        Every policy that is violated is named. What stands before the policies (a halt, an unknown
        instrument, no size, no price) refuses alone.
        """
        blocked = self._blocked(signal)
        if blocked is not None:
            return _refusal(signal, blocked)
        account = self._account
        stake = account.stake((signal.strategy, signal.instrument))
        if stake is None:
            return _refusal(
                signal, Violation("Instrument", "a known instrument", signal.instrument)
            )
        signed = signed_quantity(signal, stake)
        if signed is None:
            return _refusal(signal, size_violation(signal, stake))
        if not signed:
            return None
        price = signal.limit_price
        if price is None:
            tick = stake.instrument.tick
            price = account.marks.price(stake.index, tick, is_buy=signed > ZERO)
        if price is None or price <= ZERO:
            return _refusal(signal, _no_price(signed, price))
        request = self._request(stake, signed, price)
        violations = evaluate(self._policies, request)
        if violations:
            return _refusal(signal, *violations)
        return self._submit(signal, request, stake)

    def _blocked(self, signal: Signal) -> Violation | None:
        if self._halted is not None:
            return Violation("Halted", "trading is active", self._halted)
        if signal.strategy in self._stopped:
            return Violation("Stopped", "the strategy runs", self._stopped[signal.strategy])
        payoffs = self._account.marks.payoffs
        if signal.instrument in payoffs:
            paid = plain(payoffs[signal.instrument])
            return Violation("Resolved", "an open market", f"resolved at {paid}")
        return None

    def _request(self, stake: Stake, signed: Decimal, price: Decimal) -> RiskRequest:
        account = self._account
        own = stake.working
        everyone = own.everyone
        position = stake.position
        held = position.quantity
        if signed > ZERO:
            side, quantity = _BUY, signed
            opening = opening_quantity(quantity, -held - own.buying)
        else:
            side, quantity = _SELL, -signed
            opening = opening_quantity(quantity, held - own.selling)
        return RiskRequest(
            instrument=stake.instrument,
            side=side,
            quantity=quantity,
            opening=opening,
            price=price,
            cost=multiply(multiply(price, self._with_fee), opening) if opening else ZERO,
            available=account.available(),
            account_position=position.total.quantity,
            account_buying=everyone.buying,
            account_selling=everyone.selling,
            strategy_position=held,
            strategy_buying=own.buying,
            strategy_selling=own.selling,
        )

    def _submit(self, signal: Signal, request: RiskRequest, stake: Stake) -> SubmitOrder:
        order = Order(
            client_order_id=signal.signal_id,
            strategy=signal.strategy,
            instrument=signal.instrument,
            side=request.side,
            quantity=request.quantity,
            order_type=signal.order_type,
            limit_price=signal.limit_price,
            time_in_force=signal.time_in_force,
            reason=signal.reason,
        )
        cost = request.cost
        self._account.reservations.add(order, stake.working, request.opening, cost)
        return SubmitOrder(order=order, approved_by=self._approved_by, reserved=cost)

    def restore(self, submitted: SubmitOrder) -> None:
        """Count an order that was sent before a restart.

        To be called in the state in which it was approved; which part of it opens a position
        follows from that, what was reserved for it is as it was sent.
        """
        order = submitted.order
        key = (order.strategy, order.instrument)
        own = self._account.reservations.strategy(key)
        held = self._account.ledger.position(key).quantity
        closable = -held - own.buying if order.side is _BUY else held - own.selling
        opening = opening_quantity(order.quantity, closable)
        opening = opening or order.quantity
        self._account.reservations.add(order, own, opening, submitted.reserved)


def _no_price(signed: Decimal, price: Decimal | None) -> Violation:
    wanted = "an ask to buy at" if signed > 0 else "a bid to sell at"
    return Violation("NoPrice", wanted, "none" if price is None else plain(price))


def _refusal(signal: Signal, *violations: Violation) -> SignalRefused:
    return SignalRefused(
        signal_id=signal.signal_id,
        strategy=signal.strategy,
        instrument=signal.instrument,
        violations=violations,
    )
