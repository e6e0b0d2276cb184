"""What a remote broker remembers of an order until it is over."""

from decimal import Decimal

import attrs

from actors.messages.trading import ExecutionReport, ReportKind
from actors.messages.venue import CallKind, VenueAnswer, VenueOrder
from actors.model.money import ZERO
from actors.model.order import Order

_TRADE = ReportKind.TRADE
_OVER = frozenset({ReportKind.REJECTED, ReportKind.CANCELLED, ReportKind.EXPIRED, ReportKind.GONE})
_ANSWERED_CHANGE = frozenset({ReportKind.REPLACED, ReportKind.REPLACE_REJECTED})


@attrs.define(kw_only=True)
class Ticket:
    """An order that was sent and is not over.

    Attributes:
        order: As it stands, as far as we know.
        sent_ns: When it was sent last.
        wanted: What it shall become: a change that is not answered.
        wanted_ns: When that was asked for.
        change: The number of the call that asks for it.
        trades: The units of each trade that was reported, by its id.
        is_shown: Whether the venue has ever said that it has it.
        was_repeated: Whether it was sent more than once: a refusal proves nothing then.
        is_unwanted: Whether it was to be cancelled.
    """

    order: Order
    sent_ns: int
    wanted: Order | None = None
    wanted_ns: int = 0
    change: int = 0
    trades: dict[str, Decimal] = attrs.field(factory=dict)
    is_shown: bool = False
    was_repeated: bool = False
    is_unwanted: bool = False

    @property
    def filled(self) -> Decimal:
        """Return how much of it was reported as traded."""
        return sum(self.trades.values(), ZERO)

    @property
    def most(self) -> Decimal:
        """Return how much of it may trade, whatever becomes of a change that is not answered."""
        quantity = self.order.quantity
        return quantity if self.wanted is None else max(quantity, self.wanted.quantity)


class Tickets:
    """The orders that are not over, by our ids; and which ids are ours.

    Ours are ``<run>-<strategy>-<n>``. Where another run has orders in the same account, its id may
    begin as ours does (``night-5`` and ``night-5-1``), so it is the strategies that tell: those of
    which an order was ever sent.
    """

    def __init__(self, run_id: str) -> None:
        self._prefix = f"{run_id}-"
        self._makers: set[str] = set()
        """What the ids of each strategy begin with."""
        self._tickets: dict[str, Ticket] = {}

    def __len__(self) -> int:
        return len(self._tickets)

    def open(self, order: Order, now_ns: int) -> Ticket:
        """Return the ticket of an order that is sent."""
        ticket = self._tickets[order.client_order_id] = Ticket(order=order, sent_ns=now_ns)
        self._makers.add(_maker(order.client_order_id))
        return ticket

    def is_ours(self, client_order_id: str) -> bool:
        """Return whether an order is one of this run's, over or not."""
        is_like_ours = client_order_id.startswith(self._prefix)
        return is_like_ours and _maker(client_order_id) in self._makers

    def get(self, client_order_id: str) -> Ticket | None:
        """Return an order's ticket; None if it is over, or was never ours."""
        return self._tickets.get(client_order_id)

    def is_of_old_change(self, answer: VenueAnswer) -> bool:
        """Return whether an answer is about a change that is not under way any more.

        What became of it was told; it must not be taken for the answer to another.
        """
        ticket = self._tickets.get(answer.client_order_id)
        if ticket is None or answer.kind is not CallKind.REPLACE:
            return False
        return ticket.wanted is None or ticket.change != answer.number

    def lacks_trades(self, shown: VenueOrder, client_order_id: str) -> bool:
        """Return whether the venue says that more has traded than was reported."""
        ticket = self._tickets.get(client_order_id)
        return ticket is not None and ticket.filled < shown.filled_quantity

    def note(self, report: ExecutionReport) -> None:
        """Take notice of what was reported of an order."""
        ticket = self._tickets.get(report.client_order_id)
        if ticket is None:
            return
        kind = report.kind
        if kind is _TRADE:
            ticket.trades[report.trade_id] = report.last_quantity
            ticket.is_shown = True
        elif kind is ReportKind.ACCEPTED:
            ticket.is_shown = True
        elif kind in _ANSWERED_CHANGE:
            if kind is ReportKind.REPLACED and ticket.wanted is not None:
                ticket.order = ticket.wanted
            ticket.wanted = None
        if kind in _OVER or ticket.filled >= ticket.most:
            del self._tickets[report.client_order_id]


def _maker(client_order_id: str) -> str:
    """Return an id without its numbers: the order's, a part's, that of the strategy's life."""
    return client_order_id.partition("/")[0].rpartition("-")[0].partition(".")[0]
