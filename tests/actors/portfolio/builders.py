"""Builders with defaults for portfolios: a test names the numbers that matter, and no others."""

from collections.abc import Sequence
from decimal import Decimal
from random import Random  # noqa: TID251 - seeded below
from typing import TypeVar

from actors.actor import Context
from actors.messages.market import NO_PRICE
from actors.messages.records import Origin
from actors.messages.slices import Slice, SliceBuilder
from actors.messages.trading import Fill, OrderUpdate, Signal, SubmitOrder
from actors.model.instrument import Instrument, InstrumentId, Instruments
from actors.model.order import Liquidity, Order, OrderStatus, OrderType, Side
from actors.portfolio.config import PortfolioConfig
from actors.portfolio.portfolio import Portfolio, PortfolioOutput
from actors.risk.limits import CashLimit, NoShort, PositionLimit
from actors.risk.policy import RiskPolicy

_T = TypeVar("_T")
SECOND = 1_000_000_000
COIN = "COIN"
YES = "YES"
NO = "NO"


def table() -> Instruments:
    """Return three instruments: a coin that can be sold short, and two outcome tokens."""
    instruments = Instruments()
    for name, can_short in ((COIN, True), (YES, False), (NO, False)):
        instruments.add(
            Instrument(
                id=InstrumentId(name),
                venue="venue",
                symbol=name.lower(),
                tick=Decimal("0.01"),
                lot=Decimal("0.1"),
                can_short=can_short,
            )
        )
    return instruments


def portfolio(
    *policies: RiskPolicy,
    cash: str = "1000",
    fee_rate: str = "0",
    interval_ns: int = SECOND,
    close_out: bool = True,
    instruments: Instruments | None = None,
    incarnation: int = 0,
) -> Portfolio:
    """Return a portfolio without policies, unless some are given."""
    context = Context(
        run_id="run", actor="portfolio", incarnation=incarnation, random=Random(incarnation)
    )
    config = PortfolioConfig(
        cash=Decimal(cash),
        policies=policies,
        fee_rate=Decimal(fee_rate),
        equity_interval_ns=interval_ns,
        close_out=close_out,
    )
    return Portfolio(context, instruments or table(), config)


def all_policies(max_size: str = "1000") -> tuple[RiskPolicy, ...]:
    """Return one of each policy."""
    return PositionLimit(max_size=Decimal(max_size)), CashLimit(), NoShort()


def signal(
    number: int = 1,
    side: Side | None = Side.BUY,
    quantity: str | None = "10",
    *,
    limit: str | None = "0.50",
    target: str | None = None,
    strategy: str = "cross",
    instrument: str = COIN,
) -> Signal:
    """Return a wish to buy 10 coins at 0.50; its id is made of strategy and number."""
    return Signal(
        signal_id=f"run-{strategy}-{number}",
        strategy=strategy,
        instrument=instrument,
        side=side,
        quantity=None if quantity is None else Decimal(quantity),
        target=None if target is None else Decimal(target),
        order_type=OrderType.MARKET if limit is None else OrderType.LIMIT,
        limit_price=None if limit is None else Decimal(limit),
        reason="a reason",
    )


def target(number: int, position: str, *, instrument: str = COIN) -> Signal:
    """Return a wish to hold a position, at 0.50."""
    return signal(number, None, None, target=position, instrument=instrument)


def fill(
    number: int = 1,
    side: Side = Side.BUY,
    quantity: str = "10",
    price: str = "0.50",
    *,
    order: int = 1,
    leaves: str = "0",
    commission: str = "0",
    strategy: str = "cross",
    instrument: str = COIN,
    venue: str = "venue",
) -> Fill:
    """Return the execution of the order with the same strategy and number."""
    return Fill(
        client_order_id=f"run-{strategy}-{order}",
        strategy=strategy,
        instrument=instrument,
        venue=venue,
        trade_id=f"trade-{number}",
        side=side,
        last_quantity=Decimal(quantity),
        last_price=Decimal(price),
        commission=Decimal(commission),
        liquidity=Liquidity.TAKER,
        leaves_quantity=Decimal(leaves),
        venue_time_ns=number,
    )


def update(
    number: int = 1, status: OrderStatus = OrderStatus.CANCELLED, *, strategy: str = "cross"
) -> OrderUpdate:
    """Return the order manager's word on an order."""
    return OrderUpdate(
        client_order_id=f"run-{strategy}-{number}",
        strategy=strategy,
        instrument=COIN,
        side=Side.BUY,
        status=status,
        quantity=Decimal(10),
        filled_quantity=Decimal(0),
    )


def order(
    number: int = 1,
    side: Side = Side.BUY,
    quantity: str = "10",
    *,
    strategy: str = "cross",
    instrument: str = COIN,
) -> Order:
    """Return a market order."""
    return Order(
        client_order_id=f"run-{strategy}-{number}",
        strategy=strategy,
        instrument=instrument,
        side=side,
        quantity=Decimal(quantity),
        order_type=OrderType.MARKET,
    )


class Tape:
    """Collects market rows by instrument name and decimal price."""

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._builder = SliceBuilder(instruments)

    def quote(
        self, time_ns: int, bid: str | None, ask: str | None, instrument: str = COIN
    ) -> "Tape":
        """Add a quote of unknown size; None is an empty side."""
        index = self._instruments.index(instrument)
        known = self._instruments[index]
        bid_ticks = 0 if bid is None else known.ticks(Decimal(bid))
        ask_ticks = NO_PRICE if ask is None else known.ticks(Decimal(ask))
        sides = (bid_ticks, ask_ticks, 0 if bid is None else -1, 0 if ask is None else -1)
        self._builder.quote(Origin(time_ns=time_ns), index, sides)
        return self

    def trade(self, time_ns: int, price: str, instrument: str = COIN) -> "Tape":
        """Add a public print."""
        index = self._instruments.index(instrument)
        ticks = self._instruments[index].ticks(Decimal(price))
        self._builder.trade(Origin(time_ns=time_ns), index, (ticks, 1, 0))
        return self

    def bar(self, time_ns: int, close: str, instrument: str = COIN) -> "Tape":
        """Add a bar with one price."""
        index = self._instruments.index(instrument)
        ticks = self._instruments[index].ticks(Decimal(close))
        self._builder.bar(Origin(time_ns=time_ns), index, (ticks, ticks, ticks, ticks, 1))
        return self

    def resolution(self, time_ns: int, payoff: str, instrument: str = YES) -> "Tape":
        """Add the resolution of a market."""
        index = self._instruments.index(instrument)
        ticks = self._instruments[index].ticks(Decimal(payoff))
        self._builder.resolution(Origin(time_ns=time_ns), index, ticks)
        return self

    def rows(self) -> Slice:
        """Return what was collected."""
        return self._builder.build()


def see(core: Portfolio, rows: Slice) -> None:
    """Let a portfolio take notice of rows that it does not react to."""
    core.advance(rows, len(rows))


def only(outputs: Sequence[PortfolioOutput], kind: type[_T]) -> _T:
    """Return the one output there is, which must be of a kind."""
    (output,) = outputs
    assert isinstance(output, kind), output
    return output


def submitted(outputs: Sequence[PortfolioOutput]) -> SubmitOrder:
    """Return the one order there is."""
    return only(outputs, SubmitOrder)
