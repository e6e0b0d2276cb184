"""Why, where the venue is somewhere else: the journal explains each step of a lost answer."""

from itertools import pairwise
from pathlib import Path

import pytest
import trio

from actors.messages.reconciliation import Cure, Difference, DifferenceKind
from actors.messages.trading import ExecutionReport, OrderUpdate, PlaceOrder, ReportKind
from actors.messages.venue import CallKind, Outcome, VenueAnswer, VenueCall
from actors.model.order import OrderStatus
from runtime.kernel.envelope import Envelope
from runtime.kernel.journal import LiveJournal, read_journal
from runtime.research.why import Chain, UnknownOrder, why
from runtime.wiring.plant import codec
from tests.builders import START_NS
from tests.ring.rig import Ran, config, run
from tests.ring.scenes import SMALL
from tests.runtime.research.test_why import _ID, Log, _order, _signal

BROKER = """broker:
  type: venue
  request_timeout: 300ms
  venue:
    type: fake
    faults: {lose_answer: 0.3, drop_news: 1, duplicate_news: 0.2}
"""
TEXT = SMALL[: SMALL.index("broker:")] + BROKER
_STEPS = (
    ("SubmitOrder portfolio -> orders: ", "approved by PositionLimit, CashLimit"),
    ("PlaceOrder orders -> broker: ", ""),
    ("VenueCall broker -> venue: call ", ": PLACE "),
    ("ExecutionReport broker -> orders: ", "LOST: the answer is lost"),
    ("OrderUpdate orders -> ", "UNKNOWN, 0 of "),
    ("QueryOrder orders -> broker: ", "how does small-3-"),
    ("VenueCall broker -> venue: call ", ": ORDER small-3-"),
    ("VenueAnswer venue -> broker: to call ", ": ORDER ANSWERED: FILLED, "),
    ("Fill orders -> portfolio", "leaves 0"),
    ("PositionChanged portfolio -> ", " holds "),
)
"""How the lines read, in their order; others are in between."""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ran, Path]:
    folder = tmp_path_factory.mktemp("why")
    found = run(config(TEXT, "feeds[0].events=600"), folder)
    return found, next(folder.glob("journal-*.db"))


def chain(path: Path, order_id: str) -> Chain:
    found = why(lambda: read_journal(path, codec()), order_id)
    assert isinstance(found, Chain)
    return found


def lost_and_found(ran: Ran) -> list[str]:
    """Return the orders of which nobody knew anything, and that were filled after all."""
    lost = {
        each.client_order_id for each in ran.of(ExecutionReport) if each.kind is ReportKind.LOST
    }
    filled = [u for u in ran.of(OrderUpdate) if u.status is OrderStatus.FILLED]
    return [each.client_order_id for each in filled if each.client_order_id in lost]


def test_it_tells_how_an_order_was_lost_and_found_again(ran: tuple[Ran, Path]) -> None:
    orders = lost_and_found(ran[0])
    assert orders
    stories = ["\n".join(chain(ran[1], order_id).lines()) for order_id in orders]
    assert any(_tells_all(story) for story in stories), stories[0]


def _tells_all(story: str) -> bool:
    """Return whether the steps are all there, in this order."""
    lines = iter(story.splitlines())
    return all(any(way in line and words in line for line in lines) for way, words in _STEPS)


def test_every_step_but_the_first_follows_from_another(ran: tuple[Ran, Path]) -> None:
    steps = chain(ran[1], lost_and_found(ran[0])[0]).steps
    for before, step in pairwise(steps):
        assert step.depth <= before.depth + 1
    roots = [step.entry.type for step in steps if step.depth == 0]
    assert roots[0] == "MarketRow"


# --- over a link, whose answers name no message ---------------------------------------------------


def test_the_number_of_a_call_joins_its_answer_to_it() -> None:
    log = Log()
    place = log.add(PlaceOrder(order=_order()), "orders > broker", cause=log.add(_signal()))
    asked = VenueCall(number=7, kind=CallKind.PLACE, deadline_ns=START_NS, client_order_id=_ID)
    other = VenueCall(number=8, kind=CallKind.OPEN_ORDERS, deadline_ns=START_NS)
    log.add(other, "broker > venue")
    log.add(asked, "broker > venue", cause=place)
    lost = VenueAnswer(
        number=7,
        kind=CallKind.PLACE,
        outcome=Outcome.LOST,
        venue="v",
        venue_time_ns=0,
        client_order_id=_ID,
        reason="no answer in time",
    )
    log.add(lost, "venue > broker")
    log.add(lost, "venue > broker")  # the same number again: nobody has asked

    steps = [(step.depth, step.entry.type) for step in log.chain(_ID).steps]
    assert steps == [
        (0, "Signal"),
        (1, "PlaceOrder"),
        (2, "VenueCall"),
        (3, "VenueAnswer"),
        (0, "VenueAnswer"),
    ]


def test_differences_about_an_order_belong_to_it_and_others_do_not() -> None:
    log = Log()
    log.add(_signal())
    for kind, name in ((DifferenceKind.ORDER_MISSING, _ID), (DifferenceKind.POSITION, "BTC")):
        log.add(
            Difference(
                kind=kind,
                key=f"{kind}:{name}",
                ours="",
                theirs="",
                cure=Cure.ASK,
                is_open=True,
                time_ns=0,
            )
        )
    assert [step.entry.type for step in log.chain(_ID).steps] == ["Signal", "Difference"]
    assert isinstance(why(lambda: log.rows, "BTC"), UnknownOrder)


def complete_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("journal-0*.db"))


async def test_a_journal_of_several_files_is_read_as_one(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    journal = LiveJournal(path, codec(), {})
    async with trio.open_nursery() as nursery:
        await nursery.start(journal.run)
        journal.append(Envelope(1, START_NS, "one", 0, _signal()), "portfolio")
        journal.rotate()
        await journal.durable(1)
        journal.append(Envelope(2, START_NS, "orders", 1, PlaceOrder(order=_order())), "broker")
        await journal.durable(2)
        journal.request_stop()
    journal.close()
    assert complete_files(tmp_path) == ["journal-000001.db"]
    assert [step.entry.type for step in chain(path, _ID).steps] == ["Signal", "PlaceOrder"]
