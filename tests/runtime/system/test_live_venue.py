"""A run in real time with a venue that is not always there."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import trio

from actors.errors import JournalError
from actors.messages.system import CancelAllAtVenue
from actors.messages.venue import CallKind, VenueCall
from runtime.config.daemon import StopConfig, StopPolicy
from runtime.kernel.envelope import Envelope
from runtime.observe.result import ExitCode
from runtime.system.live import LiveSystem
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.components import blueprint
from runtime.wiring.plant import Plant
from runtime.wiring.routes import Role
from tests.ring.rig import config
from tests.ring.scenes import SMALL
from tests.ring.traps import Trap, trapped
from tests.runtime.system.test_live_system import LONG, after, lived

_SECOND = 1_000_000_000
BROKER = SMALL[SMALL.index("broker:") :]
REMOTE = """broker:
  type: venue
  request_timeout: 1s
  venue: {type: fake, faults: FAULTS, habits: HABITS}
"""


RESTING = "{latency: 5ms, rejects: 0, parts: 0, rests: 1, late_fills: 0}"


def remote(
    faults: str = "{}", habits: str = "{}", rounds: str = "60s", sets: tuple[str, ...] = ()
) -> Blueprint:
    text = SMALL.replace(BROKER, REMOTE.replace("FAULTS", faults).replace("HABITS", habits))
    often = f"broker.reconcile_every={rounds}"
    return blueprint(config(text, "mode=paper", "slice_rows=1", LONG, often, *sets))


def test_positions_are_closed_at_a_venue() -> None:
    run = lived(remote(), duration_ns=20 * _SECOND, stop=StopConfig(policy=StopPolicy.FLATTEN))
    assert run.system.exit_code is ExitCode.GOOD, run.system.ending
    assert len(run.portfolio.fills) > 5
    assert run.held == []
    ledger = run.system.cores[Role.VENUE].ledger()
    assert ledger.positions == {}
    assert ledger.balances["USD"] == run.portfolio.cash


@pytest.mark.parametrize("policy", [StopPolicy.CANCEL, StopPolicy.FLATTEN])
def test_at_the_end_the_books_are_compared_with_the_venue_s(policy: StopPolicy) -> None:
    """No news arrive, and the timetable's rounds are far apart."""
    plan = remote("{drop_news: 1}", "{latency: 5ms, late_fills: 0}", rounds="1h")
    run = lived(plan, duration_ns=20 * _SECOND, stop=StopConfig(policy=policy))
    assert run.system.exit_code is ExitCode.GOOD, run.system.ending
    ledger = run.system.cores[Role.VENUE].ledger()
    held: dict[str, Decimal] = {}
    for each in run.portfolio.positions():
        if each.quantity:
            held[each.instrument] = held.get(each.instrument, Decimal(0)) + each.quantity
    assert ledger.positions == held
    assert bool(held) is (policy is StopPolicy.CANCEL)
    assert ledger.balances["USD"] == run.portfolio.cash
    assert ledger.trades


def test_closing_does_not_wait_for_news_that_are_lost() -> None:
    """Every order rests before it fills: a closing order's fill is only found by comparing."""
    habits = "{latency: 5ms, rejects: 0, parts: 1, rests: 0, late_fills: 0}"
    plan = remote("{drop_news: 1}", habits, rounds="1h")
    run = lived(plan, duration_ns=20 * _SECOND, stop=StopConfig(policy=StopPolicy.FLATTEN))
    assert run.system.undone == []
    assert run.system.cores[Role.VENUE].ledger().positions == {}


def test_what_does_not_agree_at_the_end_is_named() -> None:
    def pay_out(system: LiveSystem) -> None:
        venue: Any = system.plant.cells[Role.VENUE].core
        venue._books.balances["USD"] -= 7

    run = lived(remote(rounds="1h"), after(19.9, pay_out), duration_ns=20 * _SECOND)
    assert run.system.undone == ["fills: 1 not as at the venue (BALANCE:USD)"]
    assert run.system.exit_code is ExitCode.FAILED


def test_a_venue_that_does_not_answer_at_the_end_is_named() -> None:
    def fall_silent(system: LiveSystem) -> None:
        system.plant.cells[Role.VENUE].core.handle = _nothing  # type: ignore[union-attr,method-assign]

    run = lived(remote(rounds="1h"), after(20.5, fall_silent), duration_ns=20 * _SECOND)
    assert run.system.exit_code is ExitCode.GOOD, "it had been compared by then"
    stop = StopConfig(policy=StopPolicy.KEEP)
    run = lived(remote(rounds="1h"), after(20, fall_silent), duration_ns=20 * _SECOND, stop=stop)
    assert [each.partition(" (")[0] for each in run.system.undone] in (
        ["fills: not compared with the venue"],
        ["fills: 1 unknown"],
    )


def _nothing(*_arguments: Any) -> list[Any]:
    return []


def test_where_one_who_compares_is_gone_nobody_waits(tmp_path: Path) -> None:
    plan = remote(sets=("supervision={intensity: 0}",))
    plan = trapped(plan, Role.PORTFOLIO, Trap(30, after=False))
    run = lived(plan, folder=tmp_path)
    assert "fills: not compared with the venue" in run.system.undone


def test_orders_of_which_nobody_knows_are_named() -> None:
    stop = StopConfig(policy=StopPolicy.KEEP, fills_ns=_SECOND)
    faults = "{lose_answer: 0.4, hide_order: 1, hide_for: 60s, drop_news: 1}"
    run = lived(remote(faults), duration_ns=20 * _SECOND, stop=stop)
    assert run.system.exit_code is ExitCode.FAILED
    (words,) = run.system.undone
    assert words.startswith("fills: ")
    assert " unknown (small-3-" in words


def test_what_is_said_at_once_is_done_at_once() -> None:
    run = lived(remote(), after(8, lambda system: system.hurry()))
    assert run.system.exit_code is ExitCode.FAILED
    assert [each.cause for each in run.of(CancelAllAtVenue)] == ["stopped at once"]
    ledger = run.system.cores[Role.VENUE].ledger()
    assert {each.status for each in ledger.orders if not each.status.is_terminal} == set()


def test_a_journal_that_takes_no_more_is_noticed_by_the_system_itself(tmp_path: Path) -> None:
    venues: list[Any] = []

    def break_journal(system: LiveSystem) -> None:
        venues.append(system.plant.cells[Role.VENUE].core)
        journal: Any = system.plant.journal

        def append(*_row: Any) -> None:
            raise JournalError("no room")

        journal.append = append
        assert system.plant.cells[Role.ORDERS].core.open_orders()  # type: ignore[union-attr]
        system._send(CancelAllAtVenue("try"))

    run = lived(
        remote(habits=RESTING),
        after(3, break_journal),
        tmp_path,
        stop=StopConfig(links_ns=_SECOND),
    )
    assert run.system.exit_code is ExitCode.FAILED
    assert run.system.failure is not None
    assert "the journal has failed: no room" in run.system.failure  # actors may say so first
    statuses = [each.status for each in venues[0].ledger().orders]
    assert statuses
    assert all(status.is_terminal for status in statuses), "cancelled though nothing is recorded"


def test_a_venue_that_fails_at_its_last_cancel_holds_nobody_up(tmp_path: Path) -> None:
    def break_both(system: LiveSystem) -> None:
        venue: Any = system.plant.cells[Role.VENUE].core

        def handle(*_message: Any) -> None:
            raise RuntimeError("out of order")

        venue.handle = handle
        system._lose_journal(JournalError("no room"))

    run = lived(remote(), after(2, break_both), tmp_path, stop=StopConfig(links_ns=_SECOND))
    assert run.system.failure == "the journal has failed: no room"


@pytest.mark.parametrize("has_link", [True, False])
def test_calls_of_another_process_are_not_made_again(has_link: bool, tmp_path: Path) -> None:
    """They may have left already; a fake venue in the same process has not seen them, though."""
    plan = remote()
    lived(plan, folder=tmp_path, duration_ns=2 * _SECOND)
    left: list[Any] = []
    system = LiveSystem(plan, folder=tmp_path, journal_path=tmp_path / "journal.db")

    def look(plant: Plant) -> None:
        mailbox = plant.cells[Role.VENUE].mailbox
        list(iter(mailbox.take_nowait, None))
        call = VenueCall(number=9999, kind=CallKind.ACCOUNT, deadline_ns=0)
        mailbox.refill([Envelope(1, 0, "broker", 0, call), Envelope(2, 0, "x", 0, "word")])
        plant.shells = {"venue-link": object()} if has_link else {}  # type: ignore[dict-item]
        system._take_over(plant)
        left.extend(type(each.message) for each in iter(mailbox.take_nowait, None))
        raise KeyboardInterrupt

    system.prepare(look)
    with pytest.raises(KeyboardInterrupt):
        trio.run(system.main)
    assert left == ([str] if has_link else [VenueCall, str])
