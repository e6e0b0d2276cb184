"""Every wanted item of these groups has a home and a test, or a reason why it has none.

``inventory.yaml`` maps each item to ``[module, test]`` or to a reason in words.
"""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
import yaml

from tests.ring.rig import REPOSITORY
from tests.shared import shared_file

GROUPS = "ADEFGHIJLMNPTU"
"""Modes, events, strategies, signals, orders, validation, risk, rates, execution, portfolio,
analytics, configuration, errors, lifecycle: letters of the rows."""
_ITEM = re.compile(r"\| (S[0-4]-\d+) \|.*\| ([^|]*) \|$")
_LEAST_WORDS = 4


@cache
def inventory() -> dict[str, list[str] | str]:
    """Return the file's contents."""
    path = Path(__file__).with_name("inventory.yaml")
    loaded: dict[str, list[str] | str] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


@cache
def names_in(path: str) -> frozenset[str]:
    """Return the names of a test module's functions and classes, ``Class::method`` too."""
    found = set()
    for node in ast.parse((REPOSITORY / path).read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                found.add(node.name)
            case ast.ClassDef():
                found.add(node.name)
                methods = (each for each in node.body if isinstance(each, ast.FunctionDef))
                found |= {f"{node.name}::{method.name}" for method in methods}
            case ast.Assign(targets=[ast.Name(id=name)]):
                found.add(name)  # TestCase = Machine.TestCase
            case _:
                pass
    return frozenset(found)


def what_is_wrong(item: str, entry: list[str] | str) -> str | None:
    """Return what is wrong with an entry, or None."""
    if isinstance(entry, str):
        is_reason = len(entry.split()) >= _LEAST_WORDS
        return None if is_reason else f"{item}: expected a reason in words, found {entry!r}"
    if len(entry) != 2:
        return f"{item}: expected a module and a test, found {entry}"
    module, test = entry
    if not (REPOSITORY / module).is_file():
        return f"{item}: there is no module {module}"
    path, _, name = test.partition("::")
    if not path.startswith("tests/") or not (REPOSITORY / path).is_file():
        return f"{item}: there is no test module {path}"
    if name not in names_in(path):
        return f"{item}: {path} has no test {name!r}"
    return None


def test_every_item_names_a_module_and_a_test_that_exist_or_a_reason() -> None:
    wrong = [what_is_wrong(item, entry) for item, entry in inventory().items()]
    assert [each for each in wrong if each is not None] == []
    built = [entry for entry in inventory().values() if isinstance(entry, list)]
    assert len(built) > 200


def test_no_item_is_told_twice() -> None:
    text = Path(__file__).with_name("inventory.yaml").read_text(encoding="utf-8")
    items = re.findall(r"^(S[0-4]-\d+):", text, re.MULTILINE)
    assert len(items) == len(set(items)) == len(inventory())


def test_no_item_of_these_groups_is_missing() -> None:
    lines = shared_file("spec/features.md").read_text(encoding="utf-8").splitlines()
    rows = {found[1]: found[2] for line in lines if (found := _ITEM.match(line))}
    assert len(rows) == 424
    wanted = {
        item
        for item, places in rows.items()
        if any(place.strip()[:1] in GROUPS for place in places.split(","))
    }
    assert sorted(wanted - set(inventory())) == []
    assert sorted(set(inventory()) - set(rows)) == []


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ("later", "expected a reason in words"),
        (["actors/errors.py"], "expected a module and a test"),
        (["actors/nothing.py", "tests/test_inventory.py::names_in"], "no module actors/nothing.py"),
        (["actors/errors.py", "tests/nothing.py::x"], "no test module tests/nothing.py"),
        (["actors/errors.py", "tests/test_inventory.py::nothing"], "has no test 'nothing'"),
    ],
)
def test_the_check_finds_what_is_not_there(entry: list[str] | str, complaint: str) -> None:
    found = what_is_wrong("S9-1", entry)
    assert found is not None
    assert complaint in found


def test_the_check_accepts_what_is_there() -> None:
    assert what_is_wrong("S9-1", ["actors/errors.py", "tests/test_inventory.py::names_in"]) is None
    assert what_is_wrong("S9-1", "not wanted here, and this is why") is None
