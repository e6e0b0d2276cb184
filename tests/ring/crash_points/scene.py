"""A ring with a venue on which nothing can be relied, more than 200 orders, and a halt."""

from textwrap import dedent

from actors.actor import Later
from actors.messages.system import CancelAllAtVenue, Halt, Resume, Trip
from runtime.config.model import RunConfig
from runtime.wiring.plant import Plant
from tests.ring.rig import config

CORES = ("venue", "safety", "broker", "orders", "portfolio")
ACTORS = (*CORES, "one", "chaos", "kin")
"""Whom to crash: the cores, and three strategies."""
TRACELESS = ("venue", "broker", "orders", "portfolio")
"""Whose crash changes nothing; a kill switch repeats its halt, a strategy forgets its wishes."""

SECOND = 1_000_000_000
START_NS = 1_767_225_600_000_000_000
HALTED_NS = START_NS + 16 * SECOND
LIFTED_NS = START_NS + 21 * SECOND
"""When the cause is acknowledged."""
CAUSE = "somebody has pulled the handle"

TEXT = dedent("""\
    name: points
    mode: simulate
    seed: 9
    portfolio:
      cash: 100000
      equity_interval: 10s
      policies: [{type: PositionLimit, max_size: 90}, {type: CashLimit}]
    feeds:
      - {name: market, type: synthetic, events: 180, interval: 250ms, volatility: 0.001}
    strategies:
      - name: one
        type: tests.ring.traders:Trader
        parameters: {is_stateless: true, every: 2}
      - name: chaos
        type: tests.ring.chaos:Chaos
        parameters: {every: 2}
      - name: kin
        type: tests.ring.chaos:Chaos
        parameters: {every: 2, acts: [bracket, bracket, alternatives, change, change, sliced]}
    kill_switch: {deadline: 5s, alarm_every: 2s}
    broker:
      type: venue
      lacks: [STOP, STOP_LIMIT]
      reconcile_every: 7s
      venue:
        type: fake
        fee_rate: 0.001
        page_size: 20
        habits: {rejects: 0.05, parts: 0.35, rests: 0.25, late_fills: 0.1, refuses_replace: 0.2}
        faults: {lose_request: 0.02, lose_answer: 0.05, late_answer: 0.03, server_error: 0.04,
          throttle: 0.02, duplicate_news: 0.1, delay_news: 0.2, drop_news: 0.1, hide_order: 0.1}
    """)


def settings() -> RunConfig:
    """Return the configuration of the scene."""
    return config(TEXT)


def halt_for_a_while(plant: Plant) -> None:
    """Have the plant halted in the middle of the run, and the halt lifted some time later."""
    for message in (Halt(CAUSE, final=False), CancelAllAtVenue(CAUSE), Trip(CAUSE, "test")):
        plant.post.deliver("control", 0, Later(message, HALTED_NS), plant.clock.now_ns())
    plant.post.deliver("control", 0, Later(Resume(CAUSE), LIFTED_NS), plant.clock.now_ns())
