"""The commands around a run in real time."""

from pathlib import Path

import pytest

from runtime.cli import main
from tests.daemon.daemons import CONFIG, SIMULATED


def written(folder: Path, text: str) -> str:
    path = folder / "night.yaml"
    path.write_text(text.replace("ADDRESS", "/tmp/venue.sock"))
    return str(path)


def test_a_unit_starts_watches_and_gives_time_to_stop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = written(tmp_path, f"{SIMULATED}stop: {{orders: 30s}}\n")
    assert main(["unit", config, "--out", str(tmp_path / "my runs"), "--set", "seed=6"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "Type=notify" in lines
    assert "Restart=on-failure" in lines
    assert "WatchdogSec=30" in lines
    assert "KillMode=mixed" in lines
    assert f"TimeoutStopSec={5 + 30 + 5 + 5 + 5 + 30}" in lines
    (start,) = [line for line in lines if line.startswith("ExecStart=")]
    assert f'run {config} --out "{tmp_path}/my runs" --set seed=6' in start
    assert "--live" not in start


def test_a_unit_of_a_live_run_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = CONFIG.replace("mode: paper", "mode: live\nkill_switch: {daily_loss: 50}")
    assert main(["unit", written(tmp_path, text)]) == 0
    assert " --live\n" in capsys.readouterr().out


def test_only_runs_in_real_time_have_a_unit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = written(tmp_path, SIMULATED.replace("mode: paper", "mode: simulate"))
    assert main(["unit", config]) == 2
    assert "expected mode: paper or live, found simulate" in capsys.readouterr().err


def test_a_venue_elsewhere_needs_real_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = written(tmp_path, CONFIG.replace("mode: paper", "mode: simulate"))
    assert main(["check", config]) == 2
    assert "broker.venue.type: expected one that lives in virtual time" in capsys.readouterr().err


def test_a_run_in_real_time_has_a_folder_of_its_name_and_goes_on_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    config = written(tmp_path, SIMULATED.replace("status_every: 0s", "status_every: 100ms"))
    arguments = ["run", config, "--out", str(tmp_path), "--set", "daemon.duration=400ms"]
    assert main(arguments) == 0
    told = capsys.readouterr()
    assert "its time is over" in told.out
    assert "rows/s" in told.err
    assert (tmp_path / "latest").resolve() == tmp_path / "night"
    assert main([*arguments, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert "resumed: " in (tmp_path / "night" / "log.jsonl").read_text()
    assert (tmp_path / "night" / "stats.json").is_file()
