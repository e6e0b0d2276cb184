"""The broker for a venue that is somewhere else, and the venue's end of the link."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import attrs

from actors.actor import Context, Core
from actors.brokers.capabilities import Capabilities, known_words
from actors.brokers.rate_limiter import RateLimiterConfig
from actors.brokers.remote.broker import RemoteBroker
from actors.brokers.remote.config import RemoteBrokerConfig
from actors.brokers.remote.paced import PacedRemote
from actors.venues.fake.config import FakeVenueConfig
from actors.venues.fake.venue import FakeVenue
from actors.venues.traits import VenueTraits
from runtime.config.model import Component, RunConfig
from runtime.config.problems import Problems
from runtime.config.structure import structure
from runtime.kernel.determinism import derived_seed
from runtime.links.socket_adapter import SocketVenueConfig
from runtime.wiring.blueprint import MakeShell
from runtime.wiring.socket_venue import socket_venue

REMOTE = "venue"
"""The broker's type in a configuration."""

MakeCore = Callable[[Context], Core]

VENUES: Mapping[str, type] = {"fake": FakeVenueConfig, "socket": SocketVenueConfig}


def _default(name: str) -> Any:
    """Return a field that has the default and the rule of the broker's own."""
    field = getattr(attrs.fields(RemoteBrokerConfig), name)
    return attrs.field(default=field.default, validator=field.validator)


@attrs.frozen(kw_only=True)
class RemoteOptions:
    """What may stand under ``broker:`` for a remote one.

    Attributes:
        venue: Which venue, with its own options.
        lacks: What it does not know: order types, lifetimes, ``REPLACE``, ``REDUCE_ONLY``.
        rate_limit: How many requests may leave; more than that wait, cancels first.
        request_timeout_ns: See :class:`RemoteBrokerConfig`, as the others.
    """

    venue: Component
    lacks: tuple[str, ...] = attrs.field(default=(), validator=known_words)
    rate_limit: RateLimiterConfig | None = None
    request_timeout_ns: int = _default("request_timeout_ns")
    reconcile_every_ns: int = _default("reconcile_every_ns")
    read_attempts: int = _default("read_attempts")
    read_backoff_ns: int = _default("read_backoff_ns")
    settle_after_ns: int = _default("settle_after_ns")

    def broker(self, traits: VenueTraits) -> RemoteBrokerConfig:
        """Return what the broker is told."""
        return RemoteBrokerConfig(
            traits=traits,
            capabilities=Capabilities.without(self.lacks),
            request_timeout_ns=self.request_timeout_ns,
            reconcile_every_ns=self.reconcile_every_ns,
            read_attempts=self.read_attempts,
            read_backoff_ns=self.read_backoff_ns,
            settle_after_ns=self.settle_after_ns,
        )


@attrs.frozen(kw_only=True)
class RemoteParts:
    """What builds the broker and the venue's end; ``fee_rate`` is what the venue takes.

    ``make_shell`` builds what speaks to a venue that is outside of this process.
    """

    make_broker: MakeCore
    make_venue: MakeCore
    fee_rate: Decimal
    make_shell: MakeShell | None = None


def is_remote(config: RunConfig) -> bool:
    """Return whether a run's orders go to a venue that is somewhere else."""
    return config.broker.type == REMOTE


def remote_parts(
    config: RunConfig, models: Mapping[str, Any], problems: Problems
) -> RemoteParts | None:
    """Return what builds a remote broker and its venue; None after noting what is wrong."""
    for kind in models:
        expected = "nothing: what a venue does is its own"
        problems.add(f"broker.{kind}", expected=expected, found="a model")
    options = structure(RemoteOptions, config.broker.options, "broker", problems)
    if options is None:
        return None
    key = "broker.venue"
    venue_class = problems.choose(VENUES, options.venue.type, f"{key}.type")
    if venue_class is None:
        return None
    venue = structure(venue_class, options.venue.options, key, problems)
    if venue is None:
        return None
    if isinstance(venue, SocketVenueConfig):
        if not config.mode.is_real_time:
            expected = "one that lives in virtual time, or mode: paper or live"
            problems.add(f"{key}.type", expected=expected, found=repr(options.venue.type))
        make_venue, make_shell = socket_venue(venue)
    else:
        venue = _completed(venue, config)
        make_venue, make_shell = _fake(venue), None
    return RemoteParts(
        make_broker=_broker(options, venue.traits),
        make_venue=make_venue,
        fee_rate=venue.fee_rate,
        make_shell=make_shell,
    )


def _completed(venue: FakeVenueConfig, config: RunConfig) -> FakeVenueConfig:
    """Return a fake venue with the run's seed and the account's money, if it has none of its own.

    So both sides begin with the same.
    """
    account = config.portfolio
    balances = {**account.balances, account.currency: account.starting_cash}
    seed = derived_seed(config.seed, "broker", "venue") if venue.seed is None else venue.seed
    return attrs.evolve(
        venue, seed=seed, currency=account.currency, balances=venue.balances or balances
    )


def _fake(venue: FakeVenueConfig) -> MakeCore:
    def make_venue(context: Context) -> Core:
        return FakeVenue(context, venue)

    return make_venue


def _broker(options: RemoteOptions, traits: VenueTraits) -> MakeCore:
    settings = options.broker(traits)
    limit = options.rate_limit

    def make_broker(context: Context) -> Core:
        broker = RemoteBroker(context, settings)
        if limit is None:
            return broker
        return PacedRemote(broker, limit.build(settings.traits.name), context.actor)

    return make_broker
