"""Seeds, trio's schedule, and the garbage collector."""

import gc

import pytest
import trio
import trio._core._run as trio_run

from runtime.kernel import determinism
from runtime.kernel.determinism import (
    collect_young,
    derived_seed,
    missing_trio_names,
    seeded_numpy,
    seeded_random,
    seeded_scheduler,
    steady_collector,
)

# Seeds


def test_derived_seeds_are_the_same_on_every_machine_and_for_ever() -> None:
    assert derived_seed(7) == 8_719_647_946_811_673_230
    assert derived_seed(7, "feed", 0) == 6_139_554_416_481_774_439


def test_generators_draw_the_same_on_every_machine_and_for_ever() -> None:
    assert seeded_random(7, "feed").randrange(10**9) == 799_093_923
    assert int(seeded_numpy(7, "feed").integers(10**9)) == 927_630_824


def test_parts_that_are_named_otherwise_have_other_seeds() -> None:
    names: list[tuple[str | int, ...]] = [
        (),
        ("a",),
        ("b",),
        ("a", 0),
        ("a", 1),
        ("a", "b"),
        ("ab",),
    ]
    seeds = {derived_seed(seed, *each) for seed in (1, 2) for each in names}
    assert len(seeds) == 2 * len(names)


def test_what_one_part_draws_does_not_depend_on_the_others() -> None:
    alone = [seeded_random(1, "a").random() for _ in range(3)]
    seeded_random(1, "b").random()
    assert [seeded_random(1, "a").random() for _ in range(3)] == alone


# Trio's schedule


def test_this_trio_has_the_private_names_that_seeding_its_schedule_needs() -> None:
    assert missing_trio_names() == []


def schedule() -> list[int]:
    """Return the order in which twenty tasks run that are ready at the same time."""
    order: list[int] = []

    async def task(number: int) -> None:
        for _ in range(3):
            await trio.lowlevel.checkpoint()
            order.append(number)

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            for number in range(20):
                nursery.start_soon(task, number)

    trio.run(main)
    return order


def test_one_seed_gives_one_schedule() -> None:
    schedules = []
    for seed in (1, 1, 2, 2):
        with seeded_scheduler(seed):
            schedules.append(schedule())
    assert schedules[0] == schedules[1] != schedules[2] == schedules[3]


def test_afterwards_trio_schedules_as_before() -> None:
    def fail_inside() -> None:
        with seeded_scheduler(1):
            assert trio_state() != before
            raise RuntimeError("inside")

    before = trio_state()
    with pytest.raises(RuntimeError, match="inside"):
        fail_inside()
    assert trio_state() == before


def trio_state() -> tuple[object, object]:
    names = (determinism._TRIO_FLAG, determinism._TRIO_RANDOM)
    flag, generator = (getattr(trio_run, name) for name in names)
    return flag, generator


def test_a_trio_whose_names_are_gone_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(determinism, "_TRIO_FLAG", "_NO_SUCH_FLAG")
    assert missing_trio_names() == ["_NO_SUCH_FLAG"]
    with (
        pytest.raises(AssertionError, match="this trio has no _NO_SUCH_FLAG"),
        seeded_scheduler(1),
    ):
        pass


# The garbage collector


class Cycle:
    def __init__(self) -> None:
        self.own = self


def cycles() -> int:
    return sum(isinstance(each, Cycle) for each in gc.get_objects())


def test_the_collector_runs_only_when_it_is_told_to() -> None:
    with steady_collector():
        assert not gc.isenabled()
        for _ in range(5_000):
            Cycle()
        assert cycles() == 5_000
        collect_young()
        assert cycles() == 0
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with steady_collector():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
