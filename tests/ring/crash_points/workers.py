"""Tries a point where something may go wrong."""

from traceback import format_exc

from tests.ring.crash_points.points import Point, check_point


def failure_of(point: Point) -> tuple[Point, str] | None:
    """Return what went wrong at a point, None if nothing."""
    try:
        check_point(point)
    except Exception:  # noqa: BLE001 - whatever it is, it is told
        return point, format_exc(limit=-3)
    return None
