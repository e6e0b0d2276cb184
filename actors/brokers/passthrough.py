"""The passthrough broker: every order fills at once, whole and free of charge."""

from decimal import Decimal

import attrs

from actors.actor import Context
from actors.brokers.market.shown import ShownRow
from actors.brokers.market.venue_market import VenueMarket
from actors.brokers.matching.matcher import Matcher, Reports
from actors.brokers.matching.reports import Reporter
from actors.brokers.models.commission import NoCommission
from actors.brokers.open_orders.open_order import OpenOrder
from actors.brokers.venue import Venue
from actors.brokers.venue_terms import VenueTerms
from actors.model.instrument import Instruments
from actors.model.money import ZERO
from actors.model.order import Liquidity


@attrs.frozen(kw_only=True)
class PassthroughBrokerConfig:
    """The name in the reports; there is nothing else to choose."""

    venue: str = "passthrough"


class PassthroughBroker(Venue):
    """Fills an order at its limit, or at the last price: a trade, a bar's close, a quote's middle.

    A market order that finds no price waits for one; it is never filled at 0. Good for trying out
    what decides, not for judging what it earns.
    """

    def __init__(
        self,
        context: Context,
        instruments: Instruments,
        config: PassthroughBrokerConfig | None = None,
    ) -> None:
        config = config or PassthroughBrokerConfig()
        matcher = PassthroughMatcher(instruments, config)
        super().__init__(context, instruments, matcher, VenueTerms())


class PassthroughMatcher(Matcher):
    """Gives everybody what they ask for; stop orders sleep until their time has come."""

    def __init__(self, instruments: Instruments, config: PassthroughBrokerConfig) -> None:
        market = VenueMarket(instruments, keeps_books=False)
        super().__init__(market, Reporter(config.venue, NoCommission()))
        self._instruments = instruments

    def refusal(self, held: OpenOrder) -> str | None:
        """Refuse a limit that is no price."""
        if held.limit is None or held.limit > 0:
            return None
        return f"expected a limit price above 0, found {held.order.limit_price}"

    def take(self, held: OpenOrder, now_ns: int) -> Reports | None:
        """Fill the whole order, if it has a limit or there is a price."""
        price = held.order.limit_price
        if price is None:
            price = self._last_price(held.index)
            if price is None:
                return None
        amount = (price, held.instrument.lot * held.leaves, Liquidity.TAKER)
        held.leaves = 0
        held.trades += 1
        return [self.reporter.trade(held, amount, now_ns)]

    def price_for_stops(self, held: OpenOrder) -> int | None:
        """Return the best price on the other side, if there is one."""
        ticks, lots = self.market.best(held.index, held.sign)
        return ticks if lots and not self.market.is_gapped(held.index) else None

    def is_reached(self, held: OpenOrder, shown: ShownRow) -> bool:
        """Return False: no order rests here."""
        return False

    def provide(self, held: OpenOrder, shown: ShownRow, now_ns: int) -> Reports:
        """Return nothing: no order rests here."""
        return []

    def _last_price(self, index: int) -> Decimal | None:
        """Return the last price, exactly; None if there is none, or only one side of a quote."""
        top = self.market.top(index)
        if self.market.is_gapped(index) or not (top.bid_lots and top.ask_lots):
            return None
        price = self._instruments[index].tick * (top.bid + top.ask) / 2
        return price if price > ZERO else None
