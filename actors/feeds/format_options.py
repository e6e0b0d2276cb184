"""Options of formats, from the plain values of a configuration."""

from collections.abc import Mapping
from difflib import get_close_matches
from glob import glob
from pathlib import Path
from typing import Any, TypeVar

import attrs

from actors.errors import ConfigError, Problem
from actors.feeds.files import read_text
from actors.feeds.multivenue import MultiVenueOptions
from actors.venues.polymarket.market_data import MarketDataOptions
from actors.venues.polymarket.markets import Market, read_markets

_T = TypeVar("_T")

WHERE = "replay feed"
"""Stands in problems for the file of the configuration, which is not known here."""
_MARKETS = "markets"


def problem(key: str, expected: str, found: object, choices: tuple[str, ...] = ()) -> Problem:
    """Return a problem of the feed's configuration, with the nearest choice."""
    near = get_close_matches(str(found), choices, 1)
    return Problem(
        file=WHERE,
        key=key,
        expected=expected,
        found=str(found),
        nearest=near[0] if near else None,
    )


def plain_options(cls: type[_T], values: Mapping[str, Any]) -> _T:
    """Return the options of a class whose fields all have defaults.

    A field ``x_ns`` is written ``x``.

    Raises:
        ConfigError: With every unknown key and every wrong value.
    """
    fields = {field.name.removesuffix("_ns"): field.name for field in attrs.fields(cls)}  # type: ignore[arg-type]
    problems: list[Problem] = []
    for key, value in values.items():
        if key not in fields:
            expected = f"one of {', '.join(fields)}"
            problems.append(problem(f"options.{key}", expected, key, tuple(fields)))
            continue
        try:
            cls(**{fields[key]: value})
        except (ValueError, TypeError) as error:
            problems.append(_wrong_value(f"options.{key}", value, error))
    if problems:
        raise ConfigError(problems)
    return cls(**{fields[key]: value for key, value in values.items()})


def _wrong_value(key: str, value: object, error: Exception) -> Problem:
    """Return the problem that a validator names, in its words if they are like ours."""
    rule = str(error).removeprefix("expected ").partition(", found ")[0]
    return problem(key, rule, repr(value))


def polymarket_options(values: Mapping[str, Any]) -> MarketDataOptions:
    """Return Polymarket's options.

    Args:
        values: ``markets`` (path or glob of files with one market per line), ``names`` (ids by
            token), ``check_hash``.

    Raises:
        ConfigError: With every unknown key and every wrong value.
    """
    return plain_options(MarketDataOptions, _with_markets(values))


def multivenue_options(values: Mapping[str, Any]) -> MultiVenueOptions:
    """Return the options of raw frames: those of Polymarket, and the ticks of other venues.

    Raises:
        ConfigError: With every unknown key and every wrong value.
    """
    of_polymarket = {field.name for field in attrs.fields(MarketDataOptions)}
    own = {key: value for key, value in values.items() if key not in of_polymarket}
    inner = {key: value for key, value in values.items() if key in of_polymarket}
    return plain_options(MultiVenueOptions, {**own, "polymarket": polymarket_options(inner)})


def _with_markets(values: Mapping[str, Any]) -> dict[str, Any]:
    pattern = values.get(_MARKETS)
    if not isinstance(pattern, str):
        return dict(values)
    return {**values, _MARKETS: _read_markets(pattern)}


def _read_markets(pattern: str) -> tuple[Market, ...]:
    paths = sorted(glob(str(Path(pattern).expanduser())))
    if not paths:
        raise ConfigError([problem(f"options.{_MARKETS}", "an existing file or glob", pattern)])
    markets: list[Market] = []
    for path in paths:
        try:
            markets.extend(read_markets(read_text(Path(path))))
        except ValueError as error:
            found = f"{Path(path).name}: {error}"
            raise ConfigError([problem(f"options.{_MARKETS}", "a line per market", found)]) from error
    return tuple(markets)
