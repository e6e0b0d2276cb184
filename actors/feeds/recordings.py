"""Which files a replay reads, what their formats are, and which continue each other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from glob import glob
from itertools import islice
from pathlib import Path
from typing import Any

import attrs

from actors.errors import ConfigError, DataError
from actors.feeds.csv_shape import Shape
from actors.feeds.decoder import Decoder
from actors.feeds.files import read_lines, read_text
from actors.feeds.format_options import problem
from actors.feeds.formats import AUTO, FORMATS, HEAD_LINES, Format, recognised
from actors.messages.slices import SliceBuilder
from actors.model.instrument import Instruments

LINE_ERRORS = (DataError, ValueError, KeyError, TypeError, RecursionError)
"""What decoders raise for a malformed line."""

_PROBED_LINES = 1000
_SHOWN = 80


@attrs.frozen
class Recording:
    """One file, its format, and what had to be known of it before it is read."""

    path: Path
    format: Format
    options: Any
    shape: Shape | None

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield each line with its number, from 1; rows in time order even if stored backwards.

        Raises:
            OSError: If the file cannot be read.
            DataError: If its compressed stream is damaged.
        """
        numbered = enumerate(read_lines(self.path), 1)
        if self.shape is None or not self.shape.is_newest_first:
            return numbered
        return _header_first(list(numbered))


def _header_first(lines: Sequence[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    header = next(place for place, (_, line) in enumerate(lines) if line.strip())
    yield from lines[: header + 1]
    yield from reversed(lines[header + 1 :])


@attrs.frozen
class Tape:
    """Files that continue each other, in order: one decoder reads them all."""

    recordings: tuple[Recording, ...]

    def decoder(self, instruments: Instruments) -> Decoder:
        """Return a fresh decoder for the files."""
        return _decoder(instruments, self.recordings)


def _decoder(instruments: Instruments, recordings: Sequence[Recording]) -> Decoder:
    first = recordings[0]
    shapes = [recording.shape for recording in recordings]
    return first.format.decoder(instruments, shapes, first.options)


@attrs.frozen
class Found:
    """What a replay reads, and what it passes over."""

    tapes: tuple[Tape, ...]
    skipped: tuple[str, ...]
    """Names of files in folders that have no known format."""


def find_tapes(paths: Sequence[str], format_name: str, values: Mapping[str, Any]) -> Found:
    """Return what the files, folders and globs hold.

    Files of one format that share an instrument continue each other: they are read in order of
    their first times. All others are tapes of their own.

    Args:
        paths: Files, folders (all their files, not those in folders within) or globs.
        format_name: The format of every file, or ``auto``.
        values: The format's options; those under the name of a format are for that one only.

    Raises:
        ConfigError: If there is no file, a format is unknown or unclear, or an option is wrong.
    """
    if format_name != AUTO and format_name not in FORMATS:
        names = (AUTO, *FORMATS)
        raise ConfigError([problem("format", f"one of {', '.join(names)}", format_name, names)])
    recordings: list[Recording] = []
    skipped: list[str] = []
    for path, is_optional in _files(paths):
        head = list(islice(read_text(path), HEAD_LINES))
        form = recognised(head) if format_name == AUTO else FORMATS[format_name]
        if form is not None:
            recordings.append(_recording(path, form, values))
        elif is_optional:
            skipped.append(path.name)
        else:
            raise _unclear(path, head)
    if not recordings:
        raise ConfigError([problem("path", "files of a known format", ", ".join(skipped))])
    return Found(tuple(_tapes(recordings)), tuple(skipped))


def _unclear(path: Path, head: Sequence[str]) -> ConfigError:
    first = next((line for line in head if line.strip()), "")[:_SHOWN]
    expected = f"one of {', '.join(FORMATS)}, for the format of {path.name} is not recognised"
    return ConfigError([problem("format", expected, f"a file that begins {first!r}")])


def _files(paths: Sequence[str]) -> list[tuple[Path, bool]]:
    """Return the files, each once, and whether they may be passed over."""
    found: dict[Path, bool] = {}
    problems = []
    for text in paths:
        path = Path(text).expanduser()
        if path.is_dir():
            files = [(each, True) for each in sorted(path.iterdir()) if _is_data(each)]
        elif path.is_file():
            files = [(path, False)]
        else:
            files = [
                (Path(each), False) for each in sorted(glob(str(path))) if _is_data(Path(each))
            ]
        if not files:
            problems.append(problem("path", "an existing file, folder or glob", text))
        for each, is_optional in files:
            found[each] = found.get(each, True) and is_optional
    if problems or not paths:
        raise ConfigError(problems or [problem("path", "at least one file", "none")])
    return list(found.items())


def _is_data(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".")


def _recording(path: Path, form: Format, values: Mapping[str, Any]) -> Recording:
    common = {key: value for key, value in values.items() if key not in FORMATS}
    options = form.options({**common, **values.get(form.name, {})})
    try:
        recording = Recording(path, form, options, form.survey(path, options))
        _decoder(Instruments(), [recording])
    except ValueError as error:
        found = f"{path.name}: {error}"
        raise ConfigError([problem("format", f"a file of {form.name}", found)]) from error
    return recording


@attrs.frozen
class _Probed:
    """What the beginning of a file tells."""

    recording: Recording
    place: int
    first_ns: int
    instruments: frozenset[str]


def _tapes(recordings: Iterable[Recording]) -> list[Tape]:
    """Return the recordings, those that share an instrument and a format together."""
    chains: list[list[_Probed]] = []
    for place, recording in enumerate(recordings):
        chain = [_probed(recording, place)]
        apart = []
        for other in chains:
            if _continue_each_other(chain, other):
                chain = other + chain
            else:
                apart.append(other)
        chains = [*apart, chain]
    chains.sort(key=lambda chain: min(probed.place for probed in chain))
    return [Tape(tuple(probed.recording for probed in _in_order(chain))) for chain in chains]


def _continue_each_other(some: Sequence[_Probed], others: Sequence[_Probed]) -> bool:
    return some[0].recording.format is others[0].recording.format and any(
        one.instruments & other.instruments for one in some for other in others
    )


def _in_order(chain: Sequence[_Probed]) -> list[_Probed]:
    return sorted(chain, key=lambda probed: (probed.first_ns, probed.place))


def _probed(recording: Recording, place: int) -> _Probed:
    """Return the first time and the instruments, from the first lines of a file."""
    instruments = Instruments()
    decoder = _decoder(instruments, [recording])
    builder = SliceBuilder(instruments)
    first_ns: int | None = None
    try:
        for number, raw in islice(recording.lines(), _PROBED_LINES):
            try:
                line = raw.decode()
                if first_ns is None:
                    first_ns = recording.format.line_ns(line)
                decoder.decode(line, number, builder)
            except LINE_ERRORS:
                continue  # told when the file is read
    except DataError:
        pass  # told when the file is read
    if first_ns is None:
        first_ns = int(builder.build().time_ns[0]) if len(builder) else 0
    return _Probed(recording, place, first_ns, frozenset(each.id for each in instruments))
