"""Every component that a configuration may name, and how it is built from its options."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from actors.actor import Context, Core, Source
from actors.brokers.commission import COMMISSIONS, CommissionModel, NoCommission
from actors.brokers.latency import LATENCIES
from actors.brokers.passthrough import PassthroughBroker, PassthroughBrokerConfig
from actors.brokers.simulated import SimulatedBroker, SimulatedBrokerConfig
from actors.brokers.slippage import SLIPPAGES
from actors.errors import ConfigError
from actors.feeds.replay import ReplayFeed, ReplayOptions
from actors.feeds.synthetic import SyntheticFeed
from actors.feeds.synthetic_options import SyntheticOptions
from actors.model.instrument import Instruments
from actors.model.money import ZERO
from actors.orders.manager import OrderManager
from actors.portfolio.config import PortfolioConfig
from actors.portfolio.portfolio import Portfolio
from actors.risk.limits import POLICIES
from actors.risk.policy import RiskPolicy
from actors.strategies import Strategy, resolve_strategy
from actors.strategies import StrategyConfig as StrategySetting
from runtime.config.model import (
    Component,
    FeedConfig,
    RunConfig,
    StrategyConfig,
    SupervisionConfig,
)
from runtime.config.problems import Problems, shown
from runtime.config.structure import structure
from runtime.kernel.determinism import seeded_numpy
from runtime.wiring.plant import CORES, Blueprint
from runtime.wiring.routes import Role

_MakeSource = Callable[[int], Source]
_MakeCore = Callable[[Context], Core]

_FEEDS: Mapping[str, type] = {"replay": ReplayOptions, "synthetic": SyntheticOptions}
_BROKERS: Mapping[str, type] = {
    "passthrough": PassthroughBrokerConfig,
    "simulated": SimulatedBrokerConfig,
}
_MODELS: Mapping[str, Mapping[str, type]] = {
    "latency": LATENCIES,
    "commission": COMMISSIONS,
    "slippage": SLIPPAGES,
}


def check(config: RunConfig) -> None:
    """Build every component of a configuration once, and throw it away.

    Raises:
        ConfigError: With everything that is wrong.
    """
    blueprint(config)


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
        supervision=_supervision(config),
        speed=config.speed,
    )


def _supervision(config: RunConfig) -> dict[str, SupervisionConfig]:
    supervision: dict[str, SupervisionConfig] = {str(role): config.supervision for role in CORES}
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
        options_class = self._problems.choose(_FEEDS, feed.type, f"{key}.type")
        if options_class is None:
            return None
        given = {"batch_rows": self._config.slice_rows}
        options = structure(options_class, feed.options, key, self._problems, given)
        if options is None:
            return None

        def make(_incarnation: int) -> Source:
            if isinstance(options, ReplayOptions):
                return ReplayFeed(self._instruments, options)
            generator = seeded_numpy(self._config.seed, feed.name)
            return SyntheticFeed(self._instruments, options, generator)

        try:
            make(0)
        except ConfigError as error:
            for problem in error.problems:
                where = f"{key}.{problem.key}"
                self._problems.add(
                    where, expected=problem.expected, found=problem.found, nearest=problem.nearest
                )
        except ValueError as error:
            self._problems.add(key, expected="options that go together", found=str(error))
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
            why = str(error).rpartition(": expected ")[2]
            self._problems.add(f"{key}.type", expected=why, found=shown(strategy.type))
            return None
        parameters = structure(
            cls.Parameters, strategy.parameters, f"{key}.parameters", self._problems
        )
        if parameters is None:
            return None
        setting = StrategySetting(instruments=strategy.instruments, parameters=parameters)

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
        """Return what builds the broker, the order manager and the portfolio."""
        models = self._models()
        commission = models.get("commission", NoCommission())
        portfolio = self._portfolio(commission)
        return {
            Role.BROKER: self._broker(models),
            Role.ORDERS: lambda context: OrderManager(context, self._instruments),
            Role.PORTFOLIO: lambda context: Portfolio(context, self._instruments, portfolio),
        }

    def _portfolio(self, commission: CommissionModel) -> PortfolioConfig:
        config = self._config.portfolio
        policies: list[RiskPolicy] = []
        for number, component in enumerate(config.policies):
            key = f"portfolio.policies[{number}]"
            policy = self._component(POLICIES, component, key)
            if policy is not None:
                policies.append(policy)
        return PortfolioConfig(
            cash=config.cash,
            currency=config.currency,
            policies=tuple(policies),
            fee_rate=max(commission.expected_rate, ZERO),
            equity_interval_ns=config.equity_interval_ns,
            close_out=self._config.close_out,
        )

    def _broker(self, models: Mapping[str, Any]) -> _MakeCore:
        config = self._config.broker
        problems = self._problems
        options_class = problems.choose(_BROKERS, config.type, "broker.type")
        if options_class is PassthroughBrokerConfig:
            for kind in models:
                expected = "nothing: a passthrough broker is free and at once"
                problems.add(f"broker.{kind}", expected=expected, found="a model")
            models = {}
        options: Any = None
        if options_class is not None:
            options = structure(options_class, config.options, "broker", problems, given=models)

        def make(context: Context) -> Core:
            if isinstance(options, PassthroughBrokerConfig):
                return PassthroughBroker(context, self._instruments, options)
            return SimulatedBroker(context, self._instruments, options)

        return make

    def _models(self) -> dict[str, Any]:
        """Return the broker's models that the configuration names."""
        models: dict[str, Any] = {}
        for kind, choices in _MODELS.items():
            component = getattr(self._config.broker, kind)
            if component is not None:
                model = self._component(choices, component, f"broker.{kind}")
                if model is not None:
                    models[kind] = model
        return models

    def _component(self, choices: Mapping[str, type], component: Component, key: str) -> Any | None:
        cls = self._problems.choose(choices, component.type, f"{key}.type")
        if cls is None:
            return None
        return structure(cls, component.options, key, self._problems)
