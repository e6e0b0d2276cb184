"""Recorded files: lines of plain or gzip-compressed text, read one at a time."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from actors.errors import DataError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_LINE_BYTES = 1 << 25
"""Longer lines are cut, so that memory stays bounded; a book of 25 MB is the longest known."""

_GZIP_MAGIC = b"\x1f\x8b"
_BUFFER_BYTES = 1 << 18


def open_lines(path: Path) -> io.BufferedReader:
    """Open a file for reading; what is compressed is told by its first bytes, not by its name.

    Raises:
        OSError: If it cannot be opened.
    """
    raw: io.BufferedReader = io.BufferedReader(path.open("rb", buffering=0), _BUFFER_BYTES)
    if raw.peek(2)[:2] != _GZIP_MAGIC:
        return raw
    return io.BufferedReader(_Unzipped(raw), _BUFFER_BYTES)


class _Unzipped(io.RawIOBase):
    """Gives what could be decompressed before it tells of damage; owns the file beneath."""

    def __init__(self, raw: io.BufferedReader) -> None:
        super().__init__()
        self._beneath = raw
        self._unzipped = gzip.GzipFile(fileobj=raw)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a part of the buffer; return how many bytes, 0 at the end."""
        view = memoryview(buffer)
        data = self._unzipped.read1(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the decompressor and the file."""
        self._unzipped.close()
        self._beneath.close()
        super().close()


def read_lines(path: Path) -> Iterator[bytes]:
    """Yield each line without its end; the first one without a byte order mark.

    A line of more than ``MAX_LINE_BYTES`` is yielded cut.

    Raises:
        OSError: If the file cannot be read.
        DataError: If its compressed stream is damaged or ends too early: every line before that
            has been yielded.
    """
    number = 0
    with open_lines(path) as stream:
        try:
            while raw := stream.readline(MAX_LINE_BYTES):
                number += 1
                if number == 1:
                    raw = raw.removeprefix(b"\xef\xbb\xbf")
                yield raw.rstrip(b"\r\n")
                while len(raw) == MAX_LINE_BYTES and not raw.endswith(b"\n"):
                    raw = stream.readline(MAX_LINE_BYTES)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            reason = f"the compressed stream is damaged: {error}"
            raise DataError(file=path.name, line=number + 1, reason=reason) from error


def read_text(path: Path) -> Iterator[str]:
    """Yield each line as text, as far as the file can be read; undecodable bytes are replaced.

    For looking at a file before it is read: what is damaged is told then.

    Raises:
        OSError: If the file cannot be read.
    """
    try:
        for line in read_lines(path):
            yield line.decode(errors="replace")
    except DataError:
        return


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        OSError: If the file cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
