"""How much a signal asks for."""

from decimal import Decimal

from actors.messages.trading import Signal, Violation
from actors.model.money import ZERO, plain, round_down
from actors.model.order import Side
from actors.portfolio.account import Stake
from actors.portfolio.books.exact import add, subtract

_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it


def signed_quantity(signal: Signal, stake: Stake) -> Decimal | None:
    """Return what to buy (above 0) or sell (below 0), in whole lots, rounded towards zero.

    A target asks for the way from the strategy's position, its working orders counted as filled;
    0 means that it is met, to within a lot. None means that it is no quantity, or below one lot:
    :func:`size_violation`.
    """
    lot = stake.instrument.lot
    if signal.target is not None:
        return round_down(subtract(signal.target, _expected_position(stake)), lot)
    quantity = signal.quantity
    if quantity is None or signal.side is None or quantity <= ZERO:
        return None
    if quantity % lot:
        quantity = round_down(quantity, lot)
        if not quantity:
            return None
    return quantity if signal.side is _BUY else -quantity


def _expected_position(stake: Stake) -> Decimal:
    """Return what the strategy will hold when all its working orders have filled."""
    working = stake.working
    held = stake.position.quantity
    if working.buying or working.selling:
        return add(held, subtract(working.buying, working.selling))
    return held


def size_violation(signal: Signal, stake: Stake) -> Violation:
    """Return what is wrong with a signal that has no :func:`signed_quantity`."""
    quantity = signal.quantity
    if quantity is None or signal.side is None or quantity <= ZERO:
        found = "none" if quantity is None else plain(quantity)
        return Violation("Size", "a side and a quantity above 0, or a target", found)
    return Violation("Size", f"one lot of {plain(stake.instrument.lot)} or more", plain(quantity))


def no_price(signed: Decimal, price: Decimal | None) -> Violation:
    """Return why an order of a size cannot be weighed."""
    wanted = "an ask to buy at" if signed > ZERO else "a bid to sell at"
    return Violation("NoPrice", wanted, "none" if price is None else plain(price))
