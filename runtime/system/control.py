"""The control server: a unix socket in the run's folder (and a port of this machine, if asked for).

Each connection has a task of its own and a token to show. A bad line gets one clear line back, and
the connection stays; a reader of events that falls behind loses events, and is told how many. The
protocol is described in :mod:`runtime.observe.control_socket`.
"""

import hmac
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import msgspec
import trio
from loguru import logger

from runtime.kernel.determinism import secret_token
from runtime.kernel.envelope import Envelope
from runtime.kernel.failures import report_failure
from runtime.observe.control_socket import (
    LONGEST_LINE,
    SOCKET_FILE,
    TOKEN_FILE,
    VERSION,
    socket_path,
)
from runtime.system.control_commands import Commands, Governed, Refused
from runtime.system.events import EventKind, event_of

_MOST_CONNECTIONS = 16
_BACKLOG = 1024
"""How many events a reader may be behind."""
_PATIENCE_S = 10.0
"""How long somebody may take to show the token, or to take an answer: seconds."""
_LOOPBACK = "127.0.0.1"


@attrs.frozen(kw_only=True)
class ControlPlace:
    """Where to listen: in a folder and, if ``port`` is given, on a port of this machine."""

    folder: Path
    port: int | None = None


async def serve_control(
    system: Governed,
    place: ControlPlace,
    about: Mapping[str, Any],
    *,
    task_status: trio.TaskStatus[list[trio.SocketListener]] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; the socket and the token are gone then.

    Args:
        system: What is governed; it runs already.
        place: Where to listen.
        about: What ``status`` says of the run beside its state; ``run`` is its name.
        task_status: Is told the listeners when they listen.

    Raises:
        OSError: If nobody can listen there.
    """
    token = _new_token(place.folder)
    server = _Server(Commands(system, about), about, token)
    listeners = [await _listen(place.folder)]
    try:
        if place.port is not None:
            listeners += await trio.open_tcp_listeners(place.port, host=_LOOPBACK)
        async with trio.open_nursery() as connections:
            task_status.started(listeners)
            await trio.serve_listeners(server.serve, listeners, handler_nursery=connections)
    finally:
        for listener in listeners:
            listener.socket.close()
        (place.folder / SOCKET_FILE).unlink(missing_ok=True)
        (place.folder / TOKEN_FILE).unlink(missing_ok=True)


def _new_token(folder: Path) -> str:
    """Write a token that only this user can read, in the place of an older one."""
    path = folder / TOKEN_FILE
    path.unlink(missing_ok=True)
    token = secret_token()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{token}\n")
    return token


async def _listen(folder: Path) -> trio.SocketListener:
    """Listen on the folder's socket, which only this user can open, in the place of a dead one."""
    (folder / SOCKET_FILE).unlink(missing_ok=True)
    listener = trio.socket.socket(trio.socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        with socket_path(folder) as path:
            await listener.bind(path)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(mask)
    listener.listen()
    return trio.SocketListener(listener)


class _Server:
    """Takes connections, not too many at once."""

    def __init__(self, commands: Commands, about: Mapping[str, Any], token: str) -> None:
        self._commands = commands
        self._hello = {"run": about.get("run", ""), "version": VERSION}
        self._token = token.encode()
        self._open = 0

    async def serve(self, stream: trio.SocketStream) -> None:
        """Serve one connection; whatever goes wrong with it, it is the only one that ends."""
        self._open += 1
        connection = _Connection(stream, self._commands)
        try:
            async with stream:
                if self._open > _MOST_CONNECTIONS:
                    await connection.refuse(f"{_MOST_CONNECTIONS} connections are open already")
                elif await self._is_let_in(connection):
                    await connection.converse()
        except* (trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            pass  # whoever it was has gone, or does not listen
        except* Exception as group:  # noqa: BLE001 - it is logged; the server goes on
            failure = report_failure(group)
            logger.error(f"control: {failure.kind}: {failure.text} ({failure.where})")
        finally:
            self._open -= 1

    async def _is_let_in(self, connection: "_Connection") -> bool:
        with trio.move_on_after(_PATIENCE_S):
            line = await connection.line()
            if line is None:
                return False
            shown = _token_of(line)
            if hmac.compare_digest(shown.encode(errors="replace"), self._token):
                await connection.say({"ok": True, "result": self._hello})
                return True
        expected = 'expected {"token": ...} as the first line, with what stands in its token file'
        await connection.refuse(f"token: {expected}")
        return False


def _token_of(line: bytes) -> str:
    try:
        shown = json.loads(line)
    except ValueError:
        return ""
    token = shown.get("token") if isinstance(shown, dict) else None
    return token if isinstance(token, str) else ""


class _Connection:
    """One who asks, line by line."""

    def __init__(self, stream: trio.SocketStream, commands: Commands) -> None:
        self._stream = stream
        self._commands = commands
        self._kept = b""
        self._speaking = trio.Lock()
        self._reader: _Reader | None = None

    # --- lines -----------------------------------------------------------------------------------

    async def line(self) -> bytes | None:
        """Return the next line; None at the end. One that is too long is skipped and told of."""
        is_too_long = False
        while True:
            line, found, rest = self._kept.partition(b"\n")
            if found:
                self._kept = rest
                if not is_too_long:
                    return line
                await self.refuse(f"line: expected at most {LONGEST_LINE} bytes, found more")
                is_too_long = False
                continue
            if len(self._kept) > LONGEST_LINE:
                is_too_long, self._kept = True, b""
            part = await self._stream.receive_some(LONGEST_LINE)
            if not part:
                return None
            self._kept += part

    async def say(self, what: Mapping[str, Any]) -> None:
        """Send a line; whoever does not take it in time is left."""
        line = msgspec.json.encode(what, enc_hook=str) + b"\n"
        async with self._speaking:
            with trio.fail_after(_PATIENCE_S):
                await self._stream.send_all(line)

    async def refuse(self, why: str) -> None:
        """Say what is wrong."""
        await self.say({"ok": False, "error": why})

    # --- requests --------------------------------------------------------------------------------

    async def converse(self) -> None:
        """Answer line after line until the other side ends."""
        async with trio.open_nursery() as nursery:
            while (line := await self.line()) is not None:
                if line.strip():
                    await self.say(await self._answer(line, nursery))
            nursery.cancel_scope.cancel()

    async def _answer(self, line: bytes, nursery: trio.Nursery) -> dict[str, Any]:
        request = _request_of(line)
        if isinstance(request, str):
            return {"ok": False, "error": request}
        name = request.pop("command", None)
        echo = {"id": request.pop("id")} if "id" in request else {}
        try:
            if name == "events":
                result = await self._stream_events(request, nursery)
            else:
                result = await self._commands.run(name, request)
        except Refused as refusal:
            return {"ok": False, "error": str(refusal), **echo}
        except Exception as error:  # noqa: BLE001 - it is reported; the connection stays
            failure = report_failure(error)
            text = f"{failure.kind}: {failure.text} ({failure.where})"
            logger.error(f"control: {name}: {text}")
            return {"ok": False, "error": f"{name} has failed: {text}", **echo}
        return {"ok": True, "result": result, **echo}

    async def _stream_events(self, arguments: Mapping[str, Any], nursery: trio.Nursery) -> Any:
        if self._reader is not None:
            raise Refused("events: they come already on this connection")
        kinds = _kinds(arguments)
        self._reader = _Reader(kinds)
        await nursery.start(self._tell_events, self._reader)
        return {"kinds": sorted(kinds)}

    async def _tell_events(self, reader: "_Reader", *, task_status: trio.TaskStatus[None]) -> None:
        with self._commands.watchers.watching(reader.see):
            task_status.started()
            async for told in reader.waiting:
                await self.say(told)
                if reader.missed:
                    missed, reader.missed = reader.missed, 0
                    await self.say({"missed": missed})


class _Reader:
    """Keeps the events that somebody has yet to take: some; the rest is counted."""

    def __init__(self, kinds: frozenset[EventKind]) -> None:
        self.missed = 0
        self._kinds = kinds
        self._put, self.waiting = trio.open_memory_channel[dict[str, Any]](_BACKLOG)

    def see(self, envelope: Envelope) -> None:
        """Take in a message that was delivered."""
        event = event_of(envelope)
        if event is None or event.kind not in self._kinds:
            return
        told = {**msgspec.structs.asdict(event), "type": type(event.data).__name__}
        try:
            self._put.send_nowait({"event": told})
        except trio.WouldBlock:
            self.missed += 1


def _request_of(line: bytes) -> dict[str, Any] | str:
    """Return a request, or what is wrong with it."""
    expected = 'expected a line of JSON such as {"command": "status"}'
    try:
        request = json.loads(line)
    except (ValueError, RecursionError):
        return f"{expected}, found something else"
    return request if isinstance(request, dict) else f"{expected}, found {type(request).__name__}"


_DEFAULT_KINDS = (EventKind.USER, EventKind.SYSTEM)


def _kinds(arguments: Mapping[str, Any]) -> frozenset[EventKind]:
    unknown = sorted(set(arguments) - {"kinds"})
    given = arguments.get("kinds", list(_DEFAULT_KINDS))
    known = [str(each) for each in EventKind]
    if unknown or not isinstance(given, list) or not set(map(str, given)) <= set(known):
        raise Refused(f"kinds: expected a list of {', '.join(known)}, found {given!r:.80}")
    return frozenset(EventKind(each) for each in given)
