"""What a venue says depends on the market and the orders only, whatever else happens."""

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

import attrs
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.brokers.latency import ConstantLatency
from actors.brokers.passthrough import PassthroughBroker
from actors.brokers.simulated import SimulatedBroker, SimulatedBrokerConfig
from actors.brokers.touch import Reach, TouchScan
from actors.brokers.venue import Venue
from actors.messages.market import EventKind
from actors.messages.slices import Column, Slice, resliced
from actors.messages.system import CancelAllAtVenue
from actors.messages.trading import CancelPlacedOrder, PlaceOrder, ReportKind
from actors.model.order import Order, OrderType, Side, TimeInForce
from tests.actors.brokers.runs import Build, Said, said
from tests.builders import context, order
from tests.rows import Row, built, row_lists, table

Script = list[tuple[int, Any]]

_NAMES = {"A": "0.01", "B": "0.0025", "C": "0.1"}


@attrs.frozen
class _Run:
    rows: list[Row]
    script: Script
    config: SimulatedBrokerConfig


@st.composite
def _orders(draw: st.DrawFn, number: int) -> Order:
    name = draw(st.sampled_from(sorted(_NAMES)))
    kind = draw(st.sampled_from(OrderType))
    in_force = TimeInForce.GTC
    if kind is not OrderType.POST_ONLY:
        in_force = draw(st.sampled_from(TimeInForce))
    limit = None
    if kind is not OrderType.MARKET:
        tick = float(_NAMES[name])
        limit = f"{draw(st.integers(1, 12 if draw(st.booleans()) else 400)) * tick:.4f}"
    return order(
        draw(st.sampled_from(Side)),
        quantity=str(draw(st.integers(1, 20))),
        limit=limit,
        id=f"o-{number}",
        instrument=name,
        order_type=kind,
        time_in_force=in_force,
    )


@st.composite
def _runs(draw: st.DrawFn) -> _Run:
    rows = draw(row_lists(max_size=40))
    end = rows[-1].time_ns + 3 if rows else 3
    script: Script = []
    for number in range(draw(st.integers(1, 12))):
        at_ns = draw(st.integers(0, end))
        asked = draw(_orders(number))
        script.append((at_ns, PlaceOrder(order=asked)))
        if draw(st.integers(0, 3)) == 0:
            cancel = CancelPlacedOrder(
                client_order_id=asked.client_order_id, instrument=asked.instrument
            )
            script.append((draw(st.integers(at_ns, end)), cancel))
    if draw(st.integers(0, 5)) == 0:
        script.append((draw(st.integers(0, end)), CancelAllAtVenue("the run failed")))
    latency = ConstantLatency(
        submit_ns=draw(st.integers(0, 3)),
        report_ns=draw(st.integers(0, 2)),
        cancel_ns=draw(st.integers(0, 3)),
    )
    config = SimulatedBrokerConfig(latency=latency, partial_fills=draw(st.booleans()))
    return _Run(rows, script, config)


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


@settings(max_examples=60, deadline=None)
@given(run=_runs())
def test_every_order_is_answered_and_never_filled_beyond_its_quantity_or_limit(run: _Run) -> None:
    placed = {m.order.client_order_id: m.order for _, m in run.script if isinstance(m, PlaceOrder)}
    config = attrs.evolve(run.config, latency=ConstantLatency())
    outcome = said(
        _builds(attrs.evolve(run, config=config))[0],
        _slices(run, repeat(99)),
        run.script,
        horizons=repeat(99),
    )
    for order_id, asked in placed.items():
        reports = [report for _, report in outcome if report.client_order_id == order_id]
        kinds = [report.kind for report in reports if report.kind is not ReportKind.CANCEL_REJECTED]
        trades = [report for report in reports if report.kind is ReportKind.TRADE]
        filled = sum(trade.last_quantity for trade in trades)
        if kinds[0] not in (ReportKind.ACCEPTED, ReportKind.REJECTED):
            assert set(kinds) == {ReportKind.TRADE}
            assert filled == asked.quantity
        assert filled <= asked.quantity
        assert [trade.trade_id for trade in trades] == [
            f"{order_id}-{n}" for n in range(1, len(trades) + 1)
        ]
        if asked.limit_price is not None:
            worst = [(trade.last_price - asked.limit_price) * asked.side.sign for trade in trades]
            assert all(by <= 0 for by in worst)
        if asked.time_in_force is not TimeInForce.GTC and kinds[0] is ReportKind.ACCEPTED:
            assert kinds[-1] is ReportKind.CANCELLED or filled == asked.quantity


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
