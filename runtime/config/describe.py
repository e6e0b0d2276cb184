"""A configuration in a few lines, for people."""

from collections.abc import Iterable

from runtime.config.model import Component, RunConfig


def describe(config: RunConfig) -> list[str]:
    """Return what would run, one line for each kind of actor."""
    portfolio = config.portfolio
    return [
        f"run         {config.name}: {config.mode}, seed {config.seed}, journal {config.journal}",
        f"feeds       {_listed(f'{feed.name} ({feed.type})' for feed in config.feeds)}",
        f"strategies  {_listed(f'{each.name} ({each.type})' for each in config.strategies)}",
        f"portfolio   {portfolio.cash} {portfolio.currency}, policies: {_policies(config)}",
        f"broker      {_broker(config)}",
        *(f"note        {note}" for note in config.document.notes),
    ]


def _policies(config: RunConfig) -> str:
    named = _listed(policy.type for policy in config.portfolio.policies)
    return named if config.enable_risk_checks else f"{named}, which are not asked"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(words) or "none"


def _broker(config: RunConfig) -> str:
    broker = config.broker
    models: dict[str, Component | None] = {
        "latency": broker.latency,
        "commission": broker.commission,
        "slippage": broker.slippage,
    }
    chosen = [f"{kind}: {model.type}" for kind, model in models.items() if model is not None]
    return ", ".join([broker.type, *chosen])
