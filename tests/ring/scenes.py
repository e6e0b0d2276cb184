"""Small configurations of the whole ring."""

from textwrap import dedent

SMALL = dedent("""\
    name: small
    mode: simulate
    seed: 3
    portfolio:
      cash: 10000
      equity_interval: 1s
      policies: [{type: PositionLimit, max_size: 20}, {type: CashLimit}]
    feeds:
      - {name: market, type: synthetic, events: 150, interval: 70ms, volatility: 0.001}
    strategies:
      - name: one
        type: tests.ring.traders:Trader
        parameters: {is_stateless: true}
      - name: two
        type: tests.ring.traders:Trader
        parameters: {is_stateless: true, every: 9}
    broker:
      type: simulated
      latency: {type: constant, submit: 31ms, report: 17ms, cancel: 23ms}
      commission: {type: percentage, rate: 0.001}
    """)
"""Two traders that a restart costs nothing, 150 quotes."""

RICH = dedent("""\
    name: rich
    mode: simulate
    seed: 11
    portfolio:
      cash: 10000
      equity_interval: 1s
      policies: [{type: PositionLimit, max_size: 40}, {type: CashLimit}]
    feeds:
      - {name: books, type: synthetic, shape: book, assets: [AAA, BBB], events: 1500,
         interval: 50ms, volatility: 0.0005, quantity: 5}
      - {name: quotes, type: synthetic, assets: [CCC], events: 1500, interval: 50ms}
    strategies:
      - name: random
        type: tests.ring.traders:Trader
        parameters: {every: 20, timer: 700ms}
      - name: other
        type: tests.ring.traders:Trader
        instruments: ["A*", CCC]
        parameters: {every: 30}
      - name: clumsy
        type: clumsy.py:Clumsy
        parameters: {buy_every: 50, crash_every: 301}
        supervision: {intensity: 50, backoff: {base: 300ms, jitter: 0.5}}
    broker:
      type: simulated
      latency: {type: constant, submit: 120ms, report: 30ms, cancel: 50ms}
      commission: {type: percentage, rate: 0.0005}
    """)
"""Level-2 books and quotes of one instant, latency, a strategy that crashes and backs off."""
