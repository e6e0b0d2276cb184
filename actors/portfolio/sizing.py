"""How much a signal asks for."""

from decimal import Decimal

from actors.messages.trading import Signal, Violation
from actors.model.money import plain, round_down
from actors.model.order import Side
from actors.portfolio.account import Account
from actors.portfolio.exact import subtract

_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it


def signed_quantity(signal: Signal, account: Account, lot: Decimal) -> Decimal | Violation:
    """Return what to buy (above 0) or sell (below 0), in whole lots, rounded towards zero.

    A target asks for the way from the strategy's position, its working orders counted as filled;
    0 means that it is met, to within a lot. A quantity below one lot is a violation.
    """
    if signal.target is not None:
        expected = account.expected_position((signal.strategy, signal.instrument))
        return round_down(subtract(signal.target, expected), lot)
    quantity = signal.quantity
    if quantity is None or signal.side is None or quantity <= 0:
        found = "none" if quantity is None else plain(quantity)
        return Violation("Size", "a side and a quantity above 0, or a target", found)
    if quantity % lot:
        found = plain(quantity)
        quantity = round_down(quantity, lot)
        if not quantity:
            return Violation("Size", f"one lot of {plain(lot)} or more", found)
    return quantity if signal.side is _BUY else -quantity
