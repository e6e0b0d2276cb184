"""Polymarket's markets: what their metadata say, and the instruments made of their tokens."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import attrs
import msgspec

from actors.model.instrument import Instrument, InstrumentId, Instruments, Outcome
from actors.model.money import is_on_grid
from actors.venues.polymarket.numbers import PRICE_TICK, SIZE_LOT

DEFAULT_TICK_SIZE = Decimal("0.01")
LEARNED_LIMIT = 10_000
"""How many markets that the feed itself has announced are kept; the oldest leave first."""
_FIRST_NAMES = frozenset({"yes", "up"})
_SECOND_NAMES = frozenset({"no", "down"})


@attrs.frozen(kw_only=True)
class Market:
    """One two-outcome market.

    Attributes:
        slug: The venue's readable name of it.
        condition_id: The venue's id of it.
        yes_token: The token of the first outcome ("Yes", "Up", the first team).
        no_token: The token of the other outcome.
        tick_size: The price step of orders; None if not known.
        min_order_size: The smallest order, in shares; None if not known.
        neg_risk: Whether it is one of several of which one resolves to Yes; None if not known.
        fee_rate: The rate of the fee curve ``rate * p * (1 - p)`` a share; None if not known, 0
            where there are no fees.
    """

    slug: str
    condition_id: str
    yes_token: str
    no_token: str = attrs.field()
    tick_size: Decimal | None = attrs.field(default=None)
    min_order_size: Decimal | None = None
    neg_risk: bool | None = None
    fee_rate: Decimal | None = None

    @tick_size.validator
    def _tick_size_is_on_grid(self, _attribute: object, value: Decimal | None) -> None:
        if value is not None and (value <= 0 or not is_on_grid(value, PRICE_TICK)):
            raise ValueError(f"tick size {value}: expected a multiple of {PRICE_TICK}, above 0")

    @no_token.validator
    def _tokens_differ(self, _attribute: object, value: str) -> None:
        if value == self.yes_token:
            raise ValueError(f"market {self.slug}: both outcomes have the token {value}")


class _OutcomeLine(msgspec.Struct, frozen=True):
    token_id: str
    outcome: str


class _FeeConfig(msgspec.Struct, frozen=True):
    rate: Decimal = Decimal(0)
    exponent: Decimal = Decimal(1)


class _FeeParameters(msgspec.Struct, frozen=True):
    fees_enabled: bool = True
    raw_fee_config: _FeeConfig | None = None


class _MarketLine(msgspec.Struct, frozen=True):
    slug: str
    condition_id: str
    outcomes: list[_OutcomeLine]
    tick_size: Decimal | None = None
    min_order_size: Decimal | None = None
    neg_risk: bool | None = None
    fee_parameters: _FeeParameters | None = None


def read_markets(lines: Iterable[str]) -> tuple[Market, ...]:
    """Return the markets of a ``markets.jsonl``: one JSON object per line, empty lines skipped.

    Each line has ``slug``, ``condition_id`` and two ``outcomes`` (``token_id``, ``outcome``), and
    may have ``tick_size``, ``min_order_size``, ``neg_risk`` and ``fee_parameters``
    (``fees_enabled``, ``raw_fee_config`` with ``rate`` and the ``exponent`` 1).

    Raises:
        ValueError: If a line is malformed; the text has its number, from 1.
    """
    markets = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                markets.append(_market(msgspec.json.decode(line, type=_MarketLine)))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error
    return tuple(markets)


def _market(line: _MarketLine) -> Market:
    yes, no = yes_and_no(
        [outcome.outcome for outcome in line.outcomes],
        [outcome.token_id for outcome in line.outcomes],
    )
    return Market(
        slug=line.slug,
        condition_id=line.condition_id,
        yes_token=yes,
        no_token=no,
        tick_size=line.tick_size,
        min_order_size=line.min_order_size,
        neg_risk=line.neg_risk,
        fee_rate=_fee_rate(line.fee_parameters),
    )


def _fee_rate(parameters: _FeeParameters | None) -> Decimal | None:
    if parameters is None:
        return None
    if not parameters.fees_enabled or parameters.raw_fee_config is None:
        return Decimal(0)
    if parameters.raw_fee_config.exponent != 1:
        raise ValueError(
            f"exponent of fees: expected 1, found {parameters.raw_fee_config.exponent}"
        )
    return parameters.raw_fee_config.rate


def yes_and_no(outcomes: Sequence[str], tokens: Sequence[str]) -> tuple[str, str]:
    """Return the tokens of the YES and the NO outcome.

    The first outcome is YES, unless the names say that it is the other way round.

    Raises:
        ValueError: If there are not two outcomes with one token each.
    """
    if len(outcomes) != 2 or len(tokens) != 2:
        raise ValueError(
            f"expected two outcomes with one token each, found {len(outcomes)} and {len(tokens)}"
        )
    first, second = (name.casefold() for name in outcomes)
    if first in _SECOND_NAMES and second in _FIRST_NAMES:
        return tokens[1], tokens[0]
    return tokens[0], tokens[1]


def slug_names(markets: Iterable[Market]) -> dict[str, str]:
    """Return readable instrument ids by token: ``<slug>-YES`` and ``<slug>-NO``."""
    names: dict[str, str] = {}
    for market in markets:
        names[market.yes_token] = f"{market.slug}-{Outcome.YES}"
        names[market.no_token] = f"{market.slug}-{Outcome.NO}"
    return names


class Tokens:
    """Makes instruments of tokens, when they are first seen.

    Both tokens of a market whose metadata are known are made together, YES first, so that each can
    name the other as its complement.
    """

    def __init__(
        self, instruments: Instruments, markets: Iterable[Market], names: Mapping[str, str]
    ) -> None:
        self._instruments = instruments
        self._names = names
        self._configured = _by_token(markets)
        self._learned: dict[str, Market] = {}
        self._index: dict[str, int] = {}

    def market(self, token: str) -> Market | None:
        """Return the metadata of a token's market, or None."""
        return self._configured.get(token) or self._learned.get(token)

    def learn(self, market: Market) -> None:
        """Remember a market that the feed has announced; configured ones stay as they are."""
        for token in (market.yes_token, market.no_token):
            self._learned.setdefault(token, market)
        while len(self._learned) > 2 * LEARNED_LIMIT:
            del self._learned[next(iter(self._learned))]

    def known(self, token: str) -> int | None:
        """Return the index of a token that has been seen, or None."""
        return self._index.get(token)

    def is_ours(self, token: str) -> bool:
        """Return whether a token has been seen or is configured, rather than a stranger's."""
        return token in self._index or token in self._configured

    def index(
        self,
        token: str,
        condition_id: str,
        tick_size: Decimal | None = None,
        min_order_size: Decimal | None = None,
    ) -> int:
        """Return the index of a token, making its instrument if it is new.

        Args:
            token: The venue's id of the token.
            condition_id: The market that the message names.
            tick_size: The price step that the message names; metadata come first.
            min_order_size: The smallest order that the message names; metadata come first.
        """
        index = self._index.get(token)
        if index is not None:
            return index
        market = self.market(token)
        alone = Instrument(
            id=self._id(token),
            venue="polymarket",
            symbol=token,
            tick=PRICE_TICK,
            lot=SIZE_LOT,
            order_tick=(market and market.tick_size) or tick_size or DEFAULT_TICK_SIZE,
            min_quantity=(market and market.min_order_size) or min_order_size or Decimal(0),
            currency="USDC",
            can_short=False,
            market=condition_id,
            fee_rate=None if market is None else market.fee_rate,
        )
        for instrument in (alone,) if market is None else self._pair(market, alone):
            self._index[instrument.symbol] = self._instruments.add(instrument)
        return self._index[token]

    def _pair(self, market: Market, alone: Instrument) -> tuple[Instrument, Instrument]:
        yes, no = self._id(market.yes_token), self._id(market.no_token)
        evolve = attrs.evolve
        return (
            evolve(alone, id=yes, symbol=market.yes_token, outcome=Outcome.YES, complement=no),
            evolve(alone, id=no, symbol=market.no_token, outcome=Outcome.NO, complement=yes),
        )

    def _id(self, token: str) -> InstrumentId:
        return InstrumentId(self._names.get(token, token))


def _by_token(markets: Iterable[Market]) -> dict[str, Market]:
    by_token: dict[str, Market] = {}
    for market in markets:
        by_token[market.yes_token] = market
        by_token[market.no_token] = market
    return by_token
