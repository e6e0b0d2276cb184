"""A ring with a venue on which nothing can be relied, and some 200 orders."""

from textwrap import dedent

from runtime.config.model import RunConfig
from tests.ring.rig import config

ACTORS = ("venue", "broker", "orders", "portfolio", "one", "chaos")
"""Whom to crash: the cores, and two strategies."""
CORES = ACTORS[:4]

TEXT = dedent("""\
    name: points
    mode: simulate
    seed: 8
    portfolio:
      cash: 100000
      equity_interval: 10s
      policies: [{type: PositionLimit, max_size: 90}, {type: CashLimit}]
    feeds:
      - {name: market, type: synthetic, events: 420, interval: 250ms, volatility: 0.001}
    strategies:
      - name: one
        type: tests.ring.traders:Trader
        parameters: {is_stateless: true, every: 6}
      - name: chaos
        type: tests.ring.chaos:Chaos
        parameters: {every: 4}
    broker:
      type: venue
      lacks: [STOP, STOP_LIMIT]
      reconcile_every: 7s
      venue:
        type: fake
        fee_rate: 0.001
        page_size: 7
        habits: {rejects: 0.05, parts: 0.35, rests: 0.25, late_fills: 0.1, refuses_replace: 0.2}
        faults: {lose_request: 0.02, lose_answer: 0.05, late_answer: 0.03, server_error: 0.04,
          throttle: 0.02, duplicate_news: 0.1, delay_news: 0.2, drop_news: 0.1, hide_order: 0.1}
    """)


def settings() -> RunConfig:
    """Return the configuration of the scene."""
    return config(TEXT)
