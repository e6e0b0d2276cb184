"""The price that made-up questions are about, as another venue would quote it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import attrs
import numpy as np
from attrs.validators import gt

from actors.feeds.price_paths import Floats
from actors.feeds.synthetic_rows import Integers
from actors.messages.market import UNKNOWN_LOTS, EventKind
from actors.messages.slices import Slice
from actors.model.instrument import Instrument, InstrumentId, Instruments
from actors.model.money import ZERO

_VENUE = "synthetic-oracle"


@attrs.frozen(kw_only=True)
class OracleOptions:
    """What the second venue quotes: ``strike + width * (2 p - 1)``, p the probability of YES.

    So a straight line around the strike tells the probability from the price, without the errors
    in the prices of YES and NO.

    Attributes:
        strike: The price at which YES and NO are equally likely.
        width: How far above it YES is certain; at most the strike.
        tick: The price step; half the spread.
        every: One price for every so many events of the question's YES.
    """

    strike: Decimal = attrs.field(default=Decimal(60_000), validator=gt(ZERO))
    width: Decimal = attrs.field(default=Decimal(100), validator=gt(ZERO))
    tick: Decimal = attrs.field(default=Decimal("0.01"), validator=gt(ZERO))
    every: int = attrs.field(default=1, validator=gt(0))

    @width.validator
    def _width_leaves_prices_above_zero(self, _attribute: object, value: Decimal) -> None:
        if value >= self.strike:
            raise ValueError(f"width: expected below the strike {self.strike}, found {value}")


class OracleRows:
    """Quotes of one oracle for each question: ``<question>-ORACLE``, at the times of its YES.

    Args:
        instruments: The run's table.
        questions: Their names.
        options: What is quoted.
        timing: When the first event is, and the time between two events of any token.
    """

    def __init__(
        self,
        instruments: Instruments,
        questions: Sequence[str],
        options: OracleOptions,
        timing: tuple[int, int],
    ) -> None:
        self._instruments = instruments
        self._options = options
        self._start_ns, self._interval_ns = timing
        self.own = [_oracle(name, options) for name in questions]
        self._assets = [instruments.add(each) for each in self.own]

    def rows(self, probabilities: Floats, events: range) -> Slice:
        """Return the quotes of the next events.

        Args:
            probabilities: Of YES, shape ``(rounds, questions)``, of the rounds of these events.
            events: Their numbers; a round begins with the first question's YES.
        """
        questions = len(self._assets)
        numbers = np.arange(events.start, events.stop)
        asked = numbers[(numbers % 2 == 0)]
        rounds = asked // (2 * questions)
        question = asked % (2 * questions) // 2
        is_quoted = rounds % self._options.every == 0
        asked, rounds, question = asked[is_quoted], rounds[is_quoted], question[is_quoted]
        first = events.start // (2 * questions)
        fair = probabilities[rounds - first, question]
        strike, width, tick = (
            float(getattr(self._options, n)) for n in ("strike", "width", "tick")
        )
        mids = np.rint((strike + width * (2.0 * fair - 1.0)) / tick).astype(np.int64)
        return self._slice(asked, np.array(self._assets, dtype=np.int64)[question], mids)

    def _slice(self, events: Integers, assets: Integers, mids: Integers) -> Slice:
        times = self._start_ns + events * self._interval_ns
        unknown = np.full(len(events), UNKNOWN_LOTS, dtype=np.int64)
        zeros = np.zeros(len(events), dtype=np.int64)
        columns: dict[str, Any] = {
            "a": mids - 1,
            "b": mids + 1,
            "c": unknown,
            "d": unknown,
            "e": zeros,
            "time_ns": times,
            "venue_time_ns": times,
            "kind": np.full(len(events), EventKind.QUOTE, dtype=np.int64),
            "instrument": assets,
            "line": events + 1,
            "source": zeros,
        }
        return Slice(self._instruments, columns)


def _oracle(question: str, options: OracleOptions) -> Instrument:
    name = InstrumentId(f"{question}-ORACLE")
    return Instrument(id=name, venue=_VENUE, symbol=name, tick=options.tick)
