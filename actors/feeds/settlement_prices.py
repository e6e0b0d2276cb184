"""A recorded settlement feed: the reference price, and the markets that it resolves.

A table with the columns ``feed_ts_ms``, ``full_accuracy_value``, ``recv_ms``. Each row is a quote
of the reference (the same price on both sides); the first row past a market's closing second
resolves that market, if the feed has the price of that second and the market a strike.
"""

from collections import Counter
from decimal import Decimal

import attrs

from actors.messages.market import UNKNOWN_LOTS
from actors.messages.records import Origin
from actors.messages.slices import SliceBuilder
from actors.model.instrument import Instrument, InstrumentId, Instruments, Outcome
from actors.venues.bookkeeper import Bookkeeper
from actors.venues.polymarket.markets import Market, Tokens
from actors.venues.polymarket.settlement import ClosingPrices, Unproved, UpDownMarket, settled

_COLUMNS = ("feed_ts_ms", "full_accuracy_value", "recv_ms")
_MILLISECOND_NS = 1_000_000
_TICK = Decimal("0.00000001")
_TICK_VALUE = 10**10


@attrs.frozen(kw_only=True)
class SettlementOptions:
    """What a settlement feed decides.

    Attributes:
        markets: The markets that it resolves.
        instrument: The reference price's id.
        currency: What it is in.
    """

    markets: tuple[UpDownMarket, ...] = ()
    instrument: str = "REFERENCE"
    currency: str = "USD"


def is_header(line: str) -> bool:
    """Return whether a line is the header of such a table."""
    return set(_COLUMNS) <= set(line.strip().split(","))


class SettlementPrices:
    """Decodes a settlement feed; ``counts`` tells what was resolved and what could not be."""

    def __init__(self, instruments: Instruments, options: SettlementOptions) -> None:
        self.bookkeeper = Bookkeeper()
        self.counts: Counter[str] = Counter()
        self._instruments = instruments
        self._prices = ClosingPrices()
        self._open = sorted(options.markets, key=lambda market: market.end_sec, reverse=True)
        self._tokens = Tokens(instruments, [_two_outcomes(each) for each in options.markets], {})
        self._reference = instruments.add(
            Instrument(
                id=InstrumentId(options.instrument),
                venue="settlement",
                symbol=options.instrument,
                tick=_TICK,
                currency=options.currency,
            )
        )
        self._places: tuple[int, ...] = ()

    def decode(self, line: str, number: int, builder: SliceBuilder) -> None:
        """Add the quote of a row, and the resolutions that it brings.

        Raises:
            ValueError: If the line is malformed: nothing of it has been added.
        """
        if number == 1:
            names = line.strip().split(",")
            self._places = tuple(names.index(name) for name in _COLUMNS)
            return
        if not line.strip():
            return
        fields = line.strip().split(",")
        try:
            feed_ms, value, received_ms = (int(fields[place]) for place in self._places)
        except IndexError:
            raise ValueError(f"expected a row like the header, found {line!r}") from None
        ticks = value // _TICK_VALUE
        if ticks <= 0:
            raise ValueError(f"expected a price above 0, found {value}")
        origin = Origin(received_ms * _MILLISECOND_NS, feed_ms * _MILLISECOND_NS, number)
        sides = (ticks, ticks, UNKNOWN_LOTS, UNKNOWN_LOTS)
        self.bookkeeper.quote(builder, self._reference, sides, origin)
        self.counts["prices"] += 1
        self._resolve_before(feed_ms, origin, builder)
        self._prices.add(feed_ms, value, received_ms)

    def _resolve_before(self, feed_ms: int, origin: Origin, builder: SliceBuilder) -> None:
        """Resolve every market whose closing second the feed has passed."""
        while self._open and self._open[-1].end_sec * 1000 < feed_ms:
            market = self._open.pop()
            outcome = settled(market, self._prices)
            if isinstance(outcome, Unproved):
                self.counts[outcome.value] += 1
                continue
            self.counts[f"settled {outcome}"] += 1
            for token, wins in (
                (market.up_token, outcome is Outcome.YES),
                (market.down_token, outcome is Outcome.NO),
            ):
                index = self._tokens.index(token, market.condition_id)
                one = self._instruments[index].ticks(Decimal(1))
                builder.resolution(origin, index, one if wins else 0)


def _two_outcomes(market: UpDownMarket) -> Market:
    return Market(
        slug=market.slug,
        condition_id=market.condition_id,
        yes_token=market.up_token,
        no_token=market.down_token,
    )
