from decimal import Decimal
from typing import Any

import pytest

from actors.messages.alerts import Alert, AlertKind, Logged
from actors.messages.market import UNKNOWN_LOTS, EventKind, Trade
from actors.strategies.market_analysis import MarketAnalysis, pair_sums
from tests.actors.strategies.builders import code, outcome_pair, quote, started
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


# --- pathologies ----------------------------------------------------------------------------------


def told(core: MarketAnalysis) -> list[tuple[str, bool, str]]:
    """Return the kind of each alert, whether it was raised, and of what."""
    return [(alert.kind, alert.is_raised, alert.instrument) for alert in core.take_outbox(0)]


def test_a_book_with_one_side_is_told() -> None:
    core = analysis(one_sided=True)
    for sizes in ((5, 5), (0, 5), (0, 5), (5, 5)):
        core.on_quote(quote(A, 98, 102, sizes))
    assert told(core) == [("ONE_SIDED", True, "A"), ("ONE_SIDED", False, "A")]


def test_an_outcome_that_falls_silent_while_the_other_is_quoted_is_told() -> None:
    core = analysis(stale_side_ns=10)
    core.on_quote(quote(YES, 40, 41, time_ns=1))
    core.on_quote(quote(NO, 58, 59, time_ns=11))
    assert told(core) == []
    core.on_quote(quote(NO, 58, 59, time_ns=12))
    assert told(core) == [("STALE_SIDE", True, "rain-YES")]
    core.on_quote(quote(YES, 40, 41, time_ns=13))
    assert told(core) == [("STALE_SIDE", False, "rain-YES")]
    core.on_quote(quote(A, 40, 41, time_ns=99))
    assert told(core) == []


def wall(core: MarketAnalysis, bid: int, lots: int, time_ns: int) -> list[tuple[str, bool, str]]:
    """Quote a best bid; an offer of 5 lots stays at 200."""
    core.on_quote(quote(A, bid, 200, (lots, 5), time_ns=time_ns))
    return told(core)


WALLS: dict[str, Any] = {"phantom_wall": Decimal(1), "wall_time_ns": 10}  # 100 lots


def test_a_wall_that_vanishes_at_once_was_a_phantom() -> None:
    core = analysis(**WALLS)
    assert wall(core, 99, 150, 1) == []
    assert wall(core, 98, 5, 9) == [("PHANTOM_WALL", True, "A")]
    assert wall(core, 98, 5, 19) == []
    assert wall(core, 98, 5, 20) == [("PHANTOM_WALL", False, "A")]


@pytest.mark.parametrize(
    ("bid", "lots", "time_ns"),
    [
        (99, 80, 5),  # half of it is still there
        (100, 5, 5),  # a better bid hides it
        (98, 5, 12),  # it stood for longer
    ],
)
def test_a_wall_may_shrink_be_hidden_or_end_in_its_time(bid: int, lots: int, time_ns: int) -> None:
    core = analysis(**WALLS)
    wall(core, 99, 150, 1)
    assert wall(core, bid, lots, time_ns) == []


def test_a_wall_on_the_other_side_and_an_emptied_side() -> None:
    core = analysis(**WALLS)
    core.on_quote(quote(A, 99, 101, (5, 150), time_ns=1))
    core.on_quote(quote(A, 99, 101, (5, 0), time_ns=2))
    (alert,) = core.take_outbox(0)
    assert alert.text == "1.5 offered at 1.01 vanished untouched"
    core.on_quote(quote(A, 99, 101, (150, 5), time_ns=3))
    core.on_quote(quote(A, 99, 101, (74, 5), time_ns=4))
    assert core._vanished_ns == {"A": 4}


def test_a_wall_that_was_traded_at_was_real() -> None:
    core = analysis(**WALLS)
    core.on_trade(Trade(1, A, 99, 1, -1))
    wall(core, 99, 150, 1)
    core.on_trade(Trade(2, A, 98, 1, -1))
    core.on_trade(Trade(2, A, 99, 1, -1))
    assert wall(core, 98, 5, 3) == []


def test_trades_are_heard_only_for_walls() -> None:
    trade = code(EventKind.TRADE)
    assert analysis().callback(trade) is None
    assert analysis(**WALLS).callback(trade) is not None


# --- what is told, where, and how often -----------------------------------------------------------


def test_only_the_wanted_kinds_are_told() -> None:
    core = analysis(crossed=True, max_spread_bps=Decimal(1), kinds=(AlertKind.CROSSED,))
    core.on_quote(quote(A, 90, 110))
    core.on_quote(quote(A, 110, 110))
    assert told(core) == [("CROSSED", True, "A")]


def test_the_same_is_not_told_again_at_once_nor_its_end() -> None:
    core = analysis(max_spread_bps=Decimal(200), cooldown_ns=10)
    found = []
    for time_ns, ask in enumerate((110, 101, 110, 101, 110, 101, 110, 101), 1):
        core.on_quote(quote(A, 100, ask, time_ns=time_ns * 3))
        found += [(time_ns * 3, raised) for _, raised, _ in told(core)]
    assert found == [(3, True), (6, False), (15, True), (18, False)]


def test_alerts_may_go_to_the_log() -> None:
    core = analysis(crossed=True, outputs=("log",))
    core.on_quote(quote(A, 110, 110, time_ns=1))
    core.on_quote(quote(A, 100, 110, time_ns=2))
    assert core.take_outbox(0) == [
        Logged(strategy="s", text="CROSSED A: bid 1.1, ask 1.1", time_ns=1),
        Logged(strategy="s", text="CROSSED A is over: bid 1, ask 1.1", time_ns=2),
    ]
    both = analysis(stale_side_ns=1, outputs=("alert", "log"))
    for time_ns, each in ((1, YES), (5, NO), (6, YES)):
        both.on_quote(quote(each, 40, 41, time_ns=time_ns))
    sent = both.take_outbox(0)
    assert [type(each) for each in sent] == [Alert, Logged, Alert, Logged]
    assert sent[3].text == "STALE_SIDE rain-YES is over"


def test_spread_and_liquidity_are_written_now_and_then_and_at_the_end() -> None:
    core = analysis(report_every_ns=10, summary=True)
    for time_ns, sizes in ((1, (100, 300)), (5, (300, 100)), (11, (UNKNOWN_LOTS, 5))):
        core.on_quote(quote(A, 99, 101, sizes, time_ns=time_ns))
    core.on_quote(quote(YES, 1, 2, (0, 5), time_ns=12))
    expected = "A: 3 quotes, spread 200.0 bps, 2.00 bid and 2.00 offered on average"
    assert core.take_outbox(0) == [Logged(strategy="s", text=expected, time_ns=11)]
    last, yes = core.stop(20)
    assert (last.text, last.time_ns) == (expected, 20)
    assert yes.text == "rain-YES: 1 quote, 1 with one side only"
    assert analysis().stop(20) == []


def test_alerts_may_be_shown_to_people() -> None:
    core = analysis(crossed=True, outputs=("console",))
    core.on_quote(quote(A, 110, 110, time_ns=1))
    (line,) = core.take_outbox(0)
    assert line.is_shown
    assert line.text == "CROSSED A: bid 1.1, ask 1.1"
