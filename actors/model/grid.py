"""Decimal texts as whole numbers of ticks and lots: exact, and quick for texts seen before."""

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

import attrs

from actors.model.instrument import Instrument, Instruments
from actors.model.money import to_steps

PRICE_LIMIT = 1 << 53
"""Prices in ticks stay below this: above it an ask means that nobody offers."""
QUANTITY_LIMIT = 1 << 62
"""Quantities in lots stay below this, so that columns of them are int64."""

_REMEMBERED = 1 << 16
_PLAIN = re.compile(r"(\d{1,30})(?:\.(\d{0,30}))?", re.ASCII)
_SCIENTIFIC = re.compile(r"\d{1,30}(?:\.\d{0,30})?[eE][+-]?\d{1,2}", re.ASCII)


class Grid(dict[str, int]):
    """``grid["0.52"]`` is how many steps make 0.52; ValueError if it is off the grid.

    A dictionary that fills itself: venues repeat the same few thousand texts. With ``rounds``, what
    lies between two steps of a power of ten is rounded to the nearest instead.
    """

    def __init__(self, step: Decimal, limit: int, *, rounds: bool = False) -> None:
        super().__init__()
        self._step = step
        self._limit = limit
        self._rounds = rounds
        _, digits, exponent = step.as_tuple()
        assert isinstance(exponent, int), step
        self._places = -exponent if digits == (1,) and exponent <= 0 else None

    def __missing__(self, text: str) -> int:
        steps = self._steps(text)
        if steps >= self._limit:
            raise ValueError(f"{text} is too large for steps of {self._step}")
        if len(self) >= _REMEMBERED:
            self.clear()
        self[text] = steps
        return steps

    def _steps(self, text: str) -> int:
        whole, fraction = _plain_parts(text)
        if self._places is None:
            return to_steps(Decimal(f"{whole}.{fraction}"), self._step)
        steps = int(whole + fraction[: self._places].ljust(self._places, "0"))
        rest = fraction[self._places :]
        if rest.strip("0"):
            if not self._rounds:
                raise ValueError(f"{text} is not a multiple of {self._step}")
            steps += rest[0] >= "5"
        return steps


def decimals(text: str, *, trimmed: bool = False) -> int:
    """Return how many digits a number has after the point; ``trimmed`` leaves out last zeros.

    Raises:
        ValueError: If it is no number, or negative.
    """
    fraction = _plain_parts(text)[1]
    return len(fraction.rstrip("0") if trimmed else fraction)


def finest_step(texts: Iterable[str], *, trimmed: bool = False) -> Decimal:
    """Return the power of ten of which all these numbers are multiples (1 if there are none)."""
    places = max((decimals(text, trimmed=trimmed) for text in texts), default=0)
    return step_of(places)


def step_of(places: int) -> Decimal:
    """Return ``10 ** -places``."""
    return Decimal((0, (1,), -places))


def optional_step(value: Decimal | int | str | None) -> Decimal | None:
    """Return a tick or lot given as an option, exactly; None stays None.

    Raises:
        ValueError: If it is no number above 0.
        TypeError: If it is a float: 0.1 is none exactly.
    """
    if value is None:
        return None
    if not isinstance(value, Decimal | int | str):
        raise TypeError(f"expected an exact number, found {value!r}")
    try:
        step = Decimal(value)
    except InvalidOperation as error:
        raise ValueError(f"expected a number above 0, found {value!r}") from error
    if not step.is_finite() or step <= 0:
        raise ValueError(f"expected a number above 0, found {value!r}")
    return step


def _plain_parts(text: str) -> tuple[str, str]:
    """Return the digits before and after the point."""
    match = _PLAIN.fullmatch(text)
    if match is None:
        if not _SCIENTIFIC.fullmatch(text):
            raise ValueError(f"not a number from 0: {text!r}")
        match = _PLAIN.fullmatch(format(Decimal(text), "f"))
        if match is None:
            raise ValueError(f"too many digits: {text!r}")
    return match[1], match[2] or ""


@attrs.frozen
class Listing:
    """An instrument in the run's table, with the grids that read its prices and quantities."""

    index: int
    prices: Grid
    quantities: Grid

    @classmethod
    def of(
        cls,
        instruments: Instruments,
        instrument: Instrument,
        *,
        rounds_prices: bool = False,
        rounds_quantities: bool = False,
    ) -> "Listing":
        """Add an instrument to the table; where its id is known already, that definition counts."""
        index = instruments.add(instrument)
        known = instruments[index]
        prices = Grid(known.tick, PRICE_LIMIT, rounds=rounds_prices)
        quantities = Grid(known.lot, QUANTITY_LIMIT, rounds=rounds_quantities)
        return cls(index, prices, quantities)
