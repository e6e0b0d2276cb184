"""Daemons and venues in processes of their own, to be started, killed and looked at."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from textwrap import dedent
from typing import Any

import attrs

from actors.messages.trading import Fill, OrderUpdate, SubmitOrder
from actors.model.order import TERMINAL, OrderStatus
from runtime.kernel.journal import read_journal
from runtime.wiring.plant import codec
from tests.ring.rig import REPOSITORY

CASH = Decimal(100_000)
NAME = "night"
TOKEN = "open sesame"
HABITS = {"latency": "5ms", "fill_after": "200ms"}

CONFIG = dedent("""\
    name: night
    mode: paper
    seed: 5
    daemon: {status_every: 0s}
    stop: {policy: flatten, orders: 60s, fills: 60s}
    portfolio:
      cash: 100000
      policies: [{type: PositionLimit, max_size: 200}]
    feeds:
      - {name: market, type: synthetic, interval: 10ms, duration: 1h, volatility: 0.002,
         assets: [AAA, BBB]}
    strategies:
      - {name: one, type: "tests.ring.traders:Trader", parameters: {every: 4}}
      - {name: two, type: "tests.ring.traders:Trader", parameters: {every: 7}, instruments: [AAA]}
    broker:
      type: venue
      request_timeout: 500ms
      reconcile_every: 1s
      venue: {type: socket, address: ADDRESS, token: open sesame, name: fake, hides_at_most: 300ms}
    """)
"""Two traders of two instruments; orders go to a venue in another process."""

SIMULATED = dedent("""\
    name: night
    mode: paper
    seed: 5
    daemon: {status_every: 0s}
    portfolio: {cash: 100000}
    feeds:
      - {name: market, type: synthetic, interval: 10ms, duration: 1h, volatility: 0.002}
    strategies:
      - {name: one, type: "tests.ring.traders:Trader", parameters: {every: 4}}
    broker:
      type: simulated
      latency: {type: constant, submit: 20ms, report: 20ms, cancel: 20ms}
    """)
"""One trader; the venue is simulated in the same process."""


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("BULKHEAD_")}
    return {**kept, "PYTHONPATH": str(REPOSITORY), **more}


@attrs.define
class Daemon:
    """``bulkhead run`` of one configuration, again and again."""

    folder: Path
    config: Path
    process: "subprocess.Popen[bytes] | None" = None
    notices: "socket.socket | None" = None
    starts: int = 0

    @property
    def run_folder(self) -> Path:
        return self.folder / "runs" / NAME

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def errors(self) -> str:
        """What the latest one has told on standard error."""
        return (self.folder / f"stderr-{self.starts}").read_text()

    def start(self, *arguments: str, faults: str = "", is_awaited: bool = True) -> None:
        """Start one, and wait until it says that it is ready (or has ended)."""
        self.starts += 1
        address = self.folder / f"notify-{self.starts}"
        address.unlink(missing_ok=True)
        self.notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notices.bind(str(address))
        variables = {"NOTIFY_SOCKET": str(address)}
        if faults:
            variables["BULKHEAD_FAULTS"] = faults
        with (self.folder / f"stderr-{self.starts}").open("wb") as errors:
            self.process = subprocess.Popen(
                self.command(*arguments),
                cwd=REPOSITORY,
                env=_environment(variables),
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )
        if is_awaited:
            self.wait_for("READY=1")

    def command(self, *arguments: str) -> list[str]:
        own = [sys.executable, "-m", "runtime", "run", str(self.config)]
        return [*own, "--out", str(self.folder / "runs"), *arguments]

    def wait_for(self, words: str, seconds: float = 90.0) -> bool:
        """Return whether it has told these words; False if it has ended before."""
        assert self.notices is not None
        assert self.process is not None
        self.notices.settimeout(0.05)
        for _ in range(round(seconds / 0.05)):
            try:
                if words in self.notices.recv(4096).decode():
                    return True
            except TimeoutError:
                if self.process.poll() is not None:
                    return False
        raise AssertionError(f"no {words} in {seconds} s: {self.errors}")

    def tell(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def ended(self, seconds: float = 120.0) -> int:
        """Return its exit code, when it has ended; a negative one for a signal."""
        assert self.process is not None
        code = self.process.wait(seconds)
        if self.notices is not None:
            self.notices.close()
        return code

    def has_ended_within(self, seconds: float) -> bool:
        """Return whether it ends within some time."""
        assert self.process is not None
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill_after(self, seconds: float) -> int:
        """Kill it after some time, if it is still there then."""
        assert self.process is not None
        if not self.has_ended_within(seconds):
            self.process.kill()
        return self.ended()

    def stats(self) -> dict[str, Any]:
        """Return the figures that the latest one has left."""
        found: dict[str, Any] = json.loads((self.run_folder / "stats.json").read_text())
        return found

    def manifest(self) -> dict[str, Any]:
        """Return the manifest that the latest one has left."""
        found: dict[str, Any] = json.loads((self.run_folder / "manifest.json").read_text())
        return found


@contextmanager
def daemon(folder: Path, text: str) -> Iterator[Daemon]:
    """Have a daemon ready to be started; it is gone afterwards."""
    config = folder / "night.yaml"
    config.write_text(text.replace("ADDRESS", str(folder / "venue.sock")))
    made = Daemon(folder=folder, config=config)
    try:
        yield made
    finally:
        if made.process is not None:
            made.process.kill()
            made.process.wait()
        if made.notices is not None:
            made.notices.close()


@attrs.define
class Venue:
    """A venue in a process of its own."""

    address: Path
    process: "subprocess.Popen[bytes]"

    def ledger(self) -> dict[str, Any]:
        """Return the true books."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as channel:
            channel.connect(str(self.address))
            with channel.makefile("rwb") as lines:
                lines.write(json.dumps({"token": TOKEN, "version": 1}).encode() + b"\n")
                lines.flush()
                assert b"hello" in lines.readline()
                lines.write(b'{"dump": true}\n')
                lines.flush()
                found: dict[str, Any] = json.loads(lines.readline())
                return found

    def wait_for(self, is_so: Callable[[dict[str, Any]], bool]) -> None:
        """Return when its books show something; AssertionError if they do not for long."""
        assert wait_until(lambda: is_so(self.ledger())), self.ledger()


def wait_until(is_so: Callable[[], bool], seconds: float = 60.0) -> bool:
    """Look again and again whether something is so; return whether it came to be."""
    for _ in range(round(seconds / 0.1)):
        if is_so():
            return True
        select.select([], [], [], 0.1)
    return False


def working(ledger: dict[str, Any]) -> list[Any]:
    """Return the orders that work at the venue."""
    return [each for each in ledger["orders"] if each["status"] == "WORKING"]


@contextmanager
def venue(folder: Path, **options: Any) -> Iterator[Venue]:
    """Start a venue, and end it afterwards."""
    address = folder / "venue.sock"
    options = {"habits": HABITS, "balances": {"USD": str(CASH)}, **options}
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.fakes.venue_server",
            str(address),
            TOKEN,
            json.dumps(options),
        ],
        cwd=REPOSITORY,
        env=_environment({}),
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith(b"listening")
    try:
        yield Venue(address, process)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@attrs.define
class Books:
    """What a journal says of the account."""

    cash: Decimal = CASH
    positions: dict[str, Decimal] = attrs.field(factory=dict)
    trades: set[str] = attrs.field(factory=set)
    repeated: list[str] = attrs.field(factory=list)
    submitted: set[str] = attrs.field(factory=set)
    statuses: dict[str, OrderStatus] = attrs.field(factory=dict)

    @property
    def held(self) -> dict[str, Decimal]:
        return {key: quantity for key, quantity in self.positions.items() if quantity}

    @property
    def not_over(self) -> dict[str, OrderStatus]:
        return {key: each for key, each in self.statuses.items() if each not in TERMINAL}

    def take(self, message: Any) -> None:
        """Count a message."""
        if isinstance(message, SubmitOrder):
            self.submitted.add(message.order.client_order_id)
        elif isinstance(message, OrderUpdate):
            self.statuses[message.client_order_id] = message.status
        elif isinstance(message, Fill):
            self._take_fill(message)

    def _take_fill(self, fill: Fill) -> None:
        if fill.trade_id in self.trades:
            self.repeated.append(fill.trade_id)
            return
        self.trades.add(fill.trade_id)
        signed = fill.side.sign * fill.last_quantity
        held = self.positions.get(fill.instrument, Decimal(0))
        self.positions[fill.instrument] = held + signed
        self.cash -= signed * fill.last_price + fill.commission


def books_of(run_folder: Path) -> Books:
    """Return what the journal says."""
    books = Books()
    for entry in read_journal(run_folder / "journal.db", codec()):
        if entry.due_ns is None:
            books.take(entry.message)
    return books


def verify(run_folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run ``bulkhead journal verify``."""
    return subprocess.run(
        [sys.executable, "-m", "runtime", "journal", "verify", str(run_folder)],
        cwd=REPOSITORY,
        env=_environment({}),
        capture_output=True,
        text=True,
        check=False,
    )
