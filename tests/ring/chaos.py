"""A strategy that uses every verb there is, at random, and asks for much that is refused."""

from collections.abc import Callable
from decimal import Decimal
from random import Random  # noqa: TID251 - always seeded
from zlib import crc32

import attrs

from actors.messages.market import Bar, Quote
from actors.model.instrument import Instrument
from actors.model.order import Schedule, ScheduleKind, Side, TimeInForce
from actors.strategies import Strategy

_STEP_NS = 100_000_000
_IMMEDIATE = (TimeInForce.IOC, TimeInForce.FOK, TimeInForce.FAK)
_SLICED = (ScheduleKind.TWAP, ScheduleKind.VWAP)


@attrs.frozen
class Wish:
    """What one act is about.

    Attributes:
        near: The price that an order of this side would meet now.
        behind: A price at which it would rest, or the same.
        away: A price beyond it, where a stop order would wait.
    """

    dice: Random
    instrument: Instrument
    side: Side
    quantity: Decimal
    near: Decimal
    behind: Decimal
    away: Decimal

    def maybe(self, price: Decimal) -> Decimal | None:
        """Return a price, or none, as chance has it."""
        return price if self.dice.random() < 0.5 else None

    def likely(self, probability: float = 0.5) -> bool:
        """Return whether chance has it."""
        return self.dice.random() < probability


class Chaos(Strategy):
    """Does something at about one event in ``every``; its chance is drawn from the event alone.

    It does all there is to do, or some ``acts``: a name twice is twice as likely.
    """

    @attrs.frozen(kw_only=True)
    class Parameters:
        every: int = 5
        quantity: Decimal = Decimal(2)
        convert: bool = False
        acts: tuple[str, ...] = ()

    parameters: Parameters

    def on_start(self) -> None:
        self.acts: tuple[Callable[[Wish], None], ...] = (
            self.do_market,
            self.do_limit,
            self.do_bracket,
            self.do_alternatives,
            self.do_sliced,
            self.do_iceberg,
            self.do_good_till,
            self.do_stop,
            self.do_immediate,
            self.do_several,
            self.do_aim,
            self.do_change,
            self.do_change,
            self.do_cancel,
            self.do_convert,
        )
        if self.parameters.acts:
            self.acts = tuple(getattr(self, f"do_{name}") for name in self.parameters.acts)

    def on_quote(self, quote: Quote) -> None:
        if quote.bid is not None and quote.ask is not None:
            event = f"{quote.time_ns} {quote.instrument.id} {quote.bid_ticks}"
            self.meet(event, quote.instrument, quote.bid, quote.ask)

    def on_bar(self, bar: Bar) -> None:
        event = f"{bar.time_ns} {bar.instrument.id} {bar.close_ticks}"
        self.meet(event, bar.instrument, bar.close_price, bar.close_price)

    def meet(self, event: str, instrument: Instrument, bid: Decimal, ask: Decimal) -> None:
        dice = Random(crc32(f"{self.name} {event}".encode()))
        if dice.randrange(self.parameters.every):
            return
        quantity = self.parameters.quantity * dice.randrange(1, 6)
        side = dice.choice((Side.BUY, Side.SELL))
        tick = instrument.order_tick
        step = side.sign * tick
        near = ask if side is Side.BUY else bid
        wish = Wish(
            dice=dice,
            instrument=instrument,
            side=side,
            quantity=quantity,
            near=near,
            behind=max(near - step * dice.randrange(5), tick),
            away=max(near + step * dice.randrange(1, 5), tick),
        )
        dice.choice(self.acts)(wish)

    def placing(self, side: Side) -> Callable[..., str]:
        return self.buy if side is Side.BUY else self.sell

    # --- acts --------------------------------------------------------------------------------

    def do_market(self, wish: Wish) -> None:
        self.placing(wish.side)(wish.instrument, wish.quantity)

    def do_limit(self, wish: Wish) -> None:
        place = self.placing(wish.side)
        place(wish.instrument, wish.quantity, limit=wish.behind, post_only=wish.likely())

    def do_bracket(self, wish: Wish) -> None:
        tick = wish.instrument.order_tick
        width = wish.side.sign * tick * wish.dice.randrange(1, 6)
        profit, loss = max(wish.near + width, tick), max(wish.near - width, tick)
        if not min(profit, loss) < wish.near < max(profit, loss):
            return
        is_inside = min(profit, loss) < wish.behind < max(profit, loss)
        self.bracket(
            wish.instrument,
            wish.side,
            wish.quantity,
            take_profit=profit,
            stop_loss=loss,
            limit=wish.maybe(wish.behind) if is_inside else None,
        )

    def do_alternatives(self, wish: Wish) -> None:
        group = f"g{self.now_ns}-{wish.instrument.id}"
        place, opposite = self.placing(wish.side), self.placing(wish.side.opposite)
        with self.batch(all_or_none=wish.likely()):
            place(wish.instrument, wish.quantity, limit=wish.behind, group=group)
            more = wish.quantity * (1 + wish.dice.randrange(2))
            place(wish.instrument, more, stop=wish.away, group=group)
            if wish.likely(0.3):
                opposite(wish.instrument, wish.quantity, limit=wish.away, group=group)

    def do_sliced(self, wish: Wish) -> None:
        dice = wish.dice
        kind = dice.choice(_SLICED)
        count = dice.randrange(2, 5)
        duration_ns = count * dice.randrange(1, 10) * _STEP_NS
        weighted = count if kind is ScheduleKind.VWAP else 0
        profile = tuple(Decimal(dice.randrange(1, 5)) for _ in range(weighted))
        schedule = Schedule(kind=kind, duration_ns=duration_ns, slices=count, profile=profile)
        limit = wish.maybe(wish.behind)
        self.placing(wish.side)(wish.instrument, wish.quantity * 2, schedule=schedule, limit=limit)

    def do_iceberg(self, wish: Wish) -> None:
        shown = self.parameters.quantity
        schedule = Schedule(kind=ScheduleKind.ICEBERG, display_quantity=shown)
        place = self.placing(wish.side)
        place(wish.instrument, wish.quantity * 3, limit=wish.behind, schedule=schedule)

    def do_good_till(self, wish: Wish) -> None:
        expire_ns = self.now_ns + wish.dice.randrange(1, 20) * _STEP_NS
        place = self.placing(wish.side)
        place(wish.instrument, wish.quantity, limit=wish.behind, expire_ns=expire_ns)

    def do_stop(self, wish: Wish) -> None:
        step = wish.side.sign * wish.instrument.order_tick
        has_limit = wish.away + 2 * step > 0 and wish.likely()
        limit = wish.away + step * wish.dice.randrange(3) if has_limit else None
        place = self.placing(wish.side)
        place(wish.instrument, wish.quantity, stop=wish.away, limit=limit)

    def do_immediate(self, wish: Wish) -> None:
        lifetime = wish.dice.choice(_IMMEDIATE)
        place = self.placing(wish.side)
        place(wish.instrument, wish.quantity, limit=wish.near, time_in_force=lifetime)

    def do_several(self, wish: Wish) -> None:
        with self.batch(all_or_none=wish.likely()):
            for _ in range(3):
                place = self.placing(wish.dice.choice((Side.BUY, Side.SELL)))
                quantity = self.parameters.quantity * wish.dice.randrange(1, 8)
                place(wish.instrument, quantity, limit=wish.behind)

    def do_aim(self, wish: Wish) -> None:
        self.target(wish.instrument, wish.dice.randrange(-3, 4) * self.parameters.quantity)

    def do_change(self, wish: Wish) -> None:
        mine = self.open_orders()
        if not mine:
            return
        chosen = wish.dice.choice(mine).client_order_id
        quantity: Decimal | None = None
        if wish.likely(0.6):
            quantity = self.parameters.quantity * wish.dice.randrange(1, 10)
        limit = wish.behind if wish.likely(0.6) or quantity is None else None
        stop = wish.away if wish.likely(0.2) else None
        self.modify(chosen, quantity=quantity, limit=limit, stop=stop)

    def do_cancel(self, wish: Wish) -> None:
        mine = self.open_orders()
        choice = wish.dice.random()
        if choice < 0.5 and mine:
            self.cancel(wish.dice.choice(mine).client_order_id)
        elif choice < 0.6:
            self.cancel_all(wish.instrument, wish.side)
        elif choice < 0.65:
            self.cancel_all()
        else:
            limit = wish.maybe(wish.behind)
            place = self.placing(wish.side)
            place(wish.instrument, wish.quantity, reduce_only=True, limit=limit)

    def do_convert(self, wish: Wish) -> None:
        if self.parameters.convert:
            verb = wish.dice.choice((self.split, self.merge, self.split))
            verb(wish.instrument, wish.quantity)
