from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.model.timestamps import duration_ns, epoch_ns, iso_ns, scaled_ns, timestamp_ns

SECOND = 1_000_000_000
NOON_NS = 1_577_880_000 * SECOND  # 2020-01-01T12:00:00Z


@pytest.mark.parametrize(
    "text",
    [
        "2020-01-01T12:00:00Z",
        "2020-01-01 12:00:00",
        "2020-01-01 12:00:00 UTC",
        "2020-01-01 12:00",
        "2020/01/01 12:00:00.000000",
        "2020-01-01T13:30:00+01:30",
        "2020-01-01T10:00:00-0200",
        "20200101 12:00:00",
        "1577880000",
        "1577880000.000",
        "1577880000000",
        "1577880000000000",
        "1577880000000000000",
    ],
)
def test_one_instant_may_be_written_in_many_ways(text: str) -> None:
    assert timestamp_ns(text) == NOON_NS


def test_a_date_is_its_midnight() -> None:
    for text in ("2020-01-01", "2020/01/01", "20200101"):
        assert timestamp_ns(text) == NOON_NS - 12 * 3_600 * SECOND


def test_fractions_are_exact_to_the_nanosecond_and_cut_beyond() -> None:
    assert iso_ns("2020-01-01T12:00:00.123456789Z") == NOON_NS + 123_456_789
    assert iso_ns("2020-01-01T12:00:00,5") == NOON_NS + SECOND // 2
    assert iso_ns("2020-01-01T12:00:00.1234567899") == NOON_NS + 123_456_789
    assert epoch_ns("1618677817.1293912") == 1_618_677_817_129_391_200
    assert epoch_ns("1356998659486096.5") == 1_356_998_659_486_096_500
    assert epoch_ns("1577880000.") == NOON_NS


@given(st.integers(0, 9_223_372_036 - 1), st.integers(0, SECOND - 1))
def test_seconds_with_nine_decimals_lose_nothing(seconds: int, nanoseconds: int) -> None:
    assert epoch_ns(f"{seconds}.{nanoseconds:09d}") == seconds * SECOND + nanoseconds


@given(st.datetimes(datetime(1970, 1, 1), datetime(2261, 12, 31)))  # noqa: DTZ001 - made UTC below
def test_iso_agrees_with_the_standard_library(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    exact_ns = (since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1_000
    assert iso_ns(moment.isoformat()) == exact_ns


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "12:00",
        "2020-13-01",
        "2020-02-30",
        "2020-01-01T25:00:00",
        "-5",
        "1e9",
        "2020-1-1",
        "\u0662\u0660\u0662\u0660-01-01",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a time|month|day|hour"):
        timestamp_ns(text)


@pytest.mark.parametrize("text", ["1969-12-31T23:59:59Z", "2262-05-01", "9223372036854775808"])
def test_times_outside_int64_nanoseconds_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="outside the years 1970 to 2261"):
        timestamp_ns(text)


def test_whole_numbers_are_scaled_by_their_size() -> None:
    assert scaled_ns(1_577_880_000_000) == scaled_ns(1_577_880_000_000_000) == NOON_NS
    assert scaled_ns(0) == 0
    for wrong in (-1, 1 << 63):
        with pytest.raises(ValueError, match="outside the years"):
            scaled_ns(wrong)


def test_durations_name_their_unit() -> None:
    assert [duration_ns(text) for text in ("3ns", "2us", "5ms", "1s", "1m", "2h", "1d")] == [
        3,
        2_000,
        5_000_000,
        SECOND,
        60 * SECOND,
        7_200 * SECOND,
        86_400 * SECOND,
    ]
    assert duration_ns(42) == 42
    for wrong in ("", "1", "1x", "m", "-1s"):
        with pytest.raises(ValueError, match="expected a duration such as 1m"):
            duration_ns(wrong)
