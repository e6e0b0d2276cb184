"""A strategy that is built in another interpreter: what is sent there, and what is not.

This module imports little, so that such an interpreter starts quickly.
"""

import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs

from actors.actor import Context
from actors.model.instrument import Instrument, Instruments
from actors.strategies.registry import resolve_strategy
from actors.strategies.strategy import Strategy, StrategyConfig

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

    def prepare(self) -> tuple[TablePhrases, Callable[[Context], Strategy]]:
        """Return an empty table to be filled by the parent, and what builds the strategy."""
        table = Instruments()
        cls = resolve_strategy(self.type)
        parameters = pickle.loads(self.parameters)
        setting = StrategyConfig(instruments=self.instruments, parameters=parameters)
        return TablePhrases(table), partial(cls, instruments=table, config=setting)
