"""What becomes of provisional trades: most are settled after a while, some fail."""

from collections.abc import Sequence

import attrs

from actors.actor import Later
from actors.brokers.models.chance import Seeded, uniform
from actors.brokers.models.checks import a_share, not_negative
from actors.messages.trading import ExecutionReport, ReportKind

_TRADE = ReportKind.TRADE
_SETTLED = ReportKind.TRADE_SETTLED
_FAILED = ReportKind.TRADE_FAILED


@attrs.frozen(kw_only=True)
class Settlement(Seeded):
    """Trades are provisional at first, as on a chain: ``delay_ns`` later they are final, or failed.

    Whether a trade fails follows from the run's seed and from its id, so that a restarted venue
    plans the same.

    Attributes:
        delay_ns: From a trade to its settlement.
        failure_rate: The share of the trades that fail; from 0 to 1.
    """

    delay_ns: int = attrs.field(default=0, validator=not_negative)
    failure_rate: float = attrs.field(default=0.0, validator=a_share)

    def fails(self, trade_id: str) -> bool:
        """Return whether a trade will come to nothing."""
        return uniform(self.seed, "settlement", trade_id) < self.failure_rate

    def plan(self, reports: Sequence[ExecutionReport], told_ns: int) -> list[Later]:
        """Return the settlement of each trade among some reports.

        Args:
            reports: Those of one moment.
            told_ns: When they arrive.
        """
        at_ns = told_ns + self.delay_ns
        return [Later(self._end_of(said), at_ns) for said in reports if said.kind is _TRADE]

    def _end_of(self, said: ExecutionReport) -> ExecutionReport:
        fails = self.fails(said.trade_id)
        return ExecutionReport(
            client_order_id=said.client_order_id,
            kind=_FAILED if fails else _SETTLED,
            venue=said.venue,
            venue_time_ns=said.venue_time_ns + self.delay_ns,
            reason="settlement failed" if fails else "",
            trade_id=said.trade_id,
        )
