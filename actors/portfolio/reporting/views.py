"""What others may see of the account's risk: the state, what is at stake, what has been lost."""

from decimal import Decimal

from actors.messages.account import TradingState
from actors.model.money import ZERO
from actors.portfolio.account import Account
from actors.portfolio.approval.gate import Gate
from actors.portfolio.books.curve import EquityCurve
from actors.portfolio.books.exact import share, subtract
from actors.portfolio.reporting.report import PortfolioReport


class RiskReport(PortfolioReport):
    """A portfolio's report with the figures that its limits are about."""

    def __init__(self, account: Account, curve: EquityCurve, gate: Gate) -> None:
        super().__init__(account, curve)
        self._gate = gate

    @property
    def trading_state(self) -> TradingState:
        """Return what the portfolio lets pass."""
        return self._gate.states.state

    @property
    def trading_state_cause(self) -> str:
        """Return why; empty while it is ACTIVE."""
        return self._gate.states.cause

    def get_account_info(self) -> dict[str, Decimal | str | None]:
        """Return the account in one mapping; money in the account's currency."""
        return {
            **super().get_account_info(),
            "trading_state": str(self.trading_state),
            "trading_state_cause": self.trading_state_cause,
        }

    def get_risk_metrics(self) -> dict[str, Decimal | None]:
        """Return exposures at the marks, losses and drawdowns, in the account's currency.

        ``worst_case_exposure`` is the gross exposure if every order fills that makes a position
        greater; ``daily_loss`` what was lost since the day (UTC) of the latest sample began;
        ``drawdown`` the fall below the highest sample, as a fraction of it; neither is negative.
        """
        view, landmarks = self._gate.view, self._gate.landmarks
        equity = view.equity()
        peak = view.peak_equity()
        fall = max(subtract(peak, equity), ZERO)
        day_start = landmarks.day_start(landmarks.latest_ns)
        return {
            **super().get_risk_metrics(),
            "worst_case_exposure": view.worst_value(),
            "daily_loss": ZERO if day_start is None else max(subtract(day_start, equity), ZERO),
            "drawdown": share(fall, Decimal(1), peak) if peak > ZERO else ZERO,
        }
