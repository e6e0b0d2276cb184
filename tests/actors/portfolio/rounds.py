"""Rounds of reconciliation: a test names what the venue holds, and no more."""

from decimal import Decimal
from typing import Any

from actors.messages.reconciliation import (
    Cure,
    Difference,
    Part,
    Reconciled,
    ResolveDifference,
    VenueHoldings,
)
from tests.actors.portfolio.builders import COIN
from tests.actors.portfolio.wishes import Desk

COINS = f"POSITION:{COIN}"
DOLLARS = "BALANCE:USD"


def holdings(
    number: int, coins: str = "0", cash: str | None = "1000", *, asked_ns: int | None = None
) -> VenueHoldings:
    """Return what the venue holds in a round: coins and dollars."""
    return VenueHoldings(
        round=number,
        venue="venue",
        asked_ns=number if asked_ns is None else asked_ns,
        positions={COIN: Decimal(coins)},
        balances={} if cash is None else {"USD": Decimal(cash)},
    )


def orders_agree(number: int, *open_keys: str) -> Reconciled:
    """Return the order manager's word on a round."""
    return Reconciled(part=Part.ORDERS, round=number, open=open_keys)


def resolve(key: str, cure: Cure) -> ResolveDifference:
    """Return somebody's decision."""
    return ResolveDifference(key=key, cure=cure, cause="a person")


def reconciling(*policies: Any, is_open: bool = True, **options: Any) -> Desk:
    """Return a desk whose portfolio compares with the venue; its first round has agreed."""
    desk = Desk(*policies, reconciles=True, **options)
    if is_open:
        desk.take(orders_agree(0), holdings(0))
        assert desk.core.is_reconciled
    return desk


def differences(told: list[Any]) -> list[tuple[str, bool]]:
    """Return the keys of the differences that were told, and whether they are open."""
    return [(each.key, each.is_open) for each in told if isinstance(each, Difference)]


def open_keys(told: list[Any]) -> tuple[str, ...]:
    """Return what the round, which must be over, has left open."""
    (word,) = [each for each in told if isinstance(each, Reconciled)]
    assert word.part is Part.HOLDINGS
    return word.open
