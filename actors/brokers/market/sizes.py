"""How much of what a venue shows our orders may have, and when they may have it again."""

from decimal import Decimal
from enum import StrEnum

import attrs

from actors.brokers.market.walking import PriceLevel
from actors.model.money import ONE, ZERO


class Consumption(StrEnum):
    """How long what our orders have taken is gone from the recorded market."""

    UNTIL_QUOTE = "until_quote"
    """Until the instrument's next quote or bar, which shows it again."""
    PERSISTENT = "persistent"
    """As long as the price is shown: until the best quote has moved past it."""
    NONE = "none"
    """Never: two orders can take the same size."""


class Depth(StrEnum):
    """How many levels of a book an order may take."""

    WALK = "walk"
    """All of them, the best first."""
    BEST = "best"
    """Only the best one."""


@attrs.frozen(kw_only=True)
class SizeRules:
    """How much there is for our orders.

    Attributes:
        consumption: How long what they have taken is gone.
        half_life_ns: Of what is gone, half comes back in this time, in nanoseconds; 0 for nothing.
        depth: How many levels of a book they may take.
        max_share: Of a bar's volume, and of each size that is quoted, they may have this share,
            above 0 and at most 1, rounded down to the lot; None for all that is quoted, and for
            any quantity in a bar.
    """

    consumption: Consumption = Consumption.UNTIL_QUOTE
    half_life_ns: int = 0
    depth: Depth = Depth.WALK
    max_share: Decimal | None = None

    def share_of(self, lots: int) -> int:
        """Return how much of a size orders may have; of one that is not known (below 0), all."""
        if self.max_share is None or lots <= 0:
            return lots
        return int(lots * self.max_share // 1)

    def limited(self, level: PriceLevel) -> PriceLevel:
        """Return a level with what orders may have of it."""
        return level[0], self.share_of(level[1])


def is_share(_instance: object, attribute: "attrs.Attribute[Decimal]", value: Decimal) -> None:
    """Raise ValueError unless a number is above 0 and at most 1."""
    if not (value.is_finite() and ZERO < value <= ONE):
        expected = "a number above 0 and at most 1"
        raise ValueError(f"{attribute.name}: expected {expected}, found {value}")


def left_of(lots: int, elapsed_ns: int, half_life_ns: int) -> int:
    """Return how much of what was taken is still gone, rounded down.

    It is halved with each half-life, and falls along a straight line in between: whole numbers
    only, so that it is the same on every machine.

    Args:
        lots: What was taken.
        elapsed_ns: How long ago.
        half_life_ns: In nanoseconds; 0 if nothing comes back.
    """
    if not half_life_ns or elapsed_ns <= 0:
        return lots
    halvings, rest = divmod(elapsed_ns, half_life_ns)
    if halvings >= lots.bit_length():
        return 0
    return lots * (2 * half_life_ns - rest) // (2 * half_life_ns << halvings)
