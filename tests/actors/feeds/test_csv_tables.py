"""CSV tables as rows: spellings, times, grids, outcome pairs, bars, and malformed lines."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.feeds.csv_columns import TableKind, read_header, table_kind
from actors.feeds.csv_instruments import CsvOptions
from actors.feeds.csv_shape import Shape, joined, read_shape
from actors.feeds.csv_tables import CsvTable
from actors.messages.market import UNKNOWN_LOTS, Bar, MarketEvent, Quote, Trade
from actors.messages.slices import SliceBuilder
from actors.model.instrument import Instruments, Outcome
from actors.model.timestamps import timestamp_ns
from tests.builders import instrument, instruments

SECOND = 1_000_000_000
DAY = 86_400 * SECOND

Read = tuple[list[MarketEvent], Instruments]


def read(kind: TableKind, *lines: str, table: Instruments | None = None, **options: Any) -> Read:
    table = Instruments() if table is None else table
    shape = read_shape(kind, lines, "FILE")
    decoder = CsvTable(table, shape, CsvOptions(**options))
    builder = SliceBuilder(table)
    for number, line in enumerate(lines, 1):
        decoder.decode(line, number, builder)
    return list(builder.build().events()), table


def quotes(*lines: str, **options: Any) -> list[Quote]:
    events, _ = read(TableKind.QUOTES, *lines, **options)
    return [event for event in events if isinstance(event, Quote)]


def bars(*lines: str, **options: Any) -> list[Bar]:
    events, _ = read(TableKind.BARS, *lines, **options)
    return [event for event in events if isinstance(event, Bar)]


def trades(*lines: str, **options: Any) -> list[Trade]:
    events, _ = read(TableKind.TRADES, *lines, **options)
    return [event for event in events if isinstance(event, Trade)]


def sides(quote: Quote) -> tuple[Any, ...]:
    return quote.bid, quote.ask, quote.bid_quantity, quote.ask_quantity


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("# t_unix,market,bid,bid_size,ask,ask_size", "1577880000.5,ABC,0.22,6,0.23,639.47"),
        (
            "ask;ask_amount;bid_price;bid_amount;symbol;timestamp",
            "0.23;639.47;0.22;6;ABC;1577880000500",
        ),
        (
            '"instrument"\t"Bid"\t"Ask"\tbid_qty\task_qty\tDate',
            "ABC\t0.22\t0.23\t6\t639.47\t2020-01-01T12:00:00.5Z",
        ),
        (
            "time, market, best_bid, best_ask, best_bid_size, best_ask_size",
            '1577880000500000, "ABC", 0.22, 0.23, 6.0, 639.470',
        ),
    ],
)
def test_quotes_are_read_whatever_the_order_and_names_of_columns(header: str, row: str) -> None:
    (quote,) = quotes(header, row)
    assert quote.instrument.id == "ABC"
    assert quote.time_ns == 1_577_880_000_500_000_000
    assert sides(quote) == (Decimal("0.22"), Decimal("0.23"), Decimal(6), Decimal("639.47"))


def test_quotes_without_sizes_have_unknown_ones() -> None:
    (quote,) = quotes("timestamp,bid,ask", "2013-01-01 22:00:00.295000+00:00,86.655,86.728")
    assert (quote.bid_lots, quote.ask_lots) == (UNKNOWN_LOTS, UNKNOWN_LOTS)
    assert quote.instrument.id == "FILE"
    assert quote.instrument.tick == Decimal("0.001")
    assert quote.time_ns % SECOND == 295_000_000


@pytest.mark.parametrize("nothing", ["", "nan", "None", "0", "0.000"])
def test_a_side_without_price_is_empty(nothing: str) -> None:
    (quote,) = quotes("t_unix,bid,bid_size,ask,ask_size", f"1577880000,{nothing},5,0.5,7")
    assert sides(quote) == (None, Decimal("0.5"), Decimal(0), Decimal(7))


def test_a_side_whose_size_is_0_is_empty_and_one_without_size_is_not() -> None:
    first, second = quotes(
        "t_unix,bid,bid_size,ask,ask_size", "1577880000,0.4,0,0.5,", "1577880001,0.4,,0.5,0"
    )
    assert sides(first) == (None, Decimal("0.5"), Decimal(0), None)
    assert sides(second) == (Decimal("0.4"), None, None, Decimal(0))


def test_a_table_may_have_our_time_and_the_venues() -> None:
    shape = Shape(kind=TableKind.QUOTES, names=("F",), price_places=1)
    table = Instruments()
    decoder, builder = CsvTable(table, shape), SliceBuilder(table)
    decoder.decode("timestamp,local_timestamp,bid,ask", 1, builder)
    decoder.decode("1588291201099000,1588291201234268,8629.2,8629.3", 2, builder)
    rows = builder.build()
    assert rows.time_ns.tolist() == [1_588_291_201_234_268_000]
    assert rows.venue_time_ns.tolist() == [1_588_291_201_099_000_000]
    assert rows.line.tolist() == [2]
    assert decoder.counts == {"quotes": 1}


PAIR = ["t_unix,market,bid,ask", "1,abc,0.2,0.3", "2,abc-no,0.7,0.8", "3,lone-no,0.1,0.2"]


def test_names_that_occur_with_and_without_no_are_an_outcome_pair() -> None:
    _, table = read(TableKind.QUOTES, *PAIR)
    yes, no, lone = table
    assert (yes.outcome, no.outcome, lone.outcome) == (Outcome.YES, Outcome.NO, None)
    assert (yes.complement, no.complement, lone.complement) == ("abc-no", "abc", None)
    assert (yes.market, no.market, lone.market) == ("abc", "abc", None)
    assert (yes.can_short, lone.can_short) == (False, True)
    assert (yes.currency, lone.currency) == ("USDC", "USD")
    assert (yes.tick, yes.order_tick) == (Decimal("0.0001"), Decimal("0.01"))


def test_outcome_pairs_may_be_asked_for_or_refused() -> None:
    _, table = read(TableKind.QUOTES, *PAIR, outcome_pairs=True)
    lone = table[2]
    assert (lone.outcome, lone.complement, lone.market) == (Outcome.NO, None, "lone")
    _, table = read(TableKind.QUOTES, *PAIR, outcome_pairs=False)
    assert [each.outcome for each in table] == [None, None, None]


def test_options_come_before_what_the_data_show() -> None:
    options: dict[str, Any] = {
        "tick": "0.05",
        "order_tick": "0.1",
        "lot": "0.5",
        "venue": "polymarket",
        "currency": "EUR",
    }
    for lines in (PAIR[:2], PAIR[:3]):
        _, table = read(TableKind.QUOTES, *lines, **options)
        known = table[0]
        assert (known.tick, known.order_tick, known.lot) == (
            Decimal("0.05"),
            Decimal("0.1"),
            Decimal("0.5"),
        )
        assert (known.venue, known.currency) == ("polymarket", "EUR")


def test_an_instrument_that_the_run_knows_keeps_its_definition() -> None:
    table = instruments(instrument("ABC", tick="0.001", lot="1"))
    lines = ("t_unix,market,bid,ask,bid_size", "1,ABC,0.2,0.3,7")
    events, table = read(TableKind.QUOTES, *lines, table=table)
    assert len(table) == 1
    assert [(each.bid_ticks, each.bid_lots) for each in events if isinstance(each, Quote)] == [
        (200, 7)
    ]


DAILY = [
    ",Open,High,Low,Close,Volume",
    "2004-08-19,100,104.06,95.96,100.34,22351900",
    "2004-08-20,101.01,109.08,100.5,108.31,11428600",
]


def test_a_daily_bar_is_told_when_its_day_is_over() -> None:
    first, second = bars(*DAILY)
    assert first.time_ns == timestamp_ns("2004-08-20")
    assert second.time_ns - first.time_ns == DAY
    assert (first.open, first.high, first.low, first.close) == (100.0, 104.06, 95.96, 100.34)
    assert first.close_price == Decimal("100.34")
    assert first.volume == 22_351_900
    assert first.instrument.tick == Decimal("0.01")
    assert first.instrument.lot == Decimal("0.000001")


def test_a_bars_time_may_be_that_of_its_close() -> None:
    first, _ = bars(*DAILY, bar_time="close")
    assert first.time_ns == timestamp_ns("2004-08-19")


def test_the_interval_is_the_commonest_distance_or_an_option() -> None:
    header = "datetime,open,high,low,close"
    rows = [f"2020-01-01 00:{minute:02d}:00,1,1,1,1" for minute in (0, 1, 2, 3, 7, 20)]
    start = timestamp_ns("2020-01-01")
    assert bars(header, *rows)[0].time_ns == start + 60 * SECOND
    assert bars(header, *rows, interval_ns="5m")[0].time_ns == start + 300 * SECOND
    assert bars(header, *rows, interval_ns=7)[0].time_ns == start + 7
    monthly = [f"2020-{month:02d}-01,1,1,1,1" for month in (1, 2, 3, 4, 5)]
    assert bars(header, *monthly)[0].time_ns == start + 31 * DAY


def test_the_length_of_a_single_bar_must_be_told_unless_it_is_a_date() -> None:
    header = "date,open,high,low,close"
    (bar,) = bars(header, "2020-01-01,1,1,1,1")
    assert bar.time_ns == timestamp_ns("2020-01-02")
    with pytest.raises(ValueError, match="the option `interval` must say how long a bar lasts"):
        bars(header, "2020-01-01 10:00:00,1,1,1,1")
    (bar,) = bars(header, "2020-01-01 10:00:00,1,1,1,1", bar_time="close")
    assert bar.time_ns == timestamp_ns("2020-01-01 10:00:00")


def test_bars_may_lack_a_volume_and_have_columns_that_nobody_needs() -> None:
    (bar,) = bars(
        "Date,Open,High,Low,Close,OpenInterest", "2006-01-02,3578.73,3605.95,3578.73,3604.33,0"
    )
    assert bar.volume_lots == UNKNOWN_LOTS
    (bar,) = bars(
        "Date,Open,High,Low,Close,Volume,Adj Close", "2001-12-31,14.10,14.23,13.80,13.81,,13.5"
    )
    assert bar.volume_lots == UNKNOWN_LOTS


def test_volumes_are_rounded_to_the_lot_and_prices_with_the_noise_of_floats_too() -> None:
    (bar,) = bars(
        "date,open,high,low,close,volume",
        "2020-01-01,1.1,1.3000000000000003,1.0,1.25,7.123456789012",
    )
    assert (bar.instrument.tick, bar.instrument.lot) == (Decimal("1e-9"), Decimal("1e-8"))
    assert (bar.high, bar.volume_lots) == (1.3, 712_345_679)
    with pytest.raises(ValueError, match="not a multiple of"):
        bars("date,open,high,low,close", "2020-01-01,1.1,1.31,1,1.2", tick="0.1")


def test_sizes_so_large_that_lots_would_overflow_get_a_coarser_lot() -> None:
    (bar,) = bars("date,open,high,low,close,volume", "2020-01-01,1,1,1,1,123456789012345678")
    assert (bar.instrument.lot, bar.volume_lots) == (Decimal(1), 123_456_789_012_345_678)
    (trade,) = trades("time,price,amount", "1577880000,1,1234567890123456.5")
    assert trade.quantity == Decimal("1234567890123456.5")


def test_trades_are_read_with_the_side_that_took() -> None:
    first, second, third = trades(
        "id,price,amount,type",
        "1356998659486096,13.51001,36.87430786,ask",
        "1356998738639088,13.55999,11.68264135,BID",
        "1356998738639089,13.55999,11.68264135,",
    )
    assert [each.aggressor for each in (first, second, third)] == [-1, 1, 0]
    assert first.time_ns == 1_356_998_659_486_096_000
    assert (first.price, first.quantity) == (Decimal("13.51001"), Decimal("36.87430786"))


@pytest.mark.parametrize(
    ("column", "text", "aggressor"),
    [
        ("side", "buy", 1),
        ("side", "Sell", -1),
        ("aggressor", "-1", -1),
        ("aggressor", "+1", 1),
        ("type", "unknown", 0),
        ("is_buyer_maker", "true", -1),
        ("is_buyer_maker", "False", 1),
        ("other", "x", 0),
    ],
)
def test_the_side_that_took_has_many_spellings(column: str, text: str, aggressor: int) -> None:
    (trade,) = trades(f"time,price,qty,{column}", f"1577880000,1.5,2,{text}")
    assert trade.aggressor == aggressor


@pytest.mark.parametrize(
    ("kind", "lines", "reason"),
    [
        (TableKind.QUOTES, ["t_unix,bid,ask", "1,2"], "expected 3 fields, found 2"),
        (TableKind.QUOTES, ["t_unix,bid,ask", "1,2,3,4"], "expected 3 fields, found 4"),
        (TableKind.QUOTES, ["t_unix,bid,ask", "x,2,3"], "not a time: 'x'"),
        (TableKind.QUOTES, ["t_unix,bid,ask", "1,x,3"], "not a number from 0: 'x'"),
        (TableKind.QUOTES, ["t_unix,bid,ask", "1,-2,3"], "not a number from 0: '-2'"),
        (TableKind.QUOTES, ["t_unix,bid,ask", '1,"2,3'], "expected 3 fields"),
        (
            TableKind.BARS,
            ["date,open,high,low,close", "2020-01-01,2,1,2,2"],
            "low is above the high",
        ),
        (TableKind.BARS, ["date,open,high,low,close", "2020-01-01,null,1,1,1"], "not a number"),
        (
            TableKind.BARS,
            ["date,open,high,low,close", "2262-04-11,1,1,1,1"],
            "the bar ends too late",
        ),
        (TableKind.TRADES, ["time,price,size", "1,0,1"], "a price and a size above 0"),
        (TableKind.TRADES, ["time,price,size", "1,1,0"], "a price and a size above 0"),
        (TableKind.TRADES, ["time,price,size,side", "1,1,1,up"], "the side that took, found 'up'"),
        (
            TableKind.TRADES,
            ["time,price,size,is_buyer_maker", "1,1,1,2"],
            "true or false, found '2'",
        ),
    ],
)
def test_a_malformed_row_is_refused_and_the_next_one_read(
    kind: TableKind, lines: list[str], reason: str
) -> None:
    table = Instruments()
    shape = Shape(kind=kind, names=("FILE",), price_places=2, is_daily=True)
    decoder, builder = CsvTable(table, shape), SliceBuilder(table)
    decoder.decode(lines[0], 1, builder)
    with pytest.raises(ValueError, match=reason):
        decoder.decode(lines[1], 2, builder)
    assert len(builder) == 0
    last = ",true" if "maker" in lines[0] else ",1"
    decoder.decode("2020-01-01" + ",1" * (lines[0].count(",") - 1) + last, 3, builder)
    assert len(builder) == 1


def test_an_instrument_that_the_survey_did_not_see_is_refused() -> None:
    table = Instruments()
    shape = Shape(kind=TableKind.QUOTES, names=("A",))
    decoder, builder = CsvTable(table, shape), SliceBuilder(table)
    decoder.decode("t_unix,market,bid,ask", 1, builder)
    with pytest.raises(ValueError, match="unknown instrument 'B'"):
        decoder.decode("1,B,1,2", 2, builder)


def test_each_file_begins_with_its_own_header() -> None:
    table = Instruments()
    shape = Shape(kind=TableKind.QUOTES, names=("A",), price_places=1)
    decoder, builder = CsvTable(table, shape), SliceBuilder(table)
    for lines in (["", "t_unix,bid,ask", "1,1,2"], ["ask,bid,t_unix", "2,1,2", ""]):
        for number, line in enumerate(lines, 1):
            decoder.decode(line, number, builder)
    found = list(builder.build().events())
    assert [(each.time_ns, each.bid, each.ask) for each in found if isinstance(each, Quote)] == [
        (SECOND, Decimal(1), Decimal(2)),
        (2 * SECOND, Decimal(1), Decimal(2)),
    ]


def test_a_header_says_which_kind_of_table_it_is() -> None:
    kinds = {
        "# t_unix,bid,ask,last": TableKind.QUOTES,
        ",Open,High,Low,Close,Volume": TableKind.BARS,
        "id,price,amount,type": TableKind.TRADES,
        "exchange,symbol,timestamp,local_timestamp,id,side,price,amount": TableKind.TRADES,
        "exchange,symbol,timestamp,is_snapshot,side,price,amount": None,
        "# t_unix,market,side,price:size": None,
        "feed_ts_ms,value": None,
        "bid,ask": None,
        "": None,
    }
    assert {header: table_kind(header) for header in kinds} == kinds


def test_a_missing_column_is_named() -> None:
    with pytest.raises(
        ValueError, match=r"no column ask or ask_price or best_ask \(found: t_unix, bid\)"
    ):
        read_header("t_unix,bid", TableKind.QUOTES)
    with pytest.raises(ValueError, match="these are changes of a book, not trades"):
        read_header("timestamp,is_snapshot,side,price,amount", TableKind.TRADES)


def test_a_file_without_any_line_has_no_shape() -> None:
    with pytest.raises(ValueError, match="the file is empty"):
        read_shape(TableKind.QUOTES, ["", "  "], "FILE")


def test_the_newest_row_may_come_first() -> None:
    rows = ["2020-01-03,1,1,1,1", "2020-01-02,1,1,1,1", "2020-01-01,1,1,1,1"]
    header = "date,open,high,low,close"
    assert read_shape(TableKind.BARS, [header, *rows], "F").is_newest_first
    assert not read_shape(TableKind.BARS, [header, *reversed(rows)], "F").is_newest_first
    assert not read_shape(TableKind.BARS, [header, rows[0]], "F").is_newest_first


def test_the_shape_of_several_files_holds_for_all() -> None:
    first = read_shape(TableKind.QUOTES, ["t_unix,market,bid,ask", "1,A,0.1,2"], "F")
    second = read_shape(
        TableKind.QUOTES, ["t_unix,market,bid,ask,bid_size", "1,B,0.25,2,1.1234567"], "F"
    )
    both = joined([first, second])
    assert both.names == ("A", "B")
    assert (both.tick, both.lot) == (Decimal("0.01"), Decimal("0.0000001"))


def test_a_survey_passes_over_malformed_rows() -> None:
    shape = read_shape(TableKind.QUOTES, ["t_unix,bid,ask", "1,0.123,x", "x", "2,0.1,0.2"], "F")
    assert (shape.names, shape.tick) == (("F",), Decimal("0.1"))


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"bar_time": "middle"}, "expected open or close, found 'middle'"),
        ({"outcome_pairs": "maybe"}, "expected True or False or None, found 'maybe'"),
        ({"interval_ns": "soon"}, "expected a duration such as 1m, found 'soon'"),
        ({"tick": "0"}, "expected a number above 0, found '0'"),
    ],
)
def test_options_are_checked(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        CsvOptions(**options)


prices = st.decimals(0, 1000, places=4).map(str)
cells = st.one_of(
    prices, st.text(max_size=6), st.sampled_from(["", "nan", "1e5", "2020-01-01", '"'])
)


@given(st.sampled_from(TableKind), st.lists(st.lists(cells, min_size=1, max_size=8), max_size=6))
def test_garbage_is_refused_with_a_value_error_or_read(
    kind: TableKind, rows: list[list[str]]
) -> None:
    header = {
        TableKind.QUOTES: "t_unix,market,bid,ask,bid_size",
        TableKind.BARS: "date,open,high,low,close,volume",
        TableKind.TRADES: "time,price,size,side",
    }[kind]
    lines = [header, *(",".join(row) for row in rows)]
    table = Instruments()
    decoder = CsvTable(table, read_shape(kind, lines, "F"), CsvOptions(interval_ns=1))
    builder = SliceBuilder(table)
    refused = 0
    for number, line in enumerate(lines, 1):
        try:
            decoder.decode(line, number, builder)
        except ValueError:
            refused += 1
    empty = sum(not line.strip() for line in lines)
    assert len(builder.build()) == len(lines) - 1 - refused - empty


def test_a_bars_open_can_be_told_when_the_bar_begins() -> None:
    events, _ = read(
        TableKind.BARS,
        "date,open,high,low,close,volume",
        "2024-01-01,10,12,9,11,500",
        "2024-01-02,11.5,13,11,12,600",
        opens=True,
    )
    assert [type(event) for event in events] == [Quote, Bar, Quote, Bar]
    begin = timestamp_ns("2024-01-01")
    assert [event.time_ns - begin for event in events] == [0, DAY, DAY, 2 * DAY]
    first, _, second, _ = events
    assert isinstance(first, Quote)
    assert isinstance(second, Quote)
    assert sides(first)[:2] == (Decimal(10), Decimal(10))
    assert second.bid == second.ask == Decimal("11.5")
    assert (second.bid_lots, second.ask_lots) == (UNKNOWN_LOTS, UNKNOWN_LOTS)
    with pytest.raises(ValueError, match="opens: expected bar_time: open beside it"):
        CsvOptions(opens=True, bar_time="close")
