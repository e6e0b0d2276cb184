"""Case 07: passive and immediate-or-cancel fills against a peer's queue simulator.

The venue matches at its own time, the strategy sees the market later: the same recording is told
twice, as the venue's market (at exchange time) and as what the strategy hears (at local time).
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import numpy as np

from actors.actor import Source
from actors.feeds.files import read_text
from actors.messages.market import EventKind, Quote
from actors.messages.slices import Slice, SliceBuilder
from actors.messages.trading import OrderUpdate
from actors.model.instrument import Instrument, InstrumentId, Instruments
from actors.model.order import OrderStatus, TimeInForce
from actors.strategies import Strategy
from actors.venues.binance.market_data import BinanceMarketData
from runtime.wiring.blueprint import Blueprint
from tests.ring.rig import config, run
from tests.shared import conformance, shared_file

CASE = "07-hftbacktest-queue-fills"
LOCAL_CLOCK_NS = 1_272_156_851
FIRST_EXCHANGE_NS = 1_723_161_256_298_000_000
SECOND = 1_000_000_000
TURNS = 50

TEXT = """\
name: queue
mode: simulate
seed: 1
close_out: false
portfolio: {cash: 1000000}
feeds:
  - {name: exchange, type: synthetic, assets: [X], events: 1}
  - {name: local, type: synthetic, assets: [L], events: 1}
strategies:
  - {name: trader, type: "tests.conformance.test_queue_fills:Trader", instruments: [L]}
broker:
  type: simulated
  latency: {type: constant, submit: 10ms, cancel: 10ms, report: 10ms}
  commission: {type: maker_taker, maker: 0, taker: 0.0005}
  partial_fills: false
  queue: risk_averse
"""


@attrs.define
class Turn:
    """One round of the trader: what it saw, and what became of its two orders."""

    submit_ns: int
    bid: Decimal
    ask: Decimal
    passive: str
    taking: str


turns: list[Turn] = []
"""What the trader of this process has done; a test clears it first."""


class Trader(Strategy):
    """Joins the best bid and takes the best ask, fifty times; five seconds for each."""

    def on_start(self) -> None:
        self._quote: Quote | None = None
        self._passive_is_open = False
        self.set_timer("turn", FIRST_EXCHANGE_NS + 30 * SECOND - self.now_ns)

    def on_quote(self, quote: Quote) -> None:
        self._quote = quote

    def on_order(self, update: OrderUpdate) -> None:
        if turns and update.client_order_id == turns[-1].passive:
            self._passive_is_open = not update.status.is_terminal

    def on_timer(self, name: str) -> None:
        if name == "look" and self._passive_is_open:
            self.cancel(turns[-1].passive)
            self.set_timer("turn", SECOND // 10)
            return
        if len(turns) == TURNS:
            return
        quote = self._quote
        assert quote is not None
        assert quote.bid is not None
        assert quote.ask is not None
        size = Decimal("0.01")
        self._passive_is_open = True
        passive = self.buy("X", size, limit=quote.bid, post_only=True)
        in_force = TimeInForce.IOC
        taking = self.buy("X", size, limit=quote.ask, time_in_force=in_force)
        turns.append(Turn(self.now_ns, quote.bid, quote.ask, passive, taking))
        self.set_timer("look", 5 * SECOND)


@attrs.frozen
class Told:
    """A source of rows that are there already."""

    rows: Slice

    def slices(self, resume_ns: int) -> Iterator[Slice]:
        for start in range(0, len(self.rows), 8_192):
            yield self.rows.take(slice(start, start + 8_192))

    def summary(self) -> dict[str, Any]:
        return {}


def recorded(path: Path) -> tuple[Instrument, Slice]:
    """Return the depth and the trades of the recording; best quotes are taken from the depth."""
    table = Instruments()
    decoder = BinanceMarketData(table)
    builder = SliceBuilder(table)
    for number, line in enumerate(read_text(path), 1):
        if "@bookTicker" not in line[:80]:
            decoder.decode(line, number, builder)
    return table[0], builder.build()


def retimed(rows: Slice, index: int, times: np.ndarray[Any, Any], table: Instruments) -> Slice:
    """Return rows of another instrument at other times."""
    names = ("venue_time_ns", "kind", "a", "b", "c", "d", "e", "line", "source")
    columns = {name: getattr(rows, name) for name in names}
    columns["time_ns"] = times
    columns["instrument"] = np.full(len(rows), index, dtype=np.int64)
    order = np.argsort(times, kind="stable")
    columns = {name: column[order] for name, column in columns.items()}
    return Slice(table, columns, rows.levels)


def two_views(instrument: Instrument, rows: Slice) -> Any:
    """Return a change of a run: what its feeds tell."""

    def change(plan: Blueprint) -> Blueprint:
        table = Instruments()
        exchange = table.add(attrs.evolve(instrument, id=InstrumentId("X")))
        local = table.add(attrs.evolve(instrument, id=InstrumentId("L")))
        # what the venue's market does in a millisecond comes before orders that come in it
        venue = retimed(rows, exchange, rows.venue_time_ns - 1, table)
        quotes = rows.take(rows.kind == EventKind.QUOTE)
        heard = retimed(quotes, local, quotes.time_ns + LOCAL_CLOCK_NS, table)
        for member in table:
            plan.instruments.add(member)
        views: dict[str, Source] = {
            "exchange": Told(on(plan.instruments, venue, "X")),
            "local": Told(on(plan.instruments, heard, "L")),
        }
        sources = {name: lambda _n, view=views[name]: view for name in plan.sources}
        return attrs.evolve(plan, sources=sources)

    return change


def on(table: Instruments, rows: Slice, name: str) -> Slice:
    """Return rows of an instrument of a run's table."""
    return retimed(rows, table.index(name), rows.time_ns, table)


def test_fills_are_those_of_the_peer() -> None:
    case = conformance(CASE)
    turns.clear()
    instrument, rows = recorded(shared_file(case["input_files"][0]["path"]))
    ran = run(config(TEXT), change=two_views(instrument, rows))
    fills = {row.fill.client_order_id: row.fill for row in ran.result.fills}
    expected = case["expected"]["orders"]
    assert len(turns) == len(expected) == TURNS
    equal = 0
    for turn, told in zip(turns, expected, strict=True):
        assert turn.submit_ns == told["submit_local_ns"]
        assert (turn.bid, turn.ask) == (
            Decimal(str(told["best_bid"])),
            Decimal(str(told["best_ask"])),
        )
        taking = fills.get(turn.taking)
        assert (taking is not None) == (told["ioc"] == "filled")
        if taking is not None:
            assert taking.last_price == Decimal(str(told["ioc_price"]))
            assert taking.venue_time_ns == told["ioc_exch_ns"]
        passive = fills.get(turn.passive)
        if (passive is not None) != (told["passive"] == "filled"):
            continue
        equal += 1
        if passive is not None:
            assert passive.last_price == Decimal(str(told["passive_price"]))
            assert abs(passive.venue_time_ns - told["passive_exch_ns"]) <= SECOND // 10
    assert equal >= 45
    final = case["expected"]["final"]
    [position] = [row.position for row in ran.result.positions]
    assert position.quantity == Decimal(str(round(final["position"], 8)))
    assert position.cost == Decimal(str(round(final["trading_value"], 6)))
    assert position.commission == Decimal(str(round(final["fee"], 6)))
    assert len(fills) == final["num_trades"]
    statuses = {row.status for row in ran.result.orders}
    assert statuses <= {OrderStatus.FILLED, OrderStatus.CANCELLED}
