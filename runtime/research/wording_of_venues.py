"""What is asked of a venue, what it says, and where it does not agree with us, in words."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from actors.messages.reconciliation import (
    Difference,
    Reconcile,
    Reconciled,
    ResolveDifference,
    VenueHoldings,
    VenueOrders,
)
from actors.messages.venue import (
    CallKind,
    Outcome,
    QueryOrder,
    VenueAnswer,
    VenueCall,
    VenueNews,
    VenueOrder,
    VenueTrade,
)
from actors.model.money import plain
from runtime.observe.times import clock_time
from runtime.research.wording_of_trading import order_in_words, with_reason

_SHOWN = 5
_ABOUT_ONE = frozenset({CallKind.PLACE, CallKind.REPLACE, CallKind.CANCEL, CallKind.ORDER})


def _call(call: VenueCall) -> str:
    words = f"call {call.number}: {call.kind}"
    if call.order is not None:
        words = f"{words} {order_in_words(call.order)}"
    elif call.client_order_id:
        words = f"{words} {call.client_order_id}"
    return with_reason(f"{words}, until {clock_time(call.deadline_ns)}", call.cause)


def _answer(answer: VenueAnswer) -> str:
    words = f"to call {answer.number}: {answer.kind} {answer.outcome}"
    if answer.outcome is Outcome.ANSWERED:
        found = [*_found(answer), *map(_trade, answer.trades[:_SHOWN])]
        words = f"{words}: {'; '.join(found)}" if found else words
    return with_reason(words, answer.reason)


def _found(answer: VenueAnswer) -> list[str]:
    if answer.order is not None:
        return [_order(answer.order)]
    if answer.kind in _ABOUT_ONE:
        return ["the venue does not know the order"]
    if answer.kind is CallKind.ACCOUNT:
        return [_amounts(answer.positions), _amounts(answer.balances)]
    found = [_count(len(answer.orders), "order") + " open"]
    if answer.kind is CallKind.TRADES:
        found = [_count(len(answer.trades), "trade")]
    return found + (["not all that there are"] if answer.is_truncated else [])


def _order(order: VenueOrder) -> str:
    filled = f"{plain(order.filled_quantity)} of {plain(order.quantity)} filled"
    return f"{order.status}, {filled}"


def _trade(trade: VenueTrade) -> str:
    size = f"{trade.side} {plain(trade.quantity)} {trade.instrument}"
    return f"trade {trade.trade_id} {size} at {plain(trade.price)}"


def _news(news: VenueNews) -> str:
    told = [f"{each.kind} {each.client_order_id}" for each in news.reports]
    return "; ".join(_some([*told, *map(_trade, news.trades)])) or "nothing"


def _query(query: QueryOrder) -> str:
    return f"how does {query.client_order_id} stand, sent at {clock_time(query.sent_ns)}"


def _reconcile(reconcile: Reconcile) -> str:
    return with_reason("compare with the venue", reconcile.cause)


def _venue_orders(found: VenueOrders) -> str:
    words = f"round {found.round}: {_count(len(found.orders), 'order')} open at {found.venue}"
    words = f"{words}, {_count(len(found.trades), 'trade')} since the last round"
    return f"{words}, not all that there are" if found.is_truncated else words


def _holdings(found: VenueHoldings) -> str:
    held, money = _amounts(found.positions), _amounts(found.balances)
    return f"round {found.round}: {held}; {money} at {found.venue}"


def _reconciled(done: Reconciled) -> str:
    left = f"not explained: {', '.join(_some(done.open))}" if done.open else "all agrees"
    return f"{done.part} of round {done.round}: {left}"


def _difference(difference: Difference) -> str:
    state = "open" if difference.is_open else "over"
    views = f"ours {difference.ours or 'nothing'}, the venue's {difference.theirs or 'nothing'}"
    return f"{difference.key}: {views}; cure {difference.cure}, {state}"


def _resolve(resolve: ResolveDifference) -> str:
    return with_reason(f"{resolve.cure} {resolve.key}", resolve.cause)


def _amounts(amounts: Mapping[str, Decimal]) -> str:
    return ", ".join(_some([f"{plain(amounts[each])} {each}" for each in amounts])) or "nothing"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _some(words: Sequence[str]) -> list[str]:
    more = len(words) - _SHOWN
    return [*words[:_SHOWN], f"and {more} more"] if more > 0 else list(words)


VENUES: Mapping[type, Callable[[Any], str]] = {
    VenueCall: _call,
    VenueAnswer: _answer,
    VenueNews: _news,
    QueryOrder: _query,
    Reconcile: _reconcile,
    VenueOrders: _venue_orders,
    VenueHoldings: _holdings,
    Reconciled: _reconciled,
    Difference: _difference,
    ResolveDifference: _resolve,
}
