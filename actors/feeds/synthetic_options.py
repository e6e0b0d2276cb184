"""What market data are to be made up."""

from decimal import Decimal
from typing import Literal, get_args

import attrs
from attrs.validators import ge, gt, in_, lt, optional

from actors.feeds.synthetic_oracle import OracleOptions
from actors.model.money import NANOSECONDS, ONE, ZERO, is_on_grid

_HOUR_NS = 3600 * NANOSECONDS
_NEW_YEAR_2026_NS = 1_767_225_600 * NANOSECONDS

GeneratorName = Literal["random_walk", "mean_reverting", "jump", "outcome_market"]
ShapeName = Literal["quotes", "bars", "book"]


@attrs.frozen(kw_only=True)
class SyntheticOptions:
    """What market to make up.

    Attributes:
        generator: ``random_walk``, ``mean_reverting``, ``jump`` (a random walk with jumps), or
            ``outcome_market``: YES and NO tokens of questions that are answered at the end.
        shape: ``quotes``; ``bars`` of ``interval_ns``; or ``book``: changes of a small level-2
            book, and its best quotes.
        assets: How many, or their names; of an outcome market, its questions.
        interval_ns: Time between two events (the assets have their turns), or length of a bar.
        duration_ns: How long it lasts; this or ``events``, or neither for an hour.
        events: How many quotes, bars or book changes there are, of all assets together.
        start_ns: When it begins; the beginning of 2026 if not given.
        batch_rows: Rows of a slice; changes nothing else.
        tick: The price step.
        lot: The quantity step.
        price: What walks begin at.
        spread: From bid to ask; a multiple of the tick.
        depth: Levels a side, of a book.
        quantity: Mean size of a quote, a level or a bar's volume, in units.
        volatility: Standard deviation of a walk's change from one event of an asset to its next,
            or over a bar, as a fraction of the price.
        pull: How strongly ``mean_reverting`` prices are pulled back to the first: which fraction
            of the distance they lose from one event to the next, or within an eighth of a bar.
        jump_probability: How likely a ``jump`` is, at an event or in an eighth of a bar.
        jump_size: Standard deviation of a jump, as a fraction of the price.
        probability: What outcome markets begin at.
        information: How fast they come to their end, see
            :class:`~actors.feeds.price_paths.OutcomePath`.
        mispricing: Standard deviation of the error in the price of YES or of NO alone: where both
            are too low, the pair costs less than the 1 that it will pay.
        oracle: A second venue's price for each question of an outcome market of quotes; None makes
            up none.
    """

    generator: GeneratorName = attrs.field(
        default="random_walk", validator=in_(get_args(GeneratorName))
    )
    shape: ShapeName = attrs.field(default="quotes", validator=in_(get_args(ShapeName)))
    assets: int | tuple[str, ...] = 1
    interval_ns: int = attrs.field(default=NANOSECONDS // 10, validator=gt(0))
    duration_ns: int | None = attrs.field(default=None, validator=optional(gt(0)))
    events: int | None = attrs.field(default=None, validator=optional(gt(0)))
    start_ns: int = attrs.field(default=_NEW_YEAR_2026_NS, validator=ge(0))
    batch_rows: int = attrs.field(default=4096, validator=gt(0))
    tick: Decimal = attrs.field(default=Decimal("0.01"), validator=gt(ZERO))
    lot: Decimal = attrs.field(default=Decimal("0.01"), validator=gt(ZERO))
    price: Decimal = attrs.field(default=Decimal(100), validator=gt(ZERO))
    spread: Decimal = attrs.field(default=Decimal("0.02"), validator=gt(ZERO))
    depth: int = attrs.field(default=5, validator=gt(0))
    quantity: Decimal = attrs.field(default=Decimal(100), validator=gt(ZERO))
    volatility: float = attrs.field(default=0.0002, validator=ge(0.0))
    pull: float = attrs.field(default=0.01, validator=[ge(0.0), lt(1.0)])
    jump_probability: float = attrs.field(default=0.001, validator=[ge(0.0), lt(1.0)])
    jump_size: float = attrs.field(default=0.01, validator=ge(0.0))
    probability: float = attrs.field(default=0.5, validator=[gt(0.0), lt(1.0)])
    information: float = attrs.field(default=1.0, validator=ge(0.0))
    mispricing: float = attrs.field(default=0.01, validator=ge(0.0))
    oracle: OracleOptions | None = None

    def __attrs_post_init__(self) -> None:
        names = self.names()
        if not names or len(set(names)) < len(names):
            raise ValueError(f"assets: expected at least 1, all different, found {self.assets!r}")
        if self.duration_ns is not None and self.events is not None:
            raise ValueError("events: expected nothing beside a duration, found both")
        if not is_on_grid(self.spread, self.tick):
            raise ValueError(f"spread: expected a multiple of {self.tick}, found {self.spread}")
        if self.is_outcome_market and (self.tick + self.spread >= ONE or ONE % self.tick):
            raise ValueError(
                f"tick: expected a fraction of 1 that leaves room for the spread, found {self.tick}"
            )

        if self.oracle and not (self.is_outcome_market and self.shape == "quotes"):
            raise ValueError(
                f"oracle: expected nothing but of an outcome market of quotes, "
                f"found one of {self.generator}, {self.shape}"
            )

    @property
    def is_outcome_market(self) -> bool:
        """Return whether it is about questions, with two instruments each."""
        return self.generator == "outcome_market"

    def names(self) -> tuple[str, ...]:
        """Return the assets' names, or the questions'."""
        if not isinstance(self.assets, int):
            return self.assets
        stem = "MARKET" if self.is_outcome_market else "SYN"
        return tuple(f"{stem}{number + 1}" for number in range(self.assets))

    def event_count(self, instruments: int) -> int:
        """Return how many events there are, of all instruments together."""
        if self.events is not None:
            return self.events
        duration_ns = _HOUR_NS if self.duration_ns is None else self.duration_ns
        intervals = duration_ns // self.interval_ns
        return intervals * instruments if self.shape == "bars" else intervals
