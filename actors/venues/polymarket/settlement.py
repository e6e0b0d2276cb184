"""How Up/Down markets are settled: the price feed at the closing second against the strike.

A market pays Up where the price of its closing second is at or above its strike, a tie included,
else Down. Where the feed has no price of that very second, nobody guesses: it cannot be proved.
Values are whole numbers of ``10 ** -18``, as the feed publishes them: no rounding decides a tie.
"""

from collections.abc import Iterable
from enum import Enum

import attrs
import msgspec

from actors.model.instrument import Outcome

_MILLISECONDS = 1000


class Unproved(Enum):
    """Why it cannot be told how a market settles."""

    NO_STRIKE = "no strike"
    NO_CLOSE = "no price at the closing second"


@attrs.frozen(kw_only=True)
class UpDownMarket:
    """One market on whether a price will be at or above a strike at the end.

    Attributes:
        slug: The venue's readable name.
        condition_id: The venue's id.
        up_token: Pays 1 if it will.
        down_token: Pays 1 if it will not.
        end_sec: The closing second, since 1970.
        strike: What the price is compared with, times ``10 ** 18``; None if it is not known.
    """

    slug: str
    condition_id: str
    up_token: str
    down_token: str
    end_sec: int
    strike: int | None


class _Line(msgspec.Struct, frozen=True):
    slug: str
    condition_id: str
    token_ids: tuple[str, str]
    end_sec: int
    strike_value: str | None = None


def read_up_down_markets(lines: Iterable[str]) -> tuple[UpDownMarket, ...]:
    """Return the markets of a file with one JSON object a line; empty lines are passed over.

    Each has ``slug``, ``condition_id``, ``token_ids`` (Up, Down), ``end_sec``, and
    ``strike_value`` (a whole number as text, or null).

    Raises:
        ValueError: If a line is malformed; the text has its number, from 1.
    """
    markets = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            read = msgspec.json.decode(line, type=_Line)
            strike = None if read.strike_value is None else int(read.strike_value)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        up, down = read.token_ids
        market = UpDownMarket(
            slug=read.slug,
            condition_id=read.condition_id,
            up_token=up,
            down_token=down,
            end_sec=read.end_sec,
            strike=strike,
        )
        markets.append(market)
    return tuple(markets)


class ClosingPrices:
    """What a price feed has said of each full second; the word received last counts."""

    def __init__(self) -> None:
        self._prices: dict[int, tuple[int, int]] = {}

    def add(self, feed_ms: int, value: int, received_ms: int) -> None:
        """Take a price: of which millisecond, what, and when it was received."""
        second, rest = divmod(feed_ms, _MILLISECONDS)
        if rest:
            return
        known = self._prices.get(second)
        if known is None or received_ms >= known[0]:
            self._prices[second] = (received_ms, value)

    def at(self, second: int) -> int | None:
        """Return the price of a second, or None if the feed has none."""
        found = self._prices.get(second)
        return None if found is None else found[1]


def settled(market: UpDownMarket, prices: ClosingPrices) -> Outcome | Unproved:
    """Return which outcome a market pays (YES is Up), or why that cannot be proved."""
    if market.strike is None:
        return Unproved.NO_STRIKE
    close = prices.at(market.end_sec)
    if close is None:
        return Unproved.NO_CLOSE
    return Outcome.YES if close >= market.strike else Outcome.NO
