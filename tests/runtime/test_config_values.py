"""How plain values become the options of a component: strict, with every problem in words."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any, Literal, NewType

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.config import Problems, structure, to_plain
from runtime.config.document import Document
from runtime.config.problems import nearest, shown
from runtime.config.units import format_duration, parse_duration, parse_time
from runtime.config.yaml_reader import plain_scalar

Name = NewType("Name", str)


class Shape(StrEnum):
    QUOTES = "quotes"
    BARS = "bars"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


@attrs.frozen(kw_only=True)
class Leg:
    ratio: int = attrs.field(validator=attrs.validators.gt(0))


@attrs.frozen
class Nothing:
    """A component without options."""


@attrs.frozen(kw_only=True)
class Options:
    """A component's options, of every kind."""

    size: Decimal | None = None
    assets: int | tuple[Name, ...] = 5
    average: "Literal['sma', 'ema']" = "sma"
    depth: Literal[1, 2] = 1
    shape: Shape = Shape.QUOTES
    level: Level = Level.LOW
    rates: dict[str, Decimal] = attrs.field(factory=dict)
    start_ns: int = 0
    interval_ns: int | None = None
    leg: Leg = Leg(ratio=1)
    legs: Sequence[Leg] = ()
    pair: tuple[int, str] = (1, "a")
    weights: list[float] = attrs.field(factory=list)
    path: Path | None = None
    anything: Any = None
    bare: tuple = ()  # type: ignore[type-arg]
    feed: Iterable[int] = ()
    api_key: str = ""
    nothing: Nothing = Nothing()
    leg_or_size: Leg | Decimal = Decimal(1)
    is_on: bool = False
    spread: float = attrs.field(
        default=1.0, validator=attrs.validators.and_(attrs.validators.ge(0), attrs.validators.le(5))
    )
    side: str = attrs.field(default="a", validator=attrs.validators.in_(("a", "b")))
    max_size: Decimal = attrs.field(default=Decimal(1))

    @max_size.validator
    def _max_size_is_not_negative(self, _attribute: object, value: Decimal) -> None:
        if value < 0:
            raise ValueError(f"max_size: expected 0 or more, found {value}")
        if value == 13:
            raise ValueError("an unlucky number")
        if value == 14:
            raise ValueError
        if value == 15:
            raise ValueError(f"{self.api_key}: expected luck, found none")


def built(data: Mapping[str, Any], **given: Any) -> Options:
    """Return the options of plain data that is right."""
    problems = Problems(Document(file="run.yaml"))
    options = structure(Options, data, "feed", problems, given=given)
    assert options is not None, problems.found
    return options


def problems(data: Any) -> list[str]:
    """Return what is wrong with plain data."""
    noted = Problems(Document(file="run.yaml"))
    assert structure(Options, data, "feed", noted) is None
    return [str(problem).removeprefix("run.yaml: ") for problem in noted.found]


def test_each_type_takes_the_plain_values_that_mean_it() -> None:
    options = built(
        {
            "size": Decimal("0.10"),
            "assets": ["x", 12],
            "average": "EMA",
            "depth": 2,
            "shape": "bars",
            "level": 2,
            "rates": {"maker": 0, "taker": "0.1"},
            "start": "2026-01-15T12:00:00.000000001Z",
            "interval": "1.5ms",
            "leg": {"ratio": 3},
            "legs": [{"ratio": 4}],
            "pair": [2, "b"],
            "weights": [1, Decimal("0.5")],
            "path": "data/x.csv",
            "anything": [{"a": 1}],
            "bare": [1, "x"],
            "leg_or_size": {"ratio": 5},
            "is_on": True,
        }
    )

    assert str(options.size) == "0.10"
    assert options.assets == ("x", "12")
    assert (options.average, options.depth) == ("ema", 2)
    assert options.shape is Shape.BARS
    assert options.level is Level.HIGH
    assert options.rates == {"maker": Decimal(0), "taker": Decimal("0.1")}
    assert options.start_ns == 1_768_478_400_000_000_001
    assert options.interval_ns == 1_500_000
    assert (options.leg, tuple(options.legs)) == (Leg(ratio=3), (Leg(ratio=4),))
    assert options.pair == (2, "b")
    assert options.weights == [1.0, 0.5]
    assert options.path == Path("data/x.csv")
    assert options.bare == (1, "x")
    assert options.leg_or_size == Leg(ratio=5)


def test_what_may_be_left_out_may_be_null() -> None:
    options = built({"size": None, "interval": None, "start": 0, "assets": 3})

    assert (options.size, options.interval_ns, options.start_ns) == (None, None, 0)
    assert options.assets == 3


def test_what_is_given_is_taken_as_it_is() -> None:
    source = iter([1, 2])

    assert built({}, feed=source).feed is source


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"size": "x"}, "feed.size: expected a number, found 'x'"),
        ({"size": "NaN"}, "feed.size: expected a number, found 'NaN'"),
        ({"size": True}, "feed.size: expected a number, found true"),
        ({"assets": {}}, "feed.assets: expected a whole number or a list, found a mapping"),
        ({"assets": [Decimal("1.10")]}, "feed.assets[0]: expected a text (in quotes), found"
         " 1.10"),
        ({"average": "emma"}, "feed.average: expected one of sma, ema, found 'emma'; did you mean"
         " 'ema'?"),
        ({"depth": 3}, "feed.depth: expected one of 1, 2, found 3"),
        ({"depth": True}, "feed.depth: expected one of 1, 2, found true"),
        ({"shape": "quote"}, "feed.shape: expected one of quotes, bars, found 'quote'; did you mean"
         " 'quotes'?"),
        ({"level": 3}, "feed.level: expected one of 1, 2, found '3'"),
        ({"rates": {"maker": "u"}}, "feed.rates.maker: expected a number, found 'u'"),
        ({"rates": 5}, "feed.rates: expected a mapping, found 5"),
        ({"start": "5ms"}, "feed.start: expected a UTC time such as 2026-01-15 or"
         " 2026-01-15T12:00:00Z, found '5ms'"),
        ({"interval": 5}, "feed.interval: expected a duration such as 5ms, 1s, 2m, 1h or 1d,"
         " found 5"),
        ({"interval": False}, "feed.interval: expected a duration such as 5ms, 1s, 2m, 1h or 1d,"
         " found false"),
        ({"leg": {"ratio": -3}}, "feed.leg.ratio: expected > 0, found -3"),
        ({"leg": 4}, "feed.leg: expected a mapping, found 4"),
        ({"legs": [{"ratio": 3}, {}]}, "feed.legs[1].ratio: expected a value, found nothing"),
        ({"legs": [{"ratio": 3, "z": 1}]}, "feed.legs[0].z: expected one of the keys ratio, found"
         " an unknown one"),
        ({"nothing": {"z": 1}}, "feed.nothing.z: expected no keys, found an unknown one"),
        ({"leg_or_size": {"ratio": 0}}, "feed.leg_or_size.ratio: expected > 0, found 0"),
        ({"leg_or_size": [1]}, "feed.leg_or_size: expected a mapping or a number, found a list"
         " of 1"),
        ({"pair": [1]}, "feed.pair: expected a list of 2, found a list of 1"),
        ({"weights": ["a"]}, "feed.weights[0]: expected a number, found 'a'"),
        ({"path": None}, ""),
        ({"path": True}, "feed.path: expected a text (in quotes), found true"),
        ({"is_on": "yes"}, "feed.is_on: expected true or false, found 'yes'"),
        ({"spread": 7}, "feed.spread: expected <= 5, found 7.0"),
        ({"side": "q"}, "feed.side: expected in ('a', 'b'), found 'q'"),
        ({"side": None}, "feed.side: expected a text, found nothing"),
        ({"max_size": -1}, "feed.max_size: expected 0 or more, found -1"),
        ({"max_size": 13}, "feed: expected values that are allowed together, found"
         " 'an unlucky number'"),
        ({"max_size": 14}, "feed: expected values that are allowed together, found 'ValueError'"),
        ({"max_size": 15, "api_key": "x"}, "feed: expected luck, found none (x)"),
        ({"api_key": ["hush"]}, "feed.api_key: expected a text (in quotes), found ***"),
        ({"intervall": "1s"}, "feed.intervall: expected a known key, found an unknown one;"
         " did you mean 'interval'?"),
        (5, "feed: expected a mapping, found 5"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_its_key(data: Any, expected: str) -> None:
    if expected:
        assert problems(data if isinstance(data, dict) else {"leg": data}) == [
            expected if isinstance(data, dict) else expected.replace("feed:", "feed.leg:")
        ]
    else:
        assert built(data).path is None


def test_every_wrong_field_of_a_class_is_told() -> None:
    assert [line.partition(":")[0] for line in problems({"size": "x", "spread": -1, "z": 1})] == [
        "feed.size",
        "feed.spread",
        "feed.z",
    ]


def test_choosing_a_component_lists_the_choices() -> None:
    noted = Problems(Document(file="run.yaml"))

    assert noted.choose({"constant": 1, "none": 2}, "none", "broker.latency.type") == 2
    assert noted.choose({"constant": 1, "none": 2}, "constnt", "broker.latency.type") is None
    assert [str(each) for each in noted.found] == [
        "run.yaml: broker.latency.type: expected one of constant, none, found 'constnt';"
        " did you mean 'constant'?"
    ]


def test_options_as_plain_data_are_written_as_in_a_file() -> None:
    options = built({"start": "2026-01-15", "interval": "90s", "size": 1, "path": "x"})
    plain = to_plain(options)

    assert (plain["start"], plain["interval"]) == ("2026-01-15T00:00:00Z", "90s")
    assert (plain["size"], plain["path"], plain["shape"]) == ("1", "x", "quotes")
    assert to_plain(built({}))["interval"] is None


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("on", "on"), ("no", "no"), ("true", True), ("False", False), ("null", None), ("", None),
        ("7", 7), ("-1_000", -1000), ("007", "007"), ("0x1f", "0x1f"), ("1:30", "1:30"),
        ("0.10", Decimal("0.10")), (".5", Decimal("0.5")), ("1e3", Decimal(1000)),
        ("2026-01-15", "2026-01-15"), (".nan", ".nan"), ("1.2.3", "1.2.3"),
    ],
)  # fmt: skip
def test_an_unquoted_scalar_means_what_it_looks_like(text: str, meaning: Any) -> None:
    found = plain_scalar(text)

    assert found == meaning
    assert type(found) is type(meaning)


@pytest.mark.parametrize("text", ["", "5", "ms", "5 ms", "-5ms", "1.5ns", "5mss"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        parse_duration(text)


def test_durations_add_up() -> None:
    assert parse_duration("1d1h1m1s1ms1us1ns") == 90_061_001_001_001
    assert format_duration(0) == "0s"


@given(st.integers(min_value=0, max_value=10**20))
def test_a_duration_reads_back_as_it_was_written(nanoseconds: int) -> None:
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01", 0),
        ("1970-01-02T00:00", 86_400),
        ("1970-01-01 00:00:01", 1),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:59:59Z", -1),
    ],
)
def test_a_time_is_utc_unless_it_says_otherwise(text: str, seconds: int) -> None:
    assert parse_time(text) == seconds * 1_000_000_000


@pytest.mark.parametrize("text", ["", "now", "2026-13-01", "12:00", "2026-01-15T12"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_time(text)


def test_values_are_shown_shortly() -> None:
    assert shown(None) == "nothing"
    assert shown({}) == "a mapping"
    assert shown("x" * 100) == repr("x" * 60 + "...")


def test_the_nearest_name_ignores_case() -> None:
    assert nearest("NOSHRT", ["CashLimit", "NoShort"]) == "NoShort"
    assert nearest("zzz", ["CashLimit"]) is None
