"""What a portfolio is told about its account."""

from decimal import Decimal

import attrs

from actors.messages.trading import SignalRefused
from actors.model.money import NANOSECONDS, ZERO
from actors.risk.policy import RiskPolicy


@attrs.frozen(kw_only=True)
class PortfolioConfig:
    """One account.

    Attributes:
        cash: What it begins with.
        currency: What cash, prices and commissions are in.
        policies: Who must approve each order; all are asked.
        fee_rate: Commission to expect, as a fraction of the notional; reserved with the capital.
        equity_interval_ns: Time between samples of the equity curve, at first.
        close_out: Whether :class:`CloseOut` closes the open positions, or is ignored.
    """

    cash: Decimal = attrs.field()
    currency: str = "USD"
    policies: tuple[RiskPolicy, ...] = ()
    fee_rate: Decimal = attrs.field(default=ZERO)
    equity_interval_ns: int = attrs.field(default=NANOSECONDS)
    close_out: bool = True

    @cash.validator
    def _cash_is_not_negative(self, _attribute: object, value: Decimal) -> None:
        if value < 0:
            raise ValueError(f"cash: expected 0 or more, found {value}")

    @fee_rate.validator
    def _fee_rate_is_not_negative(self, _attribute: object, value: Decimal) -> None:
        if value < 0:
            raise ValueError(f"fee_rate: expected 0 or more, found {value}")

    @equity_interval_ns.validator
    def _interval_is_positive(self, _attribute: object, value: int) -> None:
        if value <= 0:
            raise ValueError(f"equity interval: expected above 0, found {value} ns")


@attrs.define(kw_only=True)
class PortfolioStatistics:
    """What the portfolio has counted; a restarted one counts on from the journal."""

    signals: int = 0
    duplicate_signals: int = 0
    """Signals that came again and were ignored."""
    targets_met: int = 0
    """Signals that asked for the position that is held or on its way."""
    orders: int = 0
    close_outs: int = 0
    """Those of the orders that close the account's positions at the end."""
    refused_signals: int = 0
    refused_by: dict[str, int] = attrs.Factory(dict)
    """Violations by policy; a signal may violate several."""
    fills: int = 0
    duplicate_fills: int = 0
    settlements: int = 0

    def count_refusal(self, refused: SignalRefused) -> None:
        """Count a refusal and what it was for."""
        self.refused_signals += 1
        for violation in refused.violations:
            self.refused_by[violation.policy] = self.refused_by.get(violation.policy, 0) + 1
