"""What goes wrong between a fake venue and us."""

from enum import Enum, auto

from actors.messages.venue import CallKind, VenueCall
from actors.model.order import Order
from actors.venues.fake.chance import Chance
from actors.venues.fake.config import FakeVenueConfig


class Trouble(Enum):
    """What happens to a call."""

    NEVER_ARRIVES = auto()
    REFUSED = auto()
    SILENCE = auto()
    LATE = auto()
    ERROR_AND_NOTHING_DONE = auto()
    ERROR_BUT_DONE = auto()


class Troubles:
    """Decides on calls by their numbers, on news by what they tell."""

    def __init__(self, config: FakeVenueConfig, chance: Chance) -> None:
        faults = self._faults = config.faults
        self._chance = chance
        self._shares = (
            (Trouble.NEVER_ARRIVES, faults.lose_request),
            (Trouble.SILENCE, faults.lose_answer),
            (Trouble.LATE, faults.late_answer),
            (Trouble.ERROR_AND_NOTHING_DONE, faults.server_error / 2),
            (Trouble.ERROR_BUT_DONE, faults.server_error / 2),
            (Trouble.REFUSED, faults.throttle),
        )

    def is_out(self, now_ns: int) -> bool:
        """Return whether nothing gets through."""
        return self._faults.outage is not None and self._faults.outage.is_open(now_ns)

    def of_call(self, call: VenueCall, now_ns: int) -> Trouble | None:
        """Return what happens to a call, None for nothing."""
        if self.is_out(now_ns):
            return Trouble.NEVER_ARRIVES
        for trouble, share in self._shares:
            if self._chance.happens(share, trouble.name, call.kind, call.number):
                if trouble is Trouble.REFUSED and call.kind is CallKind.CANCEL_ALL:
                    return None
                return trouble
        return None

    def shown_ns(self, order: Order, now_ns: int) -> int:
        """Return from when on an order is shown to those who ask."""
        if self._chance.happens(self._faults.hide_order, "hide", order.client_order_id):
            return now_ns + self._faults.hide_for_ns
        return now_ns

    def arrivals(self, key: str, now_ns: int) -> list[int]:
        """Return when news are sent: not at all, once or twice, now or later."""
        faults, chance = self._faults, self._chance
        if self.is_out(now_ns) or chance.happens(faults.drop_news, "drop", key):
            return []
        times = [now_ns]
        if chance.happens(faults.duplicate_news, "duplicate", key):
            times.append(now_ns)
        return [
            at_ns + round(faults.delay_news_by_ns * chance.draw("by", key, number))
            if chance.happens(faults.delay_news, "delay", key, number)
            else at_ns
            for number, at_ns in enumerate(times)
        ]
