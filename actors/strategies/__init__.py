"""What trades: the base of all strategies, and the built-in ones by name."""

from actors.strategies.presets import StrategyPreset, default_strategies, strategy_preset
from actors.strategies.registry import STRATEGIES, resolve_strategy
from actors.strategies.strategy import Strategy, StrategyConfig

__all__ = [
    "STRATEGIES",
    "Strategy",
    "StrategyConfig",
    "StrategyPreset",
    "default_strategies",
    "resolve_strategy",
    "strategy_preset",
]
