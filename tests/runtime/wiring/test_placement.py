"""What a configuration says of where strategies run."""

from random import Random  # noqa: TID251 - seeded below
from typing import Any

import pytest

from actors.actor import Context
from actors.errors import ConfigError
from actors.model.instrument import Instruments
from actors.strategies import StrategyConfig as StrategySetting
from runtime.config.model import Placement, StrategyConfig
from runtime.kernel.placement.away import InProcess, InThread
from runtime.kernel.placement.process import PlacedCore, PlacedVectorised
from runtime.wiring.components import blueprint
from runtime.wiring.placement import away_of, placed_maker
from tests.ring.rig import config
from tests.ring.scenes import SMALL

CONTEXT = Context(run_id="run", actor="s", incarnation=0, random=Random(7))


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
