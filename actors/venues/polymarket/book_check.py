"""Checks rebuilt books against the venue's hashes, without ever accusing a good one.

A snapshot brings its own hash, and not everything that is hashed is told with it. So each snapshot
calibrates: if some likely terms reproduce its hash they are right (SHA-1 does not match by luck),
and the changes that follow can be checked; otherwise they are not.

A change's hash may differ from ours without an update being lost, for two known reasons. The venue
hashes once for all changes of one timestamp, so only the last of them matches. And a trade moves
the last trade price, which is hashed, before the trade itself is told. Therefore every possible
trade price is tried, and a mismatch counts only when the next timestamp's hash differs too.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from itertools import chain

from actors.model.book import Book
from actors.model.money import plain
from actors.venues.polymarket.book_hash import BookHasher, HashTerms, finished, level_json
from actors.venues.polymarket.facts import BookSeen, LevelsChanged, LevelSet
from actors.venues.polymarket.frames import BookFields
from actors.venues.polymarket.markets import Market
from actors.venues.polymarket.numbers import ONE_TICKS, PRICE_TICK, SIZE_LOT

EVERY_TRADE_PRICE = ("", *(f"0.{thousandths:03d}" for thousandths in range(1, 1000)))
_LIKELY_TICK_SIZES = ("0.01", "0.001")
_LIKELY_MIN_ORDER_SIZE = "5"


class Verdict(Enum):
    """What a hash says of a book."""

    UNCHECKED = "no hash, or not everything that is hashed is known"
    PROVEN = "the hash matches: the whole book is right"
    SUSPECT = "the hash differs, for the first timestamp in a row"
    WRONG = "the hash differs again at a later timestamp: an update is missing"


def trade_price_text(ticks: int) -> str:
    """Return a last trade price as it is hashed: three decimals, four where it needs them."""
    text = f"{ticks // ONE_TICKS}.{ticks % ONE_TICKS:04d}"
    return text[:-1] if text.endswith("0") else text


class _TokenCheck:
    """One token's book in the venue's spelling, and what is known of its terms."""

    __slots__ = ("asks", "bids", "hasher", "is_armed", "is_plain", "suspected_at", "terms")

    def __init__(self, hasher: BookHasher) -> None:
        self.hasher = hasher
        self.bids: dict[int, str] = {}
        self.asks: dict[int, str] = {}
        self.terms: HashTerms | None = None
        """The terms that have reproduced a hash."""
        self.is_armed = False
        """Whether they have reproduced the latest snapshot's."""
        self.is_plain = False
        """Whether the venue hashes ``0.5`` where it has told us ``0.50``."""
        self.suspected_at: str | None = None

    def replace(self, seen: BookSeen) -> None:
        self.bids.clear()
        self.asks.clear()
        self.suspected_at = None
        for (side, ticks, _), text in zip(seen.levels, seen.texts, strict=True):
            (self.bids if side > 0 else self.asks)[ticks] = text

    def matching(
        self, wanted: tuple[str, str], book: Book, terms: HashTerms, prices: Iterable[str]
    ) -> str | None:
        """Return the trade price with which the book has the ``(timestamp, hash)``, or None."""
        timestamp, told = wanted
        tried = tuple(prices)
        for is_plain in (self.is_plain, not self.is_plain):
            bids, asks = _plain_texts(book) if is_plain else self._delivered_texts(book)
            unfinished = self.hasher.unfinished(timestamp, bids, asks, terms)
            for price in tried:
                if finished(unfinished, price) == told:
                    self.is_plain = is_plain
                    return price
        return None

    def _delivered_texts(self, book: Book) -> tuple[list[str], list[str]]:
        return (
            [self.bids[ticks] for ticks in book.bids.lowest_first()],
            [self.asks[ticks] for ticks in reversed(book.asks.lowest_first())],
        )


def _plain_texts(book: Book) -> tuple[list[str], list[str]]:
    levels = [
        (side, level_json(plain(ticks * PRICE_TICK), plain(lots * SIZE_LOT)))
        for side, ticks, lots in book.levels()
    ]
    bids = [text for side, text in levels if side > 0]
    return bids, [text for side, text in reversed(levels) if side < 0]


class BookChecks:
    """The checks of a feed's books, by instrument index."""

    def __init__(self) -> None:
        self._checks: dict[int, _TokenCheck] = {}
        self._last_trade: dict[str, str] = {}
        """By market: both tokens' books carry the same price."""

    def snapshot(self, instrument: int, seen: BookSeen, book: Book, market: Market | None) -> bool:
        """Take a book as delivered; return whether its hash could be reproduced.

        Args:
            instrument: The book's instrument.
            seen: The delivered book.
            book: The same book, applied.
            market: The market's metadata, if known.
        """
        frame = seen.frame
        check = self._checks.get(instrument)
        if check is None:
            hasher = BookHasher(frame.market, frame.asset_id)
            check = self._checks[instrument] = _TokenCheck(hasher)
        check.replace(seen)
        check.is_armed = False
        wanted = (frame.timestamp, frame.hash)
        prices = [frame.last_trade_price, self._last_trade.get(frame.market), ""]
        likely: Iterable[str] = [price for price in prices if price is not None]
        if check.terms is not None:
            likely = chain(likely, EVERY_TRADE_PRICE)
        likely = tuple(likely)
        for terms in _likely_terms(frame, check.terms, market):
            price = check.matching(wanted, book, terms, likely)
            if price is not None:
                check.terms = terms
                check.is_armed = True
                self._last_trade[frame.market] = price
                break
        return check.is_armed

    def change(
        self, instrument: int, change: LevelSet, message: LevelsChanged, book: Book
    ) -> Verdict:
        """Take one level, already applied to the book, and return what its hash says."""
        check = self._checks[instrument]
        side, ticks, lots = change.level
        texts = check.bids if side > 0 else check.asks
        if lots:
            texts[ticks] = change.text
        else:
            texts.pop(ticks, None)
        if not (check.is_armed and change.is_last and change.hash) or check.terms is None:
            return Verdict.UNCHECKED
        wanted = (message.timestamp, change.hash)
        price = check.matching(wanted, book, check.terms, self._likely_prices(message))
        if price is None and book.is_synced:
            price = check.matching(wanted, book, check.terms, EVERY_TRADE_PRICE)
        if price is not None:
            check.suspected_at = None
            self._last_trade[message.market] = price
            return Verdict.PROVEN
        if check.suspected_at is None:
            check.suspected_at = message.timestamp
        return Verdict.SUSPECT if check.suspected_at == message.timestamp else Verdict.WRONG

    def trade(self, market: str, ticks: int) -> None:
        """Take the price of a trade, of whichever token: both tokens' books now carry it."""
        self._last_trade[market] = trade_price_text(ticks)

    def tick_size(self, instrument: int, tick_size: str) -> None:
        """Take a market's new tick size."""
        check = self._checks.get(instrument)
        if check is not None and check.terms is not None:
            check.terms = check.terms._replace(tick_size=tick_size)

    def _likely_prices(self, message: LevelsChanged) -> Iterator[str]:
        """Yield what the last trade price may be: the known one, or a changed level's."""
        yield self._last_trade.get(message.market, "")
        for change in message.changes:
            yield trade_price_text(change.level[1])
            yield trade_price_text(ONE_TICKS - change.level[1])


def _likely_terms(
    frame: BookFields, proven: HashTerms | None, market: Market | None
) -> Iterator[HashTerms]:
    """Yield the terms that a book may have: told, proven before, from metadata, or usual."""
    tick_size, minimum, neg_risk = frame.tick_size, frame.min_order_size, frame.neg_risk
    if proven is not None:
        tick_size = tick_size or proven.tick_size
        minimum = minimum or proven.min_order_size
        neg_risk = proven.neg_risk if neg_risk is None else neg_risk
    if market is not None:
        tick_size = tick_size or _text(market.tick_size)
        minimum = minimum or _text(market.min_order_size)
        neg_risk = market.neg_risk if neg_risk is None else neg_risk
    for likely_tick_size in (tick_size,) if tick_size else _LIKELY_TICK_SIZES:
        for likely_neg_risk in (False, True) if neg_risk is None else (neg_risk,):
            yield HashTerms(minimum or _LIKELY_MIN_ORDER_SIZE, likely_tick_size, likely_neg_risk)


def _text(value: Decimal | None) -> str:
    return "" if value is None else plain(value)
