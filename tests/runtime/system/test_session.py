"""What a run shows of itself while it runs."""

import io

from runtime.observe.logs import logging_to
from runtime.system import run_config
from tests.ring.rig import config

WATCHED = """
mode: simulate
journal: none
feeds: [{name: market, type: synthetic, assets: [ACME], duration: 1s}]
strategies:
  - {name: loud, type: event_log, parameters: {every: 5, totals: false, console: true}}
  - {name: quiet, type: event_log, parameters: {every: 5, totals: false}}
"""


def test_lines_for_people_are_shown_and_others_are_not() -> None:
    console = io.StringIO()
    with logging_to(None, console=console):
        run_config(config(WATCHED), None)
    lines = console.getvalue().splitlines()
    assert len(lines) == 2
    assert all("loud" in line and "quote ACME" in line for line in lines)


def test_a_run_without_any_market_data_says_so() -> None:
    console = io.StringIO()
    nothing = WATCHED.replace("duration: 1s", "duration: 1ms")
    with logging_to(None, console=console):
        result = run_config(config(nothing), None)
    assert result.events == 0
    assert "no market data came" in console.getvalue()


FOREIGN = """
mode: simulate
journal: none
feeds: [{name: market, type: synthetic, assets: [ACME], duration: 1s}]
instruments: [{id: EURUSD, venue: synthetic, symbol: EURUSD, tick: 0.01, lot: 1}]
portfolio: {currency: USD, cash: 5000, balances: {EUR: 100}, fx: {EUR: EURUSD}}
"""


def test_an_account_that_cannot_be_valued_says_what_to_set() -> None:
    console = io.StringIO()
    with logging_to(None, console=console):
        result = run_config(config(FOREIGN), None)
    assert result.final_equity is None
    [line] = console.getvalue().splitlines()
    assert "the account has no value in USD: EUR without a rate" in line
    assert "set portfolio.fx: {EUR: <USD for one EUR>}" in line


def test_an_account_with_every_rate_is_valued_in_silence() -> None:
    console = io.StringIO()
    with logging_to(None, console=console):
        result = run_config(config(FOREIGN, "portfolio.fx={EUR: 1.1}"), None)
    assert result.final_equity == 5110
    assert console.getvalue() == ""
