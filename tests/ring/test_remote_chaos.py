"""Whatever goes wrong at the venue, on the way and in our own actors: both sides' books agree."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.ring.remote_chaos import check, far

pytestmark = pytest.mark.usefixtures("many_runs")

SEEDS = range(1, 21)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_books_agree_whatever_goes_wrong(seed: int) -> None:
    with TemporaryDirectory() as folder:
        check(far(seed, Path(folder)))


@pytest.mark.parametrize("seed", [4, 11])
def test_the_same_seed_gives_the_same_journal(seed: int) -> None:
    with TemporaryDirectory() as folder:
        first, second = far(seed, Path(folder)).ran, far(seed, Path(folder)).ran
    assert first.entries == second.entries
