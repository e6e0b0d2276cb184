"""What a simulated venue's desk asks of whoever matches its orders."""

from abc import ABC, abstractmethod

from actors.brokers.market.shown import Bar, ShownRow
from actors.brokers.market.venue_market import VenueMarket
from actors.brokers.matching.reports import Reporter
from actors.brokers.open_orders.open_order import OpenOrder
from actors.messages.trading import ExecutionReport

Reports = list[ExecutionReport]


class Matcher(ABC):
    """How orders trade against the market."""

    is_ordered = False
    """Whether orders meet a bar in the order of :meth:`in_order`."""

    def __init__(self, market: VenueMarket, reporter: Reporter) -> None:
        self.market = market
        """What the venue shows; a broker that is restarted exchanges it for the old one."""
        self.reporter = reporter

    @abstractmethod
    def refusal(self, held: OpenOrder) -> str | None:
        """Return why the venue does not accept an order that has just come, or None."""

    @abstractmethod
    def take(self, held: OpenOrder, now_ns: int) -> Reports | None:
        """Let an order take what it can get now; None if no price is known, or not yet.

        What is left of it takes again at the next price, or rests if ``held.takes`` is False.
        """

    @abstractmethod
    def price_for_stops(self, held: OpenOrder) -> int | None:
        """Return the price in ticks that may wake a stop order that has just come, or None."""

    @abstractmethod
    def is_reached(self, held: OpenOrder, shown: ShownRow) -> bool:
        """Return whether a row comes to the limit of a resting order."""

    @abstractmethod
    def provide(self, held: OpenOrder, shown: ShownRow, now_ns: int) -> Reports:
        """Let a resting order trade at a row that reaches it."""

    def end(self) -> None:
        """Take notice that nothing more will be shown."""
        return

    def go_on(self) -> None:
        """Take notice that more will be shown after all."""
        return

    def take_bar(self, held: OpenOrder, bar: Bar, now_ns: int) -> Reports:
        """Let an order take from the bar that has just been shown."""
        return self.take(held, now_ns) or []

    def take_woken(self, held: OpenOrder, bar: Bar, stop: int, now_ns: int) -> Reports | None:
        """Let an order take that the bar has just woken, at its stop in ticks."""
        return self.take(held, now_ns)

    def defers(self, held: OpenOrder) -> bool:
        """Return whether an order that may not rest has to wait for its moment all the same."""
        return False

    def is_filled(self, held: OpenOrder, shown: ShownRow) -> bool:
        """Return whether a public trade that is no price fills a resting order."""
        return False

    def in_order(self, bar: Bar, orders: list[OpenOrder]) -> list[OpenOrder]:
        """Return orders in the order in which they meet a bar."""
        return orders
