"""The restart policy, alone and against a model of OTP's supervisor."""

from collections import Counter
from typing import Any

import attrs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runtime.kernel.restarts import (
    AutoShutdown,
    Backoff,
    ChildPolicy,
    Decision,
    Exit,
    GiveUp,
    Restart,
    Restarts,
    Scope,
    ShutDown,
    StartAgain,
    StayDown,
    SupervisorPolicy,
)
from tests.runtime.kernel.otp_model import Ending, Log, OtpModel, Spec

PERIOD_NS = 5


def child(name: str, restart: Restart = Restart.PERMANENT, **options: Any) -> ChildPolicy:
    return ChildPolicy(name=name, restart=restart, **options)


def running(*children: ChildPolicy, **policy: Any) -> Restarts:
    """Return a supervisor's state in which all children came up at time 0."""
    policy.setdefault("intensity", 3)
    restarts = Restarts(SupervisorPolicy(**policy), children)
    restarts.begin(0)
    for each in children:
        start(restarts, each.name)
    return restarts


def start(restarts: Restarts, name: str, now_ns: int = 0) -> None:
    assert restarts.next_start(now_ns) == name
    restarts.launched(name)
    restarts.came_up(name, now_ns)


def fail(restarts: Restarts, name: str, now_ns: int = 1, draw: float = 0.0) -> Decision:
    return restarts.exited(name, Exit.FAILED, now_ns, draw)


def delay_ns(decision: Decision, now_ns: int) -> int:
    assert isinstance(decision, StartAgain)
    return decision.at_ns - now_ns


# Start order


def test_children_start_one_after_the_other() -> None:
    restarts = Restarts(SupervisorPolicy(), [child("a"), child("b")])
    restarts.begin(0)
    assert restarts.next_start(0) == "a"
    restarts.launched("a")
    assert restarts.next_start(0) is None
    assert not restarts.is_settled()
    restarts.came_up("a", 0)
    start(restarts, "b")
    assert restarts.is_settled()


def test_nothing_starts_before_it_is_told_to_begin() -> None:
    restarts = Restarts(SupervisorPolicy(), [child("a")])
    assert restarts.next_start(0) is None
    assert restarts.wake_ns() is None


def test_a_first_start_that_fails_is_tried_again_before_the_next_child_starts() -> None:
    restarts = Restarts(SupervisorPolicy(intensity=1), [child("a"), child("b")])
    restarts.begin(0)
    restarts.launched("a")
    assert isinstance(fail(restarts, "a", 0), StartAgain)
    assert restarts.next_start(0) == "a"


def test_a_temporary_child_that_fails_to_start_holds_nobody_back() -> None:
    restarts = Restarts(SupervisorPolicy(), [child("a", Restart.TEMPORARY), child("b")])
    restarts.begin(0)
    restarts.launched("a")
    assert fail(restarts, "a", 0) == StayDown()
    assert restarts.next_start(0) == "b"


def test_a_temporary_child_that_never_ran_keeps_its_first_start_when_a_sibling_fails() -> None:
    children = [child("a"), child("b", Restart.TEMPORARY)]
    restarts = Restarts(SupervisorPolicy(scope=Scope.ONE_FOR_ALL), children)
    restarts.begin(0)
    restarts.launched("a")
    assert fail(restarts, "a", 0) == StartAgain(stop=(), drop=(), start=("a", "b"), at_ns=0)


def test_restarts_of_independent_children_do_not_wait_for_each_other() -> None:
    slow = child("a", backoff=Backoff(base_ns=100, cap_ns=100))
    restarts = running(slow, child("b"))
    fail(restarts, "a")
    fail(restarts, "b")
    assert restarts.next_start(1) == "b"
    assert restarts.wake_ns() == 1  # b's; a's is later
    restarts.launched("b")
    assert restarts.wake_ns() == 101


# Scopes


def test_one_for_one_restarts_only_what_failed() -> None:
    restarts = running(child("a"), child("b"), child("c"))
    assert fail(restarts, "b") == StartAgain(stop=(), drop=(), start=("b",), at_ns=1)


def test_one_for_all_stops_in_reversed_and_starts_in_start_order() -> None:
    restarts = running(child("a"), child("b"), child("c"), scope=Scope.ONE_FOR_ALL)
    expected = StartAgain(stop=("c", "a"), drop=(), start=("a", "b", "c"), at_ns=1)
    assert fail(restarts, "b") == expected


def test_rest_for_one_leaves_the_earlier_ones_alone() -> None:
    names = ("a", "b", "c", "d")
    restarts = running(*map(child, names), scope=Scope.REST_FOR_ONE)
    expected = StartAgain(stop=("d", "c"), drop=(), start=("b", "c", "d"), at_ns=1)
    assert fail(restarts, "b") == expected


def test_stopped_temporary_siblings_are_dropped() -> None:
    children = [child("a"), child("b", Restart.TEMPORARY), child("c")]
    restarts = running(*children, scope=Scope.ONE_FOR_ALL)
    expected = StartAgain(stop=("c", "b"), drop=("b",), start=("a", "c"), at_ns=1)
    assert fail(restarts, "a") == expected


def test_a_group_restart_brings_back_a_transient_child_that_had_ended_normally() -> None:
    restarts = running(child("a"), child("b", Restart.TRANSIENT), scope=Scope.ONE_FOR_ALL)
    assert restarts.exited("b", Exit.NORMAL, 1, 0.0) == StayDown()
    assert fail(restarts, "a") == StartAgain(stop=(), drop=(), start=("a", "b"), at_ns=1)


def test_nobody_starts_while_it_is_still_being_stopped() -> None:
    restarts = running(child("a"), child("b"), scope=Scope.ONE_FOR_ALL)
    fail(restarts, "a")
    start(restarts, "a", 1)
    assert restarts.next_start(1) is None
    restarts.exited("b", Exit.SHUTDOWN, 1, 0.0)
    start(restarts, "b", 1)


# Restart types


@pytest.mark.parametrize(
    ("restart", "how", "comes_back"),
    [
        (Restart.PERMANENT, Exit.NORMAL, True),
        (Restart.PERMANENT, Exit.FAILED, True),
        (Restart.PERMANENT, Exit.SHUTDOWN, False),
        (Restart.TRANSIENT, Exit.NORMAL, False),
        (Restart.TRANSIENT, Exit.FAILED, True),
        (Restart.TRANSIENT, Exit.SHUTDOWN, False),
        (Restart.TEMPORARY, Exit.NORMAL, False),
        (Restart.TEMPORARY, Exit.FAILED, False),
    ],
)
def test_the_restart_type_says_who_comes_back(
    restart: Restart, how: Exit, comes_back: bool
) -> None:
    restarts = running(child("a", restart))
    assert isinstance(restarts.exited("a", how, 1, 0.0), StartAgain) is comes_back
    assert (restarts.waits_until_ns("a") is not None) is comes_back


# Budget


def test_restarts_within_the_budget_go_on_and_the_next_one_gives_up() -> None:
    restarts = running(child("a"), child("b"), child("c"), intensity=2, period_ns=5_000_000_000)
    for _ in range(2):
        assert isinstance(fail(restarts, "b"), StartAgain)
        start(restarts, "b", 1)
    assert fail(restarts, "b") == GiveUp(stop=("c", "a"), reason="more restarts than 2 within 5 s")
    assert restarts.next_start(1) is None


@pytest.mark.parametrize(("gap_ns", "gives_up"), [(PERIOD_NS, True), (PERIOD_NS + 1, False)])
def test_the_period_includes_its_first_instant(gap_ns: int, gives_up: bool) -> None:
    restarts = running(child("a"), intensity=1, period_ns=PERIOD_NS)
    fail(restarts, "a", 10)
    start(restarts, "a", 10)
    assert isinstance(fail(restarts, "a", 10 + gap_ns), GiveUp) is gives_up


def test_without_a_budget_the_first_failure_gives_up() -> None:
    assert isinstance(fail(running(child("a"), intensity=0), "a"), GiveUp)


def test_defaults_are_those_of_otp() -> None:
    policy = SupervisorPolicy()
    assert (policy.intensity, policy.period_ns) == (1, 5_000_000_000)
    assert (policy.scope, policy.auto_shutdown) == (Scope.ONE_FOR_ONE, AutoShutdown.NEVER)
    assert child("a").restart is Restart.PERMANENT


# Significant children


def significant(name: str, restart: Restart = Restart.TRANSIENT) -> ChildPolicy:
    return child(name, restart, significant=True)


def test_any_significant_child_that_ends_normally_ends_the_supervisor() -> None:
    children = [child("a"), significant("b"), significant("c")]
    restarts = running(*children, auto_shutdown=AutoShutdown.ANY_SIGNIFICANT)
    assert restarts.exited("b", Exit.NORMAL, 1, 0.0) == ShutDown(stop=("c", "a"))


def test_a_temporary_significant_child_ends_the_supervisor_by_failing_too() -> None:
    children = [significant("a", Restart.TEMPORARY), child("b")]
    restarts = running(*children, auto_shutdown=AutoShutdown.ANY_SIGNIFICANT)
    assert fail(restarts, "a") == ShutDown(stop=("b",))


def test_a_transient_significant_child_that_fails_is_restarted() -> None:
    restarts = running(significant("a"), auto_shutdown=AutoShutdown.ANY_SIGNIFICANT)
    assert isinstance(fail(restarts, "a"), StartAgain)


def test_all_significant_waits_for_the_last_one() -> None:
    children = [significant("a"), child("b"), significant("c")]
    restarts = running(*children, auto_shutdown=AutoShutdown.ALL_SIGNIFICANT)
    assert restarts.exited("c", Exit.NORMAL, 1, 0.0) == StayDown()
    assert restarts.exited("a", Exit.NORMAL, 2, 0.0) == ShutDown(stop=("b",))


def test_a_significant_child_in_its_back_off_is_still_active() -> None:
    restarts = running(
        significant("a"), significant("b"), auto_shutdown=AutoShutdown.ALL_SIGNIFICANT
    )
    fail(restarts, "a")
    assert restarts.exited("b", Exit.NORMAL, 1, 0.0) == StayDown()


def test_a_significant_sibling_stopped_by_its_supervisor_ends_nothing() -> None:
    children = [child("a"), significant("b", Restart.TEMPORARY)]
    restarts = running(
        *children, scope=Scope.ONE_FOR_ALL, auto_shutdown=AutoShutdown.ANY_SIGNIFICANT
    )
    fail(restarts, "a")
    assert restarts.exited("b", Exit.SHUTDOWN, 1, 0.0) == StayDown()
    start(restarts, "a", 1)


def test_closing_cancels_what_waits_and_names_what_runs() -> None:
    restarts = running(child("a"), child("b"), child("c"))
    fail(restarts, "b")
    assert restarts.close() == ("c", "a")
    assert restarts.next_start(10) is None
    assert restarts.is_settled()


# Back-off


def test_by_default_a_restart_is_at_once() -> None:
    assert [Backoff().delay_ns(attempt, 0.5) for attempt in range(50)] == [0] * 50


def test_delays_grow_by_the_factor_up_to_the_cap() -> None:
    backoff = Backoff(base_ns=100, factor=3, cap_ns=1_000, jitter=0)
    assert [backoff.delay_ns(n, 0.0) for n in range(5)] == [100, 300, 900, 1_000, 1_000]


def test_a_factor_of_one_keeps_the_delay_for_ever() -> None:
    assert Backoff(base_ns=100, factor=1, jitter=0).delay_ns(10**12, 0.0) == 100


def test_jitter_takes_off_up_to_its_fraction() -> None:
    backoff = Backoff(base_ns=1_000, jitter=0.2)
    assert [backoff.delay_ns(0, draw) for draw in (0.0, 0.5, 0.999)] == [1_000, 900, 800]


@given(
    base_ns=st.integers(0, 10**12),
    more_ns=st.integers(0, 10**13),
    factor=st.floats(1, 100),
    jitter=st.floats(0, 1),
    draw=st.floats(0, 1, exclude_max=True),
    attempt=st.integers(0, 200),
)
def test_delays_stay_within_cap_and_jitter_and_never_shrink_with_attempts(
    base_ns: int, more_ns: int, factor: float, jitter: float, draw: float, attempt: int
) -> None:
    cap_ns = base_ns + more_ns
    backoff = Backoff(base_ns=base_ns, cap_ns=cap_ns, factor=factor, jitter=jitter)
    delay_ns = backoff.delay_ns(attempt, draw)
    assert base_ns * (1 - jitter) - 1 <= delay_ns <= cap_ns
    assert delay_ns <= backoff.delay_ns(attempt + 1, draw)


def test_each_restart_of_a_flapping_child_waits_longer() -> None:
    backoff = Backoff(base_ns=10, jitter=0, healthy_ns=1_000)
    restarts = running(child("a", backoff=backoff), intensity=9)
    now_ns = 0
    for expected in (10, 20, 40):
        decision = fail(restarts, "a", now_ns)
        assert delay_ns(decision, now_ns) == expected == restarts.delay_ns("a")
        now_ns += expected
        assert restarts.wake_ns() == restarts.waits_until_ns("a") == now_ns
        assert restarts.next_start(now_ns - 1) is None
        start(restarts, "a", now_ns)


@pytest.mark.parametrize(("ran_ns", "expected"), [(999, 20), (1_000, 10)])
def test_a_healthy_spell_resets_the_back_off(ran_ns: int, expected: int) -> None:
    backoff = Backoff(base_ns=10, jitter=0, healthy_ns=1_000)
    restarts = running(child("a", backoff=backoff), intensity=9)
    fail(restarts, "a", 0)
    start(restarts, "a", 10)
    assert delay_ns(fail(restarts, "a", 10 + ran_ns), 10 + ran_ns) == expected


def test_a_start_that_hung_for_long_is_no_healthy_spell() -> None:
    backoff = Backoff(base_ns=10, jitter=0, healthy_ns=1_000)
    restarts = running(child("a", backoff=backoff), intensity=9)
    fail(restarts, "a", 0)
    restarts.launched("a")
    assert delay_ns(fail(restarts, "a", 5_000), 5_000) == 20


def test_an_earlier_sibling_does_not_cut_a_back_off_short() -> None:
    slow = child("b", backoff=Backoff(base_ns=100, jitter=0))
    restarts = running(child("a"), slow, child("c"), scope=Scope.REST_FOR_ONE)
    fail(restarts, "b", 0)
    restarts.exited("c", Exit.SHUTDOWN, 0, 0.0)
    decision = fail(restarts, "a", 10)
    assert decision == StartAgain(stop=(), drop=(), start=("a", "b", "c"), at_ns=10)
    start(restarts, "a", 10)
    assert restarts.next_start(99) is None
    assert restarts.next_start(100) == "b"


# What is refused


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Backoff(base_ns=-1), "base_ns must be 0 or more"),
        (lambda: Backoff(base_ns=10, cap_ns=9), "cap_ns must be 10"),
        (lambda: Backoff(factor=0.5), "factor must be 1 or more"),
        (lambda: Backoff(factor=float("nan")), "factor must be 1 or more"),
        (lambda: Backoff(factor=float("inf")), "factor must be 1 or more"),
        (lambda: Backoff(jitter=1.5), "jitter must be 0 to 1"),
        (lambda: Backoff(healthy_ns=0), "healthy_ns must be positive"),
        (lambda: child(""), "must have a name"),
        (lambda: child("a", significant=True), "a: a permanent child cannot be significant"),
        (lambda: SupervisorPolicy(intensity=-1), "intensity must be 0 or more"),
        (lambda: SupervisorPolicy(period_ns=0), "period_ns must be positive"),
        (lambda: running(child("a"), child("a")), "share a name"),
        (lambda: running(significant("a")), "a: significant, but"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make()


# Against the model


class Driver:
    """Carries decisions out at once, as a supervisor whose children start and stop in no time."""

    def __init__(self, spec: Spec, failing_starts: Counter[str]) -> None:
        self.log: Log = []
        self.ending: Ending | None = None
        self._failing_starts = failing_starts
        self._temporary = {c.name for c in spec.children if c.restart == "temporary"}
        self._restarts = Restarts(
            SupervisorPolicy(
                scope=Scope(spec.scope),
                intensity=spec.intensity,
                period_ns=spec.period,
                auto_shutdown=AutoShutdown(spec.auto_shutdown),
            ),
            [child(c.name, Restart(c.restart), significant=c.significant) for c in spec.children],
        )
        self._restarts.begin(0)
        self._settle(0)

    def exit(self, name: str, how: Ending, now: int) -> None:
        self._apply(self._restarts.exited(name, Exit(how), now, 0.0), now)
        self._settle(now)

    def _settle(self, now: int) -> None:
        while (name := self._restarts.next_start(now)) is not None:
            self._restarts.launched(name)
            if self._failing_starts[name]:
                self._failing_starts[name] -= 1
                self.log.append(("fail", name))
                self._apply(self._restarts.exited(name, Exit.FAILED, now, 0.0), now)
            else:
                self._restarts.came_up(name, now)
                self.log.append(("start", name))

    def _apply(self, decision: Decision, now: int) -> None:
        for name in decision.stop:
            self.log.append(("stop", name))
            assert self._restarts.exited(name, Exit.SHUTDOWN, now, 0.0) == StayDown()
        match decision:
            case StartAgain():
                assert decision.at_ns == now
                assert decision.drop == tuple(n for n in decision.stop if n in self._temporary)
            case GiveUp():
                self.ending = "failed"
            case ShutDown():
                self.ending = "normal"
            case StayDown():
                assert decision.stop == ()


@st.composite
def flat_supervisors(draw: st.DrawFn) -> Spec:
    auto_shutdown = draw(st.sampled_from(["never", "any_significant", "all_significant"]))
    children = []
    for name in "abcde"[: draw(st.integers(1, 5))]:
        restart = draw(st.sampled_from(["permanent", "transient", "temporary"]))
        can_be_significant = restart != "permanent" and auto_shutdown != "never"
        is_significant = can_be_significant and draw(st.booleans())
        children.append(Spec(name, restart, significant=is_significant))
    return Spec(
        "root",
        children=tuple(children),
        scope=draw(st.sampled_from(["one_for_one", "one_for_all", "rest_for_one"])),
        intensity=draw(st.integers(0, 4)),
        period=PERIOD_NS,
        auto_shutdown=auto_shutdown,
    )


@attrs.frozen
class Step:
    """After a while, the n-th running child ends; some of the next starts fail."""

    after: int
    index: int
    how: Ending
    failing_starts: tuple[str, ...] = ()


def steps() -> st.SearchStrategy[Step]:
    return st.builds(
        Step,
        after=st.sampled_from([0, 1, PERIOD_NS - 1, PERIOD_NS, PERIOD_NS + 1, 10**6]),
        index=st.integers(0, 9),
        how=st.sampled_from(["failed", "normal"]),
        failing_starts=st.lists(st.sampled_from("abcde"), max_size=2).map(tuple),
    )


@settings(deadline=None, max_examples=400)
@given(spec=flat_supervisors(), story=st.lists(steps(), max_size=12))
@example(
    spec=Spec("root", children=(Spec("a"), Spec("b")), scope="one_for_all", intensity=2),
    story=[Step(0, 0, "failed", ("b",))],
)
def test_the_policy_does_what_otp_does(spec: Spec, story: list[Step]) -> None:
    model_fails: Counter[str] = Counter()
    driver_fails: Counter[str] = Counter()
    model = OtpModel(spec, [], model_fails)
    driver = Driver(spec, driver_fails)
    now = 0
    for step in story:
        workers = model.workers()
        if driver.ending is not None or not workers:
            break
        now += step.after
        model_fails.update(step.failing_starts)
        driver_fails.update(step.failing_starts)
        path = workers[step.index % len(workers)]
        ending = model.exit(path, step.how, now)
        driver.exit(path[0], step.how, now)
        assert driver.log == model.log
        assert driver.ending == ending
        assert driver_fails == model_fails
