"""What a strategy says when the run ends in order: live and simulated alike."""

from typing import Any

import pytest

from actors.messages.market import Quote
from actors.messages.trading import CancelOrder, Signal, SubmitOrder
from actors.model.order import TERMINAL, OrderStatus
from actors.strategies import Strategy
from runtime.system.system import System
from runtime.wiring.components import blueprint
from runtime.wiring.routes import Role
from tests.ring.rig import config
from tests.ring.scenes import SMALL
from tests.runtime.system.test_live_system import lived, scene

_TYPES = (
    "strategies[0].type=tests.ring.test_last_words:Parting",
    "strategies[0].parameters={}",
    "close_out=false",
)
stopped: list[str] = []
"""Which strategies have stopped in this process."""


class Parting(Strategy):
    """Rests far below the market; when it ends, takes that back and asks for something else."""

    resting: str | None = None

    def on_quote(self, quote: Quote) -> None:
        if self.resting is None and quote.bid is not None:
            self.low = quote.instrument, quote.bid - 20
            self.resting = self.buy(self.low[0], 1, limit=self.low[1], reason="rests")

    def on_stop(self) -> None:
        stopped.append(self.name)
        assert self.resting is not None
        self.cancel(self.resting)
        self.buy(self.low[0], 1, limit=self.low[1], reason="farewell")


@pytest.fixture(autouse=True)
def _nobody_has_stopped() -> None:
    stopped.clear()


def check(sent: list[Any], orders: Any) -> None:
    """Check that what was said was heard, once, and that everything has come to its end."""
    assert stopped == ["one"]
    mine = [each for each in sent if isinstance(each, Signal) and each.strategy == "one"]
    assert [each.reason for each in mine] == ["rests", "farewell"]
    approved = [each.order.reason for each in sent if isinstance(each, SubmitOrder)]
    assert "farewell" in approved
    (rested,) = (each for each in orders.orders() if each.order.reason == "rests")
    assert rested.status is OrderStatus.CANCELLED
    assert rested.order.client_order_id in {
        each.client_order_id for each in sent if isinstance(each, CancelOrder)
    }
    assert all(each.status in TERMINAL for each in orders.orders())


def test_live_they_are_said_before_the_orders_are_ended() -> None:
    run = lived(scene("feeds[0].events=60", *_TYPES))
    assert run.system.undone == []
    check(run.sent, run.orders)


def test_simulated_they_are_seen_through() -> None:
    settings = config(SMALL, "feeds[0].events=60", *_TYPES)
    system = System(blueprint(settings), close_out=settings.close_out)
    sent: list[Any] = []

    def listen(plant: Any) -> None:
        plant.post.tap = lambda envelope: sent.append(envelope.message)

    system.prepare(listen)
    system.run()
    check(sent, system.cores[Role.ORDERS])
