"""``python -m tests.soak [DAYS] [fake]``: days of trading; fails if anything grows without end."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.soak.longrun import FAKE_VENUE, SIMULATED, growth, settings, soak

LIMITS = {"rss": 0.05, "tasks": 0.0, "orders": 0.05, "fills": 0.05, "journal": 0.5}
"""By how much the second half may be above the first; the journal's active file is a saw."""


def main() -> int:
    """Soak, show every day, and say what has grown; 1 if something has."""
    days = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    broker = FAKE_VENUE if "fake" in sys.argv[2:] else SIMULATED
    with TemporaryDirectory() as folder:
        seen = soak(settings(days, broker), Path(folder), lambda day: print(day.line(), flush=True))
    grown = {name: growth(seen, name) for name in LIMITS}
    print("growth of the second half:", ", ".join(f"{k} {v:+.1%}" for k, v in grown.items()))
    too_much = [name for name, limit in LIMITS.items() if grown[name] > limit]
    if too_much:
        print("grows without end:", ", ".join(too_much))
    return 1 if too_much else 0


if __name__ == "__main__":
    sys.exit(main())
