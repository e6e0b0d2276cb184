"""What is out of the ordinary at a simulated venue, and when: halts, outages, wide spreads, bursts.

Everything is a pure function of time: of a schedule, or of chance that follows from the run's seed.
So a venue may ask about any moment, in any order, before and after a restart.
"""

from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

import attrs
import msgspec

from actors.brokers.models.chance import Seeded, uniform
from actors.brokers.models.checks import a_share, above_zero, at_least_one
from actors.brokers.models.windows import RandomWindows
from actors.model.money import ONE

NEVER = 2**63 - 1
"""A time that does not come."""


class RegimeKind(StrEnum):
    """What may be out of the ordinary."""

    HALT = "halt"
    """Orders and cancels are taken, nothing trades."""
    OUTAGE = "outage"
    """Nothing trades, and orders and cancels are turned away."""
    WIDE_SPREAD = "wide_spread"
    """What takes pays more: half of the spread's widening on top of the shown price."""
    REJECT_BURST = "reject_burst"
    """Some of the orders are rejected."""


class Condition(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A venue's state at one moment.

    Attributes:
        halted: Whether nothing trades.
        outage: Whether the venue is out of reach; it is halted then, too.
        spread_factor: How many times as wide as shown the spread is; 1 or more.
        reject_probability: How likely an order is rejected.
    """

    halted: bool = False
    outage: bool = False
    spread_factor: Decimal = ONE
    reject_probability: float = 0.0


ORDINARY = Condition()


@attrs.frozen(kw_only=True)
class _Regime:
    """What the ways of saying when have in common.

    Attributes:
        kind: What is out of the ordinary.
        factor: Of a wide spread: how many times as wide.
        probability: Of a burst of rejects: how likely an order is rejected.
    """

    kind: RegimeKind
    factor: Decimal = attrs.field(default=Decimal(3), validator=at_least_one)
    probability: float = attrs.field(default=1.0, validator=a_share)


@attrs.frozen(kw_only=True)
class ScheduledRegime(_Regime):
    """From a moment on, up to another: ``{from, to, kind}``."""

    from_ns: int
    to_ns: int = NEVER

    def __attrs_post_init__(self) -> None:
        if self.to_ns <= self.from_ns:
            expected = f"a time after {self.from_ns}"
            raise ValueError(f"to_ns: expected {expected}, found {self.to_ns}")

    def holds_at(self, now_ns: int) -> bool:
        """Return whether it holds."""
        return self.from_ns <= now_ns < self.to_ns

    def next_change(self, now_ns: int) -> int:
        """Return the next moment after ``now_ns`` at which it begins or ends, or ``NEVER``."""
        if now_ns < self.from_ns:
            return self.from_ns
        return self.to_ns if now_ns < self.to_ns else NEVER


@attrs.frozen(kw_only=True)
class RandomRegime(_Regime):
    """Again and again by chance, as a two-state Markov chain: ``{every, lasts, kind}``.

    ``every_ns`` is the mean time between two of them, ``lasts_ns`` their mean length.
    """

    every_ns: int = attrs.field(validator=above_zero)
    lasts_ns: int = attrs.field(validator=above_zero)


@attrs.frozen(kw_only=True)
class Regimes(Seeded):
    """All that is planned, and all that chance brings.

    Attributes:
        schedule: At known times.
        markov: At times of chance.
    """

    schedule: tuple[ScheduledRegime, ...] = ()
    markov: tuple[RandomRegime, ...] = ()
    _chains: tuple[RandomWindows, ...] = attrs.field(init=False, repr=False, eq=False)

    @_chains.default
    def _chains_of_seed(self) -> tuple[RandomWindows, ...]:
        return tuple(
            RandomWindows(
                seed=self.seed,
                name=f"{number}-{regime.kind}",
                every_ns=regime.every_ns,
                lasts_ns=regime.lasts_ns,
            )
            for number, regime in enumerate(self.markov)
        )

    def state_at(self, now_ns: int) -> Condition:
        """Return what holds at a moment; of two of a kind, the worse."""
        holding: list[_Regime] = [each for each in self.schedule if each.holds_at(now_ns)]
        for regime, chain in zip(self.markov, self._chains, strict=True):
            if chain.at(now_ns) is not None:
                holding.append(regime)
        return _condition(tuple(holding)) if holding else ORDINARY

    def next_change_ns(self, now_ns: int) -> int:
        """Return a moment after ``now_ns`` before which nothing changes; ``NEVER`` if nothing does.

        At that moment something may change, but need not.
        """
        changes = [each.next_change(now_ns) for each in self.schedule]
        changes += [chain.next_change(now_ns) for chain in self._chains]
        return min(changes, default=NEVER)

    def trades_again_ns(self, now_ns: int) -> int:
        """Return the first moment from ``now_ns`` on at which the venue is not halted."""
        while self.state_at(now_ns).halted:
            now_ns = self.next_change_ns(now_ns)
            if now_ns >= NEVER:
                break
        return now_ns

    def rejects(self, client_order_id: str, now_ns: int) -> bool:
        """Return whether an order that arrives now is one of those that a burst rejects."""
        probability = self.state_at(now_ns).reject_probability
        return probability > 0 and uniform(self.seed, "reject", client_order_id) < probability


@lru_cache(maxsize=64)
def _condition(holding: tuple[_Regime, ...]) -> Condition:
    kinds = {regime.kind for regime in holding}
    outage = RegimeKind.OUTAGE in kinds
    wide = [each.factor for each in holding if each.kind is RegimeKind.WIDE_SPREAD]
    rejects = [each.probability for each in holding if each.kind is RegimeKind.REJECT_BURST]
    return Condition(
        halted=outage or RegimeKind.HALT in kinds,
        outage=outage,
        spread_factor=max(wide, default=ONE),
        reject_probability=max(rejects, default=0.0),
    )
