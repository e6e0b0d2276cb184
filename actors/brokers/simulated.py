"""The simulated broker: orders match against the recorded or generated market."""

from actors.actor import Context
from actors.brokers.matching.book_matcher import BookMatcher as BookMatcher
from actors.brokers.simulated_config import SimulatedBrokerConfig as SimulatedBrokerConfig
from actors.brokers.venue import Venue
from actors.brokers.venue_terms import VenueTerms
from actors.model.instrument import Instruments


class SimulatedBroker(Venue):
    """A venue that matches orders against the market as it was.

    - What takes walks the book, or fills against the best quote, up to the sizes shown; what it
      takes is gone for a while (``consumption``). Without quotes, a public trade's price has room
      for everything. The market does not notice our orders beyond that.
    - What rests trades at its limit when a later quote or trade reaches it, up to the size quoted;
      with ``queue``, also when public trades have used up what was ahead of it.
    - What is left of a market order takes again at each next quote; so does an order that found no
      price or a book with a gap, once.
    - A stop order sleeps until an ask (to buy), a bid (to sell), a public trade or a bar is at its
      stop or beyond; then it is a market or a limit order.
    - In bars, orders trade by one of the policies of :mod:`actors.brokers.matching.bar_fills`.
    """

    def __init__(
        self,
        context: Context,
        instruments: Instruments,
        config: SimulatedBrokerConfig | None = None,
    ) -> None:
        config = config or SimulatedBrokerConfig()
        matcher = BookMatcher(instruments, config)
        terms = VenueTerms(
            latency=config.latency,
            capabilities=config.capabilities,
            emulated=frozenset(config.emulate),
            regimes=config.regimes,
            settlement=config.settlement,
        )
        super().__init__(context, instruments, matcher, terms)
