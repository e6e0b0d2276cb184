"""A short soak: two virtual days, so that what grows without end is noticed early."""

from pathlib import Path

import attrs
import pytest

from tests.soak.longrun import FAKE_VENUE, SIMULATED, Day, growth, settings, soak


@pytest.mark.parametrize("broker", [SIMULATED, FAKE_VENUE], ids=["simulated", "venue"])
def test_nothing_grows_from_one_day_to_the_next(tmp_path: Path, broker: str) -> None:
    shown: list[Day] = []
    days = soak(settings(2, broker), tmp_path, shown.append, segment=20_000)
    assert shown == days
    first, second = days
    assert (first.day, second.day) == (1, 2)
    assert second.traded > first.traded > 400
    assert second.messages > 60_000
    assert second.segments > first.segments
    assert first.tasks == second.tasks
    for day in days:
        assert day.orders < 250
        assert day.fills == 500
        assert day.depth < 5
        assert day.journal < 30 << 20
    assert second.rss < first.rss * 1.2
    assert second.line().startswith("day   2: rss ")


def test_growth_is_that_of_the_second_half() -> None:
    day = Day(
        day=1,
        rss=100,
        tasks=0,
        orders=7,
        fills=1,
        journal=1,
        segments=1,
        depth=0,
        messages=1,
        traded=1,
    )
    days = [day, attrs.evolve(day, rss=80), attrs.evolve(day, rss=110), attrs.evolve(day, tasks=3)]
    assert growth(days, "rss") == pytest.approx(0.1)
    assert growth(days, "tasks") == 3
    assert growth(days, "orders") == 0
