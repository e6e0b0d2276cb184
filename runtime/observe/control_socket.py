"""Where a run in real time can be spoken to, and how a person's command speaks to it.

In the run's folder there are a unix socket and a token, which only the run's user can read. One
line of JSON is one request, one line the answer; the first line is the token::

    > {"token": "..."}
    < {"ok": true, "result": {"run": "mine", "version": 1}}
    > {"command": "halt", "cause": "the market is mad", "id": 7}
    < {"ok": true, "result": {...}, "id": 7}
    > {"command": "dance"}
    < {"ok": false, "error": "command: expected one of ..., found 'dance'"}

An ``id`` is given back as it came. After ``events`` lines ``{"event": {...}}`` come as well.
"""

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from actors.errors import BulkheadError

SOCKET_FILE = "control.sock"
TOKEN_FILE = "token"
VERSION = 1
LONGEST_LINE = 65_536
"""Of a request, in bytes."""
TIMEOUT_S = 10.0
"""How long a command waits for an answer: seconds."""
_LONGEST_PATH = 100
"""Of a unix socket, in bytes: the system's limit is a little higher."""


class ControlFailed(BulkheadError):
    """A running system cannot be spoken to, or it refuses what was asked of it."""


@contextmanager
def socket_path(folder: Path) -> Iterator[str]:
    """Give a path of a folder's control socket that is short enough for the system."""
    path = str(folder / SOCKET_FILE)
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        yield path
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET_FILE}"
    finally:
        os.close(descriptor)


def is_spoken_to(folder: Path) -> bool:
    """Return whether somebody listens in a run's folder."""
    try:
        with socket_path(folder) as path, socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(TIMEOUT_S)
            probe.connect(path)
    except OSError:
        return False
    return True


class ControlClient:
    """A connection to a running system, for one command after the other.

    Raises:
        ControlFailed: If nobody listens there, or the token is wrong or cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT_S)
        try:
            with socket_path(folder) as path:
                self._socket.connect(path)
            token = (folder / TOKEN_FILE).read_text(encoding="ascii").strip()
        except OSError as error:
            self._socket.close()
            why = error.strerror or error
            raise ControlFailed(
                f"{folder}: nobody listens there: it does not run ({why})"
            ) from None
        self._lines = self._socket.makefile("rwb")
        try:
            self.hello = self._ask({"token": token})
        except ControlFailed:
            self.close()
            raise

    def ask(self, command: str, **arguments: Any) -> Any:
        """Send a command and return its result; arguments that are None are left out.

        Raises:
            ControlFailed: If it is refused, in the words of the one who refuses.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        return self._ask({"command": command, **given})

    def events(self) -> Iterator[Mapping[str, Any]]:
        """Yield what happens, after ``ask("events")``, until the connection ends."""
        self._socket.settimeout(None)
        while line := self._lines.readline():
            yield json.loads(line)

    def _ask(self, request: Mapping[str, Any]) -> Any:
        try:
            self._lines.write(json.dumps(request).encode() + b"\n")
            self._lines.flush()
            line = self._lines.readline()
        except OSError as error:
            raise ControlFailed(f"{self._folder}: no answer: {error}") from None
        if not line:
            raise ControlFailed(f"{self._folder}: the connection was closed without an answer")
        answer = json.loads(line)
        if not answer.get("ok"):
            raise ControlFailed(f"{self._folder}: {answer.get('error', 'refused without a word')}")
        return answer.get("result")

    def close(self) -> None:
        """End the connection."""
        with suppress(OSError):  # what could not be sent is not sent now
            self._lines.close()
        self._socket.close()

    def __enter__(self) -> "ControlClient":
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
