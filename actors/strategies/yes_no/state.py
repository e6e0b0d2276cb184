"""What the rules look at, frozen, and what they answer."""

from decimal import Decimal
from enum import IntEnum

import msgspec

from actors.model.instrument import Outcome
from actors.model.money import ZERO
from actors.model.order import Side

YES, NO = Outcome.YES, Outcome.NO
OTHER = {YES: NO, NO: YES}

_SIGNAL_TICKS = 1000


class Rank(IntEnum):
    """The rules in the order in which they are asked; the first that answers decides."""

    PROFIT_LOCK = 0
    STOP_LOSS = 1
    LEG = 2
    """An arbitrage of which only one leg was filled is completed or undone."""
    SYNTHETIC_ARBITRAGE = 3
    BOOTSTRAP = 4
    HEDGE = 5
    AVERAGE_DOWN = 6

    @property
    def rule(self) -> str:
        """Return the rule's name."""
        return self.name.lower()


SAFETY, INVENTORY, ORACLE, ARBITRAGE = 3, 2, 1, 0
"""The labels that signals carry as their ``priority``; they are names, not an order.

No signal carries the oracle's: it lets signals of the inventory through, and makes none.
"""

PRIORITIES = {
    Rank.PROFIT_LOCK: SAFETY,
    Rank.STOP_LOSS: SAFETY,
    Rank.LEG: SAFETY,
    Rank.SYNTHETIC_ARBITRAGE: ARBITRAGE,
    Rank.BOOTSTRAP: INVENTORY,
    Rank.HEDGE: INVENTORY,
    Rank.AVERAGE_DOWN: INVENTORY,
}


class Top(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The best bid and ask of one outcome, and what its orders must keep to.

    A price is None where nobody bids or offers, a size where the data do not tell it (any size is
    there). ``curve_fee_rate`` is the factor of ``price * (1 - price)`` in the taker's fee.
    """

    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    lot: Decimal = Decimal("0.01")
    min_size: Decimal = ZERO
    curve_fee_rate: Decimal = ZERO


class OracleView(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A second venue's price, how old it is, and what it is compared with (None: not known)."""

    price: Decimal
    age_ns: int = 0
    reference: Decimal | None = None


class MarketSnapshot(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Both books at one moment; a book that is not in sync, or not known, is None."""

    yes: Top | None = None
    no: Top | None = None
    oracle: OracleView | None = None

    @property
    def sync_status(self) -> bool:
        """Return whether both books may be used."""
        return self.yes is not None and self.no is not None

    def top(self, side: Outcome) -> Top:
        """Return the top of one side, of a snapshot that is in sync."""
        top = self.yes if side is YES else self.no
        assert top is not None
        return top


class PairPosition(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is held of one market.

    Attributes:
        Qy: Shares of YES.
        Qn: Shares of NO.
        Cy: What those of YES have cost, without fees.
        Cn: What those of NO have cost, without fees.
        fees: All fees paid in this market.
        realized: What sold, merged or redeemed shares have earned above their cost.
        pending_yes: Whether an order of YES is under way.
        pending_no: Whether an order of NO is under way.
    """

    Qy: Decimal = ZERO
    Qn: Decimal = ZERO
    Cy: Decimal = ZERO
    Cn: Decimal = ZERO
    fees: Decimal = ZERO
    realized: Decimal = ZERO
    pending_yes: bool = False
    pending_no: bool = False

    @property
    def locked_pairs(self) -> Decimal:
        """Return how many complete pairs are held; each pays 1."""
        return min(self.Qy, self.Qn)

    @property
    def guaranteed_profit(self) -> Decimal:
        """Return what is earned at least, whatever the outcome; a loss is below 0."""
        return self.locked_pairs - self.Cy - self.Cn - self.fees + self.realized

    @property
    def excess_side(self) -> Outcome | None:
        """Return the side of which more is held, if there is one."""
        if self.Qy == self.Qn:
            return None
        return YES if self.Qy > self.Qn else NO

    def quantity(self, side: Outcome) -> Decimal:
        """Return the shares held of a side."""
        return self.Qy if side is YES else self.Qn

    def average_cost(self, side: Outcome) -> Decimal:
        """Return what a share of a side has cost, without fees; 0 if none is held."""
        quantity, cost = (self.Qy, self.Cy) if side is YES else (self.Qn, self.Cn)
        return cost / quantity if quantity else ZERO

    def is_pending(self, side: Outcome) -> bool:
        """Return whether an order of a side is under way."""
        return self.pending_yes if side is YES else self.pending_no


class TradeSignal(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order that a rule asks for.

    Attributes:
        side: Which outcome.
        price: The limit, between 0 and 1.
        size: In shares.
        rank: The rule; lower ones come first.
        reason: Why, in words.
        action: BUY, or SELL to get out.
    """

    side: Outcome
    price: Decimal
    size: Decimal
    rank: Rank
    reason: str
    action: Side = Side.BUY

    @property
    def priority(self) -> int:
        """Return the label of the rule: 3 safety, 2 inventory, 0 arbitrage."""
        return PRIORITIES[self.rank]

    @property
    def ticks(self) -> int:
        """Return the price in thousandths, 0 to 1000, rounded to the nearest."""
        return int((self.price * _SIGNAL_TICKS).to_integral_value())


class OpenLeg(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An arbitrage of which one leg has filled more than the other.

    Attributes:
        side: The outcome that is held in excess.
        size: How much of it.
        paid: What a share of it cost, without fees.
        is_late: Whether the time to complete it without a loss is over.
    """

    side: Outcome
    size: Decimal
    paid: Decimal
    is_late: bool
