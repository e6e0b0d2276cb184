"""When the account's value has come down to a level, everything is closed: exact at the row."""

from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.actor import Later
from actors.messages.account import CashAdjusted, EquityMarked, PositionChanged
from actors.messages.slices import MarketData, Slice
from actors.messages.system import CancelAll
from actors.messages.trading import Fill, SignalRefused
from actors.model.order import Liquidity, Side
from actors.portfolio.books.valuation import equity
from actors.portfolio.config import EquitySampling
from actors.portfolio.portfolio import Portfolio
from tests.actors.portfolio.accounts import (
    COIN,
    EURO_STOCK,
    EURUSD,
    FUTURE,
    TABLE,
    YES,
    core,
    fills_of,
    tape,
)
from tests.actors.portfolio.builders import Tape, fill, only, signal

ZERO = Decimal(0)


def short(quantity: str = "200", price: str = "324.90", **terms: Any) -> Portfolio:
    """Return an account of 1000 that has sold short."""
    booked = core(liquidate_at=ZERO, leverage=Decimal(100), **terms)
    booked.handle(fill(1, Side.SELL, quantity, price), 0)
    return booked


def passed(booked: Portfolio, rows: Slice) -> tuple[int | None, list[Any]]:
    """Let rows pass as a simulated run does; return the row it reacted to and its outputs."""
    row = booked.look(rows, 0, len(rows))
    if row == len(rows):
        booked.advance(rows, row)
        return None, []
    assert booked.look(rows, row, row + 1) == row
    outputs = booked.react(rows, row, rows.times()[row])
    booked.advance(rows, row + 1)
    return row, outputs


def test_a_loss_beyond_the_account_is_closed_at_the_row_and_forgiven() -> None:
    booked = short()
    rows = tape().bar(1, "328").bar(2, "329.90").bar(3, "497").bar(4, "300").rows()
    row, outputs = passed(booked, rows)
    assert row == 1  # 200 * 5.00 is all that there was
    assert booked.equity() == 0
    close, changed, cancel = outputs
    assert (close.side, close.last_quantity, close.last_price) == (Side.BUY, 200, Decimal("329.90"))
    assert (close.reason, close.liquidity) == ("liquidation", Liquidity.SETTLEMENT)
    assert isinstance(changed, PositionChanged)
    assert changed.realized_pnl == -1000
    assert cancel == CancelAll("liquidation")
    assert booked.statistics().liquidations == 1


def test_what_the_account_would_owe_is_an_entry_of_its_own() -> None:
    booked = short()
    _, outputs = passed(booked, tape().bar(1, "497").rows())
    forgiven = [each for each in outputs if isinstance(each, CashAdjusted)]
    assert [(each.amount, each.currency) for each in forgiven] == [(Decimal(33420), "USD")]
    assert booked.positions()[0].realized_pnl == -34420
    assert booked.cash == booked.equity() == 0
    part = booked.sub_portfolio("")
    assert part is not None
    assert part.adjustments == 33420
    assert booked.handle(forgiven[0], 2) == []  # it comes back by the common way
    assert booked.cash == 0


def test_nothing_more_passes_afterwards() -> None:
    booked = short()
    passed(booked, tape().bar(1, "497").rows())
    refused = only(booked.handle(signal(5, Side.BUY, "1", limit="1"), 2), SignalRefused)
    assert refused.violations
    assert passed(booked, tape().bar(3, "600").rows()) == (None, [])


def test_a_level_above_zero_leaves_the_rest() -> None:
    booked = core(liquidate_at=Decimal(400), leverage=Decimal(100))
    booked.handle(fill(1, Side.BUY, "100", "100"), 0)
    row, outputs = passed(booked, tape().quote(1, "94", "95").quote(2, "93", "95").rows())
    assert row == 1
    assert not [each for each in outputs if isinstance(each, CashAdjusted)]
    assert booked.cash == 400


def test_who_owes_nothing_is_left_alone() -> None:
    booked = core(liquidate_at=Decimal(990))
    booked.handle(fill(1, Side.BUY, "10", "100"), 0)
    assert passed(booked, tape().bar(1, "1").rows()) == (None, [])
    assert core(liquidate_at=ZERO).look(tape().bar(1, "1").rows(), 0, 1) == 1


def test_futures_are_watched() -> None:
    booked = core(liquidate_at=ZERO)
    booked.handle(fill(1, Side.BUY, "1", "200", instrument=FUTURE), 0)
    rows = tape().quote(1, "101", "103", FUTURE).quote(2, "99", "101", FUTURE).rows()
    row, outputs = passed(booked, rows)
    assert row == 1
    assert fills_of(outputs)[0].last_price == 100
    assert booked.cash == 0


def test_a_fill_that_ruins_the_account_closes_it_at_once() -> None:
    booked = short("100", "100")
    passed(booked, tape().bar(1, "109").rows())
    outputs = booked.handle(fill(2, Side.SELL, "10", "99", commission="200"), 2)
    assert [each.last_quantity for each in fills_of(outputs)] == [110]
    assert booked.equity() == 0


def test_positions_without_a_price_are_not_judged() -> None:
    booked = short("100", "100")
    booked.handle(fill(2, Side.BUY, "1", "1", instrument=YES), 0)
    assert passed(booked, tape().bar(1, "500").rows()) == (None, [])
    row, _ = passed(booked, tape().quote(2, None, None).quote(3, "1", "1", YES).rows())
    assert row is None
    row, _ = passed(booked, tape().quote(4, "0.5", None, YES).quote(5, "400", "401").rows())
    assert row == 1


def test_rates_that_move_are_looked_at() -> None:
    booked = core(
        liquidate_at=ZERO,
        leverage=Decimal(100),
        fx={"EUR": EURUSD},
        balances={"EUR": Decimal(0)},
    )
    booked.handle(fill(1, Side.SELL, "100", "10", instrument=EURO_STOCK), 0)
    rows = (
        tape()
        .quote(1, "19", "19", EURO_STOCK)
        .quote(2, "1.10", "1.10", EURUSD)
        .quote(3, "1.12", "1.12", EURUSD)
        .quote(4, "5", "5", COIN)
        .rows()
    )
    row, outputs = passed(booked, rows)
    assert row == 2
    assert fills_of(outputs)[0].last_price == 19
    assert booked.equity() == 0


def test_a_liquidation_is_a_change_of_the_equity_curve() -> None:
    booked = short(equity=EquitySampling.ON_CHANGE)
    _, outputs = passed(booked, tape().bar(1, "497").rows())
    assert isinstance(outputs[-1], EquityMarked)
    assert outputs[-1].equity == 0


def test_rows_that_come_as_a_message_are_judged_alike() -> None:
    booked = short()
    rows = tape().bar(1, "328").bar(2, "340").bar(3, "497").rows()
    outputs = booked.handle(MarketData(rows), 3)
    assert [each.last_price for each in fills_of(outputs)] == [Decimal(340)]


# --- however the rows are cut --------------------------------------------------------------------

moves = st.lists(
    st.tuples(
        st.sampled_from([COIN, FUTURE, YES]),
        st.sampled_from(["quote", "bar", "trade", "bid", "empty"]),
        st.integers(1, 400),
        st.integers(0, 3),
    ),
    min_size=5,
    max_size=30,
)
trades = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.sampled_from([COIN, COIN, FUTURE]),
        st.sampled_from([Side.SELL, Side.SELL, Side.BUY]),
        st.integers(1, 40),
        st.integers(50, 150),
    ),
    min_size=1,
    max_size=5,
)


def recorded(moves: list[tuple[str, str, int, int]]) -> Slice:
    made: Tape = tape()
    for time_ns, (name, kind, ticks, width) in enumerate(moves, 1):
        bid, ask = str(Decimal(ticks)), str(Decimal(ticks + width))
        match kind:
            case "quote":
                made.quote(time_ns, bid, ask, name)
            case "bar":
                made.bar(time_ns, bid, name)
            case "trade":
                made.trade(time_ns, bid, name)
            case "bid":
                made.quote(time_ns, bid, None, name)
            case _:
                made.quote(time_ns, None, None, name)
    return made.rows()


def history(
    rows: Slice, orders: list[tuple[int, str, Side, int, int]], size: int
) -> tuple[list[Any], Portfolio]:
    """Return all outputs with their times, the rows cut into slices of a size."""
    booked = core(liquidate_at=Decimal(100), leverage=Decimal(50))
    told: list[Any] = []
    for start in range(0, len(rows), size):
        part = rows.take(slice(start, min(start + size, len(rows))))
        position = 0
        while position < len(part):
            # a fill comes right after a row: the look ahead stops there, however rows are cut
            pauses = (at - start + 1 for at, *_ in orders if at >= start + position)
            stop = min([*pauses, len(part)])
            row = booked.look(part, position, stop)
            if row < stop:
                outputs = booked.react(part, row, part.times()[row])
                told.append((start + row, *outputs))
                row += 1
            booked.advance(part, row)
            position = row
            for number, (at, name, side, quantity, price) in enumerate(orders):
                if at == start + position - 1:
                    one = fill(number, side, str(quantity), str(price), instrument=name)
                    told.append((at, *booked.handle(one, part.times()[position - 1])))
    return told, booked


@given(moves, trades)
@settings(deadline=None, max_examples=150)
def test_a_liquidation_does_not_depend_on_how_rows_are_cut(
    moves: list[tuple[str, str, int, int]], orders: list[tuple[int, str, Side, int, int]]
) -> None:
    rows = recorded(moves)
    orders = [each for each in orders if each[0] < len(rows)]
    whole, booked = history(rows, orders, len(rows))
    for size in (1, 3):
        cut, other = history(rows, orders, size)
        assert cut == whole
        assert other.cash == booked.cash


@given(moves, st.sampled_from(Side), st.integers(1, 30))
@settings(deadline=None, max_examples=150)
def test_the_row_is_the_first_at_which_the_exact_value_is_down(
    moves: list[tuple[str, str, int, int]], side: Side, quantity: int
) -> None:
    rows = recorded(moves)
    booked = core(liquidate_at=Decimal(100), leverage=Decimal(50))
    booked.handle(fill(1, side, str(quantity), "100"), 0)
    booked.handle(fill(2, Side.SELL, "1", "100", instrument=FUTURE), 0)
    expected = len(rows)
    for row in range(len(rows)):
        booked.advance(rows, row + 1)
        marks = booked.market
        ledger_value = None
        if marks.priced(COIN) is not None and marks.priced(FUTURE) is not None:
            ledger_value = equity(booked._ledger, marks.priced)
        name = TABLE[int(rows.instrument[row])].id
        is_priced = name != YES and row in marks.rows_that_price(rows, name)
        if ledger_value is not None and ledger_value <= 100 and is_priced:
            expected = row
            break
    booked.advance(rows, 0)
    assert booked.look(rows, 0, len(rows)) == expected


# --- after a crash -------------------------------------------------------------------------------


def test_a_liquidation_is_rebuilt() -> None:
    booked = short()
    record: list[tuple[str, Any]] = [("received", fill(1, Side.SELL, "200", "324.90"))]
    _, outputs = passed(booked, tape().bar(1, "497").rows())
    record += (("sent", each) for each in outputs)
    record += (("received", each) for each in outputs if isinstance(each, Fill | CashAdjusted))
    again = core(liquidate_at=ZERO, leverage=Decimal(100), incarnation=1)
    again.inherit(booked.market)
    again.recover(record)
    assert (again.cash, again.positions(), again.fills) == (
        Decimal(0),
        booked.positions(),
        booked.fills,
    )
    assert again.statistics() == booked.statistics()
    probe = signal(5, Side.BUY, "1", limit="1")
    assert again.handle(probe, 2) == booked.handle(probe, 2)
    assert all(isinstance(each, Later) for each in again.start(3))


def test_a_liquidation_by_a_fill_is_rebuilt_before_what_was_queued_behind_it() -> None:
    booked = short("100", "100")
    passed(booked, tape().bar(1, "109").rows())
    ruin = fill(2, Side.SELL, "10", "99", commission="200")
    late = fill(3, Side.BUY, "2", "90")
    outputs = [*booked.handle(ruin, 2), *booked.handle(late, 2)]
    record: list[tuple[str, Any]] = [("received", fill(1, Side.SELL, "100", "100"))]
    record += [("received", ruin), ("received", late)]
    record += (("sent", each) for each in outputs)
    again = core(liquidate_at=ZERO, leverage=Decimal(100), incarnation=1)
    again.recover(record)
    assert (again.cash, again.fills) == (booked.cash, booked.fills)
    assert again.positions() == booked.positions()
    assert again.statistics() == booked.statistics()
