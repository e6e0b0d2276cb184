"""What trips the kill switch by itself: each condition at its limit, beyond it, and forgiven."""

import pickle
from decimal import Decimal
from typing import Any

import pytest

from actors.messages.market import ConnectionState
from actors.messages.reconciliation import Cure, Part, Reconciled
from actors.messages.records import Origin
from actors.messages.safety import Heartbeat
from actors.messages.slices import WHOLE_FEED, MarketData, Slice, SliceBuilder
from actors.messages.system import Halt, Resume, Resumed
from actors.model.order import OrderStatus
from actors.safety.config import ErrorLimit, KillSwitchConfig, RejectLimit
from actors.safety.kill_switch import WATCH, KillSwitch
from tests.actors.safety.switches import (
    SECOND,
    T0,
    difference,
    equity,
    failed,
    next_timer,
    of,
    only,
    switch,
    timer,
    update,
)
from tests.builders import instrument, instruments

DAY = 86_400 * SECOND


def cause(outputs: list[Any]) -> str:
    """Return the cause of the halt among outputs, empty if there is none."""
    halts: list[Halt] = of(Halt, outputs)
    return "; ".join(each.cause for each in halts)


def watched(core: KillSwitch, now_ns: int) -> str:
    """Let the watch go round; return the cause of a halt."""
    return cause(core.handle(timer(WATCH, now_ns), now_ns))


def lift(core: KillSwitch, now_ns: int) -> None:
    """Acknowledge everything."""
    for each in core.status().causes:
        core.handle(Resume(each.cause), now_ns)
    assert not core.is_halted


# --- losses ------------------------------------------------------------------------------------


def test_a_loss_beyond_the_limit_halts_and_names_limit_and_value() -> None:
    core = switch(KillSwitchConfig(daily_loss=Decimal(50)))
    core.handle(equity("1000", T0), T0)
    assert cause(core.handle(equity("950", T0 + 1), T0 + 1)) == ""
    assert cause(core.handle(equity("949.5", T0 + 2), T0 + 2)) == (
        "daily loss: limit 50, found 50.5"
    )
    assert cause(core.handle(equity("900", T0 + 3), T0 + 3)) == ""


def test_a_share_is_one_of_the_days_beginning() -> None:
    core = switch(KillSwitchConfig(daily_loss="5%"))
    core.handle(equity("1000", T0), T0)
    core.handle(equity("1100", T0 + 1), T0 + 1)
    assert cause(core.handle(equity("950", T0 + 2), T0 + 2)) == ""
    found = cause(core.handle(equity("940", T0 + 3), T0 + 3))
    assert found == "daily loss: limit 5 %, found 6.00 % (60)"


def test_a_day_begins_at_midnight_with_the_last_value_before() -> None:
    midnight = (T0 // DAY + 1) * DAY
    core = switch(KillSwitchConfig(daily_loss=Decimal(50)))
    core.handle(equity("1000", midnight - 2), midnight)
    core.handle(equity("960", midnight - 1), midnight)
    assert cause(core.handle(equity("911", midnight), midnight)) == ""
    assert "found 51" in cause(core.handle(equity("909", midnight + 1), midnight))


def test_after_the_halt_is_lifted_losses_count_anew() -> None:
    core = switch(KillSwitchConfig(daily_loss=Decimal(50)))
    core.handle(equity("1000", T0), T0)
    core.handle(equity("900", T0 + 1), T0)
    lift(core, T0)
    assert cause(core.handle(equity("851", T0 + 2), T0)) == ""
    assert "found 51" in cause(core.handle(equity("849", T0 + 3), T0))


def test_a_share_of_nothing_is_nothing() -> None:
    core = switch(KillSwitchConfig(daily_loss="10%"))
    core.handle(equity("0", T0), T0)
    assert cause(core.handle(equity("-1", T0), T0)) == "daily loss: limit 0, found 1"


# --- counts ------------------------------------------------------------------------------------


def test_so_many_failures_within_a_time_halt() -> None:
    core = switch(KillSwitchConfig(errors=ErrorLimit(count=3, within_ns=10 * SECOND)))
    for at in (0, 5, 16):
        assert cause(core.handle(failed(), T0 + at * SECOND)) == ""
    found = cause(core.handle(failed("two", text="bang"), T0 + 15 * SECOND))
    assert found == (
        "errors: limit fewer than 3 failures in 10 s, found 3, the last two: ValueError: bang"
    )
    assert cause(core.handle(failed(), T0 + 16 * SECOND)) == ""
    lift(core, T0 + 16 * SECOND)
    assert cause(core.handle(failed(), T0 + 16 * SECOND)) == ""


def test_so_many_refused_orders_halt_whoever_refuses_them() -> None:
    core = switch(KillSwitchConfig(rejects=RejectLimit(count=2, within_ns=10 * SECOND)))
    core.handle(update("a", OrderStatus.DENIED), T0)
    core.handle(update("a", OrderStatus.DENIED), T0 + 11 * SECOND)
    found = cause(core.handle(update("c", OrderStatus.REJECTED, "no"), T0 + 12 * SECOND))
    assert found == "rejects: limit fewer than 2, found 2 in 10 s, the last c: no"


def test_a_share_of_refused_orders_halts_when_there_are_enough_orders() -> None:
    limit = RejectLimit(rate=0.5, least=4, within_ns=60 * SECOND)
    core = switch(KillSwitchConfig(rejects=limit))
    for order_id in ("a", "b"):
        assert cause(core.handle(update(order_id, OrderStatus.REJECTED), T0)) == ""
    for status in (OrderStatus.SUBMITTING, OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED):
        core.handle(update("c", status), T0)
    core.handle(update("c", OrderStatus.FILLED), T0)
    core.handle(update("d", OrderStatus.FILLED), T0)
    found = cause(core.handle(update("e", OrderStatus.REJECTED), T0))
    assert found.startswith("rejects: limit 50%, found 3 of 5 orders in 60 s")
    lift(core, T0)
    assert cause(core.handle(update("f", OrderStatus.REJECTED), T0)) == ""


# --- doubts ------------------------------------------------------------------------------------


def test_an_open_difference_halts_once_and_is_excused_when_acknowledged() -> None:
    core = switch(KillSwitchConfig(reconciliation=True))
    assert cause(core.handle(difference("POSITION:YES", is_open=False), T0)) == ""
    assert cause(core.handle(difference("POSITION:YES"), T0)) == (
        "reconciliation: limit no difference, found POSITION:YES: 3, venue 5"
    )
    lift(core, T0)
    assert cause(core.handle(difference("POSITION:YES"), T0)) == ""
    assert "BALANCE" in cause(core.handle(difference("BALANCE:USD"), T0))
    core.handle(difference("POSITION:YES", is_open=False), T0)
    lift(core, T0)
    assert "POSITION" in cause(core.handle(difference("POSITION:YES"), T0))


def rounded(number: int, *keys: str) -> Reconciled:
    return Reconciled(part=Part.ORDERS, round=number, open=keys)


@pytest.mark.parametrize("cure", [Cure.ASK, Cure.CANCEL])
def test_a_difference_about_which_something_is_done_halts_if_the_next_round_finds_it_still(
    cure: Cure,
) -> None:
    core = switch(KillSwitchConfig(reconciliation=True))
    for key, number in (("a", 1), ("b", 3)):  # the second stays
        assert core.handle(difference(key, cure=cure), T0) == []
        assert core.handle(rounded(number, key, "else"), T0) == []
        assert core.handle(rounded(number, key), T0) == [], "the same round, amended"
        if key == "a":
            core.handle(difference(key, is_open=False, cure=cure), T0)
            assert core.handle(rounded(2), T0) == []
    assert cause(core.handle(rounded(4, "b"), T0)) == (
        "reconciliation: limit no difference, found b: 3, venue 5"
    )
    lift(core, T0)
    assert core.handle(rounded(5, "b"), T0) == []


def test_one_that_is_excused_or_found_to_have_no_cure_is_not_waited_for() -> None:
    core = switch(KillSwitchConfig(reconciliation=True))
    core.handle(difference("a", cure=Cure.ASK), T0)
    assert "found a" in cause(core.handle(difference("a"), T0))
    core.handle(difference("b", cure=Cure.ASK), T0)
    lift(core, T0)
    for number in (1, 2):
        assert core.handle(rounded(number, "a", "b"), T0) == []
    assert core.handle(difference("b", cure=Cure.ASK), T0) == []


def test_an_order_that_stays_unknown_halts() -> None:
    core = switch(KillSwitchConfig(unknown_orders_ns=10 * SECOND))
    core.start(T0)
    core.handle(update("a", OrderStatus.UNKNOWN), T0)
    core.handle(update("b", OrderStatus.UNKNOWN), T0 + SECOND)
    core.handle(update("c", OrderStatus.UNKNOWN), T0)
    core.handle(update("c", OrderStatus.WORKING), T0 + SECOND)
    assert watched(core, T0 + 10 * SECOND) == ""
    found = watched(core, T0 + 11 * SECOND)
    assert found == "unknown orders: limit 10 s, found a for 11 s"
    assert watched(core, T0 + 12 * SECOND) == ""
    lift(core, T0 + 12 * SECOND)
    assert watched(core, T0 + 22 * SECOND) == ""
    core.handle(Resumed(last_ns=T0), T0 + 23 * SECOND)
    assert watched(core, T0 + 33 * SECOND) == ""
    assert "for 11 s" in watched(core, T0 + 34 * SECOND)


def test_with_no_unknown_order_the_watch_finds_nothing_and_goes_on() -> None:
    core = switch(KillSwitchConfig(unknown_orders_ns=10 * SECOND))
    first = next_timer(WATCH, core.start(T0))
    assert first is not None
    assert first.at_ns == T0 + SECOND
    second = next_timer(WATCH, core.handle(first, first.at_ns))
    assert second is not None
    assert second.at_ns == T0 + 2 * SECOND
    assert core.handle(first, first.at_ns) == []


# --- hearts ------------------------------------------------------------------------------------


def beat(source: str = "control", within_ns: int = 0, *, is_last: bool = False) -> Heartbeat:
    """Return a heartbeat."""
    return Heartbeat(source=source, within_ns=within_ns, is_last=is_last)


def test_whoever_has_begun_to_send_heartbeats_must_go_on() -> None:
    core = switch(KillSwitchConfig(heartbeat_ns=30 * SECOND))
    core.start(T0)
    assert watched(core, T0 + 1000 * SECOND) == ""
    start_ns = T0 + 1000 * SECOND
    core.handle(beat(), start_ns)
    core.handle(beat(), start_ns + 20 * SECOND)
    assert watched(core, start_ns + 50 * SECOND) == ""
    found = watched(core, start_ns + 55 * SECOND)
    assert found == "heartbeat: limit 30 s of silence, found control overdue"
    lift(core, start_ns + 55 * SECOND)
    assert watched(core, start_ns + 500 * SECOND) == ""


def test_a_last_heartbeat_ends_the_watch_and_each_may_have_a_time_of_its_own() -> None:
    core = switch(KillSwitchConfig(heartbeat_ns=30 * SECOND))
    core.start(T0)
    core.handle(beat(), T0)
    core.handle(beat("feeder", 5 * SECOND), T0)
    core.handle(beat(is_last=True), T0 + SECOND)
    assert "found feeder overdue" in watched(core, T0 + 40 * SECOND)


def test_heartbeats_of_many_are_bounded() -> None:
    core = switch(KillSwitchConfig(heartbeat_ns=30 * SECOND))
    core.start(T0)
    for number in range(100):
        core.handle(beat(f"s{number:02}"), T0)
    assert watched(core, T0 + 40 * SECOND).count("s") > 60
    assert "s63" in core.status().causes[0].cause
    assert "s64" not in core.status().causes[0].cause


def test_a_process_that_does_not_answer_halts_if_that_is_asked_for() -> None:
    news = failed("slow", "Unresponsive", "no answer for 2 s")
    core = switch(KillSwitchConfig(lost_heartbeat=True))
    assert cause(core.handle(failed(), T0)) == ""
    assert cause(core.handle(news, T0)) == (
        "lost heartbeat: limit none, found slow: no answer for 2 s"
    )
    assert cause(switch().handle(news, T0)) == ""
    lift(core, T0)
    assert core.handle(news, T0)


# --- silence -----------------------------------------------------------------------------------

TABLE = instruments(instrument("AAA"), instrument("BBB"))


def quotes(*rows: tuple[int, int], source: int = 0) -> Slice:
    """Return quotes: seconds after the start, and of which instrument."""
    builder = SliceBuilder(TABLE)
    for at, index in rows:
        builder.quote(Origin(time_ns=T0 + at * SECOND), index, (40, 42, 1, 1))
    return builder.build().of_source(source)


def watcher(**limits: Any) -> KillSwitch:
    """Return a switch that watches two feeds."""
    core = switch(KillSwitchConfig(**limits), instruments=TABLE, feeds=("one", "two"))
    core.start(T0)
    return core


def test_a_feed_that_falls_silent_halts() -> None:
    core = watcher(stale_feed_ns=30 * SECOND)
    assert watched(core, T0 + 500 * SECOND) == ""
    core.handle(MarketData(quotes((500, 0))), T0 + 500 * SECOND)
    core.handle(MarketData(quotes((510, 1), source=1)), T0 + 510 * SECOND)
    assert watched(core, T0 + 530 * SECOND) == ""
    core.handle(MarketData(quotes((531, 0))), T0 + 531 * SECOND)
    assert watched(core, T0 + 541 * SECOND) == "stale feed: limit 30 s, found two silent for 31 s"
    lift(core, T0 + 541 * SECOND)
    assert watched(core, T0 + 561 * SECOND) == ""


def test_an_instrument_that_falls_silent_halts_unless_it_is_resolved() -> None:
    core = watcher(stale_instrument_ns=30 * SECOND)
    rows = quotes((0, 0), (5, 1), (6, 0), (40, 0))
    core.advance(rows, 2)
    core.advance(rows, 4)
    assert watched(core, T0 + 40 * SECOND) == (
        "stale instrument: limit 30 s, found BBB silent for 35 s"
    )
    lift(core, T0 + 40 * SECOND)
    builder = SliceBuilder(TABLE)
    builder.resolution(Origin(time_ns=T0 + 41 * SECOND), 1, 100)
    core.advance(builder.build(), 1)
    core.advance(quotes((70, 0)), 1)
    assert watched(core, T0 + 100 * SECOND) == ""
    assert "AAA" in watched(core, T0 + 105 * SECOND)


def connection(at: int, state: ConnectionState, instrument_index: int = WHOLE_FEED) -> Slice:
    """Return what a feed says of itself."""
    builder = SliceBuilder(TABLE)
    origin = Origin(time_ns=T0 + at * SECOND)
    if instrument_index == WHOLE_FEED:
        builder.connection(origin, state)
    else:
        builder.connection(origin, state, instrument_index)
    return builder.build().of_source(0)


@pytest.mark.parametrize("watches", [True, False])
def test_a_feed_that_says_that_it_is_down_is_silent_unless_told_otherwise(watches: bool) -> None:
    limits = {"stale_feed_ns": 30 * SECOND, "stale_instrument_ns": 30 * SECOND}
    core = watcher(**limits, stale_when_down=watches)
    core.advance(quotes((0, 0)), 1)
    core.advance(connection(1, ConnectionState.DOWN), 1)
    assert bool(watched(core, T0 + 60 * SECOND)) is watches
    if not watches:
        core.advance(quotes((100, 0)), 1)
        assert watched(core, T0 + 131 * SECOND)


def test_a_feed_that_is_back_in_the_same_slice_is_watched() -> None:
    core = watcher(stale_feed_ns=30 * SECOND, stale_when_down=False)
    parts = [connection(1, ConnectionState.DOWN), quotes((2, 0))]
    core.advance(Slice.joined(parts), 2)
    core.advance(connection(3, ConnectionState.DOWN, 0), 1)
    core.advance(connection(4, ConnectionState.UP), 1)
    assert watched(core, T0 + 60 * SECOND)


def test_a_restart_of_the_process_counts_from_then_on() -> None:
    core = watcher(stale_feed_ns=30 * SECOND)
    core.advance(quotes((0, 0)), 1)
    core.handle(Resumed(last_ns=T0), T0 + 100 * SECOND)
    assert watched(core, T0 + 120 * SECOND) == ""
    assert watched(core, T0 + 131 * SECOND)


def test_a_successor_inherits_what_was_seen_and_a_copy_needs_no_rows() -> None:
    core = watcher(stale_feed_ns=30 * SECOND)
    rows = quotes((0, 0), (1, 0))
    core.advance(rows, 1)
    seen = pickle.loads(pickle.dumps(core)).market
    for market in (core.market, seen):
        assert market is not None
        heir = watcher(stale_feed_ns=30 * SECOND)
        heir.inherit(market)
        assert watched(heir, T0 + 60 * SECOND)
    switch().inherit(seen)


def test_rows_that_were_taken_are_not_taken_twice() -> None:
    core = watcher(stale_feed_ns=30 * SECOND)
    rows = quotes((0, 0))
    core.advance(rows, 1)
    core.handle(Resumed(last_ns=T0), T0 + 100 * SECOND)
    core.advance(rows, 1)
    assert watched(core, T0 + 120 * SECOND) == ""


def test_a_row_of_a_feed_without_a_name_is_told_by_its_number() -> None:
    core = watcher(stale_feed_ns=30 * SECOND)
    core.advance(quotes((0, 0), source=7), 1)
    assert "found 7 silent" in watched(core, T0 + 60 * SECOND)


# --- the configuration -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: KillSwitchConfig(daily_loss="five"), "daily_loss: expected an amount"),
        (lambda: KillSwitchConfig(daily_loss="nan"), "daily_loss: expected an amount"),
        (lambda: KillSwitchConfig(daily_loss=Decimal(0)), "daily_loss: expected an amount"),
        (lambda: KillSwitchConfig(daily_loss="101%"), "found 101%"),
        (lambda: KillSwitchConfig(stale_feed_ns=0), "stale_feed: expected more than 0, found 0"),
        (lambda: KillSwitchConfig(repeat_ns=-1), "repeat: expected more than 0"),
        (lambda: ErrorLimit(count=0), "count: expected more than 0"),
        (lambda: RejectLimit(), "expected a count or a rate, found neither"),
        (lambda: RejectLimit(rate=1.5), "rate: expected more than 0 and up to 1, found 1.5"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(make: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        make()


def test_conditions_are_known_to_be_there() -> None:
    assert not KillSwitchConfig().has_conditions
    assert KillSwitchConfig(daily_loss="5 %").has_conditions
    assert KillSwitchConfig(lost_heartbeat=True).has_conditions
    assert KillSwitchConfig(reconciliation=True).has_conditions
    assert KillSwitchConfig(stale_instrument_ns=1).watches_market


def test_the_watch_goes_round_ten_times_within_the_shortest_limit() -> None:
    core = switch(KillSwitchConfig(heartbeat_ns=SECOND // 2, unknown_orders_ns=900 * SECOND))
    first = next_timer(WATCH, core.start(T0))
    assert first is not None
    assert first.at_ns == T0 + SECOND // 10
    assert only(type(first), [first]).name == WATCH
