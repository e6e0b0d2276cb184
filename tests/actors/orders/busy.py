"""A strategy that uses every verb there is."""

from decimal import Decimal

from actors.messages.market import Quote
from actors.model.order import Schedule, ScheduleKind, Side
from actors.strategies import Strategy

TWAP = Schedule(kind=ScheduleKind.TWAP, duration_ns=2_000_000_000, slices=4)
VWAP = Schedule(
    kind=ScheduleKind.VWAP,
    duration_ns=1_500_000_000,
    slices=3,
    profile=(Decimal(3), Decimal(1), Decimal(2)),
)
ICEBERG = Schedule(kind=ScheduleKind.ICEBERG, display_quantity=Decimal(3))


class Busy(Strategy):
    """Brackets, alternatives, schedules, changes and cancels, by the number of the quote."""

    def on_start(self) -> None:
        self.count = 0

    def on_quote(self, quote: Quote) -> None:
        bid, ask = quote.bid, quote.ask
        assert bid is not None
        assert ask is not None
        self.count += 1
        number, of = self.count, quote.instrument
        tick = of.order_tick
        if number % 20 == 0:
            self.bracket(of, Side.BUY, 6, take_profit=ask + 20 * tick, stop_loss=bid - 20 * tick)
        if number % 20 == 5:
            self.buy(of, 3, limit=bid - 2 * tick)
        if number % 20 in (8, 9, 13):
            self._change(bid)
        if number % 50 == 17:
            self.buy(of, 12, schedule=VWAP if number % 100 == 17 else TWAP)
        if number % 50 == 37:
            self.sell(of, 10, limit=bid, schedule=ICEBERG)
        if number % 40 == 31:
            with self.batch():
                for distance in (1, 3):
                    self.buy(of, 2, limit=bid - distance * tick, group=f"g{number}")
        if number % 40 == 33:
            self.buy(of, 1, limit=bid - 3 * tick, expire_ns=quote.time_ns + 1_000_000_000)
        if number % 100 == 99:
            self.cancel_all(of, reason="tidy")

    def _change(self, bid: Decimal) -> None:
        for order in self.open_orders():
            if order.status is not None and order.quantity == 3:
                self.modify(order.client_order_id, quantity=4, limit=bid)
                return
