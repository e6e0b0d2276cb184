"""Quotes as plain values, for strategies that save what they have seen."""

from collections.abc import Sequence
from math import nan

from actors.messages.market import Quote
from actors.model.instrument import Instruments

PlainQuote = Sequence[int | float | None]
"""Time, bid and ask in ticks, their sizes in lots, and the mid; None for a mid that is nan."""


def plain_quote(quote: Quote | None) -> PlainQuote | None:
    """Return a quote without its instrument, as plain values for JSON."""
    if quote is None:
        return None
    mid = quote.mid if quote.mid == quote.mid else None
    prices = (quote.bid_ticks, quote.ask_ticks, quote.bid_lots, quote.ask_lots)
    return [quote.time_ns, *prices, mid]


def quote_of(plain: PlainQuote | None, instrument_id: str, table: Instruments) -> Quote | None:
    """Return a quote that was saved; None if the run does not know the instrument (yet)."""
    instrument = table.get(instrument_id)
    if plain is None or instrument is None:
        return None
    time_ns, bid, ask, bid_lots, ask_lots = (int(each or 0) for each in plain[:5])
    mid = nan if plain[5] is None else float(plain[5])
    return Quote(time_ns, instrument, bid, ask, bid_lots, ask_lots, mid)
