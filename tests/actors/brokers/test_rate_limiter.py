"""The token bucket against a plain model of one, its presets, and brokers behind it."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import repeat
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.actor import Later, Reactor
from actors.brokers.models.latency import ConstantLatency
from actors.brokers.paced import Paced, hits_told
from actors.brokers.passthrough import PassthroughBroker
from actors.brokers.rate_limiter import Lane, RateLimiter, RateLimiterConfig
from actors.brokers.rate_limits import PACKAGED, PRESETS
from actors.brokers.simulated import SimulatedBroker, SimulatedBrokerConfig
from actors.brokers.venue import Venue
from actors.errors import RateLimitExceeded
from actors.messages.system import CancelAllAtVenue, TimerFired
from actors.messages.trading import (
    CancelPlacedOrder,
    ExecutionReport,
    PlaceOrder,
    ReplacePlacedOrder,
    ReportKind,
)
from tests.actors.brokers.runs import VenueRun
from tests.builders import BTC, SECOND, START_NS, context, instruments, order, quote_rows

TENTH = SECOND // 10


def bucket(rate: Any = 10, burst: int = 20, reserve: int = 0) -> RateLimiter:
    """Return a full bucket."""
    return RateLimiterConfig(rate, burst, reserve).build("venue")


# --- the bucket ----------------------------------------------------------------------------------


def test_a_burst_may_leave_at_once_and_then_one_request_for_each_token_that_comes() -> None:
    limiter = bucket()
    assert limiter.tokens(START_NS) == 20
    assert [limiter.try_check(START_NS) for _ in range(21)] == [True] * 20 + [False]
    assert limiter.tokens(START_NS) == 0
    assert limiter.wait_ns(START_NS) == TENTH
    assert not limiter.try_check(START_NS + TENTH - 1)
    assert limiter.try_check(START_NS + TENTH)
    assert not limiter.try_check(START_NS + TENTH)
    assert limiter.tokens(START_NS + SECOND) == 9
    assert limiter.tokens(START_NS + 60 * SECOND) == 20


def test_who_checks_gets_a_time_and_each_a_later_one() -> None:
    limiter = bucket(rate=2, burst=1)
    assert [limiter.check(0) for _ in range(3)] == [0, SECOND // 2, SECOND]
    assert limiter.check(10 * SECOND) == 0


def test_who_requires_a_token_that_is_not_there_is_told_by_an_error() -> None:
    limiter = bucket(burst=1)
    limiter.require(0)
    with pytest.raises(RateLimitExceeded, match=f"venue takes no more for {TENTH} ns") as caught:
        limiter.require(0)
    assert caught.value.venue == "venue"
    limiter.require(TENTH)


def test_new_orders_leave_a_reserve_to_cancels_and_half_of_it_to_replacements() -> None:
    limiter = bucket(burst=10, reserve=4)
    count = {}
    for lane in (Lane.NEW, Lane.REPLACE, Lane.CANCEL):
        count[lane] = 0
        while limiter.try_check(0, lane=lane):
            count[lane] += 1
    assert count == {Lane.NEW: 6, Lane.REPLACE: 2, Lane.CANCEL: 2}
    assert limiter.wait_ns(0, lane=Lane.CANCEL) == TENTH
    assert limiter.wait_ns(0, lane=Lane.REPLACE) == 3 * TENTH
    assert limiter.wait_ns(0, lane=Lane.NEW) == 5 * TENTH
    assert limiter.wait_ns(0) == TENTH


def test_a_request_may_weigh_more_but_never_more_than_the_bucket_holds() -> None:
    limiter = bucket(burst=5, reserve=2)
    assert limiter.try_check(0, weight=4)
    assert not limiter.try_check(0, weight=2)
    for weight, lane in ((6, None), (0, None), (4, Lane.NEW)):
        with pytest.raises(ValueError, match=r"weight: expected 1 to \d, the burst, found"):
            limiter.wait_ns(0, weight, lane)


def test_a_rate_that_is_no_whole_number_of_nanoseconds_is_never_exceeded() -> None:
    limiter = bucket(rate=3, burst=1)
    times, now_ns = [], 0
    while now_ns <= SECOND:
        times.append(now_ns)
        assert limiter.try_check(now_ns)
        now_ns += limiter.wait_ns(now_ns)
    assert times == [0, 333_333_334, 666_666_668]


@given(
    st.integers(1, 50),
    st.integers(1, 10),
    st.lists(st.tuples(st.integers(0, SECOND), st.integers(1, 3)), max_size=40),
)
def test_it_decides_as_a_bucket_does_that_counts_its_tokens(
    rate: int, burst: int, asked: Sequence[tuple[int, int]]
) -> None:
    limiter = bucket(rate, burst)
    interval_ns = -(-SECOND // rate)
    tokens, last_ns = Fraction(burst), 0
    now_ns = 0
    for step_ns, weight in asked:
        now_ns += step_ns
        weight = min(weight, burst)
        tokens = min(Fraction(burst), tokens + Fraction(now_ns - last_ns, interval_ns))
        last_ns = now_ns
        assert limiter.tokens(now_ns) == tokens // 1
        is_enough = tokens >= weight
        assert limiter.try_check(now_ns, weight) is is_enough
        tokens -= weight if is_enough else 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0,), "requests_per_second: expected above 0 and at most 1e9, found 0"),
        (("ten",), "requests_per_second: expected above 0 .* found ten"),
        ((float("nan"),), "requests_per_second: expected above 0 .* found NaN"),
        ((True,), "requests_per_second: expected above 0 .* found True"),
        ((10, 0), "burst_size: expected a whole number of 1 or more, found 0"),
        ((10, 2.5), "burst_size: expected a whole number of 1 or more, found 2.5"),
        ((10, 5, 5), "cancel_reserve: expected 0 or more and below the burst_size of 5, found 5"),
        ((10, 5, -1), "cancel_reserve: expected 0 or more .* found -1"),
    ],
)
def test_a_limit_that_is_none_is_refused_by_name(arguments: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        RateLimiterConfig(*arguments)


def test_the_old_default_of_polymarket_is_kept() -> None:
    assert RateLimiterConfig.polymarket_default() == RateLimiterConfig(10, 20)
    assert RateLimiterConfig() == RateLimiterConfig(requests_per_second=10.0, burst_size=20)
    assert RateLimiterConfig.polymarket_default().build("polymarket").venue == "polymarket"


@pytest.mark.parametrize("name", PRESETS)
def test_presets_say_where_they_come_from_and_are_not_old(name: str) -> None:
    preset = PRESETS[name]
    assert timedelta() <= PACKAGED - preset.as_of <= timedelta(days=365)
    assert preset.source.startswith("https://")
    assert preset.quota


@pytest.mark.parametrize(
    ("name", "most", "seconds"),
    [
        ("polymarket", 9000, 10),
        ("polymarket_orders", 3500, 10),
        ("polymarket_cancels", 3000, 10),
    ],
)
def test_a_preset_never_lets_more_through_than_its_quota(
    name: str, most: int, seconds: int
) -> None:
    config = PRESETS[name].config
    assert config.burst_size + config.requests_per_second * seconds <= most


# --- a broker behind it --------------------------------------------------------------------------


def place(number: int, limit: str = "90") -> PlaceOrder:
    return PlaceOrder(order=order(id=f"o-{number}", limit=limit))


def cancel(number: int) -> CancelPlacedOrder:
    return CancelPlacedOrder(client_order_id=f"o-{number}", instrument=BTC)


def replace(number: int, limit: str) -> ReplacePlacedOrder:
    return ReplacePlacedOrder(order=order(id=f"o-{number}", limit=limit))


def paced(
    rate: int = 10, burst: int = 2, reserve: int = 0, latency: ConstantLatency | None = None
) -> Paced:
    """Return a simulated venue behind a limit."""
    config = SimulatedBrokerConfig(latency=latency or ConstantLatency())
    venue = SimulatedBroker(context("broker"), instruments(), config)
    return Paced(venue, bucket(rate, burst, reserve), "broker")


ROWS = quote_rows([(9_900, 10_100)] * 4, start_ns=START_NS - SECOND)
NO_LATENCY = ConstantLatency()
SLOW = ConstantLatency(submit_ns=TENTH // 4, cancel_ns=TENTH // 2, report_ns=7)


def told(
    script: Sequence[tuple[int, Any]],
    *,
    crashes: Any = None,
    latency: ConstantLatency = NO_LATENCY,
    reserve: int = 0,
) -> list[tuple[int, str, ReportKind]]:
    """Return what a venue behind a limit of 10 a second, 2 at once, says: when, of what, what."""

    def build() -> Venue:
        return cast(Venue, paced(reserve=reserve, latency=latency))

    run = VenueRun(build, script, crashes)
    run.pass_rows(ROWS, repeat(100))
    return [(at_ns - START_NS, said.client_order_id, said.kind) for at_ns, said in run.finish()]


def test_requests_beyond_the_burst_wait_in_their_order() -> None:
    script = [(START_NS, place(number)) for number in range(1, 6)]
    assert told(script) == [
        (0, "o-1", ReportKind.ACCEPTED),
        (0, "o-2", ReportKind.ACCEPTED),
        (TENTH, "o-3", ReportKind.ACCEPTED),
        (2 * TENTH, "o-4", ReportKind.ACCEPTED),
        (3 * TENTH, "o-5", ReportKind.ACCEPTED),
    ]


def test_cancels_overtake_replacements_and_these_overtake_new_orders() -> None:
    script = [
        *((START_NS, place(number)) for number in (1, 2, 3, 4)),
        (START_NS, replace(2, "91")),
        (START_NS, cancel(1)),
        (START_NS, replace(2, "92")),
    ]
    assert told(script) == [
        (0, "o-1", ReportKind.ACCEPTED),
        (0, "o-2", ReportKind.ACCEPTED),
        (TENTH, "o-1", ReportKind.CANCELLED),
        (2 * TENTH, "o-2", ReportKind.REPLACED),
        (3 * TENTH, "o-2", ReportKind.REPLACED),
        (4 * TENTH, "o-3", ReportKind.ACCEPTED),
        (5 * TENTH, "o-4", ReportKind.ACCEPTED),
    ]


def test_a_cancel_finds_the_reserve_that_new_orders_left() -> None:
    script = [(START_NS, place(1)), (START_NS, place(2)), (START_NS, cancel(1))]
    assert told(script, reserve=1) == [
        (0, "o-1", ReportKind.ACCEPTED),
        (0, "o-1", ReportKind.CANCELLED),
        (2 * TENTH, "o-2", ReportKind.ACCEPTED),
    ]


def test_an_order_that_waits_is_cancelled_before_it_is_sent() -> None:
    script = [*((START_NS, place(number)) for number in (1, 2, 3, 4)), (START_NS, cancel(3))]
    assert told(script) == [
        (0, "o-1", ReportKind.ACCEPTED),
        (0, "o-2", ReportKind.ACCEPTED),
        (0, "o-3", ReportKind.CANCELLED),
        (TENTH, "o-4", ReportKind.ACCEPTED),
    ]


def test_a_cancel_that_waits_is_not_sent_twice() -> None:
    script = [(START_NS, place(1)), (START_NS, place(2)), *[(START_NS, cancel(1))] * 3]
    assert told(script) == [
        (0, "o-1", ReportKind.ACCEPTED),
        (0, "o-2", ReportKind.ACCEPTED),
        (TENTH, "o-1", ReportKind.CANCELLED),
    ]


def test_it_counts_what_had_to_wait() -> None:
    broker = paced()
    for number in (1, 2, 3, 4):
        broker.handle(place(number), START_NS)
    assert (broker.hits, broker.waiting) == (2, 2)
    [mark, report] = broker.handle(wake(START_NS + TENTH), START_NS + TENTH)
    assert isinstance(mark, Later)
    assert mark.at_ns == START_NS + 2 * TENTH
    assert hits_told(mark.message) == 2
    assert hits_told(TimerFired("broker", "expire o-1", 5)) is None
    assert isinstance(report, ExecutionReport)
    assert (broker.hits, broker.waiting) == (2, 1)


def wake(at_ns: int) -> TimerFired:
    return TimerFired("broker", "paced 0 0 0 0 0", at_ns)


def test_a_timer_that_comes_too_early_or_for_nothing_says_nothing() -> None:
    broker = paced(burst=1)
    assert broker.handle(wake(START_NS), START_NS) == []
    broker.handle(place(1), START_NS)
    broker.handle(place(2), START_NS)
    assert broker.handle(wake(START_NS), START_NS + 1) == []
    assert broker.waiting == 1


def test_a_timer_that_finds_the_time_run_back_sets_itself_again() -> None:
    broker = paced(burst=1)
    broker.handle(place(1), START_NS + 5 * TENTH)  # as if another clock had been in use
    broker.handle(place(2), START_NS)
    broker._wake_ns = START_NS
    [mark] = broker.handle(wake(START_NS), START_NS)
    assert mark.at_ns == START_NS + 6 * TENTH


SCRIPT = [
    *((START_NS, place(number)) for number in range(1, 6)),
    (START_NS + TENTH // 2, cancel(4)),
    (START_NS + TENTH, replace(2, "91")),
    (START_NS + TENTH, cancel(1)),
    (START_NS + 2 * TENTH, place(6, "101.5")),
    (START_NS + 2 * TENTH, replace(2, "92")),
    (START_NS + SECOND, CancelAllAtVenue(cause="enough")),
    (START_NS + SECOND, place(7)),
]


@pytest.mark.parametrize("latency", [NO_LATENCY, SLOW], ids=["at once", "slow"])
@settings(max_examples=25)
@given(fails=st.lists(st.booleans(), min_size=60, max_size=60))
def test_crashes_change_nothing(latency: ConstantLatency, fails: list[bool]) -> None:
    calm = told(SCRIPT, latency=latency)
    assert len(calm) > 10
    assert told(SCRIPT, latency=latency, crashes=iter([*fails, *repeat(False, 999)])) == calm


def test_a_fresh_broker_knows_what_waits_and_what_is_left_in_the_bucket() -> None:
    first = paced()
    history: list[tuple[str, Any]] = []
    for number in (1, 2, 3, 4):
        history.append(("received", place(number)))  # as in a journal: without times and laters
        outputs = first.handle(place(number), START_NS)
        told = [each.message if isinstance(each, Later) else each for each in outputs]
        history += [("sent", each) for each in told]
    second = paced()
    second.recover(history)
    assert (second.hits, second.waiting) == (first.hits, first.waiting) == (2, 2)
    assert [held.order for held in second.open_orders()] == [place(1).order, place(2).order]
    late = START_NS + TENTH
    assert second.handle(wake(late), late) == first.handle(wake(late), late)


def test_the_rest_is_the_brokers_own() -> None:
    venue = PassthroughBroker(context("broker"), instruments())
    broker = Paced(venue, bucket(), "broker")
    assert isinstance(broker, Reactor)
    assert broker.market is venue.market
    assert broker.start(0) == []
    assert broker.stop(0) == []
    broker.advance(ROWS, 1)
    assert broker.look(ROWS, 0, 3) == 3
    assert broker.react(ROWS, 0, START_NS) == []
    assert broker.handle(TimerFired("broker", "expire o-1", 5), 5) == []
    other = Paced(PassthroughBroker(context("broker"), instruments()), bucket(), "broker")
    other.inherit(broker.market)
    assert other.market is broker.market


def test_the_bucket_is_exact_in_decimals() -> None:
    assert RateLimiterConfig(Decimal("0.1"), 1).interval_ns == 10 * SECOND
    assert RateLimiterConfig(0.1, 1).interval_ns == 10 * SECOND
