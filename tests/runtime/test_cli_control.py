"""The commands for a run in real time: against a ring that runs, and against none."""

import json
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import trio

from runtime.cli import main
from runtime.observe.control_socket import SOCKET_FILE, ControlClient, ControlFailed, is_spoken_to
from runtime.wiring.routes import Role
from tests.actors.safety.switches import difference
from tests.runtime.system.governed import governed


async def cli(*arguments: str) -> int:
    """Run a command in a thread, as it waits for its answer without letting others run."""
    return await trio.to_thread.run_sync(main, list(arguments))


async def test_a_run_is_halted_looked_at_and_resumed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    where = ("--runs", str(tmp_path))
    async with governed(folder) as (system, _):
        assert await cli("status", *where) == 0
        assert "not tripped" in capsys.readouterr().out
        assert await cli("halt", "mine", "--cause", "the market is mad", *where) == 0
        assert capsys.readouterr().out == "halted: the market is mad\n"
        await trio.sleep(0.05)
        assert await cli("status", str(folder)) == 0
        shown = capsys.readouterr().out
        assert "HALTED" in shown
        assert "the market is mad (by control)" in shown
        assert await cli("resume", "--acknowledge", "some other reason", *where) == 1
        error = capsys.readouterr().err
        assert "mine: refused: no cause reads or begins so: 'some other reason'" in error
        assert "halted because: the market is mad" in error
        assert await cli("resume", "--acknowledge", "the market", *where) == 0
        assert capsys.readouterr().out == "the halt is lifted\n"
        assert await cli("stop", "--policy", "keep", *where) == 0
        assert system.stops[0][1] == "keep"
        assert await cli("stop", "--policy", "never", *where) == 1
        assert "policy: expected one of keep, cancel, flatten" in capsys.readouterr().err


async def test_lists_are_tables_or_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    where = ("--runs", str(tmp_path))
    async with governed(folder) as (system, _):
        plant = system.plant
        assert await cli("positions", *where) == 0
        assert capsys.readouterr().out == "no positions\n"
        plant.post.deliver("portfolio", 0, difference("POSITION:YES"), plant.clock.now_ns())
        await trio.sleep(0.05)
        assert await cli("differences", *where) == 0
        assert "POSITION:YES" in capsys.readouterr().out
        assert await cli("differences", "--json", *where) == 0
        assert json.loads(capsys.readouterr().out)[0]["key"] == "POSITION:YES"
        decision = ("resolve", "POSITION:YES", "--cure", "ignore", "--cause", "known")
        assert await cli(*decision, *where) == 0
        assert capsys.readouterr().out == "decided: ignore POSITION:YES\n"
        assert await cli("reconcile", *where) == 1
        assert "a simulated venue has nothing to compare" in capsys.readouterr().err
        for command in (("status",), ("halt", "--cause", "why"), ("orders",)):
            assert await cli(*command, "--json", *where) == 0
            json.loads(capsys.readouterr().out)
        plant.cells[Role.SAFETY].core = None
        assert await cli("status", *where) == 0
        assert "none, or down" in capsys.readouterr().out


async def test_what_is_amiss_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_plant: object) -> None:
        raise RuntimeError("no eyes")

    folder = tmp_path / "mine"
    folder.mkdir()
    monkeypatch.setattr("runtime.system.control_views.account", fail)
    amiss = {"bulkhead.cores.broker": "backing_off"}
    actors = {"count": 9, "restarts": 2, "not_running": amiss}
    monkeypatch.setattr("runtime.system.control_views._actors", lambda _plant: actors)
    monkeypatch.setattr(
        "runtime.system.control_commands.halt", lambda *_arguments: ["Halt was not delivered"]
    )
    async with governed(folder, "kill_switch=null"):
        assert await cli("status", str(folder)) == 0
        shown = capsys.readouterr().out
        assert "bulkhead.cores.broker: backing_off" in shown
        assert "no eyes" in shown
        assert await cli("halt", str(folder), "--cause", "why") == 1
        told = capsys.readouterr().out
        assert "amiss: Halt was not delivered" in told
        assert "no kill switch" in told


def test_a_run_that_does_not_listen_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "dead"
    folder.mkdir()
    for arguments in (("dead",), ()):
        assert main(["status", *arguments, "--runs", str(tmp_path)]) == 1
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        assert ("listens there" if arguments else "nothing runs there") in error
    (folder / SOCKET_FILE).write_text("")
    assert not is_spoken_to(folder)
    assert main(["halt", "dead", "--cause", "why", "--runs", str(tmp_path)]) == 1
    assert "it does not run" in capsys.readouterr().err


async def test_of_several_runs_one_must_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    async with governed(tmp_path / "a"), governed(tmp_path / "b"):
        assert await cli("status", "--runs", str(tmp_path)) == 1
        assert "2 runs listen there: name one of a, b" in capsys.readouterr().err


async def test_a_client_reads_events_and_the_end_of_a_connection(tmp_path: Path) -> None:
    found: list[str] = []

    def read() -> None:
        with ControlClient(tmp_path) as client:
            assert client.hello["run"] == "governed"
            client.ask("events", kinds=["system"])
            with ControlClient(tmp_path) as other:
                other.ask("halt", cause="to be seen")
            for line in client.events():
                found.append(line["event"]["type"])
                if len(found) == 3:
                    return

    async with governed(tmp_path):
        await trio.to_thread.run_sync(read)
    assert found == ["Halt", "CancelAllAtVenue", "Trip"]


async def test_a_token_that_is_wrong_or_gone_is_told(tmp_path: Path) -> None:
    def call() -> str:
        with pytest.raises(ControlFailed) as caught:
            ControlClient(tmp_path)
        return str(caught.value)

    async with governed(tmp_path):
        (tmp_path / "token").write_text("wrong")
        assert "token: expected" in await trio.to_thread.run_sync(call)
        (tmp_path / "token").unlink()
        assert "it does not run" in await trio.to_thread.run_sync(call)


@pytest.mark.parametrize("hangs_up", [True, False])
def test_one_who_does_not_answer_is_told(
    hangs_up: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.observe.control_socket.TIMEOUT_S", 0.1)
    (tmp_path / "token").write_text("any")
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / SOCKET_FILE))
        mute.listen()
        mute.settimeout(5)

        def hang_up() -> None:
            mute.accept()[0].close()

        with ThreadPoolExecutor() as pool:
            waits = pool.submit(hang_up) if hangs_up else None
            with pytest.raises(ControlFailed, match="answer"):
                ControlClient(tmp_path)
            if waits is not None:
                waits.result()
