"""The stages of an orderly stop, each with a deadline, and what each has left undone.

=========== ================================================================================
stage       what is done
=========== ================================================================================
strategies  they say their last words, and hear nothing more
orders      what is open is left, or cancelled, or cancelled and the positions closed
fills       what is in flight arrives, no order is left of which nobody knows what it is, and our
            books agree with those of a venue that is somewhere else
journal     everything is durable
links       actors and connections end (that one is the caller's)
=========== ================================================================================
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import trio

from actors.brokers.remote.broker import RemoteBroker
from actors.errors import JournalError
from actors.messages.account import CloseOut, MarkEquity
from actors.messages.reconciliation import Reconcile
from actors.messages.system import CancelAll
from actors.model.order import OrderStatus
from actors.orders.manager import OrderManager
from actors.orders.records import OrderRecord
from actors.portfolio.portfolio import Portfolio
from runtime.config.daemon import StopConfig, StopPolicy
from runtime.kernel.cell import Cell
from runtime.kernel.clock import NANOSECONDS
from runtime.system.base import SYSTEM
from runtime.wiring.plant import Plant
from runtime.wiring.routes import Role

_LOOK_S = 0.01
"""How often it is looked whether a stage is over: seconds."""
_CLOSE_AGAIN_S = 1.0
"""After how long what is still held is looked at again: seconds."""
_COMPARING = (Role.VENUE, Role.BROKER, Role.ORDERS, Role.PORTFOLIO)
"""Who must be there to compare with a venue that is somewhere else."""
_NOT_COMPARED = "not compared with the venue"
_ROUNDS = 3
"""In how many comparisons in a row a difference must be found that may be due to what is under way.
"""
_NAMED = 5
"""How many of what is left undone are named."""


class Stages:
    """Winds a plant in real time down.

    Attributes:
        undone: What was not done in time, in words.
        journal_error: How the journal has failed meanwhile, after which no stage is begun.
    """

    def __init__(self, plant: Plant, config: StopConfig, policy: StopPolicy, cause: str) -> None:
        self.undone: list[str] = []
        self.journal_error: JournalError | None = None
        self._is_comparing = False
        self._plant = plant
        self._config = config
        self._policy = policy
        self._cause = cause

    async def run(self) -> None:
        """Go through the stages up to a durable journal."""
        config = self._config
        await self._stage("strategies", config.strategies_ns, self._strategies, lambda: "not all")
        await self._stage("orders", config.orders_ns, self._orders, self._words_on_orders)
        await self._stage("fills", config.fills_ns, self._fills, self._words_on_fills)
        await self._stage("journal", config.journal_ns, self._last_mark, lambda: "no last mark")
        await self.flush()

    async def flush(self) -> None:
        """Have the journal on disk, within its deadline."""
        await self._stage("journal", self._config.journal_ns, self._journal, lambda: "not on disk")

    async def _stage(
        self,
        name: str,
        deadline_ns: int,
        work: Callable[[], Awaitable[None]],
        left: Callable[[], str],
    ) -> None:
        if self.journal_error is not None:
            return
        with trio.move_on_after(deadline_ns / NANOSECONDS) as scope:
            try:
                await work()
            except JournalError as error:
                self.journal_error = error
                self.undone.append(f"{name}: the journal has failed: {error}")
        if scope.cancelled_caught:
            self.undone.append(f"{name}: {left()}")

    # --- strategies ------------------------------------------------------------------------------

    async def _strategies(self) -> None:
        for cell in self._plant.strategies:
            await self._last_words(cell)

    async def _last_words(self, cell: Cell) -> None:
        """Let a strategy say its last words, and nothing more; one that fails at it is named."""
        if cell.core is None or cell.mailbox.is_closed:
            return
        cell.mailbox.close()
        try:
            outputs = await cell.last_words(self._plant.clock.now_ns())
        except Exception as error:  # noqa: BLE001 - it is reported, and its siblings go on
            self.undone.append(f"strategies: {cell.name} failed when it stopped: {error!r}")
            return
        for output in outputs:
            await self._send_from(cell.name, output)

    async def _send_from(self, sender: str, message: Any) -> None:
        plant = self._plant
        blocked = plant.post.deliver(sender, 0, message, plant.clock.now_ns())
        for mailbox, envelope in blocked or ():
            await mailbox.send(envelope)

    # --- orders and fills ------------------------------------------------------------------------

    async def _orders(self) -> None:
        await self._until(self._is_idle)
        if self._policy is StopPolicy.KEEP:
            return
        await self._send_from(SYSTEM, CancelAll(self._cause))
        await self._until(lambda: not self.open_orders())
        if self._policy is StopPolicy.FLATTEN:
            await self._flatten()

    async def _flatten(self) -> None:
        """Close what is held; again where an order to close it came to nothing.

        What is held is looked up at the venue before each pass: news of fills may be lost.
        """
        while True:
            await self._compare()
            if not self.holdings():
                return
            await self._send_from(SYSTEM, CloseOut())
            with trio.move_on_after(_CLOSE_AGAIN_S):
                await self._until(lambda: not self.holdings())
            while self.open_orders():
                with trio.move_on_after(_CLOSE_AGAIN_S):
                    await self._until(lambda: not self.open_orders())
                await self._compare()

    async def _fills(self) -> None:
        await self._until(lambda: not self.unknown_orders())
        differences = await self._compare()
        if differences is None:
            self.undone.append(f"fills: {_NOT_COMPARED}")
        elif differences:
            self.undone.append(f"fills: {_named('not as at the venue', differences)}")
        await self._until(lambda: not self.unknown_orders())
        if self._policy is StopPolicy.FLATTEN and self.holdings():
            self.undone.append(f"fills: {_named('held', self.holdings())}")

    async def _last_mark(self) -> None:
        await self._send_from(SYSTEM, MarkEquity(is_last=True))
        portfolio = self._plant.cells[Role.PORTFOLIO]
        if portfolio.core is not None:
            await self._until(lambda: portfolio.is_idle)

    # --- the venue's books -----------------------------------------------------------------------

    async def _compare(self) -> Sequence[str] | None:
        """Return what differs from the books of a venue elsewhere, in so many rounds in a row.

        With a venue in this process there is nothing to compare; None if one who compares is gone.
        """
        cells = self._plant.cells
        if Role.VENUE not in cells:
            return ()
        if any(cells[role].mailbox.is_closed for role in _COMPARING):
            return None
        found: Sequence[str] = ()
        self._is_comparing = True
        for _ in range(_ROUNDS):
            found = await self._round()
            if not found:
                break
        self._is_comparing = False
        return found

    async def _round(self) -> Sequence[str]:
        cells = self._plant.cells
        await self._until(lambda: isinstance(cells[Role.BROKER].core, RemoteBroker))
        broker = cells[Role.BROKER].core
        assert isinstance(broker, RemoteBroker)
        number = broker.round
        await self._send_from(SYSTEM, Reconcile(self._cause))
        await self._until(lambda: self._compared_after(number) is not None)
        return self._compared_after(number) or ()

    def _compared_after(self, number: int) -> Sequence[str] | None:
        portfolio = self._plant.cells[Role.PORTFOLIO].core
        return portfolio.compared_after(number) if isinstance(portfolio, Portfolio) else None

    # --- looking ---------------------------------------------------------------------------------

    async def _journal(self) -> None:
        plant = self._plant
        if plant.journal is not None:
            await plant.journal.durable(plant.post.sequence)

    async def _until(self, is_over: Callable[[], bool]) -> None:
        """Return when something is so and nobody is at work; cells tell nobody of either."""
        while not (self._is_idle() and is_over()):  # noqa: ASYNC110
            await trio.sleep(_LOOK_S)

    def _is_idle(self) -> bool:
        return all(cell.is_idle for cell in self._plant.cells.values())

    def open_orders(self) -> list[OrderRecord]:
        """Return the orders that are not over; none where nobody is there to know them."""
        orders = self._plant.cells[Role.ORDERS].core
        if not isinstance(orders, OrderManager):
            return []
        return orders.open_orders()

    def unknown_orders(self) -> list[OrderRecord]:
        """Return the orders of which only the venue knows how they stand."""
        return [each for each in self.open_orders() if each.status is OrderStatus.UNKNOWN]

    def holdings(self) -> list[str]:
        """Return the instruments of which a position is held."""
        portfolio = self._plant.cells[Role.PORTFOLIO].core
        if not isinstance(portfolio, Portfolio):
            return []
        return sorted({each.instrument for each in portfolio.positions() if each.quantity})

    def _words_on_orders(self) -> str:
        words = [_named("open", [each.order.client_order_id for each in self.open_orders()])]
        if self._policy is StopPolicy.FLATTEN:
            words.append(_named("held", self.holdings()))
        return "; ".join(each for each in words if each) or "some have not answered"

    def _words_on_fills(self) -> str:
        unknown = [each.order.client_order_id for each in self.unknown_orders()]
        if not unknown and self._is_comparing:
            return _NOT_COMPARED
        return _named("unknown", unknown) or "messages are in flight"


def _named(what: str, names: Sequence[str]) -> str:
    """Return ``3 open (a, b, c)``, or nothing for none."""
    if not names:
        return ""
    more = ", ..." if len(names) > _NAMED else ""
    return f"{len(names)} {what} ({', '.join(names[:_NAMED])}{more})"
