"""Ready-made simulated brokers, as plain mappings such as a configuration file holds them.

================ ====================================================================
preset           what it is for
================ ====================================================================
conservative     higher costs than one expects: 0.2 % commission, 0.1 % slippage
realistic        tiered commission, impact by the share of the volume
high_frequency   free trades and a delay of microseconds: what speed alone would bring
passthrough      every order fills at once, whole and free: to try out what decides
================ ====================================================================

The names, parameters and defaults of the builders are those of an execution module that its users
know. Beyond these, an order of the first two gets at most a tenth of a bar's volume or of a quoted
size, and meets the next bar: ``conservative`` at its worst price, ``realistic`` at its open.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from actors.brokers.models.commission import COMMISSION_ALIASES, DEFAULT_TIERS
from actors.brokers.models.slippage import SLIPPAGE_ALIASES

Number = Decimal | int | float | str
Plain = dict[str, Any]

_SHARE = "0.1"

MODEL_ALIASES: Mapping[str, tuple[str, ...]] = {**COMMISSION_ALIASES, **SLIPPAGE_ALIASES}


def build_conservative_backtest_config(
    commission_rate: Number = "0.002",
    slippage_rate: Number = "0.001",
    module_id: str = "conservative_execution",
) -> Plain:
    """Return a broker that costs more than one expects.

    In bars orders trade at the worst price: a purchase at the high, a sale at the low.

    Args:
        commission_rate: Fraction of the value of each trade; 0.002 is 0.2 %.
        slippage_rate: How much worse than shown each trade is that takes; 0.001 is 0.1 %.
        module_id: The venue's name in the reports.
    """
    return {
        "type": "simulated",
        "venue": module_id,
        "bars": "conservative",
        "max_volume_pct": _SHARE,
        "commission": {"type": "percentage", "rate": _text(commission_rate)},
        "slippage": {"type": "fixed_pct", "price_impact": _text(slippage_rate)},
    }


def build_realistic_backtest_config(
    commission_tiers: Sequence[tuple[Number, Number]] | None = None,
    slippage_model: str = "volume_impact",
    module_id: str = "realistic_execution",
) -> Plain:
    """Return a broker whose costs depend on what is traded.

    Args:
        commission_tiers: ``(from which value of a trade, fraction)``; None for 0.3 % below 1,000,
            0.2 % from there, 0.1 % from 10,000 on.
        slippage_model: Its name in configurations.
        module_id: The venue's name in the reports.
    """
    tiers = DEFAULT_TIERS if commission_tiers is None else commission_tiers
    return {
        "type": "simulated",
        "venue": module_id,
        "bars": "next_open",
        "max_volume_pct": _SHARE,
        "commission": {
            "type": "tiered",
            "tiers": [[_text(amount), _text(rate)] for amount, rate in tiers],
        },
        "slippage": {"type": slippage_model},
    }


def build_high_frequency_config(
    ultra_low_latency: bool = True, module_id: str = "hf_execution"
) -> Plain:
    """Return a broker that is near.

    Args:
        ultra_low_latency: Whether each way takes 50 microseconds; if not, 1 millisecond.
        module_id: The venue's name in the reports.
    """
    way = "50us" if ultra_low_latency else "1ms"
    return {
        "type": "simulated",
        "venue": module_id,
        "latency": {"type": "constant", "submit": way, "cancel": way, "report": way},
    }


def _passthrough() -> Plain:
    return {"type": "passthrough"}


def _text(number: Number) -> str:
    """Return a number as it reads: exact for decimals, as short as possible for floats."""
    return str(number)


PRESETS: Mapping[str, Callable[[], Plain]] = {
    "conservative": build_conservative_backtest_config,
    "realistic": build_realistic_backtest_config,
    "high_frequency": build_high_frequency_config,
    "passthrough": _passthrough,
}
"""What builds each preset, by its name in configurations."""


def with_preset(preset: Mapping[str, Any], own: Mapping[str, Any]) -> Plain:
    """Return a preset with some keys of one's own, which go before it.

    A model's options are put together key by key, as long as both mean the same model.
    """
    merged = {**preset, **own}
    for kind in ("latency", "commission", "slippage"):
        given, mine = preset.get(kind), own.get(kind)
        if isinstance(given, Mapping) and isinstance(mine, Mapping):
            merged[kind] = {**given, **mine} if _is_same(given["type"], mine) else mine
    return merged


def _is_same(name: str, mine: Mapping[str, Any]) -> bool:
    """Return whether one's own options are for the model of that name."""
    own = mine.get("type", name)
    return own == name or name in MODEL_ALIASES.get(str(own), ())
