from decimal import Decimal
from itertools import pairwise
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.actor import Source
from actors.feeds.synthetic import SyntheticFeed
from actors.feeds.synthetic_options import SyntheticOptions
from actors.feeds.synthetic_oracle import OracleOptions
from actors.messages.market import Bar, BookChange, EventKind, MarketEvent, Quote, Resolution
from actors.messages.slices import Slice
from actors.model.book import Book
from actors.model.instrument import Instruments, Outcome
from runtime.kernel.determinism import seeded_numpy
from tests.builders import instrument, instruments

SECOND = 1_000_000_000
SMALL: dict[str, Any] = {"events": 60, "interval_ns": SECOND, "start_ns": 100 * SECOND}
MARKET = {"generator": "outcome_market"}
GENERATORS = ("random_walk", "mean_reverting", "jump", "outcome_market")
SHAPES = ("quotes", "bars", "book")


def feed(*, seed: int = 7, table: Instruments | None = None, **options: Any) -> SyntheticFeed:
    """Return a feed of 60 events, one each second."""
    if "duration_ns" in options:
        options = {"events": None, **options}
    return SyntheticFeed(
        Instruments() if table is None else table,
        SyntheticOptions(**{**SMALL, **options}),
        seeded_numpy(seed, "feed"),
    )


def events(of: SyntheticFeed, resume_ns: int = 0) -> list[MarketEvent]:
    """Return all row objects."""
    return [event for rows in of.slices(resume_ns) for event in rows.events()]


def quotes(of: SyntheticFeed) -> list[Quote]:
    """Return the quotes."""
    return [event for event in events(of) if isinstance(event, Quote)]


def fingerprint(slices: list[Slice]) -> list[Any]:
    """Return every column, whatever the cuts, and the levels of book rows."""
    found: list[Any] = []
    for rows in slices:
        for row in range(len(rows)):
            values = [int(getattr(rows, name)[row]) for name in "abcde"]
            if rows.kind[row] == EventKind.BOOK:
                values[:2] = rows.levels[values[0] : values[1]].ravel().tolist()
            head = (rows.time_ns, rows.venue_time_ns, rows.kind, rows.instrument, rows.line)
            found.append((*(int(column[row]) for column in head), *values))
    return found


def test_it_is_a_source() -> None:
    source: Source = feed()
    assert source.summary()["rows"] == 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("generator", GENERATORS)
def test_equal_seeds_give_equal_rows_however_they_are_cut(generator: str, shape: str) -> None:
    whole = feed(generator=generator, shape=shape, assets=2)
    pieces = feed(generator=generator, shape=shape, assets=2, batch_rows=7)
    expected = fingerprint(list(whole.slices(0)))
    cut = list(pieces.slices(0))
    assert fingerprint(cut) == expected
    assert all(len(rows) <= 7 for rows in cut)
    assert fingerprint(list(whole.slices(0))) == expected
    other = feed(generator=generator, shape=shape, assets=2, seed=8)
    assert fingerprint(list(other.slices(0))) != expected


def test_long_feeds_begin_like_short_ones_and_pass_the_chunks_without_a_seam() -> None:
    short = fingerprint(list(feed(events=500, assets=3).slices(0)))
    long = feed(events=140_000, assets=3)
    rows = list(long.slices(0))
    assert fingerprint(rows[:1])[:500] == short
    times = np.concatenate([part.time_ns for part in rows])
    assert (np.diff(times) == SECOND).all()
    lines = np.concatenate([part.line for part in rows])
    assert lines.tolist() == list(range(1, 140_001))
    bids = np.concatenate([part.a[part.instrument == 1] for part in rows])
    assert np.abs(np.diff(bids)).max() < 20


def test_assets_have_their_turns() -> None:
    found = quotes(feed(assets=("X", "Y", "Z")))
    assert [each.instrument.id for each in found[:4]] == ["X", "Y", "Z", "X"]
    assert [each.time_ns // SECOND for each in found[:3]] == [100, 101, 102]
    assert len(found) == 60


def test_quotes_are_around_the_price_with_the_spread_and_sizes_asked_for() -> None:
    found = quotes(feed(events=5000, spread=Decimal("0.05"), price=Decimal(10)))
    assert {each.ask_ticks - each.bid_ticks for each in found} == {5}
    assert found[0].mid == pytest.approx(10.0, abs=0.02)
    lots = [each.bid_lots for each in found] + [each.ask_lots for each in found]
    assert min(lots) >= 1
    assert max(lots) < 20_000
    assert sum(lots) / len(lots) == pytest.approx(10_000, rel=0.03)


def test_a_price_that_falls_away_keeps_a_bid_of_one_tick() -> None:
    found = quotes(feed(events=2000, price=Decimal("0.03"), volatility=0.5))
    assert min(each.bid_ticks for each in found) == 1
    assert all(each.ask_ticks > each.bid_ticks for each in found)


def test_the_length_is_a_duration_or_a_number_of_events_or_an_hour() -> None:
    minute = 60 * SECOND
    assert len(events(feed(duration_ns=minute))) == 60
    assert len(events(feed(duration_ns=minute, shape="bars", assets=2))) == 120
    assert len(events(feed(events=7))) == 7
    assert SyntheticOptions().event_count(1) == 36_000


def bars(**options: Any) -> list[Bar]:
    """Return bars."""
    return [event for event in events(feed(shape="bars", **options)) if isinstance(event, Bar)]


def test_bars_close_together_and_open_where_the_last_one_closed() -> None:
    found = bars(assets=2, volatility=0.01)
    assert [bar.time_ns // SECOND for bar in found[:4]] == [101, 101, 102, 102]
    for before, after in pairwise(found[0::2]):
        assert after.open_ticks == before.close_ticks
    for bar in found:
        body = (bar.open_ticks, bar.close_ticks)
        assert bar.low_ticks <= min(body)
        assert bar.high_ticks >= max(body)
        assert bar.volume_lots > 0
    assert any(bar.high_ticks > max(bar.open_ticks, bar.close_ticks) for bar in found)


def test_bars_move_by_the_volatility_of_a_bar_across_chunks_too() -> None:
    found = bars(events=20_000, volatility=0.001)
    closes = np.array([bar.close_ticks for bar in found])
    assert np.diff(np.log(closes)).std() == pytest.approx(0.001, rel=0.05)
    assert all(after.open_ticks == before.close_ticks for before, after in pairwise(found))


def test_books_begin_with_a_snapshot_and_their_quotes_are_their_best_levels() -> None:
    book = Book()
    changes = 0
    for event in events(feed(shape="book", depth=3)):
        if isinstance(event, BookChange):
            assert event.is_snapshot == (book.version == 0)
            book.apply(event.levels, is_snapshot=event.is_snapshot)
            assert (len(book.bids), len(book.asks)) == (3, 3)
            changes += 1
        elif isinstance(event, Quote):
            assert book.best_bid() == (event.bid_ticks, event.bid_lots)
            assert book.best_ask() == (event.ask_ticks, event.ask_lots)
    assert changes == 60


def test_books_of_outcomes_keep_within_zero_and_one() -> None:
    found = events(feed(shape="book", generator="outcome_market", depth=9, information=40.0))
    prices = [ticks for e in found if isinstance(e, BookChange) for _, ticks, _ in e.levels]
    assert (min(prices), max(prices)) == (1, 99)


def test_an_outcome_market_has_two_tokens_that_name_each_other() -> None:
    table = Instruments()
    feed(generator="outcome_market", assets=("rain",), table=table)
    yes, no = table
    assert [yes.id, no.id] == ["rain-YES", "rain-NO"]
    assert [yes.complement, no.complement] == [no.id, yes.id]
    assert [yes.outcome, no.outcome] == [Outcome.YES, Outcome.NO]
    assert {each.market for each in table} == {"rain"}
    assert {each.can_short for each in table} == {False}


@pytest.mark.parametrize("shape", SHAPES)
def test_an_outcome_market_resolves_once_for_each_token_as_the_prices_say(shape: str) -> None:
    found = events(feed(generator="outcome_market", assets=3, shape=shape, events=300))
    ends = [event for event in found if isinstance(event, Resolution)]
    assert found[-6:] == ends
    assert len(ends) == 6
    assert {end.time_ns for end in ends} == {(100 + (50 if shape == "bars" else 300)) * SECOND}
    for yes, no in zip(ends[0::2], ends[1::2], strict=True):
        assert sorted([yes.payoff, no.payoff]) == [Decimal(0), Decimal(1)]
    last = {
        event.instrument.id: event.bid_ticks if isinstance(event, Quote) else event.close_ticks
        for event in found
        if isinstance(event, Quote | Bar)
    }
    assert [last[end.instrument.id] > 50 for end in ends] == [end.payoff == 1 for end in ends]


def test_pairs_cost_less_than_one_now_and_then_and_more_often_with_more_mispricing() -> None:
    def share(mispricing: float) -> float:
        found = quotes(feed(generator="outcome_market", events=4000, mispricing=mispricing))
        pairs = zip(found[0::2], found[1::2], strict=True)
        cheap = [yes.ask_ticks + no.ask_ticks < 100 for yes, no in pairs]
        return sum(cheap) / len(cheap)

    assert share(0.0) == 0
    assert 0 < share(0.01) < 0.1 < share(0.03)


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("shape", ["quotes", "bars"])
def test_a_feed_that_was_down_goes_on_with_the_same_market(shape: str, generator: str) -> None:
    of = feed(shape=shape, generator=generator, assets=2)
    whole = events(of)
    resume_ns = 117 * SECOND
    assert events(of, resume_ns) == [event for event in whole if event.time_ns >= resume_ns]


@settings(deadline=None, max_examples=12)
@given(st.integers(100 * SECOND, 4400 * SECOND))
def test_books_are_those_of_an_unbroken_feed_after_it_was_down(resume_ns: int) -> None:
    of = feed(shape="book", assets=2, events=4200)
    whole = [e for e in events(of) if isinstance(e, BookChange)]
    later = [e for e in events(of, resume_ns) if isinstance(e, BookChange)]
    expected, resumed = books(whole), books(later)
    if resume_ns > 4299 * SECOND:
        assert later == []
    else:
        assert {name: book.levels() for name, book in resumed.items()} == {
            name: book.levels() for name, book in expected.items()
        }
        assert [event.is_snapshot for event in later[:2]] == [True, True]
        assert {event.time_ns for event in later[:1]} == {resume_ns}
        assert not any(event.is_snapshot for event in later[2:])


def books(changes: list[BookChange]) -> dict[str, Book]:
    """Return the books that changes lead to."""
    found: dict[str, Book] = {}
    for change in changes:
        book = found.setdefault(change.instrument.id, Book())
        book.apply(change.levels, is_snapshot=change.is_snapshot)
    return found


def test_the_summary_says_what_was_sent() -> None:
    of = feed(generator="outcome_market")
    events(of)
    assert of.summary() == {
        "generator": "outcome_market",
        "shape": "quotes",
        "instruments": ["MARKET1-YES", "MARKET1-NO"],
        "events": 60,
        "rows": 62,
    }


def test_an_instrument_known_with_another_tick_is_refused() -> None:
    feed(table=instruments(instrument("SYN1")))
    with pytest.raises(ValueError, match=r"SYN1: expected the feed's tick 0.01 .* found tick 0.5"):
        feed(table=instruments(instrument("SYN1", tick="0.5")))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"assets": 0}, "assets: expected at least 1"),
        ({"assets": ("A", "A")}, "assets: expected at least 1, all different"),
        ({"duration_ns": 5, "events": 5}, "events: expected nothing beside a duration"),
        ({"spread": Decimal("0.015")}, "spread: expected a multiple of 0.01, found 0.015"),
        (
            {"generator": "outcome_market", "tick": Decimal("0.03"), "spread": Decimal("0.03")},
            "tick",
        ),
        ({"generator": "outcome_market", "spread": Decimal("0.99")}, "tick: expected a fraction"),
        ({"generator": "brownian"}, "generator"),
        ({"shape": "candles"}, "shape"),
        ({"interval_ns": 0}, "interval_ns"),
        ({"pull": 1.0}, "pull"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SyntheticOptions(**options)


# --- the oracle of an outcome market --------------------------------------------------------------


def oracle_options(**more: Any) -> SyntheticOptions:
    return SyntheticOptions(
        generator="outcome_market", assets=("A", "B"), events=4000, oracle=OracleOptions(), **more
    )


def quotes_of(rows: list[Slice], name: str) -> list[tuple[int, float]]:
    """Return time and mid of an instrument's quotes."""
    return [
        (event.time_ns, event.mid)
        for part in rows
        for event in part.events()
        if isinstance(event, Quote) and event.instrument.id == name
    ]


def test_an_oracle_quotes_what_a_question_is_worth_when_its_yes_is_quoted() -> None:
    made = SyntheticFeed(Instruments(), oracle_options(mispricing=0.0), seeded_numpy(3, "feed"))
    rows = list(made.slices())
    assert made.summary()["instruments"][-2:] == ["A-ORACLE", "B-ORACLE"]
    for question in "AB":
        asked, told = quotes_of(rows, f"{question}-YES"), quotes_of(rows, f"{question}-ORACLE")
        assert [time_ns for time_ns, _ in told] == [time_ns for time_ns, _ in asked]
        for (_, yes), (_, price) in zip(asked, told, strict=True):
            fair = 0.5 + (price - 60_000) / 200
            assert yes == pytest.approx(min(max(fair, 0.02), 0.98), abs=0.0051)


def test_an_oracle_changes_nothing_else_and_may_be_slower() -> None:
    def made(options: SyntheticOptions) -> list[Slice]:
        return list(SyntheticFeed(Instruments(), options, seeded_numpy(3, "feed")).slices())

    slow = oracle_options()
    slow = attrs.evolve(slow, oracle=OracleOptions(every=10))
    with_oracle, without = made(slow), made(attrs.evolve(slow, oracle=None))
    assert quotes_of(with_oracle, "B-NO") == quotes_of(without, "B-NO")
    assert len(quotes_of(with_oracle, "A-ORACLE")) == 100
    times = [time_ns for part in with_oracle for time_ns in part.times()]
    assert times == sorted(times)


def test_an_oracle_belongs_to_quotes_of_an_outcome_market() -> None:
    for more in ({"generator": "random_walk"}, {"generator": "outcome_market", "shape": "bars"}):
        with pytest.raises(ValueError, match="oracle: expected nothing but of an outcome market"):
            SyntheticOptions(oracle=OracleOptions(), **more)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="width: expected below the strike 5, found 5"):
        OracleOptions(strike=Decimal(5), width=Decimal(5))
