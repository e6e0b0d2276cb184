"""The built-in risk policies, under the names that configurations use."""

from actors.risk.loss import DailyLoss, Drawdown
from actors.risk.market import PriceCollar, SelfTrade, StaleData
from actors.risk.orders import MaxOpenOrders, MaxOrderNotional, MaxOrderSize, OrderRate
from actors.risk.outcomes import GroupExposure, OutcomeExposure
from actors.risk.policy import RiskPolicy
from actors.risk.positions import CashLimit, InventoryLimit, NoShort, PositionLimit
from actors.risk.scope import Per

__all__ = ["POLICIES", "CashLimit", "NoShort", "Per", "PositionLimit"]

POLICIES: dict[str, type[RiskPolicy]] = {
    policy.name: policy
    for policy in (
        PositionLimit,
        InventoryLimit,
        CashLimit,
        NoShort,
        MaxOrderSize,
        MaxOrderNotional,
        MaxOpenOrders,
        OrderRate,
        PriceCollar,
        StaleData,
        SelfTrade,
        DailyLoss,
        Drawdown,
        OutcomeExposure,
        GroupExposure,
    )
}
"""Every policy that a configuration may name."""
