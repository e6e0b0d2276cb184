"""Every kind of order through the whole ring, cut and crashed anywhere: the same comes out."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from actors.actor import Source
from actors.messages.slices import Slice, resliced
from actors.messages.trading import ReplaceResult
from actors.model.order import OrderStatus
from actors.orders.manager import OrderManager
from runtime.observe.result import OrderRow
from runtime.wiring.blueprint import Blueprint
from tests.ring.rig import Ran, check_books, config, repeated, run, with_sources
from tests.ring.traps import Trap, trapped

TEXT = """\
name: orders
mode: simulate
seed: 3
portfolio: {{cash: 1000000, policies: [{{type: CashLimit}}]}}
supervision: {{intensity: 20}}
feeds:
  - {{name: first, type: synthetic, shape: quotes, assets: [AAA, BBB], events: 300,
     interval: 100ms, volatility: 0.002, quantity: 4}}
strategies:
  - {{name: one, type: "tests.actors.orders.busy:Busy"}}
broker: {{type: simulated, latency: {{type: constant, submit: {submit}ms, report: {report}ms,
          cancel: {cancel}ms}}}}
orders: {{max_order_age_hours: 0.001, duplicate_timeout: 3s}}
"""
SLOW = TEXT.format(submit=130, report=70, cancel=110)
AT_ONCE = TEXT.format(submit=0, report=0, cancel=0)


@attrs.frozen
class Cut:
    """A source whose rows come in slices of other sizes."""

    source: Source
    sizes: tuple[int, ...]

    def slices(self, resume_ns: int) -> Iterator[Slice]:
        return resliced(self.source.slices(resume_ns), repeated(self.sizes))

    def summary(self) -> dict[str, Any]:
        return self.source.summary()


@pytest.fixture(scope="module", params=[SLOW, AT_ONCE], ids=["slow", "at once"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Return an undisturbed run, with its configuration's text as its name."""
    ran = run(config(request.param), tmp_path_factory.mktemp("whole"))
    request.node.text = request.param
    return ran


def text_of(request: pytest.FixtureRequest) -> str:
    return AT_ONCE if "at once" in request.node.name else SLOW


def is_the_same(ran: Ran, other: Ran) -> bool:
    """Return whether two runs came to the same.

    A restarted order manager knows the times of approvals, of the venue and of timers only, so the
    times in its histories are not compared.
    """

    def orders(one: Ran) -> list[OrderRow]:
        return [attrs.evolve(row, created_ns=0, updated_ns=0) for row in one.result.orders]

    same = ran.story[1:] == other.story[1:] and ran.messages == other.messages
    return same and orders(ran) == orders(other)


def orders_of(ran: Ran) -> OrderManager:
    core = ran.system.cores["orders"]
    assert isinstance(core, OrderManager)
    return core


def test_every_kind_of_order_comes_to_an_end_and_the_books_balance(whole: Ran) -> None:
    assert whole.result.exit_code == 0
    check_books(whole)
    kinds = Counter(
        "schedule" if r.order.schedule else "exit" if r.order.parent else r.order.order_type
        for r in orders_of(whole).orders()
    )
    assert set(kinds) >= {"schedule", "exit", "LIMIT", "MARKET"}
    assert min(kinds.values()) > 3
    assert any(each.accepted for each in whole.of(ReplaceResult))
    causes = {cause for r in orders_of(whole).orders() for _, _, cause in r.history}
    assert {"open for more than 0.001 hours", "tidy"} <= causes
    for record in orders_of(whole).orders():
        if record.order.parent:
            assert record.status.is_terminal or record.status is OrderStatus.WORKING


def test_results_do_not_depend_on_how_the_market_is_cut(
    whole: Ran, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    for sizes in ((1,), (7, 2, 30)):
        ran = run(
            config(text_of(request)),
            tmp_path,
            change=with_sources(lambda source, sizes=sizes: Cut(source, sizes)),  # type: ignore[misc]
        )
        assert ran.story == whole.story
        assert ran.entries == whole.entries


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("call", [3, 29, 60, 111, 170, 260, 333])
def test_the_order_manager_may_crash_at_any_message(
    whole: Ran, request: pytest.FixtureRequest, call: int, after: bool, tmp_path: Path
) -> None:
    trap = Trap(call, after=after)

    def change(plan: Blueprint) -> Blueprint:
        return trapped(plan, "orders", trap)

    ran = run(config(text_of(request)), tmp_path, change=change)
    assert trap.sprung == 1
    check_books(ran)
    assert is_the_same(ran, whole)
