"""The equity curve and the spread of the round trips, as pages that can be opened offline."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

from runtime.observe.result import RunResult, Statistics

_MOST_FILLS = 2_000
_BLUE, _RED, _GREEN = "#1f5fa8", "#b3392f", "#2c7a4b"


def write_equity_chart(path: Path, result: RunResult) -> None:
    """Write equity, drawdown and the fills' times; the script library goes beside the page.

    The figure is given as plain data: the library's classes would take longer to build than the
    run to finish.
    """
    _write(path, equity_figure(result), "equity")


def write_trades_chart(path: Path, result: RunResult, statistics: Statistics) -> None:
    """Write the histograms of the round trips and what each reason made."""
    _write(path, trades_figure(result, statistics), "trades")


def _write(path: Path, figure: dict[str, Any], name: str) -> None:
    from plotly.io import write_html  # type: ignore[import-untyped]

    write_html(
        figure,
        path,
        include_plotlyjs="directory",
        full_html=True,
        validate=False,
        div_id=name,
        config={"displaylogo": False, "responsive": True},
    )
    page = path.read_text(encoding="utf-8")
    title = f"<head><title>{escape(figure['layout']['title']['text'])}</title>"
    path.write_text(page.replace("<head>", title, 1), encoding="utf-8")


def trades_figure(result: RunResult, statistics: Statistics) -> dict[str, Any]:
    """Return the chart of the round trips: two histograms, and money by reason of entry."""
    reasons = statistics.trades_by.get("reason", {})
    data = [
        _histogram(statistics.distributions["pnl"], "P&L", ""),
        _histogram(statistics.distributions["return"], "return", "2"),
        {
            "type": "bar",
            "orientation": "h",
            "name": "by reason",
            "x": [figures["realized_pnl"] for figures in reasons.values()],
            "y": list(reasons),
            "xaxis": "x3",
            "yaxis": "y3",
            "marker": {
                "color": [
                    _GREEN if (figures["realized_pnl"] or 0) >= 0 else _RED
                    for figures in reasons.values()
                ]
            },
        },
    ]
    layout = {
        "title": {"text": f"{result.name}: round trips"},
        "showlegend": False,
        "xaxis": {"domain": [0.0, 0.46], "title": {"text": f"P&L ({result.currency})"}},
        "yaxis": {"domain": [0.58, 1.0], "title": {"text": "round trips"}},
        "xaxis2": {
            "domain": [0.54, 1.0],
            "anchor": "y2",
            "tickformat": ".1%",
            "title": {"text": "return"},
        },
        "yaxis2": {"domain": [0.58, 1.0], "anchor": "x2"},
        "xaxis3": {"anchor": "y3", "title": {"text": f"P&L by reason ({result.currency})"}},
        "yaxis3": {"domain": [0.0, 0.42], "anchor": "x3", "automargin": True},
    }
    return {"data": data, "layout": layout}


def _histogram(spread: Mapping[str, Sequence[float]], name: str, axis: str) -> dict[str, Any]:
    edges = spread["edges"]
    return {
        "type": "bar",
        "name": name,
        "x": [(low + high) / 2 for low, high in pairwise(edges)],
        "y": list(spread["counts"]),
        "width": [high - low for low, high in pairwise(edges)],
        "xaxis": f"x{axis}",
        "yaxis": f"y{axis}",
        "marker": {"color": _BLUE},
    }


def equity_figure(result: RunResult) -> dict[str, Any]:
    """Return the chart of a run: data and layout as plotly takes them."""
    times = [_moment(each.time_ns) for each in result.equity]
    equity = [float(each.equity) for each in result.equity]
    curve = {"type": "scatter", "mode": "lines", "x": times, "xaxis": "x"}
    data: list[dict[str, Any]] = [
        {**curve, "name": "equity", "y": equity, "line": {"color": _BLUE}},
        {
            **curve,
            "name": "drawdown",
            "y": _drawdowns(equity),
            "yaxis": "y2",
            "fill": "tozeroy",
            "line": {"color": _RED, "width": 1},
        },
        *_fill_marks(result),
    ]
    title = f"{result.name}: {result.mode}, seed {result.seed}"
    return {"data": data, "layout": _layout(title, result.currency)}


def _layout(title: str, currency: str) -> dict[str, Any]:
    return {
        "title": {"text": title},
        "hovermode": "x unified",
        "legend": {"orientation": "h"},
        "xaxis": {"anchor": "y2"},
        "yaxis": {"domain": [0.32, 1.0], "title": {"text": f"equity ({currency})"}},
        "yaxis2": {"domain": [0.0, 0.26], "title": {"text": "drawdown"}, "tickformat": ".1%"},
    }


def _fill_marks(result: RunResult) -> list[dict[str, Any]]:
    """Return one trace of marks for each side: at the equity that was sampled last."""
    if not result.equity or len(result.fills) > _MOST_FILLS:
        return []
    samples = [(each.time_ns, float(each.equity)) for each in result.equity]
    points: dict[str, list[tuple[str, float, str]]] = {"BUY": [], "SELL": []}
    position = 0
    for row in result.fills:
        while position + 1 < len(samples) and samples[position + 1][0] <= row.time_ns:
            position += 1
        fill = row.fill
        label = f"{fill.side} {fill.last_quantity} {fill.instrument} at {fill.last_price}"
        points[fill.side].append((_moment(row.time_ns), samples[position][1], label))
    shapes = {"BUY": ("triangle-up", _GREEN), "SELL": ("triangle-down", _RED)}
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": f"{side.lower()} fills",
            "x": [each[0] for each in points[side]],
            "y": [each[1] for each in points[side]],
            "text": [each[2] for each in points[side]],
            "marker": {"symbol": symbol, "color": color, "size": 8},
        }
        for side, (symbol, color) in shapes.items()
        if points[side]
    ]


def _drawdowns(equity: list[float]) -> list[float]:
    peak = 0.0
    falls: list[float] = []
    for value in equity:
        peak = max(peak, value)
        falls.append(value / peak - 1 if peak > 0 else 0.0)
    return falls


def _moment(time_ns: int) -> str:
    """Return a time to the microsecond, as the chart's axis understands it."""
    seconds, fraction = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}.{fraction // 1000:06d}"
