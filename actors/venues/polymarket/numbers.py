"""Polymarket's decimal strings as exact integers."""

from decimal import Decimal, InvalidOperation
from functools import lru_cache

from actors.model.money import to_steps

PRICE_TICK = Decimal("0.0001")
"""The finest price step of any market: every tick size is a multiple of it."""
SIZE_LOT = Decimal("0.000001")
"""Shares have six decimals on chain."""
ONE_TICKS = 10_000
"""A price of 1, which a winning token pays, in ticks."""
MAX_LOTS = 1 << 53
_MAX_MILLISECONDS = 9_000_000_000_000
_NANOSECONDS_PER_MILLISECOND = 1_000_000


@lru_cache(maxsize=1 << 14)
def price_ticks(text: str) -> int:
    """Return a price, 0 to 1 USDC, in ticks.

    Raises:
        ValueError: If it is no number, outside of 0 to 1, or off the grid.
    """
    try:
        ticks = to_steps(Decimal(text), PRICE_TICK)
    except (InvalidOperation, ValueError) as error:
        raise ValueError(f"price {text!r}: expected a multiple of {PRICE_TICK}") from error
    if not 0 <= ticks <= ONE_TICKS:
        raise ValueError(f"price {text!r}: expected 0 to 1")
    return ticks


def size_lots(text: str) -> int:
    """Return a number of shares in lots.

    Raises:
        ValueError: If it is no number, negative, too large for a column, or off the grid.
    """
    try:
        lots = to_steps(Decimal(text), SIZE_LOT)
    except (InvalidOperation, ValueError) as error:
        raise ValueError(f"size {text!r}: expected a multiple of {SIZE_LOT}") from error
    if not 0 <= lots <= MAX_LOTS:
        raise ValueError(f"size {text!r}: expected 0 to {MAX_LOTS * SIZE_LOT}")
    return lots


@lru_cache(maxsize=64)
def tick_size(text: str) -> Decimal:
    """Return the price step of orders.

    Raises:
        ValueError: If it is no number, not above 0, or not a multiple of ``PRICE_TICK``.
    """
    if price_ticks(text) == 0:
        raise ValueError(f"tick size {text!r}: expected above 0")
    return Decimal(text)


def milliseconds_ns(text: str) -> int:
    """Return a time given in milliseconds since 1970 in nanoseconds.

    Raises:
        ValueError: If it is not a whole number of milliseconds that nanoseconds can express.
    """
    if not (text.isascii() and text.isdigit()) or int(text[:20]) > _MAX_MILLISECONDS:
        raise ValueError(f"timestamp {text!r}: expected milliseconds since 1970")
    return int(text) * _NANOSECONDS_PER_MILLISECOND
