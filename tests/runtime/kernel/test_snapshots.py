"""Cores as bytes, and back: what is kept, what is shared, what is refused."""

import subprocess
import sys
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random  # noqa: TID251 - seeded below
from typing import Any

import attrs
import numpy as np
import pytest

from actors.actor import Context
from actors.model.instrument import Instrument, InstrumentId, Instruments
from runtime.kernel.snapshots import SnapshotError, Snapshotter
from tests.runtime.kernel.fakes import Note, context

HERE = ("actors", "tests")


class Plain:
    """A core that is kept as it is."""

    def __init__(self, given: Context | None = None, **state: Any) -> None:
        self.context = given
        self.random = None if given is None else given.random
        self.__dict__.update(state)

    def start(self, now_ns: int) -> list[Any]:
        return []

    def stop(self, now_ns: int) -> list[Any]:
        return []

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        return [message]

    def recover(self, history: Any) -> None: ...


class Saying(Plain):
    """A core that says its state."""

    def snapshot(self) -> Any:
        return self.__dict__.get("state")

    def reinstate(self, snapshot: Any) -> None:
        self.__dict__["taken"] = snapshot["value"]


def again(core: Any, snapshotter: Snapshotter | None = None) -> Any:
    """Return a core kept and read back."""
    snapshotter = snapshotter or Snapshotter(packages=HERE)
    body = snapshotter.freeze(core)
    assert body is not None
    return snapshotter.thaw(body, Plain())


def test_the_whole_graph_comes_back_with_what_is_one_object_being_one() -> None:
    shared_list = [Decimal("1.50"), Note("a", "text")]
    core = Plain(
        one=shared_list,
        other=shared_list,
        column=np.arange(4, dtype=np.int64),
        number=np.float64(0.5),
        queue=deque([1, 2], maxlen=5),
        ordered=OrderedDict(b=1, a=2),
        counts=defaultdict(int, x=3),
        names={"x", "y"},
        frozen=frozenset({1}),
        rows=range(3),
        dice=Random(7),
        half=partial(Note, "a"),
    )
    core.method = core.handle  # type: ignore[attr-defined]
    found = again(core)
    assert found.one == shared_list
    assert found.one is found.other
    assert found.column.tolist() == [0, 1, 2, 3]
    assert (found.number, found.queue, found.queue.maxlen) == (0.5, deque([1, 2]), 5)
    assert (found.ordered, found.counts, found.names) == (core.ordered, core.counts, core.names)  # type: ignore[attr-defined]
    assert (found.frozen, found.rows) == (frozenset({1}), range(3))
    assert found.half("text") == Note("a", "text")
    assert found.dice.random() == Random(7).random()
    assert found.method("said", 0) == ["said"]
    assert found.method.__self__ is found


def test_what_belongs_to_the_run_is_put_in_again() -> None:
    before, after = context("a", 0), context("a", 1)
    table, others = {"of": "the run"}, {"of": "the next"}
    body = Snapshotter({"table": _Table(table)}, HERE).for_context(before).freeze(Plain(before))
    assert body is not None
    found: Any = Snapshotter({"table": _Table(others)}, HERE).for_context(after).thaw(body, Plain())
    assert found.context is after
    assert found.random is after.random


@attrs.define
class _Table:
    values: dict[str, str]


def instrument(name: str) -> Instrument:
    return Instrument(
        id=InstrumentId(name), venue="v", symbol=name, tick=Decimal("0.01"), lot=Decimal(1)
    )


def instruments(*names: str) -> Instruments:
    """Return a table of instruments."""
    table = Instruments()
    for name in names:
        table.add(instrument(name))
    return table


def test_instruments_are_the_tables_own_and_what_is_missing_there_is_taken_in() -> None:
    before = instruments("A", "B")
    body = Snapshotter({"instruments": before}, HERE).freeze(Plain(table=before, one=before[1]))
    assert body is not None
    after = instruments("A")
    found: Any = Snapshotter({"instruments": after}, HERE).thaw(body, Plain())
    assert found.table is after
    assert found.one is after[1]
    assert [each.id for each in after] == ["A", "B"]


@pytest.mark.parametrize("names", [("B", "A"), ("C", "A", "B")])
def test_a_snapshot_of_other_instruments_does_not_count(names: tuple[str, ...]) -> None:
    body = Snapshotter({"instruments": instruments("A", "B")}, HERE).freeze(Plain())
    assert body is not None
    with pytest.raises(SnapshotError, match="the instruments are others now"):
        Snapshotter({"instruments": instruments(*names)}, HERE).thaw(body, Plain())


def iter_nothing() -> Iterator[int]:
    """Return a generator, which nobody can keep."""
    yield from ()


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (lambda: None, "cannot be kept"),
        (iter_nothing(), "cannot pickle 'generator' object"),
        (memoryview(b""), "cannot pickle '?memoryview'? object"),
        (Path("x"), "it holds a pathlib"),
        (subprocess.CompletedProcess("x", 0), "it holds a subprocess.CompletedProcess"),
    ],
)
def test_what_cannot_be_read_back_is_not_kept(state: Any, why: str) -> None:
    with pytest.raises(SnapshotError, match=why):
        Snapshotter(packages=HERE).freeze(Plain(state=state))


class Evil:
    """Calls something when it is read."""

    def __init__(self, what: Any, *arguments: Any) -> None:
        self.call = (what, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    "evil",
    [
        Evil(subprocess.call, ["true"]),
        Evil(eval, "1"),
        Evil(getattr, Plain(), "__class__"),
        Evil(np.load, "x"),
    ],
)
def test_nothing_is_called_that_is_not_admitted(evil: Evil) -> None:
    body = Snapshotter(packages=HERE).freeze(Plain(evil=evil))
    assert body is not None
    with pytest.raises(SnapshotError, match="admitted"):
        Snapshotter(packages=HERE).thaw(body, Plain())


def test_what_a_module_has_only_imported_is_not_its_own() -> None:
    body = Snapshotter(packages=HERE).freeze(Plain(note=Note("a")))
    assert body is not None
    forged = body.replace(b"Note", b"trio")
    with pytest.raises(SnapshotError, match=r"only imported|admitted"):
        Snapshotter(packages=HERE).thaw(forged, Plain())


@pytest.mark.parametrize(
    "body", [b"", b"P", b"X123", b"P" + bytes(40), b"J{}", b"J[", b"Pnonsense"]
)
def test_bytes_that_are_no_snapshot_are_refused(body: bytes) -> None:
    with pytest.raises(SnapshotError):
        Snapshotter(packages=HERE).thaw(body, Plain())


# A core that says its state


def test_a_core_that_says_its_state_takes_it_back_as_json() -> None:
    snapshotter = Snapshotter()
    body = snapshotter.freeze(Saying(state={"value": [1, "two", None]}))
    assert body is not None
    fresh = Saying()
    assert snapshotter.thaw(body, fresh) is fresh
    assert fresh.__dict__["taken"] == [1, "two", None]


def test_a_core_that_has_nothing_to_say_is_not_kept() -> None:
    assert Snapshotter().freeze(Saying()) is None


def test_what_is_no_json_is_not_kept() -> None:
    with pytest.raises(SnapshotError, match="cannot be told as JSON"):
        Snapshotter().freeze(Saying(state={"value": object()}))


def test_a_state_that_is_not_taken_back_is_told() -> None:
    body = Snapshotter().freeze(Saying(state={"other": 1}))
    assert body is not None
    with pytest.raises(SnapshotError, match=r"does not take back .*KeyError"):
        Snapshotter().thaw(body, Saying())


# Fingerprints


def test_a_fingerprint_names_class_and_configuration() -> None:
    snapshotter = Snapshotter(packages=HERE)
    first = snapshotter.fingerprint(Plain(limit=Decimal(1)))
    assert first == snapshotter.fingerprint(Plain(limit=Decimal(1)))
    assert first != snapshotter.fingerprint(Plain(limit=Decimal(2)))
    assert snapshotter.fingerprint(Saying(limit=1)) == snapshotter.fingerprint(Saying(limit=2))
    assert snapshotter.fingerprint(Saying()) != snapshotter.fingerprint(Plain())


def test_a_fingerprint_is_the_same_in_every_process() -> None:
    code = (
        "from tests.runtime.kernel.test_snapshots import Plain, Snapshotter, HERE\n"
        "core = Plain(names={'a', 'b', 'c', 'd'}, more=frozenset({'x', 'y', 'z'}))\n"
        "print(Snapshotter(packages=HERE).fingerprint(core))"
    )
    root = Path(__file__).parents[3]
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=root,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in "123"
    }
    assert len(found) == 1
