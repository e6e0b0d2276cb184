"""What a market maker saves of itself: its quotes, and what it knows of its positions."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from actors.messages.trading import CancelOrder, ModifyOrder, OrderUpdate
from actors.model.instrument import Instruments
from actors.model.order import Side
from actors.strategies.market_maker.book import Exposure, QuotedMarket, Resting
from actors.strategies.saving import PlainQuote, plain_quote, quote_of


class _Own(msgspec.Struct, frozen=True, kw_only=True):
    """One of its orders, as :class:`Resting`."""

    order_id: str
    price: Decimal | None
    quantity: Decimal
    filled: Decimal
    is_known: bool
    is_settled: bool


class _Market(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument, as :class:`QuotedMarket`."""

    latest: PlainQuote | None
    is_synced: bool
    is_over: bool
    own: dict[Side, _Own]
    quoted_twice: int | None
    asked_ns: int


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """All that is saved; ``old`` are the orders of earlier incarnations that are being cancelled.

    ``exposure`` is what :meth:`Exposure.known` returns.
    """

    markets: dict[str, _Market]
    exposure: tuple[dict[str, Decimal], dict[str, Decimal], dict[str, Decimal]]
    paused_until_ns: int
    old: dict[str, str]


def saved_markets(markets: Mapping[str, QuotedMarket]) -> dict[str, _Market]:
    """Return markets as they are saved."""
    return {name: _saved(market) for name, market in markets.items()}


def _saved(market: QuotedMarket) -> _Market:
    return _Market(
        latest=plain_quote(market.latest),
        is_synced=market.is_synced,
        is_over=market.is_over,
        own={side: _saved_order(own) for side, own in market.own.items()},
        quoted_twice=market.quoted_twice,
        asked_ns=market.asked_ns,
    )


def _saved_order(own: Resting) -> _Own:
    return _Own(**{name: getattr(own, name) for name in _Own.__struct_fields__})


def restored(saved: Any, exposure: Exposure, table: Instruments) -> tuple[Saved, Any]:
    """Return what was saved, and its markets by instrument; ``exposure`` knows its part.

    Raises:
        msgspec.ValidationError: If it is of another shape.
    """
    found = msgspec.convert(saved, Saved)
    exposure.know(found.exposure)
    markets = {name: _market(name, each, table) for name, each in found.markets.items()}
    return found, markets


def _market(name: str, saved: _Market, table: Instruments) -> QuotedMarket:
    market = QuotedMarket()
    market.latest = quote_of(saved.latest, name, table)
    market.is_synced, market.is_over = saved.is_synced, saved.is_over
    market.quoted_twice, market.asked_ns = saved.quoted_twice, saved.asked_ns
    for side, each in saved.own.items():
        own = market.own[side] = Resting(each.order_id, each.quantity, each.quantity)
        for field in _Own.__struct_fields__:
            setattr(own, field, getattr(each, field))
    return market


def made_up_for(markets: Mapping[str, QuotedMarket], history: Iterable[tuple[str, Any]]) -> None:
    """Take notice of what has become of the quotes since they were saved.

    Where a change was asked for after that, its price is not known to have been taken: the quote
    is made to follow with the next quote of the market.
    """
    for direction, message in history:
        is_mine = isinstance(message, OrderUpdate) or (
            direction == "sent" and isinstance(message, ModifyOrder | CancelOrder)
        )
        for market in markets.values() if is_mine else ():
            side = market.side_of(message.client_order_id)
            if side is not None:
                _make_up(market, side, message)


def _make_up(market: QuotedMarket, side: Side, message: Any) -> None:
    own = market.own[side]
    market.quoted_twice = None
    if not isinstance(message, OrderUpdate):
        own.is_settled = False
        if isinstance(message, ModifyOrder):
            own.price = None
        return
    own.updated(message)
    if message.status.is_terminal:
        del market.own[side]
