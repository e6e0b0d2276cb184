"""A process that is a venue: the fake one, behind a socket, with a life of its own.

    python -m tests.fakes.venue_server ADDRESS TOKEN [OPTIONS]

ADDRESS is the path of a unix socket or ``127.0.0.1:PORT``; OPTIONS are those of a fake venue, as
JSON. It survives whoever talks to it: what is told while nobody listens is lost, as at a real
venue, and only questions show it. ``{"dump": true}`` (after the opening) asks for the true books.
"""

import json
import os
import sys
from functools import partial
from typing import Any

import msgspec
import trio

from actors.actor import Context, Later
from actors.messages.system import TimerFired
from actors.messages.venue import VenueAnswer, VenueNews
from actors.venues.fake.books import FakeLedger
from actors.venues.fake.config import FakeVenueConfig
from actors.venues.fake.venue import FakeVenue
from runtime.config.document import Document
from runtime.config.problems import Problems
from runtime.config.structure import structure
from runtime.kernel.clock import wall_time_ns
from runtime.kernel.determinism import seeded_random
from runtime.links.socket_adapter import VERSION, Call, Hello, Line, Opening

_NEVER_NS = 1 << 62
encode = msgspec.json.Encoder().encode


class _Lines:
    """Lines of a stream; empty when it has ended."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._rest = b""

    async def next(self) -> bytes:
        while b"\n" not in self._rest:
            chunk = await self._stream.receive_some(65_536)
            if not chunk:
                return b""
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line


class VenueServer:
    """Serves one fake venue; the latest client hears the news."""

    def __init__(self, config: FakeVenueConfig, token: str) -> None:
        context = Context(
            run_id="venue", actor="venue", incarnation=0, random=seeded_random(0, "venue")
        )
        self.venue = FakeVenue(context, config)
        self.refused = 0
        self._config = config
        self._token = token
        self._client: trio.abc.Stream | None = None
        self._turn = trio.Lock()

    async def serve(self, stream: trio.abc.Stream, nursery: trio.Nursery) -> None:
        """Talk to one client until it leaves."""
        async with stream:
            try:
                lines = _Lines(stream)
                opening = msgspec.json.decode(await lines.next(), type=Opening)
                if opening.token != self._token or opening.version != VERSION:
                    self.refused += 1
                    await stream.send_all(encode(Line(error="wrong token")) + b"\n")
                    return
                hello = Hello(venue=self._config.name, version=VERSION)
                await stream.send_all(encode(Line(hello=hello)) + b"\n")
                await self._talk(stream, lines, nursery)
            except (trio.BrokenResourceError, trio.ClosedResourceError, msgspec.DecodeError):
                pass
            finally:
                if self._client is stream:
                    self._client = None

    async def _talk(self, stream: trio.abc.Stream, lines: _Lines, nursery: trio.Nursery) -> None:
        while line := await lines.next():
            if line.startswith(b'{"dump"'):
                await stream.send_all(encode(dump(self.venue.ledger())) + b"\n")
                continue
            self._client = stream
            call = msgspec.json.decode(line, type=Call).call
            await self._do(self.venue.handle(call, wall_time_ns()), nursery)

    async def _do(self, outputs: list[Any], nursery: trio.Nursery) -> None:
        for output in outputs:
            if isinstance(output, Later):
                nursery.start_soon(self._later, output, nursery)
            else:
                await self._tell(output)

    async def _later(self, later: Later, nursery: trio.Nursery) -> None:
        if later.at_ns >= _NEVER_NS:
            return
        await trio.sleep(max(0, later.at_ns - wall_time_ns()) / 1e9)
        if isinstance(later.message, TimerFired):
            await self._do(self.venue.handle(later.message, wall_time_ns()), nursery)
        else:
            await self._tell(later.message)

    async def _tell(self, message: VenueAnswer | VenueNews) -> None:
        line = Line(answer=message) if isinstance(message, VenueAnswer) else Line(news=message)
        client = self._client
        if client is None:
            return
        try:
            async with self._turn:
                await client.send_all(encode(line) + b"\n")
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._client = None


def dump(ledger: FakeLedger) -> dict[str, Any]:
    """Return the books as plain data."""
    return {
        "positions": ledger.positions,
        "balances": ledger.balances,
        "orders": ledger.orders,
        "trades": ledger.trades,
        "placed": [order.client_order_id for order in ledger.placed],
        "violations": ledger.violations,
        "places_after_halt": ledger.places_after_halt,
    }


async def listen(address: str, server: VenueServer) -> None:
    """Serve for ever."""
    async with trio.open_nursery() as nursery:
        handler = partial(server.serve, nursery=nursery)
        if address.startswith("/"):
            await trio.Path(address).unlink(missing_ok=True)
            listening = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
            await listening.bind(address)
            listening.listen(16)
            listeners: list[Any] = [trio.SocketListener(listening)]
        else:
            host, _, port = address.rpartition(":")
            listeners = list(await trio.open_tcp_listeners(int(port), host=host))
        sys.stdout.write(f"listening on {address} as {os.getpid()}\n")
        sys.stdout.flush()
        await trio.serve_listeners(handler, listeners)


def options_of(text: str) -> FakeVenueConfig:
    """Return the options that a text of JSON describes."""
    problems = Problems(Document(file="(options)"))
    config = structure(FakeVenueConfig, json.loads(text), "", problems)
    problems.raise_if_any()
    assert config is not None
    return config


def main() -> None:
    """Serve until killed."""
    address, token, *options = sys.argv[1:]
    server = VenueServer(options_of(options[0] if options else "{}"), token)
    trio.run(listen, address, server)


if __name__ == "__main__":
    main()
