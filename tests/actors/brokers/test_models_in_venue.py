"""Every model at work in the simulated venue: rows may be cut anyhow, and the broker may crash."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import repeat
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.brokers.market.sizes import Consumption
from actors.brokers.models.commission import (
    CommissionModel,
    MakerTakerCommission,
    NoCommission,
    PerShareCommission,
    PolymarketCommission,
    TieredCommission,
)
from actors.brokers.models.latency import (
    BurstLatency,
    ConstantLatency,
    LatencyModel,
    LogNormalLatency,
    LogNormalLeg,
    RecordedLatency,
)
from actors.brokers.models.regimes import RandomRegime, RegimeKind, Regimes, ScheduledRegime
from actors.brokers.models.settlement import Settlement
from actors.brokers.models.slippage import (
    DynamicSlippage,
    FixedSlippage,
    NoSlippage,
    SlippageModel,
    SquareRootSlippage,
    VolatilityAwareSlippage,
    VolumeImpactSlippage,
)
from actors.brokers.simulated import SimulatedBroker, SimulatedBrokerConfig
from actors.messages.market import EventKind
from actors.messages.slices import resliced
from actors.messages.trading import CancelPlacedOrder, ExecutionReport, PlaceOrder, ReportKind
from actors.model.order import Side
from tests.actors.brokers.runs import Said, said
from tests.builders import context, order
from tests.rows import Row, built, row_lists, table

Script = list[tuple[int, Any]]
D = Decimal
TICKS = {"A": "0.01", "B": "0.0025", "C": "0.1"}
LEG = LogNormalLeg(median_ns=2)

_latencies: st.SearchStrategy[LatencyModel] = st.sampled_from(
    [
        ConstantLatency(),
        ConstantLatency(submit_ns=2, report_ns=1),
        LogNormalLatency(submit=LEG, cancel=LEG, report=LEG, seed=1),
        BurstLatency(submit=LEG, report=LEG, every_ns=9, lasts_ns=4, stalls=True, seed=2),
        RecordedLatency(submit=(1, 4, 2), cancel=(0, 3), report=(2, 0), seed=3),
        RecordedLatency(submit=(1, 4), report=(2, 0), order="sequence", interval_ns=3),
    ]
)
_slippages: st.SearchStrategy[SlippageModel] = st.sampled_from(
    [
        NoSlippage(),
        FixedSlippage(price_impact=D("0.01"), round_to_tick=True),
        DynamicSlippage(),
        VolumeImpactSlippage(permanent_impact_factor=D("0.001")),
        VolatilityAwareSlippage(),
        SquareRootSlippage(),
    ]
)
_commissions: st.SearchStrategy[CommissionModel] = st.sampled_from(
    [
        NoCommission(),
        MakerTakerCommission(maker=D("-0.001"), taker=D("0.002"), round_to=D("0.01")),
        TieredCommission(basis="cumulative", tiers=((D(0), D("0.01")), (D(20), D("0.001")))),
        TieredCommission(marginal=True, minimum_commission=D("0.1")),
        PerShareCommission(minimum_commission=D("0.05"), maximum_commission=D("0.06")),
        PolymarketCommission(rate=D("0.07"), maker_rebate=D("0.2")),
    ]
)
_kinds = st.sampled_from(RegimeKind)
_regimes = st.none() | st.builds(
    Regimes,
    schedule=st.lists(
        st.builds(
            lambda kind, start, length: ScheduledRegime(
                kind=kind, from_ns=start, to_ns=start + length, probability=0.5
            ),
            _kinds,
            st.integers(0, 60),
            st.integers(1, 30),
        ),
        max_size=2,
    ).map(tuple),
    markov=st.lists(
        st.builds(
            RandomRegime, kind=_kinds, every_ns=st.integers(2, 30), lasts_ns=st.integers(1, 9)
        ),
        max_size=2,
    ).map(tuple),
    seed=st.integers(0, 9),
)
_configs = st.builds(
    SimulatedBrokerConfig,
    latency=_latencies,
    slippage=_slippages,
    commission=_commissions,
    regimes=_regimes,
    settlement=st.none()
    | st.builds(Settlement, delay_ns=st.integers(0, 5), failure_rate=st.just(0.4)),
    impact_decay_ns=st.sampled_from([0, 7]),
    volatility_window=st.sampled_from([2, 5]),
)


@attrs.frozen
class Case:
    """A market, what is asked of the venue, and what the venue is like."""

    rows: list[Row]
    script: Script
    config: SimulatedBrokerConfig

    def run(
        self, sizes: Iterator[int], horizons: Iterator[int], crashes: Iterator[bool] | None = None
    ) -> Said:
        slices = list(resliced([built(self.rows, table())], sizes)) if self.rows else []
        instruments = table()

        def build() -> SimulatedBroker:
            return SimulatedBroker(context("broker"), instruments, self.config)

        return said(build, slices, self.script, horizons=horizons, crashes=crashes)


@st.composite
def _cases(draw: st.DrawFn) -> Case:
    kinds = (EventKind.QUOTE, EventKind.BAR, EventKind.TRADE)
    rows = [row for row in draw(row_lists(max_size=40)) if row.kind in kinds]
    end = rows[-1].time_ns + 3 if rows else 3
    script: Script = []
    for number in range(draw(st.integers(1, 10))):
        name = draw(st.sampled_from(sorted(TICKS)))
        limit = None
        if draw(st.booleans()):
            limit = str(D(TICKS[name]) * draw(st.integers(1, 400)))
        asked = order(
            draw(st.sampled_from(Side)),
            quantity=str(draw(st.integers(1, 20))),
            limit=limit,
            id=f"o-{number}",
            instrument=name,
        )
        at_ns = draw(st.integers(0, end))
        script.append((at_ns, PlaceOrder(order=asked)))
        if draw(st.integers(0, 4)) == 0:
            cancel = CancelPlacedOrder(client_order_id=asked.client_order_id, instrument=name)
            script.append((draw(st.integers(at_ns, end)), cancel))
    return Case(rows, script, draw(_configs))


def _endless(draw: st.DataObject, least: int, most: int) -> Iterator[int]:
    while True:
        yield draw.draw(st.integers(least, most))


@settings(max_examples=80, deadline=None)
@given(case=_cases(), data=st.data())
def test_what_models_do_does_not_depend_on_how_rows_are_cut(
    case: Case, data: st.DataObject
) -> None:
    one_by_one = case.run(repeat(1), repeat(1))
    assert case.run(repeat(99), repeat(99)) == one_by_one
    assert case.run(_endless(data, 1, 9), _endless(data, 1, 12)) == one_by_one


@settings(max_examples=80, deadline=None)
@given(case=_cases(), data=st.data())
def test_what_models_do_does_not_depend_on_crashes(case: Case, data: st.DataObject) -> None:
    crashes = iter(lambda: data.draw(st.booleans()), None)
    calm = case.run(repeat(7), repeat(5))
    assert case.run(repeat(7), repeat(5), crashes) == calm


@settings(max_examples=80, deadline=None)
@given(case=_cases())
def test_provisional_trades_have_one_end_and_the_others_none(case: Case) -> None:
    trades: list[ExecutionReport] = []
    ends: dict[str, int] = {}
    for at_ns, report in case.run(repeat(7), repeat(5)):
        if report.kind is ReportKind.TRADE:
            trades.append(report)
            assert report.trade_id not in ends
            assert report.provisional is (case.config.settlement is not None)
        elif report.kind in (ReportKind.TRADE_SETTLED, ReportKind.TRADE_FAILED):
            assert report.trade_id not in ends
            ends[report.trade_id] = at_ns
    told = {report.trade_id for report in trades}
    assert ends.keys() == (set() if case.config.settlement is None else told)


def test_nothing_trades_in_a_halt_and_orders_take_after_it() -> None:
    def quote(time_ns: int) -> Row:
        return Row(EventKind.QUOTE, time_ns, 0, (99, 101, 50, 50))

    halt = ScheduledRegime(kind=RegimeKind.HALT, from_ns=5, to_ns=20)
    config = SimulatedBrokerConfig(regimes=Regimes(schedule=(halt,)))
    market = order(quantity="0.1", id="market", instrument="A")
    resting = order(quantity="0.1", limit="1.05", id="limit", instrument="A")
    script: Script = [(6, PlaceOrder(order=market)), (7, PlaceOrder(order=resting))]
    rows = [quote(1), quote(8), quote(12), quote(22)]
    told = Case(rows, script, config).run(repeat(9), repeat(9))
    trades = [
        (at_ns, each.client_order_id) for at_ns, each in told if each.kind is ReportKind.TRADE
    ]
    assert sorted(trades) == [(22, "limit"), (22, "market")]


def test_an_outage_turns_orders_and_cancels_away() -> None:
    outage = ScheduledRegime(kind=RegimeKind.OUTAGE, from_ns=5, to_ns=20)
    config = SimulatedBrokerConfig(regimes=Regimes(schedule=(outage,)))
    early = order(quantity="0.1", limit="0.01", id="early", instrument="A")
    late = order(quantity="0.1", id="late", instrument="A")
    cancel = CancelPlacedOrder(client_order_id="early", instrument="A")
    script: Script = [
        (1, PlaceOrder(order=early)),
        (6, PlaceOrder(order=late)),
        (7, cancel),
        (20, cancel),
    ]
    told = Case([], script, config).run(repeat(9), repeat(9))
    assert [(at_ns, each.kind, each.reason) for at_ns, each in told] == [
        (1, ReportKind.ACCEPTED, "waits for a price"),
        (6, ReportKind.REJECTED, "the venue is out of reach"),
        (7, ReportKind.CANCEL_REJECTED, "the venue is out of reach"),
        (20, ReportKind.CANCELLED, ""),
    ]


def test_a_wide_spread_costs_half_of_its_widening() -> None:
    wide = ScheduledRegime(kind=RegimeKind.WIDE_SPREAD, from_ns=5, to_ns=20, factor=D(3))
    config = SimulatedBrokerConfig(regimes=Regimes(schedule=(wide,)))
    rows = [Row(EventKind.QUOTE, 1, 0, (98, 102, 50, 50))]
    script: Script = [
        (2, PlaceOrder(order=order(quantity="0.1", id="before", instrument="A"))),
        (6, PlaceOrder(order=order(quantity="0.1", id="buy", instrument="A"))),
        (7, PlaceOrder(order=order(Side.SELL, quantity="0.1", id="sell", instrument="A"))),
        (8, PlaceOrder(order=order(quantity="0.1", limit="1.03", id="limit", instrument="A"))),
    ]
    told = Case(rows, script, config).run(repeat(9), repeat(9))
    prices = {each.client_order_id: each.last_price for _, each in told}
    # 4 ticks of spread become 12: 4 more on either side
    assert prices == {"before": D("1.02"), "buy": D("1.06"), "sell": D("0.94"), "limit": D("1.03")}


def test_lasting_impact_makes_the_second_purchase_dearer_until_it_has_faded() -> None:
    model = VolumeImpactSlippage(temporary_impact_factor=D(0), permanent_impact_factor=D("0.001"))
    config = SimulatedBrokerConfig(slippage=model, impact_decay_ns=10, consumption=Consumption.NONE)
    rows = [Row(EventKind.QUOTE, 1, 0, (99, 100, 1000, 1000))]
    script: Script = [
        (at_ns, PlaceOrder(order=order(quantity="0.1", id=str(at_ns), instrument="A")))
        for at_ns in (2, 2, 12)
    ]
    script[1] = (2, PlaceOrder(order=order(quantity="0.1", id="2b", instrument="A")))
    told = Case(rows, script, config).run(repeat(9), repeat(9))
    # each purchase is 1 % of the volume: 0.1 %, and the later ones pay what the others have left
    assert [each.last_price for _, each in told] == [D("1.001"), D("1.002"), D("1.002")]
