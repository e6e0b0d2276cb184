"""The kill switch: halts trading at once, sees that nothing stays open, and stays latched.

```
Trip, a condition ─▶ KILL SWITCH ─ Halt ─▶ venue link, order manager, portfolio
                          │ ─ CancelAllAtVenue, VenueCall OPEN_ORDERS, again and again ─▶ venue link
Resume (the cause) ──▶    │ ─ HaltLifted ─▶ venue link, order manager, portfolio
```
It needs neither the portfolio nor the broker nor the order manager: what cancels and what tells
what is open is the link to the venue alone.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from actors.actor import Context, Later
from actors.messages.account import TradingState, TradingStateChanged
from actors.messages.reconciliation import Difference
from actors.messages.safety import Heartbeat, KillSwitchChanged
from actors.messages.slices import MarketData, Slice
from actors.messages.system import (
    Alarm,
    Halt,
    HaltLifted,
    Resume,
    TimerFired,
    Trip,
)
from actors.messages.trading import OrderUpdate
from actors.messages.venue import VenueAnswer, VenueCall
from actors.model.instrument import Instruments
from actors.safety.clearing import ROUND, SOURCE, Clearing
from actors.safety.conditions.declared import Conditions
from actors.safety.conditions.silence import Seen
from actors.safety.config import KillSwitchConfig
from actors.safety.latch import Latch

WATCH = "watch"
"""The timer of the conditions that time trips."""
PORTFOLIO = "portfolio"
"""Who gives the cause when the account's own trading state is HALTED."""
SYSTEM = "system"
"""Who gives the cause of a final halt: it outlasts the process, and must be acknowledged then."""


class KillSwitch:
    """The core of the kill switch.

    Once tripped it is halted until every cause is acknowledged, whatever crashes or is restarted
    meanwhile: each incarnation, and each process, tells again what its predecessor had told.

    Args:
        feeds: Names of the run's feeds, in the order in which their rows are numbered.
        has_venue: Whether there is a link to a venue; without one, what the order manager says of
            orders is what is believed.
    """

    def __init__(
        self,
        context: Context,
        instruments: Instruments,
        config: KillSwitchConfig,
        *,
        feeds: Sequence[str] = (),
        has_venue: bool = False,
    ) -> None:
        self._actor = context.actor
        self._latch = Latch()
        self._conditions = Conditions(config, instruments, feeds)
        self._clearing = Clearing(context.actor, config, has_venue=has_venue)
        self._differences: dict[str, Difference] = {}
        self._next_watch_ns = 0

    # --- look-ups --------------------------------------------------------------------------------

    @property
    def is_halted(self) -> bool:
        """Return whether trading is halted."""
        return self._latch.is_halted

    def status(self, note: str = "") -> KillSwitchChanged:
        """Return how it stands."""
        return KillSwitchChanged(
            causes=self._latch.causes, open_orders=self._clearing.open_orders, note=note
        )

    def differences(self) -> list[Difference]:
        """Return the differences with the venue that are open, in the order in which they came."""
        return list(self._differences.values())

    def watches_heartbeats(self) -> bool:
        """Return whether anything follows when heartbeats end."""
        return self._conditions.hears(Heartbeat)

    # --- the core --------------------------------------------------------------------------------

    def start(self, now_ns: int) -> list[Any]:
        """Return the first watch of the conditions and, if it is halted, the halt once more."""
        told = self._watch_later(now_ns)
        return self._tell_again(now_ns) + told if self._latch.is_halted else told

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        """Return what a message leads to; those that halt or lift first."""
        if isinstance(message, OrderUpdate):  # nearly all that comes: a match would take longer
            self._clearing.track(message)
            return self._trip_by(self._conditions.see(message, now_ns), now_ns)
        match message:
            case Trip():
                return self._trip([(message.by, message.cause)], now_ns)
            case Halt():
                return self._trip([(SYSTEM, message.cause)], now_ns)
            case Resume():
                return self._resume(message, now_ns)
            case MarketData():
                self.advance(message.rows, len(message.rows))
                return []
            case TimerFired():
                return self._tick(message, now_ns)
            case VenueAnswer():
                return self._take_answer(message, now_ns)
            case TradingStateChanged():
                return self._take_state(message, now_ns)
            case _:
                self._note(message)
        return self._trip_by(self._conditions.see(message, now_ns), now_ns)

    def stop(self, now_ns: int) -> list[Any]:
        """Return nothing: a halt outlasts the process."""
        return []

    def _note(self, message: Any) -> None:
        """Keep what a message says of orders, and of differences."""
        if isinstance(message, OrderUpdate):
            self._clearing.track(message)
        elif isinstance(message, Difference):
            self._differences.pop(message.key, None)
            if message.is_open:
                self._differences[message.key] = message

    # --- halting ---------------------------------------------------------------------------------

    def _trip(self, causes: Sequence[tuple[str, str]], now_ns: int) -> list[Any]:
        """Halt, for causes given as who and why; a halt that holds already is told again."""
        is_new = False
        for by, cause in causes:
            is_new |= self._latch.add(cause, by, now_ns)
        words = "; ".join(cause for _, cause in causes)
        told: list[Any] = [Halt(cause, final=False) for _, cause in causes]
        if is_new:
            told += self._clearing.begin(causes[0][1], now_ns, now_ns)
        else:
            told += self._clearing.cancel_again(causes[0][1], now_ns)
        told.append(self.status(f"halted: {words}" if is_new else "halted already"))
        if is_new:
            told.append(Alarm(source=SOURCE, text=f"halted: {words}", time_ns=now_ns))
        return told

    def _trip_by(self, found: Sequence[tuple[str, str]], now_ns: int) -> list[Any]:
        """Halt by conditions that have come to pass, except those that have halted already."""
        if not found:
            return []
        fresh = [each for each in found if not self._latch.is_tripped_by(each[0])]
        return self._trip(fresh, now_ns) if fresh else []

    def _take_state(self, changed: TradingStateChanged, now_ns: int) -> list[Any]:
        """Halt with the portfolio, unless it only says what we have told it."""
        if changed.state is not TradingState.HALTED or self._latch.holds(changed.cause):
            return []
        return self._trip([(PORTFOLIO, changed.cause)], now_ns)

    def _tell_again(self, now_ns: int) -> list[Any]:
        """Tell the halt of an earlier incarnation to whoever may not have heard of it."""
        causes = self._latch.causes
        told: list[Any] = [Halt(each.cause, final=False) for each in causes]
        halted_ns = max(each.time_ns for each in causes)
        return told + self._clearing.begin(causes[0].cause, halted_ns, now_ns)

    def _resume(self, message: Resume, now_ns: int) -> list[Any]:
        """Acknowledge a cause; lift the halt when none is left, or say why not."""
        if not self._latch.is_halted:
            return [self.status("refused: trading is not halted")]
        refusal = self._latch.acknowledge(message.acknowledges)
        if refusal:
            return [self.status(f"refused: {refusal}: {message.acknowledges!r}")]
        released = self._latch.release()
        if not released:
            return [self.status(f"acknowledged; still to be: {self._latch.cause}")]
        self._conditions.begin_anew(now_ns)
        told: list[Any] = [HaltLifted(each.cause) for each in released]
        return [*told, self.status("the halt is lifted")]

    # --- timers and the venue --------------------------------------------------------------------

    def _tick(self, timer: TimerFired, now_ns: int) -> list[Any]:
        if timer.name == ROUND:
            if not self._latch.is_halted:
                return []
            was_clear = self._clearing.is_clear
            told: list[Any] = [*self._clearing.tick(timer, self._first_cause, now_ns)]
            return told + self._tell_cleared(was_clear)
        if timer.name != WATCH or timer.at_ns < self._next_watch_ns:
            return []
        return self._trip_by(self._conditions.check(now_ns), now_ns) + self._watch_later(now_ns)

    def _take_answer(self, answer: VenueAnswer, now_ns: int) -> list[Any]:
        if not self._latch.is_halted:
            return []
        was_clear = self._clearing.is_clear
        self._clearing.take(answer, now_ns)
        return self._tell_cleared(was_clear)

    def _tell_cleared(self, was_clear: bool) -> list[Any]:
        """Tell when nothing is open any more, or when something is again."""
        is_clear = self._clearing.is_clear
        if is_clear is was_clear:
            return []
        return [self.status("nothing is open" if is_clear else "orders are open again")]

    @property
    def _first_cause(self) -> str:
        return self._latch.causes[0].cause

    def _watch_later(self, now_ns: int) -> list[Any]:
        watch_ns = self._conditions.watch_ns
        if watch_ns is None:
            return []
        self._next_watch_ns = now_ns + watch_ns
        timer = TimerFired(self._actor, WATCH, self._next_watch_ns)
        return [Later(timer, self._next_watch_ns, background=True)]

    # --- the market ------------------------------------------------------------------------------

    def advance(self, rows: Slice, stop: int) -> None:
        """Take notice of the rows before ``stop``, if it watches the market."""
        stale = self._conditions.stale
        if stale is not None:
            stale.advance(rows, stop)

    @property
    def market(self) -> Seen | None:
        """Return what it knows of the market, for its successor to :meth:`inherit`."""
        return self._conditions.seen

    def inherit(self, market: Seen) -> None:
        """Take over what an earlier incarnation knew of the market."""
        self._conditions.inherit(market)

    # --- recovery --------------------------------------------------------------------------------

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Rebuild: the latch from what was told of it, the conditions from what was received.

        What is open is asked for again; :meth:`start` does that.
        """
        now_ns = 0
        for direction, message in history:
            if direction == "at":
                now_ns = message
                continue
            now_ns = max(now_ns, _time_of(message))
            if direction == "sent":
                self._recall(message, now_ns)
            else:
                self._note(message)
                self._conditions.see(message, now_ns)

    def _recall(self, message: Any, now_ns: int) -> None:
        if isinstance(message, KillSwitchChanged):
            if self._latch.is_halted and not message.is_halted:
                self._conditions.begin_anew(now_ns)
            self._latch.causes = message.causes
        elif isinstance(message, VenueCall):
            self._clearing.recall(message)


def _time_of(message: Any) -> int:
    """Return the time that a message tells, 0 if none."""
    told = getattr(message, "at_ns", None) or getattr(message, "time_ns", None)
    return told if isinstance(told, int) else 0
