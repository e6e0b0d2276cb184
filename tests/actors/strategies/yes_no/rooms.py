"""Builders of what the rules look at: a test names the numbers that matter, and no others."""

from decimal import Decimal

from actors.model.instrument import Outcome
from actors.strategies.yes_no import MarketSnapshot, OracleView, PairPosition, Top

YES, NO = Outcome.YES, Outcome.NO


def number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def top(
    bid: str | None = "0.40",
    ask: str | None = "0.41",
    sizes: tuple[str | None, str | None] = ("100", "100"),
    *,
    min_size: str = "0",
    lot: str = "0.01",
    curve: str = "0",
) -> Top:
    """Return a book of 100 shares a side."""
    return Top(
        bid=number(bid),
        ask=number(ask),
        bid_size=number(sizes[0]),
        ask_size=number(sizes[1]),
        lot=Decimal(lot),
        min_size=Decimal(min_size),
        curve_fee_rate=Decimal(curve),
    )


def market(yes: Top | None, no: Top | None, oracle: OracleView | None = None) -> MarketSnapshot:
    """Return a snapshot of two books."""
    return MarketSnapshot(yes=yes, no=no, oracle=oracle)


def asks(yes: str, no: str, oracle: OracleView | None = None) -> MarketSnapshot:
    """Return a snapshot with these asks, a bid 0.01 below each, and 100 shares everywhere."""
    below = Decimal("0.01")
    first, second = (top(str(Decimal(ask) - below), ask) for ask in (yes, no))
    return market(first, second, oracle)


def holding(
    yes: str = "0",
    no: str = "0",
    costs: tuple[str, str] = ("0", "0"),
    *,
    fees: str = "0",
    realized: str = "0",
    pending: str = "",
) -> PairPosition:
    """Return what is held; ``pending`` names the sides with an order under way."""
    return PairPosition(
        Qy=Decimal(yes),
        Qn=Decimal(no),
        Cy=Decimal(costs[0]),
        Cn=Decimal(costs[1]),
        fees=Decimal(fees),
        realized=Decimal(realized),
        pending_yes="YES" in pending,
        pending_no="NO" in pending,
    )
