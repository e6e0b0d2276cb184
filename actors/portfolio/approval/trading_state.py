"""The trading state: ACTIVE, REDUCING or HALTED, kept with its cause until somebody lifts it."""

from collections.abc import Iterable
from decimal import Decimal

from actors.messages.account import SetTradingState, TradingState, TradingStateChanged
from actors.messages.system import CancelAll
from actors.risk.loss import Action, Tripwire
from actors.risk.policy import RiskPolicy
from actors.risk.view import AccountView

_ACTIVE, _REDUCING, _HALTED = TradingState
_SEVERITY = {_ACTIVE: 0, _REDUCING: 1, _HALTED: 2}
_TRIPPED = {Action.REDUCE: _REDUCING, Action.HALT: _HALTED}

StateOutput = TradingStateChanged | CancelAll


class TradingStates:
    """Which state holds, and why; a worse one may always be set, a better one only knowingly.

    What the system itself has halted stays halted: there is nobody left to trade with.
    """

    def __init__(self, policies: Iterable[RiskPolicy], view: AccountView) -> None:
        self.state = _ACTIVE
        self.cause = ""
        self.is_final = False
        """Whether it was the system that halted."""
        self._view = view
        self._wires = tuple(
            each for each in policies if isinstance(each, Tripwire) and each.action in _TRIPPED
        )
        self.is_watching = bool(self._wires)
        """Whether a loss may change the state."""

    def halt(self, cause: str) -> None:
        """Halt for good, at the system's word; the first cause stays."""
        if not self.is_final:
            self.is_final = True
            if self.state is not _HALTED:
                self.state, self.cause = _HALTED, cause

    def lifts(self, message: SetTradingState) -> bool:
        """Return whether a message sets a better state, and may do so."""
        if self.is_final or message.acknowledges != self.cause:
            return False
        return _SEVERITY[message.state] < _SEVERITY[self.state]

    def set(self, message: SetTradingState) -> list[StateOutput]:
        """Set a state and tell; if it may not be lifted so, tell what holds."""
        if self.lifts(message) or _SEVERITY[message.state] > _SEVERITY[self.state]:
            return self._change(message.state, message.cause)
        return [TradingStateChanged(state=self.state, cause=self.cause)]

    def watch(self, equity: Decimal, now_ns: int) -> list[StateOutput]:
        """Change the state if a limit on losses is exceeded at this value of the account; tell."""
        told: list[StateOutput] = []
        for wire in self._wires:
            state = _TRIPPED[wire.action]
            if _SEVERITY[state] > _SEVERITY[self.state]:
                violation = wire.breach(self._view, equity, now_ns)
                if violation is not None:
                    cause = f"{wire.name}: limit {violation.limit}, found {violation.found}"
                    told += self._change(state, cause)
        return told

    def _change(self, state: TradingState, cause: str) -> list[StateOutput]:
        self.state = state
        self.cause = "" if state is _ACTIVE else cause
        told: list[StateOutput] = [TradingStateChanged(state=state, cause=cause)]
        if state is _HALTED:
            told.append(CancelAll(cause))
        return told

    def restore(self, changed: TradingStateChanged) -> bool:
        """Take over what was told before a restart; return whether a state was lifted by it."""
        if self.is_final:
            if changed.state is _HALTED:
                self.cause = changed.cause  # the first cause, told after the system's word had come
            return False
        is_lifted = _SEVERITY[changed.state] < _SEVERITY[self.state]
        self.state = changed.state
        self.cause = "" if changed.state is _ACTIVE else changed.cause
        return is_lifted
