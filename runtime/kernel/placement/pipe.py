"""Frames between a parent and its child: four bytes that say how long, then the bytes.

They are pickled, so a parent must only speak to a child that it has started itself. What both
sides have of their own (a table of instruments) is called by its name.
"""

import io
import pickle
import socket
from contextlib import suppress
from typing import Any, Protocol

_HEADER = 4
_PIECE = 1 << 16
_PROTOCOL = pickle.HIGHEST_PROTOCOL


class Phrases(Protocol):
    """What both sides have of their own, and how they call it."""

    def name_of(self, each: Any) -> Any:
        """Return the name of an object that the other side has too; None to send it whole."""
        ...

    def named(self, name: Any) -> Any:
        """Return the object of a name; KeyError or IndexError if there is none."""
        ...

    def news(self) -> bytes:
        """Return what the other side must learn before it can follow; empty if nothing.

        What was returned counts as told.
        """
        ...

    def learn(self, news: bytes) -> None:
        """Take in what the other side has returned as its news."""
        ...


class _Writer(pickle.Pickler):
    def __init__(self, file: io.BytesIO, phrases: Phrases) -> None:
        super().__init__(file, _PROTOCOL)
        self.persistent_id = phrases.name_of  # type: ignore[method-assign]


class _Reader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, phrases: Phrases) -> None:
        super().__init__(file)
        self.persistent_load = phrases.named  # type: ignore[method-assign]


def packed(what: Any, phrases: Phrases) -> bytes:
    """Return an object as bytes; whatever pickling it raises is raised."""
    file = io.BytesIO()
    _Writer(file, phrases).dump(what)
    return file.getvalue()


def unpacked(body: bytes, phrases: Phrases) -> Any:
    """Return the object of :func:`packed`; whatever unpickling it raises is raised."""
    return _Reader(io.BytesIO(body), phrases).load()


class Line:
    """One end of a connection that carries frames."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._rest = b""

    def wait_at_most(self, seconds: float | None) -> None:
        """Let each wait from now on raise TimeoutError after so long; None waits for ever."""
        if self._end.gettimeout() != seconds:
            self._end.settimeout(seconds)

    def send(self, body: bytes) -> None:
        """Send a frame; OSError if nobody is there."""
        self._end.sendall(len(body).to_bytes(_HEADER, "big") + body)

    def receive(self) -> bytes:
        """Return the next frame.

        Raises:
            EOFError: If the other side has left.
            TimeoutError: If that takes too long.
        """
        got = self._rest
        while len(got) < _HEADER:
            got += self._piece()
        end = _HEADER + int.from_bytes(got[:_HEADER], "big")
        if len(got) < end:
            pieces, missing = [got], end - len(got)
            while missing > 0:
                piece = self._piece()
                pieces.append(piece)
                missing -= len(piece)
            got = b"".join(pieces)
        self._rest = got[end:]
        return got[_HEADER:end]

    def _piece(self) -> bytes:
        piece = self._end.recv(_PIECE)
        if not piece:
            raise EOFError("the other side has left")
        return piece

    def hang_up(self) -> None:
        """Wake up whoever waits at either end."""
        with suppress(OSError):  # the other side may have left
            self._end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Forget the connection; nobody may be waiting at this end."""
        self._end.close()
