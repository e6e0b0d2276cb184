"""The built-in risk policies, under the names that configurations use."""

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

import attrs

from actors.messages.trading import Violation
from actors.model.money import ZERO, plain
from actors.model.order import Side
from actors.risk.policy import RiskPolicy, RiskRequest


class Per(StrEnum):
    """Whose position a limit counts."""

    ACCOUNT = "account"
    STRATEGY = "strategy"


_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it
_ACCOUNT = Per.ACCOUNT


@attrs.frozen(kw_only=True)
class PositionLimit:
    """Bounds the position in each instrument, long or short, in units.

    Counts the worst case: every order on this side that works or is in flight fills, none on the
    other. An order that only reduces a position passes, even where the limit is already exceeded.
    """

    name: ClassVar[str] = "PositionLimit"

    max_size: Decimal = attrs.field()
    per: Per = Per.ACCOUNT

    @max_size.validator
    def _max_size_is_not_negative(self, _attribute: object, value: Decimal) -> None:
        if value < 0:
            raise ValueError(f"max_size: expected 0 or more, found {value}")

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation if the position could come to exceed ``max_size``."""
        if self.per is _ACCOUNT:
            position = request.account_position
            buying, selling = request.account_buying, request.account_selling
        else:
            position = request.strategy_position
            buying, selling = request.strategy_buying, request.strategy_selling
        # Only the far side of zero counts: an order cannot exceed a limit while it reduces.
        if request.side is _BUY:
            worst = position + buying + request.quantity
        else:
            worst = selling + request.quantity - position
        if worst <= self.max_size:
            return None
        return Violation(self.name, plain(self.max_size), plain(worst))


@attrs.frozen(kw_only=True)
class CashLimit:
    """Lets nothing be opened that the unreserved cash cannot pay, shorts by equal collateral."""

    name: ClassVar[str] = "CashLimit"

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation if the opening part costs more than is available."""
        if not request.opening or request.cost <= request.available:
            return None
        return Violation(self.name, plain(request.available), plain(request.cost))


@attrs.frozen(kw_only=True)
class NoShort:
    """Keeps positions from going below zero where the instrument cannot be sold short.

    Counts the strategy's own position: no strategy sells what another one holds.
    """

    name: ClassVar[str] = "NoShort"

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation if more is sold than is held and not being sold already."""
        if request.instrument.can_short or request.side is _BUY or not request.opening:
            return None
        sellable = max(request.strategy_position - request.strategy_selling, ZERO)
        return Violation(self.name, plain(sellable), plain(request.quantity))


POLICIES: dict[str, type[RiskPolicy]] = {
    policy.name: policy for policy in (PositionLimit, CashLimit, NoShort)
}
"""Every policy that a configuration may name."""
