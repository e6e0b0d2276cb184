"""Can this trade be, by the order that it names? Checked in every mode, before it is booked."""

from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation
from functools import reduce
from typing import Any

import attrs

from actors.errors import FillRejected
from actors.messages.trading import ExecutionReport, Fill
from actors.model.instrument import Instrument
from actors.model.money import ONE, ZERO
from actors.model.order import Liquidity, Order, Side
from actors.orders.validation.amounts import on_grid
from actors.orders.validation.results import Finding, ValidationResult, reason_of, shown
from actors.orders.validation.terms import Findings

_BUY = Side.BUY  # on Python 3.11 looking a member up costs as much as a call
_SETTLED = (Liquidity.SETTLEMENT, Liquidity.CONVERSION)
"""What was not traded, and so has neither a limit nor a lower end of its price."""

Trade = Fill | ExecutionReport

_WIDE = Context(prec=100, traps=[])
"""Wide enough that sums and products of what is traded are exact; the absurd becomes infinite."""
_plus, _times = _WIDE.add, _WIDE.multiply


def _fraction(_owner: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    if not (type(value) is Decimal and value.is_finite() and value >= ZERO):
        raise ValueError(f"{field.name}: expected a Decimal of 0 or more, found {value!r}")


def _fraction_or_none(owner: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    if value is not None:
        _fraction(owner, field, value)


@attrs.frozen(kw_only=True)
class FillValidator:
    """Finds what is wrong with trades. Pure: it remembers nothing, and never raises for a trade.

    Attributes:
        max_commission_fraction: The largest commission or rebate, as a fraction of price times
            quantity (1 is 100 %), beyond ``commission_allowance``.
        commission_allowance: What any trade may cost, in the account's currency.
        max_slippage_fraction: How much worse than the order's arrival price a trade may be, as a
            fraction of that price; None (the default) for any.
    """

    max_commission_fraction: Decimal = attrs.field(default=ONE, validator=_fraction)
    commission_allowance: Decimal = attrs.field(default=Decimal(1000), validator=_fraction)
    max_slippage_fraction: Decimal | None = attrs.field(default=None, validator=_fraction_or_none)
    _largest_rebate: Decimal = attrs.field(init=False)

    @_largest_rebate.default
    def _negative_allowance(self) -> Decimal:
        return -self.commission_allowance

    def validate_fill(
        self,
        fill: Trade,
        order: Order,
        existing_fills: Iterable[Trade] = (),
        *,
        instrument: Instrument | None = None,
    ) -> ValidationResult:
        """Judge a fill, or the report of a trade, against its order.

        Args:
            fill: Whatever should be one; anything else is found to be none.
            order: The order as it stands: a replaced one with its new limit and quantity.
            existing_fills: The order's earlier fills.
            instrument: For the lots; None to leave them out.
        """
        if not (isinstance(fill, Fill | ExecutionReport) and isinstance(order, Order)):
            wrong = fill if isinstance(order, Order) else order
            malformed = Finding("FILL_MALFORMED", "a trade of an order", shown(wrong))
            return ValidationResult((malformed,))
        earlier = [*existing_fills]
        filled = reduce(_plus, (_quantity(each) for each in earlier), ZERO)
        found = [*_identity(fill, order), *self.findings(fill, order, filled, instrument)]
        key = _key(fill)
        if key is not None and any(_key(each) == key for each in earlier):
            found.append(Finding("FILL_DUPLICATE", "a new trade", shown(fill.trade_id)))
        return ValidationResult(tuple(found))

    def check(
        self, trade: Trade, order: Order, filled: Decimal, instrument: Instrument | None
    ) -> None:
        """Do nothing if a trade can be.

        Args:
            trade: What the venue reports, of this very order.
            order: The order as it stands.
            filled: What had filled of it before, in units.
            instrument: For the lots; None to leave them out.

        Raises:
            FillRejected: With everything that is wrong.
        """
        if self.is_plainly_good(trade, order, filled, instrument):
            return
        found = [*self.findings(trade, order, filled, instrument)]
        if found:
            raise FillRejected(
                f"trade {_name(trade.trade_id)} of {shown(trade.last_quantity)} in order "
                f"{order.client_order_id}: {reason_of(found)}",
                codes=(finding.code for finding in found),
                venue=trade.venue,
                order_id=order.client_order_id,
            )

    def is_plainly_good(
        self, trade: Trade, order: Order, filled: Decimal, instrument: Instrument | None
    ) -> bool:
        """Return True if nothing is wrong; False says only that the rules must be asked.

        The arguments are those of :meth:`check`. Cheap: nearly every trade ends here.
        """
        quantity, price, commission = trade.last_quantity, trade.last_price, trade.commission
        whole, limit = order.quantity, order.limit_price
        if not (
            instrument is not None
            and type(quantity) is Decimal
            and type(price) is Decimal
            and type(commission) is Decimal
            and type(trade.trade_id) is str
            and trade.trade_id != ""
            and type(whole) is Decimal
            and (limit is None or type(limit) is Decimal)
            and self.max_slippage_fraction is None
        ):
            return False
        try:
            return (
                quantity >= instrument.lot
                and not quantity % instrument.lot
                and filled + quantity <= whole
                and price > ZERO
                and price.is_finite()
                and self._largest_rebate <= commission <= self.commission_allowance
                and (limit is None or (price <= limit if order.side is _BUY else price >= limit))
            )
        except InvalidOperation:  # no number, or too many steps to be counted
            return False

    def findings(
        self, trade: Trade, order: Order, filled: Decimal, instrument: Instrument | None = None
    ) -> Findings:
        """Find what is wrong with the numbers of a trade; it names its order already."""
        if not (isinstance(trade.trade_id, str) and trade.trade_id):
            yield Finding("FILL_ID_MISSING", "a trade id, as a text", shown(trade.trade_id))
        yield from _quantities(trade, order, filled, instrument)
        price, commission = trade.last_price, trade.commission
        is_price = _is_number(price)
        if is_price:
            yield from self._prices(trade, order)
        else:
            yield Finding("FILL_PRICE_NOT_NUMBER", "a finite Decimal", shown(price))
        if not _is_number(commission):
            yield Finding("FILL_COMMISSION_NOT_NUMBER", "a finite Decimal", shown(commission))
        elif is_price and _is_number(trade.last_quantity):
            yield from self._costs(trade, instrument)

    def _prices(self, trade: Trade, order: Order) -> Findings:
        price = trade.last_price
        is_settled = trade.liquidity in _SETTLED
        if price < ZERO or (price == ZERO and not is_settled):
            yield Finding("FILL_PRICE_NOT_POSITIVE", "above 0", shown(price))
        if is_settled:
            return
        limit, arrival, most = order.limit_price, order.arrival_price, self.max_slippage_fraction
        if limit is not None and _is_number(limit) and _is_worse(price, limit, order.side):
            word = "at most" if order.side is _BUY else "at least"
            yield Finding("FILL_BEYOND_LIMIT", f"{word} {shown(limit)}", shown(price))
        if most is not None and arrival is not None and _is_number(arrival):
            worst = _times(arrival, ONE + most if order.side is _BUY else ONE - most)
            if worst.is_finite() and _is_worse(price, worst, order.side):
                expected = f"no worse than {shown(worst)}"
                yield Finding("FILL_SLIPPAGE_TOO_HIGH", expected, shown(price))

    def _costs(self, trade: Trade, instrument: Instrument | None) -> Findings:
        notional = _times(trade.last_price, trade.last_quantity).copy_abs()
        if instrument is not None:
            notional = _times(notional, instrument.multiplier)
        most = _times(notional, self.max_commission_fraction) + self.commission_allowance
        if most.is_finite() and trade.commission.copy_abs() > most:
            expected = f"at most {shown(most)} either way"
            yield Finding("FILL_COMMISSION_TOO_HIGH", expected, shown(trade.commission))


def _identity(fill: Trade, order: Order) -> Findings:
    if _is_other(fill.client_order_id, order.client_order_id):
        expected, found = shown(order.client_order_id), shown(fill.client_order_id)
        yield Finding("FILL_ORDER_MISMATCH", expected, found)
    if isinstance(fill, ExecutionReport):
        return  # it names its order only
    if _is_other(fill.instrument, order.instrument):
        expected, found = shown(order.instrument), shown(fill.instrument)
        yield Finding("FILL_SYMBOL_MISMATCH", expected, found)
    if fill.side is not order.side:
        yield Finding("FILL_SIDE_MISMATCH", _word(order.side), _word(fill.side))


def _quantities(
    trade: Trade, order: Order, filled: Decimal, instrument: Instrument | None
) -> Findings:
    quantity = trade.last_quantity
    if not _is_number(quantity):
        yield Finding("FILL_QUANTITY_NOT_NUMBER", "a finite Decimal", shown(quantity))
        return
    whole = order.quantity
    if quantity <= ZERO:
        yield Finding("FILL_QUANTITY_NOT_POSITIVE", "above 0", shown(quantity))
    elif instrument is not None:
        yield from on_grid(("FILL_OFF_LOT", "FILL_OFF_LOT"), quantity, instrument.lot)
    if _is_number(whole) and _plus(filled, quantity) > whole:
        left = _plus(whole, filled.copy_negate())
        expected = f"no more than is left: {shown(left)} of {shown(whole)} is left"
        yield Finding("FILL_OVERFILL", expected, shown(quantity))


def _is_number(value: Any) -> bool:
    return type(value) is Decimal and value.is_finite()


def _is_worse(price: Decimal, limit: Decimal, side: Any) -> bool:
    return price > limit if side is _BUY else price < limit


def _quantity(trade: Any) -> Decimal:
    """Return what an earlier trade has filled; nothing, if that is no number."""
    quantity = getattr(trade, "last_quantity", None)
    return quantity if isinstance(quantity, Decimal) and quantity.is_finite() else ZERO


def _key(trade: Any) -> tuple[str, str] | None:
    """Return what names a trade once and for all; None for what has no such name."""
    venue, trade_id = getattr(trade, "venue", None), getattr(trade, "trade_id", None)
    is_named = isinstance(venue, str) and isinstance(trade_id, str)
    return (venue, trade_id) if is_named else None  # type: ignore[return-value]


def _is_other(found: Any, expected: Any) -> bool:
    return not (isinstance(found, str) and isinstance(expected, str) and found == expected)


def _name(trade_id: Any) -> str:
    return trade_id if isinstance(trade_id, str) else shown(trade_id)


def _word(value: Any) -> str:
    return str(value) if isinstance(value, Side) else shown(value)
