from decimal import Decimal
from typing import Any

import pytest

from actors.messages.alerts import Alert, AlertKind
from actors.strategies.market_analysis import MarketAnalysis, pair_sums
from tests.actors.strategies.builders import outcome_pair, quote, started
from tests.builders import instrument, instruments

A = instrument("A")
YES, NO = outcome_pair()
OFF: dict[str, Any] = {
    "crossed": False,
    "max_spread_bps": None,
    "min_quantity": None,
    "pair_band": None,
}


def analysis(**parameters: Any) -> MarketAnalysis:
    """Return an analysis with only these rules."""
    return started(
        MarketAnalysis,
        instruments(A, YES, NO),
        parameters=MarketAnalysis.Parameters(**{**OFF, **parameters}),
    )


def alerts(core: MarketAnalysis) -> list[tuple[bool, str]]:
    """Return whether each alert was raised or over, and its words."""
    return [(alert.is_raised, alert.text) for alert in core.take_outbox(0)]


def test_a_wide_spread_is_told_once_and_told_when_it_is_over() -> None:
    core = analysis(max_spread_bps=Decimal(200))
    for bid, ask in ((99, 101), (98, 102), (97, 103), (99, 101), (99, 101)):
        core.on_quote(quote(A, bid, ask, time_ns=ask))
    wide, over = core.take_outbox(0)
    assert wide == Alert(
        strategy="s",
        instrument="A",
        kind=AlertKind.WIDE_SPREAD,
        is_raised=True,
        text="spread 400.0 bps",
        time_ns=102,
    )
    assert (over.is_raised, over.time_ns) == (False, 101)


def test_an_empty_side_says_nothing_of_the_spread() -> None:
    core = analysis(max_spread_bps=Decimal(200))
    core.on_quote(quote(A, 98, 102))
    core.on_quote(quote(A, 98, 102, (0, 5)))
    assert [raised for raised, _ in alerts(core)] == [True]


def test_small_sizes_are_told() -> None:
    core = analysis(min_quantity=Decimal("0.055"))
    for sizes in ((6, 6), (6, 5), (0, 5), (-1, -1)):
        core.on_quote(quote(A, 99, 101, sizes))
    assert alerts(core) == [(True, "0.06 bid, 0.05 offered"), (False, "none bid, none offered")]


def test_a_crossed_book_is_told() -> None:
    core = analysis(crossed=True)
    for bid, ask in ((99, 100), (100, 100), (101, 100), (99, 100)):
        core.on_quote(quote(A, bid, ask))
    assert alerts(core) == [(True, "bid 1, ask 1"), (False, "bid 0.99, ask 1")]


def test_an_empty_side_is_not_crossed() -> None:
    core = analysis(crossed=True)
    core.on_quote(quote(A, 99, 98, (5, 0)))
    assert alerts(core) == []


def test_yes_and_no_together_must_stay_near_one() -> None:
    core = analysis(pair_band=Decimal("0.02"))
    core.on_quote(quote(NO, 40, 42))
    core.on_quote(quote(YES, 58, 60))
    assert alerts(core) == []
    core.on_quote(quote(YES, 57, 60))
    core.on_quote(quote(NO, 43, 43))
    core.on_quote(quote(YES, 58, 59))
    told = core.take_outbox(0)
    assert [(alert.instrument, alert.is_raised) for alert in told] == [
        ("rain-YES", True),
        ("rain-YES", False),
    ]
    assert told[0].text == "YES and NO together bid 0.9700, offered 1.0200"


def test_a_pair_is_judged_by_its_asks_too_whichever_leg_moves() -> None:
    core = analysis(pair_band=Decimal("0.02"))
    core.on_quote(quote(YES, 58, 60))
    core.on_quote(quote(NO, 41, 43))
    assert [alert.instrument for alert in core.take_outbox(0)] == ["rain-YES"]


def test_empty_sides_of_a_pair_are_not_summed() -> None:
    assert pair_sums(quote(YES, 58, 60, (0, 5)), quote(NO, 38, 39, (5, 0))) == (1.0, 1.0)


def test_instruments_without_a_pair_have_no_band() -> None:
    core = analysis(pair_band=Decimal(0))
    core.on_quote(quote(A, 98, 102))
    assert alerts(core) == []


def test_with_the_defaults_all_but_sizes_are_judged() -> None:
    core = started(MarketAnalysis, instruments(A))
    core.on_quote(quote(A, 104, 100, (1, 1)))
    core.on_quote(quote(A, 50, 100, (1, 1)))
    kinds = [alert.kind for alert in core.take_outbox(0)]
    assert kinds == [AlertKind.CROSSED, AlertKind.CROSSED, AlertKind.WIDE_SPREAD]


def test_a_negative_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="pair_band: expected 0 or more"):
        MarketAnalysis.Parameters(pair_band=Decimal(-1))
