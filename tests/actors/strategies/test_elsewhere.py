"""A strategy on its way into another interpreter."""

import pickle
from random import Random  # noqa: TID251 - seeded below
from typing import Any

from actors.actor import Context
from actors.model.instrument import Instruments
from actors.strategies.average_cross import AverageCross
from actors.strategies.elsewhere import StrategyMaker, TablePhrases
from tests.builders import instrument, instruments

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
