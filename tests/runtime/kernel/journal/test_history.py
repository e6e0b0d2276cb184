"""What an actor is told of its past."""

from typing import Any

from runtime.kernel.journal import Entry, history


def entry(
    sequence: int,
    sender: str = "other",
    receivers: str = "me",
    *,
    cause: int = 0,
    due_ns: int | None = None,
) -> Entry:
    return Entry(
        sequence=sequence,
        time_ns=0,
        sender=sender,
        receivers=tuple(receivers.split(",")),
        cause=cause,
        due_ns=due_ns,
        type="Ask",
        message=sequence,
    )


def past(*entries: Entry, handled: int = 99, not_handled: tuple[int, ...] = ()) -> list[Any]:
    told = history(entries, "me", handled, not_handled)
    return [each for each in told if each[0] != "at"]


def test_history_is_what_was_received_and_sent_in_order() -> None:
    entries = [
        entry(1),
        entry(2, "me", "other"),
        entry(3, "other", "another"),
        entry(4, "other", "another,me"),
    ]
    assert past(*entries) == [("received", 1), ("sent", 2), ("received", 4)]


def test_what_has_not_been_handled_was_not_received() -> None:
    entries = [entry(1), entry(2), entry(3, "me", "other"), entry(4)]
    assert past(*entries, handled=2) == [("received", 1), ("received", 2), ("sent", 3)]
    assert past(*entries, not_handled=(2,)) == [("received", 1), ("sent", 3), ("received", 4)]


def test_what_it_sent_to_itself_was_sent_and_received() -> None:
    assert past(entry(1, "me", "me")) == [("sent", 1), ("received", 1)]
    assert past(entry(1, "me", "me"), handled=0) == [("sent", 1)]
    assert past(entry(1, "me", "me"), not_handled=(1,)) == [("sent", 1)]


def test_what_it_sent_for_later_was_sent_once_and_early() -> None:
    scheduled = entry(1, "me", "other", due_ns=50)
    delivered = entry(7, "me", "other", cause=1)
    assert past(scheduled, entry(2), delivered) == [("sent", 1), ("received", 2)]


def test_what_was_sent_to_it_for_later_was_received_once_and_late() -> None:
    scheduled = entry(1, "other", "me", due_ns=50)
    delivered = entry(7, "other", "me", cause=1)
    assert past(scheduled) == []
    assert past(scheduled, entry(2), delivered) == [("received", 2), ("received", 7)]


def test_what_follows_from_a_delayed_message_counts() -> None:
    scheduled = entry(1, "other", "me", due_ns=50)
    delivered = entry(2, "other", "me", cause=1)
    assert past(scheduled, delivered, entry(3, "me", "other", cause=2)) == [
        ("received", 2),
        ("sent", 3),
    ]
