"""Which orders there are: the open ones, those that are over, and which of these are forgotten."""

from collections import deque
from collections.abc import Iterator

from actors.model.order import TERMINAL, Order
from actors.orders.records import OrderRecord

_IDS_PER_RECORD = 10
_RECORDS = 10_000


class Registry:
    """Every order by its id, in the order of receipt; child orders of schedules apart.

    With a limit, orders that are over are evicted from the oldest on, but no order that a relative
    still needs or that has a trade to be settled. Of the evicted ones the ids are remembered, ten
    times as many as records: news of them change nothing, a trade of theirs is an error.
    """

    def __init__(self, max_completed: int | None = None) -> None:
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
        self._most_forgotten = _IDS_PER_RECORD * (max_completed or _RECORDS)

    def is_forgotten(self, order_id: str) -> bool:
        """Return whether an order was evicted, itself or with the schedule it was a part of."""
        return order_id in self.forgotten or part_of(order_id) in self.forgotten

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
            self.evict(self._max_completed)

    def evict(self, room: int) -> int:
        """Forget the oldest orders that are over, but for ``room``; return how many were."""
        before = self.evicted
        for _ in range(len(self._completed) - room):
            order_id = self._completed.popleft()
            if self._is_needed(self.records[order_id]):
                self._completed.append(order_id)
            else:
                self._forget(order_id)
        return self.evicted - before

    def add_all_completed(self) -> None:
        """Make every order that is over a candidate to be evicted, where there is no limit."""
        if self._max_completed is None:
            self._completed = deque(key for key in self.records if key not in self.open)

    def _is_needed(self, record: OrderRecord) -> bool:
        extras = record.extras
        if extras is None:
            return False
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
