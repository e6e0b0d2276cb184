"""How snapshots and depth updates join; the recorded vectors are the venue's procedure."""

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from actors.messages.records import Origin
from actors.messages.slices import SliceBuilder
from actors.model.book import Level
from actors.model.instrument import Instruments
from actors.venues.binance.depth_sync import DepthSync, DepthUpdate, Verdict
from actors.venues.binance.market_data import BinanceMarketData, BinanceOptions
from tests.shared import shared_file

VECTORS = "venues/vectors/binance_depth_sync.json"


def update(previous_id: int, last_id: int) -> DepthUpdate:
    return DepthUpdate(previous_id, last_id, [], Origin(time_ns=0))


def synced(snapshot_id: int = 10) -> DepthSync:
    sync = DepthSync()
    assert sync.snapshot(snapshot_id) == []
    return sync


def test_updates_wait_for_the_snapshot() -> None:
    sync = DepthSync()
    updates = [update(8, 9), update(9, 11), update(11, 12)]
    assert [sync.offer(each) for each in updates] == [Verdict.WAIT] * 3
    assert sync.snapshot(10) == updates
    assert [sync.offer(each) for each in updates] == [Verdict.DROP, Verdict.APPLY, Verdict.APPLY]
    assert sync.last_id == 12


def test_a_snapshot_older_than_the_first_update_is_of_no_use() -> None:
    sync = DepthSync()
    sync.offer(update(12, 13))
    assert sync.snapshot(11) is None
    assert sync.last_id is None
    waiting = sync.snapshot(12)
    assert waiting is not None
    assert [sync.offer(each) for each in waiting] == [Verdict.APPLY]


def test_a_hole_among_the_waiting_updates_is_a_gap_again() -> None:
    sync = DepthSync()
    updates = [update(10, 11), update(12, 13)]
    for each in updates:
        sync.offer(each)
    assert sync.snapshot(10) == updates
    assert [sync.offer(each) for each in updates] == [Verdict.APPLY, Verdict.GAP]
    assert sync.last_id is None


def test_an_update_that_leaves_out_ids_is_a_gap_and_the_next_snapshot_heals_it() -> None:
    sync = synced(10)
    late = update(12, 14)
    assert sync.offer(late) is Verdict.GAP
    assert sync.offer(update(14, 15)) is Verdict.WAIT
    assert sync.snapshot(13) == [late, update(14, 15)]
    assert sync.offer(late) is Verdict.APPLY


def test_an_update_that_overlaps_the_book_is_applied_for_levels_are_absolute() -> None:
    assert synced(10).offer(update(5, 12)) is Verdict.APPLY


def test_a_snapshot_older_than_the_book_changes_nothing_and_a_newer_one_replaces_it() -> None:
    sync = synced(10)
    assert sync.snapshot(9) is None
    assert sync.last_id == 10
    assert sync.snapshot(20) == []
    assert sync.last_id == 20


def test_only_so_many_updates_wait() -> None:
    sync = DepthSync()
    for number in range(5_000):
        sync.offer(update(number, number + 1))
    assert sync.snapshot(0) is None
    waiting = sync.snapshot(1_000)
    assert waiting is not None
    assert len(waiting) == 4_096


def level_texts(levels: list[Level], table: Instruments) -> list[list[str]]:
    return [
        [f"{table[0].price(ticks):.8f}", f"{table[0].quantity(lots):.8f}"]
        for _, ticks, lots in levels
    ]


@pytest.mark.parametrize("variant", ["clean", "gap", "stale_snapshot"])
@pytest.mark.parametrize("is_snapshot_first", [True, False])
def test_the_recorded_vectors_hold(variant: str, is_snapshot_first: bool) -> None:
    cases = msgspec.json.decode(shared_file(VECTORS).read_bytes())["cases"]
    case = next(each for each in cases if each["variant"] == variant)
    table = Instruments()
    builder = SliceBuilder(table)
    decoder = BinanceMarketData(table, BinanceOptions(market="spot", symbol=case["symbol"]))
    events = [{"stream": "nknusdt@depth@100ms", "data": event} for event in case["events"]]
    # The procedure takes the snapshot after the first event, or, all the same, before it.
    if is_snapshot_first and variant != "stale_snapshot":
        messages: list[dict[str, Any]] = [case["snapshot"], *events]
    else:
        messages = [events[0], case["snapshot"], *events[1:]]
    gap_at = None
    for number, message in enumerate(messages, 1):
        decoder.decode_frame(msgspec.json.encode(message).decode(), number, builder, number)
        if decoder.counts["gap"] and gap_at is None:
            gap_at = number - 2  # a snapshot was among them
    expect = case["expect"]
    assert gap_at == expect["gap_event_index"]
    assert decoder.counts["depth_applied"] == expect["applied"]
    assert decoder.counts["depth_dropped"] == expect["dropped"]
    assert decoder.counts["snapshot_unused"] == (variant == "stale_snapshot")
    if expect["top_bids"] is None:
        assert not decoder.bookkeeper.books
        return
    book = decoder.bookkeeper.books[0]
    assert book.is_synced == (variant == "clean")
    bids = [(1, *each) for each in book.top_bids(len(expect["top_bids"]))]
    asks = [(-1, *each) for each in book.top_asks(len(expect["top_asks"]))]
    assert level_texts(bids, table) == expect["top_bids"]
    assert level_texts(asks, table) == expect["top_asks"]
    assert table[0].tick == Decimal("1e-8")
