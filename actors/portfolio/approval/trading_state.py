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
_REMEMBERED = 64
_TRIPPED = {Action.REDUCE: _REDUCING, Action.HALT: _HALTED}

StateOutput = TradingStateChanged | CancelAll


class TradingStates:
    """Which state holds, and why; a worse one may always be set, a better one only knowingly.

    The account's own state is set by its limits on losses and by :class:`SetTradingState`. Beside
    it stand the halts that others have asked for, each until its cause is acknowledged. What the
    system itself has halted for good stays halted as long as its process lasts: there is nobody
    left to trade with. In the next one it can be lifted by its cause (:meth:`go_on`).
    """

    def __init__(self, policies: Iterable[RiskPolicy], view: AccountView) -> None:
        self.state = _ACTIVE
        self.cause = ""
        self.is_final = False
        """Whether it was the system that halted."""
        self._own = (_ACTIVE, "")
        self._halts: dict[str, None] = {}
        """The causes of the halts that others have asked for, the oldest first."""
        self._finals: dict[str, None] = {}
        """Those of the system's own that nobody has acknowledged."""
        self._heard: dict[str, None] = {}
        """The latest causes of such halts, lifted or not."""
        self._view = view
        self._wires = tuple(
            each for each in policies if isinstance(each, Tripwire) and each.action in _TRIPPED
        )
        self.is_watching = bool(self._wires)
        """Whether a loss may change the state."""

    def halt(self, cause: str, *, final: bool = True) -> None:
        """Halt at somebody's word, perhaps for good; the first cause stays."""
        if not final:
            self._add(cause)
            self._show()
            return
        if len(self._finals) < _REMEMBERED:
            self._finals[cause] = None
        self._hear(cause)
        if not self.is_final:
            self.is_final = True
            if self.state is not _HALTED:
                self.state, self.cause = _HALTED, cause

    def go_on(self) -> None:
        """Go on in a new process: what was final can be lifted, or has been."""
        if self.is_final:
            self.is_final = False
            for cause in self._finals:
                self._add(cause)
            self._finals.clear()
            self._show()

    def _add(self, cause: str) -> None:
        """Take somebody's cause: as many as a kill switch latches."""
        if len(self._halts) < _REMEMBERED:
            self._halts[cause] = None
        self._hear(cause)

    def _hear(self, cause: str) -> None:
        self._heard[cause] = None
        if len(self._heard) > _REMEMBERED:
            del self._heard[next(iter(self._heard))]

    def is_own(self, cause: str) -> bool:
        """Return whether the account's own state is a halt of this cause, which may be lifted."""
        return not self.is_final and self._own == (_HALTED, cause)

    def forget_halt(self, cause: str) -> bool:
        """Take back a halt that somebody has asked for; False if there is none of that cause."""
        self._finals.pop(cause, None)
        is_known = cause in self._halts
        if is_known:
            del self._halts[cause]
            self._show()
        return is_known

    def lift(self, cause: str) -> list[StateOutput]:
        """Lift the halts of a cause, whoever asked for them; tell what holds now."""
        is_own = self.is_own(cause)
        if not self.forget_halt(cause) and not is_own:
            return []
        if is_own:
            return self._change(_ACTIVE, f"lifted: {cause}")
        return [TradingStateChanged(state=self.state, cause=self.cause)]

    def lifts(self, message: SetTradingState) -> bool:
        """Return whether a message sets a better state of the account's own, and may do so."""
        own_state, own_cause = self._own
        if self.is_final or message.acknowledges != own_cause or self._is_outside:
            return False
        return _SEVERITY[message.state] < _SEVERITY[own_state]

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

    @property
    def _is_outside(self) -> bool:
        """Return whether it is somebody else's halt that holds."""
        return bool(self._halts) and self._own[0] is not _HALTED

    def _change(self, state: TradingState, cause: str) -> list[StateOutput]:
        """Change the account's own state; tell it, and what holds if that is another one."""
        self._own = (state, "" if state is _ACTIVE else cause)
        self._show()
        told: list[StateOutput] = [TradingStateChanged(state=state, cause=cause)]
        if state is _HALTED:
            told.append(CancelAll(cause))
        elif self._is_outside:
            told.append(TradingStateChanged(state=self.state, cause=self.cause))
        return told

    def _show(self) -> None:
        """Let the worst hold: the account's own halt before those that came after it."""
        if not self.is_final:
            self.state, self.cause = self._own
            if self._is_outside:
                self.state, self.cause = _HALTED, next(iter(self._halts))

    def restore(self, changed: TradingStateChanged) -> bool:
        """Take over what was told before a restart; return whether a state was lifted by it."""
        if changed.state is _HALTED and changed.cause in self._heard:
            return False  # somebody else's, told as what holds
        if self.is_final:
            if changed.state is _HALTED:
                # the first cause, told after the system's word had come
                self.cause = changed.cause
                self._own = (_HALTED, changed.cause)
            return False
        is_lifted = _SEVERITY[changed.state] < _SEVERITY[self._own[0]]
        self._own = (changed.state, "" if changed.state is _ACTIVE else changed.cause)
        self._show()
        return is_lifted
