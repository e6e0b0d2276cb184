"""Snapshots: a core as bytes, and back.

A core that says what its state is (``snapshot`` and ``reinstate``, as strategies do) is kept as
JSON. Of any other the object graph is pickled, without what belongs to the run: the context, the
instruments and what else the wiring names are put in again when the core is read back. Reading
admits classes of the actors' own package and a few of the libraries, and nothing else.

A snapshot counts only for a core of the same fingerprint: same version, same sources, same Python,
same configuration. Whoever finds another replays the whole history instead.
"""

import collections
import decimal
import functools
import io
import pickle
import platform
import types
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from importlib import metadata
from pathlib import Path
from random import Random  # noqa: TID251 - admitted in snapshots; generators come from the seed
from typing import Any, Protocol, runtime_checkable

import msgspec
import numpy as np

import actors.actor
from actors.actor import Context, Core
from actors.errors import KernelError

_DISTRIBUTION = "bulkhead-trading"
_PICKLED, _SAID = b"P", b"J"
_PROTOCOL = 4

_CLASSES: Mapping[tuple[str, str], Any] = {
    (kind.__module__, kind.__qualname__): kind
    for kind in (
        collections.OrderedDict,
        collections.defaultdict,
        collections.deque,
        bool,
        decimal.Decimal,
        dict,
        float,
        frozenset,
        functools.partial,
        int,
        list,
        range,
        Random,
        set,
        str,
        tuple,
    )
}
_NUMPY = frozenset(
    {"_reconstruct", "scalar", "ndarray", "dtype", "_frombuffer", "float64", "int64", "bool"}
)


class SnapshotError(KernelError):
    """A core cannot be kept, or not be read back: it is rebuilt from its whole history."""


@runtime_checkable
class SaysItsState(Protocol):
    """A core that says what its state is, and takes it back."""

    def snapshot(self) -> Any:
        """Return plain values for JSON; None if it cannot say."""
        ...

    def reinstate(self, snapshot: Any) -> None:
        """Go back to a snapshot: called on a fresh core, before it recovers what came after."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """Something of the run that is no part of a core, but holds values that cores hold too."""

    def remember(self) -> Sequence[object]:
        """Return its values: they must be known again before a snapshot can be read."""
        ...

    def recall(self, known: Sequence[object]) -> Sequence[object] | None:
        """Know them again; return its own values for them, None if it has others."""
        ...


class Snapshotter:
    """Turns the cores of one actor into bytes, and back.

    Args:
        shared: What of a core's graph belongs to the run, by name.
        packages: The packages whose classes are admitted, besides a few of the libraries.
    """

    def __init__(
        self, shared: Mapping[str, object] | None = None, packages: Iterable[str] = ("actors",)
    ) -> None:
        self._shared = dict(shared or {})
        self._prefixes = tuple(f"{package}." for package in packages)

    def fingerprint(self, fresh: Core) -> str:
        """Return what must be the same for a snapshot to count.

        Args:
            fresh: A core that has just been built: its configuration is in it.

        Raises:
            SnapshotError: If such a core cannot be kept at all.
        """
        parts = [platform.python_version(), np.__version__, msgspec.__version__, _version()]
        parts += [fresh.__class__.__module__, fresh.__class__.__qualname__]
        body = b""
        if not isinstance(fresh, SaysItsState):
            parts.append(_sources())
            body = self._dumps(fresh, self._shared, canonical=True)
        return blake2b("\n".join(parts).encode() + body, digest_size=16).hexdigest()

    def freeze(self, core: Core) -> bytes | None:
        """Return a core as bytes; None if it does not say its state.

        Raises:
            SnapshotError: If there is something in it that cannot be kept.
        """
        if isinstance(core, SaysItsState):
            try:
                state = core.snapshot()
            except Exception as error:  # its author's bug must not end the run
                raise SnapshotError(f"it does not tell its state: {error!r}") from error
            try:
                return None if state is None else _SAID + msgspec.json.encode(state)
            except (TypeError, ValueError, OverflowError) as error:
                raise SnapshotError(f"what it saves cannot be told as JSON: {error}") from error
        known = {name: list(each.remember()) for name, each in self._rememberers()}
        header = self._dumps(known, self._shared)
        body = self._dumps(core, {**self._shared, **_numbered(known)})
        return b"".join((_PICKLED, len(header).to_bytes(8, "big"), header, body))

    def thaw(self, body: bytes, fresh: Core) -> Core:
        """Return the core of :meth:`freeze`, as one of the incarnation that ``fresh`` is of.

        Args:
            body: What :meth:`freeze` has returned.
            fresh: A core that has just been built, for a core that takes back what it has said.

        Raises:
            SnapshotError: If it cannot be read. ``fresh`` may be half restored then.
        """
        kind, state = body[:1], body[1:]
        if kind == _SAID and isinstance(fresh, SaysItsState):
            try:
                fresh.reinstate(msgspec.json.decode(state))
            except Exception as error:
                raise SnapshotError(f"it does not take back what it saved: {error!r}") from error
            return fresh
        if kind != _PICKLED:
            raise SnapshotError("not a snapshot of such a core")
        end = 8 + int.from_bytes(state[:8], "big")
        known = self._loads(state[8:end], self._shared)
        recalled: dict[str, Sequence[object]] = {}
        for name, each in self._rememberers():
            values = each.recall(known[name])
            if values is None:
                raise SnapshotError(f"the {name} are others now")
            recalled[name] = values
        core: Core = self._loads(state[end:], {**self._shared, **_numbered(recalled)})
        return core

    def _loads(self, body: bytes, shared: Mapping[str, object]) -> Any:
        try:
            return _Reader(io.BytesIO(body), shared, self._prefixes).load()
        except Exception as error:  # unpickling bad bytes may raise anything
            raise SnapshotError(f"it cannot be read: {error!r}") from error

    def for_context(self, context: Context) -> "Snapshotter":
        """Return one that puts this context in where the core's own was."""
        mine = {"context": context, "random": context.random}
        if context.archive is not None:
            mine["archive"] = context.archive
        made = Snapshotter({**self._shared, **mine}, ())
        made._prefixes = self._prefixes
        return made

    def _rememberers(self) -> list[tuple[str, Remembers]]:
        return [(name, each) for name, each in self._shared.items() if isinstance(each, Remembers)]

    def _dumps(self, what: Any, shared: Mapping[str, object], *, canonical: bool = False) -> bytes:
        buffer = io.BytesIO()
        writer = (_CanonicalWriter if canonical else _Writer)(buffer, shared)
        try:
            writer.dump(what)
        except Exception as error:  # pickling may call anything of anybody's
            raise SnapshotError(f"it cannot be kept: {error}") from error
        for kind in writer.kinds:
            if not self._is_admitted(kind):
                name = f"{kind.__module__}.{kind.__qualname__}"
                raise SnapshotError(f"it holds a {name}, which is not read back")
        return buffer.getvalue()

    def _is_admitted(self, kind: type) -> bool:
        module = kind.__module__
        if module.startswith(self._prefixes):
            return True
        return (module, kind.__qualname__) in _CLASSES or module.partition(".")[0] == "numpy"


def _numbered(values: Mapping[str, Sequence[object]]) -> dict[str, object]:
    """Return values by name and number."""
    return {
        f"{name} {number}": value
        for name, some in values.items()
        for number, value in enumerate(some)
    }


def _stand_in(name: str) -> Any:
    """Stand in a pickle for what is shared; the reader has its own instead."""
    raise pickle.UnpicklingError(f"nothing is shared as {name}")


class _Writer(pickle.Pickler):
    """Pickles a graph without what is shared; takes notice of the classes in it."""

    def __init__(self, file: io.BytesIO, shared: Mapping[str, object]) -> None:
        super().__init__(file, _PROTOCOL)
        self.kinds: set[type] = set()
        self._names = {id(each): name for name, each in shared.items()}

    def reducer_override(self, obj: Any) -> Any:
        """Say how to keep an object that is no plain value: by its name, if it is shared."""
        name = self._names.get(id(obj))
        if name is not None:
            return _stand_in, (name,)
        kind = obj.__class__
        if kind not in self.kinds and not issubclass(kind, _NAMED):
            self.kinds.add(kind)
        return NotImplemented


_NAMED = (type, types.BuiltinFunctionType, types.FunctionType, types.MethodType)
"""What is pickled by its name: it is the reader that refuses what is not admitted."""


class _CanonicalWriter(_Writer):
    """Pickles sets in one order, whatever the process: for a digest only."""

    def persistent_id(self, obj: Any) -> Any:
        """Return the members of a set in order."""
        return sorted(map(repr, obj)) if isinstance(obj, set | frozenset) else None


class _Reader(pickle.Unpickler):
    """Reads a graph back, of admitted classes only."""

    def __init__(
        self, file: io.BytesIO, shared: Mapping[str, object], prefixes: tuple[str, ...]
    ) -> None:
        super().__init__(file)
        self._shared = shared
        self._prefixes = prefixes

    def find_class(self, module: str, name: str) -> Any:
        """Return a class or function that is admitted.

        Raises:
            pickle.UnpicklingError: If it is not.
        """
        if (module, name) == (__name__, _stand_in.__name__):
            return self._shared.__getitem__
        if (module, name) == ("builtins", "getattr"):
            return _attribute_of_admitted(self._prefixes)
        if (module, name) == ("msgspec._utils", "rebuild"):
            return super().find_class(module, name)
        if module.partition(".")[0] == "numpy" and name in _NUMPY:
            return super().find_class(module, name)
        found = _CLASSES.get((module, name))
        if found is not None:
            return found
        if module.startswith(self._prefixes):
            return _own(super().find_class(module, name), module, self._prefixes)
        raise pickle.UnpicklingError(f"{module}.{name} is not admitted")


def _own(found: Any, module: str, prefixes: tuple[str, ...]) -> Any:
    """Return what a module defines itself; what it has imported is not its own."""
    if not str(getattr(found, "__module__", None)).startswith(prefixes):
        raise pickle.UnpicklingError(f"{module} has only imported {found!r}")
    return found


def _attribute_of_admitted(prefixes: tuple[str, ...]) -> Any:
    """Return a getattr that gives methods of admitted objects, and nothing that is private."""

    def get(owner: Any, name: str) -> Any:
        kind = owner if isinstance(owner, type) else owner.__class__
        plain = (
            kind.__module__.startswith(prefixes) or (kind.__module__, kind.__qualname__) in _CLASSES
        )
        if not plain or name.startswith("__"):
            raise pickle.UnpicklingError(f"{name} of a {kind.__qualname__} is not admitted")
        return getattr(owner, name)

    return get


@lru_cache(maxsize=1)
def _version() -> str:
    try:
        return metadata.version(_DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return "not installed"


@lru_cache(maxsize=1)
def _sources() -> str:
    """Return a digest of the actors' sources."""
    digest = blake2b(digest_size=16)
    folder = Path(actors.actor.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        digest.update(str(path.relative_to(folder)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
