"""From a file to a configuration that can be run, or to everything that is wrong with it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from actors.errors import ConfigError, Problem
from runtime.config.document import WHOLE, Document
from runtime.config.model import Mode, RunConfig, SupervisionConfig
from runtime.config.overrides import apply_override
from runtime.config.plain import to_plain
from runtime.config.presets import fill_in_preset
from runtime.config.problems import Problems
from runtime.config.real_time import for_real_time
from runtime.config.seed_keys import translate
from runtime.config.structure import structure
from runtime.config.yaml_reader import read_yaml

_STEP = re.compile(r"[^.\[\]]+")


def load_config(
    path: Path, *, overrides: Sequence[str] = (), environment: Mapping[str, str]
) -> RunConfig:
    """Return the configuration of a file.

    Args:
        path: A YAML file.
        overrides: Assignments ``a.b[0].c=value`` that go before what the file says.
        environment: The variables that ``${NAME}`` may name.

    Raises:
        ConfigError: With every problem of the file and of the overrides.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise _unreadable(path, "no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, f"{type(error).__name__}") from error
    return parse_config(text, str(path), overrides=overrides, environment=environment)


def parse_config(
    text: str, file: str, *, overrides: Sequence[str] = (), environment: Mapping[str, str]
) -> RunConfig:
    """Return the configuration of a YAML text; ``file`` is what problems call it.

    Raises:
        ConfigError: With every problem of the text and of the overrides.
    """
    problems = Problems(Document(file=file))
    read_yaml(text, problems, environment)
    for assignment in overrides:
        apply_override(assignment, problems, environment)
    translate(problems)
    fill_in_preset(problems)
    config = _structured(problems)
    problems.raise_if_any()
    assert config is not None
    return attrs.evolve(config, document=problems.document)


def build_config(
    data: Mapping[str, Any], name: str = "(built)", *, overrides: Sequence[str] = ()
) -> RunConfig:
    """Return the configuration that plain data, as a YAML file would hold them, describe.

    Args:
        data: What the file would hold.
        name: What problems call them.
        overrides: Assignments ``a.b[0].c=value`` that go before what the data say.

    Raises:
        ConfigError: With every problem of the data and of the overrides.
    """
    problems = Problems(Document(file=name, data=dict(data)))
    for assignment in overrides:
        apply_override(assignment, problems, {})
    translate(problems)
    fill_in_preset(problems)
    config = _structured(problems)
    problems.raise_if_any()
    assert config is not None
    return attrs.evolve(config, document=problems.document)


def load_rest(
    path: Path,
    wrong: Sequence[Problem],
    *,
    overrides: Sequence[str] = (),
    environment: Mapping[str, str],
) -> RunConfig | None:
    """Return what a configuration would be without what is wrong in it, or None.

    Never to be run: it lets the components' options be checked too, so that all problems are told
    at once.
    """
    problems = Problems(Document(file=str(path)))
    try:
        read_yaml(path.read_text(encoding="utf-8"), problems, environment)
    except (OSError, UnicodeDecodeError):
        return None
    for assignment in overrides:
        apply_override(assignment, problems, environment)
    translate(problems)
    fill_in_preset(problems)
    document = problems.document
    config = structure(RunConfig, document.data, "", Problems(document))
    if config is None:
        for problem in wrong:
            _leave_out(document.data, _STEP.findall(problem.key))
        config = structure(RunConfig, document.data, "", Problems(document))
    return None if config is None else attrs.evolve(config, document=document)


def _leave_out(holder: Any, steps: Sequence[str]) -> None:
    """Delete a key of nested mappings and lists, if it is there; items of lists stay."""
    for number, step in enumerate(steps):
        if isinstance(holder, list):
            index = int(step) if step.isdigit() else len(holder)
            holder = holder[index] if index < len(holder) else None
        elif isinstance(holder, dict) and number == len(steps) - 1:
            holder.pop(step, None)
        else:
            holder = holder.get(step) if isinstance(holder, dict) else None


def _unreadable(path: Path, found: str) -> ConfigError:
    problem = Problem(file=str(path), key=WHOLE, expected="a readable YAML file", found=found)
    return ConfigError([problem])


def _structured(problems: Problems) -> RunConfig | None:
    config = structure(RunConfig, _with_inherited_supervision(problems.document), "", problems)
    if config is not None:
        config = for_real_time(config, problems)
        _check_speed(config, problems)
        _check_names("feeds", [feed.name for feed in config.feeds], problems)
        _check_names("strategies", [each.name for each in config.strategies], problems)
        _check_names("instruments", [each.id for each in config.instruments], problems)
    return config


def _with_inherited_supervision(document: Document) -> dict[str, Any]:
    """Return the data with the run's supervision filled in where an actor has a part of its own."""
    general = document.data.get("supervision", {})
    scratch = Problems(document)
    if not isinstance(general, Mapping):
        return document.data
    known = structure(SupervisionConfig, general, "", scratch)
    if known is None:
        return document.data
    inherited = to_plain(known)
    return {
        key: [_inheriting(item, inherited) for item in value] if isinstance(value, list) else value
        for key, value in document.data.items()
    }


def _inheriting(item: Any, inherited: dict[str, Any]) -> Any:
    own = item.get("supervision") if isinstance(item, dict) else None
    if not isinstance(own, Mapping):
        return item
    return {**item, "supervision": _merged(inherited, own)}


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**below, **above}
    for key in below:
        if isinstance(below[key], Mapping) and isinstance(merged[key], Mapping):
            merged[key] = _merged(below[key], merged[key])
    return merged


def _check_speed(config: RunConfig, problems: Problems) -> None:
    if config.speed and config.mode is not Mode.REPLAY:
        expected = f"0 in mode {config.mode} (only a replay is paced)"
        problems.add("speed", expected=expected, found=f"{config.speed:g}")


def _check_names(key: str, names: Sequence[str], problems: Problems) -> None:
    for i, name in enumerate(names):
        if name in names[:i]:
            field = "id" if key == "instruments" else "name"
            found = f"{name!r}, the name of {key}[{names.index(name)}]"
            problems.add(f"{key}[{i}].{field}", expected="a name of its own", found=found)
