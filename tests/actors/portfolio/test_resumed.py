"""What a portfolio says when it goes on in another process."""

from decimal import Decimal

from actors.messages.account import EquityMarked, MarkEquity
from actors.messages.alerts import Logged
from actors.messages.system import Resumed
from actors.model.order import Side
from tests.actors.portfolio.builders import COIN, fill
from tests.actors.portfolio.wishes import Desk

UNKNOWN = "OF-A-FEED"
"""An instrument that a feed will define."""
RESUMED = Resumed(last_ns=5)


def test_it_names_what_is_held_and_has_no_price_any_more() -> None:
    desk = Desk()
    desk.quote("10", "12")
    desk.take(fill(1, Side.BUY, "3", "11"), fill(2, Side.BUY, "1", "11", instrument=UNKNOWN))
    fresh = desk.fresh(1)
    fresh.recover(desk.history)
    (line,) = fresh.handle(RESUMED, 7)
    assert line == Logged(
        strategy="portfolio",
        text=f"valued at cost until a feed shows a price: {COIN}, {UNKNOWN}",
        time_ns=7,
    )
    (marked,) = fresh.handle(MarkEquity(is_last=True), 8)
    assert isinstance(marked, EquityMarked)
    assert marked.equity == fresh.cash + 3 * 11 + 1 * 11


def test_it_has_nothing_to_say_where_all_that_is_held_has_a_price() -> None:
    desk = Desk()
    bought = fill(1, Side.BUY, "3", "11")
    desk.take(bought, fill(2, Side.BUY, "1", "11", instrument=UNKNOWN))
    desk.take(fill(3, Side.SELL, "1", "11", instrument=UNKNOWN))
    desk.quote("10", "14")
    assert desk.take(RESUMED) == []
    assert desk.core.equity() == desk.core.cash + Decimal(36)
