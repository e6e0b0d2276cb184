"""Watches spreads, sizes and pairs of outcomes, and tells when they are out of bounds."""

from decimal import Decimal

import attrs
from attrs.validators import ge, gt, optional

from actors.messages.alerts import Alert, AlertKind
from actors.messages.market import Quote
from actors.model.money import ONE, ZERO, plain
from actors.strategies.indicators import spread_bps
from actors.strategies.strategy import Strategy


class MarketAnalysis(Strategy):
    """Sends an :class:`Alert` when something begins to be unusual, and one when it is over.

    It trades nothing.
    """

    @attrs.frozen(kw_only=True)
    class Parameters:
        """What is unusual; None switches a rule off.

        Attributes:
            max_spread_bps: A wider spread, in basis points of the mid.
            min_quantity: Less than this at the best bid or the best ask, in units; sizes that the
                data do not tell count as enough.
            crossed: Whether to tell of a bid that is not below the ask.
            pair_band: YES and NO together bid or offered further from 1 than this.
        """

        max_spread_bps: Decimal | None = attrs.field(
            default=Decimal(200), validator=optional(gt(ZERO))
        )
        min_quantity: Decimal | None = attrs.field(default=None, validator=optional(gt(ZERO)))
        crossed: bool = True
        pair_band: Decimal | None = attrs.field(
            default=Decimal("0.05"), validator=optional(ge(ZERO))
        )

    parameters: Parameters

    def on_start(self) -> None:
        """Find nothing unusual yet."""
        self._raised: dict[tuple[str, AlertKind], bool] = {}
        self._latest: dict[str, Quote] = {}

    def on_quote(self, quote: Quote) -> None:
        """Check the quote, and the pair that it belongs to."""
        if self.parameters.crossed:
            self._check_crossed(quote)
        if self.parameters.max_spread_bps is not None:
            self._check_spread(quote, self.parameters.max_spread_bps)
        if self.parameters.min_quantity is not None:
            self._check_sizes(quote, self.parameters.min_quantity)
        if self.parameters.pair_band is not None and quote.instrument.complement is not None:
            self._check_pair(quote, self.parameters.pair_band)

    def _check_crossed(self, quote: Quote) -> None:
        is_crossed = quote.bid_lots != 0 and quote.bid_ticks >= quote.ask_ticks
        self._tell(quote, AlertKind.CROSSED, is_crossed, "bid {bid} is not below ask {ask}")

    def _check_spread(self, quote: Quote, most: Decimal) -> None:
        has_both = quote.bid_lots != 0 and quote.ask_lots != 0
        spread = spread_bps(quote.bid_ticks, quote.ask_ticks) if has_both else 0.0
