"""The entries of a journal for people and other programs: chosen, as lines, as files."""

import json
from collections.abc import Iterable, Iterator
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import attrs
import msgspec

from actors.errors import BulkheadError
from runtime.kernel.journal import Entry
from runtime.observe.times import iso_time

_ROW_GROUP = 16_384
_plain = msgspec.to_builtins
_encode = msgspec.json.Encoder().encode
_IDS = ("client_order_id", "signal_id", "order_id")


@attrs.frozen(kw_only=True)
class Choice:
    """Which entries to show: those that fit everything that is given.

    Attributes:
        first: The lowest sequence.
        last: The highest sequence; None for no end.
        actor: Who has sent or received it.
        type: Its message type.
        order: The id of an order that it is about.
    """

    first: int = 0
    last: int | None = None
    actor: str | None = None
    type: str | None = None
    order: str | None = None

    def includes(self, entry: Entry) -> bool:
        """Return whether an entry is to be shown."""
        if entry.sequence < self.first or (self.last is not None and entry.sequence > self.last):
            return False
        if self.actor is not None and self.actor not in (entry.sender, *entry.receivers):
            return False
        if self.type is not None and self.type != entry.type:
            return False
        return self.order is None or self.order in order_ids(entry.message)


def chosen(entries: Iterable[Entry], choice: Choice) -> Iterator[Entry]:
    """Yield the entries that a choice includes; stop when no more can come."""
    for entry in entries:
        if choice.last is not None and entry.sequence > choice.last:
            return
        if choice.includes(entry):
            yield entry


def order_ids(message: Any) -> set[str]:
    """Return the ids of the orders that a message is about."""
    carriers = (message, getattr(message, "order", None))
    found = {getattr(carrier, name, None) for carrier in carriers for name in _IDS}
    return {each for each in found if isinstance(each, str) and each}


def to_dict(entry: Entry) -> dict[str, Any]:
    """Return an entry as plain JSON data."""
    return {
        "sequence": entry.sequence,
        "time_ns": entry.time_ns,
        "sender": entry.sender,
        "receivers": [name for name in entry.receivers if name],
        "cause": entry.cause,
        "due_ns": entry.due_ns,
        "type": entry.type,
        "message": _plain(entry.message),
    }


def to_line(entry: Entry) -> str:
    """Return an entry as one line of text: its number, time, way, cause and content."""
    due = "" if entry.due_ns is None else f" due {iso_time(entry.due_ns)}"
    cause = f" because of {entry.cause}" if entry.cause else ""
    content = json.dumps(_plain(entry.message), ensure_ascii=False)
    way = f"{entry.sender} -> {entry.receiver or 'nobody'}"
    return f"{entry.sequence:>9} {iso_time(entry.time_ns)} {entry.type} {way}{cause}{due} {content}"


def write_lines(path: Path, entries: Iterable[Entry]) -> int:
    """Write entries into a JSON Lines file, one at a time; return how many."""
    count = 0
    with path.open("wb") as file:
        for entry in entries:
            file.write(_encode(to_dict(entry)))
            file.write(b"\n")
            count += 1
    return count


def write_parquet(path: Path, entries: Iterable[Entry]) -> int:
    """Write entries into a Parquet file, the messages as JSON text; return how many.

    Raises:
        BulkheadError: If pyarrow is not installed.
    """
    try:
        arrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
    except ImportError as error:
        cure = "install bulkhead-trading[parquet], or export to a .jsonl file"
        raise BulkheadError(f"{path}: Parquet needs pyarrow: {cure}") from error
    schema = arrow.schema(
        [
            ("sequence", arrow.int64()),
            ("time_ns", arrow.int64()),
            ("sender", arrow.string()),
            ("receivers", arrow.list_(arrow.string())),
            ("cause", arrow.int64()),
            ("due_ns", arrow.int64()),
            ("type", arrow.string()),
            ("message", arrow.string()),
        ]
    )
    count = 0
    rows = map(_flat, entries)
    with parquet.ParquetWriter(path, schema) as writer:
        while group := list(islice(rows, _ROW_GROUP)):
            writer.write_table(arrow.Table.from_pylist(group, schema=schema))
            count += len(group)
    return count


def _flat(entry: Entry) -> dict[str, Any]:
    return to_dict(entry) | {"message": _encode(entry.message).decode()}
