"""Arbitrage: a pair that costs less than the 1 it will pay, and what to do with half of one."""

from decimal import Decimal

from actors.model.money import ONE, ZERO, plain
from actors.strategies.yes_no.parameters import YesNoParameters
from actors.strategies.yes_no.sizing import cost, room, sale, sized
from actors.strategies.yes_no.state import (
    NO,
    OTHER,
    YES,
    MarketSnapshot,
    OpenLeg,
    PairPosition,
    Rank,
    TradeSignal,
)


def pair_edge(snapshot: MarketSnapshot, parameters: YesNoParameters) -> Decimal | None:
    """Return what a pair bought at the asks will earn, both fees paid; None if a side is empty."""
    edge = ONE
    for side in (YES, NO):
        top = snapshot.top(side)
        if top.ask is None:
            return None
        edge -= cost(top.ask, top, parameters)
    return edge


def synthetic_arbitrage(
    snapshot: MarketSnapshot, position: PairPosition, parameters: YesNoParameters
) -> list[TradeSignal]:
    """Buy both sides at their asks where that costs less than ``1 - min_edge``.

    Both for the same size: the smaller of both depths, of the largest order and of the room left.
    """
    if not parameters.arbitrage or position.pending_yes or position.pending_no:
        return []
    edge = pair_edge(snapshot, parameters)
    if edge is None or edge <= parameters.min_edge:
        return []
    tops = (snapshot.top(YES), snapshot.top(NO))
    rooms = (room(side, position, parameters) for side in (YES, NO))
    depths = (top.ask_size for top in tops)
    size = sized(tops, parameters.max_size, *rooms, *depths)
    reason = f"arbitrage: YES and NO together earn {plain(edge)} a pair"
    return [
        TradeSignal(
            side=side, price=top.ask, size=size, rank=Rank.SYNTHETIC_ARBITRAGE, reason=reason
        )
        for side, top in zip((YES, NO), tops, strict=True)
        if size and top.ask is not None
    ]


def resolve_leg(
    leg: OpenLeg, snapshot: MarketSnapshot, position: PairPosition, parameters: YesNoParameters
) -> list[TradeSignal]:
    """Complete an arbitrage of which only one leg has filled, or undo it.

    The missing leg is bought at its ask as long as the pair then loses nothing; once it is late,
    as long as it loses at most ``max_leg_loss`` a share. Late, and dearer than that, the leg that
    is held is sold at the bid.
    """
    missing = OTHER[leg.side]
    own, other = snapshot.top(leg.side), snapshot.top(missing)
    if position.is_pending(leg.side) or position.is_pending(missing):
        return []
    allowed = parameters.max_leg_loss if leg.is_late else ZERO
    if other.ask is not None:
        loss = cost(leg.paid, own, parameters) + cost(other.ask, other, parameters) - ONE
        size = sized((other,), leg.size, other.ask_size)
        if loss <= allowed and size:
            reason = f"leg: complete the pair, {_gain(-loss)} a share"
            return [
                TradeSignal(side=missing, price=other.ask, size=size, rank=Rank.LEG, reason=reason)
            ]
    if not leg.is_late:
        return []
    return sale(snapshot, leg.side, leg.size, Rank.LEG, "leg: the other is too dear, sell this")


def _gain(value: Decimal) -> str:
    return f"{'loses' if value < 0 else 'earns'} {plain(abs(value))}"
