"""Faults on purpose: named points in the code at which a plan lets something go wrong.

The plan is in the environment variable ``BULKHEAD_FAULTS``: ``POINT:N=ACTION`` says what happens
the N-th time that a point is reached, ``POINT=NUMBER`` sets a limit; commas in between. Example::

    BULKHEAD_FAULTS=journal.before_commit:7=kill,journal.pages=200

======= ===================================================================================
action  what happens
======= ===================================================================================
kill    the process kills itself, as ``kill -9`` does
full    the disk is full
fsync   the disk fails to write
torn    the last page of the file in question is overwritten with garbage, then ``kill``
======= ===================================================================================

Without the variable a point costs one test.
"""

import errno
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import attrs

from actors.errors import ConfigError, Problem

VARIABLE = "BULKHEAD_FAULTS"
_PAGE = 8192
_ACTIONS = ("kill", "full", "fsync", "torn")
_EXPECTED = f"POINT:N={'|'.join(_ACTIONS)} or POINT=NUMBER"


@attrs.define
class FaultPlan:
    """What goes wrong at which point, and the limits that are set."""

    actions: Mapping[tuple[str, int], str]
    limits: Mapping[str, int]
    reached: dict[str, int] = attrs.field(factory=dict)

    def reach(self, point: str, file: Path | None) -> None:
        """Count a point, and do what is planned."""
        count = self.reached[point] = self.reached.get(point, 0) + 1
        action = self.actions.get((point, count))
        if action == "full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if action == "fsync":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if action == "torn" and file is not None:
            tear(file)
        if action in ("kill", "torn"):
            os.kill(os.getpid(), signal.SIGKILL)


def tear(file: Path) -> None:
    """Overwrite the end of a database's newest pages with garbage: of its log, if it has one."""
    log = file.with_name(f"{file.name}-wal")
    torn = log if log.exists() and log.stat().st_size else file
    size = torn.stat().st_size
    start = max(0, size - _PAGE)
    with torn.open("r+b") as opened:
        opened.seek(start)
        opened.write(bytes(each * 151 % 256 for each in range(size - start)))
        opened.flush()
        os.fsync(opened.fileno())


def parse(text: str) -> FaultPlan:
    """Return the plan that a text describes.

    Raises:
        ConfigError: If it is none.
    """
    actions: dict[tuple[str, int], str] = {}
    limits: dict[str, int] = {}
    for item in filter(None, (each.strip() for each in text.split(","))):
        target, _, what = item.partition("=")
        point, _, count = target.partition(":")
        if point and count.isdigit() and what in _ACTIONS:
            actions[point, int(count)] = what
        elif point and not count and what.isdigit():
            limits[point] = int(what)
        else:
            problem = Problem(
                file="environment", key=VARIABLE, expected=_EXPECTED, found=repr(item)
            )
            raise ConfigError([problem])
    return FaultPlan(actions, limits)


_plan: FaultPlan | None = parse(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None


def install(plan: FaultPlan | None) -> None:
    """Follow another plan from now on; None for no faults."""
    global _plan
    _plan = plan


def reach(point: str, file: Path | None = None) -> None:
    """Say that the code has come to a point.

    Args:
        point: Its name.
        file: The database that ``torn`` would damage here.

    Raises:
        OSError: If the plan lets the disk be full or fail.
    """
    if _plan is not None:
        _plan.reach(point, file)


def limit(name: str) -> int | None:
    """Return a limit that the plan sets, None if it sets none."""
    return None if _plan is None else _plan.limits.get(name)
