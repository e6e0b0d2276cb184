"""Which files a replay finds, and which of them continue each other."""

from pathlib import Path
from typing import Any

import pytest

from actors.errors import ConfigError
from actors.feeds.recordings import Found, find_tapes
from tests.actors.feeds.recorded import quotes, write

SECOND = 1_000_000_000


def find(*paths: Path | str, form: str = "auto", **values: Any) -> Found:
    return find_tapes([str(path) for path in paths], form, values)


def names(found: Found) -> list[list[str]]:
    return [[recording.path.name for recording in tape.recordings] for tape in found.tapes]


def trade(second: int, symbol: str = "BTCUSDT", **more: str) -> str:
    extra = "".join(f',"{key}":"{value}"' for key, value in more.items())
    return (
        f'{second * SECOND + 10**18} {{"stream":"x@trade","data":{{"s":"{symbol}","T":5,'
        f'"p":"1.0","q":"2.0","m":true{extra}}}}}'
    )


def depth(second: int) -> str:
    return (
        f'{second * SECOND + 10**18} {{"stream":"x@depth","data":{{"E":5,"s":"BTCUSDT","U":1,"u":2,'
        f'"b":[["1.0","1.0"]],"a":[]}}}}'
    )


def test_a_folder_gives_its_files_and_names_those_of_no_known_format(tmp_path: Path) -> None:
    quotes(tmp_path / "b.csv", "1,A,0.1,1,0.2,1")
    quotes(tmp_path / "a.csv", "1,B,0.1,1,0.2,1")
    write(tmp_path / "notes.txt", ["bought milk"])
    write(tmp_path / ".hidden.csv", ["t_unix,bid,ask"])
    (tmp_path / "inner").mkdir()
    found = find(tmp_path)
    assert names(found) == [["a.csv"], ["b.csv"]]
    assert found.skipped == ("notes.txt",)


def test_a_glob_and_a_name_give_each_file_once(tmp_path: Path) -> None:
    first = quotes(tmp_path / "1.csv", "1,A,0.1,1,0.2,1")
    quotes(tmp_path / "2.csv", "1,B,0.1,1,0.2,1")
    (tmp_path / "3.csv").mkdir()
    assert names(find(tmp_path / "*.csv", first)) == [["1.csv"], ["2.csv"]]
    assert names(find(first, tmp_path)) == [["1.csv"], ["2.csv"]]


@pytest.mark.parametrize("path", ["none.csv", "none*.csv", "empty"])
def test_a_path_without_files_is_a_problem(tmp_path: Path, path: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        ConfigError, match="path: expected an existing file, folder or glob"
    ) as caught:
        find(tmp_path / path, tmp_path / "other")
    assert len(caught.value.problems) == 2


def test_no_path_at_all_is_a_problem() -> None:
    with pytest.raises(ConfigError, match="path: expected at least one file, found none"):
        find()


def test_an_unknown_format_lists_the_names_and_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find(tmp_path, form="quote_csv")
    text = str(caught.value)
    assert "expected one of auto, binance, coinbase, multivenue, polymarket, settlement" in text
    assert text.endswith("found quote_csv; did you mean 'quotes_csv'?")


def test_a_named_file_whose_format_is_not_recognised_is_a_problem(tmp_path: Path) -> None:
    path = write(tmp_path / "notes.txt", ["", "bought milk"])
    with pytest.raises(
        ConfigError,
        match=r"format of notes\.txt is not recognised, found a file that begins 'bought milk'",
    ):
        find(path)
    with pytest.raises(
        ConfigError, match=r"path: expected files of a known format, found notes\.txt"
    ):
        find(tmp_path)
    empty = write(tmp_path / "empty", [])
    with pytest.raises(ConfigError, match="a file that begins ''"):
        find(empty)


def test_a_named_format_is_not_looked_for_but_must_fit(tmp_path: Path) -> None:
    path = write(tmp_path / "a", ["not", "binance"])
    assert names(find(path, form="binance")) == [["a"]]
    with pytest.raises(ConfigError, match=r"expected a file of quotes_csv, found a: no column"):
        find(path, form="quotes_csv")
    bar = write(tmp_path / "bar.csv", ["time,open,high,low,close", "1577880001,1,1,1,1"])
    with pytest.raises(ConfigError, match=r"bar\.csv: the option `interval` must say"):
        find(bar)
    assert names(find(bar, interval="1m")) == [["bar.csv"]]


def test_options_under_a_formats_name_are_for_that_format_only(tmp_path: Path) -> None:
    table = quotes(tmp_path / "a.csv", "1,A,0.1,1,0.2,1")
    stream = write(tmp_path / "b", [trade(1)])
    found = find(table, stream, tick="0.05", quotes_csv={"currency": "EUR"}, binance={"lot": "1"})
    csv_options, binance_options = (tape.recordings[0].options for tape in found.tapes)
    assert (str(csv_options.tick), csv_options.currency) == ("0.05", "EUR")
    assert (str(binance_options.tick), str(binance_options.lot)) == ("0.05", "1")
    with pytest.raises(ConfigError, match=r"options\.currency: expected one of"):
        find(table, stream, currency="EUR")


def test_files_that_share_an_instrument_continue_each_other_in_order_of_time(
    tmp_path: Path,
) -> None:
    late = write(tmp_path / "a-late", [trade(20), trade(21, "ETHUSDT")])
    early = write(tmp_path / "b-early", [trade(10, "ETHUSDT")])
    other = write(tmp_path / "c-other", [trade(5, "XRPUSDT")])
    futures = write(tmp_path / "d-futures", [trade(1, X="MARKET")])
    bridge = write(tmp_path / "e-bridge", [trade(30, "XRPUSDT"), trade(31)])
    assert names(find(late, early, other, futures)) == [
        ["b-early", "a-late"],
        ["c-other"],
        ["d-futures"],
    ]
    assert names(find(late, early, other, bridge)) == [["c-other", "b-early", "a-late", "e-bridge"]]


def test_a_file_without_rows_of_its_own_is_placed_by_the_times_of_its_lines(tmp_path: Path) -> None:
    late = write(tmp_path / "a", ["garbage", depth(20)])
    early = write(tmp_path / "b", [depth(10)])
    assert names(find(late, early)) == [["b", "a"]]


def test_files_of_one_instrument_in_two_formats_are_apart(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", ["time,bid,ask", "1,1,2"])
    write(tmp_path / "b.csv", ["time,price,size", "1,1,2"])
    assert len(find(tmp_path, instrument="A").tapes) == 2


def test_files_that_cannot_be_read_to_the_end_are_found_all_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "cut.gz", [trade(second) for second in range(500)], zipped=True)
    path.write_bytes(path.read_bytes()[:-40])
    assert names(find(path)) == [["cut.gz"]]


def test_rows_stored_backwards_are_read_in_order_with_their_own_numbers(tmp_path: Path) -> None:
    path = write(
        tmp_path / "back.csv",
        [
            "",
            "date,open,high,low,close",
            "2020-01-03,3,3,3,3",
            "2020-01-02,2,2,2,2",
            "2020-01-01,1,1,1,1",
        ],
    )
    recording = find(path).tapes[0].recordings[0]
    assert [number for number, _ in recording.lines()] == [1, 2, 5, 4, 3]
    assert [line[:10] for _, line in recording.lines()][2] == b"2020-01-01"
