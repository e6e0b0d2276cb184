"""Seeing a halt through: cancel, ask what is open, and again, until the venue says nothing is.

An answer counts only if it was asked for some time after the halt: what was on its way to the venue
then may not have been in its list yet. While the halt lasts it is asked again, more seldom.
"""

from actors.actor import Later
from actors.messages.system import Alarm, CancelAll, CancelAllAtVenue, TimerFired
from actors.messages.trading import OrderUpdate
from actors.messages.venue import CallKind, Outcome, VenueAnswer, VenueCall
from actors.model.order import TERMINAL
from actors.safety.conditions.condition import seconds
from actors.safety.config import KillSwitchConfig

ROUND = "round"
"""The timer of the next round."""
SOURCE = "kill switch"
_SHOWN = 10
_MOST_CALLS = 64

Output = CancelAllAtVenue | CancelAll | VenueCall | Alarm | Later


class Clearing:
    """Whether anything is open, as the venue says; without one, as the order manager does."""

    def __init__(self, actor: str, config: KillSwitchConfig, *, has_venue: bool) -> None:
        self.number = 0
        """Of the latest call; negative ones are the kill switch's."""
        self.is_clear = False
        self._actor = actor
        self._config = config
        self._has_venue = has_venue
        self._working: set[str] = set()
        self._found: tuple[str, ...] | None = None
        self._silence = "no answer yet"
        self._asked_ns: dict[int, int] = {}
        self._began_ns = 0
        self._halted_ns = 0
        self._deadline_ns = 0
        self._next_alarm_ns = 0
        self._next_round_ns = 0

    @property
    def open_orders(self) -> int | None:
        """Return how many orders are open; None while nobody has said."""
        return None if self._open is None else len(self._open)

    @property
    def _open(self) -> tuple[str, ...] | None:
        return self._found if self._has_venue else tuple(sorted(self._working))

    def track(self, update: OrderUpdate) -> None:
        """Take notice of what becomes of an order of ours."""
        if update.status in TERMINAL:
            self._working.discard(update.client_order_id)
        else:
            self._working.add(update.client_order_id)

    def recall(self, call: VenueCall) -> None:
        """Take notice of a call of an earlier incarnation: its number is taken."""
        self.number = min(self.number, call.number)

    def begin(self, cause: str, halted_ns: int, now_ns: int) -> list[Output]:
        """Begin to clear, for a halt since ``halted_ns``; return the first round."""
        config = self._config
        self.is_clear = False
        self._found = None
        self._began_ns = now_ns
        self._halted_ns = halted_ns
        grace_ns = min(config.deadline_ns, 2 * config.repeat_ns)
        self._deadline_ns = max(halted_ns + config.deadline_ns, now_ns + grace_ns)
        self._next_alarm_ns = self._deadline_ns
        return self._round(cause, now_ns)

    def cancel_again(self, cause: str, now_ns: int) -> list[Output]:
        """Cancel and ask at once, for a halt that is being seen through; its times stay."""
        told = self._cancels(cause)
        return [*told, self._call(now_ns)] if self._has_venue else told

    def tick(self, timer: TimerFired, cause: str, now_ns: int) -> list[Output]:
        """Return the next round if it is due, and an alarm if it is overdue.

        A timer of an earlier incarnation comes too early and is ignored.
        """
        if timer.at_ns < self._next_round_ns:
            return []
        if not self._has_venue and now_ns >= self._began_ns + self._config.repeat_ns:
            self._judge(not self._working, now_ns)
        told: list[Output] = self._round(cause, now_ns)
        if not self.is_clear and now_ns >= self._next_alarm_ns:
            self._next_alarm_ns = now_ns + self._config.alarm_every_ns
            text = (
                f"halted for {seconds(now_ns - self._halted_ns)} ({cause}): {self._what_is_open()}"
            )
            told.append(Alarm(source=SOURCE, text=text, time_ns=now_ns))
        return told

    def take(self, answer: VenueAnswer, now_ns: int) -> None:
        """Take notice of what the venue says is open."""
        asked_ns = self._asked_ns.pop(answer.number, None)
        if asked_ns is None:
            return  # asked before this halt, or by an earlier incarnation
        if answer.outcome is not Outcome.ANSWERED:
            self._silence = f"{answer.outcome} {answer.reason}".strip()
            return
        self._found = tuple(each.client_order_id or each.venue_order_id for each in answer.orders)
        if self._found or answer.is_truncated or answer.has_more:
            self._judge(False, now_ns)
        elif asked_ns >= self._began_ns + self._config.repeat_ns:
            self._judge(True, now_ns)

    def _judge(self, is_clear: bool, now_ns: int) -> None:
        """Take over whether anything is open; what is open again is overdue."""
        if self.is_clear and not is_clear:
            self._deadline_ns = self._next_alarm_ns = now_ns
        self.is_clear = is_clear

    def _round(self, cause: str, now_ns: int) -> list[Output]:
        """Cancel whatever works, ask what does, and do so again later."""
        config = self._config
        told: list[Output] = []
        if not self.is_clear:
            told += self._cancels(cause)
        if self._has_venue:
            told.append(self._call(now_ns))
        self._next_round_ns = now_ns + (config.recheck_ns if self.is_clear else config.repeat_ns)
        is_idle = self.is_clear or now_ns >= self._deadline_ns
        timer = TimerFired(self._actor, ROUND, self._next_round_ns)
        told.append(Later(timer, self._next_round_ns, background=is_idle))
        return told

    def _cancels(self, cause: str) -> list[Output]:
        told: list[Output] = [CancelAllAtVenue(cause)]
        return told if self._has_venue else [*told, CancelAll(cause)]

    def _call(self, now_ns: int) -> VenueCall:
        self.number -= 1
        self._asked_ns[self.number] = now_ns
        if len(self._asked_ns) > _MOST_CALLS:
            del self._asked_ns[next(iter(self._asked_ns))]
        deadline_ns = now_ns + self._config.deadline_ns
        return VenueCall(number=self.number, kind=CallKind.OPEN_ORDERS, deadline_ns=deadline_ns)

    def _what_is_open(self) -> str:
        found = self._open
        if not found:
            return f"the venue does not say what is open: {self._silence}"
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        return f"{len(found)} orders still open: {', '.join(found[:_SHOWN])}{more}"
