"""Builders of accounts that are not plain: other instruments, currencies, ways to count."""

from collections.abc import Iterable
from decimal import Decimal
from random import Random  # noqa: TID251 - seeded below
from typing import Any

from actors.actor import Context
from actors.messages.trading import Fill, FillSettled
from actors.model.instrument import Instrument, InstrumentId, Instruments, Outcome
from actors.portfolio.account import Account, new_account
from actors.portfolio.config import PortfolioConfig
from actors.portfolio.portfolio import Portfolio
from tests.actors.portfolio.builders import Tape

COIN, SCALED, FUTURE, EURO_STOCK = "COIN", "SCALED", "FUTURE", "STOCK.EUR"
EURUSD, USDJPY, YEN_STOCK = "EURUSD", "USDJPY", "STOCK.JPY"
YES, NO = "YES", "NO"
OTHER_YES, OTHER_NO = "OTHER-YES", "OTHER-NO"


def _instrument(name: str, **terms: Any) -> Instrument:
    return Instrument(
        id=InstrumentId(name),
        venue="venue",
        symbol=name.lower(),
        **{"lot": Decimal("0.1"), **terms},
    )


def _token(name: str, other: str, outcome: Outcome, market: str | None) -> Instrument:
    return _instrument(
        name,
        currency="USDC",
        can_short=False,
        outcome=outcome,
        complement=InstrumentId(other),
        market=market,
        event="election",
    )


def table() -> Instruments:
    """Return one instrument of each sort: plain, scaled, future, foreign, rates, tokens."""
    instruments = Instruments()
    for each in (
        _instrument(COIN),
        _instrument(SCALED, multiplier=Decimal(5)),
        _instrument(FUTURE, multiplier=Decimal(10), margin=Decimal(1000)),
        _instrument(EURO_STOCK, currency="EUR"),
        _instrument(YEN_STOCK, currency="JPY"),
        _instrument(EURUSD),
        _instrument(USDJPY, currency="JPY"),
        _token(YES, NO, Outcome.YES, "rain"),
        _token(NO, YES, Outcome.NO, "rain"),
        _token(OTHER_YES, OTHER_NO, Outcome.YES, None),
        _token(OTHER_NO, OTHER_YES, Outcome.NO, None),
    ):
        instruments.add(each)
    return instruments


TABLE = table()


def config(cash: str = "1000", **terms: Any) -> PortfolioConfig:
    """Return a configuration."""
    return PortfolioConfig(cash=Decimal(cash), **terms)


def account(*fills: Fill, cash: str = "1000", **terms: Any) -> Account:
    """Return an account that has booked some fills."""
    made = new_account(config(cash, **terms), TABLE)
    for one in fills:
        made.ledger.apply(one)
    return made


def core(cash: str = "1000", *, incarnation: int = 0, **terms: Any) -> Portfolio:
    """Return a portfolio."""
    context = Context(
        run_id="run", actor="portfolio", incarnation=incarnation, random=Random(incarnation)
    )
    return Portfolio(context, TABLE, config(cash, **terms))


def tape() -> Tape:
    """Return an empty tape."""
    return Tape(TABLE)


def word(number: int, *, failed: bool, instrument: str = COIN) -> FillSettled:
    """Return the venue's last word on the trade with a number."""
    return FillSettled(
        client_order_id="run-cross-1",
        strategy="cross",
        instrument=instrument,
        venue="venue",
        trade_id=f"trade-{number}",
        failed=failed,
    )


def fills_of(outputs: Iterable[Any]) -> list[Fill]:
    """Return the fills among some outputs."""
    return [each for each in outputs if isinstance(each, Fill)]
