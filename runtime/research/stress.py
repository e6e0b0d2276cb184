"""How much of a result depends on what execution costs: the same run with two other brokers.

The configuration is run once with the broker preset ``conservative`` and once with ``realistic``,
in place of its own broker; everything else stays, the seed too. What lies between the two results
is the gap: a strategy that is good only with the cheaper broker is not good.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from actors.brokers.presets import PRESETS
from actors.model.money import ZERO, plain
from actors.model.order import Liquidity
from runtime.config.document import Document
from runtime.config.model import BrokerConfig, RunConfig
from runtime.config.problems import Problems
from runtime.config.structure import structure
from runtime.observe.result import ExitCode, RunResult
from runtime.research.statistics import statistics

STRESS_PRESETS = ("conservative", "realistic")

RunOne = Callable[[str, RunConfig], RunResult]
"""Runs a configuration to its end; the text is the name of the preset in it."""


@attrs.frozen(kw_only=True)
class StressFigures:
    """What one of the runs came to. Money is exact and in the account's currency.

    Attributes:
        final_equity: Cash and open positions at their marks, at the end.
        total_return: Final equity per starting cash, less 1; None without cash.
        max_drawdown: The deepest fall of the equity curve below its peak, from -1 to 0.
        fees: Commissions paid.
        slippage_cost: By how much the executions were worse than the price that the market showed
            when their order was approved, times quantity; below 0 if they were better. Executions
            whose order knew no such price are left out.
        orders: Orders received.
        fills: Executions, settlements included.
        exit_code: What the run alone would have ended with.
        reason: Why it ended.
    """

    final_equity: Decimal
    total_return: float | None
    max_drawdown: float
    fees: Decimal
    slippage_cost: Decimal
    orders: int
    fills: int
    exit_code: ExitCode
    reason: str


@attrs.frozen(kw_only=True)
class Stress:
    """The runs side by side: ``conservative`` and ``realistic``, in this order."""

    name: str
    seed: int
    currency: str
    runs: Mapping[str, StressFigures]

    @property
    def exit_code(self) -> ExitCode:
        """Return the worse of both runs' codes."""
        return max(figures.exit_code for figures in self.runs.values())

    @property
    def gap(self) -> dict[str, Any]:
        """Return each figure's difference: conservative less realistic."""
        low, high = (self.runs[preset] for preset in STRESS_PRESETS)
        returns = low.total_return, high.total_return
        return {
            "final_equity": low.final_equity - high.final_equity,
            "return": None if None in returns else returns[0] - returns[1],  # type: ignore[operator]
            "max_drawdown": low.max_drawdown - high.max_drawdown,
            "fees": low.fees - high.fees,
            "slippage_cost": low.slippage_cost - high.slippage_cost,
            "orders": low.orders - high.orders,
            "fills": low.fills - high.fills,
        }


def stress(config: RunConfig, run_one: RunOne) -> Stress:
    """Run a configuration with each of the two presets in place of its broker.

    Args:
        config: What to run.
        run_one: Runs one of the two, with a folder of its own or none.

    Raises:
        ConfigError: If a component's options are wrong.
    """
    runs: dict[str, StressFigures] = {}
    for preset in STRESS_PRESETS:
        stressed = with_broker(config, preset)
        runs[preset] = _figures(stressed, run_one(preset, stressed))
    return Stress(name=config.name, seed=config.seed, currency=config.portfolio.currency, runs=runs)


def with_broker(config: RunConfig, preset: str) -> RunConfig:
    """Return a configuration with a preset's broker in place of its own."""
    problems = Problems(Document(file=f"preset {preset}"))
    plain_broker = {**PRESETS[preset](), "preset": preset}
    broker = structure(BrokerConfig, plain_broker, "broker", problems)
    problems.raise_if_any()
    assert broker is not None
    return attrs.evolve(config, broker=broker)


def _figures(config: RunConfig, result: RunResult) -> StressFigures:
    figures = statistics(result)
    return StressFigures(
        final_equity=figures.final_equity,
        total_return=figures.total_return,
        max_drawdown=figures.max_drawdown,
        fees=figures.trading.fees,
        slippage_cost=slippage_cost(config, result),
        orders=figures.trading.orders,
        fills=figures.trading.fills,
        exit_code=result.exit_code,
        reason=result.reason,
    )


def slippage_cost(config: RunConfig, result: RunResult) -> Decimal:
    """Return what executions away from the orders' arrival prices came to (see StressFigures)."""
    orders = {row.order.client_order_id: row.order for row in result.orders}
    multipliers = {str(each.id): each.multiplier for each in config.instruments}
    cost = ZERO
    for row in result.fills:
        fill = row.fill
        order = orders.get(fill.client_order_id)
        if order is None or order.arrival_price is None or fill.liquidity in _NO_TRADES:
            continue
        worse = (fill.last_price - order.arrival_price) * fill.side.sign
        cost += worse * fill.last_quantity * multipliers.get(fill.instrument, Decimal(1))
    return cost


_NO_TRADES = (Liquidity.SETTLEMENT, Liquidity.CONVERSION)


# --- for people and for machines -----------------------------------------------------------------


def to_json(found: Stress) -> dict[str, Any]:
    """Return the runs and the gap as plain JSON data: money as text, ratios as numbers or null."""
    return {
        "name": found.name,
        "seed": found.seed,
        "currency": found.currency,
        **{
            preset: {
                **_plain(_comparable(figures)),
                "exit_code": int(figures.exit_code),
                "reason": figures.reason,
            }
            for preset, figures in found.runs.items()
        },
        "gap": _plain(found.gap),
    }


def _comparable(figures: StressFigures) -> dict[str, Any]:
    found = attrs.asdict(figures)
    found["return"] = found.pop("total_return")
    return {key: found[key] for key in _WORDS}


def _plain(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: plain(value) if isinstance(value, Decimal) else value for key, value in figures.items()
    }


_WORDS = {
    "final_equity": "final equity",
    "return": "return",
    "max_drawdown": "max drawdown",
    "fees": "fees",
    "slippage_cost": "slippage cost",
    "orders": "orders",
    "fills": "fills",
}


def stress_table(found: Stress) -> RenderableType:
    """Return the runs side by side, and the gap; at most 14 lines of 80 characters."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, width=79)
    table.add_column(found.currency, no_wrap=True)
    for name in (*found.runs, "gap"):
        table.add_column(name, justify="right", no_wrap=True)
    columns = [*(_comparable(figures) for figures in found.runs.values()), found.gap]
    for key, words in _WORDS.items():
        table.add_row(words, *(_shown(column[key]) for column in columns))
    parts: list[RenderableType] = [
        Text(f"{found.name}: stress, seed {found.seed}", style="bold"),
        table,
    ]
    parts += [
        Text(f"{preset}: {figures.reason}", style="red", overflow="fold")
        for preset, figures in found.runs.items()
        if figures.exit_code is not ExitCode.GOOD
    ]
    return Group(*parts)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, Decimal):
        return f"{value:,.2f}"
    return f"{value:.2%}" if isinstance(value, float) else f"{value:,}"
