"""A daemon that is killed again and again, and what must be true afterwards.

    python -m tests.daemon.killing KILLS [SEED]

kills a daemon so many times, at random moments and at chosen points of the code, lets it end in
order, compares, and prints what it has done.
"""

import signal
import sys
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from random import Random  # noqa: TID251 - the type only; the generator is seeded
from typing import Any

import attrs

from runtime.kernel.clock import wall_time_ns
from runtime.kernel.determinism import seeded_random
from tests.daemon.daemons import CONFIG, Books, Daemon, books_of, daemon, venue, verify

POINTS = (
    "journal.before_commit",
    "journal.after_commit",
    "journal.rotate.prepared",
    "journal.rotate.closed",
    "journal.rotate.moved",
    "journal.rotate.done",
    "link.before_send",
    "link.after_send",
    "link.before_answer",
)
_SMALL = "journal.segment_rows=200"
"""A limit with which there are several files."""
_LONGEST_S = 3.0
"""How long a daemon may live that is to be killed at a point which it does not come to."""
_CONFIG = CONFIG.replace("status_every: 0s", "status_every: 0s, snapshot_every: 40")
_FAULTS = {"lose_answer": 0.02, "duplicate_news": 0.1, "drop_news": 0.05, "delay_news": 0.1}


@attrs.define
class Tally:
    """What was done, and what is wrong (nothing should be)."""

    kills: Counter[str] = attrs.field(factory=Counter)
    orders: int = 0
    trades: int = 0
    wrong: list[str] = attrs.field(factory=list)

    def expect(self, is_so: bool, words: str) -> None:
        """Note what is not as it should be."""
        if not is_so:
            self.wrong.append(words)

    def __str__(self) -> str:
        kinds = ", ".join(f"{count} {where}" for where, count in sorted(self.kills.items()))
        words = [
            f"{self.kills.total()} kills ({kinds}), {self.orders} orders, {self.trades} trades"
        ]
        return "\n".join([*words, *(f"WRONG: {each}" for each in self.wrong)])


def kill_again_and_again(folder: Path, kills: int, seed: int) -> Tally:
    """Kill a daemon so many times, end it in order, and compare everybody's books."""
    dice = seeded_random(seed, "kills")
    tally = Tally()
    with venue(folder, faults=_FAULTS, seed=seed) as there, daemon(folder, _CONFIG) as night:
        for _ in range(kills):
            tally.kills[_kill_once(night, dice)] += 1
            if night.errors:
                tally.wrong.append(f"start {night.starts}: {night.errors}")
                return tally
        night.start("--set", "daemon.duration=3s")
        code = night.ended()
        tally.expect(code == 0, f"the last start ended with {code}: {night.errors}")
        if code == 0:
            compare(night, there.ledger(), tally)
    return tally


def _kill_once(night: Daemon, dice: Random) -> str:
    """Start a daemon and kill it, at a point or after some time; return where."""
    if dice.random() < 0.5:
        night.start(faults=_SMALL)
        night.kill_after(dice.uniform(0.0, 1.0))
        return "at random"
    point = dice.choice(POINTS)
    count = dice.randrange(1, 3 if "rotate" in point else 25)
    night.start(faults=f"{_SMALL},{point}:{count}=kill")
    if night.has_ended_within(_LONGEST_S):
        night.ended()
        return point
    night.kill_after(0)
    return f"before {point} came"


def compare(night: Daemon, ledger: dict[str, Any], tally: Tally) -> None:
    """Compare portfolio, journal and venue, all at the end."""
    books = books_of(night.run_folder)
    tally.orders, tally.trades = len(books.submitted), len(books.trades)
    _compare_books(books, ledger, night.stats(), tally)
    placed = Counter(ledger["placed"])
    unknown = sorted(set(placed) - books.submitted)
    tally.expect(not unknown, f"orders at the venue that were never approved: {unknown[:3]}")
    tally.expect(not ledger["violations"], f"the venue complains: {ledger['violations'][:3]}")
    tally.expect(ledger["places_after_halt"] == 0, "orders came after a halt")
    checked = verify(night.run_folder)
    tally.expect(checked.returncode == 0, f"the journal: {checked.stdout}{checked.stderr}")


def _compare_books(
    books: Books, ledger: dict[str, Any], stats: dict[str, Any], tally: Tally
) -> None:
    there = {trade["trade_id"] for trade in ledger["trades"] if trade["client_order_id"]}
    tally.expect(there == books.trades, f"trades differ: {sorted(there ^ books.trades)[:5]}")
    tally.expect(not books.repeated, f"fills told twice: {books.repeated[:5]}")
    cash = Decimal(ledger["balances"]["USD"])
    tally.expect(books.cash == cash, f"cash: the journal says {books.cash}, the venue {cash}")
    own = Decimal(stats["final_cash"])
    tally.expect(own == cash, f"cash: the portfolio says {own}, the venue {cash}")
    tally.expect(books.held == {} == ledger["positions"], f"held: {books.held} {ledger}")
    tally.expect(not books.not_over, f"orders that are not over: {books.not_over}")
    statuses = Counter(order["status"] for order in ledger["orders"])
    is_open = statuses["WORKING"] + statuses["PARTIALLY_FILLED"]
    tally.expect(not is_open, f"{is_open} orders are open at the venue")


def main() -> int:
    """Kill, print, and return 1 if anything is wrong."""
    kills, *rest = sys.argv[1:]
    seed = int(rest[0]) if rest else 1
    began_ns = wall_time_ns()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        tally = kill_again_and_again(Path(folder), int(kills), seed)
    seconds = (wall_time_ns() - began_ns) / 1e9
    sys.stdout.write(f"seed {seed}, {seconds:.0f} s: {tally}\n")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
