"""A ring in real time that is governed over its socket."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from runtime.config.daemon import StopPolicy
from runtime.observe.control_socket import SOCKET_FILE, TOKEN_FILE, socket_path
from runtime.system.control import ControlPlace, serve_control
from runtime.wiring.components import blueprint
from runtime.wiring.plant import Plant, build_live
from tests.ring.rig import config

TEXT = """
name: governed
mode: simulate
seed: 5
slice_rows: 1
portfolio: {cash: 100000}
feeds: [{name: market, type: synthetic, events: 20000, interval: 5ms, volatility: 0.001}]
strategies: [{name: one, type: "tests.ring.traders:Patient"}]
kill_switch: {heartbeat: 30s, repeat: 20ms, deadline: 1s}
"""


class System:
    """A plant, and who asked it to stop."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.stops: list[tuple[str, StopPolicy | None]] = []

    def request_stop(self, reason: str, policy: StopPolicy | None = None) -> None:
        """Note the wish."""
        self.stops.append((reason, policy))


@asynccontextmanager
async def governed(
    folder: Path, *overrides: str, port: int | None = None
) -> AsyncIterator[tuple[System, list[trio.SocketListener]]]:
    """Run a ring with a control server while the block runs."""
    plan = blueprint(config(TEXT, *overrides))
    plant = build_live(plan, None, lambda _event: None, epoch_ns=1_767_225_600_000_000_000)
    system = System(plant)
    async with trio.open_nursery() as nursery:
        await nursery.start(plant.root.run)
        place = ControlPlace(folder=folder, port=port)
        about = {"run": "governed", "mode": "paper"}
        listeners = await nursery.start(serve_control, system, place, about)
        yield system, listeners
        nursery.cancel_scope.cancel()


class Caller:
    """One connection, line by line."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._kept = b""

    async def send(self, line: bytes) -> None:
        """Send a line as it is."""
        await self.stream.send_all(line + b"\n")

    async def hear(self) -> dict[str, Any]:
        """Return the next line; an empty mapping at the end."""
        with trio.fail_after(10):
            while b"\n" not in self._kept:
                part = await self.stream.receive_some(65_536)
                if not part:
                    return {}
                self._kept += part
        line, _, self._kept = self._kept.partition(b"\n")
        heard: dict[str, Any] = json.loads(line)
        return heard

    async def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a command and return the answer."""
        await self.send(json.dumps({"command": command, **arguments}).encode())
        return await self.hear()

    async def result(self, command: str, **arguments: Any) -> Any:
        """Send a command and return its result; AssertionError if it is refused."""
        answer = await self.ask(command, **arguments)
        assert answer.get("ok"), answer
        return answer["result"]

    async def error(self, command: str, **arguments: Any) -> str:
        """Send a command and return why it was refused."""
        answer = await self.ask(command, **arguments)
        assert not answer["ok"], answer
        return str(answer["error"])


@asynccontextmanager
async def calling(folder: Path, token: str | None = None) -> AsyncIterator[Caller]:
    """Connect to a folder's socket, and show the token."""
    with socket_path(folder) as path:
        stream = await trio.open_unix_socket(path)
    async with stream:
        caller = Caller(stream)
        shown = token or (folder / TOKEN_FILE).read_text().strip()
        await caller.send(json.dumps({"token": shown}).encode())
        if token is None:
            hello: Mapping[str, Any] = await caller.hear()
            assert hello == {"ok": True, "result": {"run": "governed", "version": 1}}
        yield caller


def leftovers(folder: Path) -> list[str]:
    """Return which of the control files are there."""
    return [name for name in (SOCKET_FILE, TOKEN_FILE) if (folder / name).exists()]
