"""Tries every point (``make crash-all``), or one: ``... ACTOR before|after|twice CALL``.

``... every N`` tries each N-th: of those before and after, and of ten times as few crashes twice.
They come shuffled, so that those that were tried stand for all at any time.
"""

import sys
from zlib import crc32

from tests.ring.crash_points.points import Point, When, all_points
from tests.ring.crash_points.workers import failure_of
from tests.ring.many import be_quiet, in_processes

_TWICE = 10


def points_of(arguments: list[str]) -> list[Point]:
    """Return what to try."""
    if len(arguments) == 3:
        actor, when, call = arguments
        return [Point(actor, int(call), When(when))]
    step = int(arguments[1]) if arguments else 1
    points = all_points()[::step] + all_points([When.TWICE])[:: _TWICE * step]
    return sorted(points, key=lambda point: crc32(str(point).encode()))


def main(arguments: list[str]) -> int:
    """Return whether any point has failed."""
    be_quiet()
    points = points_of(arguments)
    failed = 0
    for done, failure in enumerate(in_processes(failure_of, points), start=1):
        if failure is not None:
            failed += 1
            point, text = failure
            print(f"{point}\n{text}\n  {point.command}\n", flush=True)
        if done % 500 == 0:
            print(f"{done} of {len(points)} points tried, {failed} failed", flush=True)
    print(f"{len(points)} points tried, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
