"""How a simulated venue deals with those who send it orders."""

import attrs

from actors.brokers.capabilities import Capabilities
from actors.brokers.models.latency import ConstantLatency, LatencyModel
from actors.brokers.models.regimes import Regimes
from actors.brokers.models.settlement import Settlement

EVERYTHING = Capabilities()


@attrs.frozen(kw_only=True)
class VenueTerms:
    """Everything about a venue but how it matches.

    Attributes:
        latency: How long messages are on their way.
        capabilities: What it can do.
        emulated: What of the rest is done on our side.
        regimes: When something is out of the ordinary; None for never.
        settlement: What becomes of its trades, if they are provisional at first.
    """

    latency: LatencyModel = attrs.field(factory=ConstantLatency)
    capabilities: Capabilities = EVERYTHING
    emulated: frozenset[str] = frozenset()
    regimes: Regimes | None = None
    settlement: Settlement | None = None
