"""Which row of a slice is the first that may move an open order."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from actors.brokers.market.venue_market import VenueMarket
from actors.brokers.models.regimes import Regimes
from actors.brokers.open_orders.extremes import Extremes
from actors.brokers.open_orders.open_orders import OpenOrders
from actors.brokers.open_orders.touch import Reach, TouchScan
from actors.messages.market import CONNECTION_STATES, ConnectionState, EventKind
from actors.messages.slices import Column, Slice
from actors.model.instrument import Instruments

Fills = Callable[[Slice, int, int], bool]
_BOOK_STATES = (ConnectionState.GAPPED, ConnectionState.SYNCED)


class Watch:
    """Looks ahead on behalf of the open orders; forgets nothing that it has seen already."""

    def __init__(
        self,
        instruments: Instruments,
        orders: OpenOrders,
        fills: Fills | None = None,
        regimes: Regimes | None = None,
    ) -> None:
        """Watch for orders; where they queue up, ``fills`` tells whether a public trade fills one.

        Args:
            instruments: The run's table.
            orders: The orders.
            fills: Asked with a slice, a row and the instrument's index.
            regimes: When nothing trades.
        """
        self._regimes = regimes
        self._instruments = instruments
        self._orders = orders
        self._fills = fills
        self._scan = TouchScan()
        self._extremes = Extremes()
        self._clear: Slice | None = None
        """Rows of which none, from ``_clear_from`` on, moves the orders of ``_clear_version``."""
        self._clear_version = -1
        self._clear_from = 0

    def first(self, market: VenueMarket, rows: Slice, start: int, stop: int) -> int:
        """Return the first row in ``[start, stop)`` that may move an order, or ``stop``.

        That is a price that reaches an order, the end of a market, or the begin or end of a gap:
        prices of an instrument whose book has a gap reach nobody.
        """
        orders = self._orders
        if (
            rows is self._clear
            and orders.version == self._clear_version
            and start >= self._clear_from
        ):
            return stop
        market.catch_up(rows, start)
        if rows.breaks():
            stop = self._first_break(rows, start, stop)
        gapped = [index for index in market.gapped() if orders.has(index)]
        if not (gapped or orders.stops) and start < stop and self._reaches_nobody(rows, start):
            return stop
        for index in gapped:
            stop = market.first_snapshot(index, start, stop)
        key = (orders.version, *gapped)
        confirm = None
        if self._fills is not None:
            confirm = partial(self._is_met, market, rows)
        reach = partial(self._reach, market, gapped)
        if self._regimes is None:
            return self._scan.first(rows, (start, stop), key, reach, confirm)
        for span in _trading(self._regimes, rows.times(), start, stop):
            row = self._scan.first(rows, span, key, reach, confirm)
            if row < span[1]:
                return row
        return stop

    def _reaches_nobody(self, rows: Slice, start: int) -> bool:
        """Return whether it is plain that no price from a row on comes near; remember it."""
        orders = self._orders
        if not self._extremes.are_out_of_reach(rows, start, orders.buy_reach, orders.sell_reach):
            return False
        # such rows are nothing but prices: no gap begins or ends in them
        self._clear, self._clear_version, self._clear_from = rows, orders.version, start
        return True

    def _is_met(self, market: VenueMarket, rows: Slice, row: int) -> bool:
        """Return whether an order reacts to a row within reach: a public trade may not fill it."""
        fills = self._fills
        if fills is None or rows.kind[row] != EventKind.TRADE:
            return True
        index = rows.instrument.item(row)
        return not market.is_firm(index, row) or fills(rows, row, index)

    def _first_break(self, rows: Slice, start: int, stop: int) -> int:
        breaks = rows.breaks()
        for row in breaks[bisect_left(breaks, start) : bisect_left(breaks, stop)]:
            index = int(rows.instrument[row])
            is_end = rows.kind[row] == EventKind.RESOLUTION
            is_told = is_end or CONNECTION_STATES[rows.a[row]] in _BOOK_STATES
            if is_told and (index < 0 or self._orders.has(index)):
                return row
        return stop

    def _reach(self, market: VenueMarket, gapped: list[int]) -> Reach:
        orders = self._orders
        orders.cover(len(self._instruments))
        firm_from: Column | None = None
        for index in orders.instruments():
            row = market.firm_from(index)
            if row:
                if firm_from is None:
                    firm_from = np.zeros(len(orders.buy_reach), dtype=np.int64)
                firm_from[index] = row
        reaches = orders.reaches_without(gapped)
        meets_trades = self._fills is not None
        if not orders.stops:
            return Reach(*reaches, firm_from, meets_trades=meets_trades)
        return Reach(*reaches, firm_from, *orders.stops.without(gapped), meets_trades)


def _trading(
    regimes: Regimes, times: list[int], start: int, stop: int
) -> Iterator[tuple[int, int]]:
    """Yield the rows of ``[start, stop)`` at which the venue is not halted: from, to."""
    while start < stop:
        now_ns = times[start]
        if regimes.state_at(now_ns).halted:
            start = bisect_left(times, regimes.trades_again_ns(now_ns), start, stop)
        else:
            end = bisect_left(times, regimes.next_change_ns(now_ns), start, stop)
            yield start, end
            start = end
