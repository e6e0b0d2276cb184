"""Compares our orders with the venue's lists, and cures by rule what can be."""

from collections.abc import Callable

from actors.errors import OrderStateError
from actors.messages.reconciliation import (
    Cure,
    Difference,
    DifferenceKind,
    ResolveDifference,
    VenueOrders,
)
from actors.messages.trading import CancelPlacedOrder, ExecutionReport
from actors.messages.venue import VenueOrder, VenueTrade
from actors.model.instrument import Instruments
from actors.model.money import ZERO, plain
from actors.model.order import TERMINAL, OrderStatus
from actors.orders.config import ExternalOrders, ExternalTrades, OrderManagerConfig
from actors.orders.doubts import Doubts
from actors.orders.memory import Memory
from actors.orders.outputs import Output
from actors.orders.reconciliation.differences import Differences, Subject, is_filled_as_said
from actors.orders.reconciliation.external import (
    EXTERNAL,
    adopt_order,
    id_of,
    make_room,
    undo_room,
)
from actors.orders.reconciliation.words import (
    cancel_of,
    closed,
    difference,
    report_of,
    shown,
    traded_in,
    words,
)
from actors.orders.records import OrderRecord
from actors.orders.registry import Registry

_MISSING = DifferenceKind.ORDER_MISSING
_STRANGE = DifferenceKind.ORDER_EXTERNAL
_MISSED = DifferenceKind.TRADE_MISSED
_FOREIGN = DifferenceKind.TRADE_EXTERNAL
_TRUNCATED = DifferenceKind.HISTORY_TRUNCATED

_NONE = "none"
_BOOKS = (Cure.ADOPT, Cure.BOOK)

Hear = Callable[[ExecutionReport, int], list[Output]]


class Ours:
    """What is ours: here, or remembered."""

    def __init__(self, registry: Registry, memory: Memory | None, doubts: Doubts) -> None:
        self.registry = registry
        self.memory = memory
        self.doubts = doubts

    def find(self, order_id: str) -> OrderRecord | None:
        """Return an order, or the child of a scheduled one; None if it is not ours."""
        if not order_id:
            return None
        record = self.registry.find(order_id)
        if record is not None or self.memory is None:
            return record
        kept = self.memory.find(order_id)
        if kept is None:
            return None
        own = [part for part in kept.parts if part.order.client_order_id == order_id]
        return own[0] if own else kept.record


class Reconciliation:
    """Takes the venue's lists, round by round; nothing new is told of what has not changed."""

    def __init__(
        self, ours: Ours, instruments: Instruments, config: OrderManagerConfig, hear: Hear
    ) -> None:
        self._ours = ours
        self._registry = ours.registry
        self._doubts = ours.doubts
        self._instruments = instruments
        self._orders_rule = config.external_orders
        self._trades_rule = config.external_trades
        self._hear = hear
        self._differences = Differences()

    # --- a round -----------------------------------------------------------------------------

    def compare(self, message: VenueOrders, now_ns: int) -> list[Output]:
        """Return what a round leads to; the last is :class:`Reconciled`."""
        differences = self._differences
        differences.begin(message.round)
        outputs: list[Output] = []
        foreign: list[VenueTrade] = []
        for trade in message.trades:  # first, so that quantities agree where they can
            if self._owner(trade) is None:
                foreign.append(trade)
            else:
                outputs += self._own_trade(trade, now_ns)
        for theirs in message.orders:
            outputs += self._their_order(theirs, message, now_ns)
        for trade in foreign:
            outputs += self._foreign_trade(trade, now_ns)
        outputs += self._missing(message, now_ns)
        if message.is_truncated:
            said = "not all trades are told"
            outputs += differences.note(
                difference(_TRUNCATED, message.venue, Cure.REFUSE, now_ns, (_NONE, said))
            )
        outputs += differences.end(now_ns)
        return [*outputs, differences.reconciled()]

    def _owner(self, theirs: VenueOrder | VenueTrade) -> OrderRecord | None:
        return self._ours.find(id_of(theirs))

    # --- trades ------------------------------------------------------------------------------

    def _own_trade(self, trade: VenueTrade, now_ns: int) -> list[Output]:
        """Book a trade of ours, if it is new."""
        owner = self._owner(trade)
        assert owner is not None
        if trade.trade_id in (owner.trade_ids or ()):
            return []
        said = words(trade)
        try:
            applied = self._book(trade, owner, now_ns)
        except OrderStateError as error:
            why = str(error)
            wrong = difference(_MISSED, trade.trade_id, Cure.REFUSE, now_ns, (why, said))
            return [*self._differences.note(wrong, trade)]
        told = difference(_MISSED, trade.trade_id, Cure.BOOK, now_ns, (_NONE, said))
        return [*applied, *self._differences.tell(closed(told))]

    def _book(self, trade: VenueTrade, owner: OrderRecord | None, now_ns: int) -> list[Output]:
        report = report_of(trade)
        if owner is not None and owner.order.strategy != EXTERNAL:
            return self._hear(report, now_ns)
        memory = self._ours.memory
        if memory is not None and self._registry.find(id_of(trade)) is None:
            memory.admits(report)
        before = make_room(self._registry, trade, now_ns)
        try:
            return self._hear(report, now_ns)
        except OrderStateError:
            undo_room(self._registry, trade, before)
            raise

    def _foreign_trade(self, trade: VenueTrade, now_ns: int) -> list[Output]:
        """Apply the rule to a trade that is not ours; it may be of an order adopted just now."""
        if self._owner(trade) is not None:
            return self._own_trade(trade, now_ns)
        name, said, ours = trade.trade_id, words(trade), _NONE
        rule = self._trades_rule
        if rule is ExternalTrades.IGNORE:
            told = difference(_FOREIGN, name, Cure.IGNORE, now_ns, (_NONE, said))
            return [*self._differences.tell(closed(told))]
        if rule is ExternalTrades.ADOPT and self._may_adopt(trade):
            told = difference(_FOREIGN, name, Cure.ADOPT, now_ns, (_NONE, said))
            try:
                applied = self._book(trade, None, now_ns)
                return [*applied, *self._differences.tell(closed(told))]
            except OrderStateError as error:
                ours = str(error)
        found = difference(_FOREIGN, name, Cure.REFUSE, now_ns, (ours, said))
        return [*self._differences.note(found, trade)]

    def _may_adopt(self, theirs: VenueOrder | VenueTrade) -> bool:
        """Return whether something can be booked: an order that was forgotten cannot."""
        is_known = self._instruments.get(theirs.instrument) is not None
        return is_known and not self._registry.is_forgotten(id_of(theirs))

    # --- orders ------------------------------------------------------------------------------

    def _their_order(self, theirs: VenueOrder, lists: VenueOrders, now_ns: int) -> list[Output]:
        record = self._owner(theirs)
        if record is None:
            return self._foreign_order(theirs, lists, now_ns)
        if record.status in TERMINAL:
            return self._undead(record, theirs, lists, now_ns)
        order_id = id_of(theirs)
        filled = theirs.filled_quantity
        if record.order.strategy == EXTERNAL:
            filled -= max(theirs.quantity - record.order.quantity, ZERO)  # was before our time
        if filled > record.traded_quantity:
            ours, said = plain(record.traded_quantity), plain(filled)
            found = difference(_MISSED, _of(order_id), Cure.ASK, now_ns, (ours, said))
            news = self._differences.note(found)
            if not news:
                return []
            return [*news, *self._doubts.ask_now(record, "the venue has filled more", now_ns)]
        if order_id in self._doubts.open and record.history[-1][1] < lists.asked_ns:
            return self._hear(shown(order_id, lists), now_ns)
        return []

    def _undead(
        self, record: OrderRecord, theirs: VenueOrder, lists: VenueOrders, now_ns: int
    ) -> list[Output]:
        """Cancel what works at the venue although it is over here."""
        is_whole = record.status is OrderStatus.FILLED and record.traded_quantity >= theirs.quantity
        if is_whole or record.history[-1][1] >= lists.asked_ns:
            return []
        name, ours = id_of(theirs), str(record.status)
        found = difference(_STRANGE, name, Cure.CANCEL, now_ns, (ours, words(theirs)))
        return [*self._differences.note(found, theirs), cancel_of(theirs)]

    def _foreign_order(self, theirs: VenueOrder, lists: VenueOrders, now_ns: int) -> list[Output]:
        name, said = id_of(theirs), words(theirs)
        rule = self._orders_rule
        if rule is ExternalOrders.ADOPT and self._may_adopt(theirs):
            told = difference(_STRANGE, name, Cure.ADOPT, now_ns, (_NONE, said))
            traded = traded_in(theirs, lists.trades)
            return [*adopt_order(self._registry, theirs, traded, now_ns), closed(told)]
        if rule is ExternalOrders.IGNORE:
            told = difference(_STRANGE, name, Cure.IGNORE, now_ns, (_NONE, said))
            return [*self._differences.note(closed(told), theirs)]
        if rule is ExternalOrders.CANCEL:
            found = difference(_STRANGE, name, Cure.CANCEL, now_ns, (_NONE, said))
            return [*self._differences.note(found, theirs), self._cancel_stranger(theirs)]
        found = difference(_STRANGE, name, Cure.REFUSE, now_ns, (_NONE, said))
        return [*self._differences.note(found, theirs)]

    def _cancel_stranger(self, theirs: VenueOrder) -> CancelPlacedOrder:
        """Return the request to cancel an order that is not ours."""
        self._registry.note_stranger(id_of(theirs))
        return cancel_of(theirs)

    def _missing(self, lists: VenueOrders, now_ns: int) -> list[Output]:
        """Ask for what is open here, and not in the venue's list although it should be."""
        outputs: list[Output] = []
        listed = {id_of(theirs) for theirs in lists.orders}
        for record in self._registry.at_venue():
            order_id = record.order.client_order_id
            if order_id in listed or not record.is_acknowledged:
                continue
            key = f"{_MISSING}:{order_id}"
            is_known = self._differences.is_known(key)
            is_young = record.history[-1][1] >= lists.asked_ns
            if is_known or is_young or order_id in self._doubts.open:
                continue  # too young, or the venue is being asked already
            ours, said = str(record.status), "not there"
            found = difference(_MISSING, order_id, Cure.ASK, now_ns, (ours, said))
            news = self._differences.note(found)
            if news:
                why = "it is not in the venue's list"
                outputs += [*news, *self._doubts.ask_now(record, why, now_ns)]
        return outputs

    # --- between rounds ----------------------------------------------------------------------

    def explained(self, order_id: str, now_ns: int) -> list[Output]:
        """Close what was open about an order that is not in doubt any more."""
        over: list[Difference] = []
        record = self._ours.find(order_id)
        missing = f"{_MISSING}:{order_id}"
        for key in (missing, f"{_MISSED}:{_of(order_id)}"):
            found = self._differences.find(key)
            if found is None:
                continue
            traded = ZERO if record is None else record.traded_quantity
            if key == missing or is_filled_as_said(found[0], traded):
                over += self._differences.close(key, Cure.ASK, now_ns)
        return [*over, self._differences.reconciled()] if over else []

    def resolve(self, message: ResolveDifference, now_ns: int) -> list[Output]:
        """Do what somebody has decided; what cannot be done is told again, as it stands."""
        found = self._differences.find(message.key)
        if found is None:
            return []
        known, subject = found
        outputs = self._cure(known, subject, message.cure, now_ns)
        if outputs is None:
            return [known]
        if message.cure is Cure.CANCEL:
            return outputs  # it is over when the venue's list says so
        over = self._differences.close(message.key, message.cure, now_ns)
        return [*outputs, *over, self._differences.reconciled()]

    def _cure(
        self, known: Difference, subject: Subject, cure: Cure, now_ns: int
    ) -> list[Output] | None:
        """Return what a cure leads to; None if it is none."""
        if cure is Cure.IGNORE:
            return []
        if isinstance(subject, VenueTrade):
            return self._cure_trade(subject, cure, now_ns)
        if subject is None or known.kind is not _STRANGE:
            return None
        if cure is Cure.CANCEL:
            return [self._cancel_stranger(subject)]
        if cure is Cure.ADOPT and self._owner(subject) is None and self._may_adopt(subject):
            return adopt_order(self._registry, subject, ZERO, now_ns)
        return None

    def _cure_trade(self, trade: VenueTrade, cure: Cure, now_ns: int) -> list[Output] | None:
        owner = self._owner(trade)
        if cure not in _BOOKS or (owner is None and not self._may_adopt(trade)):
            return None
        try:
            return self._book(trade, owner, now_ns)
        except OrderStateError:
            return None


def _of(order_id: str) -> str:
    """Return the name of a difference of an order's filled quantity: no trade has it."""
    return f"order:{order_id}"
