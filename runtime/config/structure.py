"""Builds the value of a class from plain data, noting every problem with its key."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import attrs
from cattrs.errors import (
    BaseValidationError,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
)

from runtime.config.conversion import class_hook, written_fields, written_name
from runtime.config.document import child_key
from runtime.config.problems import NOTHING, UNKNOWN, Problems, nearest, shown
from runtime.config.scalars import Mismatch

T = TypeVar("T")

_RULE = re.compile(
    r"'(?P<field>\w+)' must (?:be )?(?P<rule>.*?)(?:: (?P<value>.*)| \(got (?P<got>.*?)[,)].*)"
)
_IN_WORDS = re.compile(r"(?:(?P<what>.*?): )?expected (?P<rule>.*), found (?P<value>.*)")


@attrs.frozen
class _Wrong:
    """What is wrong at one key."""

    key: str
    expected: str
    found: str
    nearest: str | None = None


def structure(
    cls: type[T],
    data: Mapping[str, Any],
    key: str,
    problems: Problems,
    given: Mapping[str, Any] | None = None,
) -> T | None:
    """Return an object of an attrs class, or None after noting what is wrong.

    Args:
        cls: The class; its fields say which keys and values are allowed.
        data: The mapping as it was read.
        key: Where the mapping stands, such as ``strategies[0].parameters``.
        problems: Where problems are noted.
        given: Values of fields that are final already, by field name.
    """
    built: T | None = None
    given = given or {}
    try:
        built = class_hook(cls, given)({**data, **given}, cls)
    except (Mismatch, BaseValidationError) as error:
        for wrong in _walk(error, key):
            problems.add(
                wrong.key, expected=wrong.expected, found=wrong.found, nearest=wrong.nearest
            )
    return built


def _walk(error: Exception, key: str) -> Iterator[_Wrong]:
    """Yield what is wrong, from the tree of errors that the library has built."""
    if isinstance(error, ClassValidationError):
        names = {field.name: written_name(field) for field in written_fields(error.cl)}
        with_notes, others = error.group_exceptions()
        for inner, note in with_notes:
            yield from _walk(inner, child_key(key, names[note.name]))
        for inner in others:
            yield from _about_class(inner, error.cl, key)
    elif isinstance(error, IterableValidationError):
        for inner, item in error.group_exceptions()[0]:
            yield from _walk(inner, child_key(key, item.index))
    elif isinstance(error, Mismatch):
        yield _Wrong(key, error.expected, error.found, error.near)
    elif isinstance(error, KeyError):
        yield _Wrong(key, "a value", NOTHING)
    else:
        yield _in_words(error, key)


def _about_class(error: Exception, cls: type, key: str) -> Iterator[_Wrong]:
    """Yield what is wrong with a class's mapping as a whole."""
    fields = written_fields(cls)
    if not isinstance(error, ForbiddenExtraKeysError):
        names = {name: written_name(field) for field in fields for name in _spellings(field)}
        yield _in_words(error, key, names)
        return
    keys = sorted(written_name(field) for field in fields)
    choices = f"one of the keys {', '.join(keys)}" if keys else "no keys"
    for name in sorted(error.extra_fields):
        like = nearest(name, keys)
        expected = "a known key" if like else choices
        yield _Wrong(child_key(key, name), expected, UNKNOWN, like)


def _spellings(field: "attrs.Attribute[Any]") -> tuple[str, str]:
    return field.name, written_name(field)


def _in_words(error: Exception, key: str, names: Mapping[str, str] | None = None) -> _Wrong:
    """Return what a validator says: its own words, if they are of the form that we use.

    Words about a field (``max_size: expected 0 or more, found -1``) are put under its key.
    """
    text = str(error.args[0]) if error.args else type(error).__name__
    rule = _RULE.fullmatch(text)
    if rule is not None:
        field = (names or {}).get(rule["field"])
        where = child_key(key, field) if field else key
        return _Wrong(where, rule["rule"], rule["value"] or rule["got"])
    words = _IN_WORDS.fullmatch(text)
    if words is None:
        return _Wrong(key, "values that are allowed together", shown(text))
    what = words["what"]
    if names and what in names:
        return _Wrong(child_key(key, names[what]), words["rule"], words["value"])
    if what == key.rpartition(".")[2]:
        what = ""  # the key tells it already
    return _Wrong(key, words["rule"], f"{words['value']} ({what})" if what else words["value"])
