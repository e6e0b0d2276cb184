"""Whatever gets lost, doubled, late or out of order: each fill is booked once, none is missing."""

from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.messages.trading import Fill
from runtime.observe.result import ExitCode
from tests.ring.crash_points.points import check_approvals, check_holdings, ledger_of
from tests.ring.rig import Ran, config, run

pytestmark = pytest.mark.usefixtures("many_runs")

TEXT = dedent("""\
    name: once
    mode: simulate
    seed: {seed}
    portfolio: {{cash: 100000, policies: [{{type: PositionLimit, max_size: 90}}]}}
    orders: {{max_completed_orders: {window}}}
    feeds:
      - {{name: market, type: synthetic, events: 150, interval: 250ms, volatility: 0.001}}
    strategies:
      - {{name: one, type: "tests.ring.traders:Trader", parameters: {{every: 4}}}}
      - {{name: chaos, type: "tests.ring.chaos:Chaos", parameters: {{every: 4}}}}
    broker:
      type: venue
      lacks: {lacks}
      reconcile_every: {every}s
      rate_limit: {limit}
      venue:
        type: fake
        idempotent: {idempotent}
        page_size: {page}
        habits: {{rejects: 0.05, parts: 0.35, rests: 0.25, late_fills: 0.2, latency: {latency}ms}}
        faults: {faults}
    """)

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
    "stale_account",
)
RATE = st.sampled_from([0.0, 0.0, 0.05, 0.2])


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw a configuration."""
    rates = {name: draw(RATE) for name in RATES}
    faults = ", ".join(f"{name}: {rate}" for name, rate in rates.items())
    if draw(st.booleans()):
        faults += ", outage: {every: 11s, lasts: 2s}"
    return TEXT.format(
        seed=draw(st.integers(0, 999)),
        window=draw(st.sampled_from(["null", 0, 1, 3, 20])),
        every=draw(st.sampled_from([7, 30])),
        limit=draw(st.sampled_from(["null", "{requests_per_second: 4, burst_size: 3}"])),
        idempotent=draw(st.sampled_from(["true", "false"])),
        page=draw(st.sampled_from([1, 3, 100])),
        latency=draw(st.sampled_from([0, 20, 400])),
        lacks=draw(st.sampled_from(["[STOP, STOP_LIMIT]", "[REPLACE, STOP, STOP_LIMIT]"])),
        faults=f"{{{faults}}}",
    )


def ran_with(text: str) -> Ran:
    """Return the run of a configuration, with a journal for as long as it takes."""
    with TemporaryDirectory() as folder:
        return run(config(text), Path(folder))


def check_exactly_once(ran: Ran) -> None:
    """Assert that the venue's trades were booked, each of them once, and nothing else."""
    assert ran.result.exit_code is ExitCode.GOOD, ran.result.reason
    ledger = ledger_of(ran)
    check_holdings(ran, ledger)
    check_approvals(ran)
    assert ledger.violations == ()
    told = [(fill.venue, fill.trade_id) for fill in ran.of(Fill)]
    assert sorted(told) == sorted((trade.venue, trade.trade_id) for trade in ledger.trades)


@settings(max_examples=20, deadline=None)
@given(texts())
def test_every_fill_is_booked_exactly_once(text: str) -> None:
    check_exactly_once(ran_with(text))
