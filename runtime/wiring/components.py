"""Every component that a configuration may name, and how it is built from its options."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import attrs

from actors.actor import Context, Core, Source
from actors.brokers.models.commission import NoCommission
from actors.model.instrument import Instruments
from actors.model.money import ZERO
from actors.orders.manager import OrderManager
from actors.portfolio.config import PortfolioConfig
from actors.portfolio.portfolio import Portfolio
from actors.risk.limits import POLICIES
from actors.risk.policy import RiskPolicy
from actors.safety.kill_switch import KillSwitch
from actors.strategies import Strategy, resolve_strategy
from actors.strategies import StrategyConfig as StrategySetting
from runtime.config.model import (
    Component,
    FeedConfig,
    Placement,
    RunConfig,
    StrategyConfig,
    SupervisionConfig,
)
from runtime.config.problems import Problems, shown
from runtime.config.structure import structure
from runtime.wiring.blueprint import CORES, Blueprint, MakeShell
from runtime.wiring.brokers import broker_core, broker_models, fee_rate
from runtime.wiring.placement import away_of, placed_maker
from runtime.wiring.remote import is_remote, remote_parts
from runtime.wiring.routes import Role
from runtime.wiring.socket_venue import VENUE_LINK
from runtime.wiring.sources import Recipe, source_options, try_out
from runtime.wiring.warming import PastReader, Shift

_MakeSource = Callable[[int], Source]
_MakeCore = Callable[[Context], Core]

_ACCOUNT = (
    "currency",
    "fx",
    "equity",
    "equity_samples",
    "equity_interval_ns",
    "cost_method",
    "money_step",
    "leverage",
    "liquidate_at",
    "market_order_buffer",
    "auto_redeem",
    "holdings",
    "position_tolerance",
    "cash_tolerance",
    "starting_cash_from_venue",
    "max_fills",
)
"""What the account's configuration has under the same names."""


def check(config: RunConfig) -> None:
    """Build every component of a configuration once, and throw it away.

    Raises:
        ConfigError: With everything that is wrong.
    """
    blueprint(config)


def account_config(
    config: RunConfig, policies: tuple[RiskPolicy, ...], fee: Decimal
) -> PortfolioConfig:
    """Return what a run's portfolio is told about its account.

    Raises:
        ValueError: If its values do not go together.
    """
    account = config.portfolio
    given: dict[str, Any] = {name: getattr(account, name) for name in _ACCOUNT}
    own = account.currency
    return PortfolioConfig(
        cash=account.starting_cash,
        policies=policies,
        fee_rate=fee,
        close_out=config.close_out,
        balances={name: each for name, each in account.balances.items() if name != own},
        reconciles=is_remote(config),
        **given,
    )


def run_id(config: RunConfig) -> str:
    """Return what begins every order id: the same for the same configuration and seed."""
    return f"{config.name}-{config.seed}"


def blueprint(config: RunConfig) -> Blueprint:
    """Return the parts of a run.

    Raises:
        ConfigError: With everything that is wrong in the components' options.
    """
    problems = Problems(config.document)
    instruments = Instruments()
    for instrument in config.instruments:
        instruments.add(instrument)
    builder = _Builder(config, instruments, problems)
    sources = builder.sources()
    strategies = builder.strategies()
    cores = builder.cores()
    problems.raise_if_any()
    return Blueprint(
        run_id=run_id(config),
        seed=config.seed,
        instruments=instruments,
        cores=cores,
        strategies={name: make for name, (make, _) in strategies.items()},
        wants={name: wants for name, (_, wants) in strategies.items()},
        sources=sources,
        supervision=_supervision(config, cores),
        speed=config.speed,
        shells=builder.shells,
        shift=builder.shift,
        away={each.name: away for each in config.strategies if (away := away_of(each)) is not None},
    )


def with_strategies(
    parts: Blueprint,
    more: Mapping[str, Callable[[Context], Strategy]],
    supervision: SupervisionConfig,
) -> Blueprint:
    """Return a blueprint with further strategies, which hear the market and nothing else."""
    return attrs.evolve(
        parts,
        strategies={**parts.strategies, **more},
        wants={**parts.wants, **dict.fromkeys(more, frozenset())},
        supervision={**parts.supervision, **dict.fromkeys(more, supervision)},
    )


def _supervision(config: RunConfig, cores: Iterable[Role]) -> dict[str, SupervisionConfig]:
    supervision: dict[str, SupervisionConfig] = {str(role): config.supervision for role in cores}
    for feed in config.feeds:
        supervision[feed.name] = feed.supervision or config.supervision
    for strategy in config.strategies:
        supervision[strategy.name] = strategy.supervision or config.supervision
    return supervision


class _Builder:
    """Builds the parts of one configuration, noting every problem."""

    def __init__(self, config: RunConfig, instruments: Instruments, problems: Problems) -> None:
        self._config = config
        self._instruments = instruments
        self._problems = problems
        self._names: set[str] = set(CORES)
        self.shells: dict[str, MakeShell] = {}
        self.shift = Shift()
        self._pasts = PastReader(config, instruments, problems, self.shift)

    def _take_name(self, name: str, key: str) -> None:
        if name in self._names:
            expected = "a name that no other actor has"
            self._problems.add(f"{key}.name", expected=expected, found=shown(name))
        self._names.add(name)

    # --- feeds -----------------------------------------------------------------------------------

    def sources(self) -> dict[str, _MakeSource]:
        """Return what builds each feed's source."""
        found: dict[str, _MakeSource] = {}
        for number, feed in enumerate(self._config.feeds):
            key = f"feeds[{number}]"
            self._take_name(feed.name, key)
            make = self._source(feed, key)
            if make is not None:
                found[feed.name] = make
        return found

    def _source(self, feed: FeedConfig, key: str) -> _MakeSource | None:
        rows = self._config.slice_rows
        options = source_options(feed.type, feed.options, key, self._problems, rows)
        if options is None:
            return None
        recipe = Recipe(options=options, seed=self._config.seed, name=feed.name)

        def make(_incarnation: int) -> Source:
            return recipe.made(self._instruments)

        try_out(partial(make, 0), key, self._problems)
        return make

    # --- strategies ------------------------------------------------------------------------------

    def strategies(self) -> dict[str, tuple[_MakeCore, frozenset[type]]]:
        """Return what builds each strategy, and what it wants to be told."""
        found: dict[str, tuple[_MakeCore, frozenset[type]]] = {}
        for number, strategy in enumerate(self._config.strategies):
            key = f"strategies[{number}]"
            self._take_name(strategy.name, key)
            made = self._strategy(strategy, key)
            if made is not None:
                found[strategy.name] = made
        return found

    def _strategy(
        self, strategy: StrategyConfig, key: str
    ) -> tuple[_MakeCore, frozenset[type]] | None:
        try:
            cls = resolve_strategy(self._beside_config(strategy.type))
        except ValueError as error:
            _, is_rule, why = str(error).rpartition(": expected ")
            found = shown(strategy.type)
            if not is_rule:
                why, found = "a strategy that can be loaded", f"{found}: {why}"
            self._problems.add(f"{key}.type", expected=why, found=found)
            return None
        parameters = structure(
            cls.Parameters, strategy.parameters, f"{key}.parameters", self._problems
        )
        if parameters is None:
            return None
        past, warm_up = None, strategy.warm_up
        if warm_up is not None:
            past = self._pasts.past(warm_up, strategy.name, f"{key}.warm_up")
        setting = StrategySetting(
            instruments=strategy.instruments,
            parameters=parameters,
            past=past if cls.learns else None,
        )

        if strategy.placement is Placement.PROCESS:
            name = self._beside_config(strategy.type)
            return placed_maker(name, setting, self._instruments), cls.wants

        def make(context: Context) -> Strategy:
            return cls(context, self._instruments, setting)

        return make, cls.wants

    def _beside_config(self, name: str) -> str:
        """Return a strategy's name; a file that is not there is looked for beside the config."""
        place, _, class_name = name.rpartition(":")
        beside = Path(self._config.document.file).parent / place
        if place.endswith(".py") and not Path(place).exists() and beside.exists():
            return f"{beside}:{class_name}"
        return name

    # --- cores -----------------------------------------------------------------------------------

    def cores(self) -> dict[Role, _MakeCore]:
        """Return what builds the broker (and its venue), the order manager and the portfolio."""
        config = self._config
        models = broker_models(config, self._problems)
        orders = attrs.evolve(config.orders, remote=is_remote(config))
        if is_remote(config):
            brokers, fee = self._remote(models)
        else:
            fee = fee_rate(models.get("commission", NoCommission()), self._instruments)
            make_broker = broker_core(config, self._instruments, models, self._problems)
            brokers = {Role.BROKER: make_broker}
        portfolio = self._portfolio(fee)
        return {
            **self._safety(),
            **brokers,
            Role.ORDERS: lambda context: OrderManager(context, self._instruments, orders),
            Role.PORTFOLIO: lambda context: Portfolio(context, self._instruments, portfolio),
        }

    def _safety(self) -> dict[Role, _MakeCore]:
        """Return what builds the kill switch, where one is asked for."""
        config, instruments = self._config, self._instruments
        declared = config.kill_switch
        if declared is None:
            return {}
        feeds = tuple(feed.name for feed in config.feeds)

        def make(context: Context) -> Core:
            return KillSwitch(
                context, instruments, declared, feeds=feeds, has_venue=is_remote(config)
            )

        return {Role.SAFETY: make}

    def _remote(self, models: Mapping[str, Any]) -> tuple[dict[Role, _MakeCore], Decimal]:
        parts = remote_parts(self._config, models, self._problems)
        if parts is None:
            return {}, ZERO
        if parts.make_shell is not None:
            self.shells[VENUE_LINK] = parts.make_shell
        return {Role.VENUE: parts.make_venue, Role.BROKER: parts.make_broker}, parts.fee_rate

    def _portfolio(self, fee: Decimal) -> PortfolioConfig:
        config = self._config.portfolio
        policies: list[RiskPolicy] = []
        for number, component in enumerate(config.policies):
            key = f"portfolio.policies[{number}]"
            policy = self._component(POLICIES, component, key)
            if policy is not None:
                policies.append(policy)
        try:
            asked = tuple(policies) if self._config.enable_risk_checks else ()
            return account_config(self._config, asked, fee)
        except ValueError as error:
            key, _, rule = str(error).partition(": expected ")
            expected, _, found = rule.partition(", found ")
            self._problems.add(f"portfolio.{key}", expected=expected, found=found)
            return PortfolioConfig(cash=ZERO)

    def _component(self, choices: Mapping[str, type], component: Component, key: str) -> Any | None:
        cls = self._problems.choose(choices, component.type, f"{key}.type")
        if cls is None:
            return None
        return structure(cls, component.options, key, self._problems)
