"""Settlement feeds: reference prices, resolutions, and what cannot be proved."""

import json
from pathlib import Path

import pytest

from actors.errors import ConfigError
from actors.messages.market import MarketEvent, Quote, Resolution
from actors.venues.polymarket.settlement import (
    ClosingPrices,
    Unproved,
    read_up_down_markets,
    settled,
)
from tests.actors.feeds import recorded

HEADER = "feed_ts_ms,value,full_accuracy_value,server_ts_ms,recv_ms"
ONE = 10**18


def market(number: int, end_sec: int, strike: int | None) -> str:
    return json.dumps(
        {
            "slug": f"m{number}",
            "condition_id": f"0x{number}",
            "token_ids": [f"{number}1", f"{number}2"],
            "end_sec": end_sec,
            "strike_value": None if strike is None else str(strike),
        }
    )


def row(second: int, price: int, late_ms: int = 100) -> str:
    return f"{second * 1000},{price}.0,{price * ONE},{second * 1000},{second * 1000 + late_ms}"


def replayed(folder: Path, rows: list[str], *markets: str) -> tuple[list[MarketEvent], object]:
    table = recorded.write(folder / "prices.csv", [HEADER, *rows])
    options = {}
    if markets:
        options["markets"] = str(recorded.write(folder / "markets.jsonl", markets))
    feed = recorded.feed(table, options=options)
    return recorded.events(feed.slices(0)), feed.summary()


def test_the_price_of_the_closing_second_decides(tmp_path: Path) -> None:
    rows = [row(9, 99), row(10, 101), row(11, 98), row(20, 100), row(30, 99), row(31, 99)]
    events, summary = replayed(
        tmp_path,
        rows,
        market(1, 10, 100 * ONE),
        market(2, 20, 100 * ONE),
        market(3, 30, 100 * ONE),
        market(4, 31, 1),
    )
    assert len([event for event in events if isinstance(event, Quote)]) == 6
    paid = {
        event.instrument.symbol: int(event.payoff)
        for event in events
        if isinstance(event, Resolution)
    }
    assert paid == {"11": 1, "12": 0, "21": 1, "22": 0, "31": 0, "32": 1}  # a tie is Up
    assert isinstance(summary, dict)
    assert summary["malformed"] == 0


def test_what_cannot_be_proved_is_not_guessed(tmp_path: Path) -> None:
    events, summary = replayed(
        tmp_path, [row(9, 99), row(12, 101)], market(1, 10, 100 * ONE), market(2, 11, None)
    )
    assert not [event for event in events if isinstance(event, Resolution)]
    assert "no price at the closing second" in str(summary)
    assert "no strike" in str(summary)


def test_malformed_rows_are_told_and_passed_over(tmp_path: Path) -> None:
    events, summary = replayed(tmp_path, ["1,2", "a,b,c,d,e", row(5, 0), "", row(6, 10)])
    assert len(events) == 1
    assert isinstance(summary, dict)
    assert summary["malformed"] == 3


def test_the_word_received_last_counts() -> None:
    prices = ClosingPrices()
    prices.add(10_000, 5, 200)
    prices.add(10_000, 7, 300)
    prices.add(10_000, 6, 250)
    prices.add(10_500, 9, 900)  # no full second
    assert prices.at(10) == 7
    assert prices.at(11) is None
    (one,) = read_up_down_markets(["", market(1, 10, 7)])
    assert settled(one, prices).value == "YES"
    (other,) = read_up_down_markets([market(1, 12, 7)])
    assert settled(other, prices) is Unproved.NO_CLOSE


def test_malformed_markets_are_told_with_their_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line 2:"):
        read_up_down_markets([market(1, 10, 7), "{}"])
    with pytest.raises(ConfigError, match="one market per line"):
        replayed(tmp_path, [row(6, 10)], "{}")
