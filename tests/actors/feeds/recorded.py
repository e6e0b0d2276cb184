"""Recorded files that a test writes, and what a feed makes of them."""

import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from actors.feeds.replay import ReplayFeed, ReplayOptions
from actors.messages.market import MarketEvent
from actors.messages.slices import Slice
from actors.model.instrument import Instruments

QUOTES_HEADER = "t_unix,market,bid,bid_size,ask,ask_size"


def write(path: Path, lines: Iterable[str], *, zipped: bool = False) -> Path:
    """Write lines to a file, compressed if asked."""
    data = "".join(f"{line}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data, mtime=0) if zipped else data)
    return path


def quotes(path: Path, *rows: str, header: str = QUOTES_HEADER, zipped: bool = False) -> Path:
    """Write a file of quotes."""
    return write(path, [header, *rows], zipped=zipped)


def feed(*paths: Path | str, **options: Any) -> ReplayFeed:
    """Return a feed of some files."""
    texts = tuple(str(path) for path in paths)
    return ReplayFeed(Instruments(), ReplayOptions(paths=texts, **options))


def events(slices: Iterable[Slice]) -> list[MarketEvent]:
    """Return the row objects of some slices."""
    return [event for rows in slices for event in rows.events()]


def records(slices: Iterable[Slice]) -> list[str]:
    """Return everything of every row as a text, levels too; not how rows are cut."""
    found: list[str] = []
    for rows in slices:
        for row, event in enumerate(rows.events()):
            record = rows.record(row)
            values = dict(record.values) if record.kind != "BOOK" else {}
            place = (record.kind, record.instrument, record.time_ns, record.venue_time_ns)
            found.append(repr((place, record.line, values, levels(event))))
    return found


def levels(event: MarketEvent) -> Sequence[Any]:
    """Return the levels of a book row, in units."""
    if (changed := getattr(event, "levels", None)) is None:
        return ()
    instrument = event.instrument
    assert instrument is not None
    return [
        (side, str(instrument.price(ticks)), str(instrument.quantity(lots)))
        for side, ticks, lots in changed
    ]
