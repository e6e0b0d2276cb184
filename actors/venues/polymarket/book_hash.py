"""Polymarket's book hash: SHA-1 of the whole book in the venue's own spelling.

The hash covers compact JSON with the keys ``market, asset_id, timestamp, hash`` (empty),
``bids, asks, min_order_size, tick_size, neg_risk, last_trade_price`` in this order, the levels in
the order in which the venue delivers them. Source: the venue's official clients; recorded frames
of 2026 verify.
"""

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from actors.venues.polymarket.frames import BookFields

if TYPE_CHECKING:
    from hashlib import _Hash


class HashTerms(NamedTuple):
    """What of a market is hashed along with its book, in the venue's spelling."""

    min_order_size: str
    tick_size: str
    neg_risk: bool


def level_json(price: str, size: str) -> str:
    """Return one level as it is hashed."""
    return f'{{"price":"{price}","size":"{size}"}}'


class BookHasher:
    """Hashes the books of one token."""

    def __init__(self, market: str, asset_id: str) -> None:
        self._head = f'{{"market":{_quoted(market)},"asset_id":{_quoted(asset_id)},"timestamp":"'

    def unfinished(
        self, timestamp: str, bids: Iterable[str], asks: Iterable[str], terms: HashTerms
    ) -> "_Hash":
        """Return the hash up to the last trade price, which comes last: see :func:`finished`.

        Args:
            timestamp: Milliseconds since 1970, as delivered.
            bids: Levels from :func:`level_json`, ascending.
            asks: Levels from :func:`level_json`, descending.
            terms: The market's terms.
        """
        text = (
            f'{self._head}{timestamp}","hash":"","bids":[{",".join(bids)}],"asks":['
            f'{",".join(asks)}],"min_order_size":"{terms.min_order_size}","tick_size":"'
            f'{terms.tick_size}","neg_risk":{"true" if terms.neg_risk else "false"}'
            ',"last_trade_price":"'
        )
        return hashlib.sha1(text.encode(), usedforsecurity=False)


def finished(unfinished: "_Hash", last_trade_price: str) -> str:
    """Return a book's hash, given its last trade price (three decimals, empty before the first)."""
    whole = unfinished.copy()
    whole.update(f'{last_trade_price}"}}'.encode())
    return whole.hexdigest()


def book_hash(book: BookFields) -> str:
    """Return the hash of a book that tells everything that is hashed, as REST answers do.

    Raises:
        ValueError: If it does not tell everything.
    """
    if (
        book.min_order_size is None
        or book.tick_size is None
        or book.neg_risk is None
        or book.last_trade_price is None
    ):
        raise ValueError(
            f"book of {book.asset_id}: expected min_order_size, tick_size, neg_risk and "
            "last_trade_price"
        )
    unfinished = BookHasher(book.market, book.asset_id).unfinished(
        book.timestamp,
        [level_json(level.price, level.size) for level in book.bids],
        [level_json(level.price, level.size) for level in book.asks],
        HashTerms(book.min_order_size, book.tick_size, book.neg_risk),
    )
    return finished(unfinished, book.last_trade_price)


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
