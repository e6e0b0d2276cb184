"""Options of formats, from the plain values of a configuration."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from glob import glob
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import attrs
import msgspec

from actors.errors import ConfigError, Problem
from actors.feeds.files import read_text
from actors.feeds.multivenue import MultiVenueOptions
from actors.feeds.settlement_prices import SettlementOptions
from actors.venues.polymarket.market_data import MarketDataOptions
from actors.venues.polymarket.markets import Market, read_markets, slug_names
from actors.venues.polymarket.settlement import read_up_down_markets

_T = TypeVar("_T")

WHERE = "replay feed"
"""Stands in problems for the file of the configuration, which is not known here."""
_MARKETS = "markets"
_NAMES = "names"


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


def plain_options(
    cls: type[_T], values: Mapping[str, Any], given: Mapping[str, Any] | None = None
) -> _T:
    """Return the options of an attrs class whose fields all have defaults.

    Args:
        cls: The class; a field ``x_ns`` is written ``x``.
        values: Plain values by key.
        given: Values of fields that are final already, by field name.

    Raises:
        ConfigError: With every unknown key and every wrong value.
    """
    attrs.resolve_types(cls)  # type: ignore[type-var]
    fields = {field.name.removesuffix("_ns"): field for field in attrs.fields(cls)}  # type: ignore[arg-type]
    final = dict(given or {})
    problems: list[Problem] = []
    for key, value in values.items():
        field = fields.get(key)
        if field is None:
            expected = f"one of {', '.join(fields)}"
            problems.append(problem(f"options.{key}", expected, key, tuple(fields)))
            continue
        try:
            plain = value if field.converter else msgspec.convert(value, field.type)
            cls(**{field.name: plain})
            final[field.name] = plain
        except (ValueError, TypeError) as error:
            problems.append(problem(f"options.{key}", _rule(error, field.type), repr(value)))
    if problems:
        raise ConfigError(problems)
    return cls(**final)


def _rule(error: Exception, kind: Any) -> str:
    """Return what a validator expects, from its words; the choices, where there are some."""
    for part in (kind, *get_args(kind)):
        if get_origin(part) is Literal:
            return " or ".join(map(str, get_args(part)))
    text = str(error).removeprefix("expected ").removeprefix("Expected ").replace("`", "")
    return text.partition(", found ")[0].partition(", got ")[0]


def polymarket_options(values: Mapping[str, Any]) -> MarketDataOptions:
    """Return Polymarket's options.

    Args:
        values: ``markets`` (path or glob of files with one market per line), ``names`` (our ids
            by token, or ``slug`` for ``<slug>-YES`` and ``<slug>-NO``), ``check_hash``.

    Raises:
        ConfigError: With every unknown key and every wrong value.
    """
    left = dict(values)
    given: dict[str, Any] = {}
    if _MARKETS in left:
        given[_MARKETS] = _read_markets(left.pop(_MARKETS))
    if left.get(_NAMES) == "slug":
        del left[_NAMES]
        given[_NAMES] = slug_names(given.get(_MARKETS, ()))
    return plain_options(MarketDataOptions, left, given)


def multivenue_options(values: Mapping[str, Any]) -> MultiVenueOptions:
    """Return the options of raw frames: those of Polymarket, and the ticks of other venues.

    Raises:
        ConfigError: With every unknown key and every wrong value.
    """
    of_polymarket = {field.name for field in attrs.fields(MarketDataOptions)}
    own = {key: value for key, value in values.items() if key not in of_polymarket}
    inner = {key: value for key, value in values.items() if key in of_polymarket}
    return plain_options(MultiVenueOptions, own, {"polymarket": polymarket_options(inner)})


def settlement_options(values: Mapping[str, Any]) -> SettlementOptions:
    """Return a settlement feed's options: ``markets`` is a path or glob of files.

    Raises:
        ConfigError: With every unknown key and every wrong value.
    """
    left = dict(values)
    given: dict[str, Any] = {}
    if _MARKETS in left:
        given[_MARKETS] = _lines_of(left.pop(_MARKETS), read_up_down_markets)
    return plain_options(SettlementOptions, left, given)


def _read_markets(pattern: object) -> tuple[Market, ...]:
    return _lines_of(pattern, read_markets)


def _lines_of(pattern: object, read: Callable[[Iterable[str]], Iterable[_T]]) -> tuple[_T, ...]:
    """Return what the files of a glob hold, one thing a line."""
    paths = sorted(glob(str(Path(pattern).expanduser()))) if isinstance(pattern, str) else []
    if not paths:
        raise ConfigError([problem(f"options.{_MARKETS}", "an existing file or glob", pattern)])
    found: list[_T] = []
    for path in paths:
        try:
            found.extend(read(read_text(Path(path))))
        except (ValueError, OSError) as error:
            wrong = f"{Path(path).name}: {error}"
            problems = [problem(f"options.{_MARKETS}", "one market per line", wrong)]
            raise ConfigError(problems) from error
    return tuple(found)
