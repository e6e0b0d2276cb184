"""Cores that raise once, at a chosen moment; the trap is outside the core, so the retry passes."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs

from actors.actor import Context, Core
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.routes import Role

MakeCore = Callable[[Context], Core]


class Sprung(Exception):
    """What a trap raises."""


def _any(_message: Any) -> bool:
    return True


class Trap:
    """Counts an actor's calls that ``matches`` accepts, and raises at the ``at``-th.

    It raises after the call has done its work, whose outputs are then lost, or before. With
    ``times`` it raises so often: a poison message, or an actor that cannot be helped.
    """

    def __init__(
        self,
        at: int = 0,
        *,
        after: bool = True,
        times: int = 1,
        matches: Callable[[Any], bool] = _any,
    ) -> None:
        self.calls = 0
        self.sprung = 0
        self._at = at
        self._after = after
        self._times = times
        self._matches = matches

    def recovery(self, history: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
        """Yield a history as it is."""
        yield from history

    def start(self) -> None:
        """Take notice that an incarnation starts."""

    def call(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do the work, unless the trap springs."""
        if not self._matches(arguments[0]):
            return work(*arguments)
        self.calls += 1
        springs = self._at and self.calls >= self._at and self.sprung < self._times
        if springs and not self._after:
            self._spring()
        done = work(*arguments)
        if springs and self._after:
            self._spring()
        return done

    def _spring(self) -> None:
        self.sprung += 1
        raise Sprung(f"call {self.calls}")


class DoubleTrap(Trap):
    """Springs, and once more while the next incarnation recovers: after some of its history.

    A strategy, which recovers from nothing, fails when it is started.
    """

    def __init__(self, at: int, *, replayed: int) -> None:
        super().__init__(at)
        self.sprung_again = 0
        self._replayed = replayed

    def recovery(self, history: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
        """Yield the history, or only its beginning."""
        for number, each in enumerate(history):
            if number == self._replayed:
                self._spring_again()
            yield each
        self._spring_again()

    def start(self) -> None:
        """Take notice that an incarnation starts."""
        self._spring_again()

    def _spring_again(self) -> None:
        if self.sprung and not self.sprung_again:
            self.sprung_again += 1
            raise Sprung(f"recovery from call {self.calls}")


def trapped(plan: Blueprint, actor: str, trap: Trap) -> Blueprint:
    """Return the blueprint with one actor's calls in a trap: messages, rows, reactions."""
    if actor in list(Role):
        role = Role(actor)
        return attrs.evolve(plan, cores={**plan.cores, role: _trapping(plan.cores[role], trap)})
    strategies = {**plan.strategies, actor: _trapping(plan.strategies[actor], trap)}
    return attrs.evolve(plan, strategies=strategies)


def _trapping(make: MakeCore, trap: Trap) -> MakeCore:
    def make_trapped(context: Context) -> Core:
        core: Any = make(context)
        start, recover = core.start, core.recover
        core.recover = lambda history: recover(trap.recovery(history))

        def start_and_trap(now_ns: int) -> list[Any]:
            trap.start()
            outputs: list[Any] = start(now_ns)
            _set(core, trap)  # from now on: recovery is left alone
            return outputs

        core.start = start_and_trap
        made: Core = core
        return made

    return make_trapped


def _set(core: Any, trap: Trap) -> None:
    core.handle = _in_trap(core.handle, trap)
    if hasattr(core, "react"):
        core.react = _in_trap(core.react, trap)
    if hasattr(core, "callback"):
        _trap_callbacks(core, trap)


def _in_trap(work: Callable[..., Any], trap: Trap) -> Callable[..., Any]:
    return lambda *arguments: trap.call(work, *arguments)


def _trap_callbacks(core: Any, trap: Trap) -> None:
    find = core.callback

    def callback(code: int) -> Callable[[Any], None] | None:
        found = find(code)
        return None if found is None else _in_trap(found, trap)

    core.callback = callback
