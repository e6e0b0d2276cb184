"""What a supervisor does when a child ends: the policy, without waiting, clock or chance.

The words and rules are those of OTP's supervisor (stdlib manual, "supervisor", and "Supervisor
Behaviour" in its design principles): restart types, scopes, intensity within a period, significant
children. Added to them: a back-off before each restart.

Unlike OTP, a child that fails in the very first start is tried again within the same budget, and a
supervisor that gives up has failed (in OTP it exits with ``shutdown``, which a transient parent
entry takes for a normal end).
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from math import isfinite
from typing import assert_never

import attrs

_SECOND_NS = 1_000_000_000


class Restart(StrEnum):
    """When an ended child is started again."""

    PERMANENT = "permanent"
    """Always."""
    TRANSIENT = "transient"
    """Only if it failed."""
    TEMPORARY = "temporary"
    """Never; not even when it was stopped because of a sibling."""


class Scope(StrEnum):
    """Who is stopped and started again together with a child (OTP calls it the strategy)."""

    ONE_FOR_ONE = "one_for_one"
    """Nobody else."""
    ONE_FOR_ALL = "one_for_all"
    """All its siblings."""
    REST_FOR_ONE = "rest_for_one"
    """The siblings that start after it."""


class AutoShutdown(StrEnum):
    """Whether a supervisor ends, normally, when significant children have ended for good."""

    NEVER = "never"
    ANY_SIGNIFICANT = "any_significant"
    ALL_SIGNIFICANT = "all_significant"


class Exit(StrEnum):
    """How a child has ended."""

    NORMAL = "normal"
    FAILED = "failed"
    SHUTDOWN = "shutdown"
    """Its supervisor stopped it."""


def _require(is_met: bool, text: str) -> None:
    if not is_met:
        raise ValueError(text)


@attrs.frozen(kw_only=True)
class Backoff:
    """How long to wait before a restart: exponential, capped, with jitter.

    The default waits for nothing: the first and every restart is at once.

    Attributes:
        base_ns: The delay before the first restart.
        factor: By how much each further one is longer; 1 or more.
        cap_ns: The longest delay.
        jitter: The largest fraction of a delay, 0 to 1, that chance takes off.
        healthy_ns: A child that ran for so long starts with ``base_ns`` again.
    """

    base_ns: int = 0
    factor: float = 2.0
    cap_ns: int = 30 * _SECOND_NS
    jitter: float = 0.1
    healthy_ns: int = 60 * _SECOND_NS

    def __attrs_post_init__(self) -> None:
        _require(self.base_ns >= 0, f"backoff: base_ns must be 0 or more, not {self.base_ns}")
        _require(
            self.cap_ns >= self.base_ns,
            f"backoff: cap_ns must be {self.base_ns} (base_ns) or more, not {self.cap_ns}",
        )
        _require(
            self.factor >= 1 and isfinite(self.factor),
            f"backoff: factor must be 1 or more, not {self.factor}",
        )
        _require(0 <= self.jitter <= 1, f"backoff: jitter must be 0 to 1, not {self.jitter}")
        _require(self.healthy_ns > 0, f"backoff: healthy_ns must be positive: {self.healthy_ns}")

    def delay_ns(self, attempt: int, draw: float) -> int:
        """Return the delay before restart number ``attempt`` (from 0) since the last healthy run.

        Args:
            attempt: How many restarts came before this one.
            draw: Chance, in [0, 1): 0 gives the longest delay.
        """
        # Multiplied step by step: `pow` may differ in the last bit from one C library to the next.
        delay = float(self.base_ns)
        if self.factor > 1:
            for _ in range(attempt):
                if not 0 < delay < self.cap_ns:
                    break
                delay *= self.factor
        return round(min(delay, self.cap_ns) * (1 - self.jitter * draw))


@attrs.frozen(kw_only=True)
class ChildPolicy:
    """How one child is treated.

    Attributes:
        name: Unique among its siblings.
        restart: When it is started again.
        significant: Whether its end for good may end the supervisor; never of a permanent child.
        backoff: How long its restarts are delayed.
    """

    name: str
    restart: Restart = Restart.PERMANENT
    significant: bool = False
    backoff: Backoff = Backoff()

    def __attrs_post_init__(self) -> None:
        _require(bool(self.name), "a supervised child must have a name")
        _require(
            not (self.significant and self.restart is Restart.PERMANENT),
            f"{self.name}: a permanent child cannot be significant: it never ends for good",
        )

    @property
    def is_temporary(self) -> bool:
        """Return whether the child never comes back."""
        return self.restart is Restart.TEMPORARY


@attrs.frozen(kw_only=True)
class SupervisorPolicy:
    """How a supervisor treats its children; the defaults are OTP's.

    Attributes:
        scope: Who is restarted together.
        intensity: How many restarts there may be within a period; 0 or more.
        period_ns: The length of that period, its first instant included.
        auto_shutdown: Whether significant children end the supervisor.
    """

    scope: Scope = Scope.ONE_FOR_ONE
    intensity: int = 1
    period_ns: int = 5 * _SECOND_NS
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER

    def __attrs_post_init__(self) -> None:
        _require(self.intensity >= 0, f"intensity must be 0 or more, not {self.intensity}")
        _require(self.period_ns > 0, f"period_ns must be positive, not {self.period_ns}")


@attrs.frozen(kw_only=True)
class StayDown:
    """The child stays down, nobody else is concerned."""

    stop: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class StartAgain:
    """Stop ``stop`` in this order, then start ``start`` in this order, from ``at_ns`` on.

    ``drop`` names those among the stopped that are temporary: they do not come back.
    """

    stop: tuple[str, ...]
    drop: tuple[str, ...]
    start: tuple[str, ...]
    at_ns: int


@attrs.frozen(kw_only=True)
class GiveUp:
    """The budget is spent: stop ``stop`` in this order, then fail."""

    stop: tuple[str, ...]
    reason: str


@attrs.frozen(kw_only=True)
class ShutDown:
    """The work is done: stop ``stop`` in this order, then end normally."""

    stop: tuple[str, ...]


Decision = StayDown | StartAgain | GiveUp | ShutDown


@attrs.define(eq=False)
class _Place:
    """What is known of one child. Waiting: ``due_ns`` is set. Starting: alive, but not up."""

    policy: ChildPolicy
    is_alive: bool = False
    up_ns: int | None = None
    has_been_up: bool = False
    due_ns: int | None = None
    delay_ns: int = 0
    attempts: int = 0

    @property
    def is_pending(self) -> bool:
        return self.due_ns is not None or (self.is_alive and self.up_ns is None)

    @property
    def is_to_start(self) -> bool:
        """Whether a restart of its group includes it: OTP also restarts who had ended normally.

        A temporary one that waits for its very first start does not lose it.
        """
        return not self.policy.is_temporary or (self.due_ns is not None and not self.is_alive)

    def comes_back(self, how: Exit) -> bool:
        restart = self.policy.restart
        return restart is Restart.PERMANENT or (restart is Restart.TRANSIENT and how is Exit.FAILED)

    def end(self, now_ns: int) -> None:
        if self.up_ns is not None and now_ns - self.up_ns >= self.policy.backoff.healthy_ns:
            self.attempts = 0
        self.is_alive = False
        self.up_ns = None

    def next_delay_ns(self, draw: float) -> int:
        delay_ns = self.policy.backoff.delay_ns(self.attempts, draw)
        self.attempts += 1
        return delay_ns

    def wait_until(self, at_ns: int, now_ns: int) -> None:
        """Wait; a child that waits already does not get out of a longer back-off of its own."""
        if self.due_ns is None or self.due_ns < at_ns:
            self.due_ns = at_ns
            self.delay_ns = at_ns - now_ns


class Restarts:
    """The state of one supervisor, and its decisions.

    Whoever runs the children tells what happens (:meth:`launched`, :meth:`came_up`,
    :meth:`exited`), carries out each decision's stops before anything else (telling of each stopped
    child with ``Exit.SHUTDOWN``), and launches whatever :meth:`next_start` names.

    Raises:
        ValueError: If two children have one name, or a child is significant and ``auto_shutdown``
            is never.
    """

    def __init__(self, policy: SupervisorPolicy, children: Sequence[ChildPolicy]) -> None:
        self._policy = policy
        self._places = {child.name: _Place(child) for child in children}
        self._restarted_ns: deque[int] = deque()
        _require(len(self._places) == len(children), "two children of a supervisor share a name")
        if policy.auto_shutdown is AutoShutdown.NEVER:
            for child in children:
                _require(not child.significant, f"{child.name}: significant, but for no shutdown")

    def begin(self, now_ns: int) -> None:
        """Let all children start, in order."""
        for place in self._places.values():
            place.wait_until(now_ns, now_ns)

    def next_start(self, now_ns: int) -> str | None:
        """Return the first child that may be launched now, or None."""
        return next((name for name, due_ns in self._startable() if due_ns <= now_ns), None)

    def wake_ns(self) -> int | None:
        """Return when the next back-off is over, or None if none is under way."""
        return min((due_ns for _, due_ns in self._startable()), default=None)

    def _startable(self) -> Iterator[tuple[str, int]]:
        """Yield the waiting children that no earlier child holds back, and when they are due.

        A child waits until those before it are up; one_for_one, only the first time.
        """
        is_ordered = self._policy.scope is not Scope.ONE_FOR_ONE
        is_held = False
        for name, place in self._places.items():
            must_wait = is_held and (is_ordered or not place.has_been_up)
            if place.due_ns is not None and not place.is_alive and not must_wait:
                yield name, place.due_ns
            is_held = is_held or place.is_pending

    def launched(self, name: str) -> None:
        """Take notice that a child starts."""
        place = self._places[name]
        place.is_alive = True
        place.due_ns = None

    def came_up(self, name: str, now_ns: int) -> None:
        """Take notice that a child has started."""
        place = self._places[name]
        place.up_ns = now_ns
        place.has_been_up = True

    def exited(self, name: str, how: Exit, now_ns: int, draw: float) -> Decision:
        """Decide what follows from the end of a child, while it started or later.

        Args:
            name: Which child.
            how: How it ended.
            now_ns: When.
            draw: Chance for the back-off's jitter, in [0, 1).
        """
        place = self._places[name]
        place.end(now_ns)
        if how is Exit.SHUTDOWN:
            return StayDown()
        if place.comes_back(how):
            return self._start_again(place, now_ns, draw)
        if self._ends_with(place):
            return ShutDown(stop=self.close())
        return StayDown()

    def close(self) -> tuple[str, ...]:
        """Let nobody start any more; return who is to be stopped, the latest start first."""
        for place in self._places.values():
            place.due_ns = None
        return _to_stop(self._places.values())

    def is_settled(self) -> bool:
        """Return whether no child waits or starts."""
        return not any(place.is_pending for place in self._places.values())

    def waits_until_ns(self, name: str) -> int | None:
        """Return when a child that is down may start; None if it is up or stays down."""
        place = self._places[name]
        return None if place.is_alive else place.due_ns

    def delay_ns(self, name: str) -> int:
        """Return how long the latest back-off holds, or held, a child."""
        return self._places[name].delay_ns

    def _start_again(self, place: _Place, now_ns: int, draw: float) -> StartAgain | GiveUp:
        if not self._is_within_budget(now_ns):
            limit = f"{self._policy.intensity} within {self._policy.period_ns / _SECOND_NS:g} s"
            return GiveUp(stop=self.close(), reason=f"more restarts than {limit}")
        at_ns = now_ns + place.next_delay_ns(draw)
        stop = _to_stop(self._in_scope(place))
        drop = tuple(name for name in stop if self._places[name].policy.is_temporary)
        start = [member for member in self._in_scope(place) if member.is_to_start]
        for member in start:
            member.wait_until(at_ns, now_ns)
        return StartAgain(
            stop=stop, drop=drop, start=tuple(member.policy.name for member in start), at_ns=at_ns
        )

    def _is_within_budget(self, now_ns: int) -> bool:
        restarted_ns = self._restarted_ns
        while restarted_ns and restarted_ns[0] < now_ns - self._policy.period_ns:
            restarted_ns.popleft()
        restarted_ns.append(now_ns)
        return len(restarted_ns) <= self._policy.intensity

    def _in_scope(self, place: _Place) -> list[_Place]:
        """Return a child and whoever shares its fate, in start order."""
        places = list(self._places.values())
        match self._policy.scope:
            case Scope.ONE_FOR_ONE:
                return [place]
            case Scope.REST_FOR_ONE:
                return places[places.index(place) :]
            case Scope.ONE_FOR_ALL:
                return places
            case _:
                assert_never(self._policy.scope)

    def _ends_with(self, place: _Place) -> bool:
        """Return whether the end for good of a child is the end of the supervisor."""
        if not place.policy.significant:
            return False
        return self._policy.auto_shutdown is AutoShutdown.ANY_SIGNIFICANT or not any(
            other.policy.significant and (other.is_alive or other.due_ns is not None)
            for other in self._places.values()
        )


def _to_stop(places: Iterable[_Place]) -> tuple[str, ...]:
    return tuple(reversed([place.policy.name for place in places if place.is_alive]))
