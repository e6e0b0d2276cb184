"""Prices made up by chance: the paths of several assets at once, piece by piece.

Only basic arithmetic, whose results do not depend on the processor, touches the draws: the same
seed gives the same prices everywhere.
"""

from math import sqrt
from typing import Protocol

import attrs
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Generator = np.random.Generator  # noqa: TID251 - the type only; generators come from the run's seed

_LN2 = 0.6931471805599453
_LN2_HIGH = 0.693147180369123816490  # its upper half: times a small whole number it stays exact
_LN2_LOW = 1.90821492927058770002e-10
_EXP_TERMS = 13
_EXP_LIMIT = 300.0
_NEGLIGIBLE = 1e-18


class PricePath(Protocol):
    """Where prices come from."""

    def take(self, steps: int, random: Generator) -> Floats:
        """Return the next prices, shape ``(steps, assets)``, oldest first."""
        ...


@attrs.frozen(kw_only=True)
class Shocks:
    """What moves a price from one step to the next.

    Attributes:
        volatility: Standard deviation of the logarithm's change in a step.
        pull: The fraction of its distance from the first price that the logarithm loses in each
            step; 0 is a random walk.
        jump_probability: How likely a jump is, in each step.
        jump_size: Standard deviation of a jump of the logarithm.
    """

    volatility: float
    pull: float = 0.0
    jump_probability: float = 0.0
    jump_size: float = 0.0


class LogWalk:
    """Independent walks of the logarithm of the price, which begin at ``price``.

    Source: geometric Brownian motion; with ``pull`` the exponential Ornstein-Uhlenbeck process
    (Schwartz 1997, one-factor model); with jumps Merton (1976); all in discrete steps.
    """

    def __init__(self, assets: int, price: float, shocks: Shocks) -> None:
        self._price = price
        self._shocks = shocks
        self._distance = np.zeros(assets)

    def take(self, steps: int, random: Generator) -> Floats:
        """Return the next prices, shape ``(steps, assets)``, oldest first."""
        shocks = self._shocks
        shape = (steps, len(self._distance))
        moves = random.standard_normal(shape) * shocks.volatility
        if shocks.jump_probability:
            jumps = random.standard_normal(shape) * shocks.jump_size
            moves += np.where(random.random(shape) < shocks.jump_probability, jumps, 0.0)
        distance = decaying_sum(moves, self._distance, 1.0 - shocks.pull)
        self._distance = distance[-1].copy()
        return self._price * exp(distance)


class OutcomePath:
    """Probabilities of yes-or-no questions, as information about the answers comes in.

    The log-odds are a random walk with a drift towards the answer, in a time that runs the faster
    the nearer the end is: ``t / (1 - t)`` for ``t`` from 0 to 1. So prices are fair (a question at
    0.7 is answered yes in 7 of 10 runs), move all the time, and come to 0 or 1 at the end.

    Source: Brody, Hughston and Macrina (2008), "Information-based asset pricing", for two
    outcomes.

    Args:
        answers: The answer of each question; draw them with the probability.
        steps: How many steps there are to the end.
        probability: What all begin at.
        information: Variance of the log-odds half way to the end, where half as much is their
            mean distance from the start, towards the answer.
        noise: Standard deviation of the error, in each price at each step, of YES and NO alone.
    """

    def __init__(
        self,
        answers: NDArray[np.bool_],
        steps: int,
        *,
        probability: float,
        information: float,
        noise: float,
    ) -> None:
        self._answers = answers
        self._steps = steps
        self._odds = probability / (1.0 - probability)
        self._information = information
        self._noise = noise
        self._done = 0
        self._walk = np.zeros(len(answers))
        self.probability: Floats = np.zeros((0, len(answers)))
        """The fair prices of YES of the steps taken last, shape ``(steps, questions)``."""

    def take(self, steps: int, random: Generator) -> Floats:
        """Return the next prices, shape ``(steps, 2 * questions)``: YES, NO, YES, NO ..."""
        clock = self._clock(steps)
        moves = random.standard_normal((steps, len(self._walk)))
        moves *= np.sqrt(np.diff(clock))[:, None]
        walk = decaying_sum(moves, self._walk, 1.0)
        self._walk = walk[-1].copy()
        drift = np.where(self._answers, 0.5, -0.5) * self._information
        odds = self._odds * exp(sqrt(self._information) * walk + drift * clock[1:, None])
        self.probability = probability = odds / (1.0 + odds)
        prices = np.empty((steps, 2 * len(self._walk)))
        prices[:, 0::2] = probability
        prices[:, 1::2] = 1.0 - probability
        return prices + random.standard_normal(prices.shape) * self._noise

    def _clock(self, steps: int) -> Floats:
        """Return the time of the last step taken and of the next ones; it stops at the end."""
        taken = np.minimum(np.arange(self._done, self._done + steps + 1), self._steps)
        self._done += steps
        return taken / (self._steps + 1.0 - taken)


def decaying_sum(moves: Floats, before: Floats, keep: float) -> Floats:
    """Return ``x[t] = keep * x[t - 1] + moves[t]`` along the first axis, with ``x[-1] = before``.

    Each round of the loop doubles how far back the sums reach, until what is left has decayed.
    """
    sums = moves.copy()
    sums[0] += keep * before
    if keep == 1.0:
        return np.cumsum(sums, axis=0)
    reach, weight = 1, keep
    while reach < len(sums) and weight > _NEGLIGIBLE:
        sums[reach:] = sums[reach:] + weight * sums[:-reach]
        reach *= 2
        weight *= weight
    return sums


def exp(values: Floats) -> Floats:
    """Return the exponential function, to within 1e-15 of its value, equal on every processor.

    numpy's own is another one on processors with wider registers, and differs in the last bit.
    Values beyond 300 on either side are taken as 300.
    """
    values = np.clip(values, -_EXP_LIMIT, _EXP_LIMIT)
    doublings = np.rint(values * (1.0 / _LN2))
    rest = (values - doublings * _LN2_HIGH) - doublings * _LN2_LOW
    result = np.ones_like(rest)
    for term in range(_EXP_TERMS, 0, -1):
        result *= rest
        result /= term
        result += 1.0
    return np.ldexp(result, doublings.astype(np.int32))
