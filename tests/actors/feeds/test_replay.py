"""Recorded files replayed: the same rows however they are cut, whatever is wrong with the lines."""

import hashlib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.actor import Source
from actors.errors import ConfigError
from actors.feeds.asset_filter import AssetFilter
from actors.feeds.formats import FORMATS
from actors.feeds.replay import ReplayFeed, ReplayOptions
from actors.feeds.tape_reader import PROBLEMS_KEPT
from actors.messages.market import Bar, BookChange, ConnectionState, MarketEvent, Quote, Trade
from actors.messages.records import Origin
from actors.messages.slices import SliceBuilder
from actors.model.instrument import Instruments
from tests.actors.feeds.recorded import events, feed, quotes, records, write
from tests.builders import instrument, instruments
from tests.shared import shared_file

SECOND = 1_000_000_000
START = 10**18


def at(second: int) -> int:
    return START + second * SECOND


def level_text(levels: dict[int, int]) -> str:
    return ",".join(f'["{price}.00","{size}.00"]' for price, size in levels.items())


def snapshot(second: int, last_id: int, bids: dict[int, int], asks: dict[int, int]) -> str:
    sides = f'"bids":[{level_text(bids)}],"asks":[{level_text(asks)}]'
    return f'{at(second)} {{"lastUpdateId":{last_id},{sides}}}'


def depth(second: int, u: int, bids: dict[int, int], asks: dict[int, int] | None = None) -> str:
    sides = f'"b":[{level_text(bids)}],"a":[{level_text(asks or {})}]'
    data = f'{{"E":5,"s":"BTCUSDT","U":{u},"u":{u},{sides}}}'
    return f'{at(second)} {{"stream":"btcusdt@depth","data":{data}}}'


def trade(second: int, symbol: str = "BTCUSDT", price: int = 100) -> str:
    data = f'{{"s":"{symbol}","T":5,"p":"{price}.00","q":"2.00","m":true}}'
    return f'{at(second)} {{"stream":"x@trade","data":{data}}}'


def night(tmp_path: Path) -> tuple[Path, Path]:
    """Two files of one stream: the second goes on where the first ends, without a snapshot."""
    first = [
        depth(1, 10, {100: 1}),
        snapshot(2, 9, {100: 5, 99: 2}, {102: 4, 103: 1}),
        trade(3),
        depth(3, 11, {101: 3}),
        depth(4, 12, {101: 0}, {102: 1}),
    ]
    second = [depth(5, 13, {100: 7}), trade(5), trade(6, "ETHUSDT"), depth(8, 14, {99: 0})]
    return write(tmp_path / "1.gz", first, zipped=True), write(tmp_path / "2", second)


def market(tmp_path: Path) -> list[Path]:
    """A stream in two files, and quotes, bars and trades at the same times."""
    rows = [
        f"{START // SECOND + second},{name},0.4,5,0.6,7" for second in range(9) for name in "AB"
    ]
    bars = [f"{START // SECOND + second},1,2,1,1.5,10" for second in range(0, 9, 2)]
    trades = [f"{START // SECOND + second},1.5,10,buy" for second in range(1, 9, 3)]
    return [
        *night(tmp_path),
        quotes(tmp_path / "quotes.csv", *rows),
        write(tmp_path / "bars.csv", ["time,open,high,low,close,volume", *bars]),
        write(tmp_path / "trades.csv", ["time,price,size,side", *trades]),
    ]


def test_the_feed_is_a_source(tmp_path: Path) -> None:
    source: Source = feed(*night(tmp_path))
    assert isinstance(source, ReplayFeed)
    assert len(list(source.slices(0))) == 1


def test_a_file_that_continues_another_finds_its_book(tmp_path: Path) -> None:
    first, second = night(tmp_path)
    replay = feed(second, first)
    found = events(replay.slices(0))
    books = [event for event in found if isinstance(event, BookChange)]
    assert [book.update_id for book in books] == [9, 10, 11, 12, 13, 14]
    quotes_seen = [(event.bid, event.ask) for event in found if isinstance(event, Quote)]
    assert quotes_seen == [(Decimal(bid), Decimal(102)) for bid in (100, 100, 101, 100, 100)]
    assert [each["file"] for each in replay.summary()["files"]] == ["1.gz", "2"]


def test_files_of_different_kinds_are_merged_by_time_the_first_named_first(tmp_path: Path) -> None:
    paths = market(tmp_path)
    found = events(feed(*paths).slices(0))
    times = [event.time_ns for event in found]
    assert times == sorted(times)
    same = [event for event in found if event.time_ns == at(4)]
    assert [type(event) for event in same] == [BookChange, Quote, Quote, Quote, Bar, Trade]
    backwards = events(feed(*reversed(paths)).slices(0))
    same = [event for event in backwards if event.time_ns == at(4)]
    assert [type(event) for event in same] == [Trade, Bar, Quote, Quote, BookChange, Quote]


def test_rows_do_not_depend_on_how_they_are_cut(tmp_path: Path) -> None:
    paths = market(tmp_path)
    whole = records(feed(*paths).slices(0))
    for batch_rows in (1, 2, 3, 7, 100_000):
        replay = feed(*paths, batch_rows=batch_rows)
        cut = list(replay.slices(0))
        assert max(map(len, cut)) <= batch_rows
        assert records(cut) == whole


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    batch_rows=st.integers(1, 40),
    chunk_rows=st.integers(1, 40),
    start=st.integers(0, 10),
    length=st.integers(0, 10),
    asset=st.sampled_from(["*", "A", "BTC*", "nothing"]),
)
def test_no_cut_changes_what_is_replayed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    batch_rows: int,
    chunk_rows: int,
    start: int,
    length: int,
    asset: str,
) -> None:
    paths = market(tmp_path)
    options = {"from_ns": at(start), "to_ns": at(start + length), "assets": (asset,)}
    whole = records(feed(*paths, **options).slices(0))
    monkeypatch.setattr("actors.feeds.tape_reader.CHUNK_ROWS", chunk_rows)
    assert records(feed(*paths, **options, batch_rows=batch_rows).slices(0)) == whole
    monkeypatch.undo()


def test_each_call_reads_anew(tmp_path: Path) -> None:
    replay = feed(*night(tmp_path))
    first, summary = records(replay.slices(0)), replay.summary()
    assert records(replay.slices(0)) == first
    assert replay.summary() == summary


def test_a_feed_that_resumes_begins_with_its_books_and_then_gives_the_same_rows(
    tmp_path: Path,
) -> None:
    paths = night(tmp_path)
    whole = events(feed(*paths).slices(0))
    for second in range(1, 9):
        found = events(feed(*paths).slices(at(second)))
        tail = [event for event in whole if event.time_ns >= at(second)]
        head = found[: len(found) - len(tail)]
        assert found[len(head) :] == tail
        assert [type(event) for event in head] == ([BookChange, Quote] if second > 2 else [])
        assert all(event.time_ns == at(second) for event in head)


def test_a_resumed_book_is_the_book_of_that_time(tmp_path: Path) -> None:
    first, *_ = events(feed(*night(tmp_path)).slices(at(5)))
    assert isinstance(first, BookChange)
    assert first.is_snapshot
    priced = {(side, ticks // 100): lots // 100 for side, ticks, lots in first.levels}
    assert priced == {(1, 99): 2, (1, 100): 1, (-1, 102): 1, (-1, 103): 1}


def test_a_feed_that_resumes_after_its_end_still_tells_its_books(tmp_path: Path) -> None:
    replay = feed(*night(tmp_path))
    found = events(replay.slices(at(100)))
    assert [(type(event), event.time_ns) for event in found] == [
        (BookChange, at(100)),
        (Quote, at(100)),
    ]


def test_the_last_quotes_are_told_when_a_feed_begins_in_the_middle(tmp_path: Path) -> None:
    path = quotes(tmp_path / "q.csv", "1,A,0.4,5,0.6,7", "2,B,0.3,5,0.6,7", "9,A,0.5,5,0.6,7")
    found = events(feed(path, from_ns=5 * SECOND).slices(0))
    assert [
        (event.time_ns // SECOND, event.instrument.id)
        for event in found
        if isinstance(event, Quote)
    ] == [
        (5, "A"),
        (5, "B"),
        (9, "A"),
    ]


def test_the_later_of_from_and_resume_counts_and_to_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", ["time,price,size", *(f"{second},1,1" for second in range(9))])
    replay = feed(path, from_ns=2 * SECOND, to_ns=7 * SECOND)

    def seconds(resume_ns: int) -> list[int]:
        return [event.time_ns // SECOND for event in events(replay.slices(resume_ns))]

    assert seconds(0) == [2, 3, 4, 5, 6]
    assert seconds(4 * SECOND) == [4, 5, 6]
    assert seconds(SECOND) == [2, 3, 4, 5, 6]
    assert seconds(8 * SECOND) == []


def test_reading_stops_at_the_end_that_was_asked_for(tmp_path: Path) -> None:
    one = write(tmp_path / "1.csv", ["time,price,size", *(f"{second},1,1" for second in range(9))])
    two = write(tmp_path / "2.csv", ["time,price,size", "20,1,1"])
    replay = feed(one, two, to_ns=3 * SECOND, options={"instrument": "A"})
    assert len(events(replay.slices(0))) == 3
    assert [each["lines"] for each in replay.summary()["files"]] == [5, 0]


def test_only_wanted_assets_are_handed_on_and_books_stay_right(tmp_path: Path) -> None:
    paths = market(tmp_path)
    whole = events(feed(*paths).slices(0))

    def wanted(*assets: str) -> list[MarketEvent]:
        replay = feed(*paths, assets=assets)
        found = events(replay.slices(0))
        assert replay.summary()["rows"] == len(whole)
        return found

    def of(*names: str) -> list[MarketEvent]:
        return [
            each for each in whole if each.instrument is not None and each.instrument.id in names
        ]

    assert wanted("BTCUSDT.binance") == of("BTCUSDT.binance")
    assert wanted("*USDT.*", "B") == of("BTCUSDT.binance", "ETHUSDT.binance", "B")
    assert wanted("[AB]") == of("A", "B")
    assert wanted() == wanted("none") == []
    assert wanted("*") == whole


def test_an_id_with_brackets_is_itself(tmp_path: Path) -> None:
    path = quotes(tmp_path / "q.csv", "1,A[1],0.4,5,0.6,7", "2,A1,0.4,5,0.6,7")
    found = events(feed(path, assets=("A[1]",)).slices(0))
    assert [event.instrument.id for event in found if isinstance(event, Quote)] == ["A[1]", "A1"]


def test_rows_that_speak_for_the_whole_feed_pass_every_filter() -> None:
    table = instruments(instrument("A"), instrument("B"))
    builder = SliceBuilder(table)
    builder.connection(Origin(1), ConnectionState.DOWN)
    builder.trade(Origin(2), 0, (1, 1, 1)).trade(Origin(3), 1, (1, 1, 1))
    assert AssetFilter(table, ("B",)).wanted(builder.build()).times() == [1, 3]
    assert len(AssetFilter(table, ("B",)).wanted(builder.build())) == 0


def test_a_malformed_line_is_noted_and_the_rest_replayed(tmp_path: Path) -> None:
    first, second = night(tmp_path)
    good = records(feed(first, second).slices(0))
    lines = second.read_bytes().splitlines(keepends=True)
    second.write_bytes(
        lines[0]
        + b"garbage\n"
        + lines[1]
        + b"5 \xff{}\n"
        + lines[2]
        + b'5 {"stream":1}\n'
        + lines[3][:-1]
    )
    replay = feed(first, second)
    found = records(replay.slices(0))
    assert len(found) == len(good)
    summary = replay.summary()
    assert summary["malformed"] == 3
    assert [each["malformed"] for each in summary["files"]] == [0, 3]
    assert summary["problems"] == [
        {
            "file": "2",
            "line": 2,
            "reason": "expected the receive time in nanoseconds, found 'garbage'",
        },
        {"file": "2", "line": 4, "reason": "not UTF-8 at byte 2"},
        {
            "file": "2",
            "line": 6,
            "reason": "ValidationError: Expected `str`, got `int` - at `$.stream`",
        },
    ]


def test_only_the_first_problems_are_kept_but_all_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", ["time,price,size", *["x,1,1"] * 500, "1,1,1"])
    replay = feed(path)
    assert len(events(replay.slices(0))) == 1
    summary = replay.summary()
    assert (summary["malformed"], len(summary["problems"])) == (500, PROBLEMS_KEPT)


def test_a_damaged_file_ends_where_the_damage_begins(tmp_path: Path) -> None:
    first, second = night(tmp_path)
    whole = write(tmp_path / "3.gz", [trade(20 + second) for second in range(3_000)], zipped=True)
    whole.write_bytes(whole.read_bytes()[:-2_000])
    last = write(tmp_path / "4", [trade(9_999)])
    replay = feed(first, second, whole, last)
    found = events(replay.slices(0))
    assert found[-1].time_ns == at(9_999)
    summary = replay.summary()
    (problem,) = summary["problems"]
    assert problem["file"] == "3.gz"
    assert problem["line"] == summary["files"][2]["lines"] + 1 > 10
    assert "the compressed stream is damaged" in problem["reason"]


garbage = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=40).map(lambda text: text.encode(errors="surrogatepass")),
    st.sampled_from(["[" * 5_000, '5 {"stream":"x@depth","data":[' + "[" * 5_000]).map(str.encode),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(list(FORMATS)), st.lists(garbage, max_size=6))
def test_whatever_the_lines_are_the_worst_is_a_noted_problem(
    tmp_path: Path, name: str, lines: list[bytes]
) -> None:
    header = {
        "quotes_csv": b"time,bid,ask",
        "bars_csv": b"time,open,high,low,close",
        "trades_csv": b"time,price,size",
    }.get(name, b"")
    path = tmp_path / "garbage"
    path.write_bytes(b"\n".join([header, *lines]) + b"\n")
    options = {"interval": "1m"} if name == "bars_csv" else {}
    replay = feed(path, format=name, options=options)
    found = events(replay.slices(0))
    summary = replay.summary()
    assert summary["malformed"] + len(found) <= summary["lines"]
    assert all(problem["line"] >= 1 and problem["reason"] for problem in summary["problems"])


def test_time_never_goes_backwards_and_late_rows_are_counted(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.csv", ["time,price,size", "5,1,1", "3,2,1", "6,3,1", "4,4,1", "7,1,1"]
    )
    replay = feed(path)
    found = events(replay.slices(0))
    assert [event.time_ns // SECOND for event in found] == [5, 5, 6, 6, 7]
    assert replay.summary()["files"][0]["late_rows"] == 2


def test_a_table_whose_newest_row_comes_first_is_replayed_in_order(tmp_path: Path) -> None:
    rows = [f"2020-01-{day:02d},{day},{day},{day},{day}" for day in (4, 3, 2, 1)]
    path = write(tmp_path / "t.csv", ["date,open,high,low,close", *rows])
    (slice_,) = feed(path).slices(0)
    assert slice_.a.tolist() == [1, 2, 3, 4]
    assert slice_.line.tolist() == [5, 4, 3, 2]


def test_the_summary_says_what_was_read(tmp_path: Path) -> None:
    first, second = night(tmp_path)
    table = quotes(tmp_path / "q.csv", "1,A,0.4,5,0.6,7", "x,A,1,1,1,1")
    write(tmp_path / "notes.txt", ["nothing"])
    replay = feed(tmp_path, assets=("BTC*", "misspelt"))
    assert replay.summary()["lines"] == 0
    list(replay.slices(0))
    assert replay.summary() == {
        "files": [
            {
                "file": path.name,
                "format": form,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "lines": lines,
                "rows": rows,
                "late_rows": 0,
                "malformed": malformed,
            }
            for path, form, lines, rows, malformed in (
                (first, "binance", 5, 9, 0),
                (second, "binance", 4, 5, 0),
                (table, "quotes_csv", 3, 1, 1),
            )
        ],
        "lines": 12,
        "rows": 15,
        "malformed": 1,
        "gaps": 0,
        "problems": [{"file": "q.csv", "line": 3, "reason": "not a time: 'x'"}],
        "counts": [
            {"depth": 5, "snapshot": 1, "depth_applied": 5, "trade": 3},
            {"quotes": 1},
        ],
        "instruments": ["BTCUSDT.binance"],
        "unmatched_assets": ["misspelt"],
        "skipped": ["notes.txt"],
    }


def test_path_and_paths_go_together(tmp_path: Path) -> None:
    first, second = night(tmp_path)
    options = ReplayOptions(path=str(first), paths=(str(second),))
    assert len(ReplayFeed(Instruments(), options).summary()["files"]) == 0
    replay = ReplayFeed(Instruments(), options)
    list(replay.slices(0))
    assert len(replay.summary()["files"]) == 2
    with pytest.raises(ConfigError, match="path: expected at least one file"):
        ReplayFeed(Instruments(), ReplayOptions())


def test_batch_rows_are_above_zero() -> None:
    with pytest.raises(ValueError, match="batch_rows: expected a number above 0, found 0"):
        ReplayOptions(batch_rows=0)


def test_the_instruments_of_a_table_are_known_before_it_is_read(tmp_path: Path) -> None:
    known = instruments(instrument("A", tick="0.05", lot="1"))
    options = ReplayOptions(path=str(quotes(tmp_path / "q.csv", "1,A,0.4,5,0.6,7")))
    (quote,) = events(ReplayFeed(known, options).slices(0))
    assert isinstance(quote, Quote)
    assert (quote.bid_ticks, quote.bid_lots) == (8, 5)


def test_a_recorded_session_can_be_joined_anywhere() -> None:
    path = shared_file("data/coinbase-l2-20210417/coinbase_ws.txt.gz")
    slices = list(feed(path).slices(0))
    whole = records(slices)
    times = [time_ns for rows in slices for time_ns in rows.times()]
    for part in range(1, 5):
        resume_ns = times[0] + (times[-1] - times[0]) * part // 5
        found = records(feed(path, batch_rows=97).slices(resume_ns))
        tail = [record for record, ns in zip(whole, times, strict=True) if ns >= resume_ns]
        assert found[-len(tail) :] == tail
        assert len(found) - len(tail) == 2 * 5  # a book and a quote of each product
