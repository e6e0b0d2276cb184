"""Recorded markets through the whole ring, and what an outsider makes of their fills."""

import csv
import gzip
import json
import re
import shutil
from collections.abc import Mapping
from decimal import Decimal
from itertools import islice
from pathlib import Path

import attrs
import pytest

from actors.messages.trading import OrderUpdate
from runtime.cli import main
from runtime.config.model import RunConfig
from runtime.kernel.journal import read_journal
from runtime.observe.result import ExitCode, RunResult
from runtime.research.artefacts import write_artefacts
from runtime.research.statistics import statistics
from runtime.research.why import Chain, why
from runtime.system import run_config
from runtime.wiring.plant import codec
from tests.reproduce import marks_of, reproduce
from tests.ring.rig import REPOSITORY, check_books, config, run
from tests.ring.traders import half_spreads, heard
from tests.shared import conformance, shared_file

POLYMARKET = "data/polymarket-updown-yesno-with-btc-20260816"
QUOTES = "polymarket_calibration_sample.csv"
BINANCE = "data/binance-l2-20240808"


def scenario(name: str, *overrides: str, **environment: str) -> RunConfig:
    """Return the configuration of a scenario."""
    text = (REPOSITORY / "scenarios" / name).read_text()
    return config(text, *overrides, environment=environment)


def polymarket(*overrides: str) -> RunConfig:
    """Return the Polymarket replay."""
    folder = str(shared_file(POLYMARKET))
    return scenario("polymarket_replay.yaml", *overrides, BULKHEAD_POLYMARKET=folder)


def binance(*overrides: str) -> RunConfig:
    """Return the Binance replay."""
    folder = str(shared_file(BINANCE))
    return scenario("binance_replay.yaml", *overrides, BULKHEAD_BINANCE=folder)


def run_to(folder: Path, settings: RunConfig) -> RunResult:
    """Run a configuration and write its artefacts."""
    result = run_config(settings, folder)
    assert result.exit_code is ExitCode.GOOD
    write_artefacts(folder, result, statistics(result))
    return result


def fills_by_strategy(result: RunResult) -> Mapping[str, int]:
    """Return how many fills each strategy had."""
    names = [row.fill.strategy for row in result.fills]
    return {name: names.count(name) for name in dict.fromkeys(names)}


def check_outsider(folder: Path, result: RunResult) -> None:
    """Assert that the fills alone give the account, to the last digit."""
    stats = json.loads((folder / "stats.json").read_text())
    account = reproduce(folder / "fills.csv", result.starting_cash, marks_of(folder / "stats.json"))
    assert account.cash == Decimal(stats["final_cash"])
    assert account.fees == Decimal(stats["fees"])
    assert account.equity == Decimal(stats["final_equity"])
    with (folder / "equity.csv").open(newline="") as file:
        *_, end = csv.DictReader(file)
    assert (account.cash, account.equity) == (Decimal(end["cash"]), Decimal(end["equity"]))
    assert int(end["time_ns"]) == result.finished_ns
    assert account.positions == {
        (each["strategy"], each["instrument"]): Decimal(each["quantity"])
        for each in stats["open_positions"]
    }


# --- Polymarket ------------------------------------------------------------------------------


@pytest.mark.parametrize("close_out", ["true", "false"])
def test_an_outsider_reproduces_the_polymarket_replay(close_out: str, tmp_path: Path) -> None:
    result = run_to(tmp_path, polymarket(f"close_out={close_out}"))
    assert result.events == 1380 + 112
    assert set(fills_by_strategy(result)) == {"arbitrage", "trend"}
    assert min(fills_by_strategy(result).values()) > 20
    check_outsider(tmp_path, result)


def test_why_shows_the_market_row_of_an_order_with_its_line(tmp_path: Path) -> None:
    result = run_to(tmp_path, polymarket())
    order = next(row.order for row in result.orders if row.order.strategy == "trend")
    chain = why(lambda: read_journal(tmp_path / "journal.db", codec()), order.client_order_id)
    assert isinstance(chain, Chain)
    lines = chain.lines()
    row = next(line for line in lines if "MarketRow" in line)
    found = re.search(r"line (\d+)", row)
    assert found is not None, row
    recorded = shared_file(f"{POLYMARKET}/{QUOTES}").read_text().splitlines()
    _, market, bid, *_ = recorded[int(found.group(1)) - 1].split(",")
    assert market == order.instrument
    assert market in row
    assert bid in row
    kinds = [line.split()[1] for line in lines[1:]]
    for kind in ("Signal", "SubmitOrder", "PlaceOrder", "ExecutionReport", "Fill"):
        assert kind in kinds


def test_the_half_spread_of_recorded_quotes_is_the_published_one() -> None:
    case = conformance("05-polymarket-halfspread")
    folder = shared_file(POLYMARKET)
    text = f"""\
mode: replay
feeds: [{{name: quotes, type: replay, path: "{folder / QUOTES}"}}]
strategies:
  - {{name: yes, type: "tests.ring.traders:HalfSpread",
     instruments: ["*[0-9]", "*-et"]}}
"""
    half_spreads.clear()
    ran = run(config(text))
    ((rows, total),) = half_spreads
    assert ran.result.events == case["expected"]["rows"]
    assert rows == case["expected"]["yes_rows"]
    expected = case["expected"]["mean_half_spread_recomputed"]
    assert float(total / rows) == pytest.approx(expected, abs=1e-12)


def test_a_malformed_line_is_counted_and_the_run_goes_on(tmp_path: Path) -> None:
    source = shared_file(f"{POLYMARKET}/{QUOTES}")
    lines = source.read_text().splitlines(keepends=True)
    lines.insert(700, "1786860990.5,btc-updown-4h-1786852800,0.4,nonsense\n")
    lines.insert(900, "\x00\x01 no line at all\n")
    (tmp_path / QUOTES).write_text("".join(lines))
    for folder in ("good", "bad"):
        (tmp_path / folder).mkdir()
    good = run_to(tmp_path / "good", polymarket())
    bad = run_to(tmp_path / "bad", polymarket(f"feeds[0].path={tmp_path / QUOTES}"))
    assert {feed.name: feed.summary["malformed"] for feed in bad.feeds} == {
        "quotes": 2,
        "reference": 0,
    }
    problems = bad.feeds[0].summary["problems"]
    assert [problem["line"] for problem in problems] == [701, 901]
    assert bad.events == good.events
    assert [row.fill for row in bad.fills] == [row.fill for row in good.fills]


def test_a_cut_recording_gives_the_same_replay(tmp_path: Path) -> None:
    whole, cut = (run(polymarket(f"slice_rows={rows}"), tmp_path) for rows in (4096, 13))
    assert cut.story == whole.story
    assert cut.entries == whole.entries
    check_books(whole)


# --- Binance ---------------------------------------------------------------------------------


def test_an_outsider_reproduces_the_binance_replay_across_midnight(tmp_path: Path) -> None:
    result = run_to(tmp_path, binance())
    assert result.events > 99_000
    assert set(fills_by_strategy(result)) == {"quick", "slow"}
    midnight_ns = 1_723_161_600 * 10**9
    times = [row.time_ns for row in result.fills]
    assert min(times) < midnight_ns < max(times)
    counts = result.feeds[0].summary["counts"]
    assert len(counts) == 1  # one tape: the book lives on across midnight
    assert counts[0].get("gap", 0) == 0
    assert [row.position.quantity for row in result.positions] == [Decimal(0)] * 2
    check_outsider(tmp_path, result)


TRADERS = """\
mode: replay
name: gap
close_out: false
portfolio: {{cash: 1000000}}
feeds: [{{name: spot, type: replay, path: "{path}", options: {{market: spot}}}}]
strategies:
  - {{name: witness, type: "tests.ring.traders:Witness"}}
  - {{name: one, type: "tests.ring.traders:Trader", parameters: {{every: 20, quantity: 0.01}}}}
broker: {{type: simulated, latency: {{type: constant, submit: 5ms, report: 5ms}}}}
"""

Book = dict[str, dict[str, str]]


def recorded_lines(count: int) -> list[str]:
    """Return the first lines of the first Binance file."""
    path = shared_file(f"{BINANCE}/spot_btcusdt_20240808.gz")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(islice(file, count))


def is_depth(line: str) -> bool:
    """Return whether a line is a change of the book."""
    return "@depth" in line[:70]


def snapshot_after(lines: list[str]) -> str:
    """Return a REST snapshot of the book as it is after some lines, which hold one themselves."""
    book: Book = {"b": {}, "a": {}}
    last = 0
    for line in lines:
        message = json.loads(line.partition(" ")[2])
        data = message.get("data", message)
        if "lastUpdateId" in data:
            book = {"b": dict(data["bids"]), "a": dict(data["asks"])}
            last = data["lastUpdateId"]
        elif last and is_depth(line) and data["u"] > last:
            for side in ("b", "a"):
                book[side].update(dict(data[side]))
            last = data["u"]
    bids, asks = (
        [[price, size] for price, size in book[side].items() if Decimal(size)] for side in "ba"
    )
    time_ns = int(lines[-1].partition(" ")[0]) + 1
    snapshot = {"lastUpdateId": last, "bids": bids, "asks": asks}
    return f"{time_ns} {json.dumps(snapshot)}\n"


def test_a_gap_in_the_book_holds_every_fill_until_the_book_is_back(tmp_path: Path) -> None:
    lines = recorded_lines(9000)
    lost = next(row for row in range(3000, 9000) if is_depth(lines[row]))
    back = next(row for row in range(6000, 9000) if is_depth(lines[row])) + 1
    copy = [*lines[:lost], *lines[lost + 1 : back], snapshot_after(lines[:back]), *lines[back:]]
    path = tmp_path / "spot.txt"
    path.write_text("".join(copy))
    heard.clear()

    ran = run(config(TRADERS.format(path=path)), tmp_path)

    states = [(state, time_ns) for _, time_ns, state in heard]
    (gapped_ns,) = [time_ns for state, time_ns in states if state == "GAPPED"]
    synced_ns = max(time_ns for state, time_ns in states if state == "SYNCED")
    assert gapped_ns < synced_ns
    times = [row.fill.venue_time_ns for row in ran.result.fills]
    assert any(time_ns < gapped_ns for time_ns in times)
    assert not [time_ns for time_ns in times if gapped_ns <= time_ns < synced_ns]
    assert any(time_ns > synced_ns for time_ns in times)
    asked = [row for row in ran.result.orders if gapped_ns < row.created_ns < synced_ns - 10**9]
    assert len(asked) > 10
    assert ran.of(OrderUpdate)
    assert ran.result.feeds[0].summary["counts"][0]["gap"] >= 1
    check_books(ran)


def test_the_command_tells_of_malformed_lines_and_gaps(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = recorded_lines(6000)
    depths = [number for number, line in enumerate(lines) if is_depth(line)]
    lines[depths[300]] = "1723161255000000000 no message at all\n"
    (tmp_path / "spot_broken.txt").write_text("".join(lines))
    scenario = Path(__file__).parents[2] / "scenarios" / "binance_replay.yaml"
    paths = ["--set", f"feeds[0].path={tmp_path}/spot_*.txt", "--out", str(tmp_path / "runs")]
    assert main(["run", str(scenario), *paths]) == 0
    shown = capsys.readouterr()
    assert "malformed lines left out: 1," in shown.out
    assert "gaps in books: 1," in shown.out
    assert f"spot_broken.txt:{depths[300] + 1}: " in shown.err
    stats = json.loads((tmp_path / "runs" / "latest" / "stats.json").read_text())
    assert (stats["malformed_lines"], stats["book_gaps"], stats["gave_up"]) == (1, 1, [])
    assert "spot_broken.txt" in (tmp_path / "runs" / "latest" / "log.jsonl").read_text()


def test_the_same_lines_without_a_gap_are_filled_all_along(tmp_path: Path) -> None:
    path = tmp_path / "spot.txt"
    path.write_text("".join(recorded_lines(9000)))
    heard.clear()
    ran = run(config(TRADERS.format(path=path)), tmp_path)
    assert "GAPPED" not in [state for _, _, state in heard]
    assert len(ran.result.fills) > 100
    check_books(ran)


# --- the outsider itself -----------------------------------------------------------------------


def test_the_outsider_notices_a_fill_that_is_missing_or_doubled(tmp_path: Path) -> None:
    run_to(tmp_path, polymarket())
    account = reproduce(tmp_path / "fills.csv", Decimal(1000), marks_of(tmp_path / "stats.json"))
    with (tmp_path / "fills.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    for name, changed in (("less", rows[:-1]), ("more", [*rows, rows[-1]])):
        with (tmp_path / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(changed)
    less = reproduce(tmp_path / "less.csv", Decimal(1000), {row[6]: Decimal(1) for row in rows[1:]})
    assert less.cash != account.cash
    with pytest.raises(ValueError, match="comes twice"):
        reproduce(tmp_path / "more.csv", Decimal(1000))


def test_a_scenario_can_be_pointed_at_other_files(tmp_path: Path) -> None:
    copy = tmp_path / "other.csv"
    shutil.copy(shared_file(f"{POLYMARKET}/{QUOTES}"), copy)
    settings = polymarket(f"feeds[0].path={copy}")
    files = run(attrs.evolve(settings, strategies=())).result.feeds[0].summary["files"]
    assert [each["file"] for each in files] == ["other.csv"]
