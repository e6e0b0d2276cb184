"""Limits on what a set of outcomes can cost: the worst case over the outcomes, orders included.

Of a two-outcome market one token pays 1 and the other nothing. Of an event (a negative-risk group)
one market's YES pays 1, as does the NO of every other market; everything else pays nothing. What is
held of the whole set loses, in one outcome, what it cost less what it pays; an order may fill or
not, so it counts where it would lose, and of alternatives the one that would lose most.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import ClassVar

import attrs

from actors.messages.trading import Violation
from actors.model.instrument import Instrument, Outcome
from actors.model.money import ONE, ZERO, plain
from actors.model.order import Order, Side
from actors.risk.policy import RiskRequest
from actors.risk.rules import not_negative
from actors.risk.scope import OrdersPer, siblings
from actors.risk.view import Exposure, WorkingOrder

_BUY = Side.BUY  # on Python 3.11, looking a member up takes longer than comparing it
_NO = Outcome.NO


@attrs.frozen
class _Trade:
    """An order that may fill: what it would do to one instrument, at which price."""

    instrument: Instrument
    signed: Decimal
    price: Decimal
    alternatives: str
    """Names those of which only one can fill; an order's own id if it has none."""

    def loss(self, payoff: Decimal) -> Decimal:
        """Return what it loses where a unit pays ``payoff``; negative for a gain."""
        return self.signed * (self.price - payoff)


def worst_loss(
    exposures: Iterable[Exposure], trades: Sequence[_Trade], outcomes: Sequence[str]
) -> Decimal:
    """Return the greatest loss over the outcomes; negative if every outcome wins.

    Args:
        exposures: What is held of the set.
        trades: What may still be traded of it.
        outcomes: Each market that may come true (by :func:`market_of`); of a single two-outcome
            market, itself and the empty text, which stands for NO.
    """
    held = list(exposures)
    return max(_loss_in(outcome, held, trades) for outcome in outcomes)


def _loss_in(outcome: str, held: Sequence[Exposure], trades: Sequence[_Trade]) -> Decimal:
    loss = ZERO
    for each in held:
        loss += each.cost - each.quantity * payoff_in(outcome, each.instrument)
    worst: dict[str, Decimal] = {}
    for trade in trades:
        lost = trade.loss(payoff_in(outcome, trade.instrument))
        if lost > worst.get(trade.alternatives, ZERO):
            worst[trade.alternatives] = lost
    return loss + sum(worst.values(), ZERO)


def market_of(instrument: Instrument) -> str:
    """Return what names the two-outcome market of a token, the same for both of its tokens."""
    if instrument.market is not None:
        return instrument.market
    return min(instrument.id, instrument.complement or instrument.id)


def payoff_in(outcome: str, instrument: Instrument) -> Decimal:
    """Return what one unit of a token pays if the market ``outcome`` comes true and no other."""
    comes_true = market_of(instrument) == outcome
    return ONE if comes_true is not (instrument.outcome is _NO) else ZERO


def outcomes_of(group: Sequence[Instrument], *, by_event: bool) -> list[str]:
    """Return the outcomes that a set of tokens distinguishes."""
    markets = sorted({market_of(instrument) for instrument in group})
    return markets if by_event and len(markets) > 1 else [*markets, ""]


def _worst_cases(
    request: RiskRequest, *, by_event: bool, strategy: str | None
) -> tuple[Decimal, Decimal]:
    """Return the greatest loss of the order's set, without the order and with it."""
    view = request.view
    group = [each for each in siblings(request, by_event=by_event) if each.outcome is not None]
    trades: list[_Trade] = []
    for instrument in group:
        for working in view.orders(instrument.id):
            trade = _working(working, instrument, request, strategy)
            if trade is not None:
                trades.append(trade)
    exposures = view.exposures(strategy, group)
    outcomes = outcomes_of(group, by_event=by_event)
    without = worst_loss(exposures, trades, outcomes)
    return without, worst_loss(exposures, [*trades, _asked(request)], outcomes)


def _asked(request: RiskRequest) -> _Trade:
    order = request.order
    signed = request.quantity if request.side is _BUY else -request.quantity
    return _Trade(request.instrument, signed, request.price, order.group or request.order_id)


def _working(
    working: WorkingOrder, instrument: Instrument, request: RiskRequest, strategy: str | None
) -> _Trade | None:
    """Return what a working order may do; None for one of another strategy, or the one changed."""
    order = working.order
    if order.client_order_id == request.order_id or strategy not in (None, order.strategy):
        return None
    signed = working.leaves if order.side is _BUY else -working.leaves
    return _Trade(instrument, signed, _price(order), order.group or order.client_order_id)


def _price(order: Order) -> Decimal:
    """Return the price that an order is taken to fill at: its worst, where it names one."""
    for price in (order.limit_price, order.stop_price, order.arrival_price):
        if price is not None:
            return price
    return ONE if order.side is _BUY else ZERO


def _checked(
    name: str, max_loss: Decimal, request: RiskRequest, *, by_event: bool, per: OrdersPer
) -> Violation | None:
    if request.instrument.outcome is None or not request.opening:
        return None
    strategy = request.strategy if per is OrdersPer.STRATEGY else None
    without, loss = _worst_cases(request, by_event=by_event, strategy=strategy)
    # one that makes the worst case no worse may pass even where that is too bad already
    if loss <= max(max_loss, without):
        return None
    return Violation(name, plain(max_loss), plain(loss))


def _account_or_strategy(_owner: object, _field: object, value: OrdersPer) -> None:
    if value is OrdersPer.INSTRUMENT:
        raise ValueError(f"per: expected account or strategy, found {value}")


@attrs.frozen(kw_only=True)
class OutcomeExposure:
    """Bounds what one two-outcome market can cost, whichever of its outcomes comes true.

    A pair of one YES and one NO risks only what it cost above 1. Instruments without outcomes pass,
    and orders that make the worst case no worse.
    """

    name: ClassVar[str] = "OutcomeExposure"

    max_loss: Decimal = attrs.field(validator=not_negative)
    per: OrdersPer = attrs.field(default=OrdersPer.ACCOUNT, validator=_account_or_strategy)

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation if the worst outcome could cost more than ``max_loss``."""
        return _checked(self.name, self.max_loss, request, by_event=False, per=self.per)


@attrs.frozen(kw_only=True)
class GroupExposure:
    """Bounds what all markets of one event can cost, whichever of them comes true.

    Exactly one market of those that the run knows is taken to come true. An instrument without an
    event is weighed with its market alone, as :class:`OutcomeExposure` does.
    """

    name: ClassVar[str] = "GroupExposure"

    max_loss: Decimal = attrs.field(validator=not_negative)
    per: OrdersPer = attrs.field(default=OrdersPer.ACCOUNT, validator=_account_or_strategy)

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation if the worst outcome could cost more than ``max_loss``."""
        return _checked(self.name, self.max_loss, request, by_event=True, per=self.per)
