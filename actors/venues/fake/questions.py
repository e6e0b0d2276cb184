"""A fake venue's answers to those who only ask."""

from decimal import Decimal

import msgspec

from actors.messages.venue import CallKind, VenueAnswer, VenueCall
from actors.venues.fake.books import FakeBooks
from actors.venues.fake.chance import Chance
from actors.venues.fake.config import FakeVenueConfig

_Holdings = tuple[dict[str, Decimal], dict[str, Decimal]]


class Questions:
    """Tells what is in the books, or less, as its faults have it."""

    def __init__(self, books: FakeBooks, config: FakeVenueConfig, chance: Chance) -> None:
        self._books = books
        self._config = config
        self._chance = chance
        self._told: _Holdings | None = None

    def answer(self, call: VenueCall, empty: VenueAnswer) -> VenueAnswer:
        """Return the answer to a question; ``empty`` has what every answer has."""
        match call.kind:
            case CallKind.ORDER:
                return self._one_order(call, empty)
            case CallKind.OPEN_ORDERS:
                now_ns = empty.venue_time_ns
                shown = [e.shown() for e in self._books.open_orders() if e.shown_ns <= now_ns]
                return msgspec.structs.replace(empty, orders=tuple(shown))
            case CallKind.TRADES:
                return self._trades(call, empty)
            case _:
                return self._account(call, empty)

    def _one_order(self, call: VenueCall, empty: VenueAnswer) -> VenueAnswer:
        held = self._books.orders.get(call.client_order_id)
        if held is None or held.shown_ns > empty.venue_time_ns:
            return empty
        order, trades = held.shown(), tuple(held.trades)
        return msgspec.structs.replace(empty, order=order, trades=trades, reason=held.reason)

    def _trades(self, call: VenueCall, empty: VenueAnswer) -> VenueAnswer:
        """Return a page of trades; the cursor is how many there were."""
        start = int(call.cursor or 0)
        first, page = self._books.trades_from(start)
        end = first + len(page)
        share = self._config.faults.truncate_history
        is_cut = len(page) > 1 and self._chance.happens(share, "truncate", call.number)
        if is_cut:
            page = page[len(page) // 2 :]
        return msgspec.structs.replace(
            empty,
            trades=tuple(page),
            cursor=str(end),
            has_more=end < self._books.trades_told,
            is_truncated=is_cut or first > start,
        )

    def _account(self, call: VenueCall, empty: VenueAnswer) -> VenueAnswer:
        share = self._config.faults.stale_account
        is_stale = self._told is not None and self._chance.happens(share, "stale", call.number)
        if self._told is None or not is_stale:
            held = {key: units for key, units in self._books.positions.items() if units}
            self._told = (held, dict(self._books.balances))
        positions, balances = self._told
        return msgspec.structs.replace(empty, positions=positions, balances=balances)
