"""A live run that is abandoned at any commit goes on in a second one, and nothing is lost."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from actors.actor import Source
from actors.messages.system import CancelAll, Resumed
from actors.messages.trading import ExecutionReport, Fill, OrderArrived, PlaceOrder, ReportKind
from actors.model.order import TERMINAL
from runtime.config.model import RunConfig
from runtime.kernel.determinism import seeded_scheduler
from runtime.kernel.journal import Entry, LiveJournal, read_journal, verify
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.components import blueprint
from runtime.wiring.plant import Plant, build_live, codec
from runtime.wiring.routes import Role
from tests.ring.rig import Change, config, fold, unchanged, with_sources
from tests.ring.scenes import SMALL

SETTINGS = config(SMALL, "slice_rows=1", "close_out=false", "feeds[0].events=90")
START_NS = 1_700_000_000_000_000_000
LAST_NS = START_NS + 15_000_000_000
_SECOND_NS = 1_000_000_000


class Late:
    """A source of which the rows before a time are lost."""

    def __init__(self, source: Source, since_ns: int) -> None:
        self._source = source
        self._since_ns = since_ns

    def slices(self, resume_ns: int) -> Iterator[Any]:
        by_ns: int | None = None
        for rows in self._source.slices(0):
            by_ns = START_NS - rows.times()[0] if by_ns is None else by_ns
            shifted = rows.shifted(by_ns)
            if shifted.times()[-1] > max(resume_ns, self._since_ns):
                yield shifted

    def summary(self) -> dict[str, Any]:
        return self._source.summary()


async def inline(work: Callable[..., Any], *arguments: Any, limiter: Any = None) -> Any:
    """Do a thread's work here: no time goes by, and the clock does not jump meanwhile."""
    await trio.lowlevel.checkpoint()
    return work(*arguments)


@attrs.define
class Life:
    """One process: it lives until so many commits are done, or to the end.

    ``snapshot_every`` is in messages.
    """

    path: Path
    commits: int | None = None
    snapshot_every: int = 10_000
    begins_ns: int = START_NS
    ended_ns: int = 0
    reports: list[Any] = attrs.field(factory=list)
    found: Any = None
    resumption: Any = None
    snapshots: int = 0
    settings: RunConfig = SETTINGS
    change: Change = unchanged

    def live(self) -> "Life":
        """Live it."""
        clock = trio.testing.MockClock(autojump_threshold=0)
        change = with_sources(lambda source: Late(source, self.begins_ns))
        plan = self.change(change(blueprint(self.settings)))
        with seeded_scheduler(self.settings.seed):
            trio.run(self._main, plan, clock=clock)
        return self

    async def _main(self, plan: Blueprint) -> None:
        plant = build_live(
            attrs.evolve(plan, snapshot_every=self.snapshot_every),
            self.path,
            self.reports.append,
            epoch_ns=self.begins_ns,
        )
        self.resumption = plant.resumption
        journal = plant.journal
        assert isinstance(journal, LiveJournal)
        try:
            with trio.CancelScope() as scope:
                self._abandon_after(journal, scope)
                await self._to_the_end(plant)
            self.ended_ns = plant.clock.now_ns()
            assert plant.keeper is not None
            self.snapshots = plant.keeper.taken
        finally:
            if scope.cancelled_caught:
                drop(journal)
            else:
                journal.close()

    def _abandon_after(self, journal: Any, scope: trio.CancelScope) -> None:
        store = journal._store
        commit = store.commit

        def counted(batch: Any) -> None:
            commit(batch)
            if journal.commits + 1 == self.commits:
                scope.cancel()

        store.commit = counted

    async def _to_the_end(self, plant: Plant) -> None:
        assert plant.quiescence is not None
        async with trio.open_nursery() as nursery:
            await nursery.start(plant.root.run)
            await plant.clock.sleep_until_ns(LAST_NS)
            await plant.quiescence.wait()
            plant.post.deliver("system", 0, CancelAll("the run ends"), plant.clock.now_ns())
            await plant.quiescence.wait()
            self.found = {role: plant.cells[role].core for role in (Role.ORDERS, Role.PORTFOLIO)}
            plant.root.request_stop()


def drop(journal: Any) -> None:
    """Let go of a journal as a killed process does: what is not committed is lost."""
    journal._stop_reading()
    journal._store.connection.close()


@pytest.fixture(autouse=True)
def _no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trio.to_thread, "run_sync", inline)


def entries(path: Path) -> list[Entry]:
    return list(read_journal(path, codec()))


def delivered(told: list[Entry], kind: type) -> list[Any]:
    """Return the messages of a type, once each: those for later where they are delivered."""
    return [e.message for e in told if isinstance(e.message, kind) and e.due_ns is None]


def check(path: Path, life: Life) -> list[Entry]:
    """Check that nothing is lost and nothing doubled; return what was recorded."""
    told = entries(path)
    fills = delivered(told, Fill)
    portfolio, orders = life.found[Role.PORTFOLIO], life.found[Role.ORDERS]
    folded = fold(SETTINGS.portfolio.cash, fills)
    assert folded.cash == portfolio.cash
    held = {(p.strategy, p.instrument): p.quantity for p in portfolio.positions() if p.quantity}
    assert held == {key: quantity for key, quantity in folded.positions.items() if quantity}
    reports = delivered(told, ExecutionReport)
    trades = [report.trade_id for report in reports if report.kind is ReportKind.TRADE]
    assert sorted(trades) == sorted(fill.trade_id for fill in fills)
    placed = [message.order.client_order_id for message in delivered(told, PlaceOrder)]
    assert len(placed) == len(set(placed)), "an order has left twice"
    arrived = [message.order.client_order_id for message in delivered(told, OrderArrived)]
    assert sorted(arrived) == sorted(placed), "an order on its way was lost, or came twice"
    assert all(record.status in TERMINAL for record in orders.orders())
    assert portfolio.fills == fills
    return told


@pytest.fixture(scope="module")
def commits(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Return how many commits the run has that nobody disturbs."""
    path = tmp_path_factory.mktemp("whole") / "journal.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trio.to_thread, "run_sync", inline)
        life = Life(path).live()
        told = check(path, life)
    assert len(delivered(told, Fill)) > 15
    assert life.resumption is None
    with sqlite3.connect(path) as connection:
        (count,) = connection.execute("SELECT count(*) FROM commits").fetchone()
    return int(count)


@pytest.mark.parametrize("snapshot_every", [10_000, 40], ids=["no snapshots", "snapshots"])
@pytest.mark.parametrize("share", [0.02, 0.29, 0.47, 0.61, 0.93])
def test_a_run_that_was_abandoned_goes_on_and_loses_nothing(
    share: float, snapshot_every: int, commits: int, tmp_path: Path
) -> None:
    path = tmp_path / "journal.db"
    first = Life(path, max(int(commits * share), 1), snapshot_every).live()
    assert first.found is None
    second = Life(path, None, snapshot_every, first.ended_ns + _SECOND_NS).live()
    assert second.resumption.last_ns <= first.ended_ns
    told = check(path, second)
    assert [type(each.message) for each in told].count(Resumed) == 1
    assert (snapshot_every == 40) == bool(second.snapshots + first.snapshots)
    assert second.reports == []
    assert verify(path).rows == len(told)


def test_a_run_may_be_abandoned_again_and_again(commits: int, tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    life = Life(path, max(commits // 9, 2), 60).live()
    lives = 1
    while life.found is None:
        lives += 1
        assert lives < 60
        last = life
        life = Life(path, max(commits // 9, 4), 60, last.ended_ns + 1).live()
    told = check(path, life)
    assert lives > 3
    resumed = [each.sequence for each in told if isinstance(each.message, Resumed)]
    assert len(resumed) == lives - 1
