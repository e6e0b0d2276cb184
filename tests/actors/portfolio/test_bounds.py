"""What grows has a bound, and nothing is booked twice for that."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.messages.account import CashAdjusted, ConversionKind, ConvertTokens
from actors.messages.system import Archived
from actors.messages.trading import Fill, FillSettled
from actors.model.order import OrderStatus, Side
from actors.model.recent import RecentIds
from actors.portfolio.books.settings import CostMethod
from actors.portfolio.config import PortfolioConfig
from tests.actors.portfolio.accounts import FUTURE, SCALED
from tests.actors.portfolio.accounts import table as many
from tests.actors.portfolio.archives import Forgetful
from tests.actors.portfolio.builders import COIN, YES, Tape, fill
from tests.actors.portfolio.wishes import Desk, ended, state, wish


def entry(number: int, amount: str = "1") -> CashAdjusted:
    return CashAdjusted(
        entry_id=f"entry-{number}",
        time_ns=0,
        currency="USD",
        amount=Decimal(amount),
        reason="funding",
        strategy="a",
    )


def word(number: int, *, failed: bool = True, instrument: str = COIN) -> FillSettled:
    return FillSettled(
        client_order_id="run-cross-1",
        strategy="cross",
        instrument=instrument,
        venue="venue",
        trade_id=f"trade-{number}",
        failed=failed,
    )


def summary(core: Any) -> tuple[Any, ...]:
    """Return what must not depend on how many fills are kept."""
    return (
        core.cash,
        core.commission,
        core.positions(),
        core.get_all_positions(),
        core.sub_portfolios(),
        core.statistics(),
        core.equity(),
        core.available,
    )


def test_the_oldest_fills_go_and_the_sums_stay() -> None:
    desk, whole = Forgetful(3), Desk()
    for number in range(1, 11):
        told = desk.take(fill(number, commission="0.01"))
        whole.take(fill(number, commission="0.01"))
        gone = [each.key for each in told if isinstance(each, Archived)]
        assert gone == ([f"venue/trade-{number - 3}/run-cross-1"] if number > 3 else [])
    assert [each.trade_id for each in desk.core.fills] == ["trade-8", "trade-9", "trade-10"]
    assert summary(desk.core) == summary(whole.core)
    assert desk.core.statistics().fills == 10


def test_both_fills_of_one_trade_are_let_go_and_known_again() -> None:
    desk = Forgetful(1)
    both = [fill(7, order=1), fill(7, Side.SELL, order=2, strategy="other")]
    desk.take(*both, fill(8), fill(9))
    assert desk.core.get_position(COIN) == 20
    before = summary(desk.core)[:4]
    assert desk.take(*both) == []
    assert summary(desk.core)[:4] == before
    assert desk.core.statistics().duplicate_fills == 2
    assert state(desk.restarted()) == state(desk.core)


@pytest.mark.parametrize("number", range(1, 11))
def test_a_fill_that_comes_again_is_known_however_old_it_is(number: int) -> None:
    desk = Forgetful(3)
    for each in range(1, 11):
        desk.take(fill(each))
    before = desk.core.cash
    assert desk.take(fill(number)) == []
    assert desk.core.cash == before
    assert desk.core.statistics().duplicate_fills == 1


def test_without_an_archive_only_the_latest_are_known() -> None:
    desk = Desk(max_fills=3)
    for number in range(1, 11):
        desk.take(fill(number))
    assert desk.take(fill(10)) == []
    assert desk.take(fill(1)) != []


def test_entries_of_cash_go_too_and_are_known_again() -> None:
    desk = Forgetful(2)
    for number in range(1, 6):
        desk.take(entry(number))
    desk.take(entry(1), entry(5), fill(1))
    assert desk.core.cash == 1000 + 5 - 5
    assert len(desk.core._ledger.entries) == 2
    assert desk.core.sub_portfolio("a").adjustments == 5
    told = [key for kind, key in desk.archive.known if kind == "cash"]
    assert told == ["entry-1", "entry-2", "entry-3"]


def test_a_provisional_fill_is_kept_until_its_last_word() -> None:
    desk = Forgetful(2)
    desk.take(replace(fill(1), provisional=True))
    for number in range(2, 6):
        assert not [e for e in desk.take(fill(number)) if isinstance(e, Archived)]
    assert len(desk.core.fills) == 5
    desk.take(word(1, failed=False))
    desk.take(fill(6))
    assert len(desk.core.fills) == 2


@pytest.mark.parametrize("method", CostMethod)
@pytest.mark.parametrize("instrument", [COIN, SCALED, FUTURE])
def test_a_position_is_booked_anew_from_what_its_old_fills_had_made_of_it(
    method: CostMethod, instrument: str
) -> None:
    terms: dict[str, Any] = {"instruments": many(), "cost_method": method}
    desk, whole = Forgetful(2, **terms), Desk(**terms)
    story: list[Any] = [
        fill(number, side, quantity, price, commission="0.01", instrument=instrument)
        for number, (side, quantity, price) in enumerate(
            [(Side.BUY, "10", "0.3"), (Side.BUY, "7", "0.5"), (Side.SELL, "4", "0.7")] * 2, 1
        )
    ]
    story += [
        replace(fill(7, Side.SELL, "30", "0.9", instrument=instrument), provisional=True),
        fill(8, Side.BUY, "2", "0.8", instrument=instrument),
        word(7, instrument=instrument),
    ]
    for message in story:
        desk.take(message)
        whole.take(message)
    assert summary(desk.core) == summary(whole.core)
    assert summary(desk.restarted()) == summary(desk.core)


def test_fills_that_failed_go_too_and_are_known_again() -> None:
    desk = Forgetful(2)
    for number in range(1, 7):
        desk.take(replace(fill(number), provisional=True), word(number))
    assert len(desk.core._ledger.failed) == 2
    assert desk.core.cash == 1000
    desk.take(fill(9))
    for number in range(1, 7):
        assert desk.take(replace(fill(number), provisional=True)) == []


def test_settlements_and_conversions_tell_what_they_let_go() -> None:
    desk = Forgetful(1, instruments=many())
    split = ConvertTokens(
        request_id="c", strategy="a", kind=ConversionKind.SPLIT, instrument=YES, quantity=Decimal(5)
    )
    told = desk.take(split)
    assert [each.key for each in told if isinstance(each, Archived)] == ["venue/c-YES/c"]
    rows = Tape(desk.instruments).resolution(5, "1").rows()
    desk.core.advance(rows, 1)
    told = desk.core.react(rows, 0, 5)
    assert [each.key for each in told if isinstance(each, Archived)] == ["venue/c-NO/c"]
    again = desk.fresh(1)
    again.inherit(desk.core.market)
    again.recover([*desk.history])
    told = again.start(9)
    assert [each.key for each in told if isinstance(each, Archived)] == ["venue/c-NO/c"]


def test_reduce_only_orders_that_end_are_not_watched_for_ever() -> None:
    desk = Desk()
    desk.fill(desk.order(wish(1, quantity="10")).order)
    for number in range(2, 50):
        order = desk.order(wish(number, Side.SELL, "5", reduce_only=True)).order
        desk.take(ended(order, OrderStatus.CANCELLED))
    assert desk.core._gate.reduce_only.watched == {}
    assert desk.core._gate.reduce_only._orders == {}
    assert state(desk.restarted()) == state(desk.core)


def test_recent_ids_are_known() -> None:
    ids = RecentIds(2)
    for each in "abcdef":
        assert ids.add(each)
    assert "f" in ids
    assert "a" not in ids
    assert len(ids) <= 4


def test_some_fills_are_kept() -> None:
    with pytest.raises(ValueError, match="max_fills: expected 1 or more, found 0"):
        PortfolioConfig(cash=Decimal(0), max_fills=0)


# --- the property --------------------------------------------------------------------------------

tenths = st.integers(1, 60).map(lambda lots: str(Decimal(lots) / 10))


@st.composite
def fills(draw: st.DrawFn) -> Fill:
    one = fill(
        draw(st.integers(1, 25)),
        draw(st.sampled_from(Side)),
        draw(tenths),
        draw(st.integers(1, 99).map(lambda n: f"0.{n:02}")),
        order=draw(st.integers(1, 9)),
        leaves=draw(st.sampled_from(("0", "1"))),
        commission=draw(st.sampled_from(("0", "0.0123"))),
        instrument=draw(st.sampled_from((COIN, COIN, SCALED, FUTURE))),
    )
    return replace(one, provisional=draw(st.integers(0, 4)) == 0)


stories = st.lists(
    st.one_of(
        fills(),
        fills(),
        fills(),
        st.builds(lambda n, failed: word(n, failed=failed), st.integers(1, 25), st.booleans()),
        st.builds(entry, st.integers(1, 9), tenths),
    ),
    max_size=60,
)


@given(stories, st.integers(1, 6), st.sampled_from(CostMethod), st.integers(0, 60))
@settings(deadline=None, max_examples=150)
def test_what_is_let_go_changes_nothing_but_the_list_of_fills(
    story: list[Any], most: int, method: CostMethod, asked: int
) -> None:
    terms: dict[str, Any] = {"instruments": many(), "cost_method": method}
    desk, whole = Forgetful(most, **terms), Desk(**terms)
    for number, message in enumerate(story):
        mine, other = desk.take(message), whole.take(message)
        assert [each for each in mine if not isinstance(each, Archived)] == other
        if number == asked:
            assert summary(desk.restarted()) == summary(desk.core)
    assert summary(desk.core) == summary(whole.core)
    kept = desk.core.fills
    assert kept == whole.core.fills[len(whole.core.fills) - len(kept) :]
    assert len(kept) <= most or desk.core._ledger.unsettled
    again = desk.restarted()
    assert summary(again) == summary(desk.core)
    assert again.fills == kept
    for probe in (*story, fill(77), entry(77), fill(78)):
        assert again.handle(probe, 0) == desk.core.handle(probe, 0)
