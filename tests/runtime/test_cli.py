"""The command line: what it prints, where, and with which exit code it ends."""

import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path

import pytest
import trio

import runtime.system
import runtime.wiring
from actors.errors import ConfigError, JournalError, Problem
from actors.messages.trading import Signal
from actors.model.order import Side
from runtime.cli import main
from runtime.config import RunConfig
from runtime.kernel.envelope import Envelope
from runtime.kernel.journal import InlineJournal
from runtime.observe.progress import Progress, ProgressSource
from runtime.observe.result import ActorRow, ExitCode, RunResult
from runtime.wiring.plant import codec
from tests.builders import START_NS
from tests.runtime.results import buy, curve, run_result

Watch = Callable[[ProgressSource], Awaitable[None]]

CONFIG = """\
name: quick
mode: simulate
seed: 7
feeds: [{name: market, type: synthetic}]
strategies: [{name: cross, type: average_cross}]
"""


class Engine:
    """A runtime that ends as it is told, and remembers the configuration it ran."""

    def __init__(self) -> None:
        self.result: RunResult = run_result(
            fills=(buy("10", "1"),),
            equity=curve(["1000", "990"]),
            actors=(ActorRow(name="root", state="running"),),
        )
        self.error: BaseException | None = None
        self.ran: list[RunConfig] = []
        self.watched: list[bool] = []

    def run_config(
        self, config: RunConfig, folder: Path, *, watch: Watch | None = None
    ) -> RunResult:
        assert folder.is_dir()
        self.ran.append(config)
        self.watched.append(watch is not None)
        if self.error is not None:
            raise self.error
        if watch is not None:
            trio.run(watch, self)
        return self.result

    def progress(self) -> Progress:
        return Progress(time_ns=START_NS)

    def check(self, config: RunConfig) -> None:
        if any(each.type == "nonsense" for each in config.strategies):
            raise ConfigError(
                [Problem(file="quick.yaml:5", key="strategies[0].type", expected="x", found="y")]
            )


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    """Return an engine in the runtime's place, in a folder of its own with ``quick.yaml``."""
    engine = Engine()
    monkeypatch.setattr(runtime.system, "run_config", engine.run_config, raising=False)
    monkeypatch.setattr(runtime.wiring, "check", engine.check, raising=False)
    monkeypatch.chdir(tmp_path)
    Path("quick.yaml").write_text(CONFIG)
    return engine


Output = pytest.CaptureFixture[str]


def _run_folder() -> Path:
    return Path("runs/latest").resolve()


@pytest.mark.usefixtures("engine")
def test_a_run_prints_its_figures_and_leaves_a_folder(capsys: Output) -> None:
    assert main(["run", "quick.yaml"]) == 0

    out, err = capsys.readouterr()
    assert "quickstart: simulate, seed 7" in out
    assert "actors" not in out
    assert err == ""
    assert (_run_folder() / "stats.json").is_file()
    assert _run_folder().name.endswith("-simulate-quick")


def test_flags_go_before_the_file(engine: Engine) -> None:
    arguments = ["--seed", "9", "--set", "slice_rows=5", "--set", "name=other", "--out", "there"]

    assert main(["run", "quick.yaml", *arguments]) == 0
    assert (engine.ran[0].seed, engine.ran[0].slice_rows) == (9, 5)
    assert Path("there/latest").resolve().name.endswith("-simulate-other")


def test_json_is_all_that_standard_output_gets(engine: Engine, capsys: Output) -> None:
    assert main(["run", "quick.yaml", "--json", "--tree"]) == 0

    out, err = capsys.readouterr()
    assert json.loads(out) == json.loads((_run_folder() / "stats.json").read_text())
    assert "root  running" in err
    assert engine.watched == [False]


def test_quiet_prints_nothing(engine: Engine, capsys: Output) -> None:
    assert main(["run", "quick.yaml", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert engine.watched == [False]


@pytest.mark.usefixtures("engine")
def test_the_tree_of_actors_is_shown_if_asked_for(capsys: Output) -> None:
    assert main(["run", "quick.yaml", "--tree"]) == 0
    assert "root  running" in capsys.readouterr().out


@pytest.mark.parametrize("code", list(ExitCode))
def test_the_exit_code_is_the_result_s(engine: Engine, code: ExitCode, capsys: Output) -> None:
    engine.result = run_result(exit_code=code, reason="because")

    assert main(["run", "quick.yaml", "--quiet"]) == code
    assert capsys.readouterr().err == ("" if code == 0 else "bulkhead: because\n")
    assert json.loads((_run_folder() / "manifest.json").read_text())["exit_code"] == code


def test_a_bug_is_one_line_and_its_traceback_is_in_the_log(engine: Engine, capsys: Output) -> None:
    engine.error = ExceptionGroup("tasks", [ValueError("boom\nbang")])

    assert main(["run", "quick.yaml"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("bulkhead: the run has failed: ValueError: boom bang (")
    assert err.count("\n") == 1
    (line,) = (_run_folder() / "log.jsonl").read_text().splitlines()
    assert "Traceback" in json.loads(line)["exception"]


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), BaseExceptionGroup("tasks", [KeyboardInterrupt()])]
)
def test_an_interrupt_ends_with_130(engine: Engine, error: BaseException, capsys: Output) -> None:
    engine.error = error

    assert main(["run", "quick.yaml"]) == 130
    assert capsys.readouterr().err == "bulkhead: interrupted\n"


def test_an_exit_that_an_actor_asks_for_is_a_failed_run(engine: Engine, capsys: Output) -> None:
    engine.error = BaseExceptionGroup("tasks", [SystemExit(9)])

    assert main(["run", "quick.yaml"]) == 1
    assert "the run has failed: SystemExit: 9" in capsys.readouterr().err


@pytest.mark.usefixtures("engine")
def test_every_problem_of_a_configuration_is_one_line(capsys: Output) -> None:
    assert main(["run", "quick.yaml", "--set", "sed=1", "--set", "mode=x", "--seed", "-1"]) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(": ")[2] for line in err.splitlines()] == ["mode", "seed", "sed"]
    assert not Path("runs").exists()


@pytest.mark.usefixtures("engine")
def test_a_component_that_cannot_be_built_leaves_no_folder(capsys: Output) -> None:
    assert main(["run", "quick.yaml", "--set", "strategies[0].type=nonsense"]) == 2
    assert capsys.readouterr().err == (
        "bulkhead: quick.yaml:5: strategies[0].type: expected x, found y\n"
    )
    assert not Path("runs").exists()


def test_a_component_that_fails_to_build_in_the_run_is_a_problem_too(
    engine: Engine, capsys: Output
) -> None:
    engine.error = ConfigError([Problem(file="f", key="k", expected="x", found="y")])

    assert main(["run", "quick.yaml"]) == 2
    assert capsys.readouterr().err == "bulkhead: f: k: expected x, found y\n"


@pytest.mark.usefixtures("engine")
def test_check_says_ok_and_what_would_run(capsys: Output) -> None:
    assert main(["check", "quick.yaml", "--set", "seed=3"]) == 0

    out = capsys.readouterr().out.splitlines()
    assert out[:2] == ["ok", "run         quick: simulate, seed 3, journal sqlite"]
    assert not Path("runs").exists()


@pytest.mark.usefixtures("engine")
def test_check_lists_every_problem(capsys: Output) -> None:
    assert main(["check", "quick.yaml", "--set", "seed=x", "--set", "speed=-1"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "requires an argument"),
        (["run", "quick.yaml", "--sed", "3"], "Did you mean --seed?"),
        (["rn", "quick.yaml"], 'Did you mean "run"?'),
        (["run", "quick.yaml", "--seed", "x"], "--seed"),
        (["run", "none.yaml"], "none.yaml: (document): expected a readable YAML file"),
    ],
)
@pytest.mark.usefixtures("engine")
def test_wrong_usage_is_one_line_and_ends_with_2(
    arguments: list[str], words: str, capsys: Output
) -> None:
    assert main(arguments) == 2

    out, err = capsys.readouterr()
    assert out == ""
    assert words in err
    assert err.count("\n") == 1


@pytest.mark.usefixtures("engine")
def test_a_folder_that_cannot_be_made_is_one_line(capsys: Output) -> None:
    Path("file").write_text("")

    assert main(["run", "quick.yaml", "--out", "file"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_help_and_version_are_good(capsys: Output) -> None:
    assert main([]) == 0
    assert "check" in capsys.readouterr().out
    assert main(["run", "--help"]) == 0
    assert "--set" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip()


def _journal(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    journal = InlineJournal(folder / "journal.db", codec(), {})
    signal = Signal(
        signal_id="run-cross-1",
        strategy="cross",
        instrument="BTC",
        side=Side.BUY,
        quantity=Decimal(1),
    )
    journal.append(Envelope(1, START_NS, "cross", 0, signal), "portfolio")
    journal.close()


@pytest.mark.usefixtures("engine")
def test_why_looks_into_the_newest_run(capsys: Output) -> None:
    assert main(["run", "quick.yaml", "--quiet"]) == 0
    _journal(_run_folder())

    assert main(["why", "cross-1"]) == 0
    assert "Signal cross -> portfolio: BUY 1 BTC MARKET" in capsys.readouterr().out


@pytest.mark.usefixtures("engine")
def test_why_looks_where_it_is_told_and_names_the_nearest_order(capsys: Output) -> None:
    _journal(Path("some/run"))

    assert main(["why", "run-cross-2", "--run", "some/run"]) == 1
    assert capsys.readouterr().err == (
        "bulkhead: some/run/journal.db: no order 'run-cross-2'; did you mean run-cross-1?\n"
    )
    assert main(["why", "zzz", "--run", "some/run"]) == 1
    assert capsys.readouterr().err == "bulkhead: some/run/journal.db: no order 'zzz'\n"


@pytest.mark.usefixtures("engine")
def test_why_without_a_run_says_what_to_do(capsys: Output) -> None:
    assert main(["why", "x"]) == 1
    assert capsys.readouterr().err == (
        "bulkhead: no run with a journal in runs; name one with --run DIR\n"
    )


@pytest.mark.usefixtures("engine")
def test_a_journal_that_cannot_be_read_is_one_line(capsys: Output) -> None:
    Path("bad").mkdir()
    Path("bad/journal.db").write_text("not a database, whatever its name says" * 9)

    assert main(["why", "x", "--run", "bad"]) == 1
    assert "not a journal" in capsys.readouterr().err


@pytest.mark.usefixtures("engine")
def test_an_error_of_the_runtime_s_own_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    def refuse(_config: RunConfig) -> None:
        raise JournalError("the journal\ncannot be written")

    monkeypatch.setattr(runtime.wiring, "check", refuse)

    assert main(["check", "quick.yaml"]) == 1
    assert capsys.readouterr().err == "bulkhead: the journal cannot be written\n"


def test_a_reader_that_has_gone_is_no_error_of_ours() -> None:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    code = "import sys; from runtime.cli import main; sys.exit(main(['--help']))"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    os.close(writer)

    assert done.returncode == 1
    assert done.stderr == b""


def test_the_module_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runtime", "run", "none.yaml"],
        capture_output=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith(b"bulkhead: none.yaml")


def test_help_does_not_wait_for_the_heavy_libraries() -> None:
    code = (
        "import sys, runtime.cli\n"
        "heavy = {'plotly', 'cattrs', 'loguru', 'numpy', 'trio', 'sqlite3', 'runtime.system'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=False,
    )

    assert done.stderr.strip() == ""
    assert done.returncode == 0
