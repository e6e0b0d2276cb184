"""The condition on what the account may lose in a day."""

from decimal import Decimal
from typing import ClassVar

from actors.messages.account import EquityMarked
from actors.model.money import plain
from actors.safety.conditions.condition import Untimed
from actors.safety.config import loss_limit

_DAY_NS = 86_400_000_000_000
_PERCENT = Decimal(100)
_SHOWN = Decimal("0.01")


class DailyLoss(Untimed):
    """The account has lost too much since midnight UTC.

    A day begins with the last value of the day before (the first value ever, on the first day); it
    begins anew when a halt is lifted.
    """

    name: ClassVar[str] = "daily_loss"
    hears: ClassVar[tuple[type, ...]] = (EquityMarked,)

    def __init__(self, limit: Decimal | str) -> None:
        self._limit, self._is_share = loss_limit(limit)
        self._day = -1
        self._begin: Decimal | None = None
        self._latest: Decimal | None = None

    def see(self, message: EquityMarked, now_ns: int) -> str:
        """Compare a value of the account with that at the day's beginning."""
        equity = message.equity
        day = message.time_ns // _DAY_NS
        if day > self._day or self._begin is None:
            self._day = day
            self._begin = equity if self._latest is None else self._latest
        self._latest = equity
        loss = self._begin - equity
        if loss <= self._most(self._begin):
            return ""
        if self._is_share and self._begin > 0:
            found = f"{(loss / self._begin * _PERCENT).quantize(_SHOWN)} %"
            return f"daily loss: limit {plain(self._limit)} %, found {found} ({plain(loss)})"
        return f"daily loss: limit {plain(self._most(self._begin))}, found {plain(loss)}"

    def _most(self, begin: Decimal) -> Decimal:
        """Return what may be lost; of an account that begins with nothing, nothing."""
        return max(begin, Decimal(0)) * self._limit / _PERCENT if self._is_share else self._limit

    def begin_anew(self, now_ns: int) -> None:
        """Count losses from the latest value on."""
        self._begin = self._latest
