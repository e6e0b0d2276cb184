"""What real venues take, as of a date: quotas change without notice."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import attrs

from actors.brokers.rate_limiter import RateLimiterConfig

PACKAGED = date(2026, 11, 21)
"""When this version was made. A preset that is a year older by then fails a test: look it up."""


@attrs.frozen(kw_only=True)
class Preset:
    """One venue's quota for one kind of requests.

    Attributes:
        config: A bucket that never lets more through than the quota.
        as_of: When the source was read.
        source: Where it stands.
        quota: What it says, in its own units.
    """

    config: RateLimiterConfig
    as_of: date
    source: str
    quota: str


_READ = date(2026, 8, 1)
_POLYMARKET = "https://docs.polymarket.com/api-reference/rate-limits"
_COINBASE = "https://docs.cdp.coinbase.com/exchange/rest-api/rate-limits"

PRESETS: Mapping[str, Preset] = {
    "polymarket": Preset(
        config=RateLimiterConfig.polymarket_default(),
        as_of=_READ,
        source=_POLYMARKET,
        quota="9000 in 10 s for all of the CLOB; the preset is an old, careful habit",
    ),
    "polymarket_orders": Preset(
        config=RateLimiterConfig(Decimal(60), 2900),
        as_of=_READ,
        source=_POLYMARKET,
        quota="POST /order: 3500 in 10 s and 36000 in 10 min",
    ),
    "polymarket_cancels": Preset(
        config=RateLimiterConfig(Decimal(50), 2500),
        as_of=_READ,
        source=_POLYMARKET,
        quota="DELETE /order: 3000 in 10 s and 30000 in 10 min",
    ),
    "coinbase": Preset(
        config=RateLimiterConfig(Decimal(15), 30),
        as_of=_READ,
        source=_COINBASE,
        quota="private requests of a profile: 15 a second, in bursts up to 30",
    ),
}
"""Quotas by venue and kind of requests. They are per account or per address: accounts that share
an address share them."""
