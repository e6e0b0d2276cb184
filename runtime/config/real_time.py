"""What a run in real time needs beside what every run needs: limits, and a way to be halted."""

import attrs

from actors.safety.config import KillSwitchConfig
from runtime.config.daemon import StopPolicy
from runtime.config.model import JournalKind, Mode, RunConfig
from runtime.config.problems import NOTHING, Problems

COMPLETED_ORDERS = 1000
"""How many orders that are over are remembered unless the file says otherwise."""
FILLS = 100_000
"""How many fills are."""


def for_real_time(config: RunConfig, problems: Problems) -> RunConfig:
    """Return a configuration with the limits of its mode, noting what the mode does not allow.

    What runs for weeks must not grow: where the file does not limit the orders that are over, and
    the fills, they are limited here; the journal has them all. What can be halted by hand needs a
    kill switch, if only one without conditions.
    """
    if not config.mode.is_real_time:
        return config
    _check_flatten(config, problems)
    if config.mode is Mode.LIVE:
        _check_live(config, problems)
    orders, account = config.orders, config.portfolio
    if orders.max_completed_orders is None:
        orders = attrs.evolve(orders, max_completed_orders=COMPLETED_ORDERS)
    if account.max_fills is None:
        account = attrs.evolve(account, max_fills=FILLS)
    switch = config.kill_switch or KillSwitchConfig()
    return attrs.evolve(config, orders=orders, portfolio=account, kill_switch=switch)


def _check_flatten(config: RunConfig, problems: Problems) -> None:
    """Refuse to promise closed positions to an account that must not close them."""
    for key, policy in (("stop", config.stop.policy), ("crash", config.crash.policy)):
        if policy is StopPolicy.FLATTEN and not config.close_out:
            expected = "keep or cancel, as close_out is false"
            problems.add(f"{key}.policy", expected=expected, found=repr(str(policy)))


def _check_live(config: RunConfig, problems: Problems) -> None:
    """Refuse to trade real money without a record, or without anything that would halt it."""
    if config.journal is not JournalKind.SQLITE:
        expected = "sqlite in mode live: without a journal nothing could be resumed"
        problems.add("journal", expected=expected, found=repr(str(config.journal)))
    if config.broker.type != "venue":
        expected = "venue in mode live: anything else is no trading"
        problems.add("broker.type", expected=expected, found=repr(config.broker.type))
    if not config.enable_risk_checks:
        problems.add("enable_risk_checks", expected="true in mode live", found="false")
    switch = config.kill_switch
    if switch is None or not switch.has_conditions:
        expected = "at least one condition that halts trading, as mode live requires"
        problems.add("kill_switch", expected=expected, found=NOTHING)
