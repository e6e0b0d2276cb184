"""How values spread: histograms, quantiles, and both as text."""

import attrs
import numpy as np

from runtime.research.measures.arrays import Numbers, deviation, mean, without_nan

_QUANTILES = {"p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}
_BLOCKS = " ▏▎▍▌▋▊▉"
_WHOLE = "█"


@attrs.frozen(kw_only=True)
class Histogram:
    """How many values fell into each of some bins of equal width; one more edge than bins.

    A bin has its lower edge and not its upper one, but for the last, which has both.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    def lines(self, width: int = 40) -> list[str]:
        """Return it as text, a line a bin; the fullest bin is ``width`` characters long."""
        most = max(self.counts, default=0)
        names = [f"{edge:.4g}" for edge in self.edges[:-1]]
        margin = max(map(len, names), default=0)
        return [
            f"{name:>{margin}} {_bar(count * width * 8 // max(most, 1))} {count}"
            for name, count in zip(names, self.counts, strict=True)
        ]


def _bar(eighths: int) -> str:
    whole, rest = divmod(eighths, 8)
    return f"{_WHOLE * whole}{_BLOCKS[rest].strip()}"


def histogram(values: Numbers, bins: int = 20) -> Histogram:
    """Return the histogram of values; without bins if there are none.

    Raises:
        ValueError: If ``bins`` is below 1.
    """
    if bins < 1:
        raise ValueError(f"bins: expected 1 or more, found {bins}")
    known = without_nan(values)
    known = known[np.isfinite(known)]
    if not len(known):
        return Histogram(edges=(), counts=())
    low, high = float(np.min(known)), float(np.max(known))
    # two neighbours among the floats have no room for bins between them
    has_room = (high - low) / bins > max(abs(low), abs(high)) * 1e-12
    counts, edges = np.histogram(known, bins=bins if has_room else 1)
    return Histogram(edges=tuple(edges.tolist()), counts=tuple(counts.tolist()))


def spread_of(values: Numbers) -> dict[str, float | None]:
    """Return count, mean, standard deviation (sample), extremes and quantiles of values."""
    known = without_nan(values) + 0.0  # no -0
    found = np.quantile(known, list(_QUANTILES.values())).tolist() if len(known) else []
    quantiles = dict(zip(_QUANTILES, found or [None] * len(_QUANTILES), strict=True))
    return {
        "count": len(known),
        "mean": mean(known),
        "std": deviation(known),
        "min": float(np.min(known)) if len(known) else None,
        **quantiles,
        "max": float(np.max(known)) if len(known) else None,
    }
