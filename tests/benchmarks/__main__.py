"""``python -m tests.benchmarks``: every figure, its floor, the ratio and the bound; medians of 5.

Each group runs in a process of its own, so that memory figures are its own; floors are measured
in the same process, turn by turn with what stands on them.
"""

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from actors.strategies.average_cross import AverageCross
from tests.benchmarks.cells import burst_message, busy_message
from tests.benchmarks.floors import channel_hop, plain_bars, plain_quotes
from tests.benchmarks.journal import journal_throughput
from tests.benchmarks.recovery import recoveries
from tests.benchmarks.ring import (
    CASH,
    TEN_POLICIES,
    TICK,
    Requoter,
    SilentCross,
    bar_columns,
    blueprint,
    live_order,
    quote_columns,
    round_trips,
    timed,
)

ROUNDS = 5
QUOTES = 2_000_000
BARS = 525_600
ORDERS = 20_000
LIVE_ORDERS = 5_000
JOURNALED_ORDERS = 500
ENVELOPES = 1_000_000

Figures = dict[str, float]


def _quotes() -> Figures:
    columns = quote_columns(QUOTES)
    floor = plain_quotes(columns.a, columns.b)
    silent = timed(blueprint(columns, SilentCross))
    assert silent.orders == 0
    return {
        "plain loop, us/quote": floor / QUOTES * 1e6,
        "no trades, quotes/s": QUOTES / silent.seconds,
        "no trades / plain loop": silent.seconds / floor,
    }


def _trades() -> Figures:
    columns = quote_columns(QUOTES)
    cross = timed(blueprint(columns, AverageCross))
    return {
        "EMA cross, quotes/s": QUOTES / cross.seconds,
        "quotes per order": QUOTES / cross.orders,
    }


def _bars() -> Figures:
    columns = bar_columns(BARS)
    floor = plain_bars(columns.d, CASH, TICK)
    parameters = AverageCross.Parameters(
        fast=10, slow=50, average="sma", on="bar", quantity=Decimal(1)
    )
    cross = timed(blueprint(columns, AverageCross, parameters))
    assert cross.orders == floor.crosses + 1, "one order for each cross, one to close out"
    assert (cross.cash, cross.commission) == (floor.cash, floor.commission)
    return {
        "plain loop, us/bar": floor.seconds / BARS * 1e6,
        "SMA cross, bars/s": BARS / cross.seconds,
        "bars per order": BARS / cross.orders,
        "bars / plain loop": cross.seconds / floor.seconds,
    }


def _messages() -> Figures:
    hop = channel_hop()
    busy, burst = busy_message(), burst_message()
    return {
        "channel hop, us": hop * 1e6,
        "message, us": busy * 1e6,
        "message / hop": busy / hop,
        "message in a burst, us": burst * 1e6,
        "message in a burst / hop": burst / hop,
    }


def _orders() -> Figures:
    hop = channel_hop()
    figures = {"channel hop, us": hop * 1e6}
    for name, journal in (("no journal", False), ("sqlite", True)):
        timing = timed(round_trips(ORDERS), journal)
        assert timing.orders >= ORDERS
        assert timing.fills >= ORDERS
        seconds = timing.seconds / timing.orders
        figures[f"order, {name}, us"] = seconds * 1e6
        figures[f"order, {name} / hop"] = seconds / hop
    guarded = timed(round_trips(ORDERS, TEN_POLICIES))
    assert guarded.orders >= ORDERS
    assert guarded.fills >= ORDERS
    seconds = guarded.seconds / guarded.orders
    figures["order, ten policies, us"] = seconds * 1e6
    figures["order, ten policies / hop"] = seconds / hop
    live = live_order(LIVE_ORDERS)
    figures["order, live, us"] = live * 1e6
    figures["order, live / hop"] = live / hop
    return figures


def _maker() -> Figures:
    columns = quote_columns(QUOTES)
    floor = plain_quotes(columns.a, columns.b)
    maker = timed(blueprint(columns, Requoter))
    assert maker.orders == QUOTES // Requoter.Parameters().every
    assert maker.fills == 0
    return {
        "plain loop, us/quote": floor / QUOTES * 1e6,
        "passive maker, quotes/s": QUOTES / maker.seconds,
        "passive maker / plain loop": maker.seconds / floor,
    }


def _recovery() -> Figures:
    figures = {"journal, envelopes/s": journal_throughput(), **recoveries(ENVELOPES)}
    plain = live_order(JOURNALED_ORDERS)
    durable = live_order(JOURNALED_ORDERS, journal=True)
    figures["order, live and durable, us"] = durable * 1e6
    figures["the journal's share of it"] = 1 - plain / durable
    return figures


GROUPS: dict[str, Callable[[], Figures]] = {
    "messages": _messages,
    "orders": _orders,
    "quotes": _quotes,
    "bars": _bars,
    "trades": _trades,
    "maker": _maker,
    "recovery": _recovery,
}
ONCE = frozenset({"recovery"})
"""What takes too long to be measured more than once."""
BOUNDS = {
    "no trades / plain loop": 3.5,
    "bars / plain loop": 5.5,
    "message / hop": 1.5,
    "message in a burst / hop": 0.2,
    "order, no journal / hop": 6.0,
    "order, ten policies / hop": 10.0,
    "passive maker / plain loop": 8.0,
    "order, sqlite / hop": 12.0,
    "order, live / hop": 20.0,
    "recovery with snapshots, s": 2.0,
    "recovery without, s": 60.0,
}
"""The most that the median of a figure may be."""
LEAST = {"journal, envelopes/s": 10_000.0}
"""The least that it may be."""


def _measure(group: str) -> Figures:
    """Return the medians of a group's figures, and the process's peak memory."""
    rounds = [GROUPS[group]() for _ in range(1 if group in ONCE else ROUNDS)]
    figures = {name: median(each[name] for each in rounds) for name in rounds[0]}
    figures["peak memory, MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return figures


def _measured_apart(group: str) -> Figures:
    command = [sys.executable, "-m", "tests.benchmarks", group]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    figures: Figures = json.loads(done.stdout)
    return figures


def _table(results: dict[str, Figures]) -> Table:
    table = Table(title=f"medians of {ROUNDS}")
    for name, justify in (("group", "left"), ("figure", "left"), ("median", "right")):
        table.add_column(name, justify="right" if justify == "right" else "left")
    table.add_column("bound", justify="right")
    for group, figures in results.items():
        for name, value in figures.items():
            shown = f"{value:,.0f}" if value >= 1000 else f"{value:.3f}"
            table.add_row(group, name, shown, _verdict(name, value))
    return table


def _is_met(name: str, value: float) -> bool:
    return LEAST.get(name, value) <= value <= BOUNDS.get(name, value)


def _verdict(name: str, value: float) -> str:
    if name not in BOUNDS and name not in LEAST:
        return ""
    bound = f"{BOUNDS[name]}" if name in BOUNDS else f">= {LEAST[name]:,.0f}"
    return f"{bound} {'ok' if _is_met(name, value) else 'MISSED'}"


def main(arguments: list[str]) -> int:
    """Measure everything, or one group; return 1 if a bound is missed."""
    if arguments:
        print(json.dumps(_measure(arguments[0])))
        return 0
    results: dict[str, Any] = {group: _measured_apart(group) for group in GROUPS}
    Console(stderr=True).print(_table(results))
    print(json.dumps(results, indent=2))
    met = [_is_met(*each) for figures in results.values() for each in figures.items()]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
