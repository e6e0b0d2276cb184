"""Which row of a slice is the first that may move an open order."""

from bisect import bisect_left

import numpy as np

from actors.brokers.open_orders import OpenOrders
from actors.brokers.touch import Reach, TouchScan
from actors.brokers.venue_market import VenueMarket
from actors.messages.market import CONNECTION_STATES, ConnectionState, EventKind
from actors.messages.slices import Column, Slice
from actors.model.instrument import Instruments

_BOOK_STATES = (ConnectionState.GAPPED, ConnectionState.SYNCED)


class Watch:
    """Looks ahead on behalf of the open orders; forgets nothing that it has seen already."""

    def __init__(self, instruments: Instruments, orders: OpenOrders) -> None:
        self._instruments = instruments
        self._orders = orders
        self._scan = TouchScan()

    def first(self, market: VenueMarket, rows: Slice, start: int, stop: int) -> int:
        """Return the first row in ``[start, stop)`` that may move an order, or ``stop``.

        That is a price that reaches an order, the end of a market, or the begin or end of a gap:
        prices of an instrument whose book has a gap reach nobody.
        """
        market.catch_up(rows, start)
        if rows.breaks():
            stop = self._first_break(rows, start, stop)
        gapped = [index for index in market.gapped() if self._orders.has(index)]
        for index in gapped:
            stop = market.first_snapshot(index, start, stop)
        key = (self._orders.version, *gapped)
        return self._scan.first(rows, (start, stop), key, lambda: self._reach(market, gapped))

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
        return Reach(*orders.reaches_without(gapped), firm_from)
