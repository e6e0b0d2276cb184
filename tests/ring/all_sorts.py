"""A strategy that uses every type and lifetime of orders, and changes what is open."""

from decimal import Decimal
from random import Random  # noqa: TID251 - the type only; dice are always seeded

from actors.model.instrument import Instrument
from actors.model.order import TimeInForce
from tests.ring.traders import Trader

_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FAK, TimeInForce.FOK)


class AllSorts(Trader):
    """Does at random what :class:`Trader` does, and everything else that a venue may know."""

    def _act(self, dice: Random, instrument: Instrument, prices: tuple[Decimal, Decimal]) -> None:
        choice = dice.randrange(8)
        if choice < 2:
            super()._act(dice, instrument, prices)
            return
        is_buy = dice.random() < 0.5
        place = self.buy if is_buy else self.sell
        sign = 1 if is_buy else -1
        near = prices[1] if is_buy else prices[0]
        step = instrument.order_tick
        quantity = self.parameters.quantity * dice.randrange(1, 5)
        away = near + sign * step * dice.randrange(0, 4)
        behind = max(near - sign * step * dice.randrange(0, 4), step)
        if choice == 2:
            place(instrument, quantity, stop=max(away, step))
        elif choice == 3:
            limit = max(away + sign * step * dice.randrange(-2, 3), step)
            place(instrument, quantity, stop=max(away, step), limit=limit)
        elif choice == 4:
            expire_ns = self.now_ns + dice.randrange(1, 20) * 50_000_000
            place(instrument, quantity, limit=behind, expire_ns=expire_ns)
        elif choice == 5:
            place(instrument, quantity, time_in_force=dice.choice(_IMMEDIATE))
        else:
            self._change_one(dice, quantity, behind)

    def _change_one(self, dice: Random, quantity: Decimal, price: Decimal) -> None:
        for each in self.open_orders()[:1]:
            if dice.random() < 0.5:
                self.modify(each.client_order_id, quantity=quantity)
            else:
                self.modify(each.client_order_id, quantity=quantity, limit=price)
