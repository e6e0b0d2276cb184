"""A venue's account of what it has charged: what models of bounds and tiers must remember."""

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal

from actors.brokers.models.commission.base import (
    NOTHING_CHARGED,
    Charged,
    CommissionModel,
    add,
    multiply,
    notional,
)
from actors.brokers.models.commission.schedules import BoundedCommission
from actors.messages.trading import ExecutionReport
from actors.model.instrument import Instrument
from actors.model.money import ZERO
from actors.model.order import Liquidity, Order

PastTrade = tuple[Order, Instrument, ExecutionReport]
"""An order, what it is for, and the report of one of its trades."""

_WIDE = Context(prec=100)


class Charges:
    """Asks a commission model for each trade's charge, rounded if the model says so.

    What came before a trade is remembered only if the model needs it: per order until it is over,
    and the account's volume.
    """

    def __init__(self, model: CommissionModel) -> None:
        self._model = model
        self._needs_history = model.needs_history
        self._is_plain = not model.needs_history and model.round_to is None
        self._orders: dict[str, Charged] = {}
        self._volume = ZERO

    def charge(
        self,
        order: Order,
        instrument: Instrument,
        price: Decimal,
        quantity: Decimal,
        liquidity: Liquidity,
    ) -> Decimal:
        """Return what a trade of an order is charged, and remember it if need be."""
        model = self._model
        if self._is_plain:
            return model.commission(price, quantity, liquidity, instrument)
        if not self._needs_history:
            return self._rounded(model.commission(price, quantity, liquidity, instrument))
        before = self._before(order)
        exact = model.commission(price, quantity, liquidity, instrument, before)
        charge = self._rounded(exact)
        self._note(order, instrument, (price, quantity, charge))
        return charge

    def forget(self, client_order_id: str) -> None:
        """Forget an order that is over; the volume of its trades stays."""
        self._orders.pop(client_order_id, None)

    def restore(self, trades: Iterable[PastTrade]) -> None:
        """Remember trades that were charged before a restart, in their order."""
        if self._needs_history:
            for order, instrument, said in trades:
                trade = (said.last_price, said.last_quantity, said.commission)
                self._note(order, instrument, trade)

    def _before(self, order: Order) -> Charged:
        known = self._orders.get(order.client_order_id, NOTHING_CHARGED)
        return Charged(
            commission=known.commission,
            quantity=known.quantity,
            due=known.due,
            volume=self._volume,
        )

    def _note(
        self, order: Order, instrument: Instrument, trade: tuple[Decimal, Decimal, Decimal]
    ) -> None:
        price, quantity, charge = trade
        before = self._before(order)
        due = ZERO
        if isinstance(self._model, BoundedCommission):
            due = self._model.due(price, quantity, instrument, before)
        self._volume = add(self._volume, notional(price, quantity, instrument))
        filled = add(before.quantity, quantity)
        if filled >= order.quantity:
            self.forget(order.client_order_id)
            return
        self._orders[order.client_order_id] = Charged(
            commission=add(before.commission, charge), quantity=filled, due=add(before.due, due)
        )

    def _rounded(self, charge: Decimal) -> Decimal:
        step = self._model.round_to
        if step is None:
            return charge
        steps = _WIDE.divide(charge, step).to_integral_value(ROUND_HALF_EVEN)
        return multiply(steps, step)
