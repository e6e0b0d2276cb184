"""``bulkhead run`` of a configuration in real time, and ``bulkhead unit``."""

import sys
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

from runtime.cli.app import RUNS, Overrides, app, fail
from runtime.cli.running import RunOptions, checked, logged, show
from runtime.observe.result import ExitCode

if TYPE_CHECKING:
    from runtime.config import RunConfig
    from runtime.observe.progress import ProgressSource

_WATCHDOG_S = 30
_SPARE_S = 30
"""What it waits beyond the stages of a stop, for the report: seconds."""


def run_daemon(settings: "RunConfig", options: RunOptions) -> int:
    """Run in real time, in a folder with the name of the configuration."""
    refusal = _refusal(settings, options)
    if refusal is not None:
        return fail(refusal, ExitCode.USAGE)
    from runtime.research.artefacts import stable_run_folder
    from runtime.research.reporting import report
    from runtime.system.lock import only_instance
    from runtime.system.session import Session

    folder = stable_run_folder(options.out, settings.name)
    with only_instance(folder), logged(folder, options):
        is_told = not (options.quiet or options.json)
        session = Session(settings, folder)
        if is_told:
            session.show(_Status(settings).watch)
        result = session.run()
        if not session.is_hurried:
            show(result, report(folder, result, settings), folder, options)
    if result.exit_code is not ExitCode.GOOD:
        fail(result.reason)
    return result.exit_code


def _refusal(settings: "RunConfig", options: RunOptions) -> str | None:
    """Return why a run must not begin, or None."""
    from runtime.config import Mode

    is_live = settings.mode is Mode.LIVE
    if options.live and not is_live:
        return f"--live: expected mode: live in the file, found {settings.mode}"
    if is_live and not options.live:
        return "mode: live trades with real money: it needs --live on the command line as well"
    if options.stress:
        return f"--stress: expected a run in virtual time, found mode: {settings.mode}"
    return None


class _Status:
    """Says on standard error how far a run has come."""

    def __init__(self, settings: "RunConfig") -> None:
        self._every_ns = settings.daemon.status_every_ns

    async def watch(self, source: "ProgressSource") -> None:
        """Show one live line on a terminal, and a line now and then elsewhere."""
        import trio
        from rich.console import Console

        from runtime.observe.progress import Pace, progress_line, show_progress

        console = Console(stderr=True)
        if console.is_terminal:
            await show_progress(source, console)
            return
        pace = Pace()
        while self._every_ns:
            progress = source.progress()
            line = progress_line(progress, pace.rate(progress.events, trio.current_time()))
            print(line.plain, file=sys.stderr, flush=True)
            await trio.sleep(self._every_ns / 1_000_000_000)


@app.command
def unit(config: Path, /, *, out: Path = RUNS, overrides: Overrides = ()) -> int:
    """Print a systemd unit that runs a configuration in real time.

    Args:
        config: The YAML file.
        out: Folder in which the run's own folder is.
        overrides: Changes to the file.
    """
    settings = checked(config, overrides)
    if not settings.mode.is_real_time:
        words = f"{config}: expected mode: paper or live, found {settings.mode}"
        return fail(words, ExitCode.USAGE)
    print(unit_file(settings, config, out, overrides))
    return ExitCode.GOOD


def unit_file(
    settings: "RunConfig", config: Path, out: Path, overrides: tuple[str, ...] = ()
) -> str:
    """Return a systemd unit that starts a configuration, watches it and gives it time to stop.

    What it has left open when it is killed, the next start takes up from its journal.
    """
    from runtime.config import Mode

    command = which("bulkhead")
    words = [command] if command else [sys.executable, "-m", "runtime"]
    words += ["run", str(config.resolve()), "--out", str(out.resolve())]
    words += [word for each in overrides for word in ("--set", each)]
    if settings.mode is Mode.LIVE:
        words.append("--live")
    stop_s = settings.stop.total_ns // 1_000_000_000 + _SPARE_S
    return "\n".join(
        [
            "[Unit]",
            f"Description=Bulkhead {settings.name} ({settings.mode})",
            "After=network-online.target",
            "Wants=network-online.target",
            "StartLimitIntervalSec=300",
            "StartLimitBurst=5",
            "",
            "[Service]",
            "Type=notify",
            f"WorkingDirectory={Path.cwd()}",
            f"ExecStart={' '.join(map(_quoted, words))}",
            "Restart=on-failure",
            "RestartSec=2",
            # a stop by a signal, and a halt by risk, are no failures
            f"SuccessExitStatus={int(ExitCode.INTERRUPTED)} {int(ExitCode.RISK_HALTED)}",
            f"RestartPreventExitStatus={int(ExitCode.USAGE)}",
            f"WatchdogSec={_WATCHDOG_S}",
            "TimeoutStartSec=infinity",  # a long journal may have to be replayed
            f"TimeoutStopSec={stop_s}",
            "KillSignal=SIGTERM",
            # strategies' own processes end with the daemon, after their last words
            "KillMode=mixed",
            "NoNewPrivileges=yes",
            "",
            "[Install]",
            "WantedBy=multi-user.target",
        ]
    )


def _quoted(word: str) -> str:
    """Return a word as a unit file needs it."""
    word = word.replace("%", "%%").replace("$", "$$")
    if any(each in word for each in " \t\"'\\"):
        escaped = word.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return word
