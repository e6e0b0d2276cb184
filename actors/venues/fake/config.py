"""How a fake venue behaves, and what goes wrong with it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from actors.venues.traits import VenueTraits

_MILLISECOND = 1_000_000
_SECOND = 1_000_000_000
_MARGIN_NS = 1 * _SECOND


def _is_share(_owner: object, field: "attrs.Attribute[Any]", value: float) -> None:
    if not 0 <= value <= 1:
        raise ValueError(f"{field.name}: expected a number from 0 to 1, found {value}")


def _is_not_negative(_owner: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    if not value >= 0:
        name = field.name.removesuffix("_ns")
        raise ValueError(f"{name}: expected 0 or more, found {value}")


def _rate() -> Any:
    return attrs.field(default=0.0, validator=_is_share)


def _duration(default_ns: int) -> Any:
    return attrs.field(default=default_ns, validator=_is_not_negative)


@attrs.frozen(kw_only=True)
class Window:
    """Some time, again and again: the first ``lasts`` of each ``every``, by the clock.

    Attributes:
        every_ns: How often; above 0.
        lasts_ns: How long; at most ``every``.
    """

    every_ns: int
    lasts_ns: int = attrs.field()

    @lasts_ns.validator
    def _fits(self, _field: object, value: int) -> None:
        if not 0 < value <= self.every_ns:
            raise ValueError(f"lasts: expected above 0 and at most `every`, found {value} ns")

    def is_open(self, now_ns: int) -> bool:
        """Return whether it is that time."""
        return now_ns % self.every_ns < self.lasts_ns


@attrs.frozen(kw_only=True)
class FakeHabits:
    """What becomes of orders, as shares of all (the rest fills at once), and how fast.

    Attributes:
        rejects: Orders that are refused; not market orders.
        parts: Orders that trade in two parts, with some time between.
        rests: Orders that rest until somebody cancels them, or their time is over.
        late_fills: Orders that rest, and of which a trade is told after their cancel.
        refuses_replace: Changes that are refused.
        latency_ns: From a call to its answer.
        fill_after_ns: The longest time to a trade of an order that does not trade at once.
    """

    rejects: float = attrs.field(default=0.05, validator=_is_share)
    parts: float = attrs.field(default=0.3, validator=_is_share)
    rests: float = attrs.field(default=0.2, validator=_is_share)
    late_fills: float = attrs.field(default=0.05, validator=_is_share)
    refuses_replace: float = attrs.field(default=0.2, validator=_is_share)
    latency_ns: int = _duration(20 * _MILLISECOND)
    fill_after_ns: int = _duration(2 * _SECOND)

    def __attrs_post_init__(self) -> None:
        whole = self.rejects + self.parts + self.rests + self.late_fills
        if whole > 1:
            raise ValueError(f"habits: expected shares of 1 together at most, found {whole}")


@attrs.frozen(kw_only=True)
class FakeFaults:
    """What goes wrong, as shares of the calls or news it can happen to; nothing by default.

    Attributes:
        lose_request: Calls that never arrive.
        lose_answer: Calls that are obeyed in silence.
        late_answer: Calls that are answered ``late_by`` after their time.
        server_error: Calls that are answered by an error that says nothing; half are obeyed.
        throttle: Calls that are refused because there were too many.
        duplicate_news: News that come twice.
        delay_news: News that come up to ``delay_news_by`` late, so that later ones overtake them.
        drop_news: News that never come: only questions show what has happened.
        hide_order: Orders that are not shown for ``hide_for`` after they were accepted.
        stale_account: Questions for holdings that are answered as the last one was.
        truncate_history: Questions for trades that are answered without the older half.
        external_order: Orders together with which somebody else's comes into the account.
        external_trade: The same with a trade.
        outage: When nothing arrives and nothing comes back.
        reject_burst: When every new order is refused.
    """

    lose_request: float = _rate()
    lose_answer: float = _rate()
    late_answer: float = _rate()
    late_by_ns: int = _duration(8 * _SECOND)
    server_error: float = _rate()
    throttle: float = _rate()
    duplicate_news: float = _rate()
    delay_news: float = _rate()
    delay_news_by_ns: int = _duration(2 * _SECOND)
    drop_news: float = _rate()
    hide_order: float = _rate()
    hide_for_ns: int = _duration(4 * _SECOND)
    stale_account: float = _rate()
    truncate_history: float = _rate()
    external_order: float = _rate()
    external_trade: float = _rate()
    outage: Window | None = None
    reject_burst: Window | None = None


@attrs.frozen(kw_only=True)
class FakeVenueConfig:
    """One fake venue with one account.

    Attributes:
        name: Its name.
        seed: Decides what becomes of which order and call; None for the run's.
        currency: What everything is paid in.
        balances: What the account starts with, by currency; empty for what the portfolio has.
        fee_rate: Commission as a fraction of the notional.
        idempotent: Whether an order that comes twice is one order.
        page_size: The most trades in one answer.
        remembers: How many orders that are over, trades, and orders as they came, it can still tell
            of, or some more; the oldest are forgotten. A client id that it has forgotten is new to
            it, as it is to venues that know the ids of the last day.
        habits: What becomes of orders.
        faults: What goes wrong.
    """

    name: str = "fake"
    seed: int | None = None
    currency: str = "USD"
    balances: Mapping[str, Decimal] = attrs.field(factory=dict)
    fee_rate: Decimal = attrs.field(default=Decimal(0), validator=_is_not_negative)
    idempotent: bool = False
    page_size: int = attrs.field(default=100)
    remembers: int = attrs.field(default=10_000)
    habits: FakeHabits = FakeHabits()
    faults: FakeFaults = FakeFaults()

    @page_size.validator
    @remembers.validator
    def _is_positive(self, field: "attrs.Attribute[int]", value: int) -> None:
        if value < 1:
            raise ValueError(f"{field.name}: expected 1 or more, found {value}")

    @property
    def traits(self) -> VenueTraits:
        """Return what the venue says of itself."""
        hidden_ns = self.faults.hide_for_ns if self.faults.hide_order else 0
        return VenueTraits(
            name=self.name,
            idempotent_submit=self.idempotent,
            hides_at_most_ns=hidden_ns + 2 * self.habits.latency_ns + _MARGIN_NS,
        )
