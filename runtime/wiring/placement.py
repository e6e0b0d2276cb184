"""Strategies in threads and processes of their own: what a configuration asks for, put together."""

import pickle
from collections.abc import Callable

from actors.actor import Context
from actors.model.instrument import Instruments
from actors.strategies import StrategyConfig as StrategySetting
from actors.strategies import resolve_strategy
from actors.strategies.elsewhere import StrategyMaker, TablePhrases
from runtime.config.model import Placement, StrategyConfig
from runtime.kernel.clock import NANOSECONDS
from runtime.kernel.placement.away import Away, InProcess, InThread
from runtime.kernel.placement.process import PlacedCore, PlacedVectorised, Remote


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
