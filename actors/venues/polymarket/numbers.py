"""Polymarket's decimal strings as exact integers."""

from decimal import Decimal

from actors.model.grid import PRICE_LIMIT, Grid
from actors.model.timestamps import TIME_LIMIT_NS

PRICE_TICK = Decimal("0.0001")
"""The finest price step of any market: every tick size is a multiple of it."""
SIZE_LOT = Decimal("0.000001")
"""Shares have six decimals on chain."""
ONE_TICKS = 10_000
"""A price of 1, which a winning token pays, in ticks."""

_PRICES = Grid(PRICE_TICK, ONE_TICKS + 1)
_SIZES = Grid(SIZE_LOT, PRICE_LIMIT)
_NANOSECONDS_PER_MILLISECOND = 1_000_000
_MAX_DIGITS = 13


def price_ticks(text: str) -> int:
    """Return a price, 0 to 1 USDC, in ticks.

    Raises:
        ValueError: If it is no number, outside of 0 to 1, or off the grid.
    """
    try:
        return _PRICES[text]
    except ValueError as error:
        raise ValueError(f"price {text[:40]!r}: {error}") from error


def size_lots(text: str) -> int:
    """Return a number of shares in lots.

    Raises:
        ValueError: If it is no number, negative, too large for a column, or off the grid.
    """
    try:
        return _SIZES[text]
    except ValueError as error:
        raise ValueError(f"size {text[:40]!r}: {error}") from error


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
    if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS:
        time_ns = int(text) * _NANOSECONDS_PER_MILLISECOND
        if time_ns < TIME_LIMIT_NS:
            return time_ns
    raise ValueError(f"timestamp {text[:40]!r}: expected milliseconds since 1970")
