"""Whether orders pass: the trading state, stopped strategies, resolved markets, the policies."""

from actors.messages.account import TradingState
from actors.messages.trading import Signal, SignalRefused, Violation
from actors.model.money import plain
from actors.model.order import Order
from actors.portfolio.account import Account
from actors.portfolio.approval.reduce_only import ReduceOnly
from actors.portfolio.approval.risk_view import ApprovalLog, RiskView
from actors.portfolio.approval.samples import Landmarks
from actors.portfolio.approval.trading_state import StateOutput, TradingStates
from actors.portfolio.config import PortfolioConfig
from actors.portfolio.reconciling.agreement import Agreement
from actors.risk.policy import RiskRequest, evaluate

_ACTIVE, _REDUCING, _HALTED = TradingState


class Gate:
    """Lets an account's orders pass, or says why not; and remembers those that did."""

    def __init__(self, account: Account, config: PortfolioConfig) -> None:
        self._account = account
        self._policies = config.policies
        self._stopped: dict[str, str] = {}
        self._log = ApprovalLog(config.policies)
        self.remembers = self._log.is_kept
        """Whether a policy looks back at what was approved."""
        self.approved_by = tuple(policy.name for policy in config.policies)
        self.landmarks = Landmarks(None if config.balances else config.cash)
        self.view = RiskView(account, self.landmarks, self._log)
        self.states = TradingStates(config.policies, self.view)
        self.reduce_only = ReduceOnly(account)
        self.agreement = Agreement(is_needed=config.reconciles)

    def stop_strategy(self, strategy: str, cause: str) -> None:
        """Refuse one strategy's orders from now on; the first cause stays."""
        self._stopped.setdefault(strategy, cause)

    def go_on(self) -> None:
        """Go on in a new process: stopped strategies run again, what was final can be lifted."""
        self._stopped.clear()
        self.states.go_on()

    def watch(self, now_ns: int) -> list[StateOutput]:
        """Change the trading state if the account has lost too much by now; tell."""
        return self.states.watch(self.view.equity(), now_ns)

    def blocked(self, wish: Signal | Order) -> Violation | None:
        """Return what stands before the policies, or None."""
        if self.states.state is _HALTED:
            return Violation("Halted", "trading is active", self.states.cause)
        if self.agreement.problem is not None:
            return self.agreement.problem
        if wish.strategy in self._stopped:
            return Violation("Stopped", "the strategy runs", self._stopped[wish.strategy])
        payoffs = self._account.marks.payoffs
        if wish.instrument in payoffs:
            paid = plain(payoffs[wish.instrument])
            return Violation("Resolved", "an open market", f"resolved at {paid}")
        return None

    def violations(self, request: RiskRequest) -> tuple[Violation, ...]:
        """Return everything that an order violates."""
        violations = evaluate(self._policies, request)
        if self.states.state is _REDUCING and request.opening:
            found = f"{plain(request.opening)} opened ({self.states.cause})"
            violations = (Violation("Reducing", "what reduces a position", found), *violations)
        return violations

    def passed(self, order: Order) -> None:
        """Remember an order, or a change of one, that was approved when it was created."""
        if self.remembers:
            self._log.add(order.created_ns, order)
        if order.reduce_only:
            self.reduce_only.add(order)

    def take_back(self, order: Order) -> None:
        """Forget an order that was not sent after all."""
        self._log.take_back(order.client_order_id)
        self.reduce_only.forget(order.client_order_id)


def refusal(wish: Signal | Order, *violations: Violation) -> SignalRefused:
    """Return the portfolio's no to a wish, or to a change of an order."""
    return SignalRefused(
        signal_id=wish.client_order_id if isinstance(wish, Order) else wish.signal_id,
        strategy=wish.strategy,
        instrument=wish.instrument,
        violations=violations,
    )
