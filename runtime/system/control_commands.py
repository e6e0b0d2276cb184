"""The commands by which a person, or a program, governs a running system.

Every command that changes something is a message of the sender ``control``, and so in the journal.
``halt`` goes the system's own way (:mod:`runtime.system.halting`): it works where the portfolio,
the broker, or whoever shows alarms does not.
"""

from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from actors.messages.account import SetTradingState, TradingState, TradingStateChanged
from actors.messages.reconciliation import Cure, Reconcile, ResolveDifference
from actors.messages.safety import Heartbeat, KillSwitchChanged
from actors.messages.system import Resume
from actors.safety.kill_switch import KillSwitch
from runtime.config.daemon import StopPolicy
from runtime.config.units import parse_duration
from runtime.system import control_views as views
from runtime.system.control_watchers import Watchers, answer_to
from runtime.system.halting import halt
from runtime.wiring.plant import Plant
from runtime.wiring.routes import Role

CONTROL = "control"
_ANSWER_S = 2.0
"""How long to wait for an actor's answer: seconds."""
_LONGEST_WORDS = 500

Arguments = Mapping[str, Any]
_Word = TypeVar("_Word", bound=StrEnum)
Command = Callable[[Arguments], Awaitable[Any]]


class Refused(Exception):
    """What was asked cannot be done; the words are for whoever has asked."""


class Governed(Protocol):
    """A running system, as far as it is governed from outside."""

    @property
    def plant(self) -> Plant:
        """Return its actors."""
        ...

    def request_stop(self, reason: str, policy: StopPolicy | None = None) -> None:
        """Let it end in order."""
        ...


class Commands:
    """What can be asked of a running system.

    Args:
        system: The system.
        about: What ``status`` says of the run beside its state: name, mode and so on.
    """

    def __init__(self, system: Governed, about: Mapping[str, Any]) -> None:
        self._system = system
        self._about = about
        self.watchers = Watchers(system.plant.post)
        self.table: Mapping[str, Command] = {
            "status": self._status,
            "tree": self._show(views.tree),
            "orders": self._show(views.orders),
            "positions": self._show(views.positions),
            "differences": self._show(views.differences),
            "halt": self._halt,
            "resume": self._resume,
            "state": self._state,
            "resolve": self._resolve,
            "reconcile": self._reconcile,
            "heartbeat": self._heartbeat,
            "stop": self._stop,
        }

    async def run(self, name: Any, arguments: Arguments) -> Any:
        """Do what is asked and return its result.

        Raises:
            Refused: If there is no such command, or it cannot be done with these arguments.
        """
        command = self.table.get(name) if isinstance(name, str) else None
        if command is None:
            known = ", ".join([*self.table, "events"])
            raise Refused(f"command: expected one of {known}, found {name!r}")
        return await command(arguments)

    # --- looking ---------------------------------------------------------------------------------

    async def _status(self, arguments: Arguments) -> Any:
        _only(arguments)
        return {**self._about, **views.status(self._system.plant)}

    def _show(self, look: Callable[[Plant], Any]) -> Command:
        async def show(arguments: Arguments) -> Any:
            _only(arguments)
            found = look(self._system.plant)
            if found is None:
                raise Refused("nobody can tell just now: the actor is down, or not in this run")
            return found

        return show

    # --- changing --------------------------------------------------------------------------------

    async def _halt(self, arguments: Arguments) -> Any:
        _only(arguments, "cause")
        cause = _words(arguments, "cause")
        failed = halt(self._system.plant, cause, CONTROL)
        has_switch = Role.SAFETY in self._system.plant.cells
        return {"cause": cause, "failed": failed, "is_latched": has_switch}

    async def _resume(self, arguments: Arguments) -> Any:
        _only(arguments, "acknowledges")
        self._switch("no halt of its own can be lifted")
        words = _words(arguments, "acknowledges")
        told = await self._ask(Resume(words), KillSwitchChanged)
        if told.note.startswith("refused"):
            causes = "; ".join(each.cause for each in told.causes if not each.is_acknowledged)
            raise Refused(f"{told.note}; halted because: {causes}" if causes else told.note)
        return views.plain(told)

    async def _state(self, arguments: Arguments) -> Any:
        _only(arguments, "state", "cause", "acknowledges")
        state = _choice(arguments, "state", TradingState)
        cause = _words(arguments, "cause")
        acknowledges = _words(arguments, "acknowledges") if "acknowledges" in arguments else ""
        message = SetTradingState(state=state, cause=cause, acknowledges=acknowledges)
        told = await self._ask(message, TradingStateChanged)
        if told.state is not state:
            raise Refused(f"the state is still {told.state}: {told.cause}")
        return views.plain(told)

    async def _resolve(self, arguments: Arguments) -> Any:
        _only(arguments, "key", "cure", "cause")
        cure = _choice(arguments, "cure", Cure)
        if cure not in _DECISIONS:
            raise Refused(f"cure: expected {', '.join(_DECISIONS)}, found {cure}")
        key, cause = _words(arguments, "key"), _words(arguments, "cause")
        known = views.differences(self._system.plant)
        if known is not None and key not in [each["key"] for each in known]:
            open_keys = ", ".join(each["key"] for each in known) or "none"
            raise Refused(f"key: expected an open difference ({open_keys}), found {key!r}")
        return self._send(ResolveDifference(key=key, cure=cure, cause=cause))

    async def _reconcile(self, arguments: Arguments) -> Any:
        _only(arguments, "cause")
        cause = _words(arguments, "cause") if "cause" in arguments else "asked for"
        if Role.VENUE not in self._system.plant.cells:
            raise Refused("a simulated venue has nothing to compare: its books are this run's own")
        return self._send(Reconcile(cause))

    async def _heartbeat(self, arguments: Arguments) -> Any:
        _only(arguments, "source", "within", "is_last")
        switch = self._switch("heartbeats mean nothing")
        if not switch.watches_heartbeats():
            raise Refused("kill_switch.heartbeat: expected a duration in the configuration")
        source = _words(arguments, "source") if "source" in arguments else CONTROL
        is_last = arguments.get("is_last", False) is True
        within_ns = _duration(arguments, "within") if "within" in arguments else 0
        return self._send(Heartbeat(source=source, within_ns=within_ns, is_last=is_last))

    async def _stop(self, arguments: Arguments) -> Any:
        _only(arguments, "policy")
        policy = _choice(arguments, "policy", StopPolicy) if "policy" in arguments else None
        self._system.request_stop("stopped by a command", policy)
        return {"policy": policy}

    # --- messages --------------------------------------------------------------------------------

    def _switch(self, otherwise: str) -> KillSwitch:
        cell = self._system.plant.cells.get(Role.SAFETY)
        if cell is None:
            raise Refused(f"this run has no kill switch: {otherwise}")
        if not isinstance(cell.core, KillSwitch):
            raise Refused("the kill switch is down just now: it is being restarted; ask again")
        return cell.core

    def _send(self, message: Any) -> Any:
        return {"sequence": self._deliver(message)}

    def _deliver(self, message: Any) -> int:
        """Deliver a message; return its sequence. None of them ever waits for room."""
        plant = self._system.plant
        sequence = plant.post.sequence + 1
        plant.post.deliver(CONTROL, 0, message, plant.clock.now_ns())
        return sequence

    async def _ask(self, message: Any, kind: type) -> Any:
        """Deliver a message; return the answer to it."""
        told = await answer_to(self.watchers, lambda: self._deliver(message), kind, _ANSWER_S)
        if told is None:
            words = f"no answer within {_ANSWER_S:g} s: it was sent and may yet be done"
            raise Refused(words)
        return told


_DECISIONS = (Cure.ADOPT, Cure.IGNORE, Cure.BOOK)


# --- arguments -----------------------------------------------------------------------------------


def _only(arguments: Arguments, *known: str) -> None:
    unknown = sorted(set(arguments) - set(known))
    if unknown:
        expected = ", ".join(known) or "no arguments"
        raise Refused(f"{unknown[0]}: expected {expected}, found an unknown argument")


def _words(arguments: Arguments, name: str) -> str:
    """Return an argument that is one line of text."""
    value = arguments.get(name)
    text = " ".join(value.split()) if isinstance(value, str) else ""
    if not 0 < len(text) <= _LONGEST_WORDS:
        raise Refused(
            f"{name}: expected 1 to {_LONGEST_WORDS} letters of text, found {_shown(value)}"
        )
    return text


def _choice(arguments: Arguments, name: str, kind: type[_Word]) -> _Word:
    """Return an argument that is one of a few words, however it is cased."""
    value = arguments.get(name)
    for each in kind:
        if isinstance(value, str) and value.lower() == each.lower():
            return each
    expected = ", ".join(each.lower() for each in kind)
    raise Refused(f"{name}: expected one of {expected}, found {_shown(value)}")


def _duration(arguments: Arguments, name: str) -> int:
    value = arguments[name]
    try:
        found = parse_duration(value) if isinstance(value, str) else 0
    except ValueError:
        found = 0
    if found <= 0:
        raise Refused(f"{name}: expected a duration such as 30s, found {_shown(value)}")
    return found


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:80]}..."
