"""Makes the requests that policies are asked: what an order opens, and the capital that takes."""

from decimal import Decimal

from msgspec.structs import replace

from actors.messages.trading import Signal
from actors.model.money import ONE, ZERO
from actors.model.order import Order, Side
from actors.portfolio.account import Account, Stake
from actors.portfolio.approval.risk_view import RiskView
from actors.portfolio.books.exact import add, multiply, subtract
from actors.portfolio.books.positions import Position
from actors.portfolio.claims.room import Room, closable
from actors.portfolio.config import PortfolioConfig
from actors.risk.policy import RiskRequest, opening_quantity

_BUY, _SELL = Side  # on Python 3.11, looking a member up takes longer than comparing it


class Requests:
    """Weighs the orders of one account."""

    def __init__(self, account: Account, config: PortfolioConfig, view: RiskView) -> None:
        self._account = account
        self._view = view
        self._fee_rate = config.fee_rate
        self._with_fee = add(ONE, config.fee_rate)
        self._with_buffer = add(ONE, config.market_order_buffer)
        self._with_both = multiply(self._with_fee, self._with_buffer)

    def touch(self, stake: Stake, signed: Decimal) -> Decimal | None:
        """Return what an order would meet in the market now; None if nobody is there."""
        return self._account.marks.price(stake.index, stake.instrument.tick, is_buy=signed > ZERO)

    def has_rate(self, stake: Stake, price: Decimal) -> bool:
        """Return whether it is known what an order costs in the account's currency."""
        return self._account.unit_cost(stake, price) is not None

    def of(
        self, order: Signal | Order, stake: Stake, signed: Decimal, price: Decimal, now_ns: int
    ) -> RiskRequest:
        """Return the request for an order to buy a quantity, or to sell it where it is negative."""
        account = self._account
        own = stake.working
        everyone = own.everyone
        position = stake.position
        held = position.quantity
        if signed > ZERO:
            side, quantity = _BUY, signed
            opening = opening_quantity(quantity, -held - own.buying)
        else:
            side, quantity = _SELL, -signed
            opening = opening_quantity(quantity, held - own.selling)
        if not opening:
            cost = ZERO
        elif account.ledger.books.is_plain and type(position) is Position:
            # bought and paid for, in the account's currency, as most things are
            factor = self._with_both if order.limit_price is None else self._with_fee
            cost = multiply(multiply(price, factor), opening)
        else:
            cost = self._cost(order, stake, price, opening)
        return RiskRequest(
            stake.instrument,
            side,
            quantity,
            opening,
            price,
            cost,
            account.available(),
            position.total.quantity,
            everyone.buying,
            everyone.selling,
            held,
            own.buying,
            own.selling,
            order,
            now_ns,
            self._view,
        )

    def _cost(
        self, order: Signal | Order, stake: Stake, price: Decimal, opening: Decimal
    ) -> Decimal:
        """Return the capital to hold back, fees included; without a limit, the buffer too."""
        unit = self._account.unit_cost(stake, price)
        is_limited = order.limit_price is not None
        if unit is price:
            factor = self._with_fee if is_limited else self._with_both
            return multiply(multiply(price, factor), opening)
        assert unit is not None, f"{stake.instrument.currency} has no rate"
        instrument = stake.instrument
        notional = multiply(multiply(price, instrument.multiplier), self._view.rate(instrument))
        unit = add(unit, multiply(notional, self._fee_rate))
        return multiply(unit if is_limited else multiply(unit, self._with_buffer), opening)

    def with_room(self, request: RiskRequest, stake: Stake, room: Room) -> RiskRequest:
        """Return a request without what the order stands in for, with what its parent opens."""
        held = stake.position.quantity
        most = closable(held, stake.working, room, is_buy=request.side is _BUY)
        opening = opening_quantity(request.quantity, most)
        cost = self._cost(request.order, stake, request.price, opening) if opening else ZERO
        return replace(
            request,
            opening=opening,
            cost=cost,
            available=add(request.available, room.cost),
            account_buying=subtract(request.account_buying, room.buying),
            account_selling=subtract(request.account_selling, room.selling),
            strategy_buying=subtract(request.strategy_buying, room.buying),
            strategy_selling=subtract(request.strategy_selling, room.selling),
        )
