"""Strategies in threads and processes of their own: what a configuration asks for, put together."""

import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs

from actors.actor import Context, Core
from actors.model.instrument import Instrument, Instruments
from actors.strategies import StrategyConfig as StrategySetting
from actors.strategies import resolve_strategy
from runtime.config.model import Placement, StrategyConfig
from runtime.kernel.clock import NANOSECONDS
from runtime.kernel.placement.away import Away, InProcess, InThread
from runtime.kernel.placement.pipe import Phrases
from runtime.kernel.placement.process import PlacedCore, PlacedVectorised, Remote

_TABLE = "instruments"


class TablePhrases:
    """Calls instruments by their index: both sides have the same table, the parent's first."""

    def __init__(self, table: Instruments) -> None:
        self._table = table
        self._told = 0

    def name_of(self, each: Any) -> Any:
        """Return the index of an instrument; None for what is no part of the table."""
        if isinstance(each, Instrument):
            is_ours = self._table.get(each.id) is each
            return self._table.index(each.id) if is_ours else None
        return _TABLE if each is self._table else None

    def named(self, name: Any) -> Any:
        """Return the instrument of an index, or the table."""
        return self._table if name == _TABLE else self._table[name]

    def news(self) -> bytes:
        """Return the instruments that were added since it was asked last."""
        if self._told == len(self._table):
            return b""
        added = [self._table[index] for index in range(self._told, len(self._table))]
        self._told = len(self._table)
        return pickle.dumps(added)

    def learn(self, news: bytes) -> None:
        """Add the other side's instruments."""
        for instrument in pickle.loads(news):
            self._table.add(instrument)


@attrs.frozen
class StrategyMaker:
    """Builds a strategy in another interpreter.

    ``parameters`` are pickled by themselves: their class is known there only once the strategy's
    module has been found.
    """

    type: str
    instruments: tuple[str, ...]
    parameters: bytes

    def prepare(self) -> tuple[Phrases, Callable[[Context], Core]]:
        """Return an empty table to be filled by the parent, and what builds the strategy."""
        table = Instruments()
        cls = resolve_strategy(self.type)
        parameters = pickle.loads(self.parameters)
        setting = StrategySetting(instruments=self.instruments, parameters=parameters)
        return TablePhrases(table), partial(cls, instruments=table, config=setting)


def placed_maker(
    name: str, setting: StrategySetting, table: Instruments
) -> Callable[[Context], PlacedCore]:
    """Return what builds a stand-in for a strategy in a process of its own.

    Args:
        name: The strategy's type, as :func:`resolve_strategy` takes it.
        setting: Its instruments and parameters.
        table: The run's instruments; what feeds add later reaches the process too.
    """
    maker = StrategyMaker(name, setting.instruments, pickle.dumps(setting.parameters))
    cls = resolve_strategy(name)
    kind = PlacedVectorised if hasattr(cls, "on_slice") else PlacedCore

    def make(context: Context) -> PlacedCore:
        return kind(Remote(maker, TablePhrases(table), context))

    return make


def away_of(strategy: StrategyConfig) -> Away | None:
    """Return how a strategy is called in real time; None for in the event loop."""
    deadline_s = strategy.deadline_ns / NANOSECONDS
    if strategy.placement is Placement.PROCESS:
        return InProcess(deadline_s, strategy.heartbeat_ns / NANOSECONDS)
    if strategy.placement is Placement.THREAD:
        return InThread(strategy.name, deadline_s)
    return None
