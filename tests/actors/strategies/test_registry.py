import sys
from pathlib import Path

import pytest

from actors.strategies import STRATEGIES, Strategy, resolve_strategy
from actors.strategies.average_cross import AverageCross
from tests.actors.strategies.builders import started
from tests.builders import instruments

SOURCE = """
from actors.strategies import Strategy
from actors.strategies.event_log import EventLog

SIZE = 3

class Mine(Strategy):
    def on_start(self):
        self.buy("A", SIZE)
"""


def strategy_file(folder: Path, source: str = SOURCE) -> Path:
    """Write a file with a strategy."""
    path = folder / "mine.py"
    path.write_text(source)
    return path


def test_built_in_strategies_are_found_by_name() -> None:
    assert resolve_strategy("average_cross") is AverageCross
    assert list(STRATEGIES) == [
        "average_cross",
        "event_log",
        "market_analysis",
        "market_maker",
        "momentum",
        "outcome_arbitrage",
        "yes_no",
    ]
    assert all(issubclass(each, Strategy) for each in STRATEGIES.values())


def test_names_of_other_systems_are_understood() -> None:
    assert resolve_strategy("MovingAverageCrossover") is AverageCross
    assert resolve_strategy("MarketAnalysisStrategy") is STRATEGIES["market_analysis"]
    assert resolve_strategy("LoggingStrategy") is STRATEGIES["event_log"]


def test_a_strategy_of_a_module_is_found() -> None:
    assert resolve_strategy("actors.strategies.average_cross:AverageCross") is AverageCross


def test_a_strategy_of_a_file_is_found_and_stays_the_same(tmp_path: Path) -> None:
    name = f"{strategy_file(tmp_path)}:Mine"
    found = resolve_strategy(name)
    assert resolve_strategy(name) is found
    (signal,) = started(found, instruments()).outbox
    assert signal.quantity == 3
    del sys.modules[found.__module__]


def test_files_of_the_same_name_do_not_meet(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    first = resolve_strategy(f"{strategy_file(tmp_path)}:Mine")
    second = resolve_strategy(f"{strategy_file(other, SOURCE.replace('3', '4'))}:Mine")
    assert [sys.modules.pop(each.__module__).SIZE for each in (first, second)] == [3, 4]


def test_an_unknown_name_is_answered_with_the_choices() -> None:
    with pytest.raises(ValueError, match=r"average_cross, .*did you mean 'average_cross'\?"):
        resolve_strategy("averge_cross")
    with pytest.raises(ValueError, match=r"or path/to/file.py:Class$"):
        resolve_strategy("xyz")


def test_an_unknown_class_is_answered_with_the_choices(tmp_path: Path) -> None:
    path = strategy_file(tmp_path)
    with pytest.raises(ValueError, match=r"expected one of Mine; did you mean 'Mine'\?"):
        resolve_strategy(f"{path}:Mime")
    with pytest.raises(ValueError, match="a subclass of Strategy, it has none"):
        resolve_strategy("actors.model.money:Price")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_such_module_anywhere:Mine", "cannot be imported: No module named"),
        (":Mine", "cannot be imported"),
        ("no/such/file.py:Mine", "strategy file no/such/file.py does not exist"),
    ],
)
def test_what_does_not_exist_is_named(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        resolve_strategy(name)


@pytest.mark.parametrize("source", ["import no_such_module_anywhere", "def ("])
def test_a_file_that_cannot_be_imported_is_tried_again_after_its_repair(
    tmp_path: Path, source: str
) -> None:
    path = strategy_file(tmp_path, source)
    with pytest.raises(ValueError, match="cannot be imported"):
        resolve_strategy(f"{path}:Mine")
    found = resolve_strategy(f"{strategy_file(tmp_path)}:Mine")
    assert found.__name__ == "Mine"
    del sys.modules[found.__module__]
