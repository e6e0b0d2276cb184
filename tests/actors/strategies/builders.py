"""Strategies that tell what they heard, and a way to run one over rows as a simulated run does."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from random import Random  # noqa: TID251 - seeded below
from typing import Any, TypeVar

from actors.actor import Context, Vectorised
from actors.messages.account import PositionChanged
from actors.messages.market import KIND_BITS, NO_PRICE, EventKind, Quote
from actors.messages.slices import Slice
from actors.messages.trading import OrderUpdate, Signal, SignalRefused, Violation
from actors.model.instrument import Instrument, InstrumentId, Instruments, Outcome
from actors.model.order import OrderStatus, Side
from actors.strategies import Strategy, StrategyConfig

S = TypeVar("S", bound=Strategy)


def started(
    kind: type[S],
    table: Instruments,
    *,
    parameters: Any = None,
    instruments: tuple[str, ...] = (),
    incarnation: int = 0,
) -> S:
    """Return a strategy called ``s`` of run ``run``, whose ``on_start`` has been called."""
    context = Context(run_id="run", actor="s", incarnation=incarnation, random=Random(7))
    core = kind(context, table, StrategyConfig(instruments=instruments, parameters=parameters))
    core.outbox.extend(core.start(0))
    return core


def code(kind: EventKind, index: int = 0) -> int:
    """Return the code of a row."""
    return index << KIND_BITS | kind


def quote(
    of: Instrument,
    bid: int,
    ask: int,
    sizes: tuple[int, int] = (1000, 1000),
    *,
    time_ns: int = 1,
) -> Quote:
    """Return a quote in ticks and lots; a size of 0 is an empty side."""
    bid_lots, ask_lots = sizes
    bid, ask = bid if bid_lots else 0, ask if ask_lots else NO_PRICE
    has_both = bid_lots and ask_lots
    mid = (bid + ask) * float(of.tick) / 2 if has_both else float("nan")
    return Quote(time_ns, of, bid, ask, bid_lots, ask_lots, mid)


def outcome_pair(name: str = "rain", *, min_quantity: str = "0") -> tuple[Instrument, Instrument]:
    """Return the YES and NO tokens of a market; tick and lot are 0.01."""
    ids = {outcome: InstrumentId(f"{name}-{outcome}") for outcome in Outcome}
    yes, no = (
        Instrument(
            id=ids[outcome],
            venue="venue",
            symbol=ids[outcome],
            tick=Decimal("0.01"),
            lot=Decimal("0.01"),
            min_quantity=Decimal(min_quantity),
            can_short=False,
            outcome=outcome,
            complement=ids[other],
            market=name,
        )
        for outcome, other in ((Outcome.YES, Outcome.NO), (Outcome.NO, Outcome.YES))
    )
    return yes, no


def update(
    of: Signal, status: OrderStatus, *, filled: str = "0", side: Side = Side.BUY
) -> OrderUpdate:
    """Return the order manager's word on the order that a signal became."""
    return OrderUpdate(
        client_order_id=of.signal_id,
        strategy=of.strategy,
        instrument=of.instrument,
        side=of.side or side,
        status=status,
        quantity=of.quantity or Decimal(1),
        filled_quantity=Decimal(filled),
    )


def refusal(of: Signal) -> SignalRefused:
    """Return the portfolio's no."""
    return SignalRefused(
        signal_id=of.signal_id,
        strategy=of.strategy,
        instrument=of.instrument,
        violations=(Violation("CashLimit", "0", "1"),),
    )


def position(instrument: str, quantity: str) -> PositionChanged:
    """Return the portfolio's word on a position."""
    zero = Decimal(0)
    return PositionChanged(
        strategy="s",
        instrument=instrument,
        quantity=Decimal(quantity),
        cost=zero,
        realized_pnl=zero,
        commission=zero,
    )


def play(
    core: Strategy, slices: Iterable[Slice], horizons: Sequence[int] = (1 << 30,)
) -> list[Any]:
    """Return what a strategy sends, with the times, over rows paced as by the sequencer.

    ``horizons`` say how many rows it is shown at a time, in turn: something else may happen.
    """
    sent: list[Any] = []
    turn = 0
    for rows in slices:
        position = 0
        while position < len(rows):
            stop = min(len(rows), position + horizons[turn % len(horizons)])
            turn += 1
            position = _step(core, rows, position, stop)
            sent += [(rows.times()[position - 1], m) for m in _taken(core, rows, position)]
    return sent


def _taken(core: Strategy, rows: Slice, position: int) -> list[Any]:
    return core.take_outbox(rows.times()[position - 1])


def _step(core: Strategy, rows: Slice, position: int, stop: int) -> int:
    if isinstance(core, Vectorised):
        acts = core.on_slice(rows, position, stop)
        stop = stop if acts is None else acts + 1
        core.on_rows(rows, position, stop)
        return stop
    for event in rows.events(position):
        if position == stop:
            break
        callback = core.callback(rows.codes[position])
        position += 1
        if callback is not None:
            callback(event)
            if core.outbox:
                break
    return position
