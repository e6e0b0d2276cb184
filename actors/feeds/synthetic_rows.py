"""Prices made up by chance, as rows: quotes, bars, or changes of a book.

Prices come as floats, shape ``(steps, assets)``, oldest first; the assets have their turns.
"""

from collections.abc import Sequence
from typing import ClassVar, Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

from actors.feeds.price_paths import Floats, Generator
from actors.messages.market import EventKind
from actors.messages.records import Origin
from actors.messages.slices import Slice, SliceBuilder
from actors.model.book import Level
from actors.model.instrument import Instruments
from actors.venues.bookkeeper import Bookkeeper

Integers = NDArray[np.int64]

NO_LIMIT = 1 << 40
"""Highest price in ticks where there is no highest price."""


@attrs.frozen(kw_only=True)
class Plan:
    """What all rows of a feed have in common.

    ``assets`` are indexes into ``instruments``; ``highest_ticks`` is the highest price that may be
    asked; the lowest that may be bid is one tick.
    """

    instruments: Instruments
    assets: tuple[int, ...]
    start_ns: int
    interval_ns: int
    tick: float
    spread_ticks: int
    mean_lots: int
    highest_ticks: int


class RowMaker(Protocol):
    """Makes the rows of one shape."""

    substeps: ClassVar[int]
    """How many prices make an event."""
    chunk: ClassVar[int]
    """How many prices it takes at a time, about."""

    def rows(self, prices: Floats, events: range, random: Generator) -> Slice:
        """Return the rows of the next events.

        Args:
            prices: Those of the events, at least.
            events: Their numbers, from 0.
            random: Where chance comes from; what is drawn depends on the prices' shape alone.
        """
        ...


class QuoteRows:
    """A quote for each price: the price rounded, and half the spread on either side."""

    substeps: ClassVar[int] = 1
    chunk: ClassVar[int] = 65_536

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def rows(self, prices: Floats, events: range, random: Generator) -> Slice:
        """Return one quote for each price."""
        plan = self._plan
        bids = bid_ticks(prices, plan).ravel()
        sizes = drawn_lots(random, (len(bids), 2), plan)
        numbers = np.arange(events.start, events.stop)
        values = (bids, bids + plan.spread_ticks, sizes[:, 0], sizes[:, 1])
        times = plan.start_ns + numbers * plan.interval_ns
        return _slice(plan, EventKind.QUOTE, times, numbers, values)


class BarRows:
    """A bar for every few prices; the bars of all assets close at the same times."""

    substeps: ClassVar[int] = 8
    chunk: ClassVar[int] = 65_536

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._close: Integers | None = None

    def rows(self, prices: Floats, events: range, random: Generator) -> Slice:
        """Return one bar for each ``substeps`` prices of an asset."""
        plan = self._plan
        ticks = _rounded(prices / plan.tick, plan.highest_ticks)
        before = ticks[0] if self._close is None else self._close
        self._close = ticks[-1]
        parts = ticks.reshape(-1, self.substeps, len(plan.assets))
        closes = parts[:, -1]
        opens = np.vstack([before[None], closes[:-1]])
        highs = np.maximum(opens, parts.max(axis=1))
        lows = np.minimum(opens, parts.min(axis=1))
        volumes = drawn_lots(random, closes.shape, plan)
        values = tuple(each.ravel() for each in (opens, highs, lows, closes, volumes))
        numbers = np.arange(events.start, events.stop)
        rounds = numbers // len(plan.assets) + 1
        times = plan.start_ns + rounds * plan.interval_ns
        return _slice(plan, EventKind.BAR, times, numbers, values)


class BookRows:
    """A book change for each price: levels come and go with it, the best ones change their size.

    Args:
        plan: What all rows have in common.
        depth: Levels a side.
        resume_ns: Earlier rows are left out; a snapshot of each book at this time takes their
            place.
    """

    substeps: ClassVar[int] = 1
    chunk: ClassVar[int] = 4096

    def __init__(self, plan: Plan, depth: int, resume_ns: int) -> None:
        self._plan = plan
        self._depth = depth
        self._resume_ns = resume_ns
        self._builder = SliceBuilder(plan.instruments)
        self._bookkeeper = Bookkeeper()
        self._levels: dict[int, dict[tuple[int, int], int]] = {}

    def rows(self, prices: Floats, events: range, random: Generator) -> Slice:
        """Return one book change for each price, and a quote where the best levels changed."""
        plan = self._plan
        bids = bid_ticks(prices, plan).ravel().tolist()
        sizes = drawn_lots(random, (len(bids), 2 * self._depth), plan).tolist()
        for event, bid, lots in zip(events, bids, sizes, strict=False):
            time_ns = plan.start_ns + event * plan.interval_ns
            if 0 < self._resume_ns <= time_ns:
                self._resume()
            origin = Origin(time_ns, time_ns, event + 1)
            self._change(plan.assets[event % len(plan.assets)], bid, lots, origin)
        rows = self._builder.build()
        return rows.take(slice(0, 0)) if self._resume_ns else rows

    def _resume(self) -> None:
        self._builder.build()
        self._bookkeeper.resume(self._builder, self._resume_ns)
        self._resume_ns = 0

    def _change(self, asset: int, bid: int, lots: Sequence[int], origin: Origin) -> None:
        before = self._levels.get(asset)
        after = self._ladder(bid, lots, before or {})
        self._levels[asset] = after
        changed: list[Level] = [(*place, 0) for place in before or () if place not in after]
        for place, size in after.items():
            if before is None or before.get(place) != size:
                changed.append((*place, size))
        if before is None:
            self._bookkeeper.snapshot(self._builder, asset, changed, origin)
        else:
            self._bookkeeper.change(self._builder, asset, changed, origin)

    def _ladder(
        self, bid: int, lots: Sequence[int], before: dict[tuple[int, int], int]
    ) -> dict[tuple[int, int], int]:
        """Return the levels around a bid; only the best ones, and new ones, get a new size."""
        plan = self._plan
        ask = bid + plan.spread_ticks
        ladder: dict[tuple[int, int], int] = {}
        for level in range(self._depth):
            for place, size in (
                ((1, bid - level), lots[2 * level]),
                ((-1, ask + level), lots[2 * level + 1]),
            ):
                if 1 <= place[1] <= plan.highest_ticks:
                    ladder[place] = before.get(place, size) if level else size
        return ladder


def bid_ticks(prices: Floats, plan: Plan) -> Integers:
    """Return the bids around prices, in ticks; asks are the spread above."""
    bids = prices / plan.tick - plan.spread_ticks / 2
    return _rounded(bids, plan.highest_ticks - plan.spread_ticks)


def _rounded(ticks: Floats, highest: int) -> Integers:
    return np.rint(np.clip(ticks, 1, highest)).astype(np.int64)


def drawn_lots(random: Generator, shape: tuple[int, ...], plan: Plan) -> Integers:
    """Return sizes, evenly spread between one lot and twice the mean."""
    return random.integers(1, 2 * plan.mean_lots, size=shape, dtype=np.int64)


def _slice(
    plan: Plan, kind: EventKind, times: Integers, numbers: Integers, values: tuple[Integers, ...]
) -> Slice:
    """Return one row for each number of an event; of the values, only as many are used."""
    count = len(numbers)
    zeros = np.zeros(count, dtype=np.int64)
    columns = {name: value[:count] for name, value in zip("abcde", (*values, zeros), strict=False)}
    assets = np.array(plan.assets, dtype=np.int64)
    return Slice(
        plan.instruments,
        {
            **columns,
            "time_ns": times,
            "venue_time_ns": times,
            "kind": np.full(count, kind, dtype=np.int64),
            "instrument": assets[numbers % len(assets)],
            "line": numbers + 1,
            "source": zeros,
        },
    )
