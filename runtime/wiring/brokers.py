"""The broker of a configuration: its models, and what builds it."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from actors.actor import Context, Core
from actors.brokers.models.chance import Seeded
from actors.brokers.models.commission import (
    COMMISSION_ALIASES,
    COMMISSIONS,
    CommissionModel,
    PolymarketCommission,
)
from actors.brokers.models.latency import LATENCIES
from actors.brokers.models.slippage import SLIPPAGE_ALIASES, SLIPPAGES, Slippage
from actors.brokers.paced import Paced
from actors.brokers.passthrough import PassthroughBroker, PassthroughBrokerConfig
from actors.brokers.simulated import SimulatedBroker, SimulatedBrokerConfig
from actors.model.instrument import Instruments
from actors.model.money import ZERO
from runtime.config.conversion import written_fields, written_name
from runtime.config.model import Component, RunConfig
from runtime.config.problems import Problems
from runtime.config.structure import structure
from runtime.kernel.determinism import derived_seed

_BROKERS: Mapping[str, type] = {
    "passthrough": PassthroughBrokerConfig,
    "simulated": SimulatedBrokerConfig,
}
_MODELS: Mapping[str, Mapping[str, type]] = {
    "latency": LATENCIES,
    "commission": COMMISSIONS,
    "slippage": SLIPPAGES,
}
_ALIASES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "commission": COMMISSION_ALIASES,
    "slippage": SLIPPAGE_ALIASES,
}


def broker_models(config: RunConfig, problems: Problems) -> dict[str, Any]:
    """Return the broker's models that a configuration names, noting what is wrong with them.

    What their user should know is added to the notes of the configuration's document.
    """
    models: dict[str, Any] = {}
    for kind in _MODELS:
        component: Component | None = getattr(config.broker, kind)
        if component is None:
            continue
        model = _model(kind, component, problems)
        if model is None:
            continue
        models[kind] = _seeded(model, config.seed, kind)
        if isinstance(model, Slippage):
            for words in model.cautions():
                _note(problems, f"broker.{kind}: {words}")
    return models


def _model(kind: str, component: Component, problems: Problems) -> Any | None:
    choices, key = _MODELS[kind], f"broker.{kind}"
    candidates = _ALIASES.get(kind, {}).get(component.type, (component.type,))
    knowing = [name for name in candidates if name in choices and _knows(choices[name], component)]
    name = (knowing or candidates)[0]
    cls = problems.choose(choices, name, f"{key}.type")
    return None if cls is None else structure(cls, component.options, key, problems)


def _knows(cls: type, component: Component) -> bool:
    """Return whether a model has all the options that are given."""
    return set(component.options) <= {written_name(field) for field in written_fields(cls)}


def _note(problems: Problems, words: str) -> None:
    notes = problems.document.notes
    if words not in notes:
        notes.append(words)


def _seeded(part: Any, seed: int, name: str) -> Any:
    """Return a part with a seed of its own, if it draws."""
    if isinstance(part, Seeded):
        return attrs.evolve(part, seed=derived_seed(seed, "broker", name))
    return part


def _with_seeds(options: SimulatedBrokerConfig, seed: int) -> SimulatedBrokerConfig:
    """Return options of which every part that draws has a seed; the models have theirs already."""
    parts = {
        field.name: _seeded(getattr(options, field.name), seed, field.name)
        for field in attrs.fields(SimulatedBrokerConfig)
        if field.name not in _MODELS
    }
    return attrs.evolve(options, **parts)


def fee_rate(commission: CommissionModel, instruments: Instruments) -> Decimal:
    """Return the fraction of the notional to reserve for commissions, 0 or more.

    The rates of instruments that the configuration defines are counted where they matter; those of
    instruments that come with a feed are not known yet.
    """
    rates = [commission.expected_rate, ZERO]
    if isinstance(commission, PolymarketCommission):
        rates += [each.fee_rate for each in instruments if each.fee_rate is not None]
    return max(rates)


def broker_core(
    config: RunConfig, instruments: Instruments, models: Mapping[str, Any], problems: Problems
) -> Callable[[Context], Core]:
    """Return what builds the broker, noting what is wrong with its options."""
    broker = config.broker
    options_class = problems.choose(_BROKERS, broker.type, "broker.type")
    if options_class is PassthroughBrokerConfig:
        for kind in models:
            expected = "nothing: a passthrough broker is free and at once"
            problems.add(f"broker.{kind}", expected=expected, found="a model")
        models = {}
    options: Any = None
    if options_class is not None:
        options = structure(options_class, broker.options, "broker", problems, given=models)
    if isinstance(options, SimulatedBrokerConfig):
        options = _with_seeds(options, config.seed)

    def make(context: Context) -> Core:
        if isinstance(options, PassthroughBrokerConfig):
            return PassthroughBroker(context, instruments, options)
        venue = SimulatedBroker(context, instruments, options)
        limit = options.rate_limit
        return venue if limit is None else Paced(venue, limit.build(options.venue), context.actor)

    return make
