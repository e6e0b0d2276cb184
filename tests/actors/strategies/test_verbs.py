"""What a strategy may say, and what it is told when it contradicts itself."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages.account import ConversionKind, ConvertTokens
from actors.messages.trading import (
    CancelOrder,
    CancelOrders,
    ModifyOrder,
    OrderUpdate,
    Signal,
    SignalBatch,
    SignalRefused,
)
from actors.model.order import OrderStatus, OrderType, Schedule, ScheduleKind, Side, TimeInForce
from actors.strategies import Strategy
from tests.actors.strategies.builders import refusal, started, update
from tests.builders import context, instrument, instruments

A, B = instrument("A"), instrument("B")
TWAP = Schedule(kind=ScheduleKind.TWAP, duration_ns=10, slices=2)


class Idle(Strategy):
    """Does nothing."""


def idle(incarnation: int = 0) -> Idle:
    return started(Idle, instruments(A, B), incarnation=incarnation)


def only(core: Strategy) -> Any:
    """Return the only message that was sent."""
    (message,) = core.take_outbox(0)
    return message


def wish(**terms: Any) -> Signal:
    """Return the signal of a purchase with some terms."""
    core = idle()
    core.buy(A, 1, **terms)
    signal: Signal = only(core)
    return signal


class TestTerms:
    @pytest.mark.parametrize(
        ("terms", "kind"),
        [
            ({}, OrderType.MARKET),
            ({"limit": 5}, OrderType.LIMIT),
            ({"limit": 5, "post_only": True}, OrderType.POST_ONLY),
            ({"stop": 5}, OrderType.STOP),
            ({"stop": 5, "limit": 6}, OrderType.STOP_LIMIT),
            ({"limit": 5, "post_only": False, "reduce_only": True}, OrderType.LIMIT),
        ],
    )
    def test_the_prices_say_what_kind_of_order_it_is(
        self, terms: dict[str, Any], kind: OrderType
    ) -> None:
        signal = wish(**terms)
        assert signal.order_type is kind
        assert signal.limit_price == terms.get("limit")
        assert signal.stop_price == terms.get("stop")

    def test_every_term_is_carried(self) -> None:
        signal = wish(
            stop="4.5",
            expire_ns=99,
            reduce_only=True,
            group="g",
            parent="run-s-0",
            reason="why",
            priority=2,
        )
        assert signal == Signal(
            signal_id="run-s-1",
            strategy="s",
            instrument="A",
            side=Side.BUY,
            quantity=Decimal(1),
            order_type=OrderType.STOP,
            stop_price=Decimal("4.5"),
            time_in_force=TimeInForce.GTD,
            expire_time_ns=99,
            reduce_only=True,
            group="g",
            parent="run-s-0",
            reason="why",
            priority=2,
        )

    def test_a_schedule_is_carried(self) -> None:
        assert wish(limit=5, schedule=TWAP).schedule is TWAP
        assert wish(schedule=None).schedule is None

    def test_an_end_makes_an_order_gtd(self) -> None:
        assert wish(expire_ns=5).time_in_force is TimeInForce.GTD
        assert wish(expire_ns=0).time_in_force is TimeInForce.GTC
        assert wish(time_in_force=TimeInForce.GTD, expire_ns=5).expire_time_ns == 5

    @pytest.mark.parametrize(
        ("terms", "error", "words"),
        [
            ({"stop": 0.5}, TypeError, "stop: expected a Decimal.*found the float 0.5"),
            ({"stop": 0}, ValueError, "stop: expected above 0, found 0"),
            ({"limit": "NaN"}, ValueError, "limit: expected a finite number"),
            ({"stop": 1, "limit": 1, "post_only": True}, ValueError, "post_only goes with no stop"),
            ({"stop": 1, "post_only": True}, ValueError, "post_only needs a limit"),
            (
                {"limit": 1, "post_only": True, "time_in_force": TimeInForce.IOC},
                ValueError,
                "post_only goes with no IOC",
            ),
            (
                {"expire_ns": 5, "time_in_force": TimeInForce.FOK},
                ValueError,
                "expire_ns goes with no FOK",
            ),
            ({"time_in_force": TimeInForce.GTD}, ValueError, "GTD needs expire_ns"),
            (
                {"time_in_force": TimeInForce.GTD, "reduce_only": True},
                ValueError,
                "GTD needs expire_ns",
            ),
            ({"expire_ns": 5.0}, TypeError, "expire_ns: expected whole nanoseconds UTC"),
            ({"expire_ns": True}, TypeError, "expire_ns: expected whole nanoseconds UTC"),
            ({"expire_ns": -1}, TypeError, "expire_ns: expected whole nanoseconds UTC"),
            ({"group": 5}, TypeError, "group: expected a text, found the int 5"),
            ({"parent": None}, TypeError, "parent: expected a text"),
            ({"schedule": "TWAP"}, TypeError, "schedule: expected a Schedule, found 'TWAP'"),
            ({"schedule": TWAP, "stop": 1}, ValueError, "schedule goes with no stop"),
            ({"schedule": TWAP, "group": "g"}, ValueError, "schedule goes with no group"),
            ({"schedule": TWAP, "parent": "p"}, ValueError, "schedule goes with no parent"),
            (
                {"schedule": TWAP, "time_in_force": TimeInForce.FAK},
                ValueError,
                "schedule goes with no FAK",
            ),
            ({"limt": 1}, TypeError, "unknown term 'limt': expected one of limit, stop"),
        ],
    )
    def test_what_contradicts_itself_is_refused_in_words(
        self, terms: dict[str, Any], error: type[Exception], words: str
    ) -> None:
        core = idle()
        with pytest.raises(error, match=words):
            core.buy(A, 1, **terms)
        assert core.outbox == []
        assert core.open_orders() == ()

    @given(
        st.dictionaries(
            st.sampled_from(
                [
                    "limit",
                    "stop",
                    "post_only",
                    "time_in_force",
                    "expire_ns",
                    "reduce_only",
                    "group",
                    "parent",
                    "schedule",
                    "quantity",
                ]
            ),
            st.one_of(
                st.none(),
                st.booleans(),
                st.integers(-3, 3),
                st.floats(),
                st.text(max_size=3),
                st.sampled_from([*TimeInForce, TWAP, Decimal("NaN")]),
            ),
        )
    )
    def test_garbage_is_refused_or_makes_a_signal(self, terms: dict[str, Any]) -> None:
        core = idle()
        try:
            core.sell(A, 1, **terms)
        except (TypeError, ValueError):
            assert core.outbox == []
        else:
            assert isinstance(only(core), Signal)


class TestChanges:
    def test_a_change_names_the_order_and_what_is_new(self) -> None:
        core = idle()
        core.modify("run-s-1", quantity=5, limit="1.5", stop=Decimal(2), reason="why")
        assert only(core) == ModifyOrder(
            client_order_id="run-s-1",
            strategy="s",
            quantity=Decimal(5),
            limit_price=Decimal("1.5"),
            stop_price=Decimal(2),
            reason="why",
        )

    @pytest.mark.parametrize(
        ("changes", "error", "words"),
        [
            ({}, ValueError, "expected a quantity, a limit or a stop, found none"),
            ({"reason": "why"}, ValueError, "found none"),
            ({"quantity": 0}, ValueError, "quantity: expected above 0"),
            ({"limit": 0.5}, TypeError, "limit: expected a Decimal"),
            ({"stop": -1}, ValueError, "stop: expected above 0"),
            ({"price": 1}, TypeError, "unknown change 'price'"),
        ],
    )
    def test_a_change_of_nothing_or_of_garbage_is_refused(
        self, changes: dict[str, Any], error: type[Exception], words: str
    ) -> None:
        core = idle()
        with pytest.raises(error, match=words):
            core.modify("run-s-1", **changes)
        assert core.outbox == []

    def test_the_blotter_knows_the_new_quantity(self) -> None:
        core = idle()
        core.buy(A, 5, limit=1)
        signal: Signal = only(core)
        grown = Signal(
            signal_id=signal.signal_id,
            strategy="s",
            instrument="A",
            side=Side.BUY,
            quantity=Decimal(9),
        )
        core.handle(update(grown, OrderStatus.WORKING), 1)
        [order] = core.open_orders()
        assert order.quantity == 9

    def test_a_refused_change_does_not_lose_the_order(self) -> None:
        core = idle()
        core.buy(A, 5, limit=1)
        signal: Signal = only(core)
        core.modify(signal.signal_id, quantity=500)
        core.handle(refusal(signal), 1)
        assert len(core.open_orders()) == 1
        core.handle(update(signal, OrderStatus.WORKING), 2)
        core.modify(signal.signal_id, quantity=500)
        core.handle(refusal(signal), 3)
        assert len(core.open_orders()) == 1

    def test_a_refused_order_and_its_refused_changes_are_gone(self) -> None:
        core = idle()
        core.buy(A, 5, limit=1)
        signal: Signal = only(core)
        for _ in range(2):
            core.modify(signal.signal_id, quantity=500)
        for _ in range(2):
            core.handle(refusal(signal), 1)
            assert len(core.open_orders()) == 1
        core.handle(refusal(signal), 1)
        assert core.open_orders() == ()

    def test_a_change_of_an_order_that_is_over_is_nothing_to_remember(self) -> None:
        core = idle()
        core.modify("run-s-9", quantity=5)
        core.handle(
            SignalRefused(signal_id="run-s-9", strategy="s", instrument="A", violations=()), 1
        )
        assert core.open_orders() == ()


class TestCancels:
    def test_everything_or_one_instrument_or_side_is_cancelled(self) -> None:
        core = idle()
        core.cancel_all()
        core.cancel_all(A, Side.SELL, reason="why")
        core.cancel_all("B")
        assert core.take_outbox(0) == [
            CancelOrders(strategy="s"),
            CancelOrders(strategy="s", instrument="A", side=Side.SELL, reason="why"),
            CancelOrders(strategy="s", instrument="B"),
        ]


class TestBatches:
    def test_wishes_made_together_are_sent_together(self) -> None:
        core = idle()
        with core.batch():
            first = core.buy(A, 1)
            core.cancel("run-s-0")
            second = core.sell(B, 2, limit=3)
            assert core.has_open_order(A)
        cancel, batch = core.take_outbox(0)
        assert isinstance(cancel, CancelOrder)
        assert isinstance(batch, SignalBatch)
        assert (batch.strategy, batch.all_or_none) == ("s", False)
        assert [each.signal_id for each in batch.signals] == [first, second]
        assert len(core.open_orders()) == 2

    def test_all_or_none(self) -> None:
        core = idle()
        with core.batch(all_or_none=True):
            core.buy(A, 1)
        assert only(core).all_or_none

    def test_an_empty_batch_is_not_sent(self) -> None:
        core = idle()
        with core.batch():
            pass
        assert core.outbox == []

    def test_a_block_that_fails_sends_nothing(self) -> None:
        core = idle()

        def two() -> None:
            with core.batch():
                core.buy(A, 1)
                core.buy(A, 0)

        with pytest.raises(ValueError, match="above 0"):
            two()
        assert core.outbox == []
        assert core.open_orders() == ()
        core.buy(A, 1)
        assert isinstance(only(core), Signal)

    def test_a_batch_in_a_batch_is_refused(self) -> None:
        core = idle()
        with core.batch(), pytest.raises(ValueError, match="a batch is open already"), core.batch():
            pass

    def test_a_refusal_concerns_its_own_wish(self) -> None:
        core = idle()
        with core.batch():
            core.buy(A, 1)
            core.buy(B, 1)
        core.handle(refusal(only(core).signals[0]), 1)
        assert [order.instrument for order in core.open_orders()] == ["B"]


class TestBrackets:
    def test_an_entry_and_two_exits_are_approved_together(self) -> None:
        core = idle()
        ids = core.bracket(A, Side.BUY, 5, take_profit=12, stop_loss="8", limit=10, reason="dip")
        batch = only(core)
        assert isinstance(batch, SignalBatch)
        assert batch.all_or_none
        entry, profit, loss = batch.signals
        assert ids == (entry.signal_id, profit.signal_id, loss.signal_id)
        assert entry == Signal(
            signal_id="run-s-1",
            strategy="s",
            instrument="A",
            side=Side.BUY,
            quantity=Decimal(5),
            order_type=OrderType.LIMIT,
            limit_price=Decimal(10),
            reason="dip",
        )
        assert profit == Signal(
            signal_id="run-s-2",
            strategy="s",
            instrument="A",
            side=Side.SELL,
            quantity=Decimal(5),
            order_type=OrderType.LIMIT,
            limit_price=Decimal(12),
            reduce_only=True,
            group="run-s-1-exits",
            parent="run-s-1",
            reason="take profit of run-s-1",
        )
        assert (loss.order_type, loss.stop_price, loss.group, loss.parent) == (
            OrderType.STOP,
            Decimal(8),
            "run-s-1-exits",
            "run-s-1",
        )

    def test_a_bracket_to_sell_has_its_exits_the_other_way_round(self) -> None:
        core = idle()
        core.bracket(A, Side.SELL, 5, take_profit=8, stop_loss=12)
        entry, profit, loss = only(core).signals
        assert (entry.side, entry.order_type) == (Side.SELL, OrderType.MARKET)
        assert (profit.side, loss.side) == (Side.BUY, Side.BUY)

    def test_a_bracket_within_a_batch_is_part_of_it(self) -> None:
        core = idle()
        with core.batch():
            core.buy(B, 1)
            core.bracket(A, Side.BUY, 5, take_profit=12, stop_loss=8)
        batch = only(core)
        assert (len(batch.signals), batch.all_or_none) == (4, False)

    @pytest.mark.parametrize(
        ("side", "terms", "error", "words"),
        [
            (Side.BUY, {"take_profit": 8, "stop_loss": 12}, ValueError, "on both sides"),
            (Side.SELL, {"take_profit": 12, "stop_loss": 8}, ValueError, "on both sides"),
            (Side.BUY, {"take_profit": 8, "stop_loss": 8}, ValueError, "on both sides"),
            (
                Side.BUY,
                {"take_profit": 12, "stop_loss": 8, "limit": 13},
                ValueError,
                "around the limit 13, found take_profit 12 and stop_loss 8",
            ),
            (Side.BUY, {"take_profit": 12}, TypeError, "expected stop_loss, found none"),
            (Side.BUY, {"take_profit": 12.0, "stop_loss": 8}, TypeError, "take_profit"),
            (Side.BUY, {"take_profit": 12, "stop_loss": -8}, ValueError, "stop_loss"),
            (
                Side.BUY,
                {"take_profit": 12, "stop_loss": 8, "stop": 1},
                TypeError,
                "unknown term of a bracket 'stop'",
            ),
        ],
    )
    def test_a_bracket_that_makes_no_sense_is_refused(
        self, side: Side, terms: dict[str, Any], error: type[Exception], words: str
    ) -> None:
        core = idle()
        with pytest.raises(error, match=words):
            core.bracket(A, side, 5, **terms)
        assert core.outbox == []
        assert core.open_orders() == ()

    def test_a_bracket_of_nothing_is_refused_whole(self) -> None:
        core = idle()
        with pytest.raises(ValueError, match="quantity: expected above 0"):
            core.bracket(A, Side.BUY, 0, take_profit=12, stop_loss=8)
        assert core.outbox == []


class TestConversions:
    @pytest.mark.parametrize("kind", ConversionKind)
    def test_tokens_are_converted_under_an_id_of_the_strategy(self, kind: ConversionKind) -> None:
        core = idle()
        request_id = getattr(core, kind.lower())(A, "2.5", reason="why")
        assert only(core) == ConvertTokens(
            request_id=request_id,
            strategy="s",
            kind=kind,
            instrument="A",
            quantity=Decimal("2.5"),
            reason="why",
        )
        assert (request_id, core.buy(A, 1)) == ("run-s-1", "run-s-2")

    def test_a_conversion_of_nothing_is_refused(self) -> None:
        core = idle()
        with pytest.raises(ValueError, match="quantity: expected above 0"):
            core.merge(A, 0)
        assert core.outbox == []


def test_a_restarted_strategy_knows_what_it_sent_together_and_what_it_changed() -> None:
    core = idle()
    with core.batch():
        core.buy(A, 1)
        core.buy(B, 1)
    batch = only(core)
    first, second = batch.signals
    again = Idle(context("s"), instruments(A, B))
    modify = ModifyOrder(client_order_id=second.signal_id, strategy="s", quantity=Decimal(3))
    again.recover(
        [
            ("sent", batch),
            ("received", refusal(first)),
            ("sent", modify),
            ("received", refusal(second)),
        ]
    )
    assert [order.client_order_id for order in again.open_orders()] == [second.signal_id]


def test_news_of_other_orders_do_not_touch_a_change_that_is_under_way() -> None:
    core = idle()
    core.buy(A, 1)
    core.buy(B, 1)
    first, second = core.take_outbox(0)
    core.modify(first.signal_id, quantity=2)
    news: OrderUpdate = update(second, OrderStatus.WORKING)
    core.handle(news, 1)
    core.handle(refusal(first), 2)
    assert len(core.open_orders()) == 2
