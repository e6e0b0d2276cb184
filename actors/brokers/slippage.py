"""How much worse than the venue's shown price an order that takes is filled."""

from decimal import Decimal
from typing import Protocol

import attrs

from actors.model.order import Side


class SlippageModel(Protocol):
    """Moves the price of a trade that takes; the broker keeps it within the order's limit."""

    def slipped(self, side: Side, price: Decimal, quantity: Decimal) -> Decimal:
        """Return the price at which ``quantity`` really trades where ``price`` was shown."""
        ...


@attrs.frozen
class NoSlippage:
    """Trades happen at the price that is shown."""

    def slipped(self, side: Side, price: Decimal, quantity: Decimal) -> Decimal:
        """Return the price as it is."""
        return price


SLIPPAGES: dict[str, type[SlippageModel]] = {"none": NoSlippage}
"""Slippage models by their names in configurations."""
