"""The messages of Binance's market streams, by the venue's own letters.

Times are milliseconds or microseconds since 1970; prices and quantities are decimal texts.
"""

from typing import Annotated

import msgspec

from actors.model.timestamps import TIME_LIMIT_NS

_Id = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Levels = list[tuple[str, str]]
"""Price and quantity of each level."""

_NS_DIGITS = 19


class Frame(msgspec.Struct):
    """What a frame is about: a stream with its data, or a snapshot."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw()
    last_update_id: _Id | None = msgspec.field(name="lastUpdateId", default=None)


class Depth(msgspec.Struct):
    """Changes of a book; ``pu`` and ``T`` in futures only."""

    E: _Id
    s: str
    U: _Id
    u: _Id
    b: Levels
    a: Levels
    pu: int | None = None
    T: _Id = 0


class Ticker(msgspec.Struct):
    """The best bid and ask; ``T`` in futures only."""

    u: _Id
    s: str
    b: str
    B: str
    a: str
    A: str
    T: _Id = 0


class Trade(msgspec.Struct):
    """A trade; ``m``: the buyer was the maker; ``X`` in futures only."""

    T: _Id
    s: str
    p: str
    q: str
    m: bool
    X: str | None = None


class Snapshot(msgspec.Struct):
    """A book as the REST interface gives it; ``T`` in futures only."""

    lastUpdateId: _Id  # noqa: N815 - the venue's name
    bids: Levels
    asks: Levels
    T: _Id = 0


FRAME = msgspec.json.Decoder(Frame)
DEPTH = msgspec.json.Decoder(Depth)
TICKER = msgspec.json.Decoder(Ticker)
TRADE = msgspec.json.Decoder(Trade)
SNAPSHOT = msgspec.json.Decoder(Snapshot)


def receive_ns(text: str) -> int:
    """Return the receive time before a line's JSON, in nanoseconds.

    Raises:
        ValueError: If it is no whole number of nanoseconds.
    """
    if text.isascii() and text.isdigit() and len(text) <= _NS_DIGITS:
        time_ns = int(text)
        if time_ns < TIME_LIMIT_NS:
            return time_ns
    raise ValueError(f"expected the receive time in nanoseconds, found {text[:40]!r}")
