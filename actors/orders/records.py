"""What the order manager knows of one order."""

from decimal import Decimal
from enum import StrEnum

import msgspec

from actors.messages.trading import ExecutionReport
from actors.model.money import ZERO
from actors.model.order import Order, OrderStatus

_SUBMITTING = OrderStatus.SUBMITTING


class Settlement(StrEnum):
    """Whether an order's trades can still be taken back; stands beside its status."""

    FINAL = "FINAL"
    """They never could."""
    PROVISIONAL = "PROVISIONAL"
    SETTLED = "SETTLED"
    FAILED = "FAILED"
    """At least one was taken back, and none is open."""


MOST_HISTORY = 64
_FIRST_KEPT = 8
"""Of a history that is too long, the beginning and the end are kept."""


class ScheduleWork(msgspec.Struct, eq=False, gc=False):
    """How far a scheduled order has been worked off.

    Attributes:
        targets: What is to be sent by the end of each slice, in units, growing to the whole.
        next_slice: The slice that comes next, from 0.
        next_ns: When that is due.
        made: How many child orders there have been: their ids count from 1.
        open: The ids of those that are not over.
        ending: Why nothing more is sent, None while more is.
    """

    targets: tuple[Decimal, ...] = ()
    next_slice: int = 0
    next_ns: int = 0
    made: int = 0
    open: list[str] = []
    ending: str | None = None


class Extras(msgspec.Struct, eq=False, gc=False):
    """What only some orders have: relatives, a schedule, provisional trades.

    Attributes:
        group: The key of its group; empty if it has no alternatives.
        parent: The id of the order that must fill first; empty if there is none.
        children: The ids of the orders whose parent it is.
        base: What was approved, before its relatives took from it.
        next_base: The same, once the change under way is done.
        wished: What its strategy wishes it to become, where its relatives leave less; None if not.
        stood: The quantities that it had before its relatives took from it or gave to it.
        is_held: Whether it waits here for its parent.
        refused: The quantity that the venue would not change it to on behalf of its relatives.
        is_given_up: Whether it was to be cancelled because its relatives leave it nothing to do.
        work: The schedule's progress; None if it has no schedule.
        provisional: Trades that are not settled yet, by trade id.
        resolved: Those that are: by trade id, whether they failed.
        early: Words on trades that have not been heard of themselves: whether they failed.
        failed_quantity: What was traded and taken back, in units.
    """

    group: str = ""
    parent: str = ""
    children: list[str] = []
    base: Decimal = ZERO
    next_base: Decimal = ZERO
    wished: Order | None = None
    stood: list[Decimal] = []
    is_held: bool = False
    refused: Decimal | None = None
    is_given_up: bool = False
    work: ScheduleWork | None = None
    provisional: dict[str, ExecutionReport] = {}
    resolved: dict[str, bool] = {}
    early: dict[str, bool] = {}
    failed_quantity: Decimal = ZERO

    @property
    def has_relatives(self) -> bool:
        """Return whether what happens to it concerns other orders, or the reverse."""
        return bool(self.group or self.parent or self.children)


class OrderRecord(msgspec.Struct, eq=False, gc=False):
    """One order's progress; only the order manager changes it.

    Attributes:
        order: What was asked, as it stands after the changes that the venue has made.
        status: Where it is.
        history: ``(status, time_ns, cause)`` of each change of status, oldest first; of very many
            the first and the latest.
        filled_quantity: What has traded and was not taken back, in units.
        filled_cost: Sum of price times quantity over these trades.
        commission: Sum of these trades' commissions.
        venue: The name of the venue that reports on it; empty before the first report.
        trade_ids: The trades that were applied: one that comes again is ignored.
        is_acknowledged: Whether the venue has shown that it has the order.
        is_cancel_early: Whether it is to be cancelled as soon as the venue shows that it works:
            a cancel has come too early, or its answer is lost.
        is_triggered: Whether its stop price was reached.
        replacement: What the venue was asked to change it into; None if nothing is asked.
        loosest_limit: The limit that allows most of those that a change has asked for or ended;
            None if the venue was never asked to change it, or it has no limit.
        is_replaced_for_relatives: Whether that was not its strategy's wish.
        is_answer_due: Whether a change was shown by a trade, and the venue's answer is yet to come.
        waiting: The change that is asked for as soon as the venue can take it.
        refused_changes: How many changes were refused while another was under way; their answers
            follow its own.
        late_change: The change that was under way when the order ended, which nobody has answered:
            trades that are yet to come may show that it took place.
        end_cause: Why it must not work on, so that a cancel which the venue refuses is tried again;
            None if it may.
        extras: What only some orders have.
    """

    order: Order
    status: OrderStatus
    history: list[tuple[OrderStatus, int, str]]
    filled_quantity: Decimal = ZERO
    filled_cost: Decimal = ZERO
    commission: Decimal = ZERO
    venue: str = ""
    trade_ids: set[str] | None = None
    is_acknowledged: bool = False
    is_cancel_early: bool = False
    is_triggered: bool = False
    replacement: Order | None = None
    loosest_limit: Decimal | None = None
    is_replaced_for_relatives: bool = False
    is_answer_due: bool = False
    waiting: Order | None = None
    refused_changes: int = 0
    late_change: Order | None = None
    end_cause: str | None = None
    extras: Extras | None = None

    @property
    def leaves_quantity(self) -> Decimal:
        """Return what may still trade: 0 when the order is over."""
        return ZERO if self.status.is_terminal else self.order.quantity - self.traded_quantity

    @property
    def traded_quantity(self) -> Decimal:
        """Return what has traded at the venue, with what was taken back later."""
        if self.extras is None:
            return self.filled_quantity
        return self.filled_quantity + self.extras.failed_quantity

    @property
    def average_price(self) -> Decimal | None:
        """Return the mean price of its trades, None before the first; may be rounded."""
        return self.filled_cost / self.filled_quantity if self.filled_quantity else None

    @property
    def shortfall(self) -> Decimal | None:
        """Return what its trades cost more than at the arrival price, in money: below 0 is a gain.

        That is ``sign * (average price - arrival price) * filled quantity``, without commissions
        and without what was not filled; None if the arrival price is not known.

        Source: Perold (1988), "The implementation shortfall: paper versus reality", the part of it
        that comes from executions.
        """
        arrival = self.order.arrival_price
        if arrival is None:
            return None
        return self.order.side.sign * (self.filled_cost - arrival * self.filled_quantity)

    @property
    def settlement(self) -> Settlement:
        """Return whether its trades can still be taken back."""
        extras = self.extras
        if extras is None or not (extras.provisional or extras.resolved):
            return Settlement.FINAL
        if extras.provisional:
            return Settlement.PROVISIONAL
        return Settlement.FAILED if any(extras.resolved.values()) else Settlement.SETTLED

    @property
    def submitted_ns(self) -> int:
        """Return when it was sent; when it was received, if it was not."""
        times = (at_ns for status, at_ns, _ in self.history if status is _SUBMITTING)
        return next(times, self.received_ns)

    @property
    def received_ns(self) -> int:
        """Return when the order manager got the order."""
        return self.history[0][1]

    def move(self, status: OrderStatus, now_ns: int, cause: str) -> None:
        """Change the status and write it into the history."""
        self.status = status
        self.history.append((status, now_ns, cause))
        if len(self.history) > MOST_HISTORY:
            del self.history[_FIRST_KEPT]

    def add_extras(self) -> Extras:
        """Return the extras, made if there were none."""
        if self.extras is None:
            self.extras = Extras(base=self.order.quantity)
        return self.extras
