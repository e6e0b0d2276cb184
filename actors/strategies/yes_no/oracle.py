"""The oracle: a second venue's price, and which inventory orders it supports."""

from collections.abc import Iterable
from decimal import Decimal

import msgspec

from actors.model.instrument import Outcome
from actors.model.money import NANOSECONDS, ONE, ZERO, plain
from actors.strategies.yes_no.parameters import OracleParameters, YesNoParameters
from actors.strategies.yes_no.sizing import cost
from actors.strategies.yes_no.state import YES, MarketSnapshot, OracleView, TradeSignal

_TWO = Decimal(2)


class Dropped(msgspec.Struct, frozen=True, gc=False):
    """A signal that the oracle did not let through, and why."""

    signal: TradeSignal
    reason: str


def fair_probability(oracle: OracleView, parameters: OracleParameters) -> Decimal | None:
    """Return the fair price of YES, see :class:`OracleParameters`; None without a reference."""
    if oracle.reference is None:
        return None
    fair = (ONE + (oracle.price - oracle.reference) / parameters.width) / _TWO
    return min(max(fair, ZERO), ONE)


def oracle_filter(
    signals: Iterable[TradeSignal], snapshot: MarketSnapshot, parameters: YesNoParameters
) -> tuple[list[TradeSignal], list[Dropped]]:
    """Return the signals that the second venue's price supports, and the others with the reason.

    Without an oracle in the parameters all pass. With one, a signal passes if its side is cheaper
    than fair by ``min_edge``, fees paid; without a price that is fresh enough none does.
    """
    oracle = parameters.oracle
    if oracle is None:
        return list(signals), []
    fair = _fresh_fair(snapshot.oracle, oracle)
    kept: list[TradeSignal] = []
    dropped: list[Dropped] = []
    for signal in signals:
        if signal.rank.rule not in oracle.filters:
            kept.append(signal)
            continue
        price = cost(signal.price, snapshot.top(signal.side), parameters)
        reason = fair if isinstance(fair, str) else _too_dear(signal.side, price, fair, oracle)
        if reason is None:
            kept.append(signal)
        else:
            dropped.append(Dropped(signal, reason))
    return kept, dropped


def _too_dear(
    side: Outcome, price: Decimal, fair: Decimal, parameters: OracleParameters
) -> str | None:
    """Return why a side is not bought at a price, or None if it is cheap enough."""
    worth = fair if side is YES else ONE - fair
    if worth - price >= parameters.min_edge:
        return None
    return f"oracle: {side} is worth {worth:.4f}, costs {price:.4f}"


def _fresh_fair(view: OracleView | None, parameters: OracleParameters) -> Decimal | str:
    """Return the fair price of YES, or why there is none."""
    if view is None:
        return "oracle: no price"
    if view.age_ns > parameters.max_age_ns:
        age, limit = (Decimal(each) / NANOSECONDS for each in (view.age_ns, parameters.max_age_ns))
        return f"oracle: price is {plain(age)} s old, {plain(limit)} s may be"
    fair = fair_probability(view, parameters)
    return "oracle: nothing to compare the price with" if fair is None else fair
