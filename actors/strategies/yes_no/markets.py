"""The markets that the YES/NO strategy looks at: pairs of instruments and their last quotes."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from actors.messages.market import Connection, ConnectionState, Quote
from actors.model.instrument import Instrument, Instruments, Outcome
from actors.model.money import ZERO
from actors.strategies.saving import plain_quote, quote_of
from actors.strategies.yes_no.state import YES, Rank, Top


class Half:
    """One outcome of a market and its last quote; None if that must not be used."""

    __slots__ = ("instrument", "is_over", "is_synced", "quote", "side")

    def __init__(self, instrument: Instrument, side: Outcome) -> None:
        self.instrument = instrument
        self.side = side
        self.is_synced = True
        self.is_over = False
        self.quote: Quote | None = None

    def top(self, since_ns: int, curve_fee_rate: Decimal | None) -> Top | None:
        """Return the top of the book, or None if it must not be used.

        Args:
            since_ns: A quote from before this time is too old.
            curve_fee_rate: None is the instrument's own.
        """
        quote, instrument = self.quote, self.instrument
        if quote is None or quote.time_ns < since_ns:
            return None
        own = instrument.fee_rate or ZERO
        return Top(
            bid=quote.bid,
            ask=quote.ask,
            bid_size=quote.bid_quantity,
            ask_size=quote.ask_quantity,
            lot=instrument.lot,
            min_size=instrument.min_quantity,
            curve_fee_rate=own if curve_fee_rate is None else curve_fee_rate,
        )


class Pair:
    """A market: both outcomes, and how far the strategy is with it."""

    __slots__ = ("first_price", "leg_due_ns", "merge_id", "merging", "no", "stop", "yes")

    def __init__(self, yes: Half, no: Half) -> None:
        self.yes = yes
        self.no = no
        self.first_price: Decimal | None = None
        """The oracle's price when the market began."""
        self.leg_due_ns = 0
        """Until when a half pair is only completed without a loss; 0: none is known of."""
        self.merge_id = ""
        self.merging: set[str] = set()
        """The instruments whose positions are yet to follow a merge."""
        self.stop: Rank | None = None
        """The rule of safety that has spoken last."""

    @property
    def is_over(self) -> bool:
        """Return whether the market has resolved."""
        return self.yes.is_over or self.no.is_over

    def half(self, side: Outcome) -> Half:
        """Return one outcome."""
        return self.yes if side is YES else self.no


class Markets:
    """All pairs, and the halves whose other half has not been heard of."""

    def __init__(self) -> None:
        self._halves: dict[str, Half] = {}
        self._pairs: dict[str, Pair] = {}

    def pairs(self) -> Iterator[Pair]:
        """Yield each pair once, in the order in which they became known."""
        for instrument, pair in self._pairs.items():
            if pair.yes.instrument.id == instrument:
                yield pair

    def pair(self, instrument: str) -> Pair | None:
        """Return the pair of an instrument, if both halves are known."""
        return self._pairs.get(instrument)

    def take(self, quote: Quote) -> Pair | None:
        """Take a quote; return its pair, if the quote may be used and both halves are known."""
        half = self._half(quote.instrument)
        if half is None or not half.is_synced:
            return None
        half.quote = quote
        return self._pairs.get(quote.instrument.id)

    def hear(self, connection: Connection) -> None:
        """Forget the quotes from before a change of the connection.

        A book that has lost its sequence is not used until it has found it again, or its feed has
        begun anew.
        """
        about, state = connection.instrument, connection.state
        if about is not None:
            self._half(about)
        for half in self._halves.values():
            if about is None or about.id == half.instrument.id:
                half.quote = None
                if state is ConnectionState.GAPPED:
                    half.is_synced = False
                elif state is not ConnectionState.DOWN:
                    half.is_synced = True

    def begin_anew(self) -> None:
        """Forget all quotes, and what connections were like; not which markets have resolved."""
        for half in self._halves.values():
            half.quote = None
            half.is_synced = True

    def decide(self, instrument: Instrument) -> None:
        """Take notice that a market has resolved."""
        half = self._half(instrument)
        if half is not None:
            half.is_over = True

    def saved(self) -> Any:
        """Return all halves and pairs, as plain values for JSON."""
        halves = {
            name: [plain_quote(half.quote), half.is_synced, half.is_over]
            for name, half in self._halves.items()
        }
        return {"halves": halves, "pairs": [_saved(pair) for pair in self.pairs()]}

    def restore(self, state: Any, table: Instruments) -> None:
        """Know what :meth:`saved` has returned of the instruments that are known (already)."""
        for name, (quote, is_synced, is_over) in state["halves"].items():
            instrument = table.get(name)
            half = None if instrument is None else self._half(instrument)
            if half is not None:
                half.is_synced, half.is_over = is_synced, is_over
                half.quote = quote_of(quote, name, table)
        for yes, first_price, leg_due_ns, merge_id, merging, stop in state["pairs"]:
            pair = self._pairs.get(yes)
            if pair is not None:
                pair.first_price = None if first_price is None else Decimal(first_price)
                pair.leg_due_ns, pair.merge_id, pair.merging = leg_due_ns, merge_id, set(merging)
                pair.stop = None if stop is None else Rank(stop)

    def _half(self, instrument: Instrument) -> Half | None:
        """Return a half; a new one is joined with the other, if that is known."""
        half = self._halves.get(instrument.id)
        side, complement = instrument.outcome, instrument.complement
        if half is None and side is not None and complement is not None:
            half = self._halves[instrument.id] = Half(instrument, side)
            other = self._halves.get(complement)
            if other is not None:
                pair = Pair(half, other) if side is YES else Pair(other, half)
                self._pairs[instrument.id] = self._pairs[complement] = pair
        return half


def _saved(pair: Pair) -> list[Any]:
    first = None if pair.first_price is None else str(pair.first_price)
    stop = None if pair.stop is None else int(pair.stop)
    merging = sorted(pair.merging)
    return [pair.yes.instrument.id, first, pair.leg_due_ns, pair.merge_id, merging, stop]
