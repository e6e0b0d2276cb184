"""What other policies would have refused, from the folder of a finished run."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from rich.console import Console

from actors.errors import ConfigError, JournalError
from actors.messages.account import TradingState
from actors.risk.limits import CashLimit, PositionLimit
from actors.risk.loss import Action, DailyLoss
from actors.risk.market import PriceCollar, StaleData
from actors.risk.orders import MaxOrderSize, OrderRate
from actors.risk.policy import RiskPolicy
from actors.risk.scope import OrdersPer
from runtime.cli import main
from runtime.observe.result import ExitCode, RunResult
from runtime.research.artefacts import write_artefacts
from runtime.research.statistics import statistics
from runtime.research.what_if import WhatIf, load_policies, to_json, what_if, what_if_table
from runtime.system import run_config
from runtime.wiring.plant import codec
from tests.ring.rig import config

TEXT = """\
name: asked
mode: simulate
seed: 5
portfolio:
  cash: 1000
  equity_interval: 1s
  policies: [{type: PositionLimit, max_size: 20}, {type: CashLimit}]
feeds:
  - {name: market, type: synthetic, events: 150, interval: 70ms, volatility: 0.001}
strategies:
  - {name: one, type: "tests.ring.traders:Trader", parameters: {every: 6}}
broker:
  type: simulated
  commission: {type: percentage, rate: 0.001}
"""


def finished(folder: Path, *overrides: str) -> RunResult:
    """Run a small market into a folder."""
    folder.mkdir(exist_ok=True)
    result = run_config(config(TEXT, *overrides), folder)
    write_artefacts(folder, result, statistics(result))
    return result


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunResult]:
    """Return the folder of a finished run, and its result."""
    folder = tmp_path_factory.mktemp("runs") / "one"
    return folder, finished(folder)


def asked(folder: Path, *policies: RiskPolicy) -> WhatIf:
    return what_if(folder, policies, codec())


def test_the_policies_of_the_run_itself_refuse_nothing(run: tuple[Path, RunResult]) -> None:
    folder, result = run
    found = asked(folder, PositionLimit(max_size=Decimal(20)), CashLimit())
    approved = [r for r in result.orders if "close" not in r.order.client_order_id]
    assert len(found.verdicts) == len(approved) > 10
    assert [v.order for v in found.verdicts] == [row.order for row in approved]
    assert found.refused == []
    assert found.by_policy() == {"PositionLimit": [], "CashLimit": []}


def test_a_tighter_policy_refuses_what_exceeded_it(run: tuple[Path, RunResult]) -> None:
    folder, _ = run
    found = asked(folder, MaxOrderSize(max_size=Decimal(2)), PositionLimit(max_size=Decimal(5)))
    too_large = [v for v in found.verdicts if v.order.quantity > 2]
    by_policy = found.by_policy()
    assert by_policy["MaxOrderSize"] == too_large != []
    assert 0 < len(by_policy["PositionLimit"]) < len(found.verdicts)
    assert [v.order for v in found.verdicts] == [v.order for v in asked(folder).verdicts]


def test_marks_and_their_ages_are_those_of_the_journaled_rows(run: tuple[Path, RunResult]) -> None:
    folder, _ = run
    assert asked(folder, StaleData(max_age_ns=60_000_000_000)).refused == []
    assert asked(folder, PriceCollar(max_deviation=Decimal("0.5"))).refused == []
    assert asked(folder, PriceCollar(max_deviation=Decimal(0))).refused != []


def test_the_rate_counts_what_was_approved_before(run: tuple[Path, RunResult]) -> None:
    folder, _ = run
    found = asked(folder, OrderRate(max_orders=1, interval_ns=10**12))
    assert len(found.refused) == len(found.verdicts) - 1


def test_a_halt_refuses_everything_after_it(run: tuple[Path, RunResult]) -> None:
    folder, _ = run
    found = asked(folder, DailyLoss(max_loss=Decimal("0.000001"), action=Action.HALT))
    halted = found.by_policy()["Halted"]
    assert halted == list(found.verdicts[-len(halted) :]) == found.refused
    assert halted[0].violations[0].found.startswith("DailyLoss: limit 0.000001, found ")


def test_answers_can_be_read_by_people_and_programs(run: tuple[Path, RunResult]) -> None:
    folder, _ = run
    found = asked(folder, MaxOrderSize(max_size=Decimal(2)))
    plain = to_json(found)
    assert plain["would_be_refused"] == plain["policies"]["MaxOrderSize"] == len(found.refused)
    first = plain["refused"][0]
    assert first["violations"][0]["policy"] == "MaxOrderSize"
    assert first["order_id"] == found.refused[0].order.client_order_id
    assert json.loads(json.dumps(plain)) == plain
    text = shown(found)
    assert f"{len(found.refused)} of {len(found.verdicts)} orders would have been refused" in text
    assert "MaxOrderSize: limit 2, found" in text
    assert "more; --json" not in text
    many = attrs.evolve(found, verdicts=tuple(found.refused) * 40)
    assert f"and {40 * len(found.refused) - 30:,} more; --json has them all" in shown(many)
    assert "0 of 0 orders" in shown(WhatIf(policies=("CashLimit",), verdicts=()))


def shown(found: WhatIf) -> str:
    console = Console(width=120)
    with console.capture() as captured:
        console.print(what_if_table(found))
    return captured.get()


def test_an_instrument_that_the_manifest_lacks_is_made_from_its_rows(tmp_path: Path) -> None:
    finished(tmp_path)
    path = tmp_path / "manifest.json"
    manifest = json.loads(path.read_text())
    assert manifest.pop("instruments")[0]["id"]
    path.write_text(json.dumps(manifest))
    assert asked(tmp_path, MaxOrderSize(max_size=Decimal(2))).refused != []


def test_a_run_that_risk_has_halted_says_so(tmp_path: Path) -> None:
    policies = "portfolio.policies=[{type: DailyLoss, max_loss: 0.01, action: halt}]"
    result = finished(tmp_path, policies)
    assert result.exit_code is ExitCode.RISK_HALTED
    assert result.reason.startswith("halted by risk: DailyLoss: limit 0.01, found ")
    assert result.trading_state is TradingState.HALTED
    assert result.reason.endswith(result.trading_state_cause)
    assert all(row.status.is_terminal for row in result.orders)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert (manifest["trading_state"], manifest["exit_code"]) == ("HALTED", 3)


# --- the command ---------------------------------------------------------------------------------


def policies_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "policies.yaml"
    path.write_text(text)
    return path


SEED = """\
policies:
  - type: PositionLimit
    max_size: 1000.0
  - type: InventoryLimit
    max_value_usd: 10000.0
"""


def test_the_command_prints_a_table_or_json(
    run: tuple[Path, RunResult], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = run
    path = policies_file(tmp_path, SEED)
    assert main(["analyze", "--policies", str(path), str(folder)]) == 0
    assert "0 of" in capsys.readouterr().out
    assert main(["analyze", str(folder), "--policies", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["policies"] == {
        "PositionLimit": 0,
        "InventoryLimit": 0,
    }


def test_the_command_needs_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = policies_file(tmp_path, SEED)
    assert main(["analyze", "--policies", str(path), str(tmp_path / "nowhere")]) == 1
    assert f"no run with a journal in {tmp_path / 'nowhere'}" in capsys.readouterr().err


def test_policies_are_read_with_every_parameter_that_they_have(tmp_path: Path) -> None:
    text = """\
policies:
  - {type: PositionLimit, max_size: 10, per: market}
  - {type: InventoryLimit, max_value_usd: 10, per: event}
  - {type: CashLimit}
  - {type: NoShort}
  - {type: MaxOrderSize, max_size: 10}
  - {type: MaxOrderNotional, max_notional: 10}
  - {type: MaxOpenOrders, max_orders: 3, per: strategy}
  - {type: OrderRate, max_orders: 3, interval: 1s, per: instrument, max_repeats: 2}
  - {type: PriceCollar, max_deviation: 0.05}
  - {type: StaleData, max_age: 500ms}
  - {type: SelfTrade}
  - {type: DailyLoss, max_loss: 100, action: halt}
  - {type: Drawdown, max_drawdown: 0.2, action: reduce}
  - {type: OutcomeExposure, max_loss: 10, per: strategy}
  - {type: GroupExposure, max_loss: 10}
"""
    policies = load_policies(policies_file(tmp_path, text))
    assert len(policies) == 15
    per = OrdersPer.INSTRUMENT
    assert policies[7] == OrderRate(max_orders=3, interval_ns=10**9, per=per, max_repeats=2)
    assert policies[9] == StaleData(max_age_ns=500_000_000)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("policies: []", "policies: expected a list of policies, found a list of 0"),
        ("policies: 5", "policies: expected a list of policies, found 5"),
        ("- 1", "expected a mapping"),
        ("{policies: [{type: CashLimit}], polices: 1}", "polices: expected policies"),
        ("policies: [3]", "policies[0]: expected a policy, found 3"),
        ("policies: [{max: 3}]", "policies[0].type"),
        ("policies: [{type: CashLimt}]", "CashLimit"),
        ("policies: [{type: PositionLimit}]", "policies[0].max_size"),
        ("policies: [{type: PositionLimit, max_size: x}]", "policies[0].max_size"),
        ("policies: [{type: PositionLimit, max_size: -1}]", "expected 0 or more, found -1"),
        ("policies: [{type: DailyLoss, max_loss: 1, action: hold}]", "policies[0].action"),
        ("policies: [{type: StaleData, max_age: 0s}]", "policies[0].max_age"),
    ],
)
def test_what_is_wrong_with_a_policies_file_is_told_with_its_key(
    text: str, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as raised:
        load_policies(policies_file(tmp_path, text))
    assert problem in str(raised.value)
    assert "policies.yaml" in str(raised.value)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a readable YAML file, found no such file"):
        load_policies(tmp_path / "missing.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ConfigError, match="found UnicodeDecodeError"):
        load_policies(tmp_path / "binary.yaml")


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        (None, "expected a run's manifest, found no such file"),
        ("{", "expected a run's manifest, found JSONDecodeError"),
        ("[]", "found no configuration in it"),
        ({"config": {"mode": "simulate"}}, "feeds"),
        ({"instruments": [{"id": "X"}]}, "venue"),
        ({"portfolio": {"leverage": "3", "balances": {"EUR": "1"}}}, "rate of EUR"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_told(manifest: Any, found: str, tmp_path: Path) -> None:
    finished(tmp_path)
    path = tmp_path / "manifest.json"
    if manifest is None:
        path.unlink()
    elif isinstance(manifest, str):
        path.write_text(manifest)
    else:
        whole = json.loads(path.read_text())
        if "portfolio" in manifest:
            whole["config"]["portfolio"] |= manifest["portfolio"]
        else:
            whole |= manifest
        path.write_text(json.dumps(whole))
    with pytest.raises(ConfigError, match=found):
        asked(tmp_path, CashLimit())


def test_a_journal_that_is_not_there_is_told(tmp_path: Path) -> None:
    finished(tmp_path)
    (tmp_path / "journal.db").unlink()
    with pytest.raises(JournalError, match="no such journal"):
        asked(tmp_path, CashLimit())
