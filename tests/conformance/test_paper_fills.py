"""Case 03: paper orders on real books, with fees, marks and the markets' real settlement."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import Any

import attrs

from actors.messages.records import Origin
from actors.messages.slices import Slice, SliceBuilder
from actors.model.instrument import Instruments
from actors.model.order import Liquidity
from runtime.wiring.blueprint import Blueprint
from tests.ring.rig import config, run
from tests.shared import conformance, shared_file

CASE = "03-polymarket-paper-fills-settlement"
CENT = Decimal("0.01")
CLOSE = Decimal("1e-9")
MILLISECOND_NS = 1_000_000


class Settled:
    """Resolves the tokens of some markets when everything else is over."""

    def __init__(self, instruments: Instruments, payoffs: dict[str, int], time_ns: int) -> None:
        self._instruments = instruments
        self._payoffs = payoffs
        self._time_ns = time_ns

    def slices(self, resume_ns: int) -> Iterator[Slice]:
        """Yield a resolution of each token."""
        builder = SliceBuilder(self._instruments)
        for token, payoff in self._payoffs.items():
            index = self._instruments.index(token)
            ticks = self._instruments[index].ticks(Decimal(payoff))
            builder.resolution(Origin(self._time_ns), index, ticks)
        yield builder.build()

    def summary(self) -> dict[str, Any]:
        """Return nothing: nobody reads it."""
        return {}


def settings(case: dict[str, Any], *, until_ns: int | None) -> str:
    """Return the configuration of a run that places the listed orders."""
    raw, markets = (str(shared_file(each["path"])) for each in case["input_files"][:2])
    orders = [
        {
            "at_ns": each["at_ms"] * MILLISECOND_NS,
            "token": each["token_id"],
            # the peer's limits lie between two ticks: the next one that is no worse
            "limit": str(Decimal(str(each["limit_price"])).quantize(CENT, ROUND_DOWN)),
            "quantity": str(Decimal(str(each["order_size"]))),
        }
        for each in case["expected"]["fills"]
    ]
    feed = {
        "name": "frames",
        "type": "replay",
        "path": raw,
        "format": "multivenue",
        "options": {"markets": markets},
    }
    if until_ns is not None:
        feed["to"] = _utc(until_ns)
    document = {
        "mode": "backtest",
        "journal": "none",
        "close_out": False,
        "portfolio": {"cash": 1000, "currency": "USDC"},
        "feeds": [feed],
        "strategies": [
            {
                "name": "trader",
                "type": f"{Path(__file__).with_name('traders.py')}:Listed",
                "parameters": {"orders": orders},
            }
        ],
        "broker": {
            "type": "simulated",
            "depth": "best",
            "consumption": "none",
            "commission": {"type": "polymarket"},
        },
    }
    return json.dumps(document)


def _utc(time_ns: int) -> str:
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def test_the_paper_orders_fill_as_they_did() -> None:
    case = conformance(CASE)
    expected = case["expected"]
    result = run(config(settings(case, until_ns=None))).result
    assert len(result.fills) == len(result.orders) == len(expected["fills"])
    for row, order, wanted in zip(result.fills, result.orders, expected["fills"], strict=True):
        fill = row.fill
        assert fill.instrument == wanted["token_id"]
        assert fill.liquidity is Liquidity.TAKER
        assert 0 <= fill.venue_time_ns - wanted["at_ms"] * MILLISECOND_NS <= 1
        _is_close(fill.last_price, wanted["fill_price"])
        _is_close(fill.last_quantity, wanted["fill_size"])
        _is_close(fill.commission, wanted["fee"])
        ended = "filled" if order.status == "FILLED" else "partially_filled"
        assert ended == wanted["status"]


def test_positions_and_marks_after_the_last_order() -> None:
    case = conformance(CASE)
    expected = case["expected"]
    last_ns = max(each["at_ms"] for each in expected["fills"]) * MILLISECOND_NS
    result = run(config(settings(case, until_ns=last_ns + MILLISECOND_NS))).result
    held = {row.position.instrument: row for row in result.positions}
    unrealized = Decimal(0)
    for wanted in expected["positions"]:
        row = held[wanted["token_id"]]
        position = row.position
        assert row.mark is not None
        _is_close(position.quantity, wanted["size"])
        _is_close(position.cost / position.quantity, wanted["average_price"])
        _is_close(position.commission, wanted["fees"])
        gain = row.mark * position.quantity - position.cost
        _is_close(gain, wanted["unrealized_pnl_at_mid"])
        unrealized += gain
    _is_close(unrealized, expected["totals"]["unrealized_pnl_at_mid"])
    fees = sum((row.fill.commission for row in result.fills), Decimal(0))
    _is_close(fees, expected["totals"]["fees"])


def test_the_settlement_pays_what_it_paid() -> None:
    case = conformance(CASE)
    expected = case["expected"]["settlement"]
    markets_file = shared_file(case["input_files"][1]["path"])
    markets = [json.loads(line) for line in markets_file.read_text().splitlines()]
    winners = {each["slug"]: each["winning_outcome"] for each in expected["markets"]}
    payoffs = {
        outcome["token_id"]: int(outcome["outcome"] == winners[market["slug"]])
        for market in markets
        for outcome in market["outcomes"]
        if market["slug"] in winners
    }
    end_ns = max(market["end_ts"] for market in markets) * MILLISECOND_NS

    def settling(plan: Blueprint) -> Blueprint:
        def make(_incarnation: int) -> Settled:
            return Settled(plan.instruments, payoffs, end_ns)

        return attrs.evolve(
            plan,
            sources={**plan.sources, "settlement": make},
            supervision={**plan.supervision, "settlement": plan.supervision["frames"]},
        )

    result = run(config(settings(case, until_ns=None)), change=settling).result
    held = {row.position.instrument: row.position for row in result.positions}
    tokens = {
        f"{market['slug']}-{outcome['outcome']}": outcome["token_id"]
        for market in markets
        for outcome in market["outcomes"]
    }
    for wanted in expected["markets"]:
        position = held[tokens[f"{wanted['slug']}-{wanted['held_outcome']}"]]
        assert position.quantity == 0
        pnl = position.realized_pnl - position.commission
        _is_close(pnl, wanted["post_settlement_pnl"])
        _is_close(position.commission, wanted["fees"])
    total = result.equity[-1].equity - result.starting_cash
    _is_close(total, expected["total_post_settlement_pnl"])


def _is_close(found: Decimal, expected: float) -> None:
    assert abs(found - Decimal(str(expected))) <= CLOSE, (found, expected)
