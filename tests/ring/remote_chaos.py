"""Random rings with a venue on which nothing can be relied: everything there is, drawn by a seed.

What is wrong with the venue heals when the market has ended; then the run must come to rest, with
the same books on both sides.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random  # noqa: TID251 - always seeded
from typing import Any

import attrs
import pytest

from actors.actor import Later
from actors.messages.reconciliation import (
    Cure,
    Difference,
    Part,
    Reconciled,
    ResolveDifference,
)
from actors.messages.system import (
    ActorGaveUp,
    CancelAllAtVenue,
    Halt,
    MessageQuarantined,
    Resume,
    Trip,
)
from actors.messages.trading import Fill, PlaceOrder
from actors.model.money import ZERO
from actors.model.order import TERMINAL
from actors.orders.reconciliation.external import EXTERNAL
from actors.venues.fake.config import FakeFaults
from actors.venues.fake.questions import Questions
from actors.venues.fake.troubles import Troubles
from actors.venues.fake.venue import FakeVenue
from runtime.observe.result import ExitCode
from runtime.system import system
from runtime.system.system import System
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.plant import Plant, build_simulated
from tests.ring.crash_points.points import check_approvals, ledger_of
from tests.ring.crash_points.scene import CORES, START_NS
from tests.ring.halts import Gatekeeper
from tests.ring.rig import Ran, config, fold, run
from tests.ring.traps import DoubleTrap, Trap, trapped

TEXT = """\
name: far
mode: simulate
seed: {seed}
close_out: {close}
portfolio: {{cash: {cash}, equity_interval: 10s, max_fills: {fills}, policies: {policies}}}
orders: {{max_completed_orders: {completed}, duplicate_guard: {guard}, max_order_age_hours: {age},
  external_orders: {foreign}, external_trades: adopt}}
supervision: {{intensity: 50, backoff: {{base: {backoff}}}}}
feeds:
  - {{name: market, type: synthetic, generator: random_walk, assets: [AAA, BBB], events: {events},
     interval: 250ms, volatility: 0.0005, lot: 1}}
strategies:
  - {{name: one, type: "tests.ring.traders:Trader", parameters: {{every: {every}, timer: {timer}}}}}
  - {{name: two, type: "tests.ring.chaos:Chaos", parameters: {{every: {every}, acts: {acts}}}}}
  - {{name: three, type: "tests.ring.all_sorts:AllSorts",
      parameters: {{every: {every}, is_stateless: true}}}}
kill_switch: {kill_switch}
broker:
  type: venue
  lacks: {lacks}
  request_timeout: {timeout}
  reconcile_every: {reconcile_every}
  rate_limit: {rate_limit}
  venue:
    type: fake
    fee_rate: {fee}
    idempotent: {idempotent}
    page_size: {page}
    habits: {habits}
    faults: {faults}
"""

RATES = (
    "lose_request",
    "lose_answer",
    "late_answer",
    "server_error",
    "throttle",
    "duplicate_news",
    "delay_news",
    "drop_news",
    "hide_order",
)
CHOICES: dict[str, list[Any]] = {
    "close": ["true", "false"],
    "cash": [3000, 100_000],
    "fills": ["null", "null", 1, 20],
    "completed": ["null", 0, 1, 5],
    "guard": ["false", "false", "true"],
    "age": ["null", "null", 0.002],
    "foreign": ["adopt", "cancel"],
    "backoff": ["0ms"],
    "events": [60, 120, 200],
    "every": [2, 3, 6],
    "timer": ["0s", "1700ms"],
    "acts": ["[]", "[]", "[bracket, alternatives, change]", "[sliced, iceberg, change, cancel]"],
    "policies": [
        "[]",
        "[{type: PositionLimit, max_size: 20}, {type: CashLimit}]",
        "[{type: CashLimit}, {type: SelfTrade}, {type: MaxOpenOrders, max_orders: 6}]",
    ],
    "kill_switch": [
        "{deadline: 5s, alarm_every: 2s}",
        "{deadline: 5s, alarm_every: 2s}",
        "{deadline: 3s, rejects: {count: 12}}",
        "{deadline: 3s, unknown_orders: 40s, errors: {count: 40}}",
        "null",
    ],
    "lacks": ["[STOP, STOP_LIMIT]", "[STOP, STOP_LIMIT]", "[REPLACE, STOP, STOP_LIMIT]"],
    "timeout": ["5s", "1s"],
    "reconcile_every": ["3s", "11s", "40s"],
    "rate_limit": [
        "null",
        "null",
        "{requests_per_second: 4, burst_size: 3}",
        "{requests_per_second: 3, burst_size: 2, cancel_reserve: 1}",
    ],
    "fee": [0, 0.001],
    "idempotent": ["true", "false"],
    "page": [1, 3, 100],
    "rate": [0, 0, 0.03, 0.15],
}
"""What the parts may be: each is drawn in turn."""

_SECOND = 1_000_000_000
_TRUNCATED = "HISTORY_TRUNCATED:fake"
"""A difference that only a person can decide on."""
_ACTORS = (*CORES, "one", "two", "three")


def text_of(seed: int) -> str:
    """Return a configuration, at random."""
    dice = Random(seed)
    values = {name: dice.choice(choices) for name, choices in CHOICES.items()}
    faults = [f"{name}: {dice.choice(CHOICES['rate'])}" for name in RATES]
    # more than this, and of a long history something is always left out
    faults.append(f"truncate_history: {dice.choice([0, 0, 0.02])}")
    faults += dice.choice([[], [], ["outage: {every: 11s, lasts: 2s}"], ["late_by: 2s"]])
    faults += dice.choice([[], [], ["reject_burst: {every: 9s, lasts: 1s}"]])
    if "truncate_history: 0" in faults:  # else a trade may never be told
        faults += dice.choice([[], ["external_order: 0.05", "external_trade: 0.05"]])
    shares = ["rejects: 0.05", "parts: 0.35", "rests: 0.25", "late_fills: 0.15"]
    habits = [*shares, f"latency: {dice.choice(['0ms', '20ms', '400ms'])}"]
    values |= {"faults": f"{{{', '.join(faults)}}}", "habits": f"{{{', '.join(habits)}}}"}
    return TEXT.format(seed=seed, **values)


@attrs.frozen(kw_only=True)
class Troubled:
    """What happens besides, at random: crashes, halts, snapshots.

    Attributes:
        traps: Who crashes, and where.
        halts: When it is halted, and lifted again; 0 for never.
        snapshot_every: After how many messages cores are kept; None for never.
    """

    traps: tuple[tuple[str, Trap], ...]
    halts: tuple[tuple[int, int], ...]
    snapshot_every: int | None

    @classmethod
    def by(cls, seed: int) -> "Troubled":
        """Return what happens in the run of a seed."""
        dice = Random(seed * 7919 + 1)
        traps = []
        for _ in range(dice.choice([0, 0, 1, 3])):
            call = dice.randrange(1, 500)
            trap = Trap(call, after=dice.random() < 0.5, times=dice.choice([1, 1, 2]))
            if dice.random() < 0.3:
                trap = DoubleTrap(call, replayed=dice.randrange(2 * call))
            traps.append((dice.choice(_ACTORS), trap))
        halts = []
        begin = dice.randrange(2, 20)
        for _ in range(dice.choice([0, 0, 1, 2])):
            lasts = dice.choice([0, 1, 5])
            halts.append((begin, begin + lasts if lasts else 0))
            begin += dice.randrange(6, 20)
        return cls(
            traps=tuple(traps),
            halts=tuple(halts),
            snapshot_every=dice.choice([None, None, 30, 400]),
        )

    def change(self, plan: Blueprint) -> Blueprint:
        """Return a blueprint with the traps in it."""
        for actor, trap in self.traps:
            if actor in plan.cores or actor in plan.strategies:
                plan = trapped(plan, actor, trap)
        return plan

    def prepare(self, plant: Plant) -> None:
        """Send a plant the halts, and what lifts them."""
        if "safety" not in plant.cells:
            return
        now_ns = plant.clock.now_ns()

        def send(message: Any, second: int) -> None:
            at_ns = START_NS + second * _SECOND
            plant.post.deliver("control", 0, Later(message, at_ns), now_ns)

        for number, (begins, ends) in enumerate(self.halts):
            cause = f"halt {number}"
            for message in (Halt(cause, final=False), CancelAllAtVenue(cause), Trip(cause)):
                send(message, begins)
            if ends:
                send(Resume(cause), ends)


@attrs.define
class Endings:
    """Heals the venue when the market has ended, and notes when the last comparison began."""

    compared_from: int = 0

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Have every run end like this."""
        compare = System._compare_with_venue

        async def compare_twice(run: System, plant: Plant) -> None:
            heal(plant.cells["venue"].core)
            await compare(run, plant)
            run._send(ResolveDifference(key=_TRUNCATED, cure=Cure.IGNORE, cause="looked"))
            self.compared_from = plant.post.sequence
            await compare(run, plant)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(System, "_compare_with_venue", compare_twice)
            yield


def heal(venue: Any) -> None:
    """Let nothing go wrong with a fake venue any more."""
    assert isinstance(venue, FakeVenue)
    config = attrs.evolve(venue._config, faults=FakeFaults())
    venue._config = config
    venue._troubles = Troubles(config, venue._chance)
    venue._questions = Questions(venue._books, config, venue._chance)


@attrs.frozen
class Far:
    """A run that is over, and what was seen of it."""

    ran: Ran
    gatekeeper: Gatekeeper
    compared_from: int
    troubled: Troubled


def far(seed: int, folder: Path) -> Far:
    """Run a seed's ring."""
    troubled, endings, gatekeeper = Troubled.by(seed), Endings(), Gatekeeper()

    def change(plan: Blueprint) -> Blueprint:
        return troubled.change(gatekeeper.guarded(plan))

    build: Callable[..., Plant] = build_simulated
    if troubled.snapshot_every is not None:
        build = partial(build_simulated, snapshot_every=troubled.snapshot_every)
    with endings.watched(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(system, "build_simulated", build)
        ran = run(config(text_of(seed)), folder, change=change, prepare=troubled.prepare)
    return Far(ran, gatekeeper, endings.compared_from, troubled)


# --- what must hold ------------------------------------------------------------------------------


def check(done: Far) -> None:
    """Assert everything that must be true after such a run."""
    ran = done.ran
    assert ran.system.failure is None, ran.system.failure
    is_good = ran.result.exit_code is ExitCode.GOOD
    assert is_good or ran.result.reason.startswith("halted by risk: "), ran.result.reason
    assert ran.of(MessageQuarantined) == []
    assert ran.of(ActorGaveUp) == []
    check_money(ran)
    check_orders(ran)
    check_approvals(ran)
    check_peace(done)
    assert done.gatekeeper.slipped == []


def check_money(ran: Ran) -> None:
    """Assert that portfolio = fold of the journaled fills = the venue's ledger."""
    ledger = ledger_of(ran)
    fills = ran.of(Fill)
    told = sorted((fill.venue, fill.trade_id) for fill in fills)
    assert told == sorted((trade.venue, trade.trade_id) for trade in ledger.trades)
    folded = fold(ran.result.starting_cash, fills)
    portfolio = ran.system.cores["portfolio"]
    assert portfolio.cash == folded.cash
    held = {(p.strategy, p.instrument): p.quantity for p in portfolio.positions() if p.quantity}
    assert held == {key: units for key, units in folded.positions.items() if units}
    assert ledger.balances == {ran.result.currency: folded.cash}
    total: dict[str, Any] = {}
    for (_, instrument), units in folded.positions.items():
        total[instrument] = total.get(instrument, ZERO) + units
    assert {name: units for name, units in total.items() if units} == ledger.positions


def check_orders(ran: Ran) -> None:
    """Assert that nothing is open, unknown, reserved or remembered, and nothing came twice."""
    ledger = ledger_of(ran)
    assert ledger.violations == ()
    assert ledger.places_after_halt == 0
    ours = [each for each in ledger.orders if each.client_order_id]
    assert [each for each in ours if each.status not in TERMINAL] == []
    orders, portfolio = ran.system.cores["orders"], ran.system.cores["portfolio"]
    is_open = [each for each in orders.open_orders() if each.order.strategy != EXTERNAL]
    assert is_open == []
    assert orders._doubts.open == {}
    assert portfolio.reserved == ZERO
    claims = portfolio._account.reservations.claims()
    assert [each for each in claims if each.order.strategy != EXTERNAL] == []
    assert ran.system.cores["broker"].open_tickets == 0
    placed = [message.order.client_order_id for message in ran.of(PlaceOrder)]
    assert len(placed) == len(set(placed))


def check_peace(done: Far) -> None:
    """Assert that the last comparison found nothing, and the one before left nothing open."""
    late = [e for e in done.ran.entries if e.sequence > done.compared_from and e.due_ns is None]
    told = [e.message for e in late if isinstance(e.message, Difference)]
    assert [each for each in told if each.is_open and each.key != _TRUNCATED] == []
    last = {e.message.part: e.message.open for e in late if isinstance(e.message, Reconciled)}
    assert last == {Part.ORDERS: (), Part.HOLDINGS: ()}
