"""Who hears which rows."""

from functools import partial
from typing import Any

from runtime.kernel.audience import Audience, Backlog
from runtime.kernel.simulated_cell import SimulatedCell
from tests.runtime.kernel.fakes import Plant, Script, ScriptedCore, context, simulated_plant
from tests.runtime.kernel.ring_cores import FakeStrategy, FakeVectorised, FakeVenue, RingScript

A = 0


def audience(**makers: Any) -> tuple[Audience, Plant]:
    """Return an audience of cells that have their cores."""
    of = simulated_plant()
    for name, make_core in makers.items():
        of.add(name, make_core)
    heard = Audience(list(reversed(of.cells.values())), conflates=lambda code: code == A)
    for cell in of.cells.values():
        cell.core = cell.spec.make_core(context(cell.name, 0))
        heard.cell_changed(cell)
    return heard, of


def strategy(**script: Any) -> Any:
    return partial(FakeStrategy, script=RingScript(**script))


def names(heard: Audience, code: int = A) -> list[str]:
    return [each.cell.name for each in heard.hearing(code)]


def lose(heard: Audience, cell: SimulatedCell) -> None:
    cell.core = None
    heard.cell_changed(cell)


def test_strategies_hear_what_they_want_in_order_of_rank() -> None:
    heard, _ = audience(
        s=strategy(),
        t=strategy(codes=frozenset()),
        u=strategy(codes=frozenset({A})),
        v=partial(FakeVectorised, script=RingScript()),
        w=partial(FakeVenue, script=RingScript()),
        x=partial(ScriptedCore, script=Script()),
    )
    assert names(heard) == ["s", "u"]
    assert names(heard, 8) == ["s"]
    assert [cell.name for cell, _ in heard.vectorised] == ["v"]
    assert [cell.name for cell, _ in heard.reactors] == ["w"]
    assert [cell.name for cell, _ in heard.followers] == ["w"]


def test_who_hears_is_asked_once_per_code() -> None:
    heard, _ = audience(s=strategy())
    assert heard.hearing(A) is heard.hearing(A) is heard.table[A]


def test_what_is_kept_for_a_strategy_that_is_down_is_kept_until_it_is_back() -> None:
    heard, of = audience(s=strategy(), x=partial(ScriptedCore, script=Script()))
    lose(heard, of.cells["s"])
    lose(heard, of.cells["x"])
    ((_, keep, outbox),) = heard.hearing(A)
    keep("first")
    keep("second")
    assert outbox == []
    backlog = heard.take_backlog(of.cells["s"])
    assert backlog is not None
    assert backlog.events() == [(A, "second")]
    assert heard.take_backlog(of.cells["s"]) is None
    assert names(heard) == []


def test_nothing_is_kept_for_a_strategy_that_has_left_for_good() -> None:
    heard, of = audience(s=strategy(), t=strategy())
    of.cells["s"].mailbox.close()
    lose(heard, of.cells["s"])
    assert names(heard) == ["t"]


def test_a_backlog_keeps_the_latest_of_a_code_or_each_in_the_order_of_coming() -> None:
    backlog = Backlog(lambda code: code == A)
    for code, event in [(A, "a1"), (8, "b1"), (A, "a2"), (8, "b2")]:
        backlog.keeper(code)(event)
    assert backlog.events() == [(8, "b1"), (A, "a2"), (8, "b2")]
    assert backlog.conflated == {A: 1}
    backlog.failed = (8, "b0")
    assert backlog.events()[0] == (8, "b0")


def test_what_is_kept_once_more_keeps_its_order() -> None:
    backlog = Backlog(lambda code: code == A)
    backlog.keep([(A, "a2"), (8, "b1"), (8, "b2")])
    assert backlog.events() == [(A, "a2"), (8, "b1"), (8, "b2")]
    assert backlog.conflated == {}
