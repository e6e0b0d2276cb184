"""Watches spreads, sizes and pairs of outcomes, and tells when they are out of bounds."""

from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal
from typing import Any, ClassVar, Literal

import attrs
from attrs.validators import ge, gt

from actors.messages.alerts import Alert, AlertKind, Logged
from actors.messages.market import KIND_MASK, EventKind, Quote, Trade
from actors.model.instrument import Instrument, Outcome
from actors.model.money import NANOSECONDS, ZERO, plain
from actors.strategies.checks import above_zero, not_negative
from actors.strategies.indicators import spread_bps
from actors.strategies.market_summary import MarketSummary
from actors.strategies.strategy import Strategy
from actors.strategies.walls import WallWatch

_ROUNDING = 1e-9
"""Far below any tick: a sum of prices that is exactly at its bound is within it."""


class MarketAnalysis(Strategy):
    """Sends an :class:`Alert` when something begins to be unusual, and one when it is over.

    It trades nothing, and tells of nothing from before it began.
    """

    learns: ClassVar[bool] = False

    @attrs.frozen(kw_only=True)
    class Parameters:
        """What is unusual (None or false switches a rule off), and what is told of it.

        Attributes:
            crossed: Whether to tell of a bid that is not below the ask.
            max_spread_bps: A wider spread than this, in basis points of the mid.
            min_quantity: Less than this at the best bid or the best ask, in units; a size that
                the data do not tell is enough.
            pair_band: YES and NO together bid or offered further from 1 than this.
            one_sided: Whether to tell of a book with nobody on one of its sides.
            stale_side_ns: One outcome of a market has not been quoted for longer than this, while
                the other is.
            phantom_wall: A best level of at least this size, in units, that vanishes untouched.
            wall_time_ns: How soon it vanishes; told as over when as much time has passed without
                another.
            kinds: The alerts that are sent; of no others is anything told.
            cooldown_ns: After an alert about an instrument, the same is not sent again for so long;
                nor is the end of one that was not sent.
            outputs: ``alert`` sends alerts, ``log`` writes them into the run's log, ``console``
                shows them, and the reports, to people as well.
            report_every_ns: How often spread and liquidity of each instrument are written into the
                run's log; None does not.
            summary: Whether they are at the end.
        """

        crossed: bool = True
        max_spread_bps: Decimal | None = attrs.field(default=Decimal(200), validator=not_negative)
        min_quantity: Decimal | None = attrs.field(default=None, validator=not_negative)
        pair_band: Decimal | None = attrs.field(default=Decimal("0.05"), validator=not_negative)
        one_sided: bool = False
        stale_side_ns: int | None = attrs.field(default=None, validator=above_zero)
        phantom_wall: Decimal | None = attrs.field(default=None, validator=above_zero)
        wall_time_ns: int = attrs.field(default=2 * NANOSECONDS, validator=gt(0))
        kinds: tuple[AlertKind, ...] = tuple(AlertKind)
        cooldown_ns: int = attrs.field(default=0, validator=ge(0))
        outputs: tuple[Literal["alert", "log", "console"], ...] = ("alert",)
        report_every_ns: int | None = attrs.field(default=None, validator=above_zero)
        summary: bool = False

    parameters: Parameters

    def on_start(self) -> None:
        """Find nothing unusual yet."""
        parameters = self.parameters
        self._raised: set[tuple[AlertKind, str]] = set()
        self._sent_ns: dict[tuple[AlertKind, str], int] = {}
        self._quiet: set[tuple[AlertKind, str]] = set()
        self._latest: dict[str, Quote] = {}
        self._min_lots: dict[str, int] = {}
        self._walls: dict[str, WallWatch] = {}
        self._vanished_ns: dict[str, int] = {}
        self._summaries: dict[str, MarketSummary] = {}
        self._reported_ns: int | None = None
        self._max_spread = float(parameters.max_spread_bps or 0)
        self._band = float(parameters.pair_band or 0) + _ROUNDING
        rules: list[tuple[AlertKind, object, Callable[[Quote], None]]] = [
            (AlertKind.CROSSED, parameters.crossed or None, self._check_crossed),
            (AlertKind.WIDE_SPREAD, parameters.max_spread_bps, self._check_spread),
            (AlertKind.THIN, parameters.min_quantity, self._check_sizes),
            (AlertKind.PAIR_OUT_OF_BAND, parameters.pair_band, self._check_pair),
            (AlertKind.ONE_SIDED, parameters.one_sided or None, self._check_sides),
            (AlertKind.STALE_SIDE, parameters.stale_side_ns, self._check_stale),
            (AlertKind.PHANTOM_WALL, parameters.phantom_wall, self._check_walls),
        ]
        self._rules = [
            rule for kind, bound, rule in rules if bound is not None and kind in parameters.kinds
        ]
        if parameters.summary or parameters.report_every_ns is not None:
            self._rules.append(self._summarise)

    def callback(self, code: int) -> Callable[[Any], None] | None:
        """Hear public trades only where walls are watched."""
        if code & KIND_MASK == EventKind.TRADE and self.parameters.phantom_wall is None:
            return None
        return super().callback(code)

    def on_quote(self, quote: Quote) -> None:
        """Check the quote, and the pair that it belongs to."""
        if quote.instrument.complement is not None:
            self._latest[quote.instrument.id] = quote
        for rule in self._rules:
            rule(quote)

    def on_trade(self, trade: Trade) -> None:
        """Take notice that somebody has traded."""
        walls = self._walls.get(trade.instrument.id)
        if walls is not None:
            walls.on_trade(trade)

    def on_stop(self) -> None:
        """Write the numbers of each instrument."""
        if self.parameters.summary:
            self._report(self.now_ns)

    def _check_crossed(self, quote: Quote) -> None:
        is_crossed = _has_both(quote) and quote.bid_ticks >= quote.ask_ticks
        if self._has_changed(AlertKind.CROSSED, quote.instrument, is_crossed):
            self._tell(AlertKind.CROSSED, quote, f"bid {_best(quote.bid)}, ask {_best(quote.ask)}")

    def _check_spread(self, quote: Quote) -> None:
        if not _has_both(quote):
            return
        spread = spread_bps(quote.bid_ticks, quote.ask_ticks)
        if self._has_changed(AlertKind.WIDE_SPREAD, quote.instrument, spread > self._max_spread):
            self._tell(AlertKind.WIDE_SPREAD, quote, f"spread {spread:.1f} bps")

    def _check_sizes(self, quote: Quote) -> None:
        least = self._least(quote.instrument)
        is_thin = 0 <= quote.bid_lots < least or 0 <= quote.ask_lots < least
        if self._has_changed(AlertKind.THIN, quote.instrument, is_thin):
            bid, ask = _best(quote.bid_quantity), _best(quote.ask_quantity)
            self._tell(AlertKind.THIN, quote, f"{bid} bid, {ask} offered")

    def _check_pair(self, quote: Quote) -> None:
        instrument = quote.instrument
        other = self._latest.get(instrument.complement or "")
        if other is None:
            return
        bids, asks = pair_sums(quote, other)
        is_off = abs(bids - 1) > self._band or abs(asks - 1) > self._band
        yes = instrument if instrument.outcome is Outcome.YES else other.instrument
        if self._has_changed(AlertKind.PAIR_OUT_OF_BAND, yes, is_off):
            text = f"YES and NO together bid {bids:.4f}, offered {asks:.4f}"
            self._tell(AlertKind.PAIR_OUT_OF_BAND, quote, text, about=yes)

    def _check_sides(self, quote: Quote) -> None:
        is_one_sided = not _has_both(quote)
        if self._has_changed(AlertKind.ONE_SIDED, quote.instrument, is_one_sided):
            text = f"bid {_best(quote.bid)}, ask {_best(quote.ask)}"
            self._tell(AlertKind.ONE_SIDED, quote, text)

    def _check_stale(self, quote: Quote) -> None:
        """Look at the age of the other outcome; this one is fresh."""
        other = self._latest.get(quote.instrument.complement or "")
        if other is None:
            return
        for each in (quote, other):
            age_ns = quote.time_ns - each.time_ns
            is_stale = age_ns > (self.parameters.stale_side_ns or 0)
            if self._has_changed(AlertKind.STALE_SIDE, each.instrument, is_stale):
                text = f"last quoted {age_ns / NANOSECONDS:.1f} s ago, the other side just now"
                about = each.instrument
                self._tell(AlertKind.STALE_SIDE, quote, text if is_stale else "", about=about)

    def _check_walls(self, quote: Quote) -> None:
        instrument, time_ns = quote.instrument, self.parameters.wall_time_ns
        walls = self._walls.get(instrument.id)
        if walls is None:
            least = (self.parameters.phantom_wall or ZERO) / instrument.lot
            walls = self._walls[instrument.id] = WallWatch(_whole(least), time_ns)
        vanished = walls.on_quote(quote)
        if vanished:
            self._vanished_ns[instrument.id] = quote.time_ns
        since_ns = self._vanished_ns.get(instrument.id)
        is_recent = since_ns is not None and quote.time_ns - since_ns <= time_ns
        if self._has_changed(AlertKind.PHANTOM_WALL, instrument, is_recent):
            self._tell(AlertKind.PHANTOM_WALL, quote, vanished)

    def _has_changed(self, kind: AlertKind, instrument: Instrument, is_unusual: bool) -> bool:
        key = (kind, instrument.id)
        if (key in self._raised) == is_unusual:
            return False
        (self._raised.add if is_unusual else self._raised.remove)(key)
        return True

    def _tell(
        self, kind: AlertKind, quote: Quote, text: str, *, about: Instrument | None = None
    ) -> None:
        instrument = (about or quote.instrument).id
        is_raised = (kind, instrument) in self._raised
        if self._is_quiet((kind, instrument), quote.time_ns, is_raised=is_raised):
            return
        if "alert" in self.parameters.outputs:
            alert = Alert(
                strategy=self.name,
                instrument=instrument,
                kind=kind,
                is_raised=is_raised,
                text=text,
                time_ns=quote.time_ns,
            )
            self.outbox.append(alert)
        if {"log", "console"} & set(self.parameters.outputs):
            what = f"{kind} {instrument}{'' if is_raised else ' is over'}"
            self._log(f"{what}: {text}" if text else what, quote.time_ns)

    def _is_quiet(self, key: tuple[AlertKind, str], time_ns: int, *, is_raised: bool) -> bool:
        """Return whether an alert is not to be sent, because one like it was a short time ago."""
        cooldown_ns = self.parameters.cooldown_ns
        if not cooldown_ns:
            return False
        if not is_raised:
            was_quiet = key in self._quiet
            self._quiet.discard(key)
            return was_quiet
        sent_ns = self._sent_ns.get(key)
        if sent_ns is not None and time_ns - sent_ns < cooldown_ns:
            self._quiet.add(key)
            return True
        self._sent_ns[key] = time_ns
        return False

    # --- numbers ---------------------------------------------------------------------------------

    def _summarise(self, quote: Quote) -> None:
        summary = self._summaries.get(quote.instrument.id)
        if summary is None:
            summary = self._summaries[quote.instrument.id] = MarketSummary()
        summary.take(quote)
        every_ns = self.parameters.report_every_ns
        if self._reported_ns is None:
            self._reported_ns = quote.time_ns
        elif every_ns is not None and quote.time_ns - self._reported_ns >= every_ns:
            self._reported_ns = quote.time_ns
            self._report(quote.time_ns)

    def _report(self, time_ns: int) -> None:
        for instrument, summary in sorted(self._summaries.items()):
            found = self.instruments.get(instrument)
            assert found is not None
            self._log(f"{instrument}: {summary.text(float(found.lot))}", time_ns)

    def _log(self, text: str, time_ns: int) -> None:
        shown = "console" in self.parameters.outputs
        self.outbox.append(Logged(strategy=self.name, text=text, time_ns=time_ns, is_shown=shown))

    def _least(self, instrument: Instrument) -> int:
        """Return the smallest size that is enough, in lots."""
        least = self._min_lots.get(instrument.id)
        if least is None:
            least = _whole((self.parameters.min_quantity or ZERO) / instrument.lot)
            self._min_lots[instrument.id] = least
        return least


def pair_sums(quote: Quote, other: Quote) -> tuple[float, float]:
    """Return what both outcomes together are bid and offered at; 1 for a side that is empty."""
    tick, other_tick = float(quote.instrument.tick), float(other.instrument.tick)
    bids = asks = 1.0
    if quote.bid_lots and other.bid_lots:
        bids = quote.bid_ticks * tick + other.bid_ticks * other_tick
    if quote.ask_lots and other.ask_lots:
        asks = quote.ask_ticks * tick + other.ask_ticks * other_tick
    return bids, asks


def _whole(lots: Decimal) -> int:
    return int(lots.to_integral_value(rounding=ROUND_CEILING))


def _has_both(quote: Quote) -> bool:
    return quote.bid_lots != 0 and quote.ask_lots != 0


def _best(value: Decimal | None) -> str:
    return "none" if value is None else plain(value)
