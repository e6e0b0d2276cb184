"""What a venue takes of a trade, as strategies reckon with it."""

from decimal import Decimal

from actors.model.money import ONE


def fee_per_unit(price: Decimal, fee_rate: Decimal, curve_fee_rate: Decimal) -> Decimal:
    """Return the taker's fee for one outcome token.

    Args:
        price: What the token costs; between 0 and 1.
        fee_rate: A fraction of the notional (0.001 is 0.1 %).
        curve_fee_rate: Added to it, ``curve_fee_rate * price * (1 - price)``.

    Source of the second: Polymarket's documentation ("Fees").
    """
    return price * (fee_rate + curve_fee_rate * (ONE - price))
