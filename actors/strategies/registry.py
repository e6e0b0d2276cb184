"""Finds a strategy by the name that a configuration gives it."""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from importlib.abc import Loader
from pathlib import Path
from types import ModuleType

from actors.errors import StrategyNotFound
from actors.strategies.average_cross import AverageCross
from actors.strategies.event_log import EventLog
from actors.strategies.market_analysis import MarketAnalysis
from actors.strategies.market_maker import MarketMaker
from actors.strategies.momentum import Momentum
from actors.strategies.outcome_arbitrage import OutcomeArbitrage
from actors.strategies.strategy import Strategy
from actors.strategies.yes_no import YesNo

STRATEGIES: dict[str, type[Strategy]] = {
    "average_cross": AverageCross,
    "event_log": EventLog,
    "market_analysis": MarketAnalysis,
    "market_maker": MarketMaker,
    "momentum": Momentum,
    "outcome_arbitrage": OutcomeArbitrage,
    "yes_no": YesNo,
}
"""The built-in strategies."""
OTHER_NAMES = {
    "MovingAverageCrossover": "average_cross",
    "MarketAnalysisStrategy": "market_analysis",
    "LoggingStrategy": "event_log",
}
"""What other systems call some of them."""


def resolve_strategy(name: str) -> type[Strategy]:
    """Return the strategy of a name.

    Args:
        name: A built-in one (see ``STRATEGIES`` and ``OTHER_NAMES``), ``package.module:Class``, or
            ``path/to/file.py:Class``.

    Raises:
        StrategyNotFound: If there is none: says what there is, and what is nearest.
    """
    if ":" not in name:
        name = OTHER_NAMES.get(name, name)
        if name in STRATEGIES:
            return STRATEGIES[name]
        expected = ", ".join(STRATEGIES)
        raise StrategyNotFound(
            f"strategy {name!r}: expected one of {expected}, or package.module:Class, "
            f"or path/to/file.py:Class{_hint(name, STRATEGIES)}"
        )
    place, _, class_name = name.rpartition(":")
    module = _load_file(Path(place)) if place.endswith(".py") else _load_module(place)
    return _strategy_of(module, place, class_name)


def _load_module(place: str) -> ModuleType:
    try:
        return importlib.import_module(place)
    except (ImportError, SyntaxError, ValueError) as error:
        raise StrategyNotFound(f"strategy module {place!r} cannot be imported: {error}") from error


def _load_file(path: Path) -> ModuleType:
    """Return the module of a file; the same one each time, so that its classes stay the same."""
    resolved = path.resolve()
    digest = hashlib.sha256(str(resolved).encode()).hexdigest()[:8]
    module_name = f"{path.stem}_{digest}"
    if module_name in sys.modules:
        return sys.modules[module_name]
    if not resolved.is_file():
        raise StrategyNotFound(f"strategy file {path} does not exist")
    spec = importlib.util.spec_from_file_location(module_name, resolved)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        _execute(module, spec.loader)
    except (ImportError, SyntaxError) as error:
        raise StrategyNotFound(f"strategy file {path} cannot be imported: {error}") from error
    return module


def _execute(module: ModuleType, loader: Loader) -> None:
    """Run a module's code; it stays known only if that succeeds."""
    sys.modules[module.__name__] = module
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[module.__name__]
        raise


def _strategy_of(module: ModuleType, place: str, class_name: str) -> type[Strategy]:
    found = getattr(module, class_name, None)
    if isinstance(found, type) and issubclass(found, Strategy):
        return found
    choices = [
        name
        for name, value in sorted(vars(module).items())
        if isinstance(value, type)
        and issubclass(value, Strategy)
        and value.__module__ == module.__name__
    ]
    expected = f"one of {', '.join(choices)}" if choices else "a subclass of Strategy, it has none"
    raise StrategyNotFound(
        f"strategy {class_name!r} of {place}: expected {expected}{_hint(class_name, choices)}"
    )


def _hint(name: str, choices: Iterable[str]) -> str:
    close = get_close_matches(name, list(choices), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
