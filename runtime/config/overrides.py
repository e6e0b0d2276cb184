"""``--set a.b[0].c=value``: changes to a document before it is given a meaning.

Items of a list are named by number or by their ``name``: ``strategies[0].parameters.fast=5`` and
``strategies[cross].parameters.fast=5``. A key that nothing knows is found when the document is
structured, like one that stands in the file.
"""

import re
from collections.abc import Mapping
from typing import Any

from runtime.config.document import child_key
from runtime.config.problems import NOTHING, Problems, nearest, shown
from runtime.config.yaml_reader import read_node

_PATH = re.compile(r"[^.\[\]=]+(?:\[[^\[\]]+\])*(?:\.[^.\[\]=]+(?:\[[^\[\]]+\])*)*")
_STEP = re.compile(r"\[([^\[\]]+)\]|([^.\[\]]+)")


class _NoWay(Exception):
    """A step of the path leads nowhere."""

    def __init__(self, key: str, expected: str, found: str, like: str | None = None) -> None:
        self.key = key
        self.expected = expected
        self.found = found
        self.like = like
        super().__init__(key)


def apply_override(assignment: str, problems: Problems, environment: Mapping[str, str]) -> None:
    """Set one ``path=value`` in the problems' document; the value is read as YAML."""
    path, equals, text = assignment.partition("=")
    path = path.strip()
    document = problems.document
    if not equals or not _PATH.fullmatch(path):
        document.origins[path] = "--set"
        problems.add(path, expected="KEY=VALUE, such as seed=7", found=shown(assignment))
        return
    origin = f"--set {path}"
    steps = [(index, name) for index, name in _STEP.findall(path)]
    try:
        _assign(document.data, steps, "", (text, origin, problems, environment))
    except _NoWay as dead_end:
        document.origins[dead_end.key] = origin
        problems.add(
            dead_end.key, expected=dead_end.expected, found=dead_end.found, nearest=dead_end.like
        )


_Value = tuple[str, str, Problems, Mapping[str, str]]


def _assign(holder: Any, steps: list[tuple[str, str]], key: str, value: _Value) -> None:
    """Walk one step; set the value after the last one."""
    (index, name), rest = steps[0], steps[1:]
    place = _item(holder, index, key) if index else _entry(holder, name, key)
    child = child_key(key, place)
    if not rest:
        text, origin, problems, environment = value
        _forget(problems.document.origins, child)
        problems.document.origins[child] = origin
        holder[place] = read_node(text, problems, environment, child)
        _forget(problems.document.origins, child)
        return
    if isinstance(place, str) and holder.get(place) is None:
        if rest[0][0]:
            raise _NoWay(child, "a list", NOTHING, nearest(place, set(holder) - {place}))
        holder[place] = {}
    _assign(holder[place], rest, child, value)


def _item(holder: Any, index: str, key: str) -> int:
    if not isinstance(holder, list):
        raise _NoWay(key, "a list", shown(holder))
    if index.isdecimal() and int(index) < len(holder):
        return int(index)
    names = [str(each.get("name")) if isinstance(each, dict) else "" for each in holder]
    if index in names:
        return names.index(index)
    expected = f"an item from 0 to {len(holder) - 1}" if holder else "items"
    raise _NoWay(key, expected, f"[{index}]", nearest(index, names))


def _entry(holder: Any, name: str, key: str) -> str:
    if not isinstance(holder, dict):
        raise _NoWay(key, "a mapping", shown(holder))
    return name


def _forget(origins: dict[str, str], key: str) -> None:
    """Drop where the parts of a value stood that is about to be replaced."""
    for each in [each for each in origins if each.startswith((f"{key}.", f"{key}["))]:
        del origins[each]
