"""Tries many points at once, in processes of their own."""

from collections.abc import Iterator
from contextlib import nullcontext
from multiprocessing import get_context
from traceback import format_exc

from loguru import logger

from runtime.system import system
from tests.ring.crash_points.points import Point, check_point

_WORKERS = 2

Failure = tuple[Point, str]


def be_quiet() -> None:
    """Spare the runs of this process what they log, and the full collections of garbage."""
    logger.remove()
    system.steady_collector = nullcontext  # type: ignore[assignment]


def failure_of(point: Point) -> Failure | None:
    """Return what went wrong at a point, None if nothing."""
    try:
        check_point(point)
    except Exception:  # noqa: BLE001 - whatever it is, it is told
        return point, format_exc(limit=-3)
    return None


def failures_at(points: list[Point]) -> Iterator[Failure | None]:
    """Yield what went wrong at each point, in any order."""
    with get_context("spawn").Pool(_WORKERS, be_quiet) as pool:
        yield from pool.imap_unordered(failure_of, points, 16)
