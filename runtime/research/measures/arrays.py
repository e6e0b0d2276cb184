"""What the measures share: arrays of floats, and sums that do not depend on the machine.

Sums are exactly rounded (``math.fsum``), so that the same numbers give the same figure on every
machine, whatever the width of its vector unit.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Numbers = Sequence[float] | Floats

_ROUNDING = 1e-12
"""A spread below this fraction of the mean is only what rounding has left."""


def floats(values: Numbers) -> Floats:
    """Return numbers as an array, oldest first."""
    return np.asarray(values, dtype=np.float64)


def without_nan(values: Numbers) -> Floats:
    """Return numbers without those that are missing."""
    array = floats(values)
    kept: Floats = array[~np.isnan(array)]
    return kept


def total(values: Numbers) -> float:
    """Return the exactly rounded sum."""
    return math.fsum(floats(values).tolist())


def mean(values: Numbers) -> float | None:
    """Return the mean, None of nothing."""
    return total(values) / len(values) if len(values) else None


def deviation(values: Numbers, *, ddof: int = 1) -> float | None:
    """Return the standard deviation: of a sample (``ddof`` 1) or of all there is (0).

    None if there are not more values than ``ddof``. 0 where the differences are only what rounding
    has left.
    """
    array = floats(values)
    if len(array) <= ddof:
        return None
    middle = total(array) / len(array)
    spread = math.sqrt(total((array - middle) ** 2) / (len(array) - ddof))
    return 0.0 if spread <= _ROUNDING * abs(middle) else spread


def ratio(part: float | None, whole: float | None) -> float | None:
    """Return a quotient; infinite over nothing, None for nothing over nothing or what is None."""
    if part is None or whole is None:
        return None
    if whole:
        return part / whole
    return math.copysign(math.inf, part) if part else None


def growth(returns: Numbers) -> float:
    """Return what one unit has become after the returns."""
    factors = 1 + without_nan(returns)
    if len(factors) and float(np.min(factors)) > 0:
        return math.exp(math.fsum(math.log(each) for each in factors.tolist()))
    whole: float = math.prod(factors.tolist())
    return whole


def finite(value: float | None) -> float | None:
    """Return a number as JSON can hold it: None in place of infinite and of not a number."""
    return value if value is not None and math.isfinite(value) else None
