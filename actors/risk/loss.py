"""Limits on what the account may lose, and what happens when it has."""

from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

import attrs

from actors.messages.trading import Violation
from actors.model.money import plain
from actors.risk.policy import RiskRequest
from actors.risk.rules import above_zero, fraction
from actors.risk.view import AccountView

_PERCENT = Decimal(100)
_SHOWN = Decimal("0.01")


class Action(StrEnum):
    """What a limit on losses does when it is exceeded."""

    REFUSE = "refuse"
    """Nothing that opens a position is approved while it lasts."""
    REDUCE = "reduce"
    """The account is REDUCING until somebody lifts it."""
    HALT = "halt"
    """The account is HALTED until somebody lifts it."""


@runtime_checkable
class Tripwire(Protocol):
    """A policy that may change the trading state, at decisions and at samples of the equity."""

    @property
    def name(self) -> str:
        """Return the name under which it approves and refuses."""
        ...

    @property
    def action(self) -> Action:
        """Return what it does when it is exceeded."""
        ...

    def breach(self, view: AccountView, equity: Decimal, now_ns: int) -> Violation | None:
        """Return how it is exceeded at an equity, or None."""
        ...


@attrs.frozen(kw_only=True)
class DailyLoss:
    """Bounds what the account may lose from the beginning of a day (UTC) on, at the marks.

    Once the limit is exceeded: ``refuse`` lets only what reduces a position pass while it lasts,
    ``reduce`` and ``halt`` change the trading state.
    """

    name: ClassVar[str] = "DailyLoss"

    max_loss: Decimal = attrs.field(validator=above_zero)
    action: Action = Action.REFUSE

    def breach(self, view: AccountView, equity: Decimal, now_ns: int) -> Violation | None:
        """Return a violation if more than ``max_loss`` is lost since the day began."""
        loss = view.day_start_equity(now_ns) - equity
        if loss <= self.max_loss:
            return None
        return Violation(self.name, plain(self.max_loss), plain(loss))

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation if the order opens something while the limit is exceeded."""
        if not request.opening:
            return None
        return self.breach(request.view, request.view.equity(), request.now_ns)


@attrs.frozen(kw_only=True)
class Drawdown:
    """Bounds how far the account may fall below its highest sampled value, as a fraction of it."""

    name: ClassVar[str] = "Drawdown"

    max_drawdown: Decimal = attrs.field(validator=fraction)
    action: Action = Action.REFUSE

    def breach(self, view: AccountView, equity: Decimal, now_ns: int) -> Violation | None:
        """Return a violation if the equity is more than ``max_drawdown`` below its peak."""
        peak = view.peak_equity()
        if peak <= 0 or equity >= peak - self.max_drawdown * peak:
            return None
        found = ((peak - equity) / peak * _PERCENT).quantize(_SHOWN)
        return Violation(self.name, f"{plain(self.max_drawdown * _PERCENT)} %", f"{found} %")

    def check(self, request: RiskRequest) -> Violation | None:
        """Return a violation if the order opens something while the limit is exceeded."""
        if not request.opening:
            return None
        return self.breach(request.view, request.view.equity(), request.now_ns)
