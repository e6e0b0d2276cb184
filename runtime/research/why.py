"""Why an order was sent and what became of it: the causal chain, read from the journal.

Each message names the message that caused it, so the chain is the order's own messages, the
positions they changed, and what led to the first of them, up to the market row or the timer. What a
venue outside of the process answers names no message: the number of the call joins the two.
"""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, Protocol

import attrs

from actors.messages.reconciliation import Difference, ResolveDifference
from actors.messages.venue import VenueAnswer, VenueCall
from runtime.observe.times import clock_time, iso_time
from runtime.research.wording import in_words

_MOST_ANCESTORS = 24
_MOST_COMPARED = 20_000
_ABOUT_ORDERS = "ORDER_"
"""How the kinds of differences begin that are about an order."""


class Entry(Protocol):
    """One row of a journal."""

    @property
    def sequence(self) -> int:
        """Return its number: unique, growing."""
        ...

    @property
    def time_ns(self) -> int:
        """Return when it was sent."""
        ...

    @property
    def sender(self) -> str:
        """Return who sent it."""
        ...

    @property
    def receiver(self) -> str:
        """Return who gets it."""
        ...

    @property
    def cause(self) -> int:
        """Return the sequence of what led to it, 0 for nothing."""
        ...

    @property
    def due_ns(self) -> int | None:
        """Return when it is to be delivered, None for at once."""
        ...

    @property
    def type(self) -> str:
        """Return the name of the message's type."""
        ...

    @property
    def message(self) -> Any:
        """Return the message."""
        ...


Read = Callable[[], Iterable[Entry]]
"""Reads a journal from its beginning; called several times, so that it need not fit into memory."""


@attrs.frozen(kw_only=True)
class Step:
    """One message of a chain; ``depth`` is how many causes it has in the chain."""

    depth: int
    entry: Entry
    sent_ns: int


@attrs.frozen(kw_only=True)
class Chain:
    """Why and how: the messages of one order, causes before what they led to.

    ``left_out`` counts earlier causes that are not shown.
    """

    order_id: str
    steps: tuple[Step, ...]
    left_out: int = 0

    def lines(self) -> list[str]:
        """Return the chain as text: time of day (UTC), message, sender, receiver, values."""
        day = iso_time(self.steps[0].entry.time_ns)[:10]
        head = [f"order {self.order_id} ({day}, UTC)"]
        if self.left_out:
            head.append(f"... {self.left_out} earlier causes are left out")
        return head + [_line(step) for step in self.steps]


@attrs.frozen(kw_only=True)
class UnknownOrder:
    """No message of the journal is about that order; ``nearest`` may have been meant."""

    order_id: str
    nearest: tuple[str, ...]


def order_of(message: Any) -> str | None:
    """Return the client id of the order that a message is about, or None."""
    if isinstance(message, Difference | ResolveDifference):
        kind, _, name = message.key.partition(":")
        return name if kind.startswith(_ABOUT_ORDERS) else None
    for carrier in (message, getattr(message, "order", None)):
        found = getattr(carrier, "client_order_id", None) or getattr(carrier, "signal_id", None)
        if isinstance(found, str):
            return found
    return None


def orders_of(message: Any) -> list[str]:
    """Return the client ids of the orders that a message is about: several for a batch."""
    ids = [order_of(each) for each in getattr(message, "signals", (message,))]
    return [each for each in ids if each is not None]


class _Causes:
    """What led to each message, by sequence: as it says, or by the number of a call."""

    def __init__(self) -> None:
        self._causes: dict[int, int] = {}
        self._calls: dict[int, int] = {}

    def take(self, entry: Entry) -> None:
        """Take the next entry."""
        cause, message = entry.cause, entry.message
        if isinstance(message, VenueCall):
            self._calls[message.number] = entry.sequence
        elif isinstance(message, VenueAnswer):
            asked = self._calls.pop(message.number, 0)
            cause = cause or asked
        self._causes[entry.sequence] = cause

    def of(self, sequence: int) -> int:
        """Return the sequence of a message's cause, 0 for none."""
        return self._causes.get(sequence, 0)


def why(read: Read, order_id: str) -> Chain | UnknownOrder:
    """Return the chain of an order.

    Args:
        read: Reads the journal.
        order_id: The client order id, or an ending that only one order's id has.
    """
    causes = _Causes()
    ids: dict[str, None] = {}
    for entry in read():
        causes.take(entry)
        ids.update(dict.fromkeys(orders_of(entry.message)))
    full_id = _full_id(order_id, ids)
    if full_id is None:
        return UnknownOrder(order_id=order_id, nearest=_nearest(order_id, list(ids)))
    return _chain(read, full_id, causes)


def _full_id(text: str, ids: Iterable[str]) -> str | None:
    endings = []
    for each in ids:
        if each == text:
            return each
        if each.endswith(f"-{text}"):
            endings.append(each)
    return endings[0] if len(endings) == 1 else None


def _nearest(text: str, ids: list[str]) -> tuple[str, ...]:
    endings = [each for each in ids if each.endswith(f"-{text}")]
    return tuple(endings[:3] or get_close_matches(text, ids[-_MOST_COMPARED:], n=3, cutoff=0.5))


def _chain(read: Read, order_id: str, causes: _Causes) -> Chain:
    own = [entry for entry in read() if order_id in orders_of(entry.message)]
    fills = {entry.sequence for entry in own if entry.type == "Fill"}
    known = {entry.sequence for entry in own}
    ancestors: list[int] = []
    for entry in own:
        cause = causes.of(entry.sequence)
        while cause and cause not in known:
            known.add(cause)
            ancestors.append(cause)
            cause = causes.of(cause)
    shown = frozenset(sorted(ancestors)[-_MOST_ANCESTORS:])
    more = [
        entry
        for entry in read()
        if entry.sequence in shown or (entry.type == "PositionChanged" and entry.cause in fills)
    ]
    entries = sorted([*own, *more], key=lambda entry: entry.sequence)
    return Chain(
        order_id=order_id,
        steps=tuple(_steps(entries, causes)),
        left_out=len(ancestors) - len(shown),
    )


def _steps(entries: list[Entry], causes: _Causes) -> list[Step]:
    """Return the steps in causal order; a message sent for later is shown once, as it arrives."""
    by_sequence = {entry.sequence: entry for entry in entries}
    delivered_later = {entry.cause for entry in entries if _is_arrival(entry, by_sequence)}
    children: dict[int, list[tuple[Entry, int]]] = {}
    for entry in entries:
        if entry.sequence in delivered_later:
            continue
        cause, sent_ns = causes.of(entry.sequence), entry.time_ns
        if cause in delivered_later:
            cause, sent_ns = causes.of(cause), by_sequence[cause].time_ns
        parent = cause if cause in by_sequence else 0
        children.setdefault(parent, []).append((entry, sent_ns))
    steps: list[Step] = []
    waiting = [(0, child) for child in reversed(children.get(0, []))]
    while waiting:
        depth, (entry, sent_ns) = waiting.pop()
        steps.append(Step(depth=depth, entry=entry, sent_ns=sent_ns))
        following = children.get(entry.sequence, [])
        waiting.extend((depth + 1, child) for child in reversed(following))
    return steps


def _is_arrival(entry: Entry, by_sequence: dict[int, Entry]) -> bool:
    """Return whether an entry is the delivery of one that was sent for later."""
    sent = by_sequence.get(entry.cause)
    return sent is not None and sent.due_ns is not None and sent.type == entry.type


def _line(step: Step) -> str:
    entry = step.entry
    text = f"{clock_time(entry.time_ns)}  {'  ' * step.depth}{entry.type}"
    if entry.receiver:
        text = f"{text} {entry.sender} -> {entry.receiver}"
    else:
        text = f"{text} {entry.sender}"
    words = in_words(entry.message)
    if words:
        text = f"{text}: {words}"
    if entry.due_ns is not None:
        text = f"{text} (due {clock_time(entry.due_ns)})"
    elif step.sent_ns != entry.time_ns:
        text = f"{text} (sent {clock_time(step.sent_ns)})"
    return text
