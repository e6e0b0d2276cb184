"""``broker.preset``: what a ready-made broker is made of, filled in where the file is silent."""

from collections.abc import Mapping

from actors.brokers.presets import PRESETS, with_preset
from runtime.config.problems import Problems
from runtime.config.strategy_presets import fill_in_strategies


def fill_in_preset(problems: Problems) -> None:
    """Put the keys of presets into the document's data, below those that are there."""
    fill_in_strategies(problems)
    data = problems.document.data
    broker = data.get("broker")
    if not isinstance(broker, Mapping) or not isinstance(broker.get("preset"), str):
        return
    build = problems.choose(PRESETS, broker["preset"], "broker.preset")
    if build is not None:
        data["broker"] = with_preset(build(), broker)
