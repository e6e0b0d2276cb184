"""Tries every point (``make crash-all``), or one: ``... ACTOR before|after CALL``."""

import sys
from multiprocessing import get_context
from traceback import format_exc

from tests.ring.crash_points.points import Point, all_points, check_point

_WORKERS = 2


def failure_of(point: Point) -> tuple[Point, str] | None:
    """Return what went wrong at a point, None if nothing."""
    try:
        check_point(point)
    except Exception:  # noqa: BLE001 - whatever it is, it is told
        return point, format_exc(limit=-3)
    return None


def main(arguments: list[str]) -> int:
    """Return how many points have failed."""
    if arguments:
        actor, when, call = arguments
        points = [Point(actor, int(call), when == "after")]
    else:
        points = all_points()
    failures = []
    with get_context("spawn").Pool(_WORKERS) as pool:
        for done, failure in enumerate(pool.imap_unordered(failure_of, points, 16), start=1):
            if failure is not None:
                failures.append(failure)
                print(f"{failure[0]}\n{failure[1]}\n  {failure[0].command}\n", flush=True)
            if done % 500 == 0:
                print(f"{done} of {len(points)} points tried, {len(failures)} failed", flush=True)
    print(f"{len(points)} points tried, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
