"""Processes that are abandoned and gone on with, and a venue that outlives them all."""

from collections.abc import Callable, Iterable
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import attrs
import trio

from actors.actor import Context, Core, Later
from actors.messages.reconciliation import Cure, Difference, Reconcile, ResolveDifference
from actors.messages.system import CancelAll, TimerFired
from actors.messages.trading import Fill, PlaceOrder
from actors.model.money import ZERO
from actors.model.order import TERMINAL
from actors.venues.fake.venue import FakeVenue
from runtime.config.model import RunConfig
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.plant import Plant
from runtime.wiring.routes import Role
from tests.ring.crash_points.points import check_approvals
from tests.ring.remote_chaos import heal
from tests.ring.rig import config, fold
from tests.ring.test_resume import LAST_NS, START_NS, Life, delivered, entries

TEXT = dedent("""\
    name: lives
    mode: simulate
    seed: {seed}
    close_out: false
    portfolio: {{cash: 100000, equity_interval: 1s, max_fills: {fills}}}
    orders: {{max_completed_orders: {completed}}}
    supervision: {{intensity: 50}}
    feeds:
      - {{name: market, type: synthetic, events: 90, interval: 150ms, volatility: 0.001}}
    strategies:
      - {{name: one, type: "tests.ring.traders:Trader",
          parameters: {{is_stateless: true, every: 3}}}}
      - {{name: two, type: "tests.ring.chaos:Chaos", parameters: {{every: 3}}}}
    kill_switch: {{deadline: 5s, reconciliation: false}}
    slice_rows: 1
    broker:
      type: venue
      lacks: [STOP, STOP_LIMIT]
      request_timeout: 2s
      reconcile_every: 3s
      rate_limit: {rate_limit}
      venue:
        type: fake
        fee_rate: 0.001
        idempotent: {idempotent}
        page_size: 5
        habits: {{rejects: 0.05, parts: 0.35, rests: 0.3, late_fills: 0.1}}
        faults: {{lose_request: {rate}, lose_answer: {rate}, late_answer: {rate}, late_by: 3s,
          server_error: {rate}, duplicate_news: {rate}, delay_news: 0.2, drop_news: {rate},
          hide_order: {rate}, hide_for: 2s}}
    """)


def settings(**values: Any) -> RunConfig:
    """Return the configuration of all the processes."""
    given = {
        "seed": 3,
        "fills": 3,
        "completed": 2,
        "rate_limit": "null",
        "idempotent": "false",
        "rate": 0.05,
        **values,
    }
    return config(TEXT.format(**given))


class World:
    """The venue itself: what it has done is done, whatever our journal knows of it."""

    def __init__(self) -> None:
        self.venue: Any = None
        self.pending: dict[str, Later] = {}
        """What it is going to do by itself."""

    def change(self, plan: Blueprint) -> Blueprint:
        """Return a blueprint whose venue is this one."""
        make_venue = plan.cores[Role.VENUE]

        def make(context: Context) -> Core:
            if self.venue is None:
                self.venue = make_venue(context)
                assert isinstance(self.venue, FakeVenue)
            return Outside(self)

        return attrs.evolve(plan, cores={**plan.cores, Role.VENUE: make})


class Outside:
    """The way to the world: remembers nothing itself."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self, now_ns: int) -> list[Any]:
        """Return what the world is going to do: it has not waited for us."""
        return [again(each, now_ns) for each in self._world.pending.values()]

    def stop(self, now_ns: int) -> list[Any]:
        """Return nothing."""
        return []

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        """Let the world hear it, unless it has done so before."""
        pending = self._world.pending
        if isinstance(message, TimerFired) and pending.pop(message.name, None) is None:
            return []
        outputs: list[Any] = self._world.venue.handle(message, now_ns)
        for each in outputs:
            if isinstance(each, Later) and isinstance(each.message, TimerFired):
                pending[each.message.name] = each
        return outputs

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Take no notice."""
        for _ in history:
            pass

    def save(self) -> Any:
        """Return nothing: it is all out there."""
        return None

    def restore(self, state: Any) -> None:
        """Take no notice."""


def again(later: Later, now_ns: int) -> Later:
    """Return a timer again, at once if its time is over."""
    return Later(later.message, max(later.at_ns, now_ns), later.background)


_KILLED = object()


async def inline(work: Callable[..., Any], *arguments: Any, limiter: Any = None) -> Any:
    """Do a thread's work here, unless the process is killed by it."""
    await trio.lowlevel.checkpoint()
    done = work(*arguments)
    if done is _KILLED:
        await trio.lowlevel.checkpoint()  # is cancelled
    return done


@attrs.define
class RemoteLife(Life):
    """One process; ``world`` is what it trades in.

    With ``dies_before`` its last commit is not done: what was handled since the one before it has
    happened in the world, and nobody remembers it.
    """

    world: World = attrs.field(factory=World)
    dies_before: bool = False
    last_words_from: int = 0

    def _abandon_after(self, journal: Any, scope: trio.CancelScope) -> None:
        if not self.dies_before:
            super()._abandon_after(journal, scope)
            return
        store = journal._store
        commit = store.commit

        def counted(batch: Any) -> Any:
            if journal.commits + 1 == self.commits:
                scope.cancel()
                return _KILLED
            return commit(batch)

        store.commit = counted

    async def _to_the_end(self, plant: Plant) -> None:
        quiescence = plant.quiescence
        assert quiescence is not None
        async with trio.open_nursery() as nursery:
            await nursery.start(plant.root.run)
            await plant.clock.sleep_until_ns(LAST_NS)
            await quiescence.wait()
            heal(self.world.venue)
            for message in (
                Reconcile("the market has ended"),
                CancelAll("the run ends"),
                ResolveDifference(key="HISTORY_TRUNCATED:fake", cure=Cure.IGNORE, cause="looked"),
                Reconcile("nothing is open"),
                Reconcile("and nothing has changed"),
            ):
                self.last_words_from = plant.post.sequence
                plant.post.deliver("system", 0, message, plant.clock.now_ns())
                await quiescence.wait()
            self.found = {role: plant.cells[role].core for role in CHECKED}
            plant.root.request_stop()


CHECKED = (Role.BROKER, Role.ORDERS, Role.PORTFOLIO)


@attrs.frozen
class Fate:
    """When a process dies (0 for never), and after how many messages it keeps its cores."""

    commits: int
    snapshot_every: int
    dies_before: bool = False


def live_through(path: Path, setting: RunConfig, fates: Iterable[Fate]) -> RemoteLife:
    """Live and die, again and again; return the last life."""
    world = World()
    begins_ns = START_NS
    waiting = iter(fates)
    while True:
        fate = next(waiting, Fate(0, 50))
        life = RemoteLife(
            path,
            fate.commits or None,
            fate.snapshot_every,
            begins_ns,
            dies_before=fate.dies_before,
            settings=setting,
            change=world.change,
            world=world,
        )
        life.live()
        if life.found is not None:
            return life
        begins_ns = life.ended_ns + 1


def check(life: RemoteLife, starting_cash: Any) -> None:
    """Assert that both sides agree, nothing is open, and nothing was sent twice."""
    told = entries(life.path)
    fills = delivered(told, Fill)
    ledger = life.world.venue.ledger()
    broker, orders, portfolio = (life.found[role] for role in CHECKED)
    assert ledger.violations == ()
    ours = sorted((fill.venue, fill.trade_id) for fill in fills)
    assert ours == sorted((trade.venue, trade.trade_id) for trade in ledger.trades)
    folded = fold(starting_cash, fills)
    assert portfolio.cash == folded.cash == ledger.balances["USD"]
    held = {(p.strategy, p.instrument): p.quantity for p in portfolio.positions() if p.quantity}
    assert held == {key: units for key, units in folded.positions.items() if units}
    assert sum(held.values(), ZERO) == sum(ledger.positions.values(), ZERO)
    assert orders.open_orders() == []
    assert orders._doubts.open == {}
    assert broker.open_tickets == 0
    assert portfolio.reserved == ZERO
    assert [each for each in ledger.orders if each.status not in TERMINAL] == []
    placed = [message.order.client_order_id for message in delivered(told, PlaceOrder)]
    assert len(placed) == len(set(placed))
    check_approvals(SimpleNamespace(entries=told))  # type: ignore[arg-type]
    late = [e for e in told if e.sequence > life.last_words_from]
    assert delivered(late, Difference) == []
