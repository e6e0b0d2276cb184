"""What the order manager does when a new process goes on from an earlier one's journal."""

from actors.messages.trading import OrderUpdate
from actors.model.order import OrderStatus
from actors.orders.ageing import Ageing
from actors.orders.contingent import Contingents
from actors.orders.doubts import Doubts
from actors.orders.outputs import Output
from actors.orders.parts import Parts
from actors.orders.registry import Registry, part_of

_WHY = "the process was restarted before an answer came"
_ASKED = frozenset(
    {
        OrderStatus.SUBMITTING,
        OrderStatus.CANCELLING,
        OrderStatus.REPLACING,
        OrderStatus.UNKNOWN,
    }
)


class Resumption:
    """Asks for what was on its way, and sets the timers again that were lost with the process."""

    def __init__(
        self,
        registry: Registry,
        contingents: Contingents,
        parts: Parts,
        ageing: Ageing | None,
        doubts: Doubts,
    ) -> None:
        self._registry = registry
        self._contingents = contingents
        self._parts = parts
        self._ageing = ageing
        self._doubts = doubts

    def resume(self, now_ns: int, *, is_remote: bool) -> list[Output]:
        """Return the questions to a real venue, and timers.

        Args:
            now_ns: The time.
            is_remote: Whether the venue has gone on meanwhile: a simulated one has not.
        """
        outputs = self._ask_for_all(now_ns) if is_remote else []
        if self._ageing is not None:
            outputs += self._ageing.again(now_ns)
        outputs += self._contingents.again(now_ns)
        outputs += self._parts.again(now_ns)
        return outputs

    def _ask_for_all(self, now_ns: int) -> list[Output]:
        outputs: list[Output] = []
        for record in self._registry.at_venue():
            order_id = record.order.client_order_id
            if record.status not in _ASKED and order_id not in self._doubts.open:
                continue
            news = self._doubts.ask_now(record, _WHY, now_ns)
            if order_id not in self._registry.records:
                whole = self._registry.records[part_of(order_id)]
                told: list[Output] = [each for each in news if not isinstance(each, OrderUpdate)]
                if len(told) < len(news):
                    told += self._parts.part_in_doubt(whole, record, _WHY)
                news = told
            outputs += news
        return outputs
