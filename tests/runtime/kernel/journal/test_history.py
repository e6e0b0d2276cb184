"""What an actor is told of its past."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from actors.messages.system import Overtaken
from runtime.kernel.journal import Entry, Extent, Mark, history, tail_start
from tests.runtime.kernel.journal.stored import snapshot


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
    told = history(entries, "me", Extent(handled=handled, not_handled=not_handled))
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


# Since a snapshot


def test_the_time_is_told_where_it_is_another() -> None:
    times = (5, 5, 9, 9)
    entries = [
        msgspec.structs.replace(entry(number), time_ns=at) for number, at in enumerate(times, 1)
    ]
    told = list(history(entries, "me", Extent(handled=4, not_handled=(3,))))
    assert told == [("at", 5), ("received", 1), ("received", 2), ("at", 9), ("received", 4)]


def test_a_snapshot_spares_what_it_knows() -> None:
    since = snapshot("me", 4, (2,))
    entries = [entry(2), entry(3), entry(4, "me", "other"), entry(5), entry(6, "me", "other")]
    told = history(entries, "me", Extent(handled=5), since)
    assert [each for each in told if each[0] != "at"] == [
        ("received", 2),
        ("received", 5),
        ("sent", 6),
    ]


def test_a_mark_spares_what_was_handled() -> None:
    told = history([entry(1), entry(2), entry(3)], "me", Extent(handled=3), Mark("me", 2, (1,)))
    assert [each for each in told if each[0] != "at"] == [("received", 1), ("received", 3)]


def test_a_delivery_whose_sending_is_not_told_was_sent_all_the_same() -> None:
    delivered = msgspec.structs.replace(entry(7, "me", "me", cause=1), is_delivery=True)
    assert past(delivered) == [("received", 7)]


def test_the_tail_begins_before_the_first_that_was_pending() -> None:
    assert tail_start(snapshot("me", 9)) == 9
    assert tail_start(snapshot("me", 9, (8, 4))) == 3
    assert tail_start(Mark("me", 7)) == 7
    assert tail_start(Mark("me", 7, (5,))) == 4


@given(data=st.data())
def test_a_snapshot_and_the_tail_tell_what_the_whole_history_tells(data: Any) -> None:
    """Messages are handled in any order; a snapshot is taken at any time in between."""
    count = data.draw(st.integers(1, 12))
    names = st.sampled_from(["me", "other"])
    entries = [entry(number, data.draw(names), data.draw(names)) for number in range(1, count + 1)]
    taken_at = data.draw(st.integers(1, count))
    inbox = [each.sequence for each in entries if "me" in each.receivers]
    before = [each for each in inbox if each <= taken_at]
    handled_before = data.draw(st.sets(st.sampled_from(before)) if before else st.just(set()))
    rest = [each for each in inbox if each not in handled_before]
    handled = handled_before | data.draw(st.sets(st.sampled_from(rest)) if rest else st.just(set()))
    since = snapshot("me", taken_at, tuple(each for each in before if each not in handled_before))
    last = max(handled, default=0)
    not_handled = tuple(each for each in inbox if each < last and each not in handled)

    whole = set(past(*entries, handled=last, not_handled=not_handled))
    known = {("received", each) for each in handled_before}
    known |= {("sent", e.sequence) for e in entries if e.sender == "me" and e.sequence <= taken_at}
    after = [each for each in entries if each.sequence > tail_start(since)]
    extent = Extent(handled=last, not_handled=not_handled)
    tail = {each for each in history(after, "me", extent, since) if each[0] != "at"}
    assert tail == whole - known


def test_what_was_overtaken_is_told_where_it_was_handled() -> None:
    said = Overtaken(actor="me", message_sequence=1)
    entries = [
        entry(1),
        entry(2),
        msgspec.structs.replace(entry(3, "me", ""), message=said),
        entry(4),
    ]
    told = list(history(entries, "me", Extent(handled=4, overtaken={1})))
    assert told == [("at", 0), ("received", 2), ("received", 1), ("received", 4)]
    told = list(history(entries[2:], "me", Extent(handled=4, overtaken={1})))
    assert told == [("at", 0), ("received", 4)]
