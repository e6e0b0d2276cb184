from decimal import Decimal

from actors.messages.market import (
    CONNECTION_STATES,
    KIND_MASK,
    NO_PRICE,
    UNKNOWN_LOTS,
    Bar,
    BookView,
    ConnectionState,
    EventKind,
    Quote,
    Resolution,
    Trade,
)
from tests.builders import instrument

TOKEN = instrument("YES", tick="0.0001", lot="0.000001")


def quote(
    bid: int = 4900, ask: int = 5100, bid_lots: int = 2_000_000, ask_lots: int = 500_000
) -> Quote:
    return Quote(1, TOKEN, bid, ask, bid_lots, ask_lots, 0.5)


def test_a_quote_gives_its_prices_and_sizes_as_exact_decimals() -> None:
    assert quote().bid == Decimal("0.49")
    assert quote().ask == Decimal("0.51")
    assert quote().bid_quantity == Decimal(2)
    assert quote().ask_quantity == Decimal("0.5")


def test_an_empty_side_of_a_quote_has_no_price() -> None:
    empty = quote(bid=0, ask=NO_PRICE, bid_lots=0, ask_lots=0)
    assert empty.bid is None
    assert empty.ask is None
    assert empty.bid_quantity == 0


def test_a_size_that_is_not_known_is_none_but_its_price_counts() -> None:
    unsized = quote(bid_lots=UNKNOWN_LOTS, ask_lots=UNKNOWN_LOTS)
    assert unsized.bid == Decimal("0.49")
    assert unsized.ask == Decimal("0.51")
    assert unsized.bid_quantity is None
    assert unsized.ask_quantity is None


def test_a_trade_gives_its_price_and_quantity() -> None:
    trade = Trade(1, TOKEN, 6200, 31_740_000, -1)
    assert (trade.price, trade.quantity) == (Decimal("0.62"), Decimal("31.74"))


def test_a_bar_gives_floats_to_compute_with_and_its_close_exactly() -> None:
    bar = Bar(1, TOKEN, 5000, 5200, 4900, 5100, 3_000_000, 0.51)
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume) == (0.5, 0.52, 0.49, 0.51, 3.0)
    assert bar.close_price == Decimal("0.51")


def test_a_view_of_a_book_names_its_best_prices() -> None:
    view = BookView(1, TOKEN, ((4900, 5), (4800, 9)), ((5100, 7),), 3)
    assert (view.bid, view.ask) == (Decimal("0.49"), Decimal("0.51"))
    nothing = BookView(1, TOKEN, (), (), 4)
    assert (nothing.bid, nothing.ask) == (None, None)


def test_a_resolution_names_what_one_unit_pays() -> None:
    assert Resolution(1, TOKEN, 10_000).payoff == 1
    assert Resolution(1, TOKEN, 0).payoff == 0


def test_every_kind_fits_into_the_low_bits_of_a_code() -> None:
    assert all(kind & KIND_MASK == kind for kind in EventKind)
    assert tuple(ConnectionState) == CONNECTION_STATES
