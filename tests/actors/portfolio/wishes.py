"""A portfolio with a journal, and wishes of every kind: a test names what matters, and no more."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random  # noqa: TID251 - seeded below
from typing import Any

from msgspec.structs import replace

from actors.actor import Context, Later
from actors.messages.trading import (
    Fill,
    ModifyOrder,
    OrderUpdate,
    ReplaceOrder,
    ReplaceResult,
    Signal,
    SignalRefused,
    SubmitOrder,
)
from actors.model.instrument import Instruments
from actors.model.order import Order, OrderStatus, OrderType, Schedule, Side
from actors.portfolio.config import PortfolioConfig
from actors.portfolio.portfolio import Portfolio
from tests.actors.portfolio.builders import COIN, YES, Tape, fill, see, signal, table


def wish(
    number: int,
    side: Side = Side.BUY,
    quantity: str = "10",
    *,
    limit: str | None = "0.50",
    stop: str | None = None,
    group: str = "",
    parent: int | None = None,
    reduce_only: bool = False,
    schedule: Schedule | None = None,
    instrument: str = COIN,
    strategy: str = "cross",
) -> Signal:
    """Return a wish to buy 10 coins at 0.50; its type follows from limit and stop."""
    kinds = {
        (True, False): OrderType.MARKET,
        (False, False): OrderType.LIMIT,
        (True, True): OrderType.STOP,
        (False, True): OrderType.STOP_LIMIT,
    }
    plain = signal(number, side, quantity, limit=limit, strategy=strategy, instrument=instrument)
    return replace(
        plain,
        order_type=kinds[limit is None, stop is not None],
        stop_price=None if stop is None else Decimal(stop),
        group=group,
        parent="" if parent is None else f"run-{strategy}-{parent}",
        reduce_only=reduce_only,
        schedule=schedule,
    )


def modify(
    number: int,
    quantity: str | None = None,
    *,
    limit: str | None = None,
    stop: str | None = None,
    strategy: str = "cross",
) -> ModifyOrder:
    """Return a wish to change an order."""
    return ModifyOrder(
        client_order_id=f"run-{strategy}-{number}",
        strategy=strategy,
        quantity=None if quantity is None else Decimal(quantity),
        limit_price=None if limit is None else Decimal(limit),
        stop_price=None if stop is None else Decimal(stop),
    )


def answer(order: Order, *, accepted: bool = True) -> ReplaceResult:
    """Return what became of a change: the order as it stands."""
    return ReplaceResult(
        client_order_id=order.client_order_id,
        strategy=order.strategy,
        accepted=accepted,
        order=order,
    )


def ended(order: Order | str, status: OrderStatus = OrderStatus.CANCELLED) -> OrderUpdate:
    """Return the last word on an order."""
    return OrderUpdate(
        client_order_id=order if isinstance(order, str) else order.client_order_id,
        strategy="cross",
        instrument=COIN,
        side=Side.BUY,
        status=status,
        quantity=Decimal(10),
        filled_quantity=Decimal(0),
    )


class Desk:
    """A portfolio that has seen 0.40 to 0.45, and remembers what it received and sent."""

    def __init__(self, *policies: Any, instruments: Instruments | None = None, **options: Any):
        self.instruments = instruments or table()
        self.config = PortfolioConfig(
            **{"cash": Decimal(1000), "policies": policies, **options},
        )
        self.history: list[tuple[str, Any]] = []
        self.core: Any = self.fresh(0)  # loosely typed: tests compare its decimals with numbers
        self.fills = 0
        self.quote("0.40", "0.45")

    def fresh(self, incarnation: int) -> Portfolio:
        context = Context(
            run_id="run", actor="portfolio", incarnation=incarnation, random=Random(incarnation)
        )
        return Portfolio(context, self.instruments, self.config)

    def quote(
        self, bid: str | None, ask: str | None, instrument: str = COIN, time_ns: int = 1
    ) -> None:
        see(self.core, Tape(self.instruments).quote(time_ns, bid, ask, instrument).rows())

    def take(self, *messages: Any, now_ns: int = 0) -> list[Any]:
        """Handle messages that were all queued before the first of them was handled."""
        self.history += (("received", message) for message in messages)
        told = [out for message in messages for out in self.core.handle(message, now_ns)]
        self.history += (("sent", out) for out in told if not isinstance(out, Later))
        return told

    def order(self, wanted: Signal, now_ns: int = 0) -> Any:
        """Handle a signal that must be approved."""
        (told,) = self.take(wanted, now_ns=now_ns)
        assert isinstance(told, SubmitOrder), told
        return told

    def change(self, wanted: ModifyOrder, now_ns: int = 0) -> ReplaceOrder:
        """Handle a change that must be approved."""
        (told,) = self.take(wanted, now_ns=now_ns)
        assert isinstance(told, ReplaceOrder), told
        return told

    def refused(self, wanted: Any, now_ns: int = 0) -> list[str]:
        """Handle a wish that must be refused; return the names of what it violates."""
        (told,) = self.take(wanted, now_ns=now_ns)
        assert isinstance(told, SignalRefused), told
        return [violation.policy for violation in told.violations]

    def fill(
        self,
        order: Order,
        quantity: str | None = None,
        *,
        price: str = "0.50",
        leaves: str | None = None,
    ) -> list[Any]:
        """Book a fill of an order, by default of all of it."""
        self.fills += 1
        size = str(order.quantity) if quantity is None else quantity
        left = "0" if quantity is None else leaves or "1"
        made: Fill = fill(self.fills, order.side, size, price, leaves=left)
        return self.take(
            replace(
                made,
                client_order_id=order.client_order_id,
                strategy=order.strategy,
                instrument=order.instrument,
            )
        )

    def restarted(self) -> Portfolio:
        """Return a portfolio that was rebuilt from the journal."""
        core = self.fresh(1)
        core.inherit(self.core.market)
        core.recover(iter(self.history))
        return core

    def working(self, instrument: str = COIN) -> Any:
        """Return what the account is about to buy and sell."""
        return working(self.core, instrument)


def working(core: Portfolio, instrument: str = COIN) -> Any:
    """Return what an account is about to buy and sell."""
    everyone = core._account.reservations.account(instrument)
    return everyone.buying, everyone.selling


def state(core: Portfolio) -> tuple[Any, ...]:
    """Return everything of risk and reservation that a decision may depend on."""
    reservations = core._account.reservations
    return (
        core.cash,
        core.reserved,
        core.trading_state,
        core.trading_state_cause,
        [working(core, name) for name in (COIN, YES)],
        sorted(
            (claim.order.client_order_id, claim.leaves, claim.counted(), claim.greatest_cost())
            for claim in reservations.claims()
        ),
        dict(core._gate.reduce_only.watched),
        core.get_risk_metrics(),
        core.statistics(),
    )


def names(outputs: Sequence[Any]) -> list[str]:
    """Return the types of messages."""
    return [type(output).__name__ for output in outputs]
