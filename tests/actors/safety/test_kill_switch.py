"""The kill switch: it halts, sees the halt through, and stays latched until all is acknowledged."""

import pickle
from typing import Any

import pytest

from actors.actor import Later
from actors.messages.account import TradingState, TradingStateChanged
from actors.messages.safety import Heartbeat, KillSwitchChanged
from actors.messages.system import (
    Alarm,
    CancelAll,
    CancelAllAtVenue,
    Halt,
    HaltLifted,
    Resume,
    Resumed,
    Trip,
)
from actors.messages.venue import CallKind, Outcome, VenueCall
from actors.model.order import OrderStatus
from actors.safety.clearing import ROUND
from actors.safety.config import ErrorLimit, KillSwitchConfig, RejectLimit
from actors.safety.kill_switch import WATCH, KillSwitch
from runtime.kernel.snapshots import Snapshotter
from tests.actors.safety.switches import (
    SECOND,
    T0,
    answer,
    difference,
    failed,
    next_timer,
    of,
    only,
    switch,
    timer,
    update,
)
from tests.builders import instruments as table

CAUSE = "the market is mad"


def tripped(core: KillSwitch, cause: str = CAUSE, now_ns: int = T0) -> list[Any]:
    """Trip a switch."""
    return core.handle(Trip(cause, "somebody"), now_ns)


def rounds(core: KillSwitch, now_ns: int, count: int, *open_ids: str) -> list[Any]:
    """Answer the venue's questions each second; return everything said."""
    told: list[Any] = []
    for _ in range(count):
        now_ns += SECOND
        outputs = core.handle(timer(ROUND, now_ns), now_ns)
        told += outputs
        for call in of(VenueCall, outputs):
            told += core.handle(answer(call, *open_ids), now_ns)
    return told


# --- tripping ----------------------------------------------------------------------------------


def test_a_trip_halts_cancels_at_the_venue_asks_it_and_tells_people_in_this_order() -> None:
    outputs = tripped(switch())
    kinds = [type(each) for each in outputs]
    assert kinds == [Halt, CancelAllAtVenue, VenueCall, Later, KillSwitchChanged, Alarm]
    assert outputs[0] == Halt(CAUSE, final=False)
    assert outputs[1] == CancelAllAtVenue(CAUSE)
    call = outputs[2]
    assert (call.kind, call.number) == (CallKind.OPEN_ORDERS, -1)
    assert call.deadline_ns > T0
    told = outputs[4]
    (cause,) = told.causes
    assert (cause.cause, cause.by, cause.time_ns) == (CAUSE, "somebody", T0)
    assert told.open_orders is None
    assert CAUSE in outputs[5].text


def test_a_second_trip_adds_its_cause_and_halts_once_more() -> None:
    core = switch()
    tripped(core)
    outputs = tripped(core, "another reason", T0 + SECOND)
    assert of(Halt, outputs) == [Halt("another reason", final=False)]
    assert [each.cause for each in only(KillSwitchChanged, outputs).causes] == [
        CAUSE,
        "another reason",
    ]


def test_the_same_trip_again_cancels_again_without_another_alarm() -> None:
    core = switch()
    tripped(core)
    outputs = tripped(core, CAUSE, T0 + SECOND)
    assert of(CancelAllAtVenue, outputs)
    assert of(Halt, outputs)
    assert not of(Alarm, outputs)
    assert len(core.status().causes) == 1


def test_the_same_trip_again_and_again_does_not_put_off_the_alarm() -> None:
    core = switch(KillSwitchConfig(deadline_ns=4 * SECOND, alarm_every_ns=3 * SECOND))
    tripped(core)
    alarms = []
    for second in range(1, 11):
        now_ns = T0 + second * SECOND
        alarms += of(Alarm, rounds(core, now_ns - SECOND, 1, "a"))
        again = tripped(core, CAUSE, now_ns + SECOND // 2)
        assert not of(Later, again), "the next round comes when it would have come"
        core.handle(answer(only(VenueCall, again), "a"), now_ns + SECOND // 2)
    assert [(each.time_ns - T0) // SECOND for each in alarms] == [4, 7, 10]


def test_the_same_trip_again_when_all_is_clear_cancels_and_says_what_it_finds() -> None:
    core = switch()
    tripped(core)
    rounds(core, T0, 1)
    again = tripped(core, CAUSE, T0 + 2 * SECOND)
    assert of(CancelAllAtVenue, again)
    told = core.handle(answer(only(VenueCall, again), "late"), T0 + 2 * SECOND)
    assert only(KillSwitchChanged, told).note == "orders are open again"
    alone = switch(has_venue=False)
    tripped(alone)
    assert of(CancelAll, tripped(alone)) == [CancelAll(CAUSE)]


def test_a_final_halt_is_latched() -> None:
    core = switch()
    outputs = core.handle(Halt("orders gave up"), T0)
    assert of(Halt, outputs) == [Halt("orders gave up", final=False)]
    (cause,) = core.status().causes
    assert (cause.cause, cause.by) == ("orders gave up", "system")
    assert of(HaltLifted, core.handle(Resume("orders gave up"), T0))


def test_causes_are_bounded_and_more_of_them_halt_all_the_same() -> None:
    core = switch()
    for number in range(80):
        outputs = tripped(core, f"cause {number:03}")
        assert of(Halt, outputs)
    assert len(core.status().causes) == 64


def test_the_portfolios_own_halt_trips_it() -> None:
    core = switch()
    changed = TradingStateChanged(state=TradingState.HALTED, cause="DailyLoss: limit 5, found 6")
    outputs = core.handle(changed, T0)
    assert only(Halt, outputs).cause == "DailyLoss: limit 5, found 6"
    assert core.handle(changed, T0) == []


@pytest.mark.parametrize("state", [TradingState.ACTIVE, TradingState.REDUCING])
def test_other_states_of_the_portfolio_do_not(state: TradingState) -> None:
    assert switch().handle(TradingStateChanged(state=state, cause="why"), T0) == []


def test_what_the_portfolio_repeats_of_our_halt_is_no_new_cause() -> None:
    core = switch()
    tripped(core)
    assert core.handle(TradingStateChanged(state=TradingState.HALTED, cause=CAUSE), T0) == []


# --- seeing it through -------------------------------------------------------------------------


def test_it_cancels_and_asks_each_second_until_the_venue_says_that_nothing_is_open() -> None:
    core = switch()
    first = only(VenueCall, tripped(core))
    core.handle(answer(first, "a", "v9"), T0)
    assert core.status().open_orders == 2
    told = rounds(core, T0, 3, "a")
    assert len(of(CancelAllAtVenue, told)) == 3
    assert [call.number for call in of(VenueCall, told)] == [-2, -3, -4]
    assert not of(KillSwitchChanged, told)
    told = rounds(core, T0 + 3 * SECOND, 1)
    changed = only(KillSwitchChanged, told)
    assert (changed.open_orders, changed.note) == (0, "nothing is open")
    assert not of(Alarm, told)


def test_nothing_open_right_after_the_halt_proves_nothing_yet() -> None:
    core = switch()
    call = only(VenueCall, tripped(core))
    assert core.handle(answer(call), T0 + SECOND // 2) == []
    assert only(KillSwitchChanged, rounds(core, T0, 1)).note == "nothing is open"


def test_a_list_that_is_cut_short_or_goes_on_proves_nothing() -> None:
    for more in ({"is_truncated": True}, {"has_more": True}):
        core = switch()
        tripped(core)
        call = only(VenueCall, core.handle(timer(ROUND, T0 + SECOND), T0 + SECOND))
        assert core.handle(answer(call, **more), T0 + SECOND) == []


def test_when_nothing_is_open_it_asks_again_now_and_then_and_cancels_what_has_come() -> None:
    core = switch(KillSwitchConfig(recheck_ns=10 * SECOND))
    tripped(core)
    rounds(core, T0, 1)
    now_ns = T0 + 2 * SECOND
    outputs = core.handle(timer(ROUND, now_ns), now_ns)
    assert not of(CancelAllAtVenue, outputs)
    later = only(Later, outputs)
    assert later.at_ns == now_ns + 10 * SECOND
    assert later.background
    told = core.handle(answer(only(VenueCall, outputs), "late"), now_ns + 1)
    assert only(KillSwitchChanged, told).note == "orders are open again"
    told = core.handle(timer(ROUND, later.at_ns), later.at_ns)
    assert of(CancelAllAtVenue, told)
    assert "1 orders still open: late" in only(Alarm, told).text


def test_after_the_deadline_it_alarms_again_and_again_with_what_is_open() -> None:
    core = switch(KillSwitchConfig(deadline_ns=4 * SECOND, alarm_every_ns=3 * SECOND))
    tripped(core)
    ids = tuple(f"order-{number}" for number in range(12))
    alarms = of(Alarm, rounds(core, T0, 10, *ids))
    assert [(each.time_ns - T0) // SECOND for each in alarms] == [4, 7, 10]
    assert alarms[0].text.startswith(f"halted for 4 s ({CAUSE}): 12 orders still open: order-0,")
    assert alarms[0].text.endswith("order-9 and 2 more")


def test_a_venue_that_does_not_answer_is_told_too() -> None:
    core = switch(KillSwitchConfig(deadline_ns=2 * SECOND))
    call = only(VenueCall, tripped(core))
    core.handle(answer(call, outcome=Outcome.LOST, reason="timed out"), T0 + SECOND)
    core.handle(timer(ROUND, T0 + SECOND), T0 + SECOND)
    told = core.handle(timer(ROUND, T0 + 2 * SECOND), T0 + 2 * SECOND)
    assert "the venue does not say what is open: LOST timed out" in only(Alarm, told).text


def test_until_the_deadline_it_keeps_a_simulated_run_alive_and_no_longer() -> None:
    core = switch(KillSwitchConfig(deadline_ns=2 * SECOND))
    assert not only(Later, tripped(core)).background
    laters = of(Later, rounds(core, T0, 3, "a"))
    assert [each.background for each in laters] == [False, True, True]


def test_answers_to_nobody_and_timers_of_nobody_say_nothing() -> None:
    core = switch()
    call = only(VenueCall, tripped(core))
    stranger = VenueCall(number=-99, kind=CallKind.OPEN_ORDERS, deadline_ns=T0)
    assert core.handle(answer(stranger, "x"), T0) == []
    assert core.status().open_orders is None
    assert core.handle(timer("dinner", T0), T0) == []
    assert core.handle(timer(ROUND, T0), T0) == []
    core.handle(Resume(CAUSE), T0)
    assert core.handle(timer(ROUND, T0 + SECOND), T0 + SECOND) == []
    assert core.handle(answer(call, "a"), T0) == []


def test_calls_that_are_never_answered_are_forgotten() -> None:
    core = switch()
    first = only(VenueCall, tripped(core))
    for second in range(1, 100):
        core.handle(timer(ROUND, T0 + second * SECOND), T0 + second * SECOND)
    core.handle(answer(first, "a"), T0 + 100 * SECOND)
    assert core.status().open_orders is None


def test_without_a_venue_it_goes_by_the_order_manager() -> None:
    core = switch(has_venue=False)
    core.handle(update("a", OrderStatus.WORKING), T0)
    core.handle(update("b", OrderStatus.UNKNOWN), T0)
    outputs = tripped(core)
    assert of(CancelAll, outputs) == [CancelAll(CAUSE)]
    assert of(CancelAllAtVenue, outputs) == [CancelAllAtVenue(CAUSE)]
    assert not of(VenueCall, outputs)
    assert only(KillSwitchChanged, outputs).open_orders == 2
    core.handle(update("a", OrderStatus.CANCELLED), T0)
    assert not of(KillSwitchChanged, rounds(core, T0, 1))
    core.handle(update("b", OrderStatus.FILLED), T0 + SECOND)
    told = only(KillSwitchChanged, rounds(core, T0 + SECOND, 1))
    assert (told.open_orders, told.note) == (0, "nothing is open")
    assert next_timer(ROUND, rounds(core, T0 + 11 * SECOND, 1)) is not None


# --- resuming ----------------------------------------------------------------------------------


def test_the_exact_cause_lifts_the_halt() -> None:
    core = switch()
    tripped(core)
    outputs = core.handle(Resume(CAUSE), T0 + SECOND)
    assert [type(each) for each in outputs] == [HaltLifted, KillSwitchChanged]
    assert outputs[0] == HaltLifted(CAUSE)
    assert not outputs[1].is_halted
    assert not core.is_halted


@pytest.mark.parametrize("words", ["", "the", "the mar", "The market", "the market is mad!"])
def test_wrong_words_and_short_beginnings_are_refused(words: str) -> None:
    core = switch()
    tripped(core)
    told = only(KillSwitchChanged, core.handle(Resume(words), T0))
    assert told.is_halted
    assert told.note.startswith("refused: no cause reads or begins so")


def test_a_beginning_of_eight_letters_is_enough_if_it_fits_only_one() -> None:
    core = switch()
    tripped(core)
    tripped(core, "the market is closed")
    told = only(KillSwitchChanged, core.handle(Resume("the market"), T0))
    assert "2 causes begin so" in told.note
    told = only(KillSwitchChanged, core.handle(Resume("the market is c"), T0))
    assert told.note == f"acknowledged; still to be: {CAUSE}"
    outputs = core.handle(Resume("the mark"), T0)
    assert of(HaltLifted, outputs) == [HaltLifted(CAUSE), HaltLifted("the market is closed")]


def test_a_short_cause_is_acknowledged_in_full() -> None:
    core = switch()
    tripped(core, "stop")
    assert of(HaltLifted, core.handle(Resume("stop"), T0))


def test_what_was_acknowledged_and_trips_again_must_be_acknowledged_again() -> None:
    core = switch()
    tripped(core)
    tripped(core, "another reason")
    core.handle(Resume(CAUSE), T0)
    tripped(core, CAUSE, T0 + SECOND)
    assert not of(HaltLifted, core.handle(Resume("another reason"), T0 + SECOND))
    assert of(HaltLifted, core.handle(Resume(CAUSE), T0 + SECOND))


def test_there_is_nothing_to_resume_where_nothing_is_halted() -> None:
    told = only(KillSwitchChanged, switch().handle(Resume(CAUSE), T0))
    assert told.note == "refused: trading is not halted"


# --- restarts ----------------------------------------------------------------------------------


class Diary:
    """Drives a switch and keeps its history, as the journal would."""

    def __init__(self, core: KillSwitch) -> None:
        self.core = core
        self.entries: list[tuple[str, Any]] = []
        self.told: list[Any] = []
        self._sent(core.start(T0), T0)

    def hear(self, message: Any, now_ns: int) -> list[Any]:
        """Have a message handled."""
        self.entries += [("at", now_ns), ("received", message)]
        outputs = self.core.handle(message, now_ns)
        self._sent(outputs, now_ns)
        return outputs

    def _sent(self, outputs: list[Any], now_ns: int) -> None:
        self.told += outputs
        sent = [each for each in outputs if not (isinstance(each, Later) and each.background)]
        self.entries += [("at", now_ns)]
        self.entries += [("sent", getattr(each, "message", each)) for each in sent]


def eventful() -> Diary:
    """Return a switch to which all sorts of things have happened."""
    config = KillSwitchConfig(errors=ErrorLimit(count=3), heartbeat_ns=5 * SECOND)
    diary = Diary(switch(config))
    diary.hear(update("a", OrderStatus.WORKING), T0)
    diary.hear(failed(), T0)
    diary.hear(failed(), T0 + SECOND)
    diary.hear(Heartbeat(source="control", within_ns=0), T0 + SECOND)
    diary.hear(Trip(CAUSE, "somebody"), T0 + 2 * SECOND)
    diary.hear(Trip("another reason", "somebody"), T0 + 2 * SECOND)
    diary.hear(Resume(CAUSE), T0 + 3 * SECOND)
    return diary


def rebuilt(diary: Diary) -> KillSwitch:
    """Return a fresh switch with the diary's history."""
    config = KillSwitchConfig(errors=ErrorLimit(count=3), heartbeat_ns=5 * SECOND)
    core = switch(config, incarnation=1)
    core.recover(iter(diary.entries))
    return core


def test_a_rebuilt_switch_is_latched_as_before_and_halts_again() -> None:
    diary = eventful()
    core = rebuilt(diary)
    assert core.status().causes == diary.core.status().causes
    outputs = core.start(T0 + 4 * SECOND)
    assert of(Halt, outputs) == [Halt(CAUSE, final=False), Halt("another reason", final=False)]
    assert of(CancelAllAtVenue, outputs)
    numbers = {call.number for call in of(VenueCall, diary.told)}
    assert only(VenueCall, outputs).number == min(numbers) - 1


def test_rebuilt_at_any_point_it_says_what_the_old_one_would_have_said() -> None:
    diary = eventful()
    total = len(diary.entries)
    for stop in range(total + 1):
        core = switch(KillSwitchConfig(errors=ErrorLimit(count=3), heartbeat_ns=5 * SECOND))
        core.recover(iter(diary.entries[:stop]))
        core.start(T0 + 3 * SECOND)
        copy = pickle.loads(pickle.dumps(core))
        for each in (core, copy):
            assert each.handle(Resume("nonsense words"), T0 + 4 * SECOND)[0].is_halted == (
                core.is_halted
            )
    full = rebuilt(diary)
    full.start(T0 + 3 * SECOND)
    third = full.handle(failed(), T0 + 4 * SECOND)
    assert "fewer than 3 failures" in only(Halt, third).cause
    assert third[0] == diary.hear(failed(), T0 + 4 * SECOND)[0]
    late_ns = T0 + 7 * SECOND
    assert "control overdue" in only(Halt, full.handle(timer(WATCH, late_ns), late_ns)).cause
    assert of(HaltLifted, diary.hear(Resume("another"), late_ns)) == []


def test_a_lifted_halt_stays_lifted_and_what_was_forgiven_stays_forgiven() -> None:
    diary = eventful()
    diary.hear(Resume("another reason"), T0 + 4 * SECOND)
    assert not diary.core.is_halted
    core = rebuilt(diary)
    assert not core.is_halted
    assert not of(Halt, core.start(T0 + 5 * SECOND))
    assert core.handle(failed(), T0 + 5 * SECOND) == []
    assert diary.core.handle(failed(), T0 + 5 * SECOND) == []


def test_a_restart_leaves_time_before_the_alarm_but_not_for_ever() -> None:
    diary = eventful()
    core = rebuilt(diary)
    late_ns = T0 + 100 * SECOND
    assert not of(Alarm, core.start(late_ns))
    assert [each.time_ns for each in of(Alarm, rounds(core, late_ns, 3, "a"))] == [
        late_ns + 2 * SECOND
    ]


def test_a_new_process_gives_heartbeats_time_to_come_back() -> None:
    core = switch(KillSwitchConfig(heartbeat_ns=5 * SECOND))
    core.start(T0)
    core.handle(Heartbeat(source="control", within_ns=0), T0)
    late_ns = T0 + 100 * SECOND
    assert core.handle(Resumed(last_ns=T0), late_ns) == []
    assert not of(Halt, core.handle(timer(WATCH, late_ns), late_ns))


def test_a_switch_that_was_never_tripped_starts_and_stops_in_silence() -> None:
    core = switch()
    assert core.start(T0) == []
    assert core.stop(T0) == []
    assert core.market is None


def test_a_snapshot_holds_the_latch_and_all_that_the_conditions_know() -> None:
    config = KillSwitchConfig(
        daily_loss="5%",
        errors=ErrorLimit(count=3),
        rejects=RejectLimit(count=2),
        stale_feed_ns=SECOND,
        lost_heartbeat=True,
        heartbeat_ns=5 * SECOND,
        reconciliation=True,
        unknown_orders_ns=SECOND,
    )
    instruments = table()
    core = switch(config, instruments=instruments)
    fingerprint = Snapshotter({"instruments": instruments}).fingerprint(core)
    core.start(T0)
    for message in (
        failed(),
        failed(),
        difference("POSITION:YES"),
        update("a", OrderStatus.DENIED),
    ):
        core.handle(message, T0)
    tripped(core)
    snapshotter = Snapshotter({"instruments": instruments})
    fresh = switch(config, instruments=instruments, incarnation=1)
    frozen = snapshotter.freeze(core)
    assert frozen is not None
    thawed = snapshotter.thaw(frozen, fresh)
    assert isinstance(thawed, KillSwitch)
    assert thawed.status() == core.status()
    assert thawed.differences() == core.differences()
    assert thawed.handle(failed(), T0 + 1) == core.handle(failed(), T0 + 1)
    assert snapshotter.fingerprint(fresh) == fingerprint
