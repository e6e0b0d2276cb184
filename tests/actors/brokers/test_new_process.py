"""A simulated venue whose halt is lifted, and one that a new process takes over."""

from actors.actor import Later
from actors.brokers.matching.bar_fills import FillPolicy
from actors.brokers.simulated import SimulatedBrokerConfig
from actors.messages.account import CloseOut
from actors.messages.system import CancelAllAtVenue, HaltLifted, Resumed, TimerFired
from tests.actors.brokers.desks import ACCEPTED, Desk, buy, taker, told, until
from tests.actors.brokers.test_our_side import arrive, desk_of
from tests.builders import START_NS


def test_a_venue_that_was_closed_takes_orders_again_when_the_halt_is_lifted() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    assert told(desk.broker.handle(CancelAllAtVenue("enough"), START_NS)) == []
    refused = told(desk.place(buy(1, "1.00", id="a")))
    assert [words[0] for words in refused] == ["REJECTED"]
    assert desk.broker.handle(HaltLifted("enough"), START_NS) == []
    assert told(desk.place(buy(1, "1.00", id="b"))) == [ACCEPTED]


def test_a_fresh_core_knows_that_the_halt_was_lifted() -> None:
    desk = Desk()
    desk.broker.recover(
        [("received", CancelAllAtVenue("enough")), ("received", HaltLifted("enough"))]
    )
    desk.show(lambda tape: tape.quote(99, 101))
    assert told(desk.place(buy(1, "1.00"))) == [ACCEPTED]


def test_a_new_process_sets_the_timers_of_orders_that_end() -> None:
    desk = Desk()
    desk.show(lambda tape: tape.quote(99, 101))
    ends_ns = START_NS + 50
    desk.place(buy(1, "0.90", id="stays"))
    desk.place(until(buy(1, "0.95", id="ends"), ends_ns))
    [timer] = desk.broker.handle(Resumed(last_ns=START_NS), START_NS)
    assert isinstance(timer, Later)
    assert timer.background
    assert (timer.message.name, timer.at_ns) == ("expire ends", ends_ns)
    assert [out.kind for out in desk.broker.handle(timer.message, ends_ns)] == ["EXPIRED"]


def test_it_sets_those_of_orders_whose_end_is_kept_on_our_side() -> None:
    desk = desk_of("GTD")
    desk.show(lambda tape: tape.quote(99, 101))
    ends_ns = START_NS + 50
    arrive(desk, desk.place(until(buy(1, "0.95"), ends_ns))[1:])
    timers = desk.broker.handle(Resumed(last_ns=START_NS), START_NS)
    assert [timer.at_ns for timer in timers] == [ends_ns]
    assert isinstance(timers[0].message, TimerFired)


def test_after_a_close_out_the_next_process_fills_bars_as_configured() -> None:
    words = (CloseOut(), Resumed(last_ns=START_NS))
    fresh, old = (Desk(SimulatedBrokerConfig(bars=FillPolicy.NEXT_OPEN)) for _ in range(2))
    fresh.broker.recover([("received", word) for word in words])
    for desk in (fresh, old):
        desk.show(lambda tape: tape.bar(100, 105, 95, 101))
    old.broker.handle(words[0], START_NS)
    assert told(old.place(buy(id="a"))) == [taker(1, "1.01")]
    old.broker.handle(words[1], START_NS)
    for desk in (fresh, old):
        assert told(desk.place(buy(id="b"))) == [ACCEPTED]


def test_a_venue_that_was_closed_for_two_causes_waits_for_both() -> None:
    fresh, old = Desk(), Desk()
    words = [CancelAllAtVenue("one"), CancelAllAtVenue("two"), HaltLifted("one")]
    for word in words:
        old.broker.handle(word, START_NS)
    fresh.broker.recover([("received", word) for word in words])
    for desk in (fresh, old):
        desk.show(lambda tape: tape.quote(99, 101))
        assert told(desk.place(buy(1, "1.00", id="a")))[0][0] == "REJECTED"
        desk.broker.handle(HaltLifted("two"), START_NS)
        assert told(desk.place(buy(1, "1.00", id="b"))) == [ACCEPTED]


def test_that_all_was_cancelled_at_the_end_is_over_in_the_next_process() -> None:
    fresh, old = Desk(), Desk()
    words = [CancelAllAtVenue("stopped at once"), Resumed(last_ns=START_NS)]
    for word in words:
        old.broker.handle(word, START_NS)
    fresh.broker.recover([("received", word) for word in words])
    for desk in (fresh, old):
        desk.show(lambda tape: tape.quote(99, 101))
        assert told(desk.place(buy(1, "1.00", id="a"))) == [ACCEPTED]
        desk.broker.handle(CancelAllAtVenue("what lasts is told again"), START_NS)
        assert told(desk.place(buy(1, "1.00", id="b")))[0][0] == "REJECTED"
