"""Which orders there are: the open ones, those that are over, and which of these are forgotten."""

from collections import deque
from collections.abc import Iterable, Iterator

from actors.model.order import TERMINAL, Order
from actors.orders.records import OrderRecord

_IDS_PER_RECORD = 10
_RECORDS = 10_000


class Registry:
    """Every order by its id, in the order of receipt; child orders of schedules apart.

    With a limit, orders that are over are evicted from the oldest on, but no order that a relative
    still needs or that has a trade to be settled. Where an archive remembers them, nothing of them
    stays here; where none does, ten times as many ids as records: news of them change
    nothing, a trade of theirs is an error.

    Attributes:
        is_crowded: Whether there are more orders that are over than the limit: :meth:`evict`.
    """

    def __init__(self, max_completed: int | None = None, *, has_archive: bool = False) -> None:
        self.is_crowded = False
        self._has_archive = has_archive
        self.records: dict[str, OrderRecord] = {}
        self.open: dict[str, OrderRecord] = {}
        self.parts: dict[str, OrderRecord] = {}
        """The child orders of schedules; ``part_of`` says whose they are."""
        self.groups: dict[str, list[str]] = {}
        """Alternatives: the ids of each group's orders."""
        self.evicted = 0
        self._max_completed = max_completed
        self._completed: deque[str] = deque()
        self.forgotten: dict[str, None] = {}
        """The ids of evicted orders, oldest first."""
        self.strangers: dict[str, None] = {}
        """The venue's orders that are not ours and that we have asked to cancel, oldest first.

        What is reported of them changes nothing: the venue's lists say how they stand.
        """
        self._most_forgotten = _IDS_PER_RECORD * (max_completed or _RECORDS)

    def is_forgotten(self, order_id: str) -> bool:
        """Return whether an order was evicted, itself or with the schedule it was a part of."""
        return order_id in self.forgotten or part_of(order_id) in self.forgotten

    def note_stranger(self, order_id: str) -> None:
        """Take notice that somebody else's order is to be cancelled."""
        self.strangers[order_id] = None
        if len(self.strangers) > _RECORDS:
            del self.strangers[next(iter(self.strangers))]

    def find(self, order_id: str) -> OrderRecord | None:
        """Return an order, or the child of a scheduled one; None if it is not here."""
        return self.records.get(order_id) or self.parts.get(order_id)

    def parts_of(self, record: OrderRecord) -> list[OrderRecord]:
        """Return the child orders that a scheduled order has had so far, oldest first."""
        work = None if record.extras is None else record.extras.work
        made = 0 if work is None else work.made
        return [self.parts[part_id(record.order, number)] for number in range(1, made + 1)]

    def at_venue(self) -> list[OrderRecord]:
        """Return what the venue should have open, in the order of receipt: children, no wholes."""
        found: list[OrderRecord] = []
        for record in self.open.values():
            extras = record.extras
            if extras is None:
                found.append(record)
            elif extras.work is not None:
                found += [self.parts[each] for each in extras.work.open]
            elif not extras.is_held:
                found.append(record)
        return found

    def open_orders(self, strategy: str | None = None) -> list[OrderRecord]:
        """Return the orders that are not over, in the order of receipt."""
        return [
            record
            for record in self.open.values()
            if strategy is None or strategy == record.order.strategy
        ]

    def close(self, record: OrderRecord) -> None:
        """Take notice that an order is over; once is enough, more do no harm."""
        order_id = record.order.client_order_id
        if self.open.pop(order_id, None) is not None and self._max_completed is not None:
            self._completed.append(order_id)
            self.is_crowded = len(self._completed) > self._max_completed

    def evict(self, room: int | None = None) -> list[tuple[OrderRecord, list[OrderRecord]]]:
        """Forget the oldest orders that are over; return them, each with its children.

        Args:
            room: How many to keep; None for the limit.
        """
        self.is_crowded = False
        if room is None:
            room = self._max_completed or 0
        gone: list[tuple[OrderRecord, list[OrderRecord]]] = []
        for _ in range(len(self._completed) - room):
            order_id = self._completed.popleft()
            record = self.records[order_id]
            if self._is_needed(record):
                self._completed.append(order_id)
            else:
                gone.append((record, self.parts_of(record)))
                self._forget(order_id)
        return gone

    def bring_back(self, record: OrderRecord, parts: Iterable[OrderRecord]) -> None:
        """Take an order that was evicted, and is over, back; it goes again as the others do."""
        order_id = record.order.client_order_id
        self.records[order_id] = record
        for part in parts:
            self.parts[part.order.client_order_id] = part
        self._completed.append(order_id)
        self.is_crowded = True
        self.evicted -= 1

    def add_all_completed(self) -> None:
        """Make every order that is over a candidate to be evicted, where there is no limit."""
        if self._max_completed is None:
            self._completed = deque(key for key in self.records if key not in self.open)

    def _is_needed(self, record: OrderRecord) -> bool:
        extras = record.extras
        if extras is None:
            return False
        if extras.work is not None and extras.work.open:
            return True
        relatives = [extras.parent, *extras.children, *self.groups.get(extras.group, ())]
        return bool(extras.provisional) or any(each in self.open for each in relatives)

    def _forget(self, order_id: str) -> None:
        record = self.records.pop(order_id)
        extras = record.extras
        if extras is not None:
            group = self.groups.get(extras.group, [])
            if order_id in group:
                group.remove(order_id)
                if not group:
                    del self.groups[extras.group]
            made = 0 if extras.work is None else extras.work.made
            for number in range(1, made + 1):
                self.parts.pop(part_id(record.order, number), None)
        self.evicted += 1
        if self._has_archive:
            return
        self.forgotten[order_id] = None
        if len(self.forgotten) > self._most_forgotten:
            del self.forgotten[next(iter(self.forgotten))]

    def completed(self) -> Iterator[OrderRecord]:
        """Yield the orders that are over and not evicted, in the order of receipt."""
        return (record for record in self.records.values() if record.status in TERMINAL)


def part_id(order: Order, number: int) -> str:
    """Return the id of a scheduled order's child, by its number from 1."""
    return f"{order.client_order_id}/{number}"


def part_of(order_id: str) -> str:
    """Return the id of the order of which this is the id of a child; the id of none for others."""
    return order_id.rpartition("/")[0]
