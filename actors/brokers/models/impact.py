"""What our own trades have moved a simulated market's prices for good."""

from collections import deque
from collections.abc import Set
from decimal import ROUND_HALF_EVEN, Context, Decimal

import msgspec

from actors.model.money import ZERO

_EXACT = Context(prec=100)
_STEP = Decimal("1E-12")
_KEPT = 10_000
"""How many trades of an instrument can be taken back: far more than one message leads to."""


class _Move(msgspec.Struct, frozen=True, gc=False):
    """One trade's lasting impact; ``fraction`` is above 0 for a purchase."""

    trade_id: str
    now_ns: int
    fraction: Decimal


class Impact:
    """The lasting impact of each instrument's trades; belongs to what a venue shows.

    It outlives the crash of a broker as the market does: trades that were never told to anybody
    are taken back with :meth:`keep`.
    """

    def __init__(self, decay_ns: int = 0) -> None:
        """Keep impacts of which half fades in ``decay_ns`` nanoseconds; 0 for never."""
        self._decay_ns = decay_ns
        self._moves: dict[int, deque[_Move]] = {}
        self._before: dict[int, tuple[Decimal, int]] = {}
        """What the moves came to that are too old to be taken back."""
        self._sums: dict[int, tuple[Decimal, int]] = {}

    def add(self, index: int, trade_id: str, now_ns: int, fraction: Decimal) -> None:
        """Note a trade's lasting impact on an instrument; below 0 if it has sold."""
        if fraction:
            before = self.at(index, now_ns)
            self._append(index, _Move(trade_id, now_ns, fraction))
            self._sums[index] = (before + fraction, now_ns)

    def _append(self, index: int, move: _Move) -> None:
        moves = self._moves.setdefault(index, deque())
        moves.append(move)
        if len(moves) > _KEPT:
            oldest = moves.popleft()
            before = self._faded(self._before.get(index), oldest.now_ns)
            self._before[index] = (before + oldest.fraction, oldest.now_ns)

    def at(self, index: int, now_ns: int) -> Decimal:
        """Return the fraction by which an instrument's price is moved; above 0 is up."""
        return self._faded(self._sums.get(index), now_ns)

    def _faded(self, known: tuple[Decimal, int] | None, now_ns: int) -> Decimal:
        if known is None:
            return ZERO
        left, since_ns = known
        if not self._decay_ns or now_ns <= since_ns:
            return left
        share = Decimal(2.0 ** ((since_ns - now_ns) / self._decay_ns))
        return _EXACT.multiply(left, share).quantize(_STEP, ROUND_HALF_EVEN, _EXACT)

    def trade_ids(self) -> set[str]:
        """Return the ids of the trades that have moved something."""
        return {move.trade_id for made in self._moves.values() for move in made}

    def keep(self, trade_ids: Set[str]) -> None:
        """Take back what other trades than these have moved."""
        moves, self._moves, self._sums = self._moves, {}, self._before.copy()
        for index, made in moves.items():
            for move in made:
                if move.trade_id in trade_ids:
                    self.add(index, move.trade_id, move.now_ns, move.fraction)
