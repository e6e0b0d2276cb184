"""A portfolio that stays down is built once more, and told what it has not heard."""

from collections.abc import Iterator
from typing import Any

from actors.messages.trading import Fill
from actors.model.order import Side
from actors.portfolio.portfolio import Portfolio
from runtime.kernel.journal import Entry
from runtime.system.rebuilding import rebuilt
from tests.actors.portfolio.builders import COIN, fill, portfolio


class Told:
    """A journal of fills that were sent to the portfolio."""

    def __init__(self, *fills: Fill) -> None:
        self._fills = fills

    def entries(self) -> Iterator[Entry]:
        for number, each in enumerate(self._fills, start=1):
            yield Entry(
                sequence=number,
                time_ns=number,
                sender="orders",
                receivers=("portfolio",),
                cause=0,
                due_ns=None,
                type="Fill",
                message=each,
            )


class Down:
    """A portfolio's cell, of which the core has handled some fills."""

    name = "portfolio"

    def __init__(self, *handled: Fill) -> None:
        self._handled = handled

    def rebuilt(self, _journal: Any) -> Portfolio:
        core = portfolio()
        for each in self._handled:
            core.handle(each, 1)
        return core


def test_a_fill_is_unheard_though_the_other_side_of_its_trade_was_heard() -> None:
    bought, sold = fill(1), fill(1, Side.SELL, "4", order=2, strategy="other")
    cell: Any = Down(bought)
    journal: Any = Told(bought, sold, sold)
    core = rebuilt(cell, journal)
    assert isinstance(core, Portfolio)
    assert core.fills == [bought, sold]
    assert core.get_position(COIN) == 6
