"""A configuration whose orders go to a venue that is somewhere else."""

from decimal import Decimal

import pytest

from actors.brokers.remote.broker import RemoteBroker
from actors.brokers.remote.paced import PacedRemote
from actors.errors import ConfigError
from actors.portfolio.portfolio import Portfolio
from actors.safety.kill_switch import KillSwitch
from actors.venues.fake.venue import FakeVenue
from runtime.config import parse_config
from runtime.wiring.blueprint import Blueprint
from runtime.wiring.components import blueprint
from runtime.wiring.routes import Role
from tests.actors.portfolio.rounds import COINS, DOLLARS, holdings, open_keys, orders_agree
from tests.builders import context

TEXT = """
name: small
mode: simulate
seed: 3
portfolio: {{cash: 500}}
feeds: [{{name: walk, type: synthetic, events: 20}}]
broker: {broker}
"""


def plan(broker: str, *more: str) -> Blueprint:
    text = TEXT.format(broker=broker) + "\n".join(more)
    return blueprint(parse_config(text, "test.yaml", environment={}))


def test_a_remote_broker_comes_with_its_venue() -> None:
    parts = plan("{type: venue, venue: {type: fake}}")
    assert set(parts.cores) == {Role.VENUE, Role.BROKER, Role.ORDERS, Role.PORTFOLIO}
    assert isinstance(parts.cores[Role.BROKER](context()), RemoteBroker)
    venue = parts.cores[Role.VENUE](context())
    assert isinstance(venue, FakeVenue)
    assert venue.ledger().balances == {"USD": 500}


def test_a_rate_limit_stands_in_front_of_it() -> None:
    limit = "{requests_per_second: 2, burst_size: 2}"
    parts = plan(f"{{type: venue, venue: {{type: fake}}, rate_limit: {limit}}}")
    assert isinstance(parts.cores[Role.BROKER](context()), PacedRemote)


def test_a_venue_s_own_balances_and_seed_are_kept() -> None:
    parts = plan("{type: venue, venue: {type: fake, seed: 9, balances: {USD: 4}}}")
    venue = parts.cores[Role.VENUE](context())
    assert isinstance(venue, FakeVenue)
    assert venue.ledger().balances == {"USD": Decimal(4)}


def test_without_a_remote_broker_there_is_no_venue_and_a_kill_switch_only_if_asked_for() -> None:
    assert Role.VENUE not in plan("{}").cores
    assert Role.SAFETY not in plan("{}").cores
    parts = plan("{}", "kill_switch: {}")
    assert isinstance(parts.cores[Role.SAFETY](context()), KillSwitch)


def compared(*rules: str) -> tuple[Portfolio, list[str]]:
    """Return a portfolio of 500 that found 3 coins and 490 at the venue, and what is open."""
    text = TEXT.format(broker="{type: venue, venue: {type: fake}}")
    text += "instruments: [{id: COIN, venue: venue, symbol: COIN, tick: 0.01, lot: 1}]"
    overrides = [f"portfolio.{rule}" for rule in rules]
    parts = blueprint(parse_config(text, "test.yaml", overrides=overrides, environment={}))
    core = parts.cores[Role.PORTFOLIO](context())
    assert isinstance(core, Portfolio)
    told: list[object] = []
    for number in (1, 2, 3):
        told = [*core.handle(orders_agree(number), 0)]
        told += core.handle(holdings(number, "3", "490"), 0)
    return core, list(open_keys(told))


@pytest.mark.parametrize(
    ("rules", "cash", "still"),
    [
        ([], 500, [COINS, DOLLARS]),
        (["position_tolerance=3"], 500, [DOLLARS]),
        (["cash_tolerance=10"], 500, [COINS]),
        (["starting_cash_from_venue=true"], 490, [COINS]),
        (["holdings=adopt", "position_tolerance=3"], 490, []),
    ],
)
def test_a_file_says_what_becomes_of_holdings_that_differ(
    rules: list[str], cash: int, still: list[str]
) -> None:
    core, found = compared(*rules)
    assert core.cash == cash
    assert found == still
    assert core.is_reconciled is not bool(still)


@pytest.mark.parametrize(
    "rule", ["holdings=keep", "cash_tolerance=-1", "position_tolerance=-1", "cash_tolerance=.nan"]
)
def test_a_rule_for_holdings_that_is_none_is_told_with_its_key(rule: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compared(rule)
    assert [problem.key for problem in caught.value.problems] == [
        f"portfolio.{rule.partition('=')[0]}"
    ]


@pytest.mark.parametrize(
    ("broker", "key"),
    [
        ("{type: venue}", "broker.venue"),
        ("{type: venue, venue: {type: nowhere}}", "broker.venue.type"),
        ("{type: venue, venue: {type: fake, page_size: 0}}", "broker.venue.page_size"),
        ("{type: venue, venue: {type: fake}, request_timeout: 0s}", "broker.request_timeout"),
        (
            "{type: venue, venue: {type: fake}, latency: {type: constant, submit: 1s}}",
            "broker.latency",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_key(broker: str, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        plan(broker)
    assert [problem.key for problem in caught.value.problems] == [key]
