"""A process that trades at a remote venue may end at any commit: the next one finds the truth."""

from collections.abc import Callable
from pathlib import Path
from random import Random  # noqa: TID251 - always seeded
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import trio

from tests.ring.remote_lives import Fate, check, inline, live_through, settings


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trio.to_thread, "run_sync", inline)


def fates_of(dice: Random) -> list[Fate]:
    """Return when some processes end, and when they keep their cores."""
    return [
        Fate(dice.randrange(2, 150), dice.choice([10_000, 20, 60]), dice.random() < 0.5)
        for _ in range(dice.randrange(1, 5))
    ]


def check_seed(seed: int) -> None:
    dice = Random(seed)
    choose: Callable[[list[Any]], Any] = dice.choice
    setting = settings(
        seed=seed,
        fills=choose(["null", 1, 20]),
        completed=choose(["null", 0, 3]),
        rate=choose([0, 0.03, 0.1]),
        idempotent=choose(["true", "false"]),
        rate_limit=choose(["null", "null", "{requests_per_second: 4, burst_size: 3}"]),
    )
    with TemporaryDirectory() as folder:
        life = live_through(Path(folder) / "journal.db", setting, fates_of(dice))
        check(life, setting.portfolio.cash)


@pytest.mark.parametrize("seed", range(8))
def test_whenever_a_process_ends_the_next_one_agrees_with_the_venue(seed: int) -> None:
    check_seed(seed)
