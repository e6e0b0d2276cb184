"""One order as a simulated venue holds it."""

import msgspec

from actors.messages.market import NO_PRICE
from actors.model.instrument import Instrument
from actors.model.order import Order, TimeInForce

_GTC = TimeInForce.GTC
_GTD = TimeInForce.GTD


class OpenOrder(msgspec.Struct, eq=False, gc=False):
    """An order at the venue.

    Attributes:
        order: What was asked.
        instrument: Of what.
        index: The instrument's index.
        sign: +1 to buy, -1 to sell.
        limit: The worst price in ticks, None for market orders.
        leaves: What is still to trade, in lots.
        number: Grows from order to order: who came first.
        takes: Whether it takes what it gets: True for a market order, and for one that has found
            no price yet. A limit order that rests provides.
        trades: How many trades it has had; numbers their ids.
        stop: The price in ticks that wakes it; None if it is awake.
        turn: How often it had to queue up anew: when it woke, and when it was replaced.
    """

    order: Order
    instrument: Instrument
    index: int
    sign: int
    limit: int | None
    leaves: int
    number: int
    takes: bool = True
    trades: int = 0
    stop: int | None = None
    turn: int = 0

    @property
    def may_rest(self) -> bool:
        """Return whether what does not trade at once stays."""
        in_force = self.order.time_in_force
        return in_force is _GTC or in_force is _GTD

    @property
    def reach(self) -> int:
        """Return the worst price in ticks at which it reacts.

        A limit order that waits for a price reacts to any row, also to an empty side; a market
        order to any price.
        """
        if self.limit is None:
            return NO_PRICE - 1 if self.sign > 0 else 1
        if self.takes:
            return NO_PRICE if self.sign > 0 else 0
        return self.limit
