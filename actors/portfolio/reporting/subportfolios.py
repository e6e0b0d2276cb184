"""Each strategy's part of the account: the parts and the opening balance sum to the whole.

There is no netting between strategies: each has its own positions, whoever else holds the same
instrument, so that every fill belongs to exactly one of them.
"""

from collections.abc import Mapping
from decimal import Decimal

import attrs

from actors.model.money import ZERO
from actors.portfolio.account import Account
from actors.portfolio.books.exact import add, multiply_add
from actors.portfolio.books.positions import Position


@attrs.frozen(kw_only=True)
class SubPortfolio:
    """What one strategy's fills have come to, in the account's currency at the latest rates.

    Attributes:
        strategy: Whose; empty for what is the account's alone.
        cash_flows: What it brought to the cash of each currency, commissions paid.
        cash_flow: The same, all together.
        realized_pnl: Of closed quantities, without commissions.
        unrealized_pnl: Of open quantities, at the marks; at cost where there is none.
        commission: Paid, less rebates.
        adjustments: Cash that came or went without a fill.
        equity: What it adds to the account's value: cash flow and what its positions are worth.
    """

    strategy: str
    cash_flows: Mapping[str, Decimal]
    cash_flow: Decimal
    realized_pnl: Decimal
    unrealized_pnl: Decimal
    commission: Decimal
    adjustments: Decimal
    equity: Decimal

    @property
    def net_pnl(self) -> Decimal:
        """Return what it has gained, with everything: equal to its ``equity``."""
        return self.equity


class _Sums:
    """Sums in the account's currency."""

    def __init__(self) -> None:
        self.cash_flows: dict[str, Decimal] = {}
        self.cash_flow = self.realized = self.unrealized = ZERO
        self.commission = self.adjustments = self.equity = ZERO

    def flow(self, currency: str, amount: Decimal, rate: Decimal) -> None:
        """Add to the cash of a currency."""
        self.cash_flows[currency] = add(self.cash_flows.get(currency, ZERO), amount)
        self.cash_flow = multiply_add(amount, rate, self.cash_flow)
        self.equity = multiply_add(amount, rate, self.equity)

    def position(self, position: Position, mark: Decimal | None, rate: Decimal) -> None:
        """Add what a position is and was."""
        self.flow(position.purse.currency, position.flow(), rate)
        self.equity = multiply_add(position.worth(mark), rate, self.equity)
        self.realized = multiply_add(position.realized_pnl, rate, self.realized)
        self.unrealized = multiply_add(position.unrealized_pnl(mark), rate, self.unrealized)
        self.commission = multiply_add(position.commission, rate, self.commission)


def sub_portfolio(account: Account, strategy: str) -> SubPortfolio | None:
    """Return one strategy's part of the account; that of ``""`` is what belongs to no strategy.

    None if there is something in a currency that has no rate.
    """
    sums = _Sums()
    mark_of = account.marks.mark
    rates = account.capital.rates
    ledger = account.ledger
    for position in ledger.opened():
        if position.strategy == strategy:
            rate = rates.rate(position.purse.currency, mark_of)
            if rate is None:
                return None
            sums.position(position, mark_of(position.instrument), rate)
    for (owner, currency), amount in ledger.adjusted.items():
        if owner == strategy:
            rate = rates.rate(currency, mark_of)
            if rate is None:
                return None
            sums.flow(currency, amount, rate)
            sums.adjustments = multiply_add(amount, rate, sums.adjustments)
    return SubPortfolio(
        strategy=strategy,
        cash_flows=sums.cash_flows,
        cash_flow=sums.cash_flow,
        realized_pnl=sums.realized,
        unrealized_pnl=sums.unrealized,
        commission=sums.commission,
        adjustments=sums.adjustments,
        equity=sums.equity,
    )


def strategies_of(account: Account) -> list[str]:
    """Return everybody who has a part in the account, ``""`` too if something is nobody's."""
    names = {position.strategy for position in account.ledger.opened()}
    return sorted(names | {owner for owner, _ in account.ledger.adjusted})
