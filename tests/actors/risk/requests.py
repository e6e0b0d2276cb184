"""Requests for risk policies, and an account to look at: a test names the numbers that matter."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

import attrs

from actors.messages.trading import Signal
from actors.model.instrument import Instrument, InstrumentId, Outcome
from actors.model.order import Order, OrderType, Side, TimeInForce
from actors.risk.policy import RiskRequest
from actors.risk.view import Approved, Exposure, WorkingOrder


def token(
    name: str = "YES",
    *,
    outcome: Outcome | None = None,
    market: str | None = None,
    event: str | None = None,
    can_short: bool = False,
    multiplier: str = "1",
) -> Instrument:
    """Return an instrument without outcome, market and event, unless they are given."""
    return Instrument(
        id=InstrumentId(name),
        venue="venue",
        symbol=name.lower(),
        can_short=can_short,
        outcome=outcome,
        market=market,
        event=event,
        multiplier=Decimal(multiplier),
    )


def working(
    order_id: str,
    side: Side,
    quantity: str,
    limit: str | None,
    *,
    instrument: str = "YES",
    strategy: str = "other",
    order_type: OrderType = OrderType.LIMIT,
    time_in_force: TimeInForce = TimeInForce.GTC,
    group: str = "",
    parent: str = "",
) -> WorkingOrder:
    """Return an order that works, whole."""
    order = Order(
        client_order_id=order_id,
        strategy=strategy,
        instrument=instrument,
        side=side,
        quantity=Decimal(quantity),
        order_type=order_type,
        limit_price=None if limit is None else Decimal(limit),
        time_in_force=time_in_force,
        group=group,
        parent=parent,
    )
    return WorkingOrder(order=order, leaves=order.quantity)


def exposure(
    instrument: Instrument, quantity: str, cost: str = "0", buying: str = "0", selling: str = "0"
) -> Exposure:
    """Return what is held of an instrument."""
    return Exposure(
        instrument=instrument,
        quantity=Decimal(quantity),
        cost=Decimal(cost),
        buying=Decimal(buying),
        selling=Decimal(selling),
    )


@attrs.define(kw_only=True)
class Seen:
    """An account as policies see it; it answers what it is told to answer."""

    value: str = "1000"
    day_start: str = "1000"
    peak: str = "1000"
    marks: dict[str, str] = attrs.field(factory=dict)
    rates: dict[str, str] = attrs.field(factory=dict)
    seen_ns: dict[str, int] = attrs.field(factory=dict)
    instruments: tuple[Instrument, ...] = ()
    held: tuple[Exposure, ...] = ()
    own: tuple[Exposure, ...] = ()
    at_work: tuple[WorkingOrder, ...] = ()
    approved: tuple[Approved, ...] = ()

    def equity(self) -> Decimal:
        return Decimal(self.value)

    def day_start_equity(self, now_ns: int) -> Decimal:
        return Decimal(self.day_start)

    def peak_equity(self) -> Decimal:
        return Decimal(self.peak)

    def mark(self, instrument_id: str) -> Decimal | None:
        found = self.marks.get(instrument_id)
        return None if found is None else Decimal(found)

    def rate(self, instrument: Instrument) -> Decimal:
        return Decimal(self.rates.get(instrument.currency, "1"))

    def price_time_ns(self, instrument_id: str) -> int | None:
        return self.seen_ns.get(instrument_id)

    def group(self, instrument: Instrument, *, by_event: bool) -> Sequence[Instrument]:
        name = "event" if by_event and instrument.event else "market"
        wanted = getattr(instrument, name)
        return [each for each in self.instruments if wanted and getattr(each, name) == wanted]

    def exposures(
        self, strategy: str | None, instruments: Iterable[Instrument] | None = None
    ) -> Sequence[Exposure]:
        found = self.held if strategy is None else self.own
        if instruments is None:
            return found
        names = {each.id for each in instruments}
        return [each for each in found if each.instrument.id in names]

    def orders(self, instrument_id: str) -> Sequence[WorkingOrder]:
        return [each for each in self.at_work if each.order.instrument == instrument_id]

    def open_orders(self) -> Iterable[Order]:
        return [each.order for each in self.at_work]

    def approvals(self, after_ns: int) -> Iterable[Approved]:
        return [each for each in reversed(self.approved) if each.time_ns > after_ns]


def request(
    side: Side = Side.BUY,
    quantity: str = "10",
    *,
    held: str = "0",
    buying: str = "0",
    selling: str = "0",
    account: tuple[str, str, str] | None = None,
    opening: str | None = None,
    price: str = "0.50",
    available: str = "100",
    instrument: Instrument | None = None,
    order_type: OrderType = OrderType.LIMIT,
    stop: str | None = None,
    group: str = "",
    parent: str = "",
    strategy: str = "cross",
    now_ns: int = 0,
    view: Seen | None = None,
) -> RiskRequest:
    """Ask for 10 at 0.50; the account holds what the strategy holds, unless told otherwise."""
    everyone = account or (held, buying, selling)
    opened = Decimal(quantity if opening is None else opening)
    known = instrument or token()
    asked = Signal(
        signal_id="mine",
        strategy=strategy,
        instrument=known.id,
        side=side,
        quantity=Decimal(quantity),
        order_type=order_type,
        limit_price=Decimal(price)
        if order_type in (OrderType.LIMIT, OrderType.STOP_LIMIT)
        else None,
        stop_price=None if stop is None else Decimal(stop),
        group=group,
        parent=parent,
    )
    return RiskRequest(
        instrument=known,
        side=side,
        quantity=Decimal(quantity),
        opening=opened,
        price=Decimal(price),
        cost=opened * Decimal(price),
        available=Decimal(available),
        account_position=Decimal(everyone[0]),
        account_buying=Decimal(everyone[1]),
        account_selling=Decimal(everyone[2]),
        strategy_position=Decimal(held),
        strategy_buying=Decimal(buying),
        strategy_selling=Decimal(selling),
        order=asked,
        now_ns=now_ns,
        view=view or Seen(),
    )
