"""Round trips first in, first out: each closing fill ends the oldest lots that are open."""

from collections import deque
from collections.abc import Iterable, Mapping
from decimal import Decimal

import attrs

from actors.model.instrument import Instrument
from runtime.observe.result import FillRow
from runtime.research.round_trips import Reasons, RoundTrip, exit_reason

_ONE = Decimal(1)


@attrs.define
class _Lot:
    """What is left of one fill that opened."""

    opened_ns: int
    is_long: bool
    price: Decimal
    quantity: Decimal
    fee_per_unit: Decimal
    reason: str


def fifo_trips(
    fills: Iterable[FillRow],
    reasons: Reasons | None = None,
    instruments: Mapping[str, Instrument] | None = None,
) -> list[RoundTrip]:
    """Return one round trip for each lot, or part of a lot, that was closed; in closing order.

    A fill that closes three lots makes three trips; one that turns the position around closes all
    of it and opens a lot with the rest. Commissions are divided by quantity.

    Args:
        fills: Every fill, in order.
        reasons: Why each order was sent, by its client id.
        instruments: By id, for multipliers.
    """
    known_reasons, known = reasons or {}, instruments or {}
    lots: dict[tuple[str, str], deque[_Lot]] = {}
    trips: list[RoundTrip] = []
    for row in fills:
        fill = row.fill
        open_lots = lots.setdefault((fill.strategy, fill.instrument), deque())
        terms = known.get(fill.instrument)
        reason = known_reasons.get(fill.client_order_id, "")
        multiplier = _ONE if terms is None else terms.multiplier
        left = _close(row, open_lots, (multiplier, reason), trips)
        if left:
            fee = fill.commission / fill.last_quantity
            is_long = fill.side.sign > 0
            opened = reason or fill.reason
            open_lots.append(_Lot(row.time_ns, is_long, fill.last_price, left, fee, opened))
    return trips


def _close(
    row: FillRow, lots: deque[_Lot], terms: tuple[Decimal, str], trips: list[RoundTrip]
) -> Decimal:
    """Close lots of the other side with a fill; return the quantity that is left of it."""
    fill, (multiplier, reason) = row.fill, terms
    left = fill.last_quantity
    fee = fill.commission / left
    while left and lots and lots[0].is_long != (fill.side.sign > 0):
        lot = lots[0]
        closed = min(left, lot.quantity)
        fees = (fee + lot.fee_per_unit) * closed
        gain = (fill.last_price - lot.price) * closed * multiplier
        trips.append(
            RoundTrip(
                strategy=fill.strategy,
                instrument=fill.instrument,
                is_long=lot.is_long,
                quantity=closed,
                entry_price=lot.price,
                exit_price=fill.last_price,
                opened_ns=lot.opened_ns,
                closed_ns=row.time_ns,
                notional=lot.price * closed * multiplier,
                pnl=(gain if lot.is_long else -gain) - fees,
                fees=fees,
                entry_reason=lot.reason,
                exit_reason=exit_reason(fill, reason),
            )
        )
        left -= closed
        lot.quantity -= closed
        if not lot.quantity:
            lots.popleft()
    return left
