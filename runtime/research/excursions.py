"""What prices did around trades: excursions within round trips, and mark-outs after fills.

Both need the prices of the whole time: bars' highs and lows, or every quote's mid. The samples of
an equity curve are too few, and the journal holds only the rows at which something happened. So the
data are read once more (:mod:`runtime.research.price_paths`), one :class:`PricePath` an instrument.
"""

from collections.abc import Iterable, Mapping, Sequence

import attrs
import numpy as np
import numpy.typing as npt

from actors.messages.trading import Fill
from runtime.observe.result import FillRow
from runtime.research.measures.arrays import Floats, Numbers, floats, mean
from runtime.research.round_trips import RoundTrip

HORIZONS_S = (1, 5, 30, 300)
_SECOND = 1_000_000_000
_BPS = 10_000


def _times(values: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.asarray(values, dtype=np.int64)


@attrs.frozen(kw_only=True, eq=False)
class PricePath:
    """The prices of one instrument.

    Attributes:
        times_ns: When each price was known, growing, ``(n,)``.
        prices: The price then, ``(n,)``.
        lows: The lowest since the price before, ``(n,)``; by default the prices themselves.
        highs: The highest since the price before, ``(n,)``; by default the prices themselves.
    """

    times_ns: npt.NDArray[np.int64] = attrs.field(converter=_times)
    prices: Floats = attrs.field(converter=floats)
    lows: Floats = attrs.field(converter=floats)
    highs: Floats = attrs.field(converter=floats)

    @lows.default
    def _lows_are_the_prices(self) -> Floats:
        return self.prices

    @highs.default
    def _highs_are_the_prices(self) -> Floats:
        return self.prices

    @lows.validator
    @highs.validator
    @prices.validator
    def _is_in_step(self, attribute: "attrs.Attribute[Numbers]", value: Floats) -> None:
        if len(value) != len(self.times_ns):
            raise ValueError(
                f"{attribute.name}: expected {len(self.times_ns)} values, found {len(value)}"
            )

    def at(self, time_ns: int) -> float | None:
        """Return the latest price that was known at a time, None before the first."""
        index = int(np.searchsorted(self.times_ns, time_ns, side="right")) - 1
        return float(self.prices[index]) if index >= 0 else None


def with_excursions(trips: Iterable[RoundTrip], paths: Mapping[str, PricePath]) -> list[RoundTrip]:
    """Return round trips with the most that each was ever down and up (MAE, MFE).

    Prices later than the entry count, up to the exit; entry and exit price count as well. A trip in
    an instrument without a path stays as it is.

    Args:
        trips: Round trips.
        paths: Prices by instrument.

    Source: Sweeney (1996), "Maximum Adverse Excursion".
    """
    return [
        _measured(trip, paths[trip.instrument]) if trip.instrument in paths else trip
        for trip in trips
    ]


def _measured(trip: RoundTrip, path: PricePath) -> RoundTrip:
    entry, leave = float(trip.entry_price), float(trip.exit_price)
    if entry <= 0:
        return trip
    first, last = np.searchsorted(path.times_ns, (trip.opened_ns, trip.closed_ns), side="right")
    low = min(entry, leave, *path.lows[first:last].tolist())
    high = max(entry, leave, *path.highs[first:last].tolist())
    down, up = (low / entry - 1, high / entry - 1)
    if not trip.is_long:
        down, up = -up, -down
    return attrs.evolve(trip, worst=down, best=up)


def mark_outs(
    fills: Iterable[FillRow],
    paths: Mapping[str, PricePath],
    horizons_s: Sequence[int] = HORIZONS_S,
) -> dict[str, float | None]:
    """Return how far the price had moved our way some seconds after the fills, in 1/10,000.

    The mean over all fills whose instrument has prices up to the horizon or beyond; positive is
    good for us. None where there are none. Settlements are no trades with a market: leave them out.

    Args:
        fills: Fills with the times at which they happened.
        paths: Prices by instrument.
        horizons_s: Seconds after the fill.
    """
    rows = [(row.time_ns, row.fill) for row in fills if row.fill.instrument in paths]
    return {
        f"{horizon}s": mean(
            [
                moved
                for time_ns, fill in rows
                if (moved := _moved(fill, paths[fill.instrument], time_ns + horizon * _SECOND))
                is not None
            ]
        )
        for horizon in horizons_s
    }


def _moved(fill: Fill, path: PricePath, time_ns: int) -> float | None:
    price = float(fill.last_price)
    if price <= 0 or not len(path.times_ns) or path.times_ns[-1] < time_ns:
        return None
    later = path.at(time_ns)
    return None if later is None else (later / price - 1) * fill.side.sign * _BPS
