"""Case 17, and others of its kind: bars built of quotes, and orders that pay the spread."""

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest

from actors.messages.market import UNKNOWN_LOTS
from actors.messages.records import Origin
from actors.messages.slices import Slice, SliceBuilder
from actors.model.instrument import Instrument, InstrumentId, Instruments
from actors.model.timestamps import timestamp_ns
from runtime.wiring.blueprint import Blueprint
from tests.ring.rig import config, run
from tests.shared import cases, conformance, shared_file

OFFSETS_NS = (-300_000_000, -200_000_000, -100_000_000, 0)
PRICES = ("open", "high", "low", "close")
TICK = Decimal("0.00001")


class MinuteQuotes:
    """Each minute of two files of bars, of bids and of asks, as four quotes."""

    def __init__(self, instruments: Instruments, bids: Path, asks: Path) -> None:
        self._instruments = instruments
        self._files = bids, asks
        self.count = 0
        self.index = instruments.add(
            Instrument(
                id=InstrumentId("GBPUSD"), venue="fx", symbol="GBPUSD", tick=TICK, lot=Decimal(1)
            )
        )

    def slices(self, resume_ns: int) -> Iterator[Slice]:
        """Yield all quotes."""
        builder = SliceBuilder(self._instruments)
        with gzip.open(self._files[0], "rt") as bids, gzip.open(self._files[1], "rt") as asks:
            for bid, ask in zip(csv.DictReader(bids), csv.DictReader(asks), strict=True):
                assert bid["timestamp"] == ask["timestamp"]
                time_ns = timestamp_ns(bid["timestamp"])
                for offset_ns, name in zip(OFFSETS_NS, PRICES, strict=True):
                    sides = (_ticks(bid[name]), _ticks(ask[name]), UNKNOWN_LOTS, UNKNOWN_LOTS)
                    builder.quote(Origin(time_ns + offset_ns), self.index, sides)
                    self.count += 1
        yield builder.build()

    def summary(self) -> dict[str, Any]:
        """Return nothing: nobody reads it."""
        return {}


def _ticks(text: str) -> int:
    return int(Decimal(text) / TICK)


SETTINGS = {
    "mode": "backtest",
    "journal": "none",
    "portfolio": {"cash": 1_000_000, "currency": "USD", "money_step": "0.01"},
    "feeds": [{"name": "quotes", "type": "synthetic"}],
    "strategies": [
        {
            "name": "trader",
            "type": f"{Path(__file__).with_name('traders.py')}:MidEmaFlips",
            "parameters": {"quantity": 100_000},
        }
    ],
    "broker": {"commission": {"type": "percentage", "rate": "0.00002"}},
}


@pytest.mark.parametrize("name", cases("*-nautilus-ema-gbp*"))
def test_bars_of_quotes_give_the_peers_balance(name: str) -> None:
    case = conformance(name)
    expected = case["expected"]
    bids, asks = (shared_file(each["path"]) for each in case["input_files"])
    made: list[MinuteQuotes] = []

    def with_quotes(plan: Blueprint) -> Blueprint:
        def make(_incarnation: int) -> MinuteQuotes:
            made.append(MinuteQuotes(plan.instruments, bids, asks))
            return made[-1]

        return attrs.evolve(plan, sources={"quotes": make})

    ran = run(config(json.dumps(SETTINGS)), change=with_quotes)
    result = ran.result
    assert made[-1].count == expected["ticks"]
    assert ran.system.cores["trader"].bars == expected["bars"]
    assert len(result.orders) == expected["orders"]
    fills = [row.fill for row in result.fills]
    told = [
        [each.side.value, f"{each.last_price:.5f}", _time(each.venue_time_ns)] for each in fills
    ]
    assert told[: len(expected["first_fills"])] == expected["first_fills"]
    assert told[-1][:2] == expected["last_fill"][:2]
    fees = sum((row.position.commission for row in result.positions), Decimal(0))
    assert abs(fees - Decimal(expected["fees_usd"])) <= Decimal("0.01")
    assert abs(result.equity[-1].equity - Decimal(expected["final_usd"])) <= Decimal("0.01")


def _time(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
