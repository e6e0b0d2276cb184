"""A Polymarket market channel that behaves: two mirrored books, real hashes, real shapes."""

import hashlib
import json
from decimal import Decimal
from typing import Any

from actors.model.money import plain
from actors.venues.polymarket.markets import Market

CONDITION = "0xd23b"
YES, NO = "111", "222"
START_MS = 1_788_786_290_000


def market(**changes: Any) -> Market:
    """Return the venue's market."""
    terms: dict[str, Any] = {"slug": "btc-up", "condition_id": CONDITION}
    return Market(**{**terms, "yes_token": YES, "no_token": NO, **changes})


def sha1_of_book(book: dict[str, Any]) -> str:
    """Return the hash of a whole book message, written apart from the code under test."""
    keys = ("market", "asset_id", "timestamp", "hash", "bids", "asks", "min_order_size")
    text = {key: book[key] for key in (*keys, "tick_size", "neg_risk", "last_trade_price")}
    return hashlib.sha1(json.dumps(text, separators=(",", ":")).encode()).hexdigest()


class PolymarketVenue:
    """One market. Prices of the NO token mirror those of YES: p on one is 1 - p on the other."""

    def __init__(
        self,
        *,
        neg_risk: bool = False,
        tick_size: str = "0.01",
        min_order_size: str = "5",
        last_trade_price: str = "",
    ) -> None:
        self.now_ms = START_MS
        self.neg_risk = neg_risk
        self.tick_size = tick_size
        self.min_order_size = min_order_size
        self.last_trade_price = last_trade_price
        self.is_verbose = False
        """Whether changes are told with four decimals, though books are hashed without zeros."""
        self.bids: dict[Decimal, str] = {}
        """Bids for YES; offers of NO at 1 - p."""
        self.asks: dict[Decimal, str] = {}

    def tick(self, ms: int = 1) -> None:
        """Let time pass."""
        self.now_ms += ms

    def set(self, side: str, price: str, size: str) -> None:
        """Set a level of the YES book."""
        levels = self.bids if side == "BUY" else self.asks
        levels[Decimal(price)] = size
        if size == "0":
            del levels[Decimal(price)]

    def book(self, token: str = YES, *, rest: bool = False, resent: bool = False) -> dict[str, Any]:
        """Return a book message; one that is re-sent after a trade tells less."""
        book = self._whole_book(token)
        book["hash"] = sha1_of_book(book)
        if not rest:
            del book["neg_risk"], book["min_order_size"]
            book["event_type"] = "book"
        if resent:
            del book["tick_size"], book["last_trade_price"]
        return book

    def books(self) -> list[dict[str, Any]]:
        """Return the first message of a subscription."""
        return [self.book(YES), self.book(NO)]

    def change(self, side: str, price: str, size: str) -> dict[str, Any]:
        """Set a level of the YES book and return the message about both books."""
        self.set(side, price, size)
        return self.told(side, price, size)

    def told(self, side: str, price: str, size: str) -> dict[str, Any]:
        """Return the message about a level that was set, with the hashes of now."""
        mirrored = "SELL" if side == "BUY" else "BUY"
        return {
            "market": CONDITION,
            "price_changes": [
                self._entry(YES, side, price, size),
                self._entry(NO, mirrored, plain(1 - Decimal(price)), size),
            ],
            "timestamp": str(self.now_ms),
            "event_type": "price_change",
        }

    def trade(self, price: str, size: str, side: str = "BUY", token: str = YES) -> dict[str, Any]:
        """Return the message about a trade, whose price the books carry from now on."""
        self.last_trade_price = f"{Decimal(price):.3f}"
        return {
            "market": CONDITION,
            "asset_id": token,
            "price": price,
            "size": size,
            "fee_rate_bps": "0",
            "side": side,
            "timestamp": str(self.now_ms),
            "event_type": "last_trade_price",
        }

    def _entry(self, token: str, side: str, price: str, size: str) -> dict[str, Any]:
        book = self._whole_book(token)
        exact = Decimal(price)
        return {
            "asset_id": token,
            "price": f"{exact:.4f}" if self.is_verbose else plain(exact),
            "size": size,
            "side": side,
            "hash": sha1_of_book(book),
            "best_bid": book["bids"][-1]["price"] if book["bids"] else "0",
            "best_ask": book["asks"][-1]["price"] if book["asks"] else "0",
        }

    def _whole_book(self, token: str) -> dict[str, Any]:
        bids, asks = self.bids, self.asks
        if token == NO:
            bids = {1 - price: size for price, size in self.asks.items()}
            asks = {1 - price: size for price, size in self.bids.items()}
        return {
            "market": CONDITION,
            "asset_id": token,
            "timestamp": str(self.now_ms),
            "hash": "",
            "bids": [{"price": plain(p), "size": bids[p]} for p in sorted(bids)],
            "asks": [{"price": plain(p), "size": asks[p]} for p in sorted(asks, reverse=True)],
            "min_order_size": self.min_order_size,
            "tick_size": self.tick_size,
            "neg_risk": self.neg_risk,
            "last_trade_price": self.last_trade_price,
        }


def open_venue(**terms: Any) -> PolymarketVenue:
    """Return a venue whose YES book has three bids and three asks around 0.50."""
    venue = PolymarketVenue(**terms)
    for side, price, size in (
        ("BUY", "0.47", "300"),
        ("BUY", "0.48", "200.5"),
        ("BUY", "0.49", "100"),
        ("SELL", "0.51", "110"),
        ("SELL", "0.52", "210.25"),
        ("SELL", "0.53", "310"),
    ):
        venue.set(side, price, size)
    return venue
