"""Halts between any two messages (``make halt-all``), or at some: ``... CALL CALL ...``."""

import sys

from tests.ring.halt_points.points import failure_at
from tests.ring.many import be_quiet, in_processes
from tests.ring.test_kill_switch import undisturbed_calls


def main(arguments: list[str]) -> int:
    """Return whether any moment has failed."""
    be_quiet()
    moments = [int(each) for each in arguments] or list(range(1, undisturbed_calls() + 1))
    failures = [each for each in in_processes(failure_at, moments) if each is not None]
    print(*failures, sep="\n")
    print(f"{len(moments)} moments tried, twice each; {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
