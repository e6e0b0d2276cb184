"""Polymarket's market channel and its REST books as they are on the wire, typed.

Shapes: the venue's market channel of 2025-09 and later, the flat ``price_change`` of before, and
the REST book, which is a ``book`` without an ``event_type``.
"""

from typing import Any, Literal

import msgspec

KEEP_ALIVES = frozenset({"", "PING", "PONG"})
WireSide = Literal["BUY", "SELL"]


class LevelFrame(msgspec.Struct, frozen=True, gc=False):
    """One level, in the venue's own spelling."""

    price: str
    size: str


class BookFields(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A whole book: bids ascending, asks descending, so the best is the last of each."""

    market: str
    asset_id: str
    timestamp: str
    bids: list[LevelFrame]
    asks: list[LevelFrame]
    hash: str = ""
    tick_size: str | None = None
    min_order_size: str | None = None
    neg_risk: bool | None = None
    last_trade_price: str | None = None


class RestBookFrame(BookFields, frozen=True, kw_only=True, gc=False):
    """A book as REST answers it."""


class BookFrame(
    BookFields, frozen=True, kw_only=True, gc=False, tag_field="event_type", tag="book"
):
    """A book as the market channel sends it; after a trade without the tick and the last price."""


class ChangeFrame(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One level's new absolute size; the best prices are those after the change."""

    asset_id: str
    price: str
    size: str
    side: WireSide
    hash: str = ""
    best_bid: str | None = None
    best_ask: str | None = None


class OldChangeFrame(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One change of the flat shape, whose token is named once for all."""

    price: str
    size: str
    side: WireSide


class PriceChangeFrame(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="event_type", tag="price_change"
):
    """Levels that changed: ``price_changes`` since 2025-09, before that one of the other shapes."""

    market: str
    timestamp: str
    price_changes: list[ChangeFrame] | None = None
    changes: list[OldChangeFrame] | None = None
    asset_id: str | None = None
    price: str | None = None
    size: str | None = None
    side: WireSide | None = None
    hash: str = ""


class LastTradeFrame(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    tag_field="event_type",
    tag="last_trade_price",
):
    """A public print; ``side`` is the taker's."""

    market: str
    asset_id: str
    price: str
    size: str
    timestamp: str
    side: WireSide | None = None


class TickSizeFrame(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    tag_field="event_type",
    tag="tick_size_change",
):
    """Orders must keep another price step from now on."""

    market: str
    asset_id: str
    new_tick_size: str
    timestamp: str


class NewMarketFrame(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="event_type", tag="new_market"
):
    """A market was listed; sent to everybody, whatever they subscribed to."""

    market: str
    assets_ids: list[str]
    outcomes: list[str]
    timestamp: str
    slug: str = ""
    order_price_min_tick_size: str | float | None = None


class ResolvedFrame(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    gc=False,
    tag_field="event_type",
    tag="market_resolved",
):
    """A market has resolved: each winning token pays 1, each other 0."""

    market: str
    assets_ids: list[str]
    winning_asset_id: str
    timestamp: str


class UnknownFrame(msgspec.Struct, frozen=True, gc=False):
    """A message of a type that says nothing here."""

    event_type: str


class _Header(msgspec.Struct, frozen=True, gc=False):
    event_type: str | None = None


TypedFrame = (
    BookFrame | PriceChangeFrame | LastTradeFrame | TickSizeFrame | NewMarketFrame | ResolvedFrame
)
Frame = TypedFrame | RestBookFrame | UnknownFrame
KNOWN_EVENTS = frozenset(
    {
        "book",
        "price_change",
        "last_trade_price",
        "tick_size_change",
        "new_market",
        "market_resolved",
    }
)

_TYPED: msgspec.json.Decoder[Any] = msgspec.json.Decoder(TypedFrame | list[TypedFrame])
_ONE: msgspec.json.Decoder[Any] = msgspec.json.Decoder(TypedFrame)
_HEADER = msgspec.json.Decoder(_Header)
_REST_BOOK = msgspec.json.Decoder(RestBookFrame)


def read_frames(text: str) -> list[Frame]:
    """Return the messages of one websocket frame, REST answer or recorded line.

    Args:
        text: One JSON object or array of objects, or a keep-alive.

    Raises:
        ValueError: If it is no JSON, or a message of a known type lacks a key or has a value of
            the wrong type; the text names which.
    """
    stripped = text.strip()
    if stripped in KEEP_ALIVES:
        return []
    try:
        return _read(stripped)
    except RecursionError as error:
        raise ValueError("not a message: nested too deeply") from error


def _read(text: str) -> list[Frame]:
    try:
        found = _TYPED.decode(text)
    except msgspec.ValidationError:
        return _read_one_by_one(text)
    except msgspec.DecodeError as error:
        raise ValueError(f"not a JSON text: {error}") from error
    return found if isinstance(found, list) else [found]


def _read_one_by_one(text: str) -> list[Frame]:
    """Read a line that holds something else than the typed messages, or a malformed one."""
    if not text.startswith("["):
        return [_read_one(text)]
    frames: list[Frame] = []
    for position, raw in enumerate(msgspec.json.decode(text, type=list[msgspec.Raw])):
        try:
            frames.append(_read_one(raw))
        except ValueError as error:
            raise ValueError(f"message {position + 1} of the array: {error}") from error
    return frames


def _read_one(raw: str | msgspec.Raw) -> Frame:
    event_type = _HEADER.decode(raw).event_type
    if event_type is not None and event_type not in KNOWN_EVENTS:
        return UnknownFrame(event_type)
    try:
        frame: Frame = _REST_BOOK.decode(raw) if event_type is None else _ONE.decode(raw)
    except msgspec.ValidationError as error:
        kind = event_type or "book (a message without event_type is taken as one)"
        raise ValueError(f"{kind}: {error}") from error
    return frame
