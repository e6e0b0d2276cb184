"""What a remote broker is told about its venue and its patience."""

from typing import Any

import attrs

from actors.brokers.capabilities import Capabilities
from actors.venues.traits import VenueTraits

_SECOND = 1_000_000_000


def _above_zero(_owner: object, field: "attrs.Attribute[Any]", value: int) -> None:
    if value <= 0:
        name = field.name.removesuffix("_ns")
        raise ValueError(f"{name}: expected above 0, found {value}")


@attrs.frozen(kw_only=True)
class RemoteBrokerConfig:
    """How long a remote broker waits, and how often it compares.

    Attributes:
        traits: What is known of the venue.
        capabilities: Which orders it takes.
        request_timeout_ns: After this time an answer counts as lost.
        reconcile_every_ns: From the end of one comparison with the venue to the next.
        read_attempts: How often a question of a comparison is asked before it is given up.
        read_backoff_ns: How long the second attempt waits; each further one twice as long.
        settle_after_ns: How long after it was asked for a change that does not show has not
            been made; at least as long as the venue may hide orders.
    """

    traits: VenueTraits
    capabilities: Capabilities = attrs.field(factory=Capabilities)
    request_timeout_ns: int = attrs.field(default=5 * _SECOND, validator=_above_zero)
    reconcile_every_ns: int = attrs.field(default=30 * _SECOND, validator=_above_zero)
    read_attempts: int = attrs.field(default=5, validator=_above_zero)
    read_backoff_ns: int = attrs.field(default=_SECOND // 2, validator=_above_zero)
    settle_after_ns: int = attrs.field(default=10 * _SECOND, validator=_above_zero)

    @property
    def settled_ns(self) -> int:
        """Return after which time a change that does not show has not been made."""
        return max(self.settle_after_ns, self.traits.hides_at_most_ns or 0)
