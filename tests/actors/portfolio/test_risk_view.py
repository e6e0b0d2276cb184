"""The account as policies see it, whatever there is in it."""

from decimal import Decimal
from typing import Any

from actors.messages.records import MarketRow
from actors.model.instrument import Instrument, InstrumentId, Outcome
from actors.model.order import Order, OrderType, Side
from actors.portfolio.approval.review import Review
from actors.portfolio.approval.risk_view import ApprovalLog
from actors.portfolio.config import PortfolioConfig
from actors.risk.orders import OrderRate
from tests.actors.portfolio.builders import COIN, YES, table
from tests.actors.portfolio.wishes import Desk, ended, wish

BUY, SELL = Side


def seen(desk: Desk) -> Any:
    return desk.core._gate.view


def token(name: str, complement: str | None, market: str | None, event: str | None) -> Instrument:
    return Instrument(
        id=InstrumentId(name),
        venue="venue",
        symbol=name,
        outcome=Outcome.YES,
        complement=None if complement is None else InstrumentId(complement),
        market=market,
        event=event,
    )


def test_groups_follow_from_event_market_and_complement() -> None:
    instruments = table()
    for each in (
        token("a", None, "m", "e"),
        token("b", None, "m", "e"),
        token("c", None, "n", "e"),
        token("d", "x", None, None),
    ):
        instruments.add(each)
    view = seen(Desk(instruments=instruments))

    def names(name: str, by_event: bool) -> list[str]:
        known = instruments.get(name)
        assert known is not None
        return [each.id for each in view.group(known, by_event=by_event)]

    assert names("a", by_event=False) == ["a", "b"]
    assert names("a", by_event=True) == ["a", "b", "c"]
    assert names("d", by_event=True) == names("d", by_event=False) == ["d"]
    instruments.add(token("x", "d", None, None))
    assert names("d", by_event=False) == ["d", "x"]


def test_exposures_are_those_of_the_account_or_of_one_strategy() -> None:
    desk = Desk()
    desk.fill(desk.order(wish(1)).order)
    desk.fill(desk.order(wish(1, SELL, "4", strategy="other")).order)
    desk.order(wish(2, quantity="3"))
    desk.order(wish(3, SELL, "2", instrument=YES, strategy="other"))
    view = seen(desk)

    def told(strategy: str | None) -> list[Any]:
        return [
            (each.instrument.id, each.quantity, each.cost, each.buying, each.selling)
            for each in view.exposures(strategy)
        ]

    assert told(None) == [(COIN, 6, 3, 3, 0), (YES, 0, 0, 0, 2)]
    assert told("cross") == [(COIN, 10, 5, 3, 0), (YES, 0, 0, 0, 0)]
    assert told("other") == [(COIN, -4, -2, 0, 0), (YES, 0, 0, 0, 2)]
    assert [each.order.client_order_id for each in view.orders(COIN)] == ["run-cross-2"]
    order = desk.order(wish(4)).order
    assert len(view.orders(COIN)) == 2
    desk.take(ended(order))
    assert len(view.orders(COIN)) == 1
    assert len(list(view.open_orders())) == 2


def test_a_log_keeps_what_policies_look_back_at_in_order_of_time() -> None:
    log = ApprovalLog([OrderRate(max_orders=1, interval_ns=10)])

    def note(time_ns: int) -> None:
        order = Order(
            client_order_id=f"o{time_ns}",
            strategy="cross",
            instrument=COIN,
            side=BUY,
            quantity=Decimal(1),
            order_type=OrderType.MARKET,
        )
        log.add(time_ns, order)

    for time_ns in (1, 5, 9, 7, 3, 10):
        note(time_ns)
    assert [each.time_ns for each in log.after(0)] == [10, 9, 7, 5, 3, 1]
    assert [each.time_ns for each in log.after(5)] == [10, 9, 7]
    note(13)
    assert [each.time_ns for each in log.after(0)] == [13, 10, 9, 7, 5]
    log.take_back("o9")
    assert [each.time_ns for each in log.after(0)] == [13, 10, 7, 5]


def row(kind: str, columns: tuple[int, ...], instrument: str = COIN) -> tuple[str, MarketRow]:
    made = MarketRow(
        kind=kind,
        instrument=instrument,
        time_ns=7,
        venue_time_ns=0,
        line=1,
        tick=Decimal("0.01"),
        lot=Decimal("0.1"),
        columns=columns,
    )
    return "sent", made


def test_a_review_takes_prices_of_every_kind_of_row() -> None:
    for kind, columns, mark in (
        ("QUOTE", (40, 44, 1, 1, 0), "0.42"),
        ("TRADE", (50, 1, 0, 0, 0), "0.50"),
        ("BAR", (1, 99, 1, 60, 5), "0.60"),
        ("CONNECTION", (0, 0, 0, 0, 0), None),
        ("BOOK", (0, 1, 1, 0, 0), None),
    ):
        review = Review(table(), PortfolioConfig(cash=Decimal(1)))
        review.replay([row(kind, columns), row(kind, columns, "GOLD")])
        view = review._approval.gate.view
        assert view.mark(COIN) == (None if mark is None else Decimal(mark))
        assert view.price_time_ns(COIN) == (None if mark is None else 7)
