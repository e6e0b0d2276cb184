"""Venues that speak JSON lines over a socket: anybody can write one, in any language.

Each line is one JSON object. We begin:

    {"token": "...", "version": 1}

The venue answers with its name, or says what is wrong and closes:

    {"hello": {"venue": "fake", "version": 1}}        {"error": "wrong token"}

Then we send calls, and it sends answers (with the call's ``number``, in any order) and news:

    {"call": {"number": 7, "kind": "PLACE", "deadline_ns": ..., "order": {...}, ...}}
    {"answer": {"number": 7, "kind": "PLACE", "outcome": "ANSWERED", "venue": "fake", ...}}
    {"news": {"reports": [...], "trades": [...]}}

The objects are the fields of :class:`~actors.messages.venue.VenueCall`,
:class:`~actors.messages.venue.VenueAnswer` and :class:`~actors.messages.venue.VenueNews`; decimals
are texts, times integer nanoseconds UTC; fields that have their default may be left out.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from ipaddress import ip_address
from typing import Any

import attrs
import msgspec
import trio
from attrs.validators import ge, optional

from actors.errors import VenueDenied, VenueProtocolError, VenueUnreachable
from actors.messages.venue import VenueAnswer, VenueCall, VenueNews
from actors.venues.traits import VenueTraits
from runtime.kernel import faults
from runtime.links.adapter import HeldBack, MayLeave

VERSION = 1
LONGEST_LINE = 16 * 1024 * 1024
_HELLO_WITHIN_S = 5.0
_SEND_WITHIN_S = 1.0
_CHUNK = 65_536


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The venue's first words."""

    venue: str
    version: int


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the venue may say in one line."""

    hello: Hello | None = None
    answer: VenueAnswer | None = None
    news: VenueNews | None = None
    error: str = ""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """Our first words."""

    token: str
    version: int = VERSION


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What we say in one line."""

    call: VenueCall


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Line).decode


def _is_address(_owner: object, field: Any, value: str) -> None:
    """Refuse an address that leaves this machine: what we say would be readable."""
    host, colon, port = value.rpartition(":")
    if value.startswith("/"):
        return
    if not (colon and port.isdigit() and 0 < int(port) < 65_536):
        expected = "HOST:PORT on this machine or the absolute path of a socket"
        raise ValueError(f"{field.name}: expected {expected}, found {value!r}")
    if not _is_loopback(host.strip("[]")):
        expected = "an address on this machine: plain text is for loopback only"
        raise ValueError(f"{field.name}: expected {expected}, found {value!r}")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


@attrs.frozen(kw_only=True)
class SocketVenueConfig:
    """Where a venue listens, and what it is called.

    Attributes:
        address: ``HOST:PORT`` on this machine, or the absolute path of a unix socket.
        token: What lets us in.
        name: The venue's name; it must say the same.
        idempotent: Whether an order that comes twice under one client id is one order there.
        hides_at_most_ns: How long it may not show an order that it has accepted; None if nobody
            knows.
        fee_rate: Which fraction of the notional to reserve for commissions.
    """

    address: str = attrs.field(validator=_is_address)
    token: str = attrs.field(repr=False, default="")
    name: str = "venue"
    idempotent: bool = False
    hides_at_most_ns: int | None = attrs.field(default=None, validator=optional(ge(0)))
    fee_rate: Decimal = attrs.field(default=Decimal(0), validator=ge(Decimal(0)))

    @property
    def traits(self) -> VenueTraits:
        """Return what is known of the venue's manners."""
        return VenueTraits(
            name=self.name,
            idempotent_submit=self.idempotent,
            hides_at_most_ns=self.hides_at_most_ns,
        )


class SocketAdapter:
    """Connects to a venue that speaks JSON lines."""

    def __init__(self, config: SocketVenueConfig) -> None:
        self._config = config

    @asynccontextmanager
    async def connect(self) -> AsyncIterator["SocketConnection"]:
        """Connect and introduce ourselves; see :class:`~runtime.links.adapter.Adapter`."""
        venue = self._config.name
        try:
            stream = await self._open()
        except OSError as error:
            words = f"{self._config.address}: {error.strerror or error}"
            raise VenueUnreachable(words, venue=venue) from error
        async with stream:
            lines = Lines(stream, venue)
            with trio.move_on_after(_HELLO_WITHIN_S) as scope:
                await self._introduce(lines)
            if scope.cancelled_caught:
                raise VenueUnreachable("it does not answer", venue=venue)
            yield SocketConnection(lines)

    async def _open(self) -> trio.abc.Stream:
        address = self._config.address
        if address.startswith("/"):
            return await trio.open_unix_socket(address)
        host, _, port = address.rpartition(":")
        return await trio.open_tcp_stream(host.strip("[]"), int(port))

    async def _introduce(self, lines: "Lines") -> None:
        venue = self._config.name
        await lines.send(_encode(Opening(token=self._config.token)))
        line = await lines.receive()
        if line.error:
            raise VenueDenied(f"it says: {line.error}", venue=venue)
        hello = line.hello
        if hello is None or hello.version != VERSION or hello.venue != venue:
            raise VenueDenied(f"expected {venue}, version {VERSION}, found {hello}", venue=venue)


class Lines:
    """JSON lines over a stream."""

    def __init__(self, stream: trio.abc.Stream, venue: str) -> None:
        self.venue = venue
        self.turn = trio.Lock()
        self._stream = stream
        self._rest = bytearray()

    async def send(self, line: bytes) -> None:
        """Send a line, whole.

        Raises:
            VenueUnreachable: If the connection is broken; some of it may have arrived.
        """
        try:
            await self._stream.send_all(line + b"\n")
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise VenueUnreachable("the connection is cut", venue=self.venue) from error

    async def send_whole(self, line: bytes) -> None:
        """Send a line even when we are cancelled meanwhile; cut the connection if that takes long.

        Raises:
            VenueUnreachable: If the connection is broken; some of it may have arrived.
        """
        with trio.CancelScope(shield=True), trio.move_on_after(_SEND_WITHIN_S) as scope:
            await self.send(line)
        if scope.cancelled_caught:
            await trio.aclose_forcefully(self._stream)
            raise VenueUnreachable("it does not take our calls", venue=self.venue)

    async def receive(self) -> Line:
        """Return the next line.

        Raises:
            VenueUnreachable: If the connection is broken or over.
            VenueProtocolError: If the line is none, or longer than ``LONGEST_LINE``.
        """
        searched = 0
        while (end := self._rest.find(b"\n", searched)) < 0:
            searched = len(self._rest)
            if searched > LONGEST_LINE:
                raise VenueProtocolError(self.venue, "a line without end")
            self._rest += await self._more()
        line = bytes(self._rest[:end])
        del self._rest[: end + 1]
        try:
            return _decode(line)
        except msgspec.DecodeError as error:
            words = f"it sent what is no line: {error}"
            raise VenueProtocolError(self.venue, words) from error

    async def _more(self) -> bytes:
        try:
            chunk = bytes(await self._stream.receive_some(_CHUNK))
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise VenueUnreachable("the connection is cut", venue=self.venue) from error
        if not chunk:
            raise VenueUnreachable("the venue has hung up", venue=self.venue)
        return chunk


@attrs.define(eq=False)
class _Waiting:
    """A call that waits for its answer."""

    has_news: trio.Event = attrs.field(factory=trio.Event)
    answer: VenueAnswer | None = None


class SocketConnection:
    """One connection: calls by their numbers, and whatever else comes."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._waiting: dict[int, list[_Waiting]] = {}
        self._error: str | None = None

    async def request(self, call: VenueCall, may_leave: MayLeave) -> VenueAnswer:
        """Send a call and wait for its answer; see :class:`~runtime.links.adapter.Connection`."""
        waiting = _Waiting()
        places = self._waiting.setdefault(call.number, [])
        places.append(waiting)
        try:
            async with self._lines.turn:
                refusal = may_leave(call)
                if refusal is not None:
                    raise HeldBack(refusal)
                await self._lines.send_whole(_encode(Call(call=call)))
                faults.reach("link.after_send")
            await waiting.has_news.wait()
        finally:
            places.remove(waiting)
            if not places:
                self._waiting.pop(call.number, None)
        if waiting.answer is None:
            raise VenueUnreachable(self._error or "the connection is cut", venue=self._lines.venue)
        return waiting.answer

    async def heard(self) -> AsyncGenerator[VenueNews | VenueAnswer, None]:
        """Yield news and late answers; see :class:`~runtime.links.adapter.Connection`."""
        try:
            while True:
                line = await self._lines.receive()
                if line.error:
                    raise VenueProtocolError(self._lines.venue, f"it says: {line.error}")
                if line.news is not None:
                    yield line.news
                if line.answer is not None and not self._is_awaited(line.answer):
                    yield line.answer
        except (VenueUnreachable, VenueProtocolError) as error:
            self._error = str(error)
            raise
        finally:
            for places in self._waiting.values():
                for waiting in places:
                    waiting.has_news.set()

    def _is_awaited(self, answer: VenueAnswer) -> bool:
        """Give an answer to the call that waits for it, if one does."""
        for waiting in self._waiting.get(answer.number, ()):
            if waiting.answer is None:
                waiting.answer = answer
                waiting.has_news.set()
                return True
        return False
