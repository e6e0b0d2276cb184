"""Venues that do not speak as they should."""

from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio

from actors.errors import (
    NetworkError,
    VenueDenied,
    VenueError,
    VenueProtocolError,
    VenueUnreachable,
)
from actors.messages.venue import CallKind, VenueCall
from runtime.links import socket_adapter
from runtime.links.adapter import HeldBack
from runtime.links.socket_adapter import SocketAdapter, SocketConnection, SocketVenueConfig

HELLO = b'{"hello": {"venue": "fake", "version": 1}}\n'
CALL = VenueCall(number=1, kind=CallKind.ACCOUNT, deadline_ns=1)
Talk = Callable[[SocketConnection], Awaitable[None]]


async def nothing(_connection: SocketConnection) -> None:
    """Say nothing."""


async def listening(connection: SocketConnection) -> None:
    async for _ in connection.heard():
        pass


async def with_venue(says: bytes, talk: Talk = nothing, *, hangs_up: bool = True) -> None:
    """Connect to a venue that says these words, and talk to it."""

    async def venue(stream: trio.SocketStream) -> None:
        await stream.receive_some(1000)
        await stream.send_all(says)
        if hangs_up:
            await stream.aclose()
        else:
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, venue, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        config = SocketVenueConfig(address=f"127.0.0.1:{port}", name="fake")
        try:
            async with SocketAdapter(config).connect() as connection:
                await talk(connection)
        finally:
            nursery.cancel_scope.cancel()


def cause_of(group: BaseException) -> BaseException:
    while isinstance(group, BaseExceptionGroup):
        (group,) = group.exceptions
    return group


async def failure(says: bytes, talk: Talk = nothing, *, hangs_up: bool = True) -> BaseException:
    """Return what a talk with such a venue raises."""
    with pytest.raises((BaseExceptionGroup, NetworkError, VenueError, VenueDenied)) as caught:
        await with_venue(says, talk, hangs_up=hangs_up)
    return cause_of(caught.value)


@pytest.mark.parametrize(
    ("says", "kind", "words"),
    [
        (b'{"hello": {"venue": "other", "version": 1}}\n', VenueDenied, "found Hello"),
        (b'{"hello": {"venue": "fake", "version": 2}}\n', VenueDenied, "version 1, found"),
        (b'{"news": {}}\n', VenueDenied, "found None"),
        (b'{"error": "go away"}\n', VenueDenied, "it says: go away"),
        (b"hello\n", VenueProtocolError, "no line"),
        (b'{"hello":', VenueUnreachable, "hung up"),
    ],
)
async def test_a_venue_that_does_not_introduce_itself_is_left(
    says: bytes, kind: type, words: str
) -> None:
    error = await failure(says)
    assert isinstance(error, kind)
    assert words in str(error)


async def test_a_venue_that_says_nothing_at_all_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_adapter, "_HELLO_WITHIN_S", 0.02)
    error = await failure(b"", hangs_up=False)
    assert isinstance(error, VenueUnreachable)
    assert str(error) == "it does not answer"


@pytest.mark.parametrize(
    ("says", "kind", "words"),
    [
        (b'{"error": "I am lost"}\n', VenueProtocolError, "it says: I am lost"),
        (b'{"answer": 7}\n', VenueProtocolError, "no line"),
        (b"", VenueUnreachable, "hung up"),
    ],
)
async def test_what_is_no_news_ends_the_connection(says: bytes, kind: type, words: str) -> None:
    error = await failure(HELLO + says, listening)
    assert isinstance(error, kind)
    assert words in str(error)


async def test_a_line_without_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_adapter, "LONGEST_LINE", 100)
    error = await failure(HELLO + b"x" * 200, listening, hangs_up=False)
    assert isinstance(error, VenueProtocolError)
    assert str(error) == "a line without end"


async def test_a_call_that_is_held_back_leaves_nothing() -> None:
    async def talk(connection: SocketConnection) -> None:
        with pytest.raises(HeldBack, match="halted"):
            await connection.request(CALL, lambda _: "halted")
        assert connection._waiting == {}

    await with_venue(HELLO, talk, hangs_up=False)


async def test_a_call_under_way_fails_when_the_connection_does() -> None:
    async def talk(connection: SocketConnection) -> None:
        async with trio.open_nursery() as nursery:

            async def listen() -> None:
                with pytest.raises(VenueProtocolError):
                    await listening(connection)

            nursery.start_soon(listen)
            with pytest.raises(VenueUnreachable, match="no line"):
                await connection.request(CALL, lambda _: None)

    async def answers_nonsense(stream: trio.SocketStream) -> None:
        await stream.receive_some(1000)
        await stream.send_all(HELLO)
        await stream.receive_some(1000)
        await stream.send_all(b"what?\n")

    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_tcp, answers_nonsense, 0, host="127.0.0.1")
        listeners = await nursery.start(serve)
        address = f"127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        adapter = SocketAdapter(SocketVenueConfig(address=address, name="fake"))
        async with adapter.connect() as connection:
            await talk(connection)
        nursery.cancel_scope.cancel()


async def test_a_venue_that_takes_no_more_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_adapter, "_SEND_WITHIN_S", 0.05)
    call = VenueCall(number=1, kind=CallKind.CANCEL_ALL, deadline_ns=1, cause="x" * 30_000_000)

    async def talk(connection: SocketConnection) -> None:
        with pytest.raises(VenueUnreachable, match="does not take our calls"):
            await connection.request(call, lambda _: None)
        with pytest.raises(VenueUnreachable, match="cut"):
            await connection.request(CALL, lambda _: None)
        with pytest.raises(VenueUnreachable, match="cut"):
            await listening(connection)

    await with_venue(HELLO, talk, hangs_up=False)


def test_a_venue_has_manners() -> None:
    config = SocketVenueConfig(address="/run/venue", name="fake", hides_at_most_ns=7)
    assert (config.traits.name, config.traits.hides_at_most_ns) == ("fake", 7)
    assert not config.traits.idempotent_submit
