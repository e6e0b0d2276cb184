"""Limits on what is held: positions, their value, the cash they take."""

from decimal import Decimal
from typing import ClassVar

import attrs

from actors.messages.trading import Violation
from actors.model.money import ZERO, plain
from actors.model.order import Side
from actors.risk.policy import RiskRequest
from actors.risk.rules import not_negative
from actors.risk.scope import Per, exposures_with, siblings, worst_quantity

_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it
_ACCOUNT, _STRATEGY, _MARKET, _EVENT = Per


@attrs.frozen(kw_only=True)
class PositionLimit:
    """Bounds the position in each instrument, long or short, in units.

    Counts the worst case: every order on this side that works or is in flight fills, none on the
    other. An order that only reduces a position passes, even where the limit is already exceeded.
    Per market or event, the worst cases of all their instruments are added up.
    """

    name: ClassVar[str] = "PositionLimit"

    max_size: Decimal = attrs.field(validator=not_negative)
    per: Per = Per.ACCOUNT

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation if the position could come to exceed ``max_size``."""
        per = self.per
        if per is _ACCOUNT:
            position = request.account_position
            buying, selling = request.account_buying, request.account_selling
        elif per is _STRATEGY:
            position = request.strategy_position
            buying, selling = request.strategy_buying, request.strategy_selling
        else:
            return self._check_group(request)
        # Only the far side of zero counts: an order cannot exceed a limit while it reduces.
        if request.side is _BUY:
            worst = position + buying + request.quantity
        else:
            worst = selling + request.quantity - position
        if worst <= self.max_size:
            return None
        return Violation(self.name, plain(self.max_size), plain(worst))

    def _check_group(self, request: RiskRequest) -> Violation | None:
        if not request.opening:
            return None
        group = siblings(request, by_event=self.per is _EVENT)
        found = exposures_with(request, None, group)
        worst = sum((worst_quantity(each, request, is_strategy=False) for each in found), ZERO)
        if worst <= self.max_size:
            return None
        return Violation(self.name, plain(self.max_size), plain(worst))


@attrs.frozen(kw_only=True)
class InventoryLimit:
    """Bounds the value of what is held, long and short added up, in the account's currency.

    Counts the worst case of :class:`PositionLimit` for each instrument, at its mark; at the order's
    price where nothing has been seen of its instrument yet. What only reduces a position passes.
    """

    name: ClassVar[str] = "InventoryLimit"

    max_value_usd: Decimal = attrs.field(validator=not_negative)
    per: Per = Per.MARKET

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation if the inventory could come to be worth more than the limit."""
        if not request.opening:
            return None
        per = self.per
        is_strategy = per is _STRATEGY
        group = None
        if per is _MARKET or per is _EVENT:
            group = siblings(request, by_event=per is _EVENT)
        value = ZERO
        for each in exposures_with(request, request.strategy if is_strategy else None, group):
            instrument = each.instrument
            mark = request.view.mark(instrument.id)
            if mark is None:
                mark = request.price if instrument.id == request.instrument.id else ZERO
            quantity = worst_quantity(each, request, is_strategy=is_strategy)
            value += quantity * mark * instrument.multiplier * request.view.rate(instrument)
        if value <= self.max_value_usd:
            return None
        return Violation(self.name, plain(self.max_value_usd), plain(value))


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
        sellable = max(request.quantity - request.opening, ZERO)
        return Violation(self.name, plain(sellable), plain(request.quantity))
