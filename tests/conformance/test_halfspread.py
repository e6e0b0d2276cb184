"""Case 05: the observed half-spread of real Up/Down books."""

from fractions import Fraction

from actors.feeds.replay import ReplayFeed, ReplayOptions
from actors.messages.market import Quote
from actors.model.instrument import Instruments, Outcome
from tests.shared import conformance, shared_file


def test_the_mean_half_spread_of_yes_books_is_as_published() -> None:
    case = conformance("05-polymarket-halfspread")
    recorded = case["input_files"][0]
    expected = case["expected"]
    feed = ReplayFeed(Instruments(), ReplayOptions(path=str(shared_file(recorded["path"]))))
    quotes = [event for rows in feed.slices(0) for event in rows.events()]
    assert len(quotes) == expected["rows"]
    half_spreads: list[Fraction] = []
    markets = set()
    for quote in quotes:
        assert isinstance(quote, Quote)
        if quote.instrument.outcome is Outcome.YES:
            assert quote.bid is not None
            assert quote.ask is not None
            half_spreads.append(Fraction(quote.ask - quote.bid) / 2)
            markets.add(quote.instrument.market)
    assert (len(half_spreads), len(markets)) == (expected["yes_rows"], expected["markets"])
    mean = sum(half_spreads, Fraction(0)) / len(half_spreads)
    assert abs(mean - Fraction(expected["mean_half_spread_recomputed"])) < Fraction(1, 10**12)
    assert abs(mean - Fraction(expected["mean_half_spread_published"])) < Fraction(2, 10**4)
    summary = feed.summary()
    assert summary["files"][0]["sha256"] == recorded["sha256"]
    assert summary["malformed"] == 0
