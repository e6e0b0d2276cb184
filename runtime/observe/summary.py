"""What people see when a run is over: two columns of figures, and the tree of actors."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from actors.messages.account import TradingState
from runtime.observe.result import ActorRow, RunResult, Statistics, TradingFigures
from runtime.observe.times import iso_time, span

_MOST_ROWS = 5
_GOOD_STATES = frozenset({"running", "stopped", "starting", "stopping"})
Facts = list[tuple[str, str]]


def summary(result: RunResult, statistics: Statistics, folder: Path | None) -> RenderableType:
    """Return the figures of a run; at most 24 lines of 80 characters."""
    parts: list[RenderableType] = [
        Text(f"{result.name}: {result.mode}, seed {result.seed}, {result.reason}", style="bold"),
        _two_columns(_run_facts(result, statistics), _trading_facts(result, statistics)),
    ]
    parts += [Text(words, style="red", overflow="fold") for words in _troubles(result)]
    if statistics.strategies:
        parts.append(_strategies(statistics.strategies))
    if folder is not None:
        parts.append(Text(f"results  {folder}", overflow="fold"))
    return Group(*parts)


def _troubles(result: RunResult) -> list[str]:
    """Return what a reader of the figures should know before believing them."""
    words = []
    if result.malformed_lines:
        words.append(f"malformed lines left out: {result.malformed_lines:,}, see manifest.json")
    if result.book_gaps:
        words.append(f"gaps in books: {result.book_gaps:,}, not traded on until back in sync")
    if result.trading_state is not TradingState.ACTIVE:
        words.append(f"trading ended {result.trading_state}: {result.trading_state_cause}")
    if result.gave_up:
        words.append(f"stayed down after too many failures: {', '.join(result.gave_up)}")
    return words


def actor_tree(rows: Iterable[ActorRow]) -> Tree:
    """Return the supervision tree; the dots in the names say who is under whom."""
    nodes = {"": Tree("actors")}
    for row in rows:
        parent, _, own_name = row.name.rpartition(".")
        nodes[row.name] = _node(nodes, parent).add(_actor_line(own_name, row))
    return nodes[""]


def _node(nodes: dict[str, Tree], name: str) -> Tree:
    """Return the node of a name; one that no row has spoken of is made without words."""
    if name not in nodes:
        parent, _, own_name = name.rpartition(".")
        nodes[name] = _node(nodes, parent).add(Text(own_name, style="bold"))
    return nodes[name]


def _two_columns(left: Facts, right: Facts) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_header=False, pad_edge=False, width=79)
    for justify in ("left", "right", "left", "right"):
        table.add_column(justify="right" if justify == "right" else "left", no_wrap=True)
    for i in range(max(len(left), len(right))):
        table.add_row(*_fact(left, i), *_fact(right, i))
    return table


def _fact(facts: Facts, index: int) -> tuple[str, str]:
    return facts[index] if index < len(facts) else ("", "")


_REAL_TIME = ("paper", "live")


def _time_name(result: RunResult) -> str:
    return "time" if result.mode in _REAL_TIME else "virtual time"


def _run_facts(result: RunResult, statistics: Statistics) -> Facts:
    return [
        ("from", iso_time(result.started_ns)[:19]),
        ("to", iso_time(result.finished_ns)[:19]),
        (_time_name(result), span(result.finished_ns - result.started_ns)),
        ("market events", f"{result.events:,}"),
        ("orders", f"{statistics.trading.orders:,}"),
        ("fills", f"{statistics.trading.fills:,}"),
        ("signals refused", f"{statistics.signals_refused:,}"),
        ("restarts", f"{sum(row.restarts for row in result.actors):,}"),
        ("alerts", f"{len(result.alerts):,}"),
    ]


def _trading_facts(result: RunResult, statistics: Statistics) -> Facts:
    trading = statistics.trading
    return [
        ("starting cash", f"{_money(result.starting_cash)} {result.currency}"),
        ("final equity", f"{_money(statistics.final_equity)} {result.currency}"),
        ("return", _percent(statistics.total_return)),
        ("max drawdown", _percent(statistics.max_drawdown)),
        ("Sharpe, Sortino", f"{_number(statistics.sharpe)}, {_ratio(statistics, 'sortino_ratio')}"),
        ("realized P&L", _money(trading.realized_pnl)),
        ("unrealized P&L", _money(trading.unrealized_pnl)),
        ("fees", _money(trading.fees)),
        ("win rate", f"{_percent(trading.win_rate)} of {trading.round_trips:,}"),
    ]


def _strategies(strategies: Mapping[str, TradingFigures]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, width=79)
    table.add_column("strategy", no_wrap=True, overflow="ellipsis", ratio=1)
    for name in ("orders", "fills", "realized", "unrealized", "fees"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, figures in list(strategies.items())[:_MOST_ROWS]:
        table.add_row(
            name,
            f"{figures.orders:,}",
            f"{figures.fills:,}",
            _money(figures.realized_pnl),
            _money(figures.unrealized_pnl),
            _money(figures.fees),
        )
    if len(strategies) > _MOST_ROWS:
        table.add_row(f"and {len(strategies) - _MOST_ROWS} more in stats.json")
    return table


def _actor_line(name: str, row: ActorRow) -> Text:
    line = Text(name, style="bold")
    line.append(f"  {row.state}", style="green" if row.state in _GOOD_STATES else "red")
    words = []
    if row.restarts:
        words.append(f"{row.restarts} restarts")
    if row.handled or row.depth or row.dropped:
        words.append(f"{row.handled:,} handled, {row.depth:,} queued, {row.dropped:,} dropped")
    if row.oldest_age_ns is not None:
        words.append(f"oldest {span(row.oldest_age_ns)}")
    if row.failure:
        words.append(row.failure)
    if words:
        line.append(f"  {', '.join(words)}", style="default")
    return line


def _money(value: Decimal) -> str:
    return f"{value:,.2f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _ratio(statistics: Statistics, name: str) -> str:
    value = statistics.equity.get(name)
    return _number(value if isinstance(value, float) else None)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
