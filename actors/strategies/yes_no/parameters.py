"""What the YES/NO strategy may be told."""

from decimal import Decimal
from typing import Any, Literal, get_args

import attrs
from attrs.validators import ge, gt, in_

from actors.model.money import NANOSECONDS, ONE, ZERO
from actors.strategies.checks import above_zero, not_negative

InventoryRule = Literal["bootstrap", "hedge", "average_down"]


def _price(_instance: object, attribute: "attrs.Attribute[Any]", value: Decimal) -> None:
    if not ZERO < value < ONE:
        raise ValueError(f"{attribute.name}: expected a price between 0 and 1, found {value}")


@attrs.frozen(kw_only=True)
class OracleParameters:
    """A second venue's price, and what it says of YES.

    The fair price of YES is taken as ``1/2 + (price - reference) / (2 * width)``, kept within 0
    and 1: half at the reference, certain at ``width`` above it. A straight line asks for one number
    that a user can judge, and is exact.

    Attributes:
        instrument: The id of the instrument whose price it is, of any venue of the run.
        rule: What the reference is. ``distance``: the strike. ``momentum``: the price a ``window``
            ago, the latest one from before it.
        strike: The price at which YES and NO are equally likely; None is the first price heard
            after the market's own first quote, as in markets on "up or down from here".
        width: How far from the reference the outcome is certain, in units of the oracle's price.
        window_ns: How far ``momentum`` looks back.
        max_age_ns: An older price is not used.
        min_edge: How much cheaper than fair, fees paid, a side must be to be bought.
        filters: The inventory rules that need its support.
    """

    instrument: str
    rule: Literal["distance", "momentum"] = attrs.field(
        default="distance", validator=in_(("distance", "momentum"))
    )
    strike: Decimal | None = None
    width: Decimal = attrs.field(validator=gt(ZERO))
    window_ns: int = attrs.field(default=30 * NANOSECONDS, validator=gt(0))
    max_age_ns: int = attrs.field(default=5 * NANOSECONDS, validator=gt(0))
    min_edge: Decimal = attrs.field(default=ZERO, validator=ge(ZERO))
    filters: tuple[InventoryRule, ...] = get_args(InventoryRule)


@attrs.frozen(kw_only=True)
class YesNoParameters:
    """When and how much it trades. Money is in the account's currency, sizes are in shares.

    Attributes:
        fee_rate: Taker's fee as a fraction of the notional.
        curve_fee_rate: Taker's fee as a factor of ``price * (1 - price)``, added to it; None is
            the instrument's own rate, or 0 where it has none.
        lock_profit: Once this much is certain whatever the outcome, nothing more is traded; None
            never stops.
        max_loss: If more than this can be lost, nothing more is bought; None never stops.
        stop_exit: Whether the side that is held in excess is then sold.
        arbitrage: Whether pairs are bought that cost less than they pay.
        min_edge: What a pair must earn more than, fees paid.
        max_size: The largest order.
        max_position: The largest position in either outcome.
        inventory: Whether sides are bought one by one (bootstrap, hedge, average down).
        inventory_size: The size of such an order.
        bootstrap_max_price: The dearest first side.
        hedge_margin: What a pair that a hedge completes must earn at least, fees paid.
        average_down_step: How far below the average cost more of a side is bought.
        rest: Whether inventory orders rest at their limit, rather than take what is there.
        order_timeout_ns: How long they rest; and how long a position that lags behind its fills
            keeps its side closed.
        leg_timeout_ns: How long the missing leg of an arbitrage is only bought without a loss.
        max_leg_loss: What completing a pair may then lose per share; beyond, the leg that is held
            is sold.
        max_quote_age_ns: An older quote is not used; None takes any that is not known to be stale.
        merge: Whether complete pairs are turned into cash.
        merge_size: The fewest pairs for which that is done.
        oracle: Filters inventory orders; None lets all of them through.
    """

    fee_rate: Decimal = attrs.field(default=ZERO, validator=ge(ZERO))
    curve_fee_rate: Decimal | None = attrs.field(default=None, validator=not_negative)
    lock_profit: Decimal | None = attrs.field(default=Decimal(10), validator=above_zero)
    max_loss: Decimal | None = attrs.field(default=Decimal(50), validator=not_negative)
    stop_exit: bool = False
    arbitrage: bool = True
    min_edge: Decimal = attrs.field(default=Decimal("0.005"), validator=ge(ZERO))
    max_size: Decimal = attrs.field(default=Decimal(50), validator=gt(ZERO))
    max_position: Decimal = attrs.field(default=Decimal(500), validator=gt(ZERO))
    inventory: bool = True
    inventory_size: Decimal = attrs.field(default=Decimal(10), validator=gt(ZERO))
    bootstrap_max_price: Decimal = attrs.field(default=Decimal("0.5"), validator=_price)
    hedge_margin: Decimal = attrs.field(default=Decimal("0.01"), validator=ge(ZERO))
    average_down_step: Decimal = attrs.field(default=Decimal("0.05"), validator=gt(ZERO))
    rest: bool = False
    order_timeout_ns: int = attrs.field(default=10 * NANOSECONDS, validator=gt(0))
    leg_timeout_ns: int = attrs.field(default=2 * NANOSECONDS, validator=gt(0))
    max_leg_loss: Decimal = attrs.field(default=Decimal("0.02"), validator=ge(ZERO))
    max_quote_age_ns: int | None = attrs.field(default=None, validator=above_zero)
    merge: bool = False
    merge_size: Decimal = attrs.field(default=ONE, validator=gt(ZERO))
    oracle: OracleParameters | None = None
