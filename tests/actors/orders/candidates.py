"""Orders of every kind, to be found good or wanting."""

from decimal import Decimal
from typing import Any

import msgspec

from actors.model.instrument import Instrument, Outcome
from actors.model.order import OrderType, Schedule, ScheduleKind, TimeInForce
from actors.orders.validation import (
    CODES,
    validate,
)
from tests.builders import instrument, order

TOKEN = instrument(tick="0.001", order_tick="0.01", outcome=Outcome.YES)
TWAP = Schedule(kind=ScheduleKind.TWAP, duration_ns=60, slices=3)
VWAP = Schedule(kind=ScheduleKind.VWAP, duration_ns=60, slices=2, profile=(Decimal(1), Decimal(0)))
ICEBERG = Schedule(kind=ScheduleKind.ICEBERG, display_quantity=Decimal("0.5"))
PLAIN = order(quantity="2", limit="100")


def bounded(**bounds: Any) -> Instrument:
    """Return an instrument with bounds."""
    made: dict[str, Any] = {name: Decimal(value) for name, value in bounds.items()}
    return Instrument(id="BTC", venue="venue", symbol="BTC", **made)  # type: ignore[arg-type]


def changed(of: Any = PLAIN, **fields: Any) -> Any:
    """Return an order with other fields, whatever their types."""
    return msgspec.structs.replace(of, **fields)


def codes(bad: Any, of: Instrument | None = None) -> list[str]:
    """Return what is found by all rules, and that each code is told under its own rule."""
    findings = validate(bad, instrument() if of is None else of)
    assert all(finding.rule == CODES[finding.code].rule for finding in findings)
    return [finding.code for finding in findings]


STOP = changed(order_type=OrderType.STOP, limit_price=None, stop_price=Decimal(90))
STOP_LIMIT = changed(order_type=OrderType.STOP_LIMIT, stop_price=Decimal(90))
GTD = changed(time_in_force=TimeInForce.GTD, expire_time_ns=2, created_ns=1)
