"""What people see when a run is over."""

import io
from decimal import Decimal
from pathlib import Path

from rich.console import Console, RenderableType

from actors.messages.system import ActorGaveUp
from runtime.observe.result import ActorRow, FeedRow, SystemRow
from runtime.observe.summary import actor_tree, summary
from runtime.observe.times import clock_time, iso_time, span
from runtime.research.statistics import statistics
from tests.builders import START_NS
from tests.runtime.results import buy, order_row, run_result, sell


def _lines(renderable: RenderableType) -> list[str]:
    console = Console(file=io.StringIO(), width=80, color_system=None)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_the_summary_fits_a_terminal_of_80_by_24() -> None:
    fills = tuple(buy("1000", "1234.5", "0.5", strategy=f"strategy-{i}") for i in range(9))
    result = run_result(
        fills=fills, starting_cash=Decimal("123456789.12"), currency="USDC", events=12_345_678
    )
    lines = _lines(summary(result, statistics(result), Path("runs") / ("x" * 60)))

    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert any("and 4 more in stats.json" in line for line in lines)


def test_the_summary_tells_the_figures() -> None:
    result = run_result(
        fills=(buy("10", "1", "0.5"), sell("10", "2")),
        orders=(order_row(),),
        refusals={"CashLimit": 3},
        actors=(ActorRow(name="root", state="running", restarts=2),),
    )
    text = "\n".join(_lines(summary(result, statistics(result), None)))

    assert text.startswith("quickstart: simulate, seed 7, the market data ended")
    for words in ("1,009.50 USD", "0.95%", "100.00% of 1", "10.00", "1.0 min"):
        assert words in text
    assert "results" not in text


def test_the_summary_warns_of_what_the_figures_do_not_tell() -> None:
    gave_up = SystemRow(time_ns=START_NS, event=ActorGaveUp(actor="cross", reason="too often"))
    feed = FeedRow(name="tape", summary={"malformed": 3, "gaps": 2})
    result = run_result(feeds=(feed,), system=(gave_up,))
    text = "\n".join(_lines(summary(result, statistics(result), None)))

    assert "malformed lines left out: 3," in text
    assert "gaps in books: 2," in text
    assert "stayed down after too many failures: cross" in text


def test_a_run_that_did_nothing_shows_dashes() -> None:
    result = run_result()
    text = "\n".join(_lines(summary(result, statistics(result), None)))

    assert "Sharpe" in text
    assert "- of 0" in text
    assert "strategy " not in text


def test_the_tree_of_actors_hangs_together_by_the_dots_of_the_names() -> None:
    rows = (
        ActorRow(name="root", state="running"),
        ActorRow(name="root.strategies", state="running"),
        ActorRow(
            name="root.strategies.cross",
            state="gave_up",
            restarts=3,
            depth=4,
            dropped=1,
            oldest_age_ns=5_000_000,
            failure="ValueError: [bold]boom",
        ),
        ActorRow(name="elsewhere.alone", state="running"),
    )

    assert _lines(actor_tree(rows)) == [
        "actors",
        "├── root  running",
        "│   └── strategies  running",
        "│       └── cross  gave_up  3 restarts, 0 handled, 4 queued, 1 dropped, oldest",
        "│           5.0 ms, ValueError: [bold]boom",
        "└── elsewhere",
        "    └── alone  running",
    ]


def test_times_are_shown_in_utc_with_nanoseconds_where_there_are_any() -> None:
    assert iso_time(START_NS) == "2023-11-14T22:13:20Z"
    assert iso_time(START_NS + 7) == "2023-11-14T22:13:20.000000007Z"
    assert clock_time(START_NS + 7) == "22:13:20.000000007"
    assert iso_time(-1) == "1969-12-31T23:59:59.999999999Z"


def test_spans_are_shown_in_the_unit_they_fill() -> None:
    spans = [span(each) for each in (0, 999, 1_500, 2_000_000, 90 * 10**9, 36 * 3600 * 10**9)]

    assert spans == ["0 ns", "999 ns", "1.5 us", "2.0 ms", "1.5 min", "1.5 d"]
