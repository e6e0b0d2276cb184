from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.actor import Later
from actors.messages.account import CloseOut, MarkEquity
from actors.messages.system import CancelStrategy, Halt
from actors.messages.trading import Fill, Signal, SubmitOrder
from actors.model.order import Liquidity, OrderStatus, Side
from actors.portfolio.portfolio import Portfolio
from tests.actors.portfolio.builders import (
    COIN,
    NO,
    SECOND,
    YES,
    Tape,
    all_policies,
    fill,
    portfolio,
    see,
    signal,
    table,
    target,
    update,
)

INSTRUMENTS = table()


class Run:
    """A portfolio with a journal, in which messages may be queued behind one another."""

    def __init__(self) -> None:
        self.core = fresh()
        self.history: list[tuple[str, Any]] = []
        rows = Tape(INSTRUMENTS).quote(1, "0.40", "0.45").quote(1, "0.50", "0.55", YES).rows()
        see(self.core, rows)
        self._sent(self.core.start(0))

    def take(self, *queue: Any, now_ns: int = SECOND) -> list[Any]:
        """Handle messages that were all queued before the first of them was handled."""
        self.history += (("received", message) for message in queue)
        outputs = [output for message in queue for output in self.core.handle(message, now_ns)]
        self._sent(outputs)
        return outputs

    def resolve(self, payoff: str, instrument: str) -> None:
        rows = Tape(INSTRUMENTS).resolution(5, payoff, instrument).rows()
        self.core.advance(rows, 1)
        self._sent(self.core.react(rows, 0, 5))

    def _sent(self, outputs: list[Any]) -> None:
        self.history += (("sent", output) for output in outputs if not isinstance(output, Later))

    def restarted(self) -> Portfolio:
        core = fresh(incarnation=1)
        core.inherit(self.core.market)
        core.recover(iter(self.history))
        return core


def fresh(incarnation: int = 0) -> Portfolio:
    return portfolio(
        *all_policies("60"),
        cash="60",
        fee_rate="0.003",
        instruments=INSTRUMENTS,
        incarnation=incarnation,
    )


def state(core: Portfolio) -> tuple[Any, ...]:
    """Return everything that a decision may depend on, and everything that is shown."""
    return (
        core.cash,
        core.reserved,
        core.available,
        core.fills,
        core.positions(),
        core.equity_curve().samples(),
        core.statistics(),
    )


def same_answers(first: Portfolio, second: Portfolio) -> bool:
    """Return whether two portfolios decide alike from now on."""
    probes: list[Any] = [
        signal(900 + number, side, "7", instrument=name, strategy=strategy)
        for number, (side, name, strategy) in enumerate(
            (side, name, strategy)
            for side in Side
            for name in (COIN, YES, NO)
            for strategy in ("a", "b")
        )
    ]
    probes += [target(1, "3"), update(3), fill(3, leaves="1"), CloseOut(), MarkEquity()]
    return all(first.handle(p, 9 * SECOND) == second.handle(p, 9 * SECOND) for p in probes)


def test_a_restarted_portfolio_knows_cash_reservations_and_positions() -> None:
    run = Run()
    run.take(signal(1, quantity="10", limit=None))
    run.take(signal(2, quantity="20", limit="0.40"))
    run.take(fill(1, quantity="4", price="0.45", leaves="6", commission="0.01"))
    run.take(update(2))
    core = run.restarted()
    assert core.reserved == Decimal("0.45") * 6 * Decimal("1.003")
    assert state(core) == state(run.core)
    assert same_answers(core, run.core)


def test_signals_and_trades_that_come_again_after_a_restart_are_ignored() -> None:
    run = Run()
    run.take(signal(1), fill(1))
    core = run.restarted()
    assert core.handle(signal(1), SECOND) == []
    assert core.handle(fill(1), SECOND) == []
    assert core.cash == run.core.cash


def test_a_fill_that_was_queued_behind_a_signal_does_not_change_what_the_order_opens() -> None:
    run = Run()
    run.take(signal(1, Side.BUY, "10"))
    # decided while flat: all of the sale opens a short; then the purchase fills
    run.take(signal(2, Side.SELL, "10"), fill(1, Side.BUY, "10"))
    run.take(fill(2, Side.SELL, "4", order=2, leaves="6"))
    core = run.restarted()
    assert core.reserved == run.core.reserved == Decimal("5.015") * 6 / 10
    assert same_answers(core, run.core)


def test_a_restart_knows_which_of_two_orders_closes_the_position() -> None:
    for held, closing in ((Side.SELL, Side.BUY), (Side.BUY, Side.SELL)):
        run = Run()
        run.take(fill(1, held, "10", order=9))
        run.take(signal(1, closing, "10"), signal(2, closing, "15"))
        run.take(fill(2, closing, "6", order=2, leaves="9"))
        assert run.restarted().reserved == run.core.reserved == Decimal("0.5015") * 9


def test_settlements_are_recovered_from_the_fills_that_were_sent() -> None:
    run = Run()
    run.take(fill(1, Side.BUY, "10", "0.60", instrument=YES))
    run.resolve("1", YES)
    core = fresh(incarnation=1)
    core.recover(run.history)
    assert state(core) == state(run.core)
    late = fill(2, Side.BUY, "1", instrument=YES)
    assert core.handle(late, 9) == run.core.handle(late, 9)
    assert core.account_position(YES) == 0


def test_a_resolution_is_not_applied_to_the_time_before_it() -> None:
    run = Run()
    run.take(fill(1, Side.BUY, "10", "0.60", instrument=YES))
    run.take(fill(2, Side.SELL, "4", "0.70", instrument=YES))
    run.resolve("0", YES)
    core = run.restarted()
    settled = [f for f in core.fills if f.liquidity is Liquidity.SETTLEMENT]
    assert [f.last_quantity for f in settled] == [Decimal(6)]
    assert state(core) == state(run.core)


def test_a_halt_outlives_a_restart() -> None:
    run = Run()
    run.take(CancelStrategy("a", "crashed"), Halt("a cause"))
    assert same_answers(run.restarted(), run.core)


def test_closing_orders_outlive_a_restart() -> None:
    run = Run()
    run.take(fill(1))
    (first,) = run.take(CloseOut())
    core = run.restarted()
    assert core.handle(CloseOut(), SECOND) == []
    core.handle(fill(2, Side.SELL, "4"), SECOND)
    assert isinstance(first, SubmitOrder)
    over = update(1, OrderStatus.CANCELLED)
    over_id = first.order.client_order_id
    core.handle(replace(over, client_order_id=over_id), SECOND)
    (again,) = core.handle(CloseOut(), SECOND)
    assert isinstance(again, SubmitOrder)
    assert again.order.client_order_id == "run-close-2"


def test_the_timer_of_the_earlier_incarnation_does_not_sample_twice() -> None:
    run = Run()
    run.take(MarkEquity(), now_ns=SECOND)
    core = run.restarted()
    (timer,) = core.start(SECOND + 5)
    assert isinstance(timer, Later)
    assert timer.at_ns == 2 * SECOND
    assert len(core.handle(MarkEquity(), 2 * SECOND)) == 2
    assert core.handle(MarkEquity(), 2 * SECOND) == []


def test_a_sample_that_the_earlier_incarnation_failed_on_is_taken() -> None:
    core = Run().restarted()
    core.start(SECOND)
    assert len(core.handle(MarkEquity(), SECOND)) == 2


# --- the property --------------------------------------------------------------------------------

tenths = st.integers(1, 400).map(lambda lots: str(Decimal(lots) / 10))
names = st.sampled_from((COIN, YES, NO))
strategies = st.sampled_from(("a", "b"))
sides = st.sampled_from(Side)
ticks = st.integers(1, 99).map(lambda n: f"0.{n:02}")


@st.composite
def signals(draw: st.DrawFn) -> Signal:
    limit = draw(st.one_of(st.none(), ticks))
    wanted = draw(st.one_of(st.none(), st.integers(-30, 30).map(str)))
    return signal(
        draw(st.integers(1, 12)),
        None if wanted is not None else draw(sides),
        None if wanted is not None else draw(tenths),
        limit=limit,
        target=wanted,
        strategy=draw(strategies),
        instrument=draw(names),
    )


@st.composite
def fills(draw: st.DrawFn) -> Fill:
    return fill(
        draw(st.integers(1, 40)),
        draw(sides),
        draw(tenths),
        draw(ticks),
        order=draw(st.integers(1, 12)),
        leaves=draw(st.sampled_from(("0", "1"))),
        commission=draw(st.sampled_from(("0", "0.0123"))),
        strategy=draw(strategies),
        instrument=draw(names),
    )


updates = st.builds(
    lambda number, status, strategy: update(number, status, strategy=strategy),
    st.integers(1, 12),
    st.sampled_from(OrderStatus),
    strategies,
)
rare = st.sampled_from((MarkEquity(), Halt("a cause"), CancelStrategy("a", "crashed"), CloseOut()))
steps = st.lists(
    st.one_of(
        st.lists(st.one_of(signals(), fills(), updates), min_size=1, max_size=4),
        rare.map(lambda message: [message]),
        st.tuples(st.sampled_from(("0", "1")), st.sampled_from((YES, NO))),
    ),
    max_size=25,
)


@given(steps)
@settings(deadline=None, max_examples=300)
def test_a_replay_equals_the_first_run(plan: list[Any]) -> None:
    run = Run()
    resolved: set[str] = set()
    for number, step in enumerate(plan):
        if isinstance(step, list):
            run.take(*step, now_ns=(number + 1) * SECOND)
        elif step[1] not in resolved:
            resolved.add(step[1])
            run.resolve(*step)
    core = run.restarted()
    assert state(core) == state(run.core)
    core.start(8 * SECOND)
    run.core.start(8 * SECOND)
    assert same_answers(core, run.core)
