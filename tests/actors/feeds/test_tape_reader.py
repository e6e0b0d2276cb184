"""What was decoded comes before an error; several tapes stop at the same time."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.feeds.csv_instruments import CsvOptions
from actors.feeds.formats import FORMATS
from actors.feeds.recordings import Recording, Tape
from actors.feeds.replay import merged
from actors.feeds.tape_reader import Problems, Span, TapeReader
from actors.messages.market import MarketEvent
from actors.messages.records import Origin
from actors.messages.slices import Slice, SliceBuilder
from actors.model.instrument import Instruments
from tests.actors.feeds.recorded import write
from tests.builders import instrument, instruments

SECOND = 1_000_000_000


def broken_tape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good_lines: int) -> Tape:
    """Return a tape whose file fails, as a disk does, after some lines."""
    rows = [f"{second},1,1" for second in range(20)]
    path = write(tmp_path / "t.csv", ["time,price,size", *rows])
    form = FORMATS["trades_csv"]
    options = CsvOptions()
    recording = Recording(path, form, options, form.survey(path, options))

    def lines(self: Recording) -> Iterator[tuple[int, bytes]]:
        yield from itertools.islice(enumerate(path.read_bytes().splitlines(), 1), good_lines)
        raise OSError("the disk is gone")

    monkeypatch.setattr(Recording, "lines", lines)
    return Tape((recording,))


@pytest.mark.parametrize("start_ns", [0, 2 * SECOND])
def test_what_was_decoded_comes_before_an_unexpected_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start_ns: int
) -> None:
    tape = broken_tape(tmp_path, monkeypatch, good_lines=8)
    reader = TapeReader(tape, Instruments(), Span(start_ns), Problems())
    found: list[MarketEvent] = []
    with pytest.raises(OSError, match="the disk is gone"):
        found.extend(event for rows in reader.slices() for event in rows.events())
    assert [event.time_ns // SECOND for event in found] == list(range(start_ns // SECOND, 7))
    assert (reader.tallies[0].lines, reader.tallies[0].rows) == (8, 7 - start_ns // SECOND)


def test_an_error_before_the_first_row_comes_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tape = broken_tape(tmp_path, monkeypatch, good_lines=1)
    reader = TapeReader(tape, Instruments(), Span(), Problems())
    with pytest.raises(OSError, match="the disk is gone"):
        list(reader.slices())


def rows_at(table: Instruments, index: int, *seconds: int) -> Slice:
    builder = SliceBuilder(table)
    for second in seconds:
        builder.trade(Origin(second), index, (1, 1, 1))
    return builder.build()


def failing(*slices: Slice) -> Iterator[Slice]:
    yield from slices
    raise RuntimeError("broken")


@pytest.mark.parametrize("place", [0, 1])
def test_when_one_of_several_files_fails_the_others_stop_at_the_same_time(place: int) -> None:
    table = instruments(instrument("A"), instrument("B"))
    broken = failing(rows_at(table, 0, 1, 3), rows_at(table, 0, 4, 6))
    sources = [iter([rows_at(table, 1, 2, 6, 7, 9)])]
    sources.insert(place, broken)
    found: list[int] = []
    with pytest.raises(RuntimeError, match="broken"):
        found.extend(time_ns for rows in merged(sources) for time_ns in rows.times())
    assert found == [1, 2, 3, 4, 6, 6]


def test_when_one_of_several_files_fails_what_was_read_of_finished_ones_is_kept() -> None:
    table = instruments(instrument("A"), instrument("B"))
    sources = [
        iter([rows_at(table, 1, 1, 2)]),
        failing(rows_at(table, 0, 1, 3), rows_at(table, 0, 4)),
    ]
    found: list[int] = []
    with pytest.raises(RuntimeError, match="broken"):
        found.extend(time_ns for rows in merged(sources) for time_ns in rows.times())
    assert found == [1, 1, 2, 3, 4]


def test_when_one_of_several_files_fails_at_once_the_error_comes_alone() -> None:
    table = instruments()
    with pytest.raises(RuntimeError, match="broken"):
        list(merged([iter([rows_at(table, 0, 1, 2)]), failing()]))


def test_sources_without_rows_do_no_harm() -> None:
    table = instruments()
    empty = rows_at(table, 0)
    found = list(merged([iter([empty, rows_at(table, 0, 1)]), iter([]), iter([empty])]))
    assert [rows.times() for rows in found] == [[1]]
    assert list(merged([iter([]), iter([])])) == []
