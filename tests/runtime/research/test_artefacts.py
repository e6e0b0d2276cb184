"""The folder of a run."""

import csv
import json
from decimal import Decimal
from pathlib import Path

import attrs
import msgspec
import pytest

from actors.model.order import Liquidity, OrderStatus
from runtime.observe.result import ExitCode, FeedRow, RunResult
from runtime.research.artefacts import (
    make_run_folder,
    manifest,
    newest_run,
    package_version,
    versions,
    write_artefacts,
)
from runtime.research.charts import equity_figure
from runtime.research.statistics import statistics
from runtime.research.tables import write_orders
from tests.builders import START_NS
from tests.runtime.results import buy, curve, held, order_row, run_result, sell

_NOON_NS = 1_768_478_400_000_000_000


def _folder(base: Path, name: str = "quickstart") -> Path:
    return make_run_folder(base, started_ns=_NOON_NS + 5, mode="simulate", name=name)


def _written(folder: Path, result: RunResult) -> Path:
    write_artefacts(folder, result, statistics(result))
    return folder


def test_the_folder_tells_time_mode_and_name(tmp_path: Path) -> None:
    assert _folder(tmp_path / "runs").name == "20260115T120000Z-simulate-quickstart"


def test_two_runs_of_one_second_get_folders_of_their_own(tmp_path: Path) -> None:
    first, second, third = (_folder(tmp_path) for _ in range(3))

    assert second.name == f"{first.name}-2"
    assert third.name == f"{first.name}-3"
    assert newest_run(tmp_path) == third


def test_latest_is_text_where_links_are_not_to_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    folder = _folder(tmp_path)

    assert (tmp_path / "latest").read_text() == folder.name
    assert newest_run(tmp_path) == folder


def test_no_run_is_newest_where_there_is_none(tmp_path: Path) -> None:
    assert newest_run(tmp_path) is None
    (tmp_path / "latest").symlink_to("gone", target_is_directory=True)
    assert newest_run(tmp_path) is None
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").write_text("gone")
    assert newest_run(tmp_path) is None


def test_positions_cash_and_fees_follow_from_the_table_of_fills_alone(tmp_path: Path) -> None:
    fills = (
        buy("10", "0.1", "0.001", strategy="a"),
        buy("0.000001", "123456.789", "1E-9", strategy="b", reason='said "go", twice'),
        sell("4", "0.3", "0.002", strategy="a"),
        sell("6", "1", strategy="a", liquidity=Liquidity.SETTLEMENT),
    )
    result = run_result(fills=fills)
    folder = _written(tmp_path, result)

    cash, fees, positions = Decimal(1000), Decimal(0), {"a": Decimal(0), "b": Decimal(0)}
    with (folder / "fills.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            signed = Decimal(row["quantity"]) * (1 if row["side"] == "BUY" else -1)
            positions[row["strategy"]] += signed
            cash -= signed * Decimal(row["price"]) + Decimal(row["commission"])
            fees += Decimal(row["commission"])

    assert positions == {"a": Decimal(0), "b": Decimal("0.000001")}
    assert cash == statistics(result).final_cash
    assert fees == Decimal("0.003000001")


def test_the_table_of_fills_is_plain_text_without_exponents(tmp_path: Path) -> None:
    folder = _written(tmp_path, run_result(fills=(buy("1E+3", "1E-9", at_s=1),)))

    header, row = (folder / "fills.csv").read_text().splitlines()
    assert header == (
        "time_ns,time,client_order_id,trade_id,venue,strategy,instrument,side,"
        "quantity,price,commission,liquidity,reason"
    )
    assert row.startswith("1700000001000000000,2023-11-14T22:13:21Z,run-cross-")
    assert row.endswith("BUY,1000,0.000000001,0,TAKER,")


def test_the_table_of_orders_says_how_far_they_came(tmp_path: Path) -> None:
    rows = (
        order_row("1", filled="3", cost="1", limit="0.5"),
        order_row("2", status=OrderStatus.REJECTED),
    )
    write_orders(tmp_path / "orders.csv", rows)

    with (tmp_path / "orders.csv").open(newline="") as file:
        filled, rejected = csv.DictReader(file)
    assert (filled["filled_cost"], filled["average_price"]) == ("1", "0.3333333333")
    assert (filled["limit_price"], filled["status"]) == ("0.5", "FILLED")
    assert (rejected["average_price"], rejected["limit_price"]) == ("", "")
    assert rejected["signal_reason"] == "fast above slow"


def test_the_table_of_orders_has_the_price_at_which_a_stop_wakes_up(tmp_path: Path) -> None:
    row = order_row("1", limit="0.5")
    stop = msgspec.structs.replace(row.order, stop_price=Decimal("0.60"))
    write_orders(tmp_path / "orders.csv", (row, attrs.evolve(row, order=stop)))

    with (tmp_path / "orders.csv").open(newline="") as file:
        assert [each["stop_price"] for each in csv.DictReader(file)] == ["", "0.6"]


def test_the_same_result_gives_the_same_bytes(tmp_path: Path) -> None:
    result = run_result(fills=(buy("10", "1"),), equity=curve(["1000", "1001", "999"]))
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        _written(tmp_path / name, result)

    names = sorted(path.name for path in (tmp_path / "first").iterdir())
    assert names == [
        "equity.csv",
        "equity.html",
        "fills.csv",
        "manifest.json",
        "orders.csv",
        "plotly.min.js",
        "stats.json",
        "trades.csv",
    ]
    for name in names:
        first, second = (tmp_path / each / name for each in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


def test_the_equity_curve_ends_with_what_the_fills_came_to(tmp_path: Path) -> None:
    result = run_result(fills=(buy("10", "1", "0.5"), sell("10", "2")), equity=curve(["1000"]))
    folder = _written(tmp_path, result)
    complete = attrs.evolve(result, finished_ns=result.equity[0].time_ns)

    last = (folder / "equity.csv").read_text().splitlines()[-1]
    assert last == "1700000060000000000,2023-11-14T22:14:20Z,1009.5,1009.5"
    assert len((_written(tmp_path, complete) / "equity.csv").read_text().splitlines()) == 2


def test_the_manifest_says_what_the_run_was_made_from() -> None:
    summary = {"files": [{"name": "tape.jsonl", "sha256": "ab"}], "malformed": 3, "rows": 5}
    result = run_result(
        config={"seed": 7, "broker": {"api_key": "hush", "venue": "x"}},
        feeds=(
            FeedRow(name="tape", summary=summary),
            FeedRow(name="market", summary={"files": 5}),
        ),
        wall_started_ns=_NOON_NS,
        wall_finished_ns=_NOON_NS + 1_500_000_000,
        exit_code=ExitCode.RISK_HALTED,
    )
    plain = json.loads(json.dumps(manifest(result)))

    assert plain["config"]["broker"] == {"api_key": "***", "venue": "x"}
    assert plain["data_files"] == [{"name": "tape.jsonl", "sha256": "ab"}]
    assert plain["feeds"]["tape"] == {"malformed": 3, "rows": 5}
    assert plain["malformed"] == {"tape": 3, "market": 0}
    assert plain["started"] == "2026-01-15T12:00:00Z"
    assert plain["finished"] == "2026-01-15T12:00:01.500000000Z"
    assert plain["exit_code"] == 3
    assert plain["versions"].keys() == {"python", "bulkhead", "trio", "numpy", "msgspec"}


def test_a_package_that_is_not_there_has_no_version() -> None:
    assert package_version("surely-not-installed") == "not installed"
    assert versions()["trio"] != "not installed"


def test_the_page_of_the_equity_curve_needs_no_network(tmp_path: Path) -> None:
    folder = _written(tmp_path, run_result(equity=curve(["1000", "900"])))
    page = (folder / "equity.html").read_text()

    assert 'src="plotly.min.js"' in page
    assert 'src="http' not in page
    assert (folder / "plotly.min.js").stat().st_size > 1_000_000


def test_the_chart_shows_equity_drawdown_and_when_fills_came() -> None:
    fills = (buy("10", "1", at_s=1), sell("10", "1", at_s=5))
    data = equity_figure(run_result(equity=curve(["1000", "1100", "990"]), fills=fills))["data"]
    by_name = {trace["name"]: trace for trace in data}

    assert by_name["equity"]["y"] == [1000, 1100, 990]
    assert by_name["drawdown"]["y"] == [0, 0, pytest.approx(-0.1)]
    assert by_name["buy fills"]["y"] == [1100]
    assert by_name["sell fills"]["y"] == [990]
    assert by_name["buy fills"]["x"] == ["2023-11-14 22:13:21.000000"]


def test_the_chart_leaves_out_marks_that_nobody_could_tell_apart() -> None:
    fills = tuple(buy("1", "1") for _ in range(2001))
    without_curve = equity_figure(run_result(fills=fills[:1]))
    too_many = equity_figure(run_result(fills=fills, equity=curve(["0", "1"])))
    only_buys = equity_figure(run_result(fills=fills[:1], equity=curve(["1"])))

    assert len(without_curve["data"]) == 2
    assert len(too_many["data"]) == 2
    assert too_many["data"][1]["y"] == [0.0, 0.0]
    assert [trace["name"] for trace in only_buys["data"][2:]] == ["buy fills"]


def test_settled_positions_do_not_need_a_mark(tmp_path: Path) -> None:
    result = run_result(positions=(held("0", None),), finished_ns=START_NS)

    assert json.loads((_written(tmp_path, result) / "stats.json").read_text())["sharpe"] is None
