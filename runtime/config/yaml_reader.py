"""YAML to plain data that knows its lines, with the scalars of YAML 1.2.

So ``on`` and ``no`` are texts, ``0.10`` is an exact decimal, ``0x1f`` and dates stay texts, and a
key that stands twice is refused. Tags are not read: a configuration can build no Python objects.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import yaml

from runtime.config.document import WHOLE, child_key
from runtime.config.problems import NOTHING, Problems, shown
from runtime.config.scalars import LONGEST_NUMBER, decimal_of
from runtime.config.variables import UnsetVariable, Variables

_MOST_NODES = 100_000
_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map")}
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(?:(?:0|[1-9][0-9_]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class _Loader(yaml.SafeLoader):
    """Leaves the meaning of unquoted scalars to :func:`plain_scalar`."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the library's own shape


def plain_scalar(text: str) -> str | int | Decimal | bool | None:
    """Return what an unquoted scalar means (the core schema of YAML 1.2, with ``1_000``).

    A number that nobody can mean (of more than 100 digits, say) stays a text.
    """
    if text in _WORDS:
        return _WORDS[text]
    digits = text.replace("_", "")
    if _INT.fullmatch(text):
        return int(digits) if len(digits) <= LONGEST_NUMBER else text
    if _FLOAT.fullmatch(text) and len(digits) <= LONGEST_NUMBER:
        number = decimal_of(digits)
        return text if number is None else number
    return text


def read_yaml(text: str, problems: Problems, environment: Mapping[str, str]) -> None:
    """Fill the problems' document from a text whose top level is a mapping.

    Twofold keys and unset variables are noted.

    Raises:
        ConfigError: If the text is no YAML mapping.
    """
    data = read_node(text, problems, environment, key="")
    if not isinstance(data, dict):
        problems.add(WHOLE, expected="a mapping", found=shown(data))
        problems.raise_if_any()
    problems.document.data.update(data)


def read_node(text: str, problems: Problems, environment: Mapping[str, str], key: str) -> Any:
    """Return the value of a YAML text, noting problems and where the keys under ``key`` stand."""
    variables = Variables(environment)
    try:
        node = yaml.compose(variables.set_aside(text), Loader=_Loader)
    except (yaml.YAMLError, RecursionError) as error:
        where = key or WHOLE
        problems.document.origins.setdefault(where, _place(problems.document.file, error))
        problems.add(where, expected="YAML", found=_what(error))
        return None
    return None if node is None else _Reader(problems, variables).value(node, key)


def _place(file: str, error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return file if mark is None else f"{file}:{mark.line + 1}"


def _what(error: Exception) -> str:
    problem = getattr(error, "problem", None)
    return problem if isinstance(problem, str) else f"what YAML cannot be ({type(error).__name__})"


class _Reader:
    """Turns the nodes of one document into plain data."""

    def __init__(self, problems: Problems, variables: Variables) -> None:
        self._problems = problems
        self._variables = variables
        self._count = 0
        self._open: list[yaml.Node] = []

    def value(self, node: yaml.Node, key: str) -> Any:
        """Return a node's value; ``key`` is where it stands."""
        self._count += 1
        if self._count > _MOST_NODES:
            self._problems.add(WHOLE, expected=f"at most {_MOST_NODES} values", found="more")
            return None
        if any(node is each for each in self._open):
            self._problems.add(key, expected="a value", found="an alias to what it is part of")
            return None
        if node.tag not in _PLAIN_TAGS:
            self._problems.add(key, expected="a value without a tag", found=f"tag {node.tag}")
            return None
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, key)
        self._open.append(node)
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, key)
            return [self._item(each, child_key(key, i)) for i, each in enumerate(node.value)]
        finally:
            self._open.pop()

    def _item(self, node: yaml.Node, key: str) -> Any:
        self._stand(key, node)
        return self.value(node, key)

    def _mapping(self, node: yaml.MappingNode, key: str) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        for key_node, value_node in node.value:
            name = self._name(key_node, key)
            if name is None:
                continue
            child = child_key(key, name)
            if name in mapping:
                found = f"again on line {key_node.start_mark.line + 1}"
                self._problems.add(child, expected="the key once", found=found)
                continue
            self._stand(child, key_node)
            mapping[name] = self.value(value_node, child)
        return mapping

    def _name(self, node: yaml.Node, key: str) -> str | None:
        if isinstance(node, yaml.ScalarNode):
            value = self._text(node, key)
            return value or None
        self._problems.add(key, expected="a text as a key", found=shown(node.value))
        return None

    def _scalar(self, node: yaml.ScalarNode, key: str) -> Any:
        text = self._text(node, key)
        return text if node.style or text is None else plain_scalar(text)

    def _text(self, node: yaml.ScalarNode, key: str) -> str | None:
        try:
            return self._variables.put_back(node.value)
        except UnsetVariable as unset:
            expected = f"environment variable {unset.name} to be set"
            self._problems.add(key, expected=expected, found=NOTHING)
            return None

    def _stand(self, key: str, node: yaml.Node) -> None:
        document = self._problems.document
        document.origins.setdefault(key, f"{document.file}:{node.start_mark.line + 1}")
