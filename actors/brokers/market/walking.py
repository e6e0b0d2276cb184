"""Walking a book: which levels an order takes, and how much of each."""

from collections.abc import Iterable
from enum import StrEnum

PriceLevel = tuple[int, int]
"""``(ticks, lots)``; lots below 0 are unlimited."""


class FillModel(StrEnum):
    """How much of what is shown an order gets."""

    BOOK_WALK = "book_walk"
    """What the sizes shown allow."""
    SPLIT_30 = "split_30"
    """Everything at the best price: at once if enough is shown there, else 30 % and then the rest.

    The rest fills although nobody offers it: an optimistic model, for comparison with systems that
    have it.
    """


_FIRST_PART = (3, 10)


def is_within(ticks: int, limit_ticks: int | None, sign: int) -> bool:
    """Return whether a price is as good as a limit or better; ``sign`` is +1 to buy, -1 to sell."""
    return limit_ticks is None or (limit_ticks - ticks) * sign >= 0


def walk(
    levels: Iterable[PriceLevel], lots: int, sign: int, limit_ticks: int | None = None
) -> list[PriceLevel]:
    """Return what an order takes, level by level.

    Args:
        levels: The other side of the book, best price first.
        lots: How much is wanted; above 0.
        sign: +1 to buy, -1 to sell.
        limit_ticks: The worst price that will do; None for any.

    Returns:
        ``(ticks, lots)`` of each trade, in the order of the levels; less than ``lots`` in sum if
        the levels within the limit hold less.
    """
    taken: list[PriceLevel] = []
    for ticks, size in levels:
        if limit_ticks is not None and (limit_ticks - ticks) * sign < 0:
            break
        part = lots if size < 0 or size > lots else size
        if part:
            taken.append((ticks, part))
            lots -= part
        if not lots:
            break
    return taken


def split(shown: int, lots: int) -> list[int]:
    """Return the lots of each trade under ``split_30``; less than a lot is no trade.

    Args:
        shown: How many lots are shown at the price, below 0 if nobody knows.
        lots: How many are wanted; above 0.
    """
    if shown < 0 or shown >= lots:
        return [lots]
    share, of = _FIRST_PART
    first = lots * share // of
    return [part for part in (first, lots - first) if part]
