"""What has moved, or may be moving, between our books and the venue's since the rounds before."""

from collections.abc import Iterable
from decimal import Decimal

from actors.messages.trading import Fill
from actors.model.money import ZERO
from actors.model.order import Order, Side
from actors.portfolio.books.exact import add, multiply
from actors.portfolio.books.ledger import Ledger
from actors.portfolio.claims.alternatives import Claim
from actors.portfolio.claims.reservations import Reservations


class _Interval:
    """From one round to the next.

    Attributes:
        instruments: Those of which something was booked.
        currencies: Those of which cash moved.
        up: By instrument, units that the venue may count more than we do: fills of orders that
            have ended here may be on their way, sales that are booked here may be younger than
            what the venue has told.
        down: The same the other way round.
        notional: What all of that is worth, in whatever currency.
    """

    __slots__ = ("currencies", "down", "instruments", "notional", "up")

    def __init__(self) -> None:
        self.instruments: set[str] = set()
        self.currencies: set[str] = set()
        self.up: dict[str, Decimal] = {}
        self.down: dict[str, Decimal] = {}
        self.notional = ZERO


class UnderWay:
    """Keeps the two latest intervals between rounds; bounded by the instruments there are."""

    def __init__(self, ledger: Ledger, reservations: Reservations) -> None:
        self._ledger = ledger
        self._reservations = reservations
        self._now = _Interval()
        self._before = _Interval()

    def next_round(self) -> None:
        """Begin another interval."""
        self._before = self._now
        self._now = _Interval()

    # --- what happens ----------------------------------------------------------------------------

    def filled(self, fill: Fill) -> None:
        """Take notice of a fill that was booked."""
        now = self._now
        quantity = fill.last_quantity
        now.instruments.add(fill.instrument)
        position = self._ledger.position((fill.strategy, fill.instrument))
        now.currencies.add(position.purse.currency)
        way = now.down if fill.side is Side.BUY else now.up
        way[fill.instrument] = add(way.get(fill.instrument, ZERO), quantity)
        now.notional = add(now.notional, multiply(quantity, fill.last_price))

    def ended(self, claim: Claim) -> None:
        """Take notice of an order that has ended with something left: a fill may come late."""
        now = self._now
        quantity = claim.counted()
        way = now.up if claim.is_buy else now.down
        instrument = claim.order.instrument
        way[instrument] = add(way.get(instrument, ZERO), quantity)
        now.notional = add(now.notional, multiply(quantity, _price(claim.order)))

    def moved(self, currency: str, instrument: str = "") -> None:
        """Take notice of cash that came or went without a fill, or with one that was taken back."""
        self._now.currencies.add(currency)
        if instrument:
            self._now.instruments.add(instrument)

    # --- looking ---------------------------------------------------------------------------------

    def is_quiet(self, instrument: str) -> bool:
        """Return whether no fill of an instrument was booked in the two intervals."""
        return all(instrument not in each.instruments for each in self._intervals)

    def is_cash_quiet(self, currency: str) -> bool:
        """Return whether no cash of a currency has moved in the two intervals."""
        return all(currency not in each.currencies for each in self._intervals)

    def explains(self, instrument: str, difference: Decimal) -> bool:
        """Return whether fills under way could be why the venue's position is so much greater."""
        working = self._reservations.known(None, instrument)
        up, down = (ZERO, ZERO) if working is None else (working.buying, working.selling)
        for each in self._intervals:
            up = add(up, each.up.get(instrument, ZERO))
            down = add(down, each.down.get(instrument, ZERO))
        return down.copy_negate() <= difference <= up

    def explains_cash(self, difference: Decimal) -> bool:
        """Return whether fills under way could be why a balance differs: generously, by twice.

        Prices may be better than the limits, and there are fees.
        """
        notional = ZERO
        for each in self._intervals:
            notional = add(notional, each.notional)
        for claim in self._reservations.claims():
            notional = add(notional, multiply(claim.counted(), _price(claim.order)))
        return difference.copy_abs() <= add(notional, notional)

    @property
    def _intervals(self) -> Iterable[_Interval]:
        return self._now, self._before


def _price(order: Order) -> Decimal:
    """Return what one unit may cost, as far as the order says."""
    for price in (order.limit_price, order.stop_price, order.arrival_price):
        if price is not None:
            return price
    return ZERO
