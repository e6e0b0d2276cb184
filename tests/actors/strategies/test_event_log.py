import json
from decimal import Decimal
from typing import Any

import pytest

from actors.messages.alerts import Logged
from actors.messages.market import (
    Bar,
    Connection,
    ConnectionState,
    EventKind,
    Resolution,
    Trade,
)
from actors.messages.records import Origin
from actors.messages.slices import MarketData, SliceBuilder
from actors.messages.trading import Fill, Signal
from actors.model.money import plain
from actors.model.order import Liquidity, OrderStatus, Side
from actors.strategies.event_log import Event, EventLog, describe
from tests.actors.strategies.builders import code, position, quote, refusal, started, update
from tests.builders import instrument, instruments

A = instrument("A")
WISH = Signal(signal_id="run-s-1", strategy="s", instrument="A", side=Side.BUY, quantity=Decimal(2))


def event_log(**parameters: Any) -> EventLog:
    """Return a started log."""
    given = EventLog.Parameters(**parameters)
    return started(EventLog, instruments(A), parameters=given)


def test_every_nth_event_is_logged() -> None:
    core = event_log(every=3)
    for time_ns in range(1, 8):
        core.on_quote(quote(A, 99, 101, time_ns=time_ns))
    text = "quote A: 0.99 / 1.01"
    assert core.take_outbox(0) == [
        Logged(strategy="s", text=text, time_ns=3),
        Logged(strategy="s", text=text, time_ns=6),
    ]
    assert core.counts == {"quote": 7}


def test_only_the_last_lines_are_kept() -> None:
    core = event_log(every=1, keep=2)
    for ask in (101, 102, 103):
        core.on_quote(quote(A, 99, ask))
    assert list(core.lines) == ["quote A: 0.99 / 1.02", "quote A: 0.99 / 1.03"]


def test_everything_is_counted_and_the_counts_are_logged_at_the_end() -> None:
    core = event_log(every=1000)
    builder = SliceBuilder(core.instruments)
    builder.quote(Origin(1), 0, (99, 101, 1, 1)).trade(Origin(2), 0, (100, 5, 1))
    builder.bar(Origin(3), 0, (1, 2, 3, 4, 5))
    builder.book(Origin(4), 0, [(1, 99, 1)], is_snapshot=True)
    builder.connection(Origin(5), ConnectionState.UP).resolution(Origin(6), 0, 100)
    core.handle(MarketData(builder.build()), 6)
    for message in (update(WISH, OrderStatus.WORKING), FILL, position("A", "1"), refusal(WISH)):
        core.handle(message, 7)
    (line,) = core.stop(8)
    assert line.text == (
        "heard in all: bar 1, book 1, connection 1, fill 1, order 1, position 1, quote 1, "
        "refusal 1, resolution 1, trade 1"
    )
    assert all(core.callback(code(kind)) is not None for kind in EventKind)


def test_a_message_without_a_time_is_logged_with_that_of_its_arrival() -> None:
    core = event_log(every=1)
    (line,) = core.handle(position("A", "-2"), 70)
    assert line == Logged(strategy="s", text="position A: -2", time_ns=70)


def test_an_idle_log_says_so() -> None:
    (line,) = event_log().stop(1)
    assert line.text == "heard in all: nothing"


FILL = Fill(
    client_order_id="run-s-1",
    strategy="s",
    instrument="A",
    venue="venue",
    trade_id="1",
    side=Side.BUY,
    last_quantity=Decimal("2.50"),
    last_price=Decimal("0.4"),
    commission=Decimal(0),
    liquidity=Liquidity.TAKER,
    leaves_quantity=Decimal(0),
    venue_time_ns=1,
)


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (quote(A, 99, 101, (0, 1)), "A: none / 1.01"),
        (Trade(1, A, 100, 250, -1), "A: 2.5 at 1"),
        (Bar(1, A, 1, 2, 3, 150, 5, 1.5), "A: close 1.5"),
        (Connection(1, None, ConnectionState.DOWN), "every instrument: DOWN"),
        (Connection(1, A, ConnectionState.GAPPED), "A: GAPPED"),
        (Resolution(1, A, 100), "A: pays 1"),
        (update(WISH, OrderStatus.REJECTED), "A: run-s-1 REJECTED"),
        (FILL, "A: BUY 2.5 at 0.4"),
        (position("A", "3"), "A: 3"),
        (refusal(WISH), "A: CashLimit"),
    ],
)
def test_events_are_described_in_a_few_words(event: Event, words: str) -> None:
    assert describe(event) == words


def test_every_must_be_at_least_one() -> None:
    with pytest.raises(ValueError, match="every"):
        EventLog.Parameters(every=0)


# --- what is written, and how ---------------------------------------------------------------------


def test_kinds_that_are_not_wanted_are_neither_heard_nor_counted() -> None:
    core = event_log(kinds=("trade", "fill"), every=1)
    heard = [kind for kind in EventKind if core.callback(code(kind)) is not None]
    assert heard == [EventKind.TRADE]
    core.handle(update(WISH, OrderStatus.WORKING), 1)
    core.handle(FILL, 2)
    assert core.counts == {"fill": 1}


def test_each_kind_may_have_a_sample_of_its_own() -> None:
    core = event_log(every=3, samples={"fill": 1, "trade": 2})
    for time_ns in range(1, 5):
        core.on_trade(Trade(time_ns, A, 100, 5, 1))
        core.on_quote(quote(A, 99, 101, time_ns=time_ns))
    core.handle(FILL, 9)
    written = [line.split()[0] for line in core.lines]
    assert written == ["trade", "quote", "trade", "fill"]


def test_an_event_may_be_written_as_json() -> None:
    core = event_log(every=1, format="json", totals=False)
    core.on_quote(quote(A, 99, 101, (5, 0), time_ns=7))
    core.handle(FILL, 9)
    first, second = map(json.loads, core.lines)
    assert first["kind"] == "quote"
    assert (first["instrument"], first["time_ns"], first["mid"]) == ("A", 7, None)
    assert (second["kind"], second["last_price"]) == ("fill", plain(FILL.last_price))
    assert core.stop(10) == []
    core.on_connection(Connection(1, None, ConnectionState.UP))
    assert json.loads(core.lines[-1])["state"] == "UP"
    core.handle(refusal(WISH), 1)
    assert json.loads(core.lines[-1])["violations"][0]["policy"] == "CashLimit"


@pytest.mark.parametrize("samples", [{"fills": 1}, {"fill": 0}])
def test_samples_that_make_no_sense_are_refused(samples: Any) -> None:
    with pytest.raises(ValueError, match="samples: expected kinds of events and numbers above 0"):
        EventLog.Parameters(samples=samples)


def test_lines_may_be_shown_to_people() -> None:
    core = event_log(every=1, console=True)
    core.on_quote(quote(A, 99, 101))
    (line,) = core.take_outbox(0)
    assert line.is_shown
    assert not Logged(strategy="s", text="a", time_ns=1).is_shown
