"""Polymarket's market data: websocket messages and REST books become rows and books."""

from collections import Counter
from collections.abc import Mapping
from typing import assert_never

import attrs

from actors.messages.records import Origin
from actors.messages.slices import SliceBuilder
from actors.model.book import Book
from actors.model.instrument import Instruments
from actors.venues.bookkeeper import Bookkeeper
from actors.venues.polymarket.book_check import BookChecks, Verdict
from actors.venues.polymarket.facts import (
    BookSeen,
    Ignored,
    LevelsChanged,
    LevelSet,
    MarketListed,
    MarketResolved,
    TickSizeChanged,
    TimedFact,
    TradePrinted,
    fact,
)
from actors.venues.polymarket.frames import read_frames
from actors.venues.polymarket.markets import Market, Tokens
from actors.venues.polymarket.numbers import ONE_TICKS

MESSAGE_TYPES_LIMIT = 64
"""How many types of messages are counted by name; the others count as ``other``."""


@attrs.frozen(kw_only=True)
class MarketDataOptions:
    """How Polymarket's market data are read.

    Attributes:
        markets: Metadata; they tell YES from NO, and which tokens complement each other.
        names: Our instrument ids by token; tokens without one keep the venue's id.
        check_hash: Whether books are checked against the venue's hashes (where these can be
            reproduced; ``actors.venues.polymarket.book_check`` tells when).
    """

    markets: tuple[Market, ...] = ()
    names: Mapping[str, str] = attrs.field(factory=dict)
    check_hash: bool = True

    @names.validator
    def _names_differ(self, _attribute: object, value: Mapping[str, str]) -> None:
        twice = [name for name, count in Counter(value.values()).items() if count > 1]
        if twice:
            raise ValueError(f"names: {twice[0]!r} names more than one token")


class PolymarketMarketData:
    """Decodes one JSON text per line: a message, an array of messages, or a keep-alive.

    Prices have a tick of 0.0001 and sizes a lot of 0.000001, whatever step orders must keep. The
    lines tell only the venue's time, in milliseconds; it serves as ours too unless
    :meth:`decode_frame` is told when the line was received.

    A book is gapped when its best prices differ from those told with a change, when its hash says
    that a change is missing, and when its tick size changes. It is synced again by the next
    ``book``, or by a change whose hash proves it.

    Attributes:
        bookkeeper: The books.
        counts: Messages by type: their ``event_type``, or ``rest_book``.
        checks: What came of the checks: ``changes``, ``changes_without_book``,
            ``tops_matched``, ``tops_mismatched``, ``hashes_proven``, ``hashes_suspect``,
            ``hashes_wrong``, ``snapshots_proven``, ``snapshots_unproven``,
            ``snapshots_reproduced`` (a later snapshot equals the book that was rebuilt),
            ``snapshots_different``, ``gaps``, ``healed``.
    """

    def __init__(self, instruments: Instruments, options: MarketDataOptions | None = None) -> None:
        options = options or MarketDataOptions()
        self.bookkeeper = Bookkeeper()
        self.counts: Counter[str] = Counter()
        self.checks: Counter[str] = Counter()
        self._tokens = Tokens(instruments, options.markets, options.names)
        self._book_checks = BookChecks() if options.check_hash else None

    def decode(self, line: str, number: int, builder: SliceBuilder) -> None:
        """Add a line's rows; their time is the venue's.

        Raises:
            ValueError: If any message of the line is malformed; nothing of the line is applied.
        """
        self.decode_frame(line, number, builder)

    def decode_frame(
        self, text: str, number: int, builder: SliceBuilder, time_ns: int | None = None
    ) -> None:
        """Add the rows of a text that was received at ``time_ns``, if that is known.

        Raises:
            ValueError: If any message of the text is malformed; nothing of the text is applied.
        """
        for known in [fact(frame) for frame in read_frames(text)]:
            if isinstance(known, Ignored):
                self._count(known.kind)
                continue
            venue_ns = known.venue_ns
            origin = Origin(
                time_ns=venue_ns if time_ns is None else time_ns,
                venue_time_ns=venue_ns,
                line=number,
            )
            self._apply(known, builder, origin)

    def _apply(self, known: TimedFact, builder: SliceBuilder, origin: Origin) -> None:
        match known:
            case LevelsChanged():
                self._count("price_change")
                for change in known.changes:
                    self._change(change, known, builder, origin)
            case BookSeen():
                self._count(known.kind)
                self._snapshot(known, builder, origin)
            case TradePrinted():
                self._count("last_trade_price")
                self._trade(known, builder, origin)
            case TickSizeChanged():
                self._count("tick_size_change")
                self._tick_size(known, builder, origin)
            case MarketListed():
                self._count("new_market")
                if known.market is not None:
                    self._tokens.learn(known.market)
            case MarketResolved():
                self._count("market_resolved")
                self._resolve(known, builder, origin)
            case _:
                assert_never(known)

    def _count(self, kind: str) -> None:
        is_named = kind in self.counts or len(self.counts) < MESSAGE_TYPES_LIMIT
        self.counts[kind if is_named else "other"] += 1

    def _snapshot(self, seen: BookSeen, builder: SliceBuilder, origin: Origin) -> None:
        frame = seen.frame
        token = frame.asset_id
        index = self._tokens.index(token, frame.market, seen.tick_size, seen.min_order_size)
        book = self.bookkeeper.books.get(index)
        before = book.levels() if book is not None and book.is_synced else None
        self.bookkeeper.snapshot(builder, index, seen.levels, origin)
        book = self.bookkeeper.books[index]
        if before is not None:
            is_same = before == book.levels()
            self.checks["snapshots_reproduced" if is_same else "snapshots_different"] += 1
        if self._book_checks is not None:
            market = self._tokens.market(token)
            is_proven = self._book_checks.snapshot(index, seen, book, market)
            self.checks["snapshots_proven" if is_proven else "snapshots_unproven"] += 1

    def _change(
        self, change: LevelSet, message: LevelsChanged, builder: SliceBuilder, origin: Origin
    ) -> None:
        index = self._tokens.known(change.token)
        book = None if index is None else self.bookkeeper.books.get(index)
        self.checks["changes"] += 1
        if index is None or book is None:
            self.checks["changes_without_book"] += 1
            return
        was_synced = book.is_synced
        if was_synced:
            self.bookkeeper.change(builder, index, (change.level,), origin)
        else:
            book.apply((change.level,), is_snapshot=False)
        verdict = Verdict.UNCHECKED
        if self._book_checks is not None:
            verdict = self._book_checks.change(index, change, message, book)
            if verdict is not Verdict.UNCHECKED:
                self.checks[f"hashes_{verdict.name.lower()}"] += 1
        if not was_synced:
            if verdict is Verdict.PROVEN:
                self.checks["healed"] += 1
                self.bookkeeper.snapshot(builder, index, book.levels(), origin)
        elif self._is_wrong(change, book, verdict):
            self.checks["gaps"] += 1
            self.bookkeeper.gap(builder, index, origin)

    def _is_wrong(self, change: LevelSet, book: Book, verdict: Verdict) -> bool:
        """Return whether a change shows that an earlier one is missing."""
        is_top_right = True
        if change.is_last and not (change.best_bid is None and change.best_ask is None):
            is_top_right = _has_top(book, change)
            self.checks["tops_matched" if is_top_right else "tops_mismatched"] += 1
        if verdict is Verdict.PROVEN:
            return False
        return verdict is Verdict.WRONG or not is_top_right

    def _trade(self, trade: TradePrinted, builder: SliceBuilder, origin: Origin) -> None:
        index = self._tokens.index(trade.token, trade.market)
        builder.trade(origin, index, (trade.ticks, trade.lots, trade.aggressor))
        if self._book_checks is not None:
            self._book_checks.trade(trade.market, trade.ticks)

    def _tick_size(self, changed: TickSizeChanged, builder: SliceBuilder, origin: Origin) -> None:
        index = self._tokens.known(changed.token)
        if index is None or index not in self.bookkeeper.books:
            return
        self.bookkeeper.gap(builder, index, origin)
        if self._book_checks is not None:
            self._book_checks.tick_size(index, changed.tick_size)

    def _resolve(self, resolved: MarketResolved, builder: SliceBuilder, origin: Origin) -> None:
        """Tell what our tokens pay; the venue also tells of markets that nobody here asked for."""
        for token, payoff_ticks in resolved.payoffs:
            if self._tokens.is_ours(token):
                index = self._tokens.index(token, resolved.market)
                builder.resolution(origin, index, payoff_ticks)


def _has_top(book: Book, change: LevelSet) -> bool:
    bid, ask = book.best_bid(), book.best_ask()
    bid_ticks = bid[0] if bid else 0
    ask_ticks = ask[0] if ask else ONE_TICKS
    return change.best_bid in (None, bid_ticks) and change.best_ask in (None, ask_ticks)
