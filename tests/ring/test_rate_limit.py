"""The ring with a venue that takes few requests: nothing is lost, whatever crashes or is cut."""

from functools import partial
from pathlib import Path

import pytest

from tests.ring.rig import Ran, check_books, config, run
from tests.ring.scenes import SMALL
from tests.ring.traps import Trap, trapped

pytestmark = pytest.mark.usefixtures("many_runs")

TIGHT = f"{SMALL}  rate_limit: {{requests_per_second: 2, burst_size: 2, cancel_reserve: 1}}\n"


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Return the run in which nothing crashes; requests have had to wait in it."""
    ran = run(config(TIGHT), tmp_path_factory.mktemp("undisturbed"))
    free = run(config(SMALL), tmp_path_factory.mktemp("free"))
    assert len(ran.result.fills) > 5
    assert [row.time_ns for row in ran.result.fills] != [row.time_ns for row in free.result.fills]
    check_books(ran)
    return ran


@pytest.mark.parametrize("after", [True, False])
def test_the_broker_may_crash_at_any_message(after: bool, undisturbed: Ran, tmp_path: Path) -> None:
    for call in range(1, 80, 4):
        trap = Trap(call, after=after)
        change = partial(trapped, actor="broker", trap=trap)
        ran = run(config(TIGHT), tmp_path, change=change)
        assert trap.sprung == 1
        check_books(ran)
        assert ran.story[1:] == undisturbed.story[1:], f"call {call}"
        assert ran.messages == undisturbed.messages, f"call {call}"


def test_results_do_not_depend_on_the_size_of_slices(undisturbed: Ran, tmp_path: Path) -> None:
    for rows in (1, 7):
        ran = run(config(f"{TIGHT}slice_rows: {rows}\n"), tmp_path)
        assert ran.story[1:] == undisturbed.story[1:]
