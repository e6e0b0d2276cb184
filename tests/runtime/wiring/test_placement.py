"""What a configuration says of where strategies run."""

import pickle
from random import Random  # noqa: TID251 - seeded below
from typing import Any

import pytest

from actors.actor import Context
from actors.errors import ConfigError
from actors.model.instrument import Instruments
from actors.strategies import StrategyConfig as StrategySetting
from actors.strategies.average_cross import AverageCross
from runtime.config.model import Placement, StrategyConfig
from runtime.kernel.placement.away import InProcess, InThread
from runtime.kernel.placement.process import PlacedCore, PlacedVectorised
from runtime.wiring.components import blueprint
from runtime.wiring.placement import StrategyMaker, TablePhrases, away_of, placed_maker
from tests.builders import instrument, instruments
from tests.ring.rig import config
from tests.ring.scenes import SMALL

A, B, C = (instrument(name) for name in "ABC")
CONTEXT = Context(run_id="run", actor="s", incarnation=0, random=Random(7))


def test_instruments_are_called_by_their_index_once_both_sides_have_them() -> None:
    ours, theirs = instruments(A, B), Instruments()
    here, there = TablePhrases(ours), TablePhrases(theirs)
    there.learn(here.news())
    assert here.news() == b""
    assert [each.id for each in theirs] == ["A", "B"]
    ours.add(C)
    there.learn(here.news())
    assert there.named(here.name_of(C)) == C
    assert there.named(here.name_of(ours)) is theirs
    assert here.name_of(instrument("A")) is None  # of the same id, but not ours
    assert here.name_of("A") is None


def test_a_strategy_is_made_elsewhere_as_here() -> None:
    parameters = AverageCross.Parameters(fast=3, slow=8)
    maker = StrategyMaker("average_cross", ("A*",), pickle.dumps(parameters))
    phrases, make = pickle.loads(pickle.dumps(maker)).prepare()
    phrases.learn(TablePhrases(instruments(A, B)).news())
    core: Any = make(CONTEXT)
    assert isinstance(core, AverageCross)
    assert core.parameters == parameters
    assert (core.name, core.trades(0), core.trades(1)) == ("s", True, False)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("momentum", PlacedCore),
        ("tests.actors.strategies.test_vectorised:ByColumn", PlacedVectorised),
    ],
)
def test_the_stand_in_is_of_the_strategy_s_kind(name: str, kind: type) -> None:
    core = placed_maker(name, StrategySetting(), Instruments())(CONTEXT)
    assert type(core) is kind
    assert core.pid is None


def test_what_runs_away_is_called_away_in_real_time() -> None:
    def away(placement: str) -> Any:
        return away_of(StrategyConfig(name="s", type="t", placement=Placement(placement)))

    assert away("loop") is None
    assert isinstance(away("thread"), InThread)
    assert isinstance(away("process"), InProcess)


def test_a_configuration_says_where_each_strategy_runs() -> None:
    overrides = ("strategies[0].placement=process", "strategies[1].placement=thread")
    plan = blueprint(config(SMALL, *overrides, "strategies[0].deadline=500ms"))
    assert {name: type(each) for name, each in plan.away.items()} == {
        "one": InProcess,
        "two": InThread,
    }
    assert isinstance(plan.strategies["one"](CONTEXT), PlacedCore)
    assert not isinstance(plan.strategies["two"](CONTEXT), PlacedCore)
    assert blueprint(config(SMALL)).away == {}


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("strategies[0].placement=cloud", "placement: expected .*loop.*thread.*process"),
        ("strategies[0].deadline=0ms", "deadline: expected more than 0"),
        ("strategies[0].heartbeat=0ms", "heartbeat: expected more than 0"),
        ("portfolio.max_fills=0", "max_fills: expected 1 or more, found 0"),
    ],
)
def test_what_makes_no_sense_is_refused(override: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        config(SMALL, override)
