"""Whether two objects are alike: compared part by part, however their parts are shared."""

from collections import deque
from collections.abc import Iterator, Mapping, Set
from functools import partial
from random import Random  # noqa: TID251 - the type only
from types import MethodType
from typing import Any

import attrs
import msgspec
import numpy as np

_PLAIN = (str, bytes, int, float, type, type(None))


def unlike(one: Any, other: Any, *, without: Set[str] = frozenset()) -> list[str]:
    """Return where two object graphs differ, as paths; empty if they are alike.

    Args:
        one: An object.
        other: Another.
        without: Names of attributes that are not looked at.
    """
    return list(_Comparison(without).differences(one, other, ""))


@attrs.define
class _Comparison:
    without: Set[str]
    _seen: set[tuple[int, int]] = attrs.field(factory=set)
    _kept: list[Any] = attrs.field(factory=list)
    """Keeps alive what was seen, so that no id comes twice."""

    def differences(self, one: Any, other: Any, path: str) -> Iterator[str]:
        """Yield where two objects differ."""
        if one is other or (id(one), id(other)) in self._seen:
            return
        self._seen.add((id(one), id(other)))
        self._kept += (one, other)
        if one.__class__ is not other.__class__:
            yield f"{path}: {one!r} and {other!r}"
        elif isinstance(one, _PLAIN):
            if one != other:
                yield f"{path}: {one!r} and {other!r}"
        else:
            yield from self._of_parts(one, other, path)

    def _of_parts(self, one: Any, other: Any, path: str) -> Iterator[str]:
        if isinstance(one, Mapping):
            yield from self.differences(list(one), list(other), f"{path}.keys")
            for key in one.keys() & other.keys():
                yield from self.differences(one[key], other[key], f"{path}[{key!r}]")
        elif isinstance(one, list | tuple | deque):
            yield from self.differences(len(one), len(other), f"{path}.length")
            for number, (mine, its) in enumerate(zip(one, other, strict=False)):
                yield from self.differences(mine, its, f"{path}[{number}]")
        elif isinstance(one, Set):
            if one != other:
                yield f"{path}: {one!r} and {other!r}"
        else:
            yield from self._of_objects(one, other, path)

    def _of_objects(self, one: Any, other: Any, path: str) -> Iterator[str]:
        parts, its_parts = _parts(one), _parts(other)
        if parts is None or its_parts is None:
            if bool(np.any(one != other)):
                yield f"{path}: {one!r} and {other!r}"
            return
        for name in sorted(parts.keys() | its_parts.keys()):
            if name not in self.without:
                yield from self.differences(parts.get(name), its_parts.get(name), f"{path}.{name}")


def _parts(value: Any) -> dict[str, Any] | None:
    """Return what an object is made of; None for one that can only be compared as a whole."""
    if isinstance(value, MethodType):
        return {"self": value.__self__, "of": value.__func__}
    if isinstance(value, partial):
        return {"of": value.func, "given": value.args, "named": value.keywords}
    if isinstance(value, Random):
        return {"state": value.getstate()}
    if isinstance(value, msgspec.Struct):
        return {name: getattr(value, name) for name in value.__struct_fields__}
    parts = dict(getattr(value, "__dict__", {}))
    for kind in type(value).__mro__:
        slots = getattr(kind, "__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if hasattr(value, name) and name != "__weakref__":
                parts[name] = getattr(value, name)
    return parts or (None if not type(value).__module__.startswith("actors.") else {})
