"""What the runtime and the kill switch say, in words."""

from collections.abc import Callable, Mapping
from typing import Any

from actors.messages.alerts import Alert, Logged
from actors.messages.safety import Heartbeat, KillSwitchChanged
from actors.messages.system import (
    ActorFailed,
    ActorGaveUp,
    ActorRestarted,
    Alarm,
    Archived,
    CancelAll,
    CancelAllAtVenue,
    CancelStrategy,
    Halt,
    HaltLifted,
    MessageQuarantined,
    Overtaken,
    Resume,
    Resumed,
    TimerFired,
    Trip,
)
from runtime.observe.times import iso_time, span
from runtime.research.wording_of_trading import with_reason


def _timer(timer: TimerFired) -> str:
    return f"{timer.name} of {timer.actor}"


def _failed(failed: ActorFailed) -> str:
    at = f" at message {failed.message_sequence}" if failed.message_sequence else ""
    return f"{failed.actor} failed{at}: {failed.failure.kind}: {failed.failure.text}"


def _restarted(restarted: ActorRestarted) -> str:
    waited = f", after {span(restarted.delay_ns)}" if restarted.delay_ns else ""
    return f"{restarted.actor} runs again (restart {restarted.incarnation}{waited})"


def _gave_up(gave_up: ActorGaveUp) -> str:
    return with_reason(f"{gave_up.actor} stays down", gave_up.reason)


def _quarantined(aside: MessageQuarantined) -> str:
    what = f"message {aside.message_sequence} ({aside.message_type})"
    words = f"{aside.actor} sets {what} aside after {aside.attempts} attempts"
    return f"{words}: {aside.failure.kind}: {aside.failure.text}"


def _overtaken(overtaken: Overtaken) -> str:
    return f"{overtaken.actor} handles message {overtaken.message_sequence} after later ones"


def _halt(halt: Halt) -> str:
    which = "for good" if halt.final else "until it is lifted"
    return with_reason(f"no new orders, {which}", halt.cause)


def _lifted(lifted: HaltLifted) -> str:
    return f"orders may come again, acknowledged: {lifted.cause}"


def _trip(trip: Trip) -> str:
    return with_reason(f"{trip.by} wants a halt", trip.cause)


def _resume(resume: Resume) -> str:
    return f"lift the halt, acknowledging {resume.acknowledges}"


def _resumed(resumed: Resumed) -> str:
    return f"a new process goes on from {iso_time(resumed.last_ns)}"


def _heartbeat(beat: Heartbeat) -> str:
    if beat.is_last:
        return f"{beat.source} leaves"
    return f"{beat.source} lives; the next within {span(beat.within_ns)}"


def _switch(changed: KillSwitchChanged) -> str:
    state = "halted" if changed.is_halted else "not halted"
    causes = "; ".join(f"{each.cause} ({each.by})" for each in changed.causes)
    words = with_reason(state, causes)
    if changed.is_halted:
        count = "nobody knows how many" if changed.open_orders is None else changed.open_orders
        words = f"{words}; orders still open: {count}"
    return f"{words}; {changed.note}" if changed.note else words


def _alarm(alarm: Alarm) -> str:
    return f"{alarm.source}: {alarm.text}"


def _alert(alert: Alert) -> str:
    state = "raised" if alert.is_raised else "over"
    return f"{alert.kind} {alert.instrument} {state}: {alert.text}"


def _logged(line: Logged) -> str:
    return line.text


def _archived(archived: Archived) -> str:
    return f"{archived.kind} {archived.key} is kept in the journal only"


def _cancel_all(cancel: CancelAll) -> str:
    return with_reason("cancel every order", cancel.cause)


def _cancel_all_at_venue(cancel: CancelAllAtVenue) -> str:
    return with_reason("cancel whatever works at the venue", cancel.cause)


def _cancel_strategy(cancel: CancelStrategy) -> str:
    return with_reason(f"cancel every order of {cancel.strategy}, take no more", cancel.cause)


SYSTEMS: Mapping[type, Callable[[Any], str]] = {
    TimerFired: _timer,
    ActorFailed: _failed,
    ActorRestarted: _restarted,
    ActorGaveUp: _gave_up,
    MessageQuarantined: _quarantined,
    Overtaken: _overtaken,
    Halt: _halt,
    HaltLifted: _lifted,
    Trip: _trip,
    Resume: _resume,
    Resumed: _resumed,
    Heartbeat: _heartbeat,
    KillSwitchChanged: _switch,
    Alarm: _alarm,
    Alert: _alert,
    Logged: _logged,
    Archived: _archived,
    CancelAll: _cancel_all,
    CancelAllAtVenue: _cancel_all_at_venue,
    CancelStrategy: _cancel_strategy,
}
