"""The child's side: an interpreter that holds one core and does what its parent asks.

Run as ``python -m runtime.kernel.placement.child LINE LIFELINE``, two file descriptors. It ends
when its parent hangs up or dies, even in the midst of a computation: the parent holds the other end
of the lifeline, whose closing sends a signal that ends the process. Signals that ask processes to
end (SIGINT, SIGTERM, SIGHUP) are not meant for it: its parent takes them and hears its last words.
"""

import fcntl
import os
import pickle
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from actors.actor import Context, Rows
from runtime.kernel.failures import report_failure
from runtime.kernel.placement.pipe import Line, Phrases, packed, unpacked

DONE, FAILED = "done", "failed"
"""How an answer begins; after the second comes the failure in words."""


class Maker(Protocol):
    """Builds the core; pickled by the parent, called by the child."""

    def prepare(self) -> tuple[Phrases, Callable[[Context], Any]]:
        """Return what is called by names in this process, and what builds a fresh core."""
        ...


class Server:
    """Does what the parent asks, one thing at a time.

    Each request is ``(news, name, arguments)``; the name is that of a public method below.
    """

    def __init__(self, line: Line, maker: Maker) -> None:
        self._line = line
        self._phrases, self._make = maker.prepare()
        self._core: Any = None
        self._callbacks: dict[int, Callable[[Any], None]] = {}
        self._rows: Rows | None = None

    def serve(self) -> None:
        """Answer until the parent hangs up."""
        while True:
            try:
                request = self._line.receive()
            except (EOFError, OSError):
                return
            try:
                answer = packed((DONE, self._obey(request)), self._phrases)
            except Exception as error:  # noqa: BLE001 - reported: the parent raises it
                answer = packed((FAILED, report_failure(error)), self._phrases)
            try:
                self._line.send(answer)
            except OSError:
                return

    def _obey(self, request: bytes) -> Any:
        news, body = pickle.loads(request)
        if news:
            self._phrases.learn(news)
        name, arguments = unpacked(body, self._phrases)
        return getattr(self, name)(*arguments)

    # --- what may be asked -----------------------------------------------------------------------

    def build(self, context: Context) -> None:
        """Build the core."""
        self._core = self._make(context)

    def reinstate(self, snapshot: Any) -> None:
        """Have the core go back to a snapshot."""
        self._core.reinstate(snapshot)

    def recover(self) -> None:
        """Have the core recover from what comes in the frames that follow, up to an empty one."""
        history = self._history()
        try:
            self._core.recover(history)
        finally:
            for _ in history:  # what it did not want to hear of must not be taken for a request
                pass

    def _history(self) -> Iterator[tuple[str, Any]]:
        while piece := unpacked(self._line.receive(), self._phrases):
            yield from piece

    def start(self, now_ns: int) -> list[Any]:
        """Start the core."""
        outputs: list[Any] = self._core.start(now_ns)
        return outputs

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        """Let the core handle a message."""
        outputs: list[Any] = self._core.handle(message, now_ns)
        return outputs

    def stop(self, now_ns: int) -> list[Any]:
        """Stop the core."""
        outputs: list[Any] = self._core.stop(now_ns)
        return outputs

    def snapshot(self) -> Any:
        """Return what the core saves."""
        return self._core.snapshot()

    def callback(self, code: int) -> bool:
        """Return whether the core wants rows of a code."""
        callback = self._core.callback(code)
        if callback is None:
            return False
        self._callbacks[code] = callback
        return True

    def row(self, code: int, event: Any) -> bool:
        """Show the core a row; return whether it has acted."""
        self._callbacks[code](event)
        return bool(self._core.outbox)

    def take_outbox(self, now_ns: int) -> list[Any]:
        """Return what the core has sent."""
        outputs: list[Any] = self._core.take_outbox(now_ns)
        return outputs

    def show(self, rows: Rows) -> None:
        """Keep rows for the two questions that follow."""
        self._rows = rows

    def on_slice(self, start: int, stop: int) -> int | None:
        """Return the first of the rows shown at which the core would act."""
        row: int | None = self._core.on_slice(self._rows, start, stop)
        return row

    def on_rows(self, start: int, stop: int) -> bool:
        """Give the core some of the rows shown; return whether it has acted."""
        self._core.on_rows(self._rows, start, stop)
        return bool(self._core.outbox)

    def ping(self) -> None:
        """Say that it is there."""


def die_with_parent(lifeline: int) -> None:
    """Have this process ended by a signal when nobody holds the other end of a pipe any more."""
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    flags = fcntl.fcntl(lifeline, fcntl.F_GETFL)
    fcntl.fcntl(lifeline, fcntl.F_SETFL, flags | os.O_ASYNC)


def leave_the_end_to_the_parent() -> None:
    """Have this process ignore the signals that ask a group of processes to end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def main() -> None:
    """Serve the parent on the descriptors that the command line names."""
    line_fd, lifeline = int(sys.argv[1]), int(sys.argv[2])
    die_with_parent(lifeline)
    with socket.socket(fileno=line_fd) as end:
        _serve(Line(end))


def _serve(line: Line) -> None:
    try:
        maker: Maker = pickle.loads(line.receive())
    except EOFError:
        return
    try:
        server = Server(line, maker)
    except Exception as error:  # noqa: BLE001 - reported: the parent raises it
        line.receive()  # it is the answer to the first question
        line.send(pickle.dumps((FAILED, report_failure(error))))
        return
    server.serve()


if __name__ == "__main__":
    leave_the_end_to_the_parent()
    main()
