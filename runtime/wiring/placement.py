"""Strategies in threads and processes of their own: what a configuration asks for, put together."""

import pickle
from collections.abc import Callable
from typing import Any

from actors.actor import Context
from actors.model.instrument import Instruments
from actors.strategies import StrategyConfig as StrategySetting
from actors.strategies import resolve_strategy
from actors.strategies.elsewhere import StrategyMaker, TablePhrases
from actors.strategies.warming import Past, PastShown
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
        setting: Its instruments, its parameters, and what it is warmed with.
        table: The run's instruments; what feeds add later reaches the process too.
    """
    maker = StrategyMaker(name, setting.instruments, pickle.dumps(setting.parameters))
    cls = resolve_strategy(name)
    is_vectorised, past = hasattr(cls, "on_slice"), setting.past

    def make(context: Context) -> PlacedCore:
        remote = Remote(maker, TablePhrases(table), context)
        if past is None:
            return PlacedVectorised(remote) if is_vectorised else PlacedCore(remote)
        return (_WarmedVectorised if is_vectorised else _Warmed)(remote, past)

    return make


class _Warmed(PlacedCore):
    """Stands in for a strategy that is warmed: the rows are read here and shown there.

    They may name instruments that only this side knows so far.
    """

    def __init__(self, remote: Remote, past: Past) -> None:
        super().__init__(remote)
        self._past = past
        self._is_restored = False

    def reinstate(self, snapshot: Any) -> None:
        """Have the core go back to a snapshot; one with its own state needs no warming."""
        super().reinstate(snapshot)
        self._is_restored = snapshot["own"] is not None

    def _start(self, now_ns: int) -> list[Any]:
        outputs = super()._start(now_ns)
        if not self._is_restored:
            for rows in self._past(now_ns):
                self._ask("handle", PastShown(rows), now_ns)
            outputs += self._ask("handle", PastShown(None), now_ns)
        return outputs


class _WarmedVectorised(_Warmed, PlacedVectorised):
    """The same for one that works on whole columns."""


def away_of(strategy: StrategyConfig) -> Away | None:
    """Return how a strategy is called in real time; None for in the event loop."""
    deadline_s = strategy.deadline_ns / NANOSECONDS
    if strategy.placement is Placement.PROCESS:
        return InProcess(deadline_s, strategy.heartbeat_ns / NANOSECONDS)
    if strategy.placement is Placement.THREAD:
        return InThread(strategy.name, deadline_s)
    return None
