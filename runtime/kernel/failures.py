"""Exceptions in words: what a failure report says is the same on every machine and in every run."""

import re
from collections.abc import Iterator
from pathlib import PurePath
from traceback import walk_tb

import trio

from actors.messages.system import FailureReport

_TEXT_LIMIT = 500
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")


class FailedElsewhere(Exception):
    """A failure of another interpreter, which has put it in words there."""

    def __init__(self, report: FailureReport) -> None:
        self.report = report
        super().__init__(f"{report.kind}: {report.text} ({report.where})")


def report_failure(error: BaseException) -> FailureReport:
    """Return a failure in words: the first exception in its groups that is not a cancellation.

    Memory addresses are blanked, because they differ from run to run; long texts are cut.
    """
    leaf = next((leaf for leaf in _leaves(error) if not isinstance(leaf, trio.Cancelled)), error)
    if isinstance(leaf, FailedElsewhere):
        return leaf.report
    return FailureReport(kind=type(leaf).__name__, text=_text(leaf), where=_where(leaf))


def is_cancelled_only(error: BaseException) -> bool:
    """Return whether an exception is nothing but cancellation, however deeply grouped."""
    return all(isinstance(leaf, trio.Cancelled) for leaf in _leaves(error))


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for member in error.exceptions:
            yield from _leaves(member)
    else:
        yield error


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception as second:  # noqa: BLE001 - a broken __str__ must not hide the failure
        text = f"no text: its __str__ raised {type(second).__name__}"
    text = _ADDRESS.sub("0x...", text)
    return text if len(text) <= _TEXT_LIMIT else f"{text[: _TEXT_LIMIT - 3]}..."


def _where(error: BaseException) -> str:
    """Return ``file:function:line`` of the innermost frame, the file by its last two parts."""
    innermost = None
    for innermost in walk_tb(error.__traceback__):  # noqa: B007 - only the last one matters
        pass
    if innermost is None:
        return "unknown"
    frame, line = innermost
    file = "/".join(PurePath(frame.f_code.co_filename).parts[-2:])
    return f"{file}:{frame.f_code.co_qualname}:{line}"
