"""The options of the simulated broker."""

from decimal import Decimal

import attrs

from actors.brokers.capabilities import Capabilities, known_words
from actors.brokers.market.queue_position import Queue
from actors.brokers.market.sizes import Consumption, Depth, SizeRules, is_share
from actors.brokers.market.walking import FillModel
from actors.brokers.matching.bar_fills import FillPolicy
from actors.brokers.models.commission import CommissionModel, NoCommission
from actors.brokers.models.latency import ConstantLatency, LatencyModel
from actors.brokers.models.regimes import Regimes
from actors.brokers.models.settlement import Settlement
from actors.brokers.models.slippage import NoSlippage, SlippageModel
from actors.brokers.rate_limiter import RateLimiterConfig


def _not_negative(_instance: object, attribute: "attrs.Attribute[int]", value: int) -> None:
    if value < 0:
        raise ValueError(f"{attribute.name}: expected 0 or more, found {value}")


def _is_power(_instance: object, attribute: "attrs.Attribute[float]", value: float) -> None:
    if not 0 < value <= 10:
        expected = "a number above 0 and at most 10"
        raise ValueError(f"{attribute.name}: expected {expected}, found {value}")


def _is_window(_instance: object, attribute: "attrs.Attribute[int]", value: int) -> None:
    if value < 2:
        raise ValueError(f"{attribute.name}: expected 2 or more, found {value}")


@attrs.frozen(kw_only=True)
class SimulatedBrokerConfig:
    """How the simulated venue differs from an ideal one.

    Attributes:
        latency: How long messages are on their way.
        commission: What a trade costs.
        slippage: How much worse than shown an order is filled that takes.
        venue: The name in the reports.
        partial_fills: Whether shown sizes limit what trades. If not, every order fills whole at
            the best price.
        fill_model: How much of what is shown an order gets.
        bars: At which prices of a bar orders trade.
        allow_outside_bar: Whether slippage may move a price beyond the bar's high or low.
        max_volume_pct: The share of a bar's volume, and of each size that is quoted, that our
            orders may have: above 0, at most 1, rounded down to the lot; what is left of an order
            stays open. None for no limit.
        consumption: How long what our orders have taken is gone from the recorded market.
        consumption_decay_ns: Of what is gone, half comes back in this time; 0 for nothing.
        depth: How many levels of a book an order may take.
        queue: Who is ahead of a resting order, where there are quotes or books, and public trades.
        queue_power: The exponent of the queue's ``probabilistic`` model; above 0, at most 10.
        regimes: When the venue is halted, out of reach, wide or rejects orders; None for never.
        settlement: Whether trades are provisional at first, and how many fail; None for no.
        impact_decay_ns: Of what our trades have moved prices for good (where the slippage model
            says so), half fades in this time; 0 for never.
        volatility_window: The number of returns, from one quote or bar to the next, of which the
            volatility is taken that slippage models look at; 2 or more.
        lacks: What the venue does not know: order types, lifetimes, ``REPLACE``, ``REDUCE_ONLY``.
            It refuses them.
        emulate: What of it is done on our side: STOP, STOP_LIMIT, POST_ONLY, GTD. The venue lacks
            these.
        rate_limit: How many requests may leave; more than that wait, cancels first.
    """

    latency: LatencyModel = attrs.field(factory=ConstantLatency)
    commission: CommissionModel = attrs.field(factory=NoCommission)
    slippage: SlippageModel = attrs.field(factory=NoSlippage)
    venue: str = "simulated"
    partial_fills: bool = True
    fill_model: FillModel = FillModel.BOOK_WALK
    bars: FillPolicy = FillPolicy.CLOSE
    allow_outside_bar: bool = False
    max_volume_pct: Decimal | None = attrs.field(
        default=None, validator=attrs.validators.optional(is_share)
    )
    consumption: Consumption = Consumption.UNTIL_QUOTE
    consumption_decay_ns: int = attrs.field(default=0, validator=_not_negative)
    depth: Depth = Depth.WALK
    queue: Queue = Queue.NONE
    queue_power: float = attrs.field(default=3.0, validator=_is_power)
    lacks: tuple[str, ...] = attrs.field(default=(), validator=known_words)
    regimes: Regimes | None = None
    settlement: Settlement | None = None
    impact_decay_ns: int = attrs.field(default=0, validator=_not_negative)
    volatility_window: int = attrs.field(default=20, validator=_is_window)
    emulate: tuple[str, ...] = attrs.field(default=(), validator=known_words)
    rate_limit: RateLimiterConfig | None = None

    @property
    def sizes(self) -> SizeRules:
        """Return how much there is for our orders."""
        return SizeRules(
            consumption=self.consumption,
            half_life_ns=self.consumption_decay_ns,
            depth=self.depth,
            max_share=self.max_volume_pct,
        )

    @property
    def capabilities(self) -> Capabilities:
        """Return what the venue can do by itself."""
        return Capabilities.without((*self.lacks, *self.emulate))
