"""The rules of the YES/NO strategy, asked one after the other.

Each is a function: what it sees is frozen, what it says is all it does. They are asked in the order
of :class:`~actors.strategies.yes_no.state.Rank`. The two of safety end the evaluation. Arbitrage
does not listen to the oracle; what the inventory rules ask for passes through it.
"""

import msgspec

from actors.strategies.yes_no.arbitrage import synthetic_arbitrage
from actors.strategies.yes_no.inventory import inventory
from actors.strategies.yes_no.oracle import Dropped, oracle_filter
from actors.strategies.yes_no.parameters import YesNoParameters
from actors.strategies.yes_no.safety import profit_lock, stop_exit, stop_loss
from actors.strategies.yes_no.state import MarketSnapshot, PairPosition, Rank, TradeSignal


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the rules say together.

    Attributes:
        signals: What to order, in order of rank.
        rank: The rule that decided; None if no rule had anything to say.
        reason: Why nothing may be traded, if a rule of safety says so.
        dropped: What the oracle did not let through.
    """

    signals: tuple[TradeSignal, ...] = ()
    rank: Rank | None = None
    reason: str = ""
    dropped: tuple[Dropped, ...] = ()


NOTHING = Decision()


def evaluate_strategy(
    snapshot: MarketSnapshot, position: PairPosition, parameters: YesNoParameters
) -> list[TradeSignal] | None:
    """Return the orders to make now, or None if there are none."""
    return list(decide(snapshot, position, parameters).signals) or None


def decide(
    snapshot: MarketSnapshot, position: PairPosition, parameters: YesNoParameters
) -> Decision:
    """Ask the rules one after the other; nothing is decided on books that are not in sync."""
    if not snapshot.sync_status:
        return NOTHING
    reason = profit_lock(position, parameters)
    if reason is not None:
        return Decision(rank=Rank.PROFIT_LOCK, reason=reason)
    reason = stop_loss(position, parameters)
    if reason is not None:
        signals = tuple(stop_exit(snapshot, position, parameters))
        return Decision(rank=Rank.STOP_LOSS, reason=reason, signals=signals)
    arbitrage = synthetic_arbitrage(snapshot, position, parameters)
    if arbitrage:
        return Decision(rank=Rank.SYNTHETIC_ARBITRAGE, signals=tuple(arbitrage))
    return _inventory(snapshot, position, parameters)


def _inventory(
    snapshot: MarketSnapshot, position: PairPosition, parameters: YesNoParameters
) -> Decision:
    wished = inventory(snapshot, position, parameters)
    if not wished:
        return NOTHING
    kept, dropped = oracle_filter(wished, snapshot, parameters)
    first = kept[:1]
    rank = first[0].rank if first else wished[0].rank
    return Decision(rank=rank, signals=tuple(first), dropped=tuple(dropped))
