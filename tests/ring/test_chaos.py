"""Whatever is asked of whatever venue, the books come out right, however the market is cut."""

from decimal import Decimal
from pathlib import Path
from random import Random  # noqa: TID251 - always seeded
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from actors.messages.account import CashAdjusted
from actors.messages.system import MessageQuarantined
from actors.messages.trading import ExecutionReport, FillSettled, PlaceOrder, ReportKind
from actors.model.order import OrderStatus
from runtime.kernel.aftermath import AFTERMATH_NS
from tests.ring.rig import Ran, config, fold, run, with_sources
from tests.ring.scenes import SMALL
from tests.ring.test_slicing import Cut

pytestmark = pytest.mark.usefixtures("many_runs")

TEXT = """\
name: c
mode: simulate
seed: {seed}
close_out: {close}
portfolio: {{cash: {cash}, cost_method: {cost}, leverage: {leverage}, equity: {equity},
  liquidate_at: {liquidate_at}, policies: {policies}}}
orders: {orders}
supervision: {{intensity: 50, backoff: {{base: 0ms}}}}
feeds:
  - {{name: first, type: synthetic, generator: {generator}, shape: {shape}, assets: [AAA, BBB],
     events: 240, interval: 100ms, volatility: 0.0005, quantity: {offered}, lot: 1}}
strategies:
  - {{name: one, type: "tests.ring.chaos:Chaos",
     parameters: {{every: {every}, convert: {convert}}}}}
  - {{name: two, type: "tests.ring.chaos:Chaos",
     parameters: {{every: {every}, convert: {convert}}}}}
broker:
  type: simulated
  latency: {latency}
  slippage: {slippage}
  commission: {commission}
  fill_model: {fill_model}
  bars: {bars}
  max_volume_pct: {share}
  consumption: {consumption}
  consumption_decay: {decay}
  queue: {queue}
  emulate: {emulate}
  regimes: {regimes}
  settlement: {settlement}
  rate_limit: {rate_limit}
"""

OUTCOMES = "outcome_market"
SIZED = "{type: PositionLimit, max_size: 20}, {type: CashLimit}"
GUARDED = f"{SIZED}, {{type: NoShort}}, {{type: SelfTrade}}, {{type: MaxOpenOrders, max_orders: 6}}"
REGIMES = (
    "{markov: [{kind: halt, every: 2s, lasts: 500ms}, {kind: outage, every: 3s, lasts: 500ms}, "
    "{kind: wide_spread, every: 3s, lasts: 1s}, "
    "{kind: reject_burst, every: 3s, lasts: 500ms, probability: 0.5}]}"
)
CHOICES: dict[str, list[Any]] = {
    "policies": [
        "[]",
        "[{type: CashLimit}]",
        f"[{SIZED}]",
        f"[{GUARDED}]",
        "[{type: CashLimit}, {type: Drawdown, max_drawdown: 0.005, action: reduce}]",
        "[{type: DailyLoss, max_loss: 5, action: halt}]",
    ],
    "orders": [
        "{}",
        "{}",
        "{max_order_age_hours: 0.001}",
        "{duplicate_guard: true}",
        "{max_completed_orders: 5}",
    ],
    "latency": [
        "{type: constant}",
        "{type: constant, submit: 50ms, report: 20ms, cancel: 70ms}",
        "{type: constant, submit: 250ms, report: 250ms, cancel: 120ms}",
        "{type: lognormal, submit: {median: 20ms}, report: {median: 130ms}}",
    ],
    "slippage": [
        "{type: none}",
        "{type: fixed_pct, price_impact: 0.001}",
        "{type: volume_impact}",
        "{type: square_root}",
    ],
    "commission": [
        "{type: percentage, rate: 0.001}",
        "{type: per_share, rate_per_share: 0.01}",
        "{type: tiered}",
        "{type: maker_taker, maker: -0.0001, taker: 0.0005}",
    ],
    "fill_model": ["book_walk", "split_30"],
    "bars": ["close", "next_open", "conservative", "ohlc4", "adaptive_path"],
    "share": ["null", "0.1", "0.5"],
    "consumption": ["until_quote", "persistent", "none"],
    "decay": ["0s", "1s"],
    "queue": ["none", "risk_averse", "probabilistic"],
    "emulate": ["[]", "[STOP, STOP_LIMIT, POST_ONLY, GTD]"],
    "regimes": ["null", "null", REGIMES],
    "settlement": [
        "null",
        "null",
        "{delay: 800ms, failure_rate: 0.3}",
        "{delay: 0ms, failure_rate: 0.5}",
    ],
    "rate_limit": [
        "null",
        "null",
        "{requests_per_second: 5, burst_size: 3}",
        "{requests_per_second: 3, burst_size: 2, cancel_reserve: 1}",
    ],
}
"""What the parts may be: each is drawn in turn."""

FOUND = (11, 135, 1025, 2007)
"""Seeds that have found mistakes."""
SEEDS = (*FOUND, *range(100, 121))


def values_of(seed: int) -> dict[str, Any]:
    """Return a configuration's values, at random."""
    dice = Random(seed)
    generator = dice.choice(["random_walk", OUTCOMES, "jump"])
    is_of_outcomes = generator == OUTCOMES
    first: dict[str, Any] = {
        "seed": seed,
        "generator": generator,
        "convert": "true" if is_of_outcomes else "false",
        "close": dice.choice(["true", "false"]),
        "cash": dice.choice([300, 2000, 100_000]),
        "cost": dice.choice(["average", "fifo"]),
        "leverage": dice.choice([1, 1, 3]),
        "equity": dice.choice(["grid", "on_change", "both"]),
        "liquidate_at": dice.choice(["null", "null", "0"]),
        "shape": dice.choice(["quotes", "book"] if is_of_outcomes else ["quotes", "book", "bars"]),
        "offered": dice.choice([4, 20, 100]),
        "every": dice.randrange(1, 6),
    }
    return first | {name: dice.choice(choices) for name, choices in CHOICES.items()}


def ran(seed: int, folder: Path, size: int = 4096) -> Ran:
    """Run a seed's configuration, its market cut into slices of one size."""
    values = values_of(seed)
    with_trades = values["shape"] != "bars" and values["generator"] != OUTCOMES
    cut = with_sources(lambda source: Cut(source, (size,), with_trades))
    return run(config(TEXT.format(**values)), folder, change=cut)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_books_are_right_whatever_was_asked(seed: int) -> None:
    with TemporaryDirectory() as name:
        done = ran(seed, Path(name))
    assert done.system.failure is None
    assert [e for e in done.entries if isinstance(e.message, MessageQuarantined)] == []
    assert done.result.system == ()
    check_that_trades_are_booked(done)
    check_money(done)
    check_orders(done)
    check_reservations(done)


@pytest.mark.parametrize("seed", [2007, 11, 135, 104])
def test_nor_do_slices_matter(seed: int) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        whole = ran(seed, folder)
        for size in (1, 7):
            cut = ran(seed, folder, size)
            assert cut.story == whole.story
            assert cut.entries == whole.entries


def test_what_is_asked_has_every_kind_of_answer() -> None:
    heard: set[ReportKind] = set()
    with TemporaryDirectory() as name:
        for seed in SEEDS:
            heard |= {report.kind for report in ran(seed, Path(name)).of(ExecutionReport)}
    only_remote = {ReportKind.LOST, ReportKind.NOT_FOUND, ReportKind.GONE}
    assert heard == set(ReportKind) - only_remote


def test_a_strategy_whose_timers_never_rest_does_not_keep_a_run_going() -> None:
    restless = "strategies[0].parameters={every: 9, timer: 100ms}"
    slow = "broker.latency={type: constant, submit: 400ms, report: 400ms}"
    with TemporaryDirectory() as name:
        done = run(config(SMALL, restless, slow, "portfolio.policies=[]"), Path(name))
    last_row_ns = done.system.started_ns + 150 * 70_000_000
    placed = [e.time_ns for e in done.entries if isinstance(e.message, PlaceOrder)]
    assert last_row_ns + AFTERMATH_NS // 2 < max(placed) <= last_row_ns + 2 * AFTERMATH_NS
    check_money(done)
    check_orders(done)


# --- what must hold after a run ------------------------------------------------------------------


def failed_trades(done: Ran) -> set[tuple[str, str]]:
    """Return the trades that were taken back, by venue and id."""
    return {(m.venue, m.trade_id) for m in done.of(FillSettled) if m.failed}


def check_that_trades_are_booked(done: Ran) -> None:
    """Assert that each trade of a venue was booked once, with what it traded, or taken back."""
    traded = {
        report.trade_id: (report.last_quantity, report.last_price, report.commission)
        for report in done.of(ExecutionReport)
        if report.kind is ReportKind.TRADE
    }
    booked = [row.fill for row in done.result.fills]
    ids = [fill.trade_id for fill in booked]
    assert len(ids) == len(set(ids))
    taken_back = {trade_id for _, trade_id in failed_trades(done)}
    assert set(traded) <= set(ids) | taken_back, "lost"
    for fill in booked:
        if fill.trade_id in traded:
            found = (fill.last_quantity, fill.last_price, fill.commission)
            assert found == traded[fill.trade_id]


def check_money(done: Ran) -> None:
    """Assert that cash and positions are what the fills, and what cash came besides, add up to."""
    failed = failed_trades(done)
    fills = [row.fill for row in done.result.fills]
    folded = fold(
        done.result.starting_cash, [f for f in fills if (f.venue, f.trade_id) not in failed]
    )
    adjusted = {each.entry_id: each.amount for each in done.of(CashAdjusted)}
    cash = folded.cash + sum(adjusted.values(), Decimal(0))
    assert done.system.cores["portfolio"].cash == cash
    positions = [row.position for row in done.result.positions]
    held = {(each.strategy, each.instrument): each.quantity for each in positions}
    for key in held.keys() | folded.positions.keys():
        assert held.get(key, 0) == folded.positions.get(key, 0)


def check_orders(done: Ran) -> None:
    """Assert that no order filled more than was ordered, and each what its fills say."""
    failed = failed_trades(done)
    own: dict[str, Decimal] = {}
    for fill in (row.fill for row in done.result.fills):
        if (fill.venue, fill.trade_id) not in failed:
            order_id = fill.client_order_id
            own[order_id] = own.get(order_id, Decimal(0)) + fill.last_quantity
    for row in done.result.orders:
        order = row.order
        assert row.filled_quantity == own.get(order.client_order_id, 0)
        assert row.filled_quantity <= order.quantity
        if row.status is OrderStatus.FILLED and not failed:
            assert row.filled_quantity == order.quantity


def check_reservations(done: Ran) -> None:
    """Assert that the portfolio counts on what is open, and on nothing when all is over."""
    working = done.system.cores["orders"].open_orders()
    reservations = done.system.cores["portfolio"]._account.reservations
    counted = {claim.order.client_order_id for claim in reservations.claims()}
    assert counted == {record.order.client_order_id for record in working}
    if working:
        return
    assert reservations.reserved == 0
    assert not reservations._groups
    assert not reservations._children
    for own in reservations._strategies.values():
        assert (own.buying, own.selling) == (0, 0)
