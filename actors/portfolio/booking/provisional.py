"""Provisional fills: traded, booked, but not settled; two balances, with them and without."""

from decimal import Decimal

import attrs

from actors.messages.account import PositionChanged
from actors.messages.trading import Fill, FillSettled
from actors.model.money import ZERO
from actors.model.order import Side
from actors.portfolio.books.exact import add, multiply, subtract
from actors.portfolio.books.ledger import Ledger, cause_id
from actors.portfolio.books.positions import Key
from actors.portfolio.config import PortfolioStatistics


def apply_word(
    ledger: Ledger, word: FillSettled, counts: PortfolioStatistics
) -> PositionChanged | None:
    """Take the venue's last word on a provisional fill; return the position if it was taken back.

    A word on a fill that is unknown, or that has had its word, is counted and changes nothing.
    """
    if not word.failed:
        counts.ignored_settlements += not ledger.confirm(word)
        return None
    changed = ledger.take_back(word)
    if changed is None:
        counts.ignored_settlements += 1
    else:
        counts.failed_fills += 1
    return changed


def failed_word(word: FillSettled) -> str:
    """Return what a settlement that answers a failed fill is called by."""
    return f"failed-{cause_id(word)}"


@attrs.frozen(kw_only=True)
class Unsettled:
    """What the provisional fills have moved.

    Attributes:
        cash: By currency, signed: what they brought.
        positions: By strategy and instrument, signed.
    """

    cash: dict[str, Decimal]
    positions: dict[Key, Decimal]


def unsettled(ledger: Ledger) -> Unsettled:
    """Return what would go back if every provisional fill failed.

    Of a future, whose fills are not paid for, the cash is the commission only.
    """
    cash: dict[str, Decimal] = {}
    positions: dict[Key, Decimal] = {}
    for fill in ledger.unsettled.values():
        key = (fill.strategy, fill.instrument)
        position = ledger.position(key)
        signed = _signed(fill)
        paid = fill.commission
        if position.margin is None:
            paid = add(paid, multiply(multiply(signed, fill.last_price), position.multiplier))
        currency = position.purse.currency
        cash[currency] = subtract(cash.get(currency, ZERO), paid)
        positions[key] = add(positions.get(key, ZERO), signed)
    return Unsettled(cash=cash, positions=positions)


def _signed(fill: Fill) -> Decimal:
    return fill.last_quantity if fill.side is Side.BUY else fill.last_quantity.copy_negate()
