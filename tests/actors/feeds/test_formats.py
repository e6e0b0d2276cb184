"""Formats are recognised by their first lines, and say which options they know."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import ConfigError
from actors.feeds.files import read_text
from actors.feeds.format_options import multivenue_options, plain_options, polymarket_options
from actors.feeds.formats import FORMATS, HEAD_LINES, recognised
from actors.messages.slices import SliceBuilder
from actors.model.instrument import Instruments
from actors.venues.binance.market_data import BinanceOptions
from tests.actors.feeds.recorded import quotes, write
from tests.shared import shared_file

NAMES = [
    "binance",
    "coinbase",
    "multivenue",
    "polymarket",
    "settlement_csv",
    "bars_csv",
    "quotes_csv",
    "trades_csv",
]

MARKET = (
    '{"slug":"abc","condition_id":"0x1","tick_size":"0.001","outcomes":'
    '[{"token_id":"1","outcome":"Up"},{"token_id":"2","outcome":"Down"}]}'
)


def name_of(*head: str) -> str | None:
    found = recognised(head)
    return found.name if found else None


def test_the_formats_have_names() -> None:
    assert list(FORMATS) == NAMES
    assert [each.name for each in FORMATS.values()] == NAMES


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (['1723161253937085768 {"stream":"btcusdt@trade","data":{}}'], "binance"),
        (['1618677817.078905: {"type":"snapshot"}'], "coinbase"),
        (['{"source":"binance","recv_wall_ts":1,"payload":"{}"}'], "multivenue"),
        (['[{"event_type":"book","asset_id":"1"}]'], "polymarket"),
        (["", "PONG", '{"event_type":"price_change","price_changes":[]}'], "polymarket"),
        (["feed_ts_ms,value,full_accuracy_value,server_ts_ms,recv_ms"], "settlement_csv"),
        (["", ",Open,High,Low,Close,Volume"], "bars_csv"),
        (["# t_unix,market,bid,bid_size,ask,ask_size"], "quotes_csv"),
        (["id,price,amount,type"], "trades_csv"),
        (['{"topic":"orderbook.500.XRPUSDT"}'], None),
        (["[]", "5", "[5]"], None),
        (["[" * 100_000], None),
        (["\x1f\x8b\ufffd"], None),
        ([], None),
    ],
)
def test_a_format_is_recognised_by_the_first_lines(head: list[str], name: str | None) -> None:
    assert name_of(*head) == name


@given(st.lists(st.text(max_size=30), max_size=4))
def test_any_beginning_is_of_one_format_or_none(head: list[str]) -> None:
    assert name_of(*head) in (*NAMES, None)


def test_every_format_reads_a_file_that_it_recognises(tmp_path: Path) -> None:
    files = {
        "binance": write(tmp_path / "a", ['1723161253937085768 {"result":null,"id":1}']),
        "coinbase": write(tmp_path / "b", ['1618677817.078905: {"type":"heartbeat"}']),
        "multivenue": write(tmp_path / "c", ['{"source":"x","recv_wall_ts":1,"payload":"{}"}']),
        "polymarket": write(tmp_path / "d", ['{"event_type":"other"}']),
        "settlement_csv": write(
            tmp_path / "h", ["feed_ts_ms,full_accuracy_value,recv_ms", "1000,50000000000,1001"]
        ),
        "bars_csv": write(tmp_path / "e", ["date,open,high,low,close", "2020-01-01,1,1,1,1"]),
        "quotes_csv": quotes(tmp_path / "f", "1577880000,A,0.1,1,0.2,1"),
        "trades_csv": write(tmp_path / "g", ["time,price,size", "1577880000,1,1"]),
    }
    assert sorted(files) == sorted(FORMATS)
    for name, path in files.items():
        lines = path.read_text().splitlines()
        form = recognised(lines)
        assert form is FORMATS[name]
        options = form.options({})
        table = Instruments()
        decoder = form.decoder(table, [form.survey(path, options)], options)
        builder = SliceBuilder(table)
        for number, line in enumerate(lines, 1):
            decoder.decode(line, number, builder)
        assert len(builder) == (1 if name.endswith("csv") else 0)
        assert decoder.bookkeeper.books == {}
        assert decoder.counts or name == "multivenue"


def test_formats_with_a_time_before_the_json_tell_it_without_decoding() -> None:
    assert FORMATS["binance"].line_ns("1723161253937085768 {") == 1_723_161_253_937_085_768
    assert FORMATS["coinbase"].line_ns("1618677817.5: {") == 1_618_677_817_500_000_000
    assert FORMATS["polymarket"].line_ns("{}") is None
    assert FORMATS["quotes_csv"].line_ns("1,2,3") is None
    for name in ("binance", "coinbase"):
        with pytest.raises(ValueError, match="time"):
            FORMATS[name].line_ns("x")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "trades.csv", ["time,price,size", "1,1,1"])
    form = FORMATS["quotes_csv"]
    with pytest.raises(ValueError, match="no column bid"):
        form.survey(path, form.options({}))


def test_the_name_of_a_table_without_instruments_is_the_files_or_an_option(tmp_path: Path) -> None:
    path = write(tmp_path / "EURUSD.2017.csv.gz", ["time,bid,ask", "1577880000,1,2"], zipped=True)
    form = FORMATS["quotes_csv"]
    for values, name in (({}, "EURUSD"), ({"instrument": "EUR/USD"}, "EUR/USD")):
        shape = form.survey(path, form.options(values))
        assert shape is not None
        assert shape.names == (name,)


def problems(caught: pytest.ExceptionInfo[ConfigError]) -> list[str]:
    return [str(problem) for problem in caught.value.problems]


def test_every_wrong_option_is_named_with_what_was_expected() -> None:
    values = {
        "outcome_pair": True,
        "tick": "zero",
        "bar_time": "middle",
        "interval": "soon",
        "outcome_pairs": "yes",
        "instrument": 5,
    }
    with pytest.raises(ConfigError) as caught:
        FORMATS["quotes_csv"].options(values)
    found = problems(caught)
    assert len(found) == len(values)
    assert found[0].endswith("found outcome_pair; did you mean 'outcome_pairs'?")
    assert found[1:] == [
        "replay feed: options.tick: expected a number above 0, found 'zero'",
        "replay feed: options.bar_time: expected open or close, found 'middle'",
        "replay feed: options.interval: expected a duration such as 1m, found 'soon'",
        "replay feed: options.outcome_pairs: expected bool | null, found 'yes'",
        "replay feed: options.instrument: expected str | null, found 5",
    ]


def test_options_become_values_of_their_types() -> None:
    found = FORMATS["bars_csv"].options({"interval": "1m", "tick": "0.5", "lot": 1})
    assert (found.interval_ns, found.tick, found.lot) == (
        60_000_000_000,
        Decimal("0.5"),
        Decimal(1),
    )
    binance = plain_options(BinanceOptions, {"market": "usdm", "symbol": "BTCUSDT"})
    assert (binance.market, binance.symbol) == ("usdm", "BTCUSDT")


def test_polymarkets_markets_are_read_from_files(tmp_path: Path) -> None:
    path = write(tmp_path / "markets.jsonl", [MARKET])
    values: Mapping[str, Any] = {"markets": str(path), "names": "slug", "check_hash": False}
    found = polymarket_options(values)
    assert [market.slug for market in found.markets] == ["abc"]
    assert (found.names, found.check_hash) == ({"1": "abc-YES", "2": "abc-NO"}, False)
    named = polymarket_options({"markets": str(tmp_path / "*.jsonl"), "names": {"1": "up"}})
    assert (named.names, named.check_hash) == ({"1": "up"}, True)
    of_frames = multivenue_options({**values, "binance_tick": "0.1"})
    assert of_frames.polymarket == found
    assert of_frames.binance_tick == Decimal("0.1")


def test_markets_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    bad = write(tmp_path / "bad.jsonl", [MARKET, "{}"])
    for value, reason in (
        (str(tmp_path / "none*"), "expected an existing file or glob"),
        (5, "expected an existing file or glob, found 5"),
        (str(bad), "expected one market per line, found bad.jsonl: line 2"),
    ):
        with pytest.raises(ConfigError, match=reason):
            polymarket_options({"markets": value})


def test_every_recorded_file_has_the_format_that_its_table_of_contents_names() -> None:
    recorded = {
        "binance-l2-20240808/spot_btcusdt_20240809.gz": "binance",
        "coinbase-l2-20210417/coinbase_ws.txt.gz": "coinbase",
        "polymarket-multivenue-raw-20260429/natural-0210/raw_messages.jsonl.gz": "multivenue",
        "polymarket-ws-yesno-20260907/polymarket_ws.jsonl": "polymarket",
        "bars/GOOG.csv": "bars_csv",
        "ticks/usdjpy-ticks.csv": "quotes_csv",
        "trades/trades-mtgox-usd-2013-01-01.csv": "trades_csv",
        "bybit-ob500/xrpusdt-ob500.jsonl.gz": None,
        "polymarket-updown-yesno-with-btc-20260816/polymarket_l2_sample.csv": None,
    }
    for name, expected in recorded.items():
        head = list(islice(read_text(shared_file(f"data/{name}")), HEAD_LINES))
        assert name_of(*head) == expected, name


def test_decoders_are_made_anew_each_time() -> None:
    form = FORMATS["binance"]
    options = form.options({})
    first, second = (form.decoder(Instruments(), [None], options) for _ in range(2))
    assert first is not second
    assert first.bookkeeper is not second.bookkeeper


def test_markets_may_tell_their_fees(tmp_path: Path) -> None:
    curve = '"fee_parameters":{"fees_enabled":true,"raw_fee_config":{"rate":0.072,"exponent":1}},'
    path = write(tmp_path / "markets.jsonl", [MARKET.replace("{", "{" + curve, 1)])
    (market,) = polymarket_options({"markets": str(path)}).markets
    assert market.fee_rate == Decimal("0.072")
    free = MARKET.replace("{", '{"fee_parameters":{"fees_enabled":false},', 1)
    (market,) = polymarket_options({"markets": str(write(path, [free]))}).markets
    assert market.fee_rate == 0
    odd = MARKET.replace("{", "{" + curve.replace('"exponent":1', '"exponent":2'), 1)
    with pytest.raises(ConfigError, match="exponent of fees: expected 1, found 2"):
        polymarket_options({"markets": str(write(path, [odd]))})
