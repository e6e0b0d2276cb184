"""OTP's supervisor in the plainest words: what the real one is compared with.

Written from the manual ("supervisor" in stdlib, "Supervisor Behaviour" in the design principles),
without tasks, events or back-off: whatever follows from an exit has happened when `exit` returns.
One difference is on purpose: a supervisor that gives up has failed, for its parent.
"""

from collections import Counter
from typing import Literal

import attrs

Log = list[tuple[str, str]]
Ending = Literal["failed", "normal"]


@attrs.frozen
class Spec:
    """A worker, or (with children) a supervisor."""

    name: str
    restart: str = "permanent"
    significant: bool = False
    children: tuple["Spec", ...] = ()
    scope: str = "one_for_one"
    intensity: int = 1
    period: int = 5
    auto_shutdown: str = "never"


class OtpModel:
    """A running supervisor; `log` gets the starts, failed starts and stops of workers, in order."""

    def __init__(self, spec: Spec, log: Log, failing_starts: Counter[str] | None = None) -> None:
        self.spec = spec
        self.log = log
        self.failing_starts = failing_starts if failing_starts is not None else Counter()
        self.known = list(spec.children)
        self.running: dict[str, OtpModel | None] = {}
        self.restarts: list[int] = []
        for child in self.known:
            self._start(child)

    def stop(self) -> None:
        self._stop(self.known)

    def exit(self, path: tuple[str, ...], how: Ending, now: int) -> Ending | None:
        """End the worker at `path`; return how this supervisor has ended because of it, if so."""
        child = next(child for child in self.known if child.name == path[0])
        nested = self.running[child.name]
        if nested is not None:
            ending = nested.exit(path[1:], how, now)
            if ending is None:
                return None
            how = ending
        del self.running[child.name]
        if child.restart == "permanent" or (child.restart == "transient" and how == "failed"):
            return self._restart(child, now)
        if child.restart == "temporary":
            self.known.remove(child)
        return self._auto_shutdown(child)

    def workers(self) -> list[tuple[str, ...]]:
        """Return the paths of all running workers, in start order."""
        paths: list[tuple[str, ...]] = []
        for child in self.known:
            if child.name in self.running:
                nested = self.running[child.name]
                below = [()] if nested is None else nested.workers()
                paths.extend((child.name, *path) for path in below)
        return paths

    def _restart(self, child: Spec, now: int) -> Ending | None:
        again: Spec | None = child
        while again is not None:
            self.restarts = [at for at in self.restarts if at >= now - self.spec.period] + [now]
            if len(self.restarts) > self.spec.intensity:
                self.stop()
                return "failed"
            group = self._group(again)
            self._stop(group)
            self.known = [c for c in self.known if c not in group or c.restart != "temporary"]
            again = self._start_all([c for c in group if c in self.known])
        return None

    def _group(self, child: Spec) -> list[Spec]:
        if self.spec.scope == "one_for_one":
            return [child]
        if self.spec.scope == "one_for_all":
            return list(self.known)
        return self.known[self.known.index(child) :]

    def _auto_shutdown(self, child: Spec) -> Ending | None:
        active = any(c.significant for c in self.known if c.name in self.running)
        wanted = self.spec.auto_shutdown
        if child.significant and (wanted == "any_significant" or not active):
            self.stop()
            return "normal"
        return None

    def _start_all(self, children: list[Spec]) -> Spec | None:
        """Start children in order; return the one that failed to, if any."""
        return next((child for child in children if not self._start(child)), None)

    def _start(self, child: Spec) -> bool:
        if self.failing_starts[child.name] > 0:
            self.failing_starts[child.name] -= 1
            self.log.append(("fail", child.name))
            return False
        if not child.children:
            self.log.append(("start", child.name))
        self.running[child.name] = OtpModel(child, self.log) if child.children else None
        return True

    def _stop(self, children: list[Spec]) -> None:
        for child in reversed(children):
            if child.name in self.running:
                nested = self.running.pop(child.name)
                if nested is None:
                    self.log.append(("stop", child.name))
                else:
                    nested.stop()
