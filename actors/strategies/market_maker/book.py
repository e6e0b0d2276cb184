"""What a market maker knows of its own quotes in one instrument."""

from decimal import Decimal

from actors.messages.market import Quote
from actors.messages.trading import OrderUpdate
from actors.model.money import ZERO
from actors.model.order import OrderStatus, Side

_REMEMBERED = 1000
"""How many orders' fills are kept in mind, for those that come late."""
Known = tuple[dict[str, Decimal], dict[str, Decimal], dict[str, Decimal]]
_AT_REST = (OrderStatus.WORKING, OrderStatus.PARTIALLY_FILLED)


class Resting:
    """One of its orders, from the wish to the end."""

    __slots__ = ("filled", "is_known", "is_settled", "order_id", "price", "quantity")

    def __init__(self, order_id: str, price: Decimal, quantity: Decimal) -> None:
        self.order_id = order_id
        self.price: Decimal | None = price
        """None if it is not known whether a change has taken place."""
        self.quantity = quantity
        """What the whole order is for, with what has been filled."""
        self.filled = ZERO
        self.is_known = False
        """Whether the venue has it."""
        self.is_settled = False
        """Whether no change or cancel of it is under way."""

    def updated(self, update: OrderUpdate) -> None:
        """Take the order manager's word."""
        self.filled = update.filled_quantity
        if update.status in _AT_REST:
            if self.is_known and not self.is_settled and update.reason:
                self.price = None  # the venue has refused a change or a cancel, and says why
            self.is_known = self.is_settled = True
            self.quantity = update.quantity
        else:
            self.is_settled = False


class QuotedMarket:
    """One instrument: the market's last quote, and our own two."""

    __slots__ = ("asked_ns", "is_over", "is_synced", "latest", "own", "quoted_twice")

    def __init__(self) -> None:
        self.latest: Quote | None = None
        """None if there is none that may be used."""
        self.is_synced = True
        self.is_over = False
        self.own: dict[Side, Resting] = {}
        self.quoted_twice: int | None = None
        """Twice the fair price, in ticks, that our quotes are around."""
        self.asked_ns = 0
        """When they were last made to follow."""

    def side_of(self, order_id: str) -> Side | None:
        """Return the side of one of our quotes; None if it is none."""
        return next((side for side, own in self.own.items() if own.order_id == order_id), None)


class Exposure:
    """Positions, and fills that are known before the positions that follow from them.

    The portfolio tells positions, the order manager fills; nobody says which comes first.
    """

    __slots__ = ("_ahead", "_filled", "_position")

    def __init__(self) -> None:
        self._ahead: dict[str, Decimal] = {}
        self._filled: dict[str, Decimal] = {}
        self._position: dict[str, Decimal] = {}

    def updated(self, update: OrderUpdate) -> None:
        """Take notice of an order's fills."""
        new = update.filled_quantity - self._filled.get(update.client_order_id, ZERO)
        if new:
            self._filled[update.client_order_id] = update.filled_quantity
            self._shift(update.instrument, update.side.sign * new)
        if update.status.is_terminal:
            self._forget_oldest()

    def position_changed(self, instrument: str, quantity: Decimal) -> None:
        """Take notice of a position."""
        self._shift(instrument, self._position.get(instrument, ZERO) - quantity)
        self._position[instrument] = quantity

    def held(self, instrument: str) -> tuple[Decimal, Decimal]:
        """Return the highest and the lowest that a position may be."""
        position = self._position.get(instrument, ZERO)
        other = position + self._ahead.get(instrument, ZERO)
        return max(position, other), min(position, other)

    def known(self) -> Known:
        """Return what it knows: fills ahead of positions, filled quantities, positions."""
        return dict(self._ahead), dict(self._filled), dict(self._position)

    def know(self, known: Known) -> None:
        """Know what :meth:`known` has returned, and nothing else."""
        self._ahead, self._filled, self._position = (dict(each) for each in known)

    def settle(self) -> None:
        """Take every fill as told of by the positions."""
        self._ahead.clear()

    def _shift(self, instrument: str, quantity: Decimal) -> None:
        self._ahead[instrument] = self._ahead.get(instrument, ZERO) + quantity

    def _forget_oldest(self) -> None:
        if len(self._filled) > _REMEMBERED:
            del self._filled[next(iter(self._filled))]
