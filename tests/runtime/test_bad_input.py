"""Whatever a configuration holds, it runs or its writer is told what is wrong, and where."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import attrs
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.brokers.models.commission import COMMISSIONS
from actors.brokers.models.latency import LATENCIES
from actors.brokers.models.slippage import SLIPPAGES
from actors.brokers.passthrough import PassthroughBrokerConfig
from actors.brokers.simulated import SimulatedBrokerConfig
from actors.errors import ConfigError
from actors.feeds.replay import ReplayOptions
from actors.feeds.synthetic_options import SyntheticOptions
from actors.model.instrument import Instrument
from actors.risk.limits import POLICIES
from actors.strategies.registry import STRATEGIES
from runtime.config import (
    BrokerConfig,
    FeedConfig,
    PortfolioConfig,
    RunConfig,
    StrategyConfig,
    SupervisionConfig,
    parse_config,
)
from runtime.config.conversion import written_fields, written_name
from runtime.wiring import check

GOOD: dict[str, Any] = {
    "name": "small",
    "mode": "simulate",
    "seed": 3,
    "journal": "none",
    "portfolio": {"cash": 1000, "policies": [{"type": "PositionLimit", "max_size": 10}]},
    "instruments": [{"id": "A", "venue": "v", "symbol": "a", "tick": 0.01, "outcome": "YES"}],
    "feeds": [{"name": "walk", "type": "synthetic", "events": 100, "interval": "100ms"}],
    "strategies": [
        {"name": "cross", "type": "average_cross", "parameters": {"fast": 5, "slow": 20}},
        {"name": "log", "type": "event_log", "supervision": {"backoff": {"base": "1ms"}}},
    ],
    "broker": {
        "type": "simulated",
        "latency": {"type": "constant", "submit": "5ms"},
        "commission": {"type": "percentage", "rate": 0.001},
        "rate_limit": {"requests_per_second": 10, "burst_size": 20},
    },
    "supervision": {"intensity": 5, "period": "1h"},
}

NUMBERS = st.sampled_from(
    ["0", "-1", "1", "0.5", "1e-9", "1e9", "1e400", "-1e400", "1e99999999999999999999", "9" * 5000]
)
_WORDS = (
    "NaN .nan .inf Infinity sNaN null ~ on 0x1f simulate 5ms -5ms 1.0000000001ns 2026-13-45 "
    "2026-01-01 ${HOME} ${ *a file.py:Class no.such.module:Class : a: ../.. / \x00 \ud7ff é "
    "2026-01-01T25:00:00Z 9999-12-31 0001-01-01 99999999999999999999d"
)
WORDS = st.sampled_from(["", "&a x", "x" * 99, *_WORDS.split(" ")])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    NUMBERS,
    WORDS,
    st.text(max_size=5),
    st.dates(),
)
KEYS = st.one_of(
    st.sampled_from(["type", "name", "rate", "options", "a.b", "a[0]", "", "rest"]),
    st.text(max_size=4),
    st.integers(),
    st.none(),
    st.booleans(),
)
JUNK: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)


def accepts(data: Any) -> bool:
    """Return whether a configuration is good; if it is not, its writer must be told properly."""
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    return accepts_text(text)


def accepts_text(text: str) -> bool:
    """Return the same of a text."""
    try:
        check(parse_config(text, "bad.yaml", environment={}))
    except ConfigError as error:
        told_properly(error)
        return False
    return True


def told_properly(error: ConfigError) -> None:
    """Check that each problem names file, key, what was expected and what was found."""
    assert error.problems
    for problem in error.problems:
        assert problem.file.startswith("bad.yaml")
        assert problem.key
        assert problem.expected
        assert problem.found
        assert len(str(problem)) < 2000
    assert len({(problem.file, problem.key) for problem in error.problems}) == len(error.problems)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of each value within plain data."""
    found = [path] if path else []
    if isinstance(data, dict):
        for key, value in data.items():
            found += places(value, (*path, key))
    elif isinstance(data, list):
        for number, value in enumerate(data):
            found += places(value, (*path, number))
    return found


PLACES = places(GOOD)


def changed(path: tuple[Any, ...], change: str, key: Any, junk: Any) -> Any:
    """Return the good configuration with one thing wrong."""
    data = deepcopy(GOOD)
    holder: Any = data
    for step in path[:-1]:
        holder = holder[step]
    last = path[-1]
    if change == "replaced":
        holder[last] = junk
    elif change == "missing":
        del holder[last]
    elif change == "in a list":
        holder[last] = [holder[last]]
    elif change == "more" and isinstance(holder[last], dict):
        holder[last][key] = junk
    elif change == "twice" and isinstance(holder[last], list):
        holder[last] = holder[last] * 2
    return data


def test_the_good_one_is_good() -> None:
    assert accepts(GOOD)


@given(
    st.sampled_from(PLACES),
    st.sampled_from(["replaced", "missing", "in a list", "more", "twice"]),
    KEYS,
    JUNK,
)
@settings(max_examples=150)
def test_one_wrong_thing_anywhere_is_told_or_does_no_harm(
    path: tuple[Any, ...], change: str, key: Any, junk: Any
) -> None:
    assert accepts(changed(path, change, key, junk)) in (True, False)


@given(JUNK)
def test_junk_is_no_configuration(junk: Any) -> None:
    assert not accepts(junk)


@given(st.text(alphabet="{}[]:,-&*!|>'\"%@` \n\tab0.#?~", max_size=40))
@settings(max_examples=100)
def test_text_that_is_no_yaml_is_told(text: str) -> None:
    assert not accepts_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\t",
        "a: &a [*a]",
        "!!python/object/apply:os.system ['true']",
        "seed: !!float 1",
        "? [1]\n: 2",
        "[" * 2000,
        "mode: simulate\nmode: replay",
        "\x00",
        "a: \x1b",
        "---\na: 1\n---\nb: 2",
        "mode: " + "9" * 5000,
        "mode: -1e99999999999999999999999",
        "mode: 1_0e5",
        f"mode: {'1' * 5000}.5",
    ],
)
def test_odd_texts_are_told(text: str) -> None:
    assert not accepts_text(text)


_OVERRIDES = (
    "= a seed seed= seed=[ feeds[0]=1 feeds[9].name=x feeds[x].a=1 broker.latency=1 a.b.c=1 "
    "a..b=1 [0]=1 seed.a=1 feeds[0].events=9e999 feeds= broker=~ strategies[0].name={a:1} "
    "seed=NaN seed=-1 seed=1.5 portfolio.policies[0].max_size=.inf"
)


@pytest.mark.parametrize("override", _OVERRIDES.split(" "))
def test_wrong_overrides_are_told(override: str) -> None:
    text = yaml.safe_dump(GOOD)
    with pytest.raises(ConfigError) as caught:
        check(parse_config(text, "bad.yaml", overrides=[override], environment={}))
    assert all(problem.expected and problem.found for problem in caught.value.problems)


# --- the options of every component --------------------------------------------------------------


def options_of(cls: type) -> st.SearchStrategy[dict[Any, Any]]:
    """Return options with the keys of a class, an unknown one among them, and any values."""
    names = [written_name(field) for field in written_fields(cls)]
    values = st.one_of(NUMBERS, SCALARS, JUNK)
    known = st.fixed_dictionaries({}, optional=dict.fromkeys(names, values))
    unknown = st.dictionaries(KEYS, values, max_size=1)
    return st.tuples(known, unknown).map(lambda both: {**both[0], **both[1]})


def written(path: str, options: Any) -> Any:
    """Return the good configuration with options at a path such as ``feeds.0``."""
    data = deepcopy(GOOD)
    holder: Any = data
    *steps, last = (int(step) if step.isdigit() else step for step in path.split("."))
    for step in steps:
        holder = holder[step]
    holder[last] = options
    return data


COMPONENTS: Mapping[str, tuple[str, type, dict[str, Any]]] = {
    "run": ("", RunConfig, {}),
    "portfolio": ("portfolio", PortfolioConfig, {}),
    "broker": ("broker", BrokerConfig, {}),
    "supervision": ("supervision", SupervisionConfig, {}),
    "instrument": ("instruments.0", Instrument, {}),
    "feed": ("feeds.0", FeedConfig, {}),
    "strategy": ("strategies.0", StrategyConfig, {}),
    "simulated": ("broker", SimulatedBrokerConfig, {"type": "simulated"}),
    "passthrough": ("broker", PassthroughBrokerConfig, {"type": "passthrough"}),
    "synthetic": ("feeds.0", SyntheticOptions, {"name": "walk", "type": "synthetic"}),
    "replay": ("feeds.0", ReplayOptions, {"name": "walk", "type": "replay"}),
    **{
        f"policy {name}": ("portfolio.policies.0", POLICIES[name], {"type": name})
        for name in POLICIES
    },
    **{
        f"{kind} {name}": (f"broker.{kind}", cls, {"type": name})
        for kind, models in (
            ("commission", COMMISSIONS),
            ("slippage", SLIPPAGES),
            ("latency", LATENCIES),
        )
        for name, cls in models.items()
    },
    **{
        f"strategy {name}": ("strategies.0.parameters", cls.Parameters, {})
        for name, cls in STRATEGIES.items()
    },
}


@pytest.mark.parametrize("name", COMPONENTS)
@given(data=st.data())
@settings(max_examples=15)
def test_wrong_options_of_any_component_are_told(name: str, data: st.DataObject) -> None:
    path, cls, always = COMPONENTS[name]
    options = data.draw(options_of(cls))
    whole = options if not path else written(path, {**options, **always})
    if name.startswith("strategy ") and path.endswith("parameters"):
        whole["strategies"][0]["type"] = name.removeprefix("strategy ")
    assert accepts(whole) in (True, False)


def test_every_component_has_been_tried() -> None:
    assert all(attrs.has(cls) for _, cls, _ in COMPONENTS.values())
    assert len(COMPONENTS) > 25


@pytest.mark.parametrize("kind", ["feeds.0", "strategies.0", "broker", "portfolio.policies.0"])
@given(name=st.one_of(WORDS, st.text(max_size=5)))
@settings(max_examples=15)
def test_a_component_that_does_not_exist_is_told(kind: str, name: str) -> None:
    assert not accepts(written(f"{kind}.type", name))
