"""Orders that were evicted: the journal's archive remembers them, and gives them back.

A record leaves as :class:`Archived`; the latest state counts. What is heard of an evicted order is
decided by its archived record: what repeats older news leads to nothing, however old it is; what is
new brings the order back, which then goes again as every order that is over.
"""

import msgspec

from actors.actor import Context
from actors.messages.system import Archived
from actors.messages.trading import ExecutionReport, ReportKind
from actors.orders.records import Extras, OrderRecord
from actors.orders.registry import Registry, part_of

ORDER = "order"
_TRADE = ReportKind.TRADE
_SETTLED = ReportKind.TRADE_SETTLED
_FAILED = ReportKind.TRADE_FAILED


class Kept(msgspec.Struct, eq=False, gc=False, omit_defaults=True):
    """An order as it is archived: with its children, if it was scheduled."""

    record: OrderRecord
    parts: list[OrderRecord] = []


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Kept).decode


class Memory:
    """Reads and writes archived orders.

    It is not asked for orders that the registry has: what was evicted while a message is being
    handled is archived when that is done.
    """

    def __init__(self, context: Context, registry: Registry) -> None:
        self._context = context
        self._registry = registry
        self._replayed_ns: int | None = None
        self._evicted: set[str] = set()
        """The ids of those evicted in the replay of a history that is under way."""

    def replays(self, now_ns: int | None) -> None:
        """Take notice of the time in a history that is being replayed, None when that is over.

        The archive knows how the history goes on: orders that are yet to come are not asked for.
        """
        self._replayed_ns = now_ns
        if now_ns is None:
            self._evicted.clear()

    def knows(self, order_id: str) -> bool:
        """Return whether an order of this id was evicted."""
        return self._find(order_id) is not None

    def find(self, order_id: str) -> Kept | None:
        """Return an evicted order by its id or by that of one of its children; None if none."""
        kept = self._find(order_id)
        whole = part_of(order_id)
        if kept is None and whole and whole not in self._registry.records:
            kept = self._find(whole)
        return kept

    def _find(self, order_id: str) -> Kept | None:
        archive = self._context.archive
        assert archive is not None, "there is no memory without an archive"
        state = archive.find(ORDER, order_id)
        if state is None:
            return None
        kept = _decode(state)
        if self._replayed_ns is None or order_id in self._evicted:
            return kept
        return kept if kept.record.received_ns < self._replayed_ns else None

    def bring_back(self, order_id: str) -> None:
        """Take an order back, if it was evicted: another one refers to it."""
        kept = None if order_id in self._registry.records else self._find(order_id)
        if kept is not None:
            self._registry.bring_back(kept.record, kept.parts)

    def evict(self) -> list[Archived]:
        """Let orders go, as far as there are too many; return what the archive is to keep."""
        gone = self._registry.evict()
        if self._replayed_ns is not None:
            self._evicted.update(record.order.client_order_id for record, _ in gone)
        return [_archived(*each) for each in gone]

    def admits(self, report: ExecutionReport) -> bool:
        """Return whether a report on an order that is not here must be applied.

        An evicted order is brought back for it. False if the report only repeats what is known.
        """
        order_id = report.client_order_id
        if order_id in self._registry.parts:
            return True
        kept = self.find(order_id)
        if kept is None:
            return True  # none of ours: whoever applies it says so
        if not _is_news(kept.record, report):
            return False
        self._registry.bring_back(kept.record, kept.parts)
        return True


def _is_news(record: OrderRecord, report: ExecutionReport) -> bool:
    """Return whether a report on an order that is over says something new."""
    trade_id = report.trade_id
    if report.kind is _TRADE:
        return trade_id not in (record.trade_ids or ())
    if report.kind is not _SETTLED and report.kind is not _FAILED:
        return False
    known = None if record.extras is None else _known_word(record.extras, trade_id)
    if known is None and trade_id in (record.trade_ids or ()):
        known = False  # it was final from the beginning
    return known is not (report.kind is _FAILED)


def _known_word(extras: Extras, trade_id: str) -> bool | None:
    """Return whether a trade has failed, None if that is not known."""
    if trade_id in extras.provisional:
        return None
    return extras.resolved.get(trade_id, extras.early.get(trade_id))


def _archived(record: OrderRecord, parts: list[OrderRecord]) -> Archived:
    state = _encode(Kept(record, parts)).decode()
    return Archived(kind=ORDER, key=record.order.client_order_id, state=state)
