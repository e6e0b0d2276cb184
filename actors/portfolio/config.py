"""What a portfolio is told about its account."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

import attrs

from actors.messages.trading import SignalRefused
from actors.model.money import NANOSECONDS, ONE, ZERO
from actors.portfolio.books.curve import MAX_SAMPLES
from actors.portfolio.books.settings import BookSettings, CostMethod, Rate
from actors.risk.policy import RiskPolicy

_NO_IDS = frozenset({"", "nan", "inf", "infinity"})
"""What a number that is none looks like in a file."""


class EquitySampling(StrEnum):
    """When the equity curve gets a sample."""

    GRID = "grid"
    """At the multiples of the interval."""
    ON_CHANGE = "on_change"
    """At each fill."""
    BOTH = "both"


class HoldingsRule(StrEnum):
    """What is done by rule where the venue holds something else than we do."""

    REFUSE = "refuse"
    """Nothing: no new order until somebody decides."""
    ADOPT = "adopt"
    """The difference is booked: what the venue holds is ours."""


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
        equity: When the equity curve gets a sample.
        equity_samples: How many samples the curve keeps, 4 or more, before it grows coarser.
        balances: Opening balances in other currencies.
        fx: What one unit of another currency is worth in ``currency``: a number, or the id of the
            instrument whose price says so (quoted either way round).
        cost_method: Which part of a position's cost a closing fill takes.
        money_step: What commissions and realized profits are rounded to, half-even, when they are
            booked; None for exact.
        leverage: How much notional one unit of equity may carry, 1 or more.
        liquidate_at: The equity at or below which everything is closed at the marks; None for
            never.
        market_order_buffer: What is reserved on top for an order without a limit, as a fraction of
            what it costs at the touch: room for a price that slips.
        auto_redeem: Whether what a resolved market pays is booked at once, or when it is asked for.
        reconciles: Whether no order may leave before the books were compared with the venue's.
        holdings: What is done by rule where the venue holds something else than we do.
        position_tolerance: How many units a position may differ, 0 or more.
        cash_tolerance: How much a balance may differ, 0 or more, in units of its currency.
        starting_cash_from_venue: Whether the venue's balances are what the account begins with.
        max_fills: How many fills, and how many entries of cash, are kept, 1 or more; the journal
            remembers the older ones, sums count them on. None for all.
    """

    cash: Decimal = attrs.field()
    currency: str = attrs.field(default="USD")
    policies: tuple[RiskPolicy, ...] = ()
    fee_rate: Decimal = attrs.field(default=ZERO)
    equity_interval_ns: int = attrs.field(default=NANOSECONDS)
    close_out: bool = True
    equity: EquitySampling = EquitySampling.GRID
    equity_samples: int = attrs.field(default=MAX_SAMPLES)
    balances: Mapping[str, Decimal] = attrs.field(factory=dict)
    fx: Mapping[str, Rate] = attrs.field(factory=dict)
    cost_method: CostMethod = CostMethod.AVERAGE
    money_step: Decimal | None = attrs.field(default=None)
    leverage: Decimal = attrs.field(default=ONE)
    liquidate_at: Decimal | None = None
    market_order_buffer: Decimal = attrs.field(default=ZERO)
    auto_redeem: bool = True
    reconciles: bool = False
    holdings: HoldingsRule = HoldingsRule.REFUSE
    position_tolerance: Decimal = attrs.field(default=ZERO)
    cash_tolerance: Decimal = attrs.field(default=Decimal("0.01"))
    starting_cash_from_venue: bool = False
    max_fills: int | None = attrs.field(default=None)

    @property
    def books(self) -> BookSettings:
        """Return how the account keeps its books."""
        return BookSettings(
            currency=self.currency,
            balances=dict(self.balances),
            fx=dict(self.fx),
            cost_method=self.cost_method,
            money_step=self.money_step,
        )

    @currency.validator
    def _currency_has_a_name(self, _attribute: object, value: str) -> None:
        if not value.strip():
            raise ValueError(f"currency: expected a name such as USD, found {value!r}")

    @balances.validator
    def _balances_can_be_valued(self, _attribute: object, value: Mapping[str, Decimal]) -> None:
        for currency, amount in value.items():
            if amount < 0:
                raise ValueError(f"balances: expected 0 or more of {currency}, found {amount}")
            if currency == self.currency:
                raise ValueError(f"balances: expected other currencies, found {currency}")

    @fx.validator
    def _rates_are_positive(self, _attribute: object, value: Mapping[str, Rate]) -> None:
        for currency, rate in value.items():
            if currency == self.currency:
                raise ValueError(f"fx: expected other currencies, found {currency}")
            if isinstance(rate, Decimal):
                if not rate.is_finite() or rate <= 0:
                    raise ValueError(f"fx: expected a rate of {currency} above 0, found {rate}")
            elif rate.strip("+-.").lower() in _NO_IDS:
                expected = f"a rate of {currency} or an instrument's id"
                raise ValueError(f"fx: expected {expected}, found {rate!r}")
        for currency in self.balances:
            if currency not in value:
                raise ValueError(f"fx: expected a rate of {currency}, found none")

    @money_step.validator
    def _money_step_is_positive(self, _attribute: object, value: Decimal | None) -> None:
        if value is not None and value <= 0:
            raise ValueError(f"money_step: expected above 0, found {value}")

    @market_order_buffer.validator
    def _buffer_is_not_negative(self, _attribute: object, value: Decimal) -> None:
        if value < 0:
            raise ValueError(f"market_order_buffer: expected 0 or more, found {value}")

    @leverage.validator
    def _leverage_is_one_or_more(self, _attribute: object, value: Decimal) -> None:
        if value < 1:
            raise ValueError(f"leverage: expected 1 or more, found {value}")

    @cash.validator
    def _cash_is_not_negative(self, _attribute: object, value: Decimal) -> None:
        if value < 0:
            raise ValueError(f"cash: expected 0 or more, found {value}")

    @fee_rate.validator
    def _fee_rate_is_not_negative(self, _attribute: object, value: Decimal) -> None:
        if value < 0:
            raise ValueError(f"fee_rate: expected 0 or more, found {value}")

    @position_tolerance.validator
    @cash_tolerance.validator
    def _tolerance_is_not_negative(self, attribute: Any, value: Decimal) -> None:
        if not value.is_finite() or value < 0:
            raise ValueError(f"{attribute.name}: expected 0 or more, found {value}")

    @max_fills.validator
    def _some_fills_are_kept(self, _attribute: object, value: int | None) -> None:
        if value is not None and value < 1:
            raise ValueError(f"max_fills: expected 1 or more, found {value}")

    @equity_samples.validator
    def _samples_are_a_few(self, _attribute: object, value: int) -> None:
        if value < 4:
            raise ValueError(f"equity_samples: expected 4 or more, found {value}")

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
    provisional_fills: int = 0
    """Fills that are booked but not settled yet."""
    failed_fills: int = 0
    """Provisional fills that came to nothing and were taken back."""
    ignored_settlements: int = 0
    """Words on fills that nobody knows, or that were settled already."""
    conversions: int = 0
    """Splits, merges and redemptions that were booked."""
    refused_conversions: int = 0
    liquidations: int = 0

    def count_refusal(self, refused: SignalRefused) -> None:
        """Count a refusal and what it was for."""
        self.refused_signals += 1
        for violation in refused.violations:
            self.refused_by[violation.policy] = self.refused_by.get(violation.policy, 0) + 1

    def count_refused_conversion(self, refused: SignalRefused) -> None:
        """Count a conversion that was refused, and what for; it is no signal."""
        self.refused_conversions += 1
        for violation in refused.violations:
            self.refused_by[violation.policy] = self.refused_by.get(violation.policy, 0) + 1
