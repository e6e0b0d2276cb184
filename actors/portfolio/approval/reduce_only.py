"""Orders that may only make a position smaller: how much they may, and when nothing is left."""

from decimal import Decimal

from actors.messages.trading import CancelOrder, Fill, Violation
from actors.model.money import ZERO, plain, round_down
from actors.model.order import Order, Side
from actors.portfolio.account import Account, Stake
from actors.portfolio.books.positions import Key
from actors.portfolio.claims.room import Room, closable

_SELL = Side.SELL  # on Python 3.11, looking a member up takes longer than comparing it
NOTHING_LEFT = "reduce only: nothing is left to reduce"


class ReduceOnly:
    """The reduce-only orders of an account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.watched: dict[str, Key] = {}
        """Whose position each order reduces, by order; not to be changed."""
        self._orders: dict[Key, dict[str, Order]] = {}

    def add(self, order: Order) -> None:
        """Watch over an order."""
        key = (order.strategy, order.instrument)
        self.watched[order.client_order_id] = key
        self._orders.setdefault(key, {})[order.client_order_id] = order

    def forget(self, client_order_id: str) -> None:
        """Watch no more over an order."""
        key = self.watched.pop(client_order_id, None)
        if key is not None:
            orders = self._orders[key]
            del orders[client_order_id]
            if not orders:
                del self._orders[key]

    def after_fill(self, fill: Fill) -> list[CancelOrder]:
        """Return the cancels of the orders that have nothing left to reduce, once each.

        Those that wait for their parent have not begun; the alternatives of what has filled are the
        order manager's to end.
        """
        key = (fill.strategy, fill.instrument)
        orders = self._orders.get(key)
        if not orders:
            return []
        filled = orders.get(fill.client_order_id)
        group = "" if filled is None else filled.group
        held = self._account.ledger.position(key).quantity
        cancels: list[CancelOrder] = []
        for order_id, order in list(orders.items()):
            claim = self._account.reservations.claim(order_id)
            if claim is None:
                self.forget(order_id)
                continue
            if claim.filled_by_parent is not None or (group and order.group == group):
                continue
            if not _reduces(order, held):
                self.forget(order_id)
                cancels.append(
                    CancelOrder(
                        client_order_id=order_id, strategy=order.strategy, reason=NOTHING_LEFT
                    )
                )
        return cancels


def _reduces(order: Order, held: Decimal) -> bool:
    """Return whether an order would make a position smaller."""
    return held > ZERO if order.side is _SELL else held < ZERO


def reduced(signed: Decimal, stake: Stake, room: Room) -> Decimal:
    """Return what of a quantity reduces the strategy's position, in whole lots, with its sign."""
    is_buy = signed > ZERO
    most = closable(stake.position.quantity, stake.working, room, is_buy=is_buy)
    if most <= ZERO:
        return ZERO
    quantity = round_down(min(signed.copy_abs(), most), stake.instrument.lot)
    return quantity if is_buy else quantity.copy_negate()


def nothing_to_reduce(signed: Decimal, stake: Stake) -> Violation:
    """Return why an order that may only reduce was refused."""
    wanted = "a short to buy back" if signed > ZERO else "a position to sell"
    found = f"{plain(stake.position.quantity)} held, "
    found += f"{plain(stake.working.buying if signed > ZERO else stake.working.selling)} closing"
    return Violation("ReduceOnly", wanted, found)
