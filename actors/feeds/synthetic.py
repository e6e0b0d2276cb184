"""Market data made up by chance: any length, several shapes, equal for equal seeds."""

from collections.abc import Iterator
from math import sqrt
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from actors.feeds.price_paths import Generator, LogWalk, OutcomePath, PricePath, Shocks
from actors.feeds.synthetic_options import SyntheticOptions
from actors.feeds.synthetic_oracle import OracleRows
from actors.feeds.synthetic_rows import NO_LIMIT, BarRows, BookRows, Plan, QuoteRows, RowMaker
from actors.messages.records import Origin
from actors.messages.slices import Slice, SliceBuilder
from actors.model.instrument import Instrument, InstrumentId, Instruments, Outcome
from actors.model.money import ONE, to_steps

_VENUE = "synthetic"


class SyntheticFeed:
    """A source of rows that nobody recorded.

    Args:
        instruments: The run's table; the feed adds its own.
        options: What market to make up.
        generator: Where all chance comes from. A feed that is built again after a failure needs
            one with the same seed, to go on with the same market.

    Raises:
        ValueError: If one of its instruments is known already, with another tick or lot.
    """

    def __init__(
        self, instruments: Instruments, options: SyntheticOptions, generator: Generator
    ) -> None:
        self._options = options
        self._random = generator
        self._seed_state = generator.bit_generator.state
        own = [each for name in options.names() for each in _instruments(name, options)]
        self._own = own
        for each in own:
            _check_known(instruments.get(each.id), each)
        self._plan = Plan(
            instruments=instruments,
            assets=tuple(instruments.add(each) for each in own),
            start_ns=options.start_ns,
            interval_ns=options.interval_ns,
            tick=float(options.tick),
            spread_ticks=to_steps(options.spread, options.tick),
            mean_lots=max(1, int(options.quantity / options.lot)),
            highest_ticks=int(ONE / options.tick) - 1 if options.is_outcome_market else NO_LIMIT,
        )
        self._events = options.event_count(len(own))
        self._oracle: OracleRows | None = None
        if options.oracle is not None:
            timing = (options.start_ns, options.interval_ns)
            self._oracle = OracleRows(instruments, options.names(), options.oracle, timing)
            own += self._oracle.own
        self._rows = 0

    def slices(self, resume_ns: int = 0) -> Iterator[Slice]:
        """Yield the rows in time order, the same each time, in slices of ``batch_rows``.

        Args:
            resume_ns: Rows before this time are left out: the market went on in the meantime.
        """
        self._random.bit_generator.state = self._seed_state
        self._rows = 0
        for rows in self._chunks(resume_ns):
            start = int(np.searchsorted(rows.time_ns, resume_ns))
            for first in range(start, len(rows), self._options.batch_rows):
                part = rows.take(slice(first, first + self._options.batch_rows))
                self._rows += len(part)
                yield part

    def summary(self) -> dict[str, Any]:
        """Return what was made up, and how many rows of it were sent."""
        return {
            "generator": self._options.generator,
            "shape": self._options.shape,
            "instruments": [instrument.id for instrument in self._own],
            "events": self._events,
            "rows": self._rows,
        }

    def _chunks(self, resume_ns: int) -> Iterator[Slice]:
        options, assets = self._options, len(self._plan.assets)
        maker = self._maker(resume_ns)
        rounds = max(1, maker.chunk // (assets * maker.substeps))
        answers = self._random.random(len(options.names())) < options.probability
        path = self._path(maker.substeps, answers)
        for first in range(0, self._events, rounds * assets):
            prices = path.take(rounds * maker.substeps, self._random)
            events = range(first, min(first + rounds * assets, self._events))
            rows = maker.rows(prices, events, self._random)
            if self._oracle is not None:
                assert isinstance(path, OutcomePath)
                rows = Slice.joined([self._oracle.rows(path.probability, events), rows])
            yield rows
        if options.is_outcome_market:
            yield self._resolutions(answers.tolist())

    def _maker(self, resume_ns: int) -> RowMaker:
        match self._options.shape:
            case "quotes":
                return QuoteRows(self._plan)
            case "bars":
                return BarRows(self._plan)
            case "book":
                return BookRows(self._plan, self._options.depth, resume_ns)
            case _ as never:
                assert_never(never)

    def _path(self, substeps: int, answers: NDArray[np.bool_]) -> PricePath:
        options = self._options
        if options.is_outcome_market:
            return OutcomePath(
                answers,
                self._rounds() * substeps,
                probability=options.probability,
                information=options.information,
                noise=options.mispricing,
            )
        is_jumpy, is_pulled = options.generator == "jump", options.generator == "mean_reverting"
        shocks = Shocks(
            volatility=options.volatility / sqrt(substeps),
            pull=options.pull if is_pulled else 0.0,
            jump_probability=options.jump_probability if is_jumpy else 0.0,
            jump_size=options.jump_size,
        )
        return LogWalk(len(self._plan.assets), float(options.price), shocks)

    def _rounds(self) -> int:
        """Return how often each asset has its turn, at most."""
        return -(-self._events // len(self._plan.assets))

    def _resolutions(self, answers: list[bool]) -> Slice:
        """Return what each token pays, one interval after the last event or when the bar ends."""
        plan = self._plan
        intervals = self._rounds() if self._options.shape == "bars" else self._events
        end_ns = plan.start_ns + intervals * plan.interval_ns
        builder = SliceBuilder(plan.instruments)
        for number, asset in enumerate(plan.assets):
            instrument = plan.instruments[asset]
            pays = answers[number // 2] == (instrument.outcome is Outcome.YES)
            origin = Origin(end_ns, end_ns, self._events + number + 1)
            builder.resolution(origin, asset, plan.highest_ticks + 1 if pays else 0)
        return builder.build()


def _check_known(known: Instrument | None, own: Instrument) -> None:
    """Refuse an instrument whose steps are defined otherwise: its prices would be misread."""
    if known is not None and (known.tick, known.lot) != (own.tick, own.lot):
        raise ValueError(
            f"{own.id}: expected the feed's tick {own.tick} and lot {own.lot}, "
            f"found tick {known.tick} and lot {known.lot}"
        )


def _instruments(name: str, options: SyntheticOptions) -> list[Instrument]:
    """Return the instrument of an asset, or YES and NO of a question."""

    def instrument(instrument_id: str, **more: Any) -> Instrument:
        return Instrument(
            id=InstrumentId(instrument_id),
            venue=_VENUE,
            symbol=instrument_id,
            tick=options.tick,
            lot=options.lot,
            **more,
        )

    if not options.is_outcome_market:
        return [instrument(name)]
    ids = [f"{name}-{outcome}" for outcome in Outcome]
    return [
        instrument(
            own,
            currency="USDC",
            can_short=False,
            outcome=outcome,
            complement=InstrumentId(other),
            market=name,
        )
        for own, other, outcome in zip(ids, reversed(ids), Outcome, strict=True)
    ]
