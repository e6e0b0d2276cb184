"""Builders with defaults: a test names the numbers that matter, and no others."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from random import Random  # noqa: TID251 - seeded below

from actors.actor import Context
from actors.messages.market import UNKNOWN_LOTS
from actors.messages.records import Origin
from actors.messages.slices import Slice, SliceBuilder
from actors.messages.trading import (
    ExecutionReport,
    PlaceOrder,
    ReportKind,
    Signal,
    SubmitOrder,
)
from actors.model.instrument import Instrument, InstrumentId, Instruments, Outcome
from actors.model.order import Liquidity, Order, OrderType, Side, TimeInForce

SECOND = 1_000_000_000
START_NS = 1_700_000_000 * SECOND
BTC = "BTC"


def context(actor: str = "actor", *, run_id: str = "run", seed: int = 7) -> Context:
    """Return what a core is told, with a generator of its own."""
    return Context(run_id=run_id, actor=actor, incarnation=0, random=Random(seed))


def instrument(
    id: str = BTC,  # noqa: A002 - the field's name
    *,
    venue: str = "venue",
    tick: str = "0.01",
    lot: str = "0.01",
    order_tick: str | None = None,
    min_quantity: str = "0",
    can_short: bool = True,
    outcome: Outcome | None = None,
) -> Instrument:
    """Return an instrument with a tick and a lot of 0.01."""
    return Instrument(
        id=InstrumentId(id),
        venue=venue,
        symbol=id,
        tick=Decimal(tick),
        lot=Decimal(lot),
        order_tick=Decimal(order_tick or tick),
        min_quantity=Decimal(min_quantity),
        can_short=can_short,
        outcome=outcome,
    )


def instruments(*members: Instrument) -> Instruments:
    """Return a table of these instruments, or of ``instrument()`` alone."""
    table = Instruments()
    for member in members or (instrument(),):
        table.add(member)
    return table


def order(
    side: Side = Side.BUY,
    quantity: str = "1",
    limit: str | None = None,
    *,
    id: str = "run-strategy-1",  # noqa: A002 - the field's name
    strategy: str = "strategy",
    instrument: str = BTC,
    order_type: OrderType | None = None,
    time_in_force: TimeInForce = TimeInForce.GTC,
    reason: str = "",
) -> Order:
    """Return a market order, or a limit order where a limit is given."""
    if order_type is None:
        order_type = OrderType.MARKET if limit is None else OrderType.LIMIT
    return Order(
        client_order_id=id,
        strategy=strategy,
        instrument=instrument,
        side=side,
        quantity=Decimal(quantity),
        order_type=order_type,
        limit_price=None if limit is None else Decimal(limit),
        time_in_force=time_in_force,
        reason=reason,
    )


def signal(
    side: Side | None = Side.BUY,
    quantity: str | None = "1",
    *,
    id: str = "run-strategy-1",  # noqa: A002 - the field's name
    strategy: str = "strategy",
    instrument: str = BTC,
    target: str | None = None,
    limit: str | None = None,
    time_in_force: TimeInForce = TimeInForce.GTC,
    reason: str = "",
) -> Signal:
    """Return a wish to buy one at the market; ``target`` in place of side and quantity."""
    is_target = target is not None
    return Signal(
        signal_id=id,
        strategy=strategy,
        instrument=instrument,
        side=None if is_target else side,
        quantity=None if is_target or quantity is None else Decimal(quantity),
        target=None if target is None else Decimal(target),
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit_price=None if limit is None else Decimal(limit),
        time_in_force=time_in_force,
        reason=reason,
    )


def submit(of: Order | None = None) -> SubmitOrder:
    """Return the portfolio's approval of an order."""
    return SubmitOrder(order=of or order(), approved_by=("CashLimit",), reserved=Decimal(0))


def place(of: Order | None = None) -> PlaceOrder:
    """Return the order manager's request to place an order."""
    return PlaceOrder(order=of or order())


def report(
    kind: ReportKind = ReportKind.ACCEPTED,
    *,
    id: str = "run-strategy-1",  # noqa: A002 - the field's name
    time_ns: int = START_NS,
    reason: str = "",
) -> ExecutionReport:
    """Return a venue's word on an order, other than a trade."""
    return ExecutionReport(
        client_order_id=id, kind=kind, venue="venue", venue_time_ns=time_ns, reason=reason
    )


def trade_report(
    quantity: str = "1",
    price: str = "100",
    *,
    id: str = "run-strategy-1",  # noqa: A002 - the field's name
    trade_id: str = "trade-1",
    commission: str = "0",
    liquidity: Liquidity = Liquidity.TAKER,
    time_ns: int = START_NS,
) -> ExecutionReport:
    """Return a venue's word that an order has traded."""
    return ExecutionReport(
        client_order_id=id,
        kind=ReportKind.TRADE,
        venue="venue",
        venue_time_ns=time_ns,
        trade_id=trade_id,
        last_quantity=Decimal(quantity),
        last_price=Decimal(price),
        commission=Decimal(commission),
        liquidity=liquidity,
    )


def times(start_ns: int = START_NS, step_ns: int = SECOND) -> Iterable[int]:
    """Yield row times without end."""
    while True:
        yield start_ns
        start_ns += step_ns


def quote_rows(
    quotes: Sequence[tuple[int, int] | tuple[int, int, int, int]],
    *,
    table: Instruments | None = None,
    index: int = 0,
    start_ns: int = START_NS,
    step_ns: int = SECOND,
) -> Slice:
    """Return quotes ``(bid, ask)`` or ``(bid, ask, bid lots, ask lots)`` of one instrument.

    Sizes that are not given are not known.
    """
    builder = SliceBuilder(table if table is not None else instruments())
    for time_ns, quote in zip(times(start_ns, step_ns), quotes, strict=False):
        bid, ask, *sizes = quote
        bid_lots, ask_lots = sizes or (UNKNOWN_LOTS, UNKNOWN_LOTS)
        builder.quote(Origin(time_ns=time_ns), index, (bid, ask, bid_lots, ask_lots))
    return builder.build()
