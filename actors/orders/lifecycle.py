"""The life of an order, as data: what has happened leads from one status to the next.

The venue's word is the truth, and it may come late, twice or out of order: what only repeats or
trails older news leaves the status as it is. A fill is always taken: one that arrives after the
order was over changes how much is filled, and ends in ``FILLED`` when nothing is left. What
contradicts the past, or our own rules, is not in the table and raises.
"""

from collections.abc import Mapping
from enum import StrEnum

from actors.errors import OrderStateError
from actors.model.order import OrderStatus


class OrderEvent(StrEnum):
    """What has happened to an order."""

    VALIDATE = "VALIDATE"
    DENY = "DENY"
    SUBMIT = "SUBMIT"
    LOSE = "LOSE"
    """The answer to a request was lost: neither accepted nor refused."""
    ACCEPT = "ACCEPT"
    REJECT = "REJECT"
    PARTIAL_FILL = "PARTIAL_FILL"
    FILL = "FILL"
    REQUEST_CANCEL = "REQUEST_CANCEL"
    CANCEL = "CANCEL"
    CANCEL_REJECT = "CANCEL_REJECT"
    REQUEST_REPLACE = "REQUEST_REPLACE"
    REPLACE = "REPLACE"
    REPLACE_REJECT = "REPLACE_REJECT"
    TRIGGER = "TRIGGER"
    """The stop price was reached."""
    EXPIRE = "EXPIRE"


_S = OrderStatus
_E = OrderEvent

TRANSITIONS: Mapping[OrderStatus, Mapping[OrderEvent, OrderStatus]] = {
    _S.RECEIVED: {_E.VALIDATE: _S.VALIDATED, _E.DENY: _S.DENIED},
    # An order that is held back here (until its parent fills) may end without having been sent.
    _S.VALIDATED: {
        _E.SUBMIT: _S.SUBMITTING,
        _E.DENY: _S.DENIED,
        _E.REPLACE: _S.VALIDATED,
        _E.CANCEL: _S.CANCELLED,
        _E.EXPIRE: _S.EXPIRED,
    },
    _S.DENIED: {},
    _S.SUBMITTING: {
        _E.LOSE: _S.UNKNOWN,
        _E.ACCEPT: _S.WORKING,
        _E.REJECT: _S.REJECTED,
        _E.PARTIAL_FILL: _S.PARTIALLY_FILLED,
        _E.FILL: _S.FILLED,
        _E.REQUEST_CANCEL: _S.CANCELLING,
        _E.CANCEL: _S.CANCELLED,
        _E.EXPIRE: _S.EXPIRED,
        _E.TRIGGER: _S.WORKING,
    },
    # Only the venue's word ends the doubt: asking to cancel does not.
    _S.UNKNOWN: {
        _E.LOSE: _S.UNKNOWN,
        _E.ACCEPT: _S.WORKING,
        _E.REJECT: _S.REJECTED,
        _E.PARTIAL_FILL: _S.PARTIALLY_FILLED,
        _E.FILL: _S.FILLED,
        _E.REQUEST_CANCEL: _S.UNKNOWN,
        _E.CANCEL: _S.CANCELLED,
        _E.CANCEL_REJECT: _S.UNKNOWN,
        _E.EXPIRE: _S.EXPIRED,
        _E.REPLACE: _S.WORKING,
        _E.REPLACE_REJECT: _S.WORKING,  # to a change that was under way: the venue has the order
        _E.TRIGGER: _S.WORKING,
    },
    _S.WORKING: {
        _E.LOSE: _S.WORKING,
        _E.ACCEPT: _S.WORKING,
        _E.REJECT: _S.REJECTED,  # a venue may take its acceptance back
        _E.PARTIAL_FILL: _S.PARTIALLY_FILLED,
        _E.FILL: _S.FILLED,
        _E.REQUEST_CANCEL: _S.CANCELLING,
        _E.CANCEL: _S.CANCELLED,
        _E.CANCEL_REJECT: _S.WORKING,
        _E.REQUEST_REPLACE: _S.REPLACING,
        _E.REPLACE: _S.WORKING,
        _E.EXPIRE: _S.EXPIRED,
        _E.REPLACE_REJECT: _S.WORKING,
        _E.TRIGGER: _S.WORKING,
    },
    _S.PARTIALLY_FILLED: {
        _E.LOSE: _S.PARTIALLY_FILLED,
        _E.ACCEPT: _S.PARTIALLY_FILLED,
        _E.PARTIAL_FILL: _S.PARTIALLY_FILLED,
        _E.FILL: _S.FILLED,
        _E.REQUEST_CANCEL: _S.CANCELLING,
        _E.CANCEL: _S.CANCELLED,
        _E.CANCEL_REJECT: _S.PARTIALLY_FILLED,
        _E.REQUEST_REPLACE: _S.REPLACING,
        _E.REPLACE: _S.PARTIALLY_FILLED,
        _E.EXPIRE: _S.EXPIRED,
        _E.REPLACE_REJECT: _S.PARTIALLY_FILLED,
        _E.TRIGGER: _S.PARTIALLY_FILLED,
    },
    _S.CANCELLING: {
        _E.LOSE: _S.UNKNOWN,
        _E.ACCEPT: _S.CANCELLING,
        _E.REJECT: _S.REJECTED,
        _E.PARTIAL_FILL: _S.CANCELLING,
        _E.FILL: _S.FILLED,
        _E.REQUEST_CANCEL: _S.CANCELLING,
        _E.CANCEL: _S.CANCELLED,
        _E.CANCEL_REJECT: _S.WORKING,
        _E.REPLACE: _S.CANCELLING,
        _E.EXPIRE: _S.EXPIRED,
        _E.REPLACE_REJECT: _S.CANCELLING,
        _E.TRIGGER: _S.CANCELLING,
    },
    _S.REPLACING: {
        _E.LOSE: _S.UNKNOWN,
        _E.ACCEPT: _S.REPLACING,
        _E.PARTIAL_FILL: _S.REPLACING,
        _E.FILL: _S.FILLED,
        _E.REQUEST_CANCEL: _S.CANCELLING,
        _E.CANCEL: _S.CANCELLED,
        _E.CANCEL_REJECT: _S.REPLACING,  # of an earlier cancel
        _E.REPLACE: _S.WORKING,
        _E.EXPIRE: _S.EXPIRED,
        _E.REPLACE_REJECT: _S.WORKING,
        _E.TRIGGER: _S.REPLACING,
        _E.REJECT: _S.REJECTED,
    },
    _S.FILLED: {
        _E.LOSE: _S.FILLED,
        _E.ACCEPT: _S.FILLED,
        _E.REJECT: _S.FILLED,  # repeated after a late fill has proved it wrong
        _E.CANCEL: _S.FILLED,
        _E.CANCEL_REJECT: _S.FILLED,
        _E.EXPIRE: _S.FILLED,
        _E.REPLACE: _S.FILLED,
        _E.REPLACE_REJECT: _S.FILLED,
        _E.TRIGGER: _S.FILLED,
    },
    _S.CANCELLED: {
        _E.LOSE: _S.CANCELLED,
        _E.ACCEPT: _S.CANCELLED,
        _E.PARTIAL_FILL: _S.CANCELLED,
        _E.FILL: _S.FILLED,
        _E.CANCEL: _S.CANCELLED,
        _E.CANCEL_REJECT: _S.CANCELLED,
        _E.EXPIRE: _S.CANCELLED,
        _E.REPLACE: _S.CANCELLED,
        _E.REPLACE_REJECT: _S.CANCELLED,
        _E.TRIGGER: _S.CANCELLED,
    },
    _S.REJECTED: {
        _E.LOSE: _S.REJECTED,
        _E.REJECT: _S.REJECTED,
        _E.PARTIAL_FILL: _S.REJECTED,
        _E.FILL: _S.FILLED,
        _E.CANCEL_REJECT: _S.REJECTED,
        _E.REPLACE: _S.REJECTED,
        _E.REPLACE_REJECT: _S.REJECTED,
        _E.TRIGGER: _S.REJECTED,
    },
    _S.EXPIRED: {
        _E.LOSE: _S.EXPIRED,
        _E.ACCEPT: _S.EXPIRED,
        _E.PARTIAL_FILL: _S.EXPIRED,
        _E.FILL: _S.FILLED,
        _E.CANCEL: _S.EXPIRED,
        _E.CANCEL_REJECT: _S.EXPIRED,
        _E.EXPIRE: _S.EXPIRED,
        _E.REPLACE: _S.EXPIRED,
        _E.REPLACE_REJECT: _S.EXPIRED,
        _E.TRIGGER: _S.EXPIRED,
    },
}


def next_status(
    status: OrderStatus,
    event: OrderEvent,
    order_id: str = "",
    venue: str = "",
    *,
    has_fills: bool = False,
) -> OrderStatus:
    """Return the status after an event.

    Args:
        status: The status before.
        event: What has happened.
        order_id: For the error's text only.
        venue: For the error's text only.
        has_fills: Whether the order has traded: it then works as ``PARTIALLY_FILLED``.

    Raises:
        OrderStateError: If the table has no such transition.
    """
    after = TRANSITIONS[status].get(event)
    if after is None:
        raise OrderStateError(
            f"{event} cannot happen to order {order_id}: it is {status}",
            venue=venue,
            order_id=order_id,
        )
    return _S.PARTIALLY_FILLED if has_fills and after is _S.WORKING else after


def as_markdown() -> str:
    """Return the table in Markdown: a row for each event, a column for each status before it.

    A dash stands for what cannot happen, an empty cell for what leaves the status as it is.
    """
    head = ["event", *(status for status in OrderStatus)]
    rows = [head, ["---"] * len(head)]
    for event in OrderEvent:
        after = [_cell(status, TRANSITIONS[status].get(event)) for status in OrderStatus]
        rows.append([event, *after])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(before: OrderStatus, after: OrderStatus | None) -> str:
    if after is None:
        return "-"
    return "" if after is before else str(after)


ALIASES: Mapping[str, Mapping[str, OrderStatus]] = {
    "ag-exec": {
        "PENDING": _S.RECEIVED,
        "SUBMITTING": _S.SUBMITTING,
        "WORKING": _S.WORKING,
        "PARTIALLYFILLED": _S.PARTIALLY_FILLED,
        "FILLED": _S.FILLED,
        "CANCELLING": _S.CANCELLING,
        "CANCELLED": _S.CANCELLED,
        "REJECTED": _S.REJECTED,
        "EXPIRED": _S.EXPIRED,
    },
    "refactored": {
        "CREATED": _S.RECEIVED,
        "SUBMITTED": _S.WORKING,
        "FILLED": _S.FILLED,
        "CANCELLED": _S.CANCELLED,
        "REJECTED": _S.REJECTED,
    },
    # Here an order is PENDING once it was sent and until it trades.
    "yes-no": {
        "PENDING": _S.WORKING,
        "PARTIALLYFILLED": _S.PARTIALLY_FILLED,
        "FILLED": _S.FILLED,
        "CANCELLED": _S.CANCELLED,
        "REJECTED": _S.REJECTED,
    },
    "admf-trader": {
        "RECEIVED": _S.RECEIVED,
        "VALIDATED": _S.VALIDATED,
        "ROUTED": _S.WORKING,
        "PARTIAL": _S.PARTIALLY_FILLED,
        "FILLED": _S.FILLED,
        "CANCELLED": _S.CANCELLED,
        "REJECTED": _S.REJECTED,
        "EXPIRED": _S.EXPIRED,
    },
}
"""What other systems call our statuses, by system; words in capitals without underscores."""

_OWN = {status.replace("_", ""): status for status in OrderStatus}
_DEFAULT = {
    **ALIASES["admf-trader"],
    **ALIASES["refactored"],
    **ALIASES["ag-exec"],
    **_OWN,
    "CANCELED": _S.CANCELLED,
}


def status_named(word: str, vocabulary: str | None = None) -> OrderStatus:
    """Return the status that a word stands for; case, spaces and underscores do not matter.

    Args:
        word: Our own name of a status, or an alias.
        vocabulary: A key of :data:`ALIASES`, where ``word`` is to be read as that system's. Without
            it ``PENDING`` means not yet validated.

    Raises:
        ValueError: If the word is not known there.
    """
    key = word.upper().replace("_", "").replace(" ", "")
    if vocabulary is None:
        words: Mapping[str, OrderStatus] = _DEFAULT
    elif vocabulary in ALIASES:
        words = ALIASES[vocabulary]
    else:
        raise ValueError(f"expected a vocabulary of {', '.join(ALIASES)}, found {vocabulary!r}")
    if key not in words:
        raise ValueError(f"expected a status of {', '.join(words)}, found {word!r}")
    return words[key]
