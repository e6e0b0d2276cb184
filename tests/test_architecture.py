"""The shape of the whole: what may wait for whom, how big things are, what is forbidden."""

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import msgspec
import pytest

import actors.messages
from actors.messages.market import (
    Bar,
    BookChange,
    BookView,
    Connection,
    Quote,
    Resolution,
    Trade,
)
from actors.messages.prices import Top
from actors.messages.records import Origin
from actors.messages.safety import LatchedCause
from actors.messages.system import FailureReport
from actors.messages.trading import (
    CancelArrived,
    CancelOrder,
    CancelPlacedOrder,
    ExecutionReport,
    Fill,
    OrderArrived,
    OrderUpdate,
    PlaceOrder,
    Signal,
    SignalRefused,
    SubmitOrder,
    Violation,
)
from actors.messages.venue import VenueOrder, VenueTrade
from runtime.kernel.mailbox import Mailbox, Overflow
from runtime.system.system import SYSTEM
from runtime.wiring import cells
from runtime.wiring.routes import ROUTES, RULES, Role, journaled_types, rule_of
from tests.ring.rig import REPOSITORY, Ran, config, run
from tests.ring.scenes import RICH, SMALL

ROW_OBJECTS = {Quote, Trade, Bar, BookChange, BookView, Connection, Resolution}
"""What callbacks get; never in a mailbox by themselves."""
PARTS = {Violation, FailureReport, Origin, Top, VenueOrder, VenueTrade, LatchedCause}
"""Fields of messages, and values."""

SENDERS: Mapping[str, frozenset[str]] = {
    "MarketData": frozenset({"feed"}),
    "Signal": frozenset({"strategy"}),
    "SignalBatch": frozenset({"strategy"}),
    "ModifyOrder": frozenset({"strategy"}),
    "ConvertTokens": frozenset({"strategy"}),
    "CancelOrder": frozenset({"strategy", "portfolio"}),
    "CancelOrders": frozenset({"strategy"}),
    "SubmitOrder": frozenset({"portfolio"}),
    "ReplaceOrder": frozenset({"portfolio"}),
    "SignalRefused": frozenset({"portfolio"}),
    "PositionChanged": frozenset({"portfolio"}),
    "MarkEquity": frozenset({"portfolio", SYSTEM}),
    "CashAdjusted": frozenset({"portfolio", "broker"}),
    "PlaceOrder": frozenset({"orders"}),
    "ReplacePlacedOrder": frozenset({"orders"}),
    "CancelPlacedOrder": frozenset({"orders"}),
    "ReplaceResult": frozenset({"orders"}),
    "FillSettled": frozenset({"orders"}),
    "OrderUpdate": frozenset({"orders"}),
    "Fill": frozenset({"orders", "portfolio"}),
    "OrderArrived": frozenset({"broker"}),
    "CancelArrived": frozenset({"broker"}),
    "ReplaceArrived": frozenset({"broker"}),
    "ExecutionReport": frozenset({"broker"}),
    "TimerFired": frozenset({"strategy", "orders", "broker", "safety", "venue"}),
    "SetTradingState": frozenset({SYSTEM, "control"}),
    "CloseOut": frozenset({SYSTEM}),
    "QueryOrder": frozenset({"orders"}),
    "VenueCall": frozenset({"broker", "safety"}),
    "VenueAnswer": frozenset({"venue"}),
    "VenueNews": frozenset({"venue"}),
    "Reconcile": frozenset({SYSTEM, "control"}),
    "VenueOrders": frozenset({"broker"}),
    "VenueHoldings": frozenset({"broker"}),
    "Reconciled": frozenset({"orders", "portfolio"}),
    "Difference": frozenset({"orders", "portfolio"}),
    "ResolveDifference": frozenset({SYSTEM, "control"}),
    "Resumed": frozenset({SYSTEM}),
    "Trip": frozenset({SYSTEM, "control"}),
    "Resume": frozenset({"control"}),
    "Heartbeat": frozenset({"control"}),
    "EquityMarked": frozenset({"portfolio"}),
    "TradingStateChanged": frozenset({"portfolio"}),
    "ActorFailed": frozenset({SYSTEM}),
    "HaltLifted": frozenset({"safety"}),
    "Halt": frozenset({SYSTEM, "safety", "control"}),
    "CancelAll": frozenset({SYSTEM, "portfolio", "safety"}),
    "CancelAllAtVenue": frozenset({SYSTEM, "safety", "control"}),
    "CancelStrategy": frozenset({SYSTEM}),
}
"""Who sends what somebody receives; a test compares it with a journal."""

RECEIVERS = {Role.STRATEGIES: "strategy", Role.OWNER: "strategy", Role.SELF: "strategy"}


def message_structs() -> Iterator[type]:
    """Yield every msgspec struct that a module of actors.messages defines, by module."""
    for module in pkgutil.iter_modules(actors.messages.__path__):
        loaded = importlib.import_module(f"actors.messages.{module.name}")
        for _, value in sorted(vars(loaded).items()):
            is_own = inspect.isclass(value) and value.__module__ == loaded.__name__
            if is_own and issubclass(value, msgspec.Struct):
                yield value


# --- routing ---------------------------------------------------------------------------------


def test_every_message_is_routed() -> None:
    found = set(message_structs())
    assert len(found) > 25
    assert found - ROW_OBJECTS - PARTS == set(ROUTES)
    assert set(ROUTES).isdisjoint(ROW_OBJECTS | PARTS)


def test_every_message_is_frozen_and_named_once() -> None:
    names = [kind.__name__ for kind in message_structs()]
    assert len(names) == len(set(names))
    for kind in message_structs():
        assert kind.__struct_config__.frozen, kind  # type: ignore[attr-defined]
    assert journaled_types() == sorted(journaled_types(), key=lambda kind: kind.__name__)


def test_every_rule_is_about_a_message_that_is_routed() -> None:
    assert set(RULES) <= set(ROUTES)


def waiting_edges() -> set[tuple[str, str]]:
    """Return who may wait for whom: sender and receiver of messages whose rule is to wait."""
    edges = set()
    for kind, roles in ROUTES.items():
        if rule_of(kind).overflow is Overflow.WAIT:
            for sender in SENDERS[kind.__name__]:
                edges |= {(sender, RECEIVERS.get(role, str(role))) for role in roles}
    return edges


def all_edges() -> set[tuple[str, str]]:
    """Return who sends to whom."""
    return {
        (sender, RECEIVERS.get(role, str(role)))
        for kind, roles in ROUTES.items()
        for role in roles
        for sender in SENDERS[kind.__name__]
    }


def has_cycle(edges: set[tuple[str, str]]) -> bool:
    """Return whether one can come back to where one started; a self-loop counts."""
    reach = set(edges)
    while True:
        more = {(a, d) for a, b in reach for c, d in edges if b == c} - reach
        if not more:
            return any(a == b for a, b in reach)
        reach |= more


def test_every_cycle_of_the_table_has_an_edge_that_never_waits() -> None:
    assert has_cycle(all_edges())
    assert ("strategy", "portfolio") in waiting_edges()
    assert not has_cycle(waiting_edges())


def test_the_search_for_cycles_finds_one() -> None:
    assert has_cycle({("a", "b"), ("b", "c"), ("c", "a")})
    assert has_cycle({("a", "a")})
    assert not has_cycle({("a", "b"), ("b", "c"), ("a", "c")})


@pytest.fixture(scope="module")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Return a run in which nearly everything is said."""
    return run(config(RICH), tmp_path_factory.mktemp("rich"))


def test_the_senders_are_those_of_a_real_run(rich: Ran) -> None:
    strategies = {name for name, _ in _named_strategies(rich)}
    seen: set[type] = set()
    for entry in rich.entries:
        if not entry.receivers[0]:
            continue  # for the record only
        sender = "strategy" if entry.sender in strategies else entry.sender
        if entry.type in SENDERS:
            seen.add(type(entry.message))
            assert sender in SENDERS[entry.type], entry
    assert seen >= {Signal, SubmitOrder, PlaceOrder, OrderArrived, ExecutionReport, OrderUpdate}
    assert seen >= {Fill, SignalRefused, CancelOrder, CancelPlacedOrder, CancelArrived}


def _named_strategies(ran: Ran) -> list[tuple[str, object]]:
    return [(cell.name, cell) for cell in ran.system.plant.strategies]


@pytest.mark.parametrize("text", [SMALL, RICH], ids=["small", "rich"])
def test_mailboxes_for_one_message_come_to_the_same_result(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roomy = run(config(text), tmp_path)
    monkeypatch.setattr(cells, "Mailbox", partial(Mailbox, capacity=1))
    tight = run(config(text), tmp_path)
    boxes = [cell.mailbox for cell in tight.system.plant.cells.values()]
    assert {box.capacity for box in boxes} == {1}
    assert tight.result.fills
    assert tight.story == roomy.story


# --- sizes -----------------------------------------------------------------------------------


def modules() -> list[Path]:
    """Return every module of the project's code."""
    return sorted(
        path for folder in ("actors", "runtime") for path in (REPOSITORY / folder).rglob("*.py")
    )


def test_no_module_is_longer_than_500_lines() -> None:
    assert len(modules()) > 80
    sizes = {path.name: len(path.read_text().splitlines()) for path in modules()}
    assert {name: size for name, size in sizes.items() if size > 500} == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long = [
        f"{path.name}:{node.lineno} {node.name}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno >= 60
    ]
    assert long == []


# --- what is forbidden -------------------------------------------------------------------------

FORBIDDEN = {
    "wall clock": "import time\n\nNOW = time.time()\n",
    "monotonic clock": "import time\n\nNOW = time.monotonic_ns()\n",
    "performance counter": "from time import perf_counter\n\nNOW = perf_counter()\n",
    "sleep": "import time\n\ntime.sleep(1)\n",
    "date of today": "import datetime\n\nNOW = datetime.datetime.now(datetime.UTC)\n",
    "random": "import random\n\nDRAW = random.random()\n",
    "part of random": "from random import choice\n\nDRAW = choice([1, 2])\n",
    "numpy's random": "import numpy as np\n\nDRAW = np.random.default_rng()\n",
    "secrets": "import secrets\n\nDRAW = secrets.token_hex()\n",
    "random id": "import uuid\n\nNAME = uuid.uuid4()\n",
    "asyncio": "import asyncio\n\nasyncio.run(None)\n",
    "threads": "import threading\n\nLOCK = threading.Lock()\n",
}


def ruff(code: str) -> "subprocess.CompletedProcess[str]":
    """Lint some code as if it stood in a module of the project."""
    arguments = ["check", "--no-cache", "--stdin-filename", "actors/feeds/scratch.py", "-"]
    return subprocess.run(
        [sys.executable, "-m", "ruff", *arguments],
        cwd=REPOSITORY,
        input=f'"""Scratch."""\n\n{code}',
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("code", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_the_linter_forbids_what_would_make_runs_differ(code: str) -> None:
    done = ruff(code)
    assert done.returncode == 1, done.stderr
    assert "TID251" in done.stdout


def test_the_linter_allows_what_is_given() -> None:
    done = ruff("from actors.actor import Context\n\nNAME = Context.__name__\n")
    assert (done.returncode, done.stderr) == (0, "")
