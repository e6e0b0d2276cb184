"""``default_strategies`` and ``strategies[i].preset``: strategies made of ready-made parts."""

from collections.abc import Mapping
from typing import Any

from actors.strategies.presets import PRESETS, StrategyPreset, default_strategies
from runtime.config.plain import to_plain
from runtime.config.problems import Problems, shown


def fill_in_strategies(problems: Problems) -> None:
    """Put the keys of strategies' presets into the document's data, below those that are there.

    ``default_strategies: true`` adds those that watch without trading, unless the file names some
    of its own so.
    """
    data = problems.document.data
    given = data.get("strategies", [])
    if not isinstance(given, list):
        return
    strategies = [_filled_in(each, f"strategies[{i}]", problems) for i, each in enumerate(given)]
    if data.get("default_strategies") is True:
        taken = {each.get("name") for each in strategies if isinstance(each, Mapping)}
        strategies += [
            {"name": name, **_parts(name, preset, {})}
            for name, preset in default_strategies().items()
            if name not in taken
        ]
    if strategies:
        data["strategies"] = strategies


def _filled_in(strategy: Any, key: str, problems: Problems) -> Any:
    if not isinstance(strategy, Mapping) or not isinstance(strategy.get("preset"), str):
        return strategy
    preset = problems.choose(PRESETS, strategy["preset"], f"{key}.preset")
    if preset is None:
        return {"type": next(iter(PRESETS)), **strategy}
    kind = strategy.get("type", preset.type)
    if kind != preset.type:
        expected = f"{preset.type!r} or nothing: that is what the preset is made of"
        problems.add(f"{key}.type", expected=expected, found=shown(kind))
    own = strategy.get("parameters", {})
    if not isinstance(own, Mapping):
        return strategy
    return {**strategy, **_parts(strategy["preset"], preset, own)}


def _parts(name: str, preset: StrategyPreset, own: Mapping[str, Any]) -> dict[str, Any]:
    parameters = {**to_plain(preset.parameters), **own}
    return {"type": preset.type, "preset": name, "parameters": parameters}
