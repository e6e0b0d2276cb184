"""The account by markets: YES/NO pairs and sets of exclusive markets."""

from decimal import Decimal

from actors.model.order import Side
from actors.portfolio.portfolio import Portfolio
from actors.portfolio.reporting.pairs import Event, Held, Pair
from tests.actors.portfolio.accounts import COIN, NO, OTHER_NO, OTHER_YES, YES, core
from tests.actors.portfolio.builders import fill, signal

OTHER_MARKET = "OTHER-NO/OTHER-YES"


def holding() -> Portfolio:
    """Return a portfolio in which two strategies hold tokens of one market."""
    booked = core()
    booked.handle(fill(1, quantity="10", price="0.40", commission="0.1", instrument=YES), 0)
    booked.handle(fill(2, quantity="6", price="0.50", commission="0.2", instrument=NO), 0)
    booked.handle(fill(3, quantity="4", price="0.45", strategy="other", instrument=NO), 0)
    return booked


def pair(booked: Portfolio, instrument: str = YES, strategy: str | None = None) -> Pair:
    found = booked.pair(instrument, strategy)
    assert found is not None
    return found


def test_complete_pairs_are_locked_in() -> None:
    found = pair(holding(), NO, "cross")
    assert found.market == "rain"
    assert (found.yes.quantity, found.yes.cost, found.yes.average_cost) == (
        Decimal(10),
        Decimal(4),
        Decimal("0.4"),
    )
    assert (found.no.quantity, found.no.cost) == (Decimal(6), Decimal(3))
    assert (found.locked, found.locked_cost, found.fees) == (
        Decimal(6),
        Decimal("5.4"),
        Decimal("0.3"),
    )
    assert found.guaranteed_profit == Decimal("0.3")
    assert found.exposure == 4
    assert found.profit_if_yes == Decimal("2.7")
    assert found.profit_if_no == Decimal("-1.3")


def test_the_account_has_the_pairs_of_all_its_strategies() -> None:
    found = pair(holding())
    assert (found.locked, found.exposure) == (Decimal(10), Decimal(0))
    assert found.guaranteed_profit == 10 - 4 - 3 - Decimal("1.8") - Decimal("0.3")
    assert found.profit_if_yes == found.profit_if_no == found.guaranteed_profit


def test_the_state_has_the_usual_names() -> None:
    booked = holding()
    assert pair(booked, YES, "cross").as_state() == {
        "Qy": Decimal(10),
        "Qn": Decimal(6),
        "Cy": Decimal(4),
        "Cn": Decimal(3),
        "pending_yes": False,
        "pending_no": False,
    }


def test_what_works_is_pending_until_it_is_over() -> None:
    booked = holding()
    booked.handle(signal(9, quantity="2", limit="0.50", instrument=NO), 1)
    found = pair(booked, YES, "cross")
    assert (found.no.buying, found.no.is_pending, found.yes.is_pending) == (Decimal(2), True, False)
    assert pair(booked, YES, "other").as_state()["pending_no"] is False
    assert pair(booked).as_state()["pending_no"] is True
    booked.handle(fill(9, quantity="2", price="0.50", order=9, instrument=NO), 1)
    assert pair(booked, YES, "cross").as_state()["pending_no"] is False


def test_nothing_held_locks_nothing() -> None:
    found = pair(core())
    assert (found.locked, found.locked_cost, found.guaranteed_profit) == (
        Decimal(0),
        Decimal(0),
        Decimal(0),
    )
    assert found.yes.average_cost == 0


def test_a_token_that_is_short_locks_nothing() -> None:
    booked = core()
    booked.handle(fill(1, Side.SELL, "5", "0.40", instrument=YES), 0)
    booked.handle(fill(2, Side.BUY, "5", "0.40", instrument=NO), 0)
    assert (pair(booked).locked, pair(booked).exposure) == (Decimal(0), Decimal(-10))


def test_what_is_no_outcome_has_no_pair() -> None:
    booked = core()
    assert booked.pair(COIN) is None
    assert booked.pair("UNHEARD") is None


def test_pairs_are_listed_by_market() -> None:
    booked = holding()
    booked.handle(fill(4, quantity="1", price="0.2", instrument=OTHER_YES), 0)
    booked.handle(fill(5, quantity="1", price="2", instrument=COIN), 0)
    assert [each.market for each in booked.pairs()] == [OTHER_MARKET, "rain"]
    assert [each.market for each in booked.pairs("other")] == ["rain"]
    assert Held().cost_of(Decimal(0)) == 0


# --- exclusive markets ---------------------------------------------------------------------------


def event(booked: Portfolio) -> Event:
    (found,) = booked.events()
    return found


def test_of_exclusive_markets_one_pays() -> None:
    booked = core()
    booked.handle(fill(1, quantity="10", price="0.40", commission="0.1", instrument=YES), 0)
    booked.handle(fill(2, quantity="7", price="0.30", instrument=OTHER_YES), 0)
    booked.handle(fill(3, quantity="1", price="3", instrument=COIN), 0)
    found = event(booked)
    assert found.event == "election"
    assert found.values == {"rain": Decimal(10), OTHER_MARKET: Decimal(7)}
    assert (found.worst_value, found.best_value) == (Decimal(7), Decimal(10))
    assert (found.cost, found.fees) == (Decimal("6.1"), Decimal("0.1"))
    assert found.guaranteed_profit == Decimal("0.8")
    assert booked.events("nobody") == []


def test_a_no_token_pays_in_every_other_market() -> None:
    booked = core()
    booked.handle(fill(1, quantity="10", price="0.40", instrument=NO), 0)
    booked.handle(fill(2, quantity="4", price="0.30", instrument=OTHER_NO), 0)
    assert event(booked).values == {"rain": Decimal(4), OTHER_MARKET: Decimal(10)}


def test_an_event_without_markets_is_worth_nothing() -> None:
    nothing = Event(event="x", values={}, cost=Decimal(0), fees=Decimal(0))
    assert nothing.worst_value == nothing.best_value == nothing.guaranteed_profit == 0
