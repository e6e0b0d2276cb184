"""Every code that a validator may give, what it means, and what to do about it.

Codes are stable: programs may compare them, and ``help_of`` explains them to people.
"""

from collections.abc import Mapping

import attrs


@attrs.frozen
class Code:
    """What a code stands for.

    Attributes:
        rule: The rule that finds it: one of the order rules, or ``fill``.
        meaning: What is wrong, in a sentence.
        cure: What to do about it, in a sentence.
    """

    rule: str
    meaning: str
    cure: str


_NUMBER = "Write numbers as Decimal('0.52'), never as a float or a text."

CODES: Mapping[str, Code] = {
    # --- basic -------------------------------------------------------------------------------
    "ORDER_MALFORMED": Code(
        "basic", "What was given is no order.", "Build an Order; a strategy's verbs do so."
    ),
    "ORDER_ID_MISSING": Code(
        "basic",
        "The order has no client order id, or one that is no text.",
        "Give it an id of its own; a strategy's verbs derive one.",
    ),
    "STRATEGY_MISSING": Code(
        "basic",
        "The order does not say whose it is.",
        "Name the strategy; fills are booked to it.",
    ),
    "SIDE_UNKNOWN": Code(
        "basic", "The side is neither BUY nor SELL.", "Use Side.BUY or Side.SELL."
    ),
    "ORDER_TYPE_UNKNOWN": Code(
        "basic", "The order type is none of ours.", "Use a member of OrderType."
    ),
    "TIME_IN_FORCE_UNKNOWN": Code(
        "basic", "The time in force is none of ours.", "Use a member of TimeInForce."
    ),
    "FIELD_WRONG_TYPE": Code(
        "basic",
        "A field that only describes the order holds something of the wrong type.",
        "Give reason, group and parent as texts, reduce_only as True or False, and the arrival"
        " price as a Decimal or None.",
    ),
    # --- symbol ------------------------------------------------------------------------------
    "SYMBOL_MISSING": Code(
        "symbol", "The order names no instrument.", "Name an instrument's id, as a text."
    ),
    "SYMBOL_FORMAT": Code(
        "symbol",
        "The instrument's name holds control characters or outer spaces, or is too long.",
        "Take the id from the run's table of instruments.",
    ),
    "SYMBOL_UNKNOWN": Code(
        "symbol",
        "No feed and no configuration has named this instrument.",
        "Correct the id, or define the instrument under `instruments:`.",
    ),
    "SYMBOL_VENUE_FORMAT": Code(
        "symbol",
        "The venue does not write its symbols like this one.",
        "Correct the instrument's `symbol`: it is the venue's name for it, not ours.",
    ),
    # --- price -------------------------------------------------------------------------------
    "PRICE_NOT_DECIMAL": Code("price", "The limit price is no Decimal.", _NUMBER),
    "PRICE_NOT_FINITE": Code(
        "price", "The limit price is NaN or infinite.", "Find where the price was computed."
    ),
    "PRICE_NOT_POSITIVE": Code(
        "price", "The limit price is 0 or below.", "Give a limit above 0, or no limit at all."
    ),
    "PRICE_OFF_TICK": Code(
        "price",
        "The limit price is not a multiple of the instrument's order tick.",
        "Round it to the grid: down to buy, up to sell.",
    ),
    "PRICE_BELOW_MIN": Code(
        "price", "The limit price is below the lowest that is allowed.", "Raise it."
    ),
    "PRICE_ABOVE_MAX": Code(
        "price", "The limit price is above the highest that is allowed.", "Lower it."
    ),
    "PRICE_NOT_A_PROBABILITY": Code(
        "price",
        "An outcome token's limit price is 1 or more, but the token pays at most 1.",
        "Give a limit below 1.",
    ),
    "PRICE_OUT_OF_RANGE": Code(
        "price",
        "The limit price has more steps than can be counted exactly.",
        "Look for a wrong exponent.",
    ),
    "PRICE_OUT_OF_BAND": Code(
        "price",
        "The limit price is too far from the market.",
        "Look for a misplaced decimal point, or widen `price_band`.",
    ),
    "STOP_NOT_DECIMAL": Code("price", "The stop price is no Decimal.", _NUMBER),
    "STOP_NOT_FINITE": Code(
        "price", "The stop price is NaN or infinite.", "Find where the price was computed."
    ),
    "STOP_NOT_POSITIVE": Code("price", "The stop price is 0 or below.", "Give a stop above 0."),
    "STOP_OFF_TICK": Code(
        "price",
        "The stop price is not a multiple of the instrument's order tick.",
        "Round it to the grid.",
    ),
    "STOP_BELOW_MIN": Code(
        "price", "The stop price is below the lowest that is allowed.", "Raise it."
    ),
    "STOP_ABOVE_MAX": Code(
        "price", "The stop price is above the highest that is allowed.", "Lower it."
    ),
    "STOP_NOT_A_PROBABILITY": Code(
        "price",
        "An outcome token's stop price is 1 or more, but the token never trades there.",
        "Give a stop below 1.",
    ),
    "STOP_OUT_OF_RANGE": Code(
        "price",
        "The stop price has more steps than can be counted exactly.",
        "Look for a wrong exponent.",
    ),
    "STOP_OUT_OF_BAND": Code(
        "price",
        "The stop price is too far from the market.",
        "Look for a misplaced decimal point, or widen `price_band`.",
    ),
    "MARKET_DATA_UNREADABLE": Code(
        "price",
        "The market data given for the price band hold no price.",
        "Give a Quote, Trade or Bar, a mapping with bid and ask, price or close, or a Decimal.",
    ),
    # --- quantity ----------------------------------------------------------------------------
    "QUANTITY_NOT_DECIMAL": Code("quantity", "The quantity is no Decimal.", _NUMBER),
    "QUANTITY_NOT_FINITE": Code(
        "quantity", "The quantity is NaN or infinite.", "Find where the quantity was computed."
    ),
    "QUANTITY_NOT_POSITIVE": Code(
        "quantity",
        "The quantity is 0 or below.",
        "Give a quantity above 0; the side says which way.",
    ),
    "QUANTITY_OFF_LOT": Code(
        "quantity",
        "The quantity is not a multiple of the instrument's lot.",
        "Round it down to whole lots.",
    ),
    "QUANTITY_BELOW_MIN": Code(
        "quantity", "The quantity is below the smallest order.", "Order more, or nothing."
    ),
    "QUANTITY_ABOVE_MAX": Code(
        "quantity", "The quantity is above the largest order.", "Order less, or in several orders."
    ),
    "QUANTITY_OUT_OF_RANGE": Code(
        "quantity",
        "The quantity has more lots than can be counted exactly.",
        "Look for a wrong exponent.",
    ),
    # --- order type --------------------------------------------------------------------------
    "LIMIT_MISSING": Code(
        "price", "This order type needs a limit price.", "Give a limit, or use MARKET or STOP."
    ),
    "LIMIT_UNWANTED": Code(
        "price",
        "This order type has no limit price.",
        "Leave the limit out, or use LIMIT or STOP_LIMIT.",
    ),
    "STOP_MISSING": Code(
        "price", "This order type needs a stop price.", "Give a stop, or use MARKET or LIMIT."
    ),
    "STOP_UNWANTED": Code(
        "price",
        "This order type has no stop price.",
        "Leave the stop out, or use STOP or STOP_LIMIT.",
    ),
    "POST_ONLY_MUST_REST": Code(
        "order_type",
        "A post-only order may not take, so a time in force that takes at once leaves it nothing.",
        "Use GTC or GTD.",
    ),
    "EXPIRY_MISSING": Code(
        "order_type", "A GTD order does not say when it ends.", "Set expire_time_ns, or use GTC."
    ),
    "EXPIRY_UNWANTED": Code(
        "order_type",
        "An order has an end that its time in force does not know.",
        "Use GTD, or leave expire_time_ns at 0.",
    ),
    "PARENT_IS_ITSELF": Code(
        "order_type",
        "The order waits for itself to fill.",
        "Name the entry order as parent, or none.",
    ),
    "SCHEDULE_MALFORMED": Code(
        "order_type",
        "The schedule is none, or a field of it is of the wrong type.",
        "Build a Schedule with whole numbers, and Decimals for weights and quantities.",
    ),
    "SCHEDULE_DURATION": Code(
        "order_type", "TWAP and VWAP need a duration above 0.", "Set duration_ns."
    ),
    "SCHEDULE_SLICES": Code(
        "order_type",
        "TWAP and VWAP need 1 slice or more, and not endlessly many.",
        "Set slices.",
    ),
    "SCHEDULE_PROFILE": Code(
        "order_type",
        "A VWAP profile needs one weight for each slice, none below 0 and one above 0; TWAP none.",
        "Give as many weights as slices, such as (1, 2, 1).",
    ),
    "SCHEDULE_DISPLAY": Code(
        "order_type",
        "An iceberg needs a display quantity: whole lots, not below the smallest order.",
        "Set display_quantity.",
    ),
    "SCHEDULE_ORDER_TYPE": Code(
        "order_type",
        "An order that waits for a stop price cannot be worked off in parts.",
        "Use MARKET, LIMIT or POST_ONLY, or no schedule.",
    ),
    "SCHEDULE_TIME_IN_FORCE": Code(
        "order_type",
        "An order that fills at once or not at all cannot be worked off in parts.",
        "Use GTC or GTD, or no schedule.",
    ),
    "SCHEDULE_RELATIVES": Code(
        "order_type",
        "A scheduled order can be no part of a group or a bracket.",
        "Leave group and parent out, or use no schedule.",
    ),
    "VENUE_LACKS": Code(
        "order_type",
        "The venue does not offer this, and nothing stands in for it.",
        "Use what the venue offers, or an emulation of it.",
    ),
    # --- timestamps --------------------------------------------------------------------------
    "TIME_NOT_WHOLE": Code(
        "timestamps",
        "A time is no whole number of nanoseconds, or lies before 1970.",
        "Give times as integer nanoseconds, UTC.",
    ),
    "CREATED_IN_FUTURE": Code(
        "timestamps",
        "The order was made later than now.",
        "Look for clocks that disagree, or a time in other units than nanoseconds.",
    ),
    "ORDER_TOO_OLD": Code(
        "timestamps",
        "The order was made too long ago: the market that it was decided on is gone.",
        "Decide again; or raise `max_age_ns`.",
    ),
    "EXPIRY_PASSED": Code(
        "timestamps",
        "The order ends before it begins.",
        "Give an expire_time_ns in the future; it is absolute, not a duration.",
    ),
    # --- fills -------------------------------------------------------------------------------
    "FILL_MALFORMED": Code(
        "fill", "What was given is no fill, or its order is no order.", "Give a TRADE report."
    ),
    "FILL_ID_MISSING": Code(
        "fill",
        "The trade has no id, so that its repetition could not be told.",
        "Read the venue's trade id.",
    ),
    "FILL_DUPLICATE": Code(
        "fill", "The trade was seen before.", "Ignore it: a repeated trade is booked once."
    ),
    "FILL_ORDER_MISMATCH": Code(
        "fill", "The trade names another order.", "Look up the order by the report's id."
    ),
    "FILL_SYMBOL_MISMATCH": Code(
        "fill", "The trade names another instrument.", "Compare the venue's record of the order."
    ),
    "FILL_SIDE_MISMATCH": Code(
        "fill", "The trade is on the other side.", "Compare the venue's record of the order."
    ),
    "FILL_QUANTITY_NOT_NUMBER": Code(
        "fill", "The traded quantity is no finite Decimal.", "Look at the venue's message."
    ),
    "FILL_QUANTITY_NOT_POSITIVE": Code(
        "fill", "The trade is of nothing, or less.", "Look at the venue's message."
    ),
    "FILL_OVERFILL": Code(
        "fill",
        "The trade is of more than is left of the order.",
        "Ask the venue what has traded, and reconcile.",
    ),
    "FILL_OFF_LOT": Code(
        "fill",
        "The traded quantity is not a multiple of the instrument's lot.",
        "Correct the instrument's lot if the venue does trade such parts.",
    ),
    "FILL_PRICE_NOT_NUMBER": Code(
        "fill", "The price is no finite Decimal.", "Look at the venue's message."
    ),
    "FILL_PRICE_NOT_POSITIVE": Code(
        "fill",
        "The price is 0 or below; only a settlement may be at 0.",
        "Look at the venue's message.",
    ),
    "FILL_BEYOND_LIMIT": Code(
        "fill",
        "The price is worse than the order's limit.",
        "Ask the venue for the trade; in a simulation, correct the model that made it.",
    ),
    "FILL_COMMISSION_NOT_NUMBER": Code(
        "fill", "The commission is no finite Decimal.", "Look at the venue's message."
    ),
    "FILL_COMMISSION_TOO_HIGH": Code(
        "fill",
        "The commission (or rebate) is out of proportion to what was traded.",
        "Check its unit and currency, or raise `max_commission_fraction`.",
    ),
    "FILL_SLIPPAGE_TOO_HIGH": Code(
        "fill",
        "The price is too far from what the order was to meet when it was approved.",
        "Compare the market at that time, or raise `max_slippage_fraction`.",
    ),
}
"""Every code, by the rule that finds it."""


def help_of(code: str) -> str:
    """Return what a code means and what to do about it.

    Raises:
        ValueError: If there is no such code.
    """
    known = CODES.get(code)
    if known is None:
        raise ValueError(f"expected a code such as PRICE_OFF_TICK, found {code!r}")
    return f"{code}: {known.meaning} {known.cure}"
