"""Results do not depend on how the market is cut into slices, crashes included."""

from itertools import accumulate
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.runtime.kernel.ring import FakeSource, Ring, quotes, run
from tests.runtime.kernel.ring_cores import RingScript


@attrs.frozen(kw_only=True)
class Case:
    """A run in plain numbers, so that it can be built again and again."""

    feeds: tuple[tuple[tuple[int, int, int], ...], ...]
    good: tuple[int | None, ...]
    """By feed: how many rows its first incarnation gets to; None for all."""
    latency_ns: int
    every: tuple[int, ...]
    vectorised: int
    """Which strategy is vectorised, if it is one of them."""
    timer_ns: int
    trigger: int
    venue_fails: tuple[tuple[Any, int], ...]
    strategy_fails: tuple[tuple[Any, int], ...]
    base_ns: int
    quarantine_after: int

    def ring(self, sizes: list[int]) -> Ring:
        """Return a fresh ring whose feeds cut their rows into these sizes, over and over."""
        strategies = {
            f"s{number}": RingScript(
                every=every,
                trigger=self.trigger,
                timer_ns=self.timer_ns * number,
                fails=dict(self.strategy_fails) if number else {},
                codes=None if number else frozenset({8}),
                is_vectorised=number == self.vectorised,
            )
            for number, every in enumerate(self.every)
        }
        feeds = {}
        for number, (rows, good) in enumerate(zip(self.feeds, self.good, strict=True)):
            whole = quotes(*rows)
            first = [] if good is None else [FakeSource(whole, sizes, min(good, len(whole)))]
            feeds[f"f{number}"] = [*first, FakeSource(whole, sizes)]
        return Ring(
            venue=RingScript(latency_ns=self.latency_ns, fails=dict(self.venue_fails)),
            strategies=strategies,
            feeds=feeds,
            backoff={"base_ns": self.base_ns, "jitter": 0.5},
            quarantine_after=self.quarantine_after,
        )


@st.composite
def feeds(draw: st.DrawFn) -> tuple[tuple[int, int, int], ...]:
    gaps = draw(st.lists(st.integers(0, 4), min_size=1, max_size=25))
    times = accumulate(gaps)
    return tuple((t, draw(st.integers(0, 9)), draw(st.integers(0, 1))) for t in times)


def fails(*kinds: str) -> st.SearchStrategy[tuple[tuple[Any, int], ...]]:
    """Draw what is failed on, and by how many incarnations."""
    what = st.tuples(st.sampled_from(kinds), st.integers(0, 40))
    return st.lists(st.tuples(what, st.integers(1, 5)), max_size=4).map(tuple)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    several = tuple(draw(st.lists(feeds(), min_size=1, max_size=2)))
    return Case(
        feeds=several,
        good=tuple(draw(st.one_of(st.none(), st.integers(0, 25))) for _ in several),
        latency_ns=draw(st.integers(0, 3)),
        every=tuple(draw(st.lists(st.integers(0, 4), min_size=1, max_size=3))),
        vectorised=draw(st.integers(0, 9)),
        timer_ns=draw(st.integers(0, 5)),
        trigger=draw(st.integers(0, 9)),
        venue_fails=draw(fails("react", "look", "try")),
        strategy_fails=draw(fails("see", "take", "callback", "look", "try")),
        base_ns=draw(st.sampled_from([0, 0, 1, 3])),
        quarantine_after=draw(st.integers(1, 3)),
    )


@given(cases(), st.lists(st.integers(1, 9), min_size=1, max_size=4))
@settings(deadline=None, max_examples=120)
def test_results_do_not_depend_on_slices(case: Case, sizes: list[int]) -> None:
    expected = run(case.ring([1]))
    for other in ([7], [4096], sizes):
        found = run(case.ring(other))
        for what, value in expected.items():
            assert found[what] == value, what
