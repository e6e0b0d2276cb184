"""Many virtual days of trading in one process, looked at once a day."""

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import trio

from actors.orders.manager import OrderManager
from actors.portfolio.portfolio import Portfolio
from runtime.config.load import parse_config
from runtime.config.model import RunConfig
from runtime.kernel.clock import VirtualClock
from runtime.kernel.determinism import seeded_scheduler, steady_collector
from runtime.kernel.journal import InlineJournal
from runtime.kernel.keeper import Keeper
from runtime.wiring.components import blueprint
from runtime.wiring.plant import Plant, build_simulated
from runtime.wiring.routes import Role

_MINUTE_NS = 60 * 1_000_000_000
DAY_NS = 24 * 3600 * 1_000_000_000
SNAPSHOT_EVERY = 2_000
SEGMENT = 100_000
"""After how many messages the journal begins a new file: several do so in the first half."""
_PAGE = os.sysconf("SC_PAGE_SIZE")

SCENE = """\
name: soak
mode: simulate
seed: 30
slice_rows: 512
portfolio:
  cash: 1000000
  equity_interval: 1m
  equity_samples: 256
  max_fills: 500
  policies: [{type: PositionLimit, max_size: 60}, {type: CashLimit}]
orders: {max_completed_orders: 200}
feeds:
  - {name: market, type: synthetic, generator: mean_reverting, assets: [AAA, BBB],
     interval: 20s, duration: %(days)sd, price: 100, spread: 0.06, volatility: 0.0004, pull: 0.2}
strategies:
  - name: cross
    type: average_cross
    instruments: [AAA]
    parameters: {fast: 3, slow: 9, quantity: 5}
  - name: maker
    type: market_maker
    instruments: [BBB]
    parameters: {size: 5, max_position: 30, spread_bps: 12, refresh_ticks: 3, refresh: 10m,
                 max_quote_age: 2m}
%(broker)s
"""
SIMULATED = """\
broker:
  type: simulated
  latency: {type: constant, submit: 5ms, cancel: 5ms, report: 5ms}
"""
FAKE_VENUE = """\
broker:
  type: venue
  reconcile_every: 10m
  venue:
    type: fake
    page_size: 50
    remembers: 1000
    habits: {rejects: 0.01, parts: 0.3, rests: 0.2}
    faults: {lose_answer: 0.005, duplicate_news: 0.05, delay_news: 0.1, drop_news: 0.02}
"""


@attrs.frozen(kw_only=True)
class Day:
    """What there was at the end of a virtual day; sizes in bytes."""

    day: int
    rss: int
    tasks: int
    orders: int
    fills: int
    journal: int
    segments: int
    depth: int
    messages: int
    traded: int

    def line(self) -> str:
        """Return it as a line of a table."""
        mib = 1 << 20
        return (
            f"day {self.day:3}: rss {self.rss / mib:6.1f} MiB, tasks {self.tasks}, "
            f"orders {self.orders}, fills kept {self.fills} of {self.traded}, "
            f"journal {self.journal / mib:5.1f} MiB in use, {self.segments} segments, "
            f"waiting {self.depth}, messages {self.messages}"
        )


def settings(days: int, broker: str = SIMULATED) -> RunConfig:
    """Return a configuration that trades for so many virtual days."""
    text = SCENE % {"days": days, "broker": broker}
    return parse_config(text, "soak.yaml", environment={})


def soak(
    config: RunConfig, folder: Path, show: Callable[[Day], None], *, segment: int = SEGMENT
) -> list[Day]:
    """Run a configuration to the end of its data; return what there was day by day."""
    days: list[Day] = []

    async def main() -> None:
        plant = build_simulated(
            blueprint(config), folder / "journal.db", _nobody, snapshot_every=SNAPSHOT_EVERY
        )
        journal, sequencer, clock = plant.journal, plant.sequencer, plant.clock
        assert isinstance(journal, InlineJournal)
        assert isinstance(clock, VirtualClock)
        assert sequencer is not None
        keeper = Keeper(
            list(plant.cells.values()), journal, plant.post, every=SNAPSHOT_EVERY, segment=segment
        )
        sequencer.between = keeper.keep_if_due
        plant.post.observe = lambda _message, _now_ns: None

        def look() -> None:
            days.append(_day(plant, len(days) + 1, folder))
            show(days[-1])
            clock.timers.set(clock.now_ns() + DAY_NS, look)

        try:
            async with trio.open_nursery() as nursery:
                await sequencer.bring_up(nursery, plant.root)
                clock.timers.set(clock.now_ns() + DAY_NS - _MINUTE_NS, look)
                await sequencer.run()
                plant.root.request_stop()
        finally:
            journal.close()

    with seeded_scheduler(config.seed), steady_collector():
        trio.run(main)
    return days


def _nobody(_report: Any) -> None:
    """Tell nobody."""


def _day(plant: Plant, number: int, folder: Path) -> Day:
    gc.collect()
    orders, portfolio = (plant.cells[role].core for role in (Role.ORDERS, Role.PORTFOLIO))
    assert isinstance(orders, OrderManager)
    assert isinstance(portfolio, Portfolio)
    files = list(folder.iterdir())
    return Day(
        day=number,
        rss=int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE,
        tasks=trio.lowlevel.current_statistics().tasks_living,
        orders=len(list(orders.orders())),
        fills=len(portfolio.fills),
        journal=sum(path.stat().st_size for path in files if path.name.startswith("journal.db")),
        segments=len(files),
        depth=sum(cell.mailbox.depth + cell.mailbox.waiting for cell in plant.cells.values()),
        messages=plant.post.sequence,
        traded=portfolio.statistics().fills,
    )


def growth(days: list[Day], of: str) -> float:
    """Return by which part the second half's largest value exceeds the first half's."""
    values = [getattr(day, of) for day in days]
    half = len(values) // 2
    before = max(values[:half])
    return float(max(values[half:]) / before - 1) if before else float(max(values[half:]))
