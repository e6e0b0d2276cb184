"""What Polymarket's messages say, in exact numbers: checked as a whole before any of it counts."""

from decimal import Decimal

import msgspec

from actors.model.book import Level
from actors.venues.polymarket.book_hash import level_json
from actors.venues.polymarket.frames import (
    BookFields,
    BookFrame,
    ChangeFrame,
    Frame,
    LastTradeFrame,
    NewMarketFrame,
    PriceChangeFrame,
    ResolvedFrame,
    RestBookFrame,
    TickSizeFrame,
    UnknownFrame,
    WireSide,
)
from actors.venues.polymarket.markets import Market, yes_and_no
from actors.venues.polymarket.numbers import (
    ONE_TICKS,
    milliseconds_ns,
    price_ticks,
    size_lots,
    tick_size,
)


class BookSeen(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A whole book."""

    kind: str
    venue_ns: int
    frame: BookFields
    levels: list[Level]
    texts: list[str]
    """The levels as they are hashed, in the same order."""
    tick_size: Decimal | None
    min_order_size: Decimal | None


class LevelSet(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One level's new absolute size."""

    token: str
    level: Level
    text: str
    """The level as it is hashed."""
    hash: str
    best_bid: int | None
    """The best bid after the change in ticks, 0 if nobody bids; None if it is not told."""
    best_ask: int | None
    """The best ask after the change in ticks, ``ONE_TICKS`` if nobody offers; None if not told."""
    is_last: bool
    """Whether it is the message's last word on this token: what is told with it holds then."""


class LevelsChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Levels of one market's books."""

    venue_ns: int
    market: str
    timestamp: str
    changes: list[LevelSet]


class TradePrinted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A public print."""

    venue_ns: int
    market: str
    token: str
    ticks: int
    lots: int
    aggressor: int


class TickSizeChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Orders of a token must keep another price step."""

    venue_ns: int
    token: str
    tick_size: str


class MarketListed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A market was listed; None if it has not two outcomes."""

    venue_ns: int
    market: Market | None


class MarketResolved(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What each token of a market pays, in ticks."""

    venue_ns: int
    market: str
    payoffs: list[tuple[str, int]]


class Ignored(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message that says nothing here."""

    kind: str


TimedFact = (
    BookSeen | LevelsChanged | TradePrinted | TickSizeChanged | MarketListed | MarketResolved
)
Fact = TimedFact | Ignored


def fact(frame: Frame) -> Fact:
    """Return what a message says.

    Raises:
        ValueError: If one of its values is malformed; the text names which.
    """
    match frame:
        case PriceChangeFrame():
            return _levels_changed(frame)
        case BookFrame():
            return _book(frame, "book")
        case RestBookFrame():
            return _book(frame, "rest_book")
        case LastTradeFrame():
            return _trade(frame)
        case TickSizeFrame():
            tick_size(frame.new_tick_size)
            return TickSizeChanged(
                venue_ns=milliseconds_ns(frame.timestamp),
                token=frame.asset_id,
                tick_size=frame.new_tick_size,
            )
        case NewMarketFrame():
            return _listed(frame)
        case ResolvedFrame():
            return _resolved(frame)
        case UnknownFrame():
            return Ignored(kind=frame.event_type)


def _book(frame: BookFields, kind: str) -> BookSeen:
    levels = [(1, price_ticks(level.price), size_lots(level.size)) for level in frame.bids]
    levels += [(-1, price_ticks(level.price), size_lots(level.size)) for level in frame.asks]
    return BookSeen(
        kind=kind,
        venue_ns=milliseconds_ns(frame.timestamp),
        frame=frame,
        levels=levels,
        texts=[level_json(level.price, level.size) for level in (*frame.bids, *frame.asks)],
        tick_size=tick_size(frame.tick_size) if frame.tick_size else None,
        min_order_size=_shares(frame.min_order_size),
    )


def _shares(text: str | None) -> Decimal | None:
    if not text:
        return None
    size_lots(text)
    return Decimal(text)


def _levels_changed(frame: PriceChangeFrame) -> LevelsChanged:
    changes: list[LevelSet] = []
    told: set[str] = set()
    for position, change in reversed(list(enumerate(_changes(frame)))):
        try:
            changes.append(_level_set(change, is_last=change.asset_id not in told))
        except ValueError as error:
            raise ValueError(f"change {position + 1} of price_change: {error}") from error
        told.add(change.asset_id)
    changes.reverse()
    return LevelsChanged(
        venue_ns=milliseconds_ns(frame.timestamp),
        market=frame.market,
        timestamp=frame.timestamp,
        changes=changes,
    )


def _changes(frame: PriceChangeFrame) -> list[ChangeFrame]:
    """Return the changes of any of the three shapes as those of the newest."""
    if frame.price_changes is not None:
        return frame.price_changes
    token = frame.asset_id
    if token is None:
        raise ValueError("price_change: expected price_changes, or asset_id with its changes")
    if frame.changes is not None:
        return [
            ChangeFrame(asset_id=token, price=old.price, size=old.size, side=old.side)
            for old in frame.changes
        ]
    if frame.price is None or frame.size is None or frame.side is None:
        raise ValueError("price_change: expected price_changes, changes, or price, size and side")
    return [ChangeFrame(asset_id=token, price=frame.price, size=frame.size, side=frame.side)]


def _level_set(change: ChangeFrame, *, is_last: bool) -> LevelSet:
    best_ask = _best(change.best_ask)
    return LevelSet(
        token=change.asset_id,
        level=(_sign(change.side), price_ticks(change.price), size_lots(change.size)),
        text=level_json(change.price, change.size),
        hash=change.hash,
        best_bid=_best(change.best_bid),
        best_ask=ONE_TICKS if best_ask == 0 else best_ask,
        is_last=is_last,
    )


def _best(text: str | None) -> int | None:
    return price_ticks(text) if text else None


def _sign(side: WireSide | None) -> int:
    return 0 if side is None else (1 if side == "BUY" else -1)


def _trade(frame: LastTradeFrame) -> TradePrinted:
    return TradePrinted(
        venue_ns=milliseconds_ns(frame.timestamp),
        market=frame.market,
        token=frame.asset_id,
        ticks=price_ticks(frame.price),
        lots=size_lots(frame.size),
        aggressor=_sign(frame.side),
    )


def _listed(frame: NewMarketFrame) -> MarketListed:
    step = frame.order_price_min_tick_size
    market = None
    if len(frame.outcomes) == len(frame.assets_ids) == 2:
        yes, no = yes_and_no(frame.outcomes, frame.assets_ids)
        market = Market(
            slug=frame.slug,
            condition_id=frame.market,
            yes_token=yes,
            no_token=no,
            tick_size=tick_size(str(step)) if step else None,
        )
    return MarketListed(venue_ns=milliseconds_ns(frame.timestamp), market=market)


def _resolved(frame: ResolvedFrame) -> MarketResolved:
    if frame.winning_asset_id not in frame.assets_ids:
        raise ValueError(
            f"market_resolved: winning_asset_id {frame.winning_asset_id!r} is not in assets_ids"
        )
    return MarketResolved(
        venue_ns=milliseconds_ns(frame.timestamp),
        market=frame.market,
        payoffs=[
            (token, ONE_TICKS if token == frame.winning_asset_id else 0)
            for token in frame.assets_ids
        ],
    )
