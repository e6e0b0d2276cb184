"""How far below its peak an equity curve was, and for how long."""

import math
from collections.abc import Sequence
from itertools import pairwise

import attrs
import numpy as np
import numpy.typing as npt

from runtime.research.measures.arrays import Floats, Numbers, floats, mean, total, without_nan


@attrs.frozen(kw_only=True)
class Drawdown:
    """One stay below the peak.

    Attributes:
        peak_index: The last value at the peak before the fall.
        end_index: The value that is back at the peak, or the last one there is.
        depth: The deepest fall, as a negative fraction.
    """

    peak_index: int
    end_index: int
    depth: float


def drawdowns(equity: Numbers) -> Floats:
    """Return each value's distance below the highest so far, as a fraction: -0.25 is 25 %.

    0 while the peak is not above 0.
    """
    values = floats(equity)
    peaks = np.maximum.accumulate(values) if len(values) else values
    falls = np.zeros(len(values))
    np.divide(values - peaks, peaks, out=falls, where=peaks > 0)
    return falls


def drawdowns_of_returns(returns: Numbers) -> Floats:
    """Return the drawdown after each return, of a curve that starts at 1; missing ones left out."""
    curve = np.concatenate(([1.0], np.cumprod(1 + without_nan(returns))))
    return drawdowns(curve)[1:]


def max_drawdown(equity: Numbers) -> float:
    """Return the deepest fall below the highest value so far, as a fraction: -0.25 is 25 %.

    0 for a curve that never falls; values while the peak is not above 0 are left out.
    """
    falls = drawdowns(equity)
    return min(float(np.min(falls)), 0.0) + 0.0 if len(falls) else 0.0


def episodes(equity: Numbers) -> list[Drawdown]:
    """Return the stays below the peak, oldest first; the last may be unfinished.

    A stay is counted if at least one value lies strictly between its two ends.

    Source: backtesting.py, ``compute_drawdown_duration_peaks``.
    """
    falls = drawdowns(equity)
    if not len(falls):
        return []
    ends = np.unique(np.append(np.flatnonzero(falls == 0), len(falls) - 1)).tolist()
    return [
        Drawdown(peak_index=peak, end_index=end, depth=float(np.min(falls[peak : end + 1])))
        for peak, end in pairwise(ends)
        if end > peak + 1
    ]


def average_drawdown(stays: Sequence[Drawdown]) -> float | None:
    """Return the mean depth of the stays below the peak; None without any."""
    return mean([each.depth for each in stays])


def durations_ns(
    stays: Sequence[Drawdown], times_ns: npt.NDArray[np.int64] | Sequence[int]
) -> list[int]:
    """Return how long each stay below the peak lasted, from the peak to the return to it."""
    return [int(times_ns[each.end_index]) - int(times_ns[each.peak_index]) for each in stays]


def ulcer_index(falls: Numbers) -> float | None:
    """Return the root of the sum of squared drawdowns per one less than their number.

    Args:
        falls: One drawdown a period, without the starting value's own.

    Source: Martin and McCann (1989), "The Investor's Guide to Fidelity Funds"; divided by n - 1 as
        quantstats does.
    """
    if len(falls) < 2:
        return None
    return math.sqrt(total(floats(falls) ** 2) / (len(falls) - 1))


def rolling_max_drawdown(returns: Numbers, window: int) -> Floats:
    """Return the deepest fall within each ``window`` of consecutive returns, oldest first.

    Each window starts at its own peak. Empty where there are fewer returns than the window.

    Raises:
        ValueError: If the window is below 1.
    """
    return np.array(
        [min(float(np.min(drawdowns_of_returns(each))), 0.0) for each in windows(returns, window)]
    )


def windows(returns: Numbers, window: int) -> npt.NDArray[np.float64]:
    """Return every run of ``window`` consecutive returns, ``(n - window + 1, window)``.

    Raises:
        ValueError: If the window is below 1.
    """
    if window < 1:
        raise ValueError(f"window: expected 1 or more, found {window}")
    known = floats(returns)
    if len(known) < window:
        return np.empty((0, window))
    return np.lib.stride_tricks.sliding_window_view(known, window)
