"""Rules of safety: when enough is certain, and when too much can be lost."""

from actors.model.money import plain
from actors.strategies.yes_no.parameters import YesNoParameters
from actors.strategies.yes_no.sizing import sale
from actors.strategies.yes_no.state import MarketSnapshot, PairPosition, Rank, TradeSignal


def profit_lock(position: PairPosition, parameters: YesNoParameters) -> str | None:
    """Return why nothing more is traded: enough is certain already; None if it is not."""
    wanted, profit = parameters.lock_profit, position.guaranteed_profit
    if wanted is None or profit < wanted:
        return None
    return f"profit locked: {plain(profit)} is certain"


def stop_loss(position: PairPosition, parameters: YesNoParameters) -> str | None:
    """Return why nothing more is bought: too much can be lost already; None if it cannot."""
    allowed, profit = parameters.max_loss, position.guaranteed_profit
    if allowed is None or -profit <= allowed:
        return None
    return f"stop loss: {plain(-profit)} can be lost, {plain(allowed)} may be"


def stop_exit(
    snapshot: MarketSnapshot, position: PairPosition, parameters: YesNoParameters
) -> list[TradeSignal]:
    """Sell at the bid what is held in excess of complete pairs, if that is wanted.

    Complete pairs are kept: they pay 1 whatever happens.
    """
    side = position.excess_side
    if not parameters.stop_exit or side is None or position.is_pending(side):
        return []
    size = abs(position.Qy - position.Qn)
    return sale(snapshot, side, size, Rank.STOP_LOSS, "stop loss: sell the excess")
