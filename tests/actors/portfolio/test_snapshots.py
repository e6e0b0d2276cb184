"""A portfolio that was put away and taken out again answers as the one that was not."""

import io
import pickle
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.actor import Context, Later
from actors.messages.account import ConversionKind, ConvertTokens, MarkEquity
from actors.messages.system import Halt, HaltLifted, Resumed
from actors.model.instrument import Instruments
from actors.model.order import OrderStatus, Side
from actors.portfolio.books.settings import CostMethod
from actors.portfolio.config import HoldingsRule
from actors.portfolio.portfolio import Portfolio
from actors.risk.limits import CashLimit, PositionLimit
from actors.risk.loss import Action, DailyLoss
from actors.risk.orders import OrderRate
from tests.actors.portfolio.accounts import FUTURE, NO, YES
from tests.actors.portfolio.accounts import table as many
from tests.actors.portfolio.archives import Forgetful
from tests.actors.portfolio.builders import COIN, SECOND, fill
from tests.actors.portfolio.rounds import holdings, orders_agree
from tests.actors.portfolio.wishes import answer, ended, modify, state, wish


class _Writer(pickle.Pickler):
    """Leaves out what belongs to the run."""

    def persistent_id(self, obj: Any) -> str | None:
        return obj.__class__.__name__ if isinstance(obj, Context | Instruments) else None


class _Reader(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, shared: dict[str, Any]) -> None:
        super().__init__(file)
        self._shared = shared

    def persistent_load(self, pid: Any) -> Any:
        return self._shared[pid]


def thawed(desk: Forgetful) -> Portfolio:
    """Return the portfolio of a desk as another process would have it."""
    buffer = io.BytesIO()
    _Writer(buffer).dump(desk.core)
    buffer.seek(0)
    context = desk.fresh(1)._context
    shared = {"Context": context, "Instruments": desk.instruments}
    core: Portfolio = _Reader(buffer, shared).load()
    return core


class Acts:
    """Does to a portfolio what a venue, strategies and the system may do."""

    def __init__(self, method: CostMethod, rule: HoldingsRule) -> None:
        self.desk = Forgetful(
            3,
            cash=Decimal(200),
            instruments=many(),
            cost_method=method,
            reconciles=True,
            holdings=rule,
            liquidate_at=Decimal(1),
            policies=(
                PositionLimit(max_size=Decimal(60)),
                CashLimit(),
                OrderRate(max_orders=9, interval_ns=20 * SECOND, max_repeats=3),
                DailyLoss(max_loss=Decimal(30), action=Action.REDUCE),
            ),
        )
        self.desk.take(orders_agree(0), holdings(0, "0", "200"))
        self.time_ns = 0
        self.count = 0

    def messages(self, kind: str, pick: int, lots: int) -> list[Any]:
        """Return what comes in; it does not depend on what was answered."""
        self.count += 1
        number, quantity = 1 + pick % 9, str(Decimal(lots) / 10)
        instrument = (COIN, YES, NO, FUTURE)[pick % 4]
        side = tuple(Side)[lots % 2]
        if kind == "wish":
            group = ("", "", "g")[lots % 3]
            parent = number if pick % 5 == 4 else None
            reduce_only = lots % 5 == 0
            return [
                wish(
                    self.count,
                    side,
                    quantity,
                    group=group,
                    parent=parent,
                    reduce_only=reduce_only,
                    instrument=instrument,
                )
            ]
        if kind == "change":
            claims = [each.order for each in self.desk.core._account.reservations.claims()]
            if not claims:
                return [modify(number, quantity)]
            order = claims[pick % len(claims)]
            return [modify(int(order.client_order_id[10:]), quantity), answer(order)]
        if kind == "fill":
            order_number = max(1, self.count - pick)
            made = fill(self.count, side, quantity, order=order_number, leaves=str(pick % 2))
            return [made, fill(number, side, quantity, instrument=instrument)]
        if kind == "convert":
            request = f"convert-{self.count}"
            what = tuple(ConversionKind)[pick % 3]
            return [
                ConvertTokens(
                    request_id=request,
                    strategy="cross",
                    kind=what,
                    instrument=YES,
                    quantity=Decimal(lots) / 10,
                )
            ]
        if kind == "round":
            return [orders_agree(self.count), holdings(self.count, quantity, str(pick))]
        if kind == "halt":
            return [Halt(f"fire {pick % 3}", final=False), HaltLifted(f"fire {lots % 3}")]
        others: list[list[Any]] = [
            [MarkEquity()],
            [ended(f"run-cross-{max(1, self.count - pick)}", OrderStatus.CANCELLED)],
            [Resumed(last_ns=1)],
        ]
        return others[lots % 3]

    def do(self, kind: str, pick: int, lots: int) -> list[Any]:
        """Let something happen; return what came in."""
        self.time_ns += SECOND
        if kind == "quote":
            instrument = (COIN, YES, NO, FUTURE)[pick % 4]
            self.desk.quote(f"0.{lots:02}", f"0.{lots + 1:02}", instrument, self.time_ns)
            return []
        messages = self.messages(kind, pick, lots)
        for each in messages:
            self.desk.take(each, now_ns=self.time_ns)
        return messages


kinds = st.sampled_from(
    ("wish", "wish", "fill", "fill", "change", "convert", "round", "halt", "quote", "other")
)
acts = st.lists(st.tuples(kinds, st.integers(0, 30), st.integers(1, 97)), min_size=1, max_size=25)


@given(acts, acts, st.sampled_from(CostMethod), st.sampled_from(HoldingsRule))
@settings(deadline=None, max_examples=150)
def test_a_snapshot_at_any_time_goes_on_as_the_portfolio_does(
    before: list[Any], after: list[Any], method: CostMethod, rule: HoldingsRule
) -> None:
    run = Acts(method, rule)
    for each in before:
        run.do(*each)
    again, mark = thawed(run.desk), len(run.desk.history)
    recovered = thawed(run.desk)
    assert state(again) == state(run.desk.core)
    again.start(run.time_ns)
    run.desk.core.start(run.time_ns)
    for each in after:
        if each[0] == "quote":
            continue
        start = len(run.desk.history)
        messages = run.do(*each)
        expected = [message for way, message in run.desk.history[start:] if way == "sent"]
        answers = [out for message in messages for out in again.handle(message, run.time_ns)]
        assert [out for out in answers if not isinstance(out, Later)] == expected
    assert state(again) == state(run.desk.core)
    recovered.inherit(run.desk.core.market)
    recovered.recover(iter(run.desk.history[mark:]))
    assert state(recovered) == state(run.desk.core)
    assert recovered.fills == run.desk.core.fills
    assert recovered.is_reconciled is run.desk.core.is_reconciled


def test_what_was_queued_at_the_snapshot_is_handled_after_it() -> None:
    run = Acts(CostMethod.AVERAGE, HoldingsRule.REFUSE)
    run.desk.take(wish(1, quantity="10"))
    again = thawed(run.desk)
    # both were queued when the snapshot was taken: the signal was decided before the fill came
    run.desk.history.clear()
    run.desk.take(wish(2, Side.SELL, "10"), fill(1, Side.BUY, "10"))
    again.recover(run.desk.history)
    assert state(again) == state(run.desk.core)


def test_the_timer_of_the_equity_is_set_again() -> None:
    run = Acts(CostMethod.AVERAGE, HoldingsRule.REFUSE)
    run.desk.core.start(5 * SECOND)
    (timer,) = thawed(run.desk).start(9 * SECOND + 1)
    assert isinstance(timer, Later)
    assert timer.at_ns == 10 * SECOND


def test_a_long_history_is_never_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Acts(CostMethod.AVERAGE, HoldingsRule.ADOPT)
    for number in range(1, 120):
        kind = ("wish", "fill", "round", "change", "other", "convert")[number % 6]
        run.do(kind, number % 31, 1 + number % 97)
    monkeypatch.setattr("actors.portfolio.recovery._AHEAD", 20)
    again = run.desk.fresh(1)
    again.inherit(run.desk.core.market)
    taken = 0

    def history() -> Iterator[tuple[str, Any]]:
        nonlocal taken
        for entry in run.desk.history:
            taken += 1
            yield entry

    again.recover(history())
    assert taken == len(run.desk.history) > 200
    assert state(again) == state(run.desk.core)
    recovery = again._recovery
    assert [recovery._orders, recovery._settlements, recovery._caused] == [{}, {}, {}]
