"""Built-in strategies with parameters for a purpose, by name.

A configuration says ``preset: market_analysis`` in place of a type; what else it says of the
parameters goes before the preset's.
"""

from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from types import MappingProxyType
from typing import Any

import attrs

from actors.model.money import NANOSECONDS
from actors.strategies.average_cross import AverageCross
from actors.strategies.event_log import EventLog
from actors.strategies.market_analysis import MarketAnalysis
from actors.strategies.market_maker import MarketMaker
from actors.strategies.strategy import StrategyConfig
from actors.strategies.yes_no import YesNo


@attrs.frozen
class StrategyPreset:
    """A built-in strategy (``type`` is its short name) and its parameters."""

    type: str
    parameters: Any

    def config(self, instruments: tuple[str, ...] = ()) -> StrategyConfig:
        """Return what a strategy is built with; no instruments means every one."""
        return StrategyConfig(instruments=instruments, parameters=self.parameters)


PRESETS: Mapping[str, StrategyPreset] = MappingProxyType(
    {
        "market_analysis": StrategyPreset(
            "market_analysis",
            MarketAnalysis.Parameters(
                one_sided=True,
                stale_side_ns=30 * NANOSECONDS,
                cooldown_ns=10 * NANOSECONDS,
                outputs=("alert", "log"),
                report_every_ns=60 * NANOSECONDS,
                summary=True,
            ),
        ),
        "event_log": StrategyPreset(
            "event_log",
            EventLog.Parameters(
                samples={"connection": 1, "resolution": 1, "order": 1, "fill": 1, "refusal": 1}
            ),
        ),
        "close_cross": StrategyPreset(
            "average_cross",
            AverageCross.Parameters(
                fast=1,
                slow=15,
                average="sma",
                on="bar",
                allow_short=False,
                wait_for_cross=True,
            ),
        ),
        "pure_arbitrage": StrategyPreset(
            "yes_no", YesNo.Parameters(inventory=False, max_loss=None, lock_profit=None)
        ),
        "cautious_maker": StrategyPreset(
            "market_maker",
            MarketMaker.Parameters(
                fair="microprice",
                spread_bps=Decimal(100),
                skew_bps=Decimal(100),
                refresh_ticks=2,
                max_quote_age_ns=2 * NANOSECONDS,
            ),
        ),
    }
)
"""By name."""


def strategy_preset(name: str) -> StrategyPreset:
    """Return a preset.

    Raises:
        ValueError: If there is none of this name: says what there is, and what is nearest.
    """
    if name in PRESETS:
        return PRESETS[name]
    close = get_close_matches(name, list(PRESETS), n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"preset {name!r}: expected one of {', '.join(PRESETS)}{hint}")


def default_strategies() -> dict[str, StrategyPreset]:
    """Return what watches a run without trading, by the names they get in it."""
    return {name: PRESETS[name] for name in ("market_analysis", "event_log")}
