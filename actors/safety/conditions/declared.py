"""The conditions that a configuration declares."""

from collections.abc import Sequence
from typing import Any

from actors.model.instrument import Instruments
from actors.safety.conditions.account import DailyLoss
from actors.safety.conditions.condition import Condition, by_type
from actors.safety.conditions.counted import Errors, Rejects
from actors.safety.conditions.doubts import Differences, UnknownOrders
from actors.safety.conditions.hearts import Heartbeats, LostProcesses
from actors.safety.conditions.silence import Seen, StaleData
from actors.safety.config import KillSwitchConfig

_SHORTEST_WATCH_NS = 100_000_000
_LONGEST_WATCH_NS = 5_000_000_000


class Conditions:
    """All conditions of a kill switch; each says only when it comes to pass."""

    def __init__(
        self, config: KillSwitchConfig, instruments: Instruments, feeds: Sequence[str]
    ) -> None:
        self.stale: StaleData | None = None
        if config.watches_market:
            self.stale = StaleData(config, instruments, feeds)
        self._all = _declared(config, self.stale)
        self._by_type = by_type(self._all)
        self._timed = tuple(each for each in self._all if each.limit_ns is not None)

    @property
    def watch_ns(self) -> int | None:
        """Return how often to :meth:`check`; None if time alone trips nothing."""
        limits = [each.limit_ns for each in self._timed if each.limit_ns is not None]
        if not limits:
            return None
        return min(max(min(limits) // 10, _SHORTEST_WATCH_NS), _LONGEST_WATCH_NS)

    def hears(self, kind: type) -> bool:
        """Return whether a type of message may bring anything to pass."""
        return kind in self._by_type

    def see(self, message: Any, now_ns: int) -> list[tuple[str, str]]:
        """Return which conditions a message brings to pass: name and cause."""
        found = []
        for each in self._by_type.get(type(message), ()):
            cause = each.see(message, now_ns)
            if cause:
                found.append((each.name, cause))
        return found

    def check(self, now_ns: int) -> list[tuple[str, str]]:
        """Return which conditions have come to pass by now: name and cause."""
        checked = [(each.name, each.check(now_ns)) for each in self._timed]
        return [(name, cause) for name, cause in checked if cause]

    def begin_anew(self, now_ns: int) -> None:
        """Forgive what has been."""
        for each in self._all:
            each.begin_anew(now_ns)

    @property
    def seen(self) -> Seen | None:
        """Return what is known of the market, for a successor."""
        return None if self.stale is None else self.stale.seen

    def inherit(self, seen: Seen) -> None:
        """Take over what an earlier incarnation knew of the market."""
        if self.stale is not None:
            self.stale.seen = seen


def _declared(config: KillSwitchConfig, stale: StaleData | None) -> tuple[Condition, ...]:
    unknown_ns, heartbeat_ns = config.unknown_orders_ns, config.heartbeat_ns
    found: list[Condition | None] = [
        None if config.daily_loss is None else DailyLoss(config.daily_loss),
        None if config.errors is None else Errors(config.errors),
        None if config.rejects is None else Rejects(config.rejects),
        stale,
        LostProcesses() if config.lost_heartbeat else None,
        None if heartbeat_ns is None else Heartbeats(heartbeat_ns),
        Differences() if config.reconciliation else None,
        None if unknown_ns is None else UnknownOrders(unknown_ns),
    ]
    return tuple(each for each in found if each is not None)
