"""How plain data becomes values of each type: strict, with problems in words.

The library (cattrs) finds the types and collects the errors; what is here says which plain values
a type accepts. A field ``x_ns`` of an attrs class is written ``x`` and holds a duration (a time,
if it is called ``start_ns``, ``end_ns``, ``from_ns`` or ``to_ns``).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import attrs
import cattrs
from cattrs.errors import IterableValidationError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn, override

from runtime.config.scalars import SCALARS, Hook, Mismatch, literal
from runtime.config.units import parse_duration, parse_time

REST = "rest"
"""Metadata of the field that takes every key that no other field has."""
HIDDEN = "hidden"
"""Metadata of a field that is not written in the file."""

_SEQUENCES = (list, tuple, Sequence)
_TIMES = frozenset({"start_ns", "end_ns", "from_ns", "to_ns"})


def written_name(field: "attrs.Attribute[Any]") -> str:
    """Return the key under which a field stands in a file: ``interval`` for ``interval_ns``."""
    return field.name.removesuffix("_ns") if is_nanoseconds(field) else field.name


def is_nanoseconds(field: "attrs.Attribute[Any]") -> bool:
    """Return whether a field holds a duration or a time."""
    return field.name.endswith("_ns") and field.type in (int, int | None)


def is_time(field: "attrs.Attribute[Any]") -> bool:
    """Return whether a field of nanoseconds holds a moment, not a duration."""
    return field.name in _TIMES


def written_fields(cls: type) -> "list[attrs.Attribute[Any]]":
    """Return the fields of an attrs class that a file may set, with their types resolved."""
    fields = attrs.fields(attrs.resolve_types(cls))
    return [field for field in fields if field.init and HIDDEN not in field.metadata]


def class_hook(cls: type, given: Iterable[str] = ()) -> Hook:
    """Return what builds an attrs class from a mapping.

    Args:
        cls: The class.
        given: Names of fields whose values in the mapping are final already.
    """
    fields = written_fields(cls)
    rest = next((field.name for field in fields if REST in field.metadata), None)
    rules = {
        field.name: override(
            rename=written_name(field),
            struct_hook=_as_it_is if field.name in given else _field_hook(field, cls),
        )
        for field in fields
    }
    hidden = {field.name: override(omit=True) for field in attrs.fields(cls)}
    keywords: dict[str, Any] = {**hidden, **rules, "_cattrs_forbid_extra_keys": True}
    build: Hook = make_dict_structure_fn(cls, CONVERTER, **keywords)
    known = {written_name(field) for field in fields} - {rest}

    def structure(value: Any, _type: Any) -> Any:
        if not isinstance(value, Mapping):
            raise Mismatch("a mapping", value)
        if rest is not None:
            left = {key: each for key, each in value.items() if key not in known}
            value = {**{key: value[key] for key in value if key in known}, rest: left}
        return build(value, cls)

    return structure


def _as_it_is(value: Any, _type: Any) -> Any:
    return value


def _field_hook(field: "attrs.Attribute[Any]", cls: type) -> Hook:
    """Return what builds one field and judges it, so that each field's problem is found."""
    convert = _nanoseconds_hook(field) if is_nanoseconds(field) else CONVERTER.structure
    validator = field.validator if _stands_alone(field.validator, cls) else None

    def structure(value: Any, target: Any) -> Any:
        converted = convert(value, target)
        if validator is not None:
            validator(None, field, converted)
        return converted

    return structure


def _stands_alone(validator: Any, cls: type) -> bool:
    """Return whether a validator needs no object to judge a value: it is no method of the class."""
    parts = getattr(validator, "_validators", (validator,))
    return not any(
        getattr(part, "__qualname__", "").startswith(f"{cls.__qualname__}.") for part in parts
    )


def _nanoseconds_hook(field: "attrs.Attribute[Any]") -> Hook:
    expected = "a duration such as 5ms, 1s, 2m, 1h or 1d"
    parse = parse_duration
    if is_time(field):
        expected, parse = "a UTC time such as 2026-01-15 or 2026-01-15T12:00:00Z", parse_time
    accepts_none = field.type is not int

    def structure(value: Any, _type: Any) -> int | None:
        if value is None and accepts_none:
            return None
        if value == 0 and not isinstance(value, bool):
            return 0
        if isinstance(value, str):
            try:
                return parse(value)
            except ValueError:
                raise Mismatch(expected, value) from None
        raise Mismatch(expected, value)

    return structure


def _sequence(value: Any, target: Any) -> Any:
    if not isinstance(value, list | tuple):
        raise Mismatch("a list", value)
    kinds = [kind for kind in get_args(target) if kind is not Ellipsis] or [Any]
    is_fixed = get_origin(target) is tuple and Ellipsis not in get_args(target)
    if is_fixed and len(kinds) != len(value):
        raise Mismatch(f"a list of {len(kinds)}", value)
    pairs = enumerate(zip(value, kinds if is_fixed else kinds[:1] * len(value), strict=True))
    found = _each(((i, each, kind) for i, (each, kind) in pairs), target)
    return list(found.values()) if get_origin(target) is list else tuple(found.values())


def _mapping(value: Any, target: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise Mismatch("a mapping", value)
    kind = (*get_args(target), Any, Any)[1]
    return _each(((key, each, kind) for key, each in value.items()), target)


def _each(items: Iterable[tuple[Any, Any, Any]], target: Any) -> dict[Any, Any]:
    """Return every item structured; raise all their errors together."""
    found: dict[Any, Any] = {}
    errors: list[Exception] = []
    for index, value, kind in items:
        try:
            found[index] = CONVERTER.structure(value, kind)
        except (ValueError, TypeError, cattrs.BaseValidationError) as error:
            error.add_note(IterableValidationNote(f"item {index}", index, kind))
            errors.append(error)
    if errors:
        raise IterableValidationError("items", errors, target)
    return found


def _union(value: Any, target: Any) -> Any:
    kinds = get_args(target)
    if value is None and NoneType in kinds:
        return None
    kinds = tuple(kind for kind in kinds if kind is not NoneType)
    if len(kinds) == 1:
        return CONVERTER.structure(value, kinds[0])
    expected: list[str] = []
    # what is wrong inside of a list or a mapping is told as it is: no other kind would take it
    for kind in sorted(kinds, key=lambda kind: type(value) is not kind):
        try:
            return CONVERTER.structure(value, kind)
        except Mismatch as mismatch:
            expected.append(mismatch.expected)
    raise Mismatch(" or ".join(expected), value)


def _is_sequence(kind: Any) -> bool:
    return kind in _SEQUENCES or get_origin(kind) in _SEQUENCES


def _is_one_of(*origins: Any) -> Callable[[Any], bool]:
    return lambda target: target in origins or get_origin(target) in origins


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True)
    for kind, hook in SCALARS.items():
        converter.register_structure_hook(kind, hook)
    converter.register_structure_hook_func(_is_sequence, _sequence)
    converter.register_structure_hook_func(_is_one_of(dict, Mapping), _mapping)
    converter.register_structure_hook_func(_is_one_of(Union, UnionType), _union)
    converter.register_structure_hook_func(_is_one_of(Literal), literal)
    converter.register_structure_hook_factory(attrs.has, class_hook)
    return converter


CONVERTER = _converter()
