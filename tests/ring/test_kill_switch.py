"""The kill switch in the ring: tripped between any two messages, while others crash."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from actors.actor import Later
from actors.messages.account import TradingState
from actors.messages.safety import KillSwitchChanged
from actors.messages.system import ActorFailed, Halt, HaltLifted, Resume
from actors.messages.trading import PlaceOrder, SubmitOrder
from actors.messages.venue import CallKind, VenueCall
from runtime.wiring.plant import Plant
from tests.ring.halts import CAUSE, SECOND, Disturbance, Halted, halted, scene
from tests.ring.rig import config, run
from tests.ring.scenes import SMALL

STEPS = 24
"""How many moments are tried; :func:`moment` spreads them over the run."""


@cache
def undisturbed_calls() -> int:
    """Return how many calls all actors get in the run that is never halted."""
    with TemporaryDirectory() as folder:
        ran = halted(scene(), Path(folder), 0)
    assert len(ran.ledger.placed) > 15
    return ran.handle.calls


def moment(step: int) -> int:
    """Return the call before which the ``step``-th halt comes."""
    return 1 + step * (undisturbed_calls() - 1) // STEPS + step % 7


def check(ran: Halted) -> None:
    """Assert that nothing got through, and that nothing stays open in silence."""
    assert ran.handle.is_pulled
    assert ran.gatekeeper.slipped == []
    assert ran.ledger.places_after_halt == 0
    assert ran.ledger.violations == ()
    pulled_ns = ran.handle.pulled_ns or 0
    cleared_ns = ran.cleared_after_ns
    assert cleared_ns is not None or ran.alarms
    assert cleared_ns is None or cleared_ns <= 5 * SECOND or ran.alarms
    assert [each.client_order_id for each in ran.ledger.orders if each.status == "WORKING"] == []
    approved = [at_ns for at_ns, _ in ran.told(SubmitOrder) if at_ns > pulled_ns]
    assert approved == []


@pytest.mark.parametrize("step", range(STEPS))
def test_halted_at_any_moment_no_order_reaches_the_venue_and_none_stays_open(
    step: int, tmp_path: Path
) -> None:
    ran = halted(scene(), tmp_path, moment(step))
    check(ran)
    assert ran.system.cores["safety"].is_halted
    assert ran.system.cores["portfolio"].trading_state is TradingState.HALTED


CRASHES = ("broker", "orders", "portfolio", "safety", "one", "venue")


@pytest.mark.parametrize("actor", CRASHES)
@pytest.mark.parametrize("step", [3, 9, 14, 20])
def test_the_same_with_somebody_crashing_meanwhile(actor: str, step: int, tmp_path: Path) -> None:
    after = step % 2 == 0
    trouble = Disturbance(actor=actor, call=1 + step % 3, after=after)
    ran = halted(scene(), tmp_path, moment(step), trouble)
    check(ran)
    assert any(told.actor == actor for _, told in ran.told(ActorFailed))


@pytest.mark.parametrize("actor", ["broker", "orders", "portfolio", "safety"])
def test_the_same_with_somebody_gone_for_good(actor: str, tmp_path: Path) -> None:
    trouble = Disturbance(actor=actor, times=100, after=False)
    ran = halted(scene(), tmp_path, moment(12), trouble)
    assert ran.gatekeeper.slipped == []
    assert ran.ledger.places_after_halt == 0
    open_ids = [each for each in ran.ledger.orders if each.status == "WORKING"]
    assert open_ids == []
    assert actor in (ran.system.failure or "")


def test_a_broken_bell_does_not_keep_it_from_halting(tmp_path: Path) -> None:
    ran = halted(scene(), tmp_path, moment(10), Disturbance(bell_breaks=True))
    check(ran)
    assert not any(told.actor == "safety" for _, told in ran.told(ActorFailed))


def test_a_venue_that_is_out_is_told_loudly_until_it_is_back(tmp_path: Path) -> None:
    outage = "broker.venue.faults={outage: {every: 1h, lasts: 59m}}"
    ran = halted(scene(outage), tmp_path, 10)
    assert ran.gatekeeper.slipped == []
    assert ran.cleared_after_ns is None
    assert ran.alarms
    assert "the venue does not say what is open" in ran.alarms[0]


def test_a_wrong_cause_is_refused_the_right_one_lifts_and_trading_goes_on(tmp_path: Path) -> None:
    settings = scene()
    calm = halted(settings, tmp_path, 0)
    begun_ns = calm.system.started_ns

    def prepare(plant: Plant) -> None:
        for second, words in ((10, "something else"), (12, CAUSE)):
            at_ns = begun_ns + second * SECOND
            plant.post.deliver("control", 0, Later(Resume(words), at_ns), begun_ns)

    ran = halted(settings, tmp_path, moment(5), prepare=prepare)
    assert ran.handle.pulled_ns is not None
    assert ran.handle.pulled_ns < begun_ns + 9 * SECOND
    notes = [(at_ns - begun_ns, told.note) for at_ns, told in ran.told(KillSwitchChanged)]
    assert any(at == 10 * SECOND and note.startswith("refused") for at, note in notes)
    assert (12 * SECOND, "the halt is lifted") in notes
    lifted_ns = begun_ns + 12 * SECOND
    placed = [at_ns for at_ns, _ in ran.told(PlaceOrder)]
    assert not [at for at in placed if ran.handle.pulled_ns < at < lifted_ns]
    assert [at for at in placed if at > lifted_ns]
    assert ran.gatekeeper.slipped == []
    calls = [at for at, call in ran.told(VenueCall) if call.kind is CallKind.PLACE]
    assert [at for at in calls if at > lifted_ns]
    assert len(ran.told(HaltLifted)) == 1


def test_it_trips_by_a_condition_and_says_which(tmp_path: Path) -> None:
    ran = halted(scene("kill_switch.rejects={count: 1}"), tmp_path, 0)
    halts = [told for _, told in ran.told(Halt)]
    assert halts
    assert halts[0].cause.startswith("rejects: limit fewer than 1, found 1")
    assert not halts[0].final
    assert ran.ledger.places_after_halt == 0


def test_with_a_simulated_broker_it_goes_by_the_order_manager(tmp_path: Path) -> None:
    settings = config(SMALL, "kill_switch={daily_loss: 0.5, deadline: 2s}")
    ran = run(settings, tmp_path)
    halts = ran.of(Halt)
    assert halts[0].cause.startswith("daily loss: limit 0.5, found ")
    assert any(told.note == "nothing is open" for told in ran.of(KillSwitchChanged))
    assert not ran.system.cores["orders"].open_orders()
    first_ns = next(each.time_ns for each in ran.entries if isinstance(each.message, Halt))
    assert not [
        each
        for each in ran.entries
        if isinstance(each.message, PlaceOrder) and each.time_ns > first_ns
    ]


def test_a_kill_switch_that_never_trips_changes_nothing(tmp_path: Path) -> None:
    plain, guarded = run(config(SMALL)), run(config(SMALL, "kill_switch={reconciliation: true}"))
    assert plain.story == guarded.story
    assert plain.result.fills
