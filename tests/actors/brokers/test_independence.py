"""What a venue says depends on the market and the orders only, whatever else happens."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import repeat
from typing import Any

import attrs
import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.brokers.market.queue_position import Queue
from actors.brokers.market.sizes import Consumption, Depth
from actors.brokers.market.walking import FillModel
from actors.brokers.matching.bar_fills import FillPolicy
from actors.brokers.models.latency import ConstantLatency
from actors.brokers.models.regimes import RegimeKind, Regimes, ScheduledRegime
from actors.brokers.models.settlement import Settlement
from actors.brokers.open_orders.touch import Reach, TouchScan
from actors.brokers.passthrough import PassthroughBroker
from actors.brokers.simulated import SimulatedBroker, SimulatedBrokerConfig
from actors.brokers.venue import Venue
from actors.messages.market import EventKind
from actors.messages.slices import Column, Slice, resliced
from actors.messages.system import CancelAllAtVenue
from actors.messages.trading import (
    CancelPlacedOrder,
    ExecutionReport,
    PlaceOrder,
    ReplacePlacedOrder,
    ReportKind,
)
from actors.model.order import Order, OrderType, Side, TimeInForce
from tests.actors.brokers.runs import Build, Said, said
from tests.builders import context
from tests.rows import Row, built, row_lists, table

Script = list[tuple[int, Any]]

_NAMES = {"A": "0.01", "B": "0.0025", "C": "0.1"}


@attrs.frozen
class _Run:
    rows: list[Row]
    script: Script
    config: SimulatedBrokerConfig


_STOPS = (OrderType.STOP, OrderType.STOP_LIMIT)
_LIMITED = (OrderType.LIMIT, OrderType.POST_ONLY, OrderType.STOP_LIMIT)


@st.composite
def _prices(draw: st.DrawFn, name: str) -> Decimal:
    steps = draw(st.integers(1, 12 if draw(st.booleans()) else 400))
    return Decimal(_NAMES[name]) * steps


@st.composite
def _orders(draw: st.DrawFn, number: int, end_ns: int) -> Order:
    name = draw(st.sampled_from(sorted(_NAMES)))
    kind = draw(st.sampled_from(OrderType))
    in_force = TimeInForce.GTC
    if kind is not OrderType.POST_ONLY:
        in_force = draw(st.sampled_from(TimeInForce))
    return Order(
        client_order_id=f"o-{number}",
        strategy="strategy",
        instrument=name,
        side=draw(st.sampled_from(Side)),
        quantity=Decimal(draw(st.integers(1, 20))),
        order_type=kind,
        limit_price=draw(_prices(name)) if kind in _LIMITED else None,
        stop_price=draw(_prices(name)) if kind in _STOPS else None,
        time_in_force=in_force,
        expire_time_ns=draw(st.integers(1, end_ns)) if in_force is TimeInForce.GTD else 0,
        group=draw(st.sampled_from(["", "", "g"])),
    )


@st.composite
def _changes(draw: st.DrawFn, of: Order) -> ReplacePlacedOrder:
    changes: dict[str, Any] = {"quantity": Decimal(draw(st.integers(1, 20)))}
    if of.limit_price is not None and draw(st.booleans()):
        changes["limit_price"] = draw(_prices(of.instrument))
    if of.stop_price is not None and draw(st.booleans()):
        changes["stop_price"] = draw(_prices(of.instrument))
    return ReplacePlacedOrder(order=msgspec.structs.replace(of, **changes))


_REGIMES = [
    Regimes(schedule=(ScheduledRegime(kind=kind, from_ns=4, to_ns=15, probability=0.5),))
    for kind in RegimeKind
]
_configs = st.builds(
    SimulatedBrokerConfig,
    latency=st.builds(
        ConstantLatency,
        submit_ns=st.integers(0, 3),
        report_ns=st.integers(0, 2),
        cancel_ns=st.integers(0, 3),
    ),
    partial_fills=st.sampled_from([True, True, False]),
    fill_model=st.sampled_from([FillModel.BOOK_WALK, FillModel.BOOK_WALK, FillModel.SPLIT_30]),
    bars=st.sampled_from(FillPolicy),
    max_volume_pct=st.sampled_from([None, None, Decimal("0.1"), Decimal("0.5")]),
    consumption=st.sampled_from(Consumption),
    consumption_decay_ns=st.sampled_from([0, 0, 3]),
    depth=st.sampled_from(Depth),
    queue=st.sampled_from(Queue),
    emulate=st.sampled_from([(), (), ("STOP", "GTD"), ("STOP_LIMIT", "POST_ONLY", "GTD")]),
    lacks=st.sampled_from([(), (), (), ("REPLACE",)]),
    regimes=st.sampled_from([None, None, *_REGIMES]),
    settlement=st.sampled_from([None, None, Settlement(delay_ns=4, failure_rate=0.5)]),
)


@st.composite
def _runs(draw: st.DrawFn) -> _Run:
    rows = draw(row_lists(max_size=40))
    end = rows[-1].time_ns + 3 if rows else 3
    script: Script = []
    for number in range(draw(st.integers(1, 12))):
        at_ns = draw(st.integers(0, end))
        asked = draw(_orders(number, end))
        script.append((at_ns, PlaceOrder(order=asked)))
        if draw(st.integers(0, 3)) == 0:
            cancel = CancelPlacedOrder(
                client_order_id=asked.client_order_id, instrument=asked.instrument
            )
            script.append((draw(st.integers(at_ns, end)), cancel))
        for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
            script.append((draw(st.integers(at_ns, end)), draw(_changes(asked))))
    if draw(st.integers(0, 5)) == 0:
        script.append((draw(st.integers(0, end)), CancelAllAtVenue("the run failed")))
    return _Run(rows, script, draw(_configs))


def _endless(draw: st.DataObject, least: int, most: int) -> Iterator[int]:
    while True:
        yield draw.draw(st.integers(least, most))


def _builds(run: _Run) -> list[Build]:
    """Return what builds each kind of broker, on a market table of its own."""
    instruments = table()

    def simulated() -> Venue:
        return SimulatedBroker(context("broker"), instruments, run.config)

    def passthrough() -> Venue:
        return PassthroughBroker(context("broker"), instruments)

    return [simulated, passthrough]


def _slices(run: _Run, sizes: Iterator[int]) -> list[Slice]:
    return list(resliced([built(run.rows, table())], sizes))


@settings(max_examples=80, deadline=None)
@given(run=_runs(), data=st.data())
def test_what_a_venue_says_does_not_depend_on_how_rows_are_cut(
    run: _Run, data: st.DataObject
) -> None:
    for build in _builds(run):
        one_by_one = said(build, _slices(run, repeat(1)), run.script, horizons=repeat(1))
        at_once = said(build, _slices(run, repeat(99)), run.script, horizons=repeat(99))
        cut = _slices(run, _endless(data, 1, 9))
        anyhow = said(build, cut, run.script, horizons=_endless(data, 1, 12))
        assert at_once == one_by_one
        assert anyhow == one_by_one


@settings(max_examples=60, deadline=None)
@given(run=_runs(), data=st.data())
def test_what_a_venue_says_does_not_depend_on_crashes(run: _Run, data: st.DataObject) -> None:
    crashes = iter(lambda: data.draw(st.booleans()), None)
    for build in _builds(run):
        slices = _slices(run, repeat(7))
        calm = said(build, slices, run.script, horizons=repeat(5))
        crashing = said(build, slices, run.script, horizons=repeat(5), crashes=crashes)
        assert crashing == calm


_BESIDES = (
    ReportKind.CANCEL_REJECTED,
    ReportKind.REPLACE_REJECTED,
    ReportKind.TRADE_SETTLED,
    ReportKind.TRADE_FAILED,
)
_FINAL = (ReportKind.REJECTED, ReportKind.CANCELLED, ReportKind.EXPIRED)


@attrs.define
class _Life:
    """What one order's reports come to."""

    order: Order
    changes: list[Order]
    filled: Decimal = Decimal(0)
    trades: int = 0
    is_open: bool = False
    is_over: bool = False

    def hear(self, report: ExecutionReport) -> None:
        """Check that a report may follow those before it."""
        kind = report.kind
        if kind in _BESIDES:
            return
        assert not self.is_over
        if kind is ReportKind.TRADE:
            self._trade(report)
        else:
            self.is_open = True
        self.is_over |= kind in _FINAL

    def _trade(self, report: ExecutionReport) -> None:
        self.filled += report.last_quantity
        self.trades += 1
        assert report.trade_id == f"{self.order.client_order_id}-{self.trades}"
        candidates = [self.order, *self.changes]
        assert report.last_quantity > 0
        assert self.filled <= max(each.quantity for each in candidates)
        if self.order.limit_price is not None:
            assert any(
                (report.last_price - (each.limit_price or 0)) * each.side.sign <= 0
                for each in candidates
            )


@settings(max_examples=100, deadline=None)
@given(run=_runs())
def test_every_order_is_answered_and_never_filled_beyond_its_quantity_or_limit(run: _Run) -> None:
    config = attrs.evolve(run.config, latency=ConstantLatency())
    outcome = said(
        _builds(attrs.evolve(run, config=config))[0],
        _slices(run, repeat(99)),
        run.script,
        horizons=repeat(99),
    )
    changes: dict[str, list[Order]] = {}
    for _, message in run.script:
        if isinstance(message, ReplacePlacedOrder):
            changes.setdefault(message.order.client_order_id, []).append(message.order)
    lives = {
        m.order.client_order_id: _Life(m.order, changes.get(m.order.client_order_id, []))
        for _, m in run.script
        if isinstance(m, PlaceOrder)
    }
    for _, report in outcome:
        lives[report.client_order_id].hear(report)
    for life in lives.values():
        assert life.is_open or life.filled == life.order.quantity
        if life.order.time_in_force is TimeInForce.FOK and not life.changes:
            assert life.filled in (0, life.order.quantity)
        if life.order.time_in_force is TimeInForce.GTD and not life.is_over and life.filled == 0:
            raise AssertionError("an order that has a time must end at it")


def _first_touch(rows: Slice, start: int, stop: int, reach: Reach) -> int:
    """Return what :class:`TouchScan` must find, row by row."""
    for row in range(start, stop):
        kind, index = rows.kind[row], rows.instrument[row]
        a, b, c = rows.a[row], rows.b[row], rows.c[row]
        early = reach.firm_from is not None and row < reach.firm_from[index]
        if kind == EventKind.QUOTE:
            low, high = b, a
        elif kind == EventKind.BAR:
            low, high = c, b
        elif kind == EventKind.TRADE and early:
            low = high = a
        else:
            continue
        if low <= reach.buy[index] or high >= reach.sell[index]:
            return row
    return stop


@settings(max_examples=60, deadline=None)
@given(rows=row_lists(max_size=120), data=st.data())
def test_the_scan_finds_the_first_touch_wherever_it_has_looked_before(
    rows: Sequence[Row], data: st.DataObject
) -> None:
    whole = built(rows, table())
    scan = TouchScan()
    key = 0
    reach = _drawn_reach(data, rows)
    for _ in range(data.draw(st.integers(1, 6))):
        if data.draw(st.booleans()):
            key += 1
            reach = _drawn_reach(data, rows)
        start = data.draw(st.integers(0, len(rows)))
        stop = data.draw(st.integers(start, len(rows)))
        found = scan.first(whole, (start, stop), key, lambda: reach)  # noqa: B023 - called at once
        assert found == _first_touch(whole, start, stop, reach)


def _drawn_reach(data: st.DataObject, rows: Sequence[Row]) -> Reach:
    def column(least: int, most: int) -> Column:
        three = st.lists(st.integers(least, most), min_size=3, max_size=3)
        return np.array(data.draw(three), dtype=np.int64)

    firm_from = np.zeros(3, dtype=np.int64)
    for index in range(3):
        if data.draw(st.booleans()):
            shown = (n for n, row in enumerate(rows) if row.instrument == index and _is_firm(row))
            firm_from[index] = next(shown, len(rows))
    return Reach(column(-1, 60), column(350, 401), firm_from if firm_from.any() else None)


def _is_firm(row: Row) -> bool:
    return row.kind in (EventKind.QUOTE, EventKind.BAR)


def test_a_run_without_orders_says_nothing() -> None:
    run = _Run([Row(EventKind.QUOTE, 1, 0, (1, 2, 3, 4))], [], SimulatedBrokerConfig())
    silence: Said = []
    for build in _builds(run):
        assert said(build, _slices(run, repeat(1)), [], horizons=repeat(1)) == silence
