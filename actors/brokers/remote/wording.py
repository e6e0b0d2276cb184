"""From a venue's words to reports on our orders."""

from collections.abc import Callable

from actors.brokers.remote.calls import InFlight
from actors.brokers.remote.tickets import Ticket
from actors.messages.trading import ExecutionReport, ReportKind
from actors.messages.venue import CallKind, VenueAnswer, VenueOrder, VenueTrade
from actors.model.order import Order, OrderStatus

REFUSALS = {
    CallKind.PLACE: ReportKind.REJECTED,
    CallKind.CANCEL: ReportKind.CANCEL_REJECTED,
    CallKind.REPLACE: ReportKind.REPLACE_REJECTED,
}
"""What a request that was refused, or has not left, is reported as."""

ENDS = {
    OrderStatus.CANCELLED: ReportKind.CANCELLED,
    OrderStatus.EXPIRED: ReportKind.EXPIRED,
    OrderStatus.REJECTED: ReportKind.REJECTED,
}
"""How an order's end is reported; one that is filled has its trades."""

Say = Callable[[ReportKind, str], ExecutionReport]


def report(
    client_order_id: str, kind: ReportKind, told: tuple[str, int], reason: str
) -> ExecutionReport:
    """Return a report that is no trade; ``told`` is the venue's name and time."""
    venue, time_ns = told
    return ExecutionReport(
        client_order_id=client_order_id,
        kind=kind,
        venue=venue,
        venue_time_ns=time_ns,
        reason=reason,
    )


def report_of_trade(trade: VenueTrade, client_order_id: str) -> ExecutionReport:
    """Return the report of a trade."""
    return ExecutionReport(
        client_order_id=client_order_id,
        kind=ReportKind.TRADE,
        venue=trade.venue,
        venue_time_ns=trade.venue_time_ns,
        trade_id=trade.trade_id,
        last_quantity=trade.quantity,
        last_price=trade.price,
        commission=trade.commission,
        liquidity=trade.liquidity,
        provisional=trade.provisional,
    )


def lost(flight: InFlight, venue: str, now_ns: int, reason: str) -> ExecutionReport:
    """Return the report of a request of which nobody knows what has become."""
    call = flight.call
    return report(call.client_order_id, ReportKind.LOST, (venue, now_ns), f"{call.kind}: {reason}")


def is_changed(shown: VenueOrder, wanted: Order) -> bool:
    """Return whether an order stands as a change wanted it."""
    same_limit = shown.limit_price is None or shown.limit_price == wanted.limit_price
    return shown.quantity == wanted.quantity and same_limit


def as_it_stands(
    shown: VenueOrder, reason: str, ticket: Ticket | None, say: Say, *, is_settled: bool
) -> list[ExecutionReport]:
    """Return what tells how an order stands, when all its trades are told.

    Args:
        shown: The order as the venue shows it.
        reason: Its words.
        ticket: What we know of it; None if it is over for us.
        say: Makes a report.
        is_settled: Whether a change that does not show has not been made; of an order that has
            traded whole this is certain.
    """
    wanted = None if ticket is None else ticket.wanted
    answers: list[ExecutionReport] = []
    if wanted is not None and is_changed(shown, wanted):
        answers.append(say(ReportKind.REPLACED, reason))
    elif wanted is not None and (is_settled or shown.status is OrderStatus.FILLED):
        answers.append(say(ReportKind.REPLACE_REJECTED, "the venue shows it unchanged"))
    end = ENDS.get(shown.status)
    if end is not None:
        return [*answers, say(end, reason)]
    if shown.status is OrderStatus.FILLED or answers:
        return answers
    if wanted is not None:
        return [say(ReportKind.NOT_FOUND, "its change is not to be seen yet")]
    return [say(ReportKind.ACCEPTED, reason)]


def answer_to_write(answer: VenueAnswer, shown: VenueOrder, say: Say) -> list[ExecutionReport]:
    """Return what a request has led to at the venue, when all trades of its order are told."""
    end = ENDS.get(shown.status)
    if answer.kind is CallKind.PLACE:
        kind = end or ReportKind.ACCEPTED
        return [] if shown.status is OrderStatus.FILLED else [say(kind, answer.reason)]
    if end is not None:
        return [say(end, answer.reason)]
    if answer.kind is CallKind.REPLACE:
        return [say(ReportKind.REPLACED, answer.reason)]
    if shown.status is OrderStatus.FILLED:
        return [say(ReportKind.CANCEL_REJECTED, "it has traded whole")]
    return [say(ReportKind.LOST, "CANCEL: the venue has taken it, and the order works on")]
