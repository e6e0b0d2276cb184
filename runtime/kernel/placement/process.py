"""The parent's side: a process with one core in it, and the core that stands in for it."""

import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import islice
from typing import Any

import attrs

from actors.actor import Context, Rows
from actors.errors import KernelError
from runtime.kernel.failures import FailedElsewhere
from runtime.kernel.placement.child import DONE, Maker
from runtime.kernel.placement.pipe import Line, Phrases, packed, unpacked

_MODULE = "runtime.kernel.placement.child"
_START_S = 60.0
"""How long a fresh core may take to be there: an interpreter starts, and modules are imported."""
_PIECE = 500


class Unresponsive(KernelError):
    """A core in a thread or process of its own does not answer: its process is killed."""


class ChildProcess:
    """An interpreter of its own, started and killed by this one.

    It is the leader of a session, so that a key pressed at our terminal does not reach it, and dies
    with whatever it has started.
    """

    def __init__(self, name: str, maker: Maker) -> None:
        self._name = name
        ours, theirs = socket.socketpair()
        lifeline, self._hold = os.pipe()
        paths = [path for path in sys.path if path]
        with theirs:
            descriptors = (theirs.fileno(), lifeline)
            self._process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, *map(str, descriptors)],
                pass_fds=descriptors,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), *paths])},
            )
        os.close(lifeline)
        self._line = Line(ours)
        self._is_asking = False
        self._is_over = False
        self._line.send(pickle.dumps(maker))

    @property
    def pid(self) -> int:
        """Return the process's number."""
        return self._process.pid

    def ask(self, frames: Iterable[bytes], deadline_s: float | None) -> bytes:
        """Send frames and return the one that answers the first of them.

        Raises:
            Unresponsive: If that takes longer than ``deadline_s``, or the process ends meanwhile.
        """
        self._is_asking = True
        try:
            self._line.wait_at_most(deadline_s)
            for frame in frames:
                self._line.send(frame)
            return self._line.receive()
        except TimeoutError as error:
            text = f"{self._name} has not answered within {deadline_s:g} s and was killed"
            raise Unresponsive(text) from error
        except (EOFError, OSError) as error:
            raise Unresponsive(f"{self._name}: {self._ending()}") from error
        finally:
            self._is_asking = False
            if self._is_over:
                self._line.close()

    def _ending(self) -> str:
        """Return how the process has ended, in words."""
        if self._is_over:
            return "its process was ended"
        try:
            code = self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            return "its process has closed the connection"
        by = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return f"its process has ended with {by}"

    def kill(self) -> None:
        """End the process and all it has started, at once; whoever waits for an answer is told."""
        if self._is_over:
            return
        self._is_over = True
        with suppress(ProcessLookupError):  # it may have ended by itself
            os.killpg(self._process.pid, signal.SIGKILL)
        self._line.hang_up()
        if not self._is_asking:
            self._line.close()
        os.close(self._hold)
        self._process.wait()


@attrs.frozen
class Remote:
    """What builds the core elsewhere, what both sides call by names, and what the core is told."""

    maker: Maker
    phrases: Phrases
    context: Context


class PlacedCore:
    """Stands in for a core in a process of its own: each call is one question and its answer.

    The process is started by :meth:`spawn` or :meth:`start`, not before. A failure of the core is
    raised here in the child's words.

    Attributes:
        deadline_s: How long an answer may take, in seconds; None for ever (in simulated time, where
            no clock of ours may decide anything).
    """

    def __init__(self, remote: Remote) -> None:
        self.outbox: list[Any] = []
        self.deadline_s: float | None = None
        self._remote = remote
        self._phrases = remote.phrases
        self._before: list[Callable[[], Any]] = []
        self._child: ChildProcess | None = None
        self._is_over = False

    @property
    def pid(self) -> int | None:
        """Return the process's number while there is one."""
        return None if self._child is None else self._child.pid

    def spawn(self) -> None:
        """Start the process; it gets ready by itself."""
        if self._child is None and not self._is_over:
            self._child = ChildProcess(self._remote.context.actor, self._remote.maker)
            if self._is_over:  # it was closed by another thread meanwhile
                self.close()

    def close(self) -> None:
        """End the process, whatever it is doing; there will be no other."""
        self._is_over = True
        child, self._child = self._child, None
        if child is not None:
            child.kill()

    def ping(self) -> None:
        """Return when the process has answered."""
        self._ask("ping")

    # --- a core ----------------------------------------------------------------------------------

    def reinstate(self, snapshot: Any) -> None:
        """Have the core go back to a snapshot when it starts."""
        self._before.append(partial(self._ask, "reinstate", snapshot))

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Have the core recover when it starts."""
        self._before.append(partial(self._recover, list(history)))

    def start(self, now_ns: int) -> list[Any]:
        """Start the process, the core in it, and return what it sends."""
        try:
            return self._start(now_ns)
        except BaseException:
            self.close()
            raise

    def _start(self, now_ns: int) -> list[Any]:
        self.spawn()
        deadline_s = self.deadline_s
        self.deadline_s = None if deadline_s is None else max(deadline_s, _START_S)
        self._ask("build", attrs.evolve(self._remote.context, archive=None))
        for step in self._before:
            step()
        self._before.clear()
        outputs: list[Any] = self._ask("start", now_ns)
        self.deadline_s = deadline_s
        return outputs

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        """Return what the core makes of a message."""
        outputs: list[Any] = self._ask("handle", message, now_ns)
        return outputs

    def stop(self, now_ns: int) -> list[Any]:
        """Return the core's last words."""
        outputs: list[Any] = self._ask("stop", now_ns)
        return outputs

    def snapshot(self) -> Any:
        """Return what the core saves; None if it does not tell."""
        return self._ask("snapshot")

    # --- a listener of the market ----------------------------------------------------------------

    def callback(self, code: int) -> Callable[[Any], None] | None:
        """Return what shows the core a row of this code, or None if it does not want any."""
        return partial(self._row, code) if self._ask("callback", code) else None

    def _row(self, code: int, event: Any) -> None:
        if self._ask("row", code, event):
            self.outbox.append(None)

    def take_outbox(self, now_ns: int) -> list[Any]:
        """Return and forget what the core has sent."""
        self.outbox.clear()
        outputs: list[Any] = self._ask("take_outbox", now_ns)
        return outputs

    # --- questions -------------------------------------------------------------------------------

    def _recover(self, history: list[tuple[str, Any]]) -> None:
        # the news go with the question, so the pieces are packed before it
        pieces = iter(history)
        frames = []
        while piece := list(islice(pieces, _PIECE)):
            frames.append(packed(piece, self._phrases))
        self._answer([self._question("recover", ()), *frames, packed([], self._phrases)])

    def _ask(self, name: str, *arguments: Any) -> Any:
        return self._answer([self._question(name, arguments)])

    def _question(self, name: str, arguments: tuple[Any, ...]) -> bytes:
        body = packed((name, arguments), self._phrases)
        return pickle.dumps((self._phrases.news(), body))

    def _answer(self, frames: list[bytes]) -> Any:
        child = self._child
        if child is None:
            raise Unresponsive(f"{self._remote.context.actor}: its process was ended")
        try:
            body = child.ask(frames, self.deadline_s)
        except Unresponsive:
            self.close()
            raise
        verdict, found = unpacked(body, self._phrases)
        if verdict == DONE:
            return found
        raise FailedElsewhere(found)


class PlacedVectorised(PlacedCore):
    """Stands in for a core that works on whole columns; rows are shown to it once."""

    def __init__(self, remote: Remote) -> None:
        super().__init__(remote)
        self._shown: Rows | None = None

    def on_slice(self, rows: Rows, start: int, stop: int) -> int | None:
        """Return the first row at which the core would act."""
        self._show(rows)
        row: int | None = self._ask("on_slice", start, stop)
        return row

    def on_rows(self, rows: Rows, start: int, stop: int) -> None:
        """Give the core rows that have passed."""
        self._show(rows)
        if self._ask("on_rows", start, stop):
            self.outbox.append(None)

    def _show(self, rows: Rows) -> None:
        if self._shown is not rows:
            self._ask("show", rows)
            self._shown = rows
