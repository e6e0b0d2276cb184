"""What the fake venue forgets, and what it never does."""

from decimal import Decimal

from actors.messages.venue import CallKind, Outcome
from actors.model.order import OrderStatus
from tests.actors.venues.fake.test_fake_venue import World, about, order

MOST = 8
SLACK = MOST // 4 + 1


def test_the_oldest_that_is_over_is_forgotten_and_holdings_stay_exact() -> None:
    world = World(remembers=MOST)
    ledger = world.venue.ledger()
    for number in range(100):
        world.place(order_id=f"a-{number}")
        ledger = world.venue.ledger()
        assert min(number + 1, MOST) <= len(ledger.orders) < MOST + SLACK + 1
        assert min(number + 1, MOST) <= len(ledger.trades) < MOST + SLACK
        assert len(ledger.placed) < MOST + SLACK
    assert ledger.positions == {"AAA": 400}
    assert ledger.balances == {"USD": Decimal(1000 - 4000)}
    assert ledger.forgotten_orders + len(ledger.orders) == 100
    assert ledger.forgotten_trades + len(ledger.trades) == 100
    assert ledger.trades[-1].trade_id == "T100"
    assert ledger.orders[-1].venue_order_id == "V100"
    assert ledger.placed[-1].client_order_id == "a-99"


def test_what_is_open_is_never_forgotten() -> None:
    world = World({"rests": 1.0}, remembers=1)
    for number in range(20):
        world.place(order_id=f"a-{number}")
    ledger = world.venue.ledger()
    assert (len(ledger.orders), ledger.forgotten_orders) == (20, 0)
    world.call(CallKind.CANCEL_ALL)
    for number in range(20, 23):
        world.place(order_id=f"a-{number}")
    assert len(world.venue.ledger().orders) <= 3


def test_what_is_still_to_trade_is_not_forgotten() -> None:
    world = World({"late_fills": 1.0}, remembers=1)
    world.place(order_id="late")
    world.call(CallKind.CANCEL, client_order_id="late")
    for number in range(10):
        world.place(order_id=f"a-{number}")
        world.call(CallKind.CANCEL, client_order_id=f"a-{number}")
    assert world.venue.ledger().orders[0].status is OrderStatus.CANCELLED
    world.wait(10)
    assert world.venue.ledger().positions == {"AAA": 44}


def test_the_timer_of_a_forgotten_order_does_nothing() -> None:
    world = World({"parts": 1.0}, remembers=1)
    world.place(order_id="first")
    (timer, *_) = [later.message for later in world._later]
    world.wait(10)
    for number in range(5):
        world.place(order_id=f"a-{number}")
        world.wait(10)
    assert world.venue.ledger().orders[0].client_order_id != "first"
    assert world.tell(timer) == []


def test_who_asks_for_forgotten_trades_is_told_that_some_are_left_out() -> None:
    world = World(remembers=MOST, page_size=5)
    for number in range(30):
        world.place(order_id=f"a-{number}")
    kept = [trade.trade_id for trade in world.venue.ledger().trades]
    told, cursor, truncated, has_more = [], "", [], True
    while has_more:
        page = world.call(CallKind.TRADES, cursor=cursor)
        assert page is not None
        told += [trade.trade_id for trade in page.trades]
        truncated.append(page.is_truncated)
        cursor, has_more = page.cursor, page.has_more
    assert (told, cursor) == (kept, "30")
    assert truncated == [True] + [False] * (len(truncated) - 1)
    last = world.call(CallKind.TRADES, cursor="29")
    assert last is not None
    assert ([each.trade_id for each in last.trades], last.is_truncated) == (["T30"], False)


def test_a_client_id_is_known_for_as_long_as_its_order() -> None:
    world = World(remembers=MOST)
    world.place(order_id="a")
    assert world.place(order_id="a").outcome is Outcome.REFUSED
    for number in range(MOST + SLACK):
        world.place(order_id=f"b-{number}")
    asked = world.call(CallKind.ORDER, **about(order("a")))
    assert asked is not None
    assert asked.order is None
    assert world.place(order_id="a").outcome is Outcome.ANSWERED


def test_a_venue_that_is_rebuilt_has_forgotten_the_same() -> None:
    world, again = (World({"parts": 0.5}, remembers=MOST) for _ in range(2))
    for number in range(40):
        world.place(order_id=f"a-{number}")
        world.wait(1)
    again.venue.recover(world.history)
    assert again.venue.ledger() == world.venue.ledger()
    assert again.venue.ledger().forgotten_orders > 0
