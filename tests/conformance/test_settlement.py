"""Case 04: the official outcome of every 5-minute market from the recorded settlement feed."""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

from actors.feeds.replay import ReplayFeed, ReplayOptions
from actors.messages.market import Resolution
from actors.model.instrument import Instruments, Outcome
from actors.venues.polymarket.settlement import (
    ClosingPrices,
    Unproved,
    read_up_down_markets,
    settled,
)
from tests.shared import conformance, shared_file


def test_every_provable_market_settles_as_the_venue_says() -> None:
    case = conformance("04-polymarket-settlement-btc5m")
    expected = case["expected"]
    prices_file, markets_file = (shared_file(each["path"]) for each in case["input_files"])
    prices = ClosingPrices()
    with gzip.open(prices_file, "rt") as lines:
        for row in csv.DictReader(lines):
            value = int(row["full_accuracy_value"])
            prices.add(int(row["feed_ts_ms"]), value, int(row["recv_ms"]))
    with gzip.open(markets_file, "rt") as lines:
        text = lines.readlines()
    official = [json.loads(line)["outcome_prices"] for line in text]
    markets = read_up_down_markets(text)
    found: Counter[str] = Counter()
    for market, paid in zip(markets, official, strict=True):
        outcome = settled(market, prices)
        found[str(outcome)] += 1
        found["up" if paid == ["1", "0"] else "down"] += 1
        if isinstance(outcome, Outcome):
            assert outcome is (Outcome.YES if paid == ["1", "0"] else Outcome.NO), market.slug
    assert len(markets) == expected["markets"]
    assert (found["up"], found["down"]) == (expected["official_up"], expected["official_down"])
    proved = found[str(Outcome.YES)] + found[str(Outcome.NO)]
    assert proved == expected["closing_second_equal_to_official"]
    assert found[str(Unproved.NO_CLOSE)] == expected["closing_second_missing"]
    assert found[str(Unproved.NO_STRIKE)] == expected["no_strike"]
    by_slug = {market.slug: market for market in markets}
    for example in expected["examples"]:
        market = by_slug[example["slug"]]
        assert market.strike == int(example["strike"])
        assert prices.at(market.end_sec) == int(example["close"])
        winner = {"Up": Outcome.YES, "Down": Outcome.NO}[example["winner"]]
        assert settled(market, prices) is winner


def _feed_seconds(path: Path) -> list[int]:
    with gzip.open(path, "rt") as lines:
        return [int(row["feed_ts_ms"]) // 1000 for row in csv.DictReader(lines)]


def test_the_feed_resolves_the_same_markets() -> None:
    case = conformance("04-polymarket-settlement-btc5m")
    prices_file, markets_file = (shared_file(each["path"]) for each in case["input_files"])
    options = ReplayOptions(path=str(prices_file), options={"markets": str(markets_file)})
    feed = ReplayFeed(Instruments(), options)
    rows = [event for part in feed.slices(0) for event in part.events()]
    resolutions = [event for event in rows if isinstance(event, Resolution)]
    # a market that closes at the recording's last second is not resolved: nothing comes after it
    last_sec = max(_feed_seconds(prices_file))
    with gzip.open(markets_file, "rt") as lines:
        closing = [market.end_sec for market in read_up_down_markets(lines)]
    passed = case["expected"]["closing_second_equal_to_official"] - closing.count(last_sec)
    assert passed >= 122
    assert len(resolutions) == 2 * passed
    winners = [each for each in resolutions if each.payoff == 1]
    assert len(winners) == len(resolutions) // 2
    assert feed.summary()["malformed"] == 0
