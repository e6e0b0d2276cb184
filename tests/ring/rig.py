"""Runs whole rings from the text of a configuration, and says what came of them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import attrs

from actors.actor import Source
from actors.messages.system import (
    ActorFailed,
    ActorGaveUp,
    ActorRestarted,
    MessageQuarantined,
)
from actors.messages.trading import Fill, PlaceOrder
from actors.model.order import Side
from runtime.config.load import parse_config
from runtime.config.model import RunConfig
from runtime.kernel.journal import Entry, read_journal
from runtime.observe.result import RunResult
from runtime.system.outcome import WallTimes, outcome
from runtime.system.system import System
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.components import blueprint
from runtime.wiring.plant import Plant, codec

REPOSITORY = Path(__file__).resolve().parents[2]
Change = Callable[[Blueprint], Blueprint]

_SUPERVISION = (ActorFailed, ActorRestarted, ActorGaveUp, MessageQuarantined)
_folders = count()


@attrs.frozen
class Ran:
    """A run that is over: what it says of itself, and its journal (empty without one)."""

    system: System
    result: RunResult
    entries: list[Entry]

    @property
    def story(self) -> tuple[Any, ...]:
        """Return what counts of a run: orders, fills, equity, positions, refusals."""
        result = self.result
        return (result.orders, result.fills, result.equity, result.positions, result.refusals)

    @property
    def messages(self) -> list[tuple[int, str, Any]]:
        """Return the journal's messages without supervision: time, sender, message."""
        return [
            (entry.time_ns, entry.sender, entry.message)
            for entry in self.entries
            if not isinstance(entry.message, _SUPERVISION) and entry.type != "MarketRow"
        ]

    def of(self, kind: type) -> list[Any]:
        """Return the messages of one type that were delivered, in order."""
        return [e.message for e in self.entries if isinstance(e.message, kind) and e.due_ns is None]


def unchanged(plan: Blueprint) -> Blueprint:
    """Return a blueprint as it is."""
    return plan


def config(text: str, *overrides: str, environment: Mapping[str, str] | None = None) -> RunConfig:
    """Return the configuration of a text, or of a file's text."""
    file = str(REPOSITORY / "scenarios" / "test.yaml")
    return parse_config(text, file, overrides=overrides, environment=environment or {})


def run(
    settings: RunConfig,
    folder: Path | None = None,
    *,
    change: Change = unchanged,
    prepare: Callable[[Plant], None] | None = None,
) -> Ran:
    """Run a configuration, its blueprint changed; with a journal if there is a folder.

    ``prepare`` is shown the plant before it starts.
    """
    path = None if folder is None else folder / f"journal-{next(_folders)}.db"
    plan = change(blueprint(settings))
    system = System(plan, journal_path=path, close_out=settings.close_out)
    if prepare is not None:
        system.prepare(prepare)
    system.run()
    result = outcome(settings, system, WallTimes(started_ns=0, finished_ns=0))
    entries = [] if path is None else list(read_journal(path, codec()))
    return Ran(system, result, entries)


def with_sources(wrap: Callable[[Source], Source]) -> Change:
    """Return a change that wraps every source."""

    def change(plan: Blueprint) -> Blueprint:
        def wrapped(make: Callable[[int], Source]) -> Callable[[int], Source]:
            return lambda incarnation: wrap(make(incarnation))

        sources = {name: wrapped(make) for name, make in plan.sources.items()}
        return attrs.evolve(plan, sources=sources)

    return change


@attrs.frozen
class Folded:
    """What some fills come to, added up in the plainest way."""

    cash: Decimal
    positions: dict[tuple[str, str], Decimal]


def fold(starting_cash: Decimal, fills: Iterable[Fill]) -> Folded:
    """Return cash and positions from fills alone; AssertionError if one comes twice."""
    cash = starting_cash
    positions: dict[tuple[str, str], Decimal] = {}
    seen: set[tuple[str, str]] = set()
    for fill in fills:
        assert (fill.venue, fill.trade_id) not in seen, f"{fill.trade_id} came twice"
        seen.add((fill.venue, fill.trade_id))
        sign = 1 if fill.side is Side.BUY else -1
        key = (fill.strategy, fill.instrument)
        positions[key] = positions.get(key, Decimal(0)) + sign * fill.last_quantity
        cash -= sign * fill.last_price * fill.last_quantity + fill.commission
    return Folded(cash, positions)


def check_books(ran: Ran) -> None:
    """Assert that portfolio = fold of the journaled fills, and no order was placed twice."""
    result = ran.result
    booked = [row.fill for row in result.fills]
    folded = fold(result.starting_cash, booked)
    held = {
        (row.position.strategy, row.position.instrument): row.position.quantity
        for row in result.positions
    }
    assert held == folded.positions
    assert ran.system.cores["portfolio"].cash == folded.cash
    if ran.entries:
        journaled = {(fill.venue, fill.trade_id): fill for fill in ran.of(Fill)}
        assert sorted(journaled) == sorted((fill.venue, fill.trade_id) for fill in booked)
        assert fold(result.starting_cash, journaled.values()) == folded
        placed = [message.order.client_order_id for message in ran.of(PlaceOrder)]
        assert len(placed) == len(set(placed))
    filled = {row.order.client_order_id: row.filled_quantity for row in result.orders}
    for order_id, quantity in filled.items():
        own = [fill.last_quantity for fill in booked if fill.client_order_id == order_id]
        assert sum(own, Decimal(0)) == quantity


def repeated(sizes: Iterable[int]) -> Iterator[int]:
    """Yield some numbers again and again."""
    numbers = list(sizes)
    while True:
        yield from numbers
