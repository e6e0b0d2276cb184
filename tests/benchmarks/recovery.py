"""How long a new process takes to go on from the journal of one that was killed.

``python -m tests.benchmarks.recovery JOURNAL ORDERS`` is such a process.
"""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import trio

from actors.orders.config import OrderManagerConfig
from actors.orders.manager import OrderManager
from actors.portfolio.config import PortfolioConfig
from actors.portfolio.portfolio import Portfolio
from runtime.kernel.determinism import seeded_scheduler, steady_collector
from runtime.kernel.journal import InlineJournal
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.plant import build_live, build_simulated
from runtime.wiring.routes import Role
from tests.benchmarks.ring import CASH, round_trips

ENVELOPES_PER_ORDER = 9
"""What an order comes to: signal, approval, request, report, fills, position, two archived."""
SNAPSHOT_AGE = 1_000
_KEPT = 1_000
_NOT_KNOWN = -1


def bounded(orders: int) -> Blueprint:
    """Return a run of so many orders, one after the other, whose memories are bounded."""
    made = round_trips(orders, lots=_NOT_KNOWN)
    settings = PortfolioConfig(cash=CASH, max_fills=_KEPT)
    manager = OrderManagerConfig(max_completed_orders=_KEPT)
    cores = {
        **made.cores,
        Role.ORDERS: lambda context: OrderManager(context, made.instruments, manager),
        Role.PORTFOLIO: lambda context: Portfolio(context, made.instruments, settings),
    }
    return attrs.evolve(made, cores=cores)


def write_journal(path: Path, orders: int) -> int:
    """Record a run of so many orders, in virtual time; return how many envelopes that were."""
    plan = bounded(orders)

    async def main() -> int:
        plant = build_simulated(plan, path, lambda _: None, snapshot_every=SNAPSHOT_AGE)
        assert plant.sequencer is not None
        assert isinstance(plant.journal, InlineJournal)
        plant.post.observe = lambda _message, _now_ns: None
        try:
            async with trio.open_nursery() as nursery:
                await plant.sequencer.bring_up(nursery, plant.root)
                await plant.sequencer.run()
                nursery.cancel_scope.cancel()  # no orderly end: the process is killed
        finally:
            plant.journal.close()
        return plant.post.sequence

    with seeded_scheduler(plan.seed), steady_collector():
        return trio.run(main)


def recovery(path: Path, orders: int) -> float:
    """Return seconds from opening a journal to actors that run again."""

    async def main() -> float:
        started = time.perf_counter()
        plant = build_live(bounded(orders), path, lambda _: None)
        plant.post.observe = lambda _message, _now_ns: None
        assert plant.resumption is not None
        assert plant.journal is not None
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(plant.root.run)
                seconds = time.perf_counter() - started
                portfolio = plant.cells[Role.PORTFOLIO].core
                assert isinstance(portfolio, Portfolio)
                assert portfolio.statistics().fills == orders
                nursery.cancel_scope.cancel()
        finally:
            plant.journal.close()
        return seconds

    return trio.run(main)


def forget_snapshots(path: Path) -> None:
    """Make a start replay the whole history."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM snapshots")
        connection.commit()


def in_new_process(path: Path, orders: int) -> tuple[float, float]:
    """Return what :func:`recovery` takes in a new process, and the process itself, in seconds."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "tests.benchmarks.recovery", str(path), str(orders)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout), time.perf_counter() - started


def recoveries(envelopes: int) -> dict[str, float]:
    """Return how long a start takes after so many envelopes, with snapshots and without."""
    orders = envelopes // ENVELOPES_PER_ORDER
    with TemporaryDirectory() as folder:
        path = Path(folder) / "journal.db"
        figures: dict[str, float] = {"envelopes": write_journal(path, orders)}
        for name in ("with snapshots", "without"):
            seconds, whole = in_new_process(path, orders)
            figures[f"recovery {name}, s"] = seconds
            figures[f"recovery {name}, and Python's start, s"] = whole
            forget_snapshots(path)
    return figures


if __name__ == "__main__":
    print(recovery(Path(sys.argv[1]), int(sys.argv[2])))
