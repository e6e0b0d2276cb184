"""Chance that depends on what is asked, not on what was asked before.

A draw is a hash of the run's seed and of the names of what it decides (a time, an order, a trade).
So it is the same after a restart, however rows are cut into slices, and in whatever order
questions come; there is no state to lose.
"""

from hashlib import blake2b
from math import log
from statistics import NormalDist

import attrs

_SCALE = 2.0**-53
_NORMAL = NormalDist()


def uniform(seed: int, *names: str | int) -> float:
    """Return a number above 0 and below 1 that is as good as chance.

    Args:
        seed: The run's, or a part's own.
        names: What the draw is for; other names give an independent draw.
    """
    text = "\0".join([str(seed), *map(str, names)])
    bits = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") >> 12
    return (2 * bits + 1) * _SCALE


def exponential(mean: float, draw: float) -> float:
    """Return the exponentially distributed value that belongs to a uniform draw."""
    return -mean * log(draw)


def normal(draw: float) -> float:
    """Return the value of the standard normal distribution that belongs to a uniform draw."""
    return _NORMAL.inv_cdf(draw)


@attrs.frozen(kw_only=True)
class Seeded:
    """Something that draws. Its seed follows from the run's seed: no file has a key for it.

    The metadata is what the configuration's reader calls a hidden field.
    """

    seed: int = attrs.field(default=0, metadata={"hidden": True})
