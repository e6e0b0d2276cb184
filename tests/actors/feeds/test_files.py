"""Files are read a line at a time, compressed or not."""

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import DataError
from actors.feeds import files
from actors.feeds.files import read_lines, read_text, sha256
from tests.actors.feeds.recorded import write


def test_lines_come_without_their_ends(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_bytes(b"one\r\ntwo\n\nthree")
    assert list(read_lines(path)) == [b"one", b"two", b"", b"three"]


def test_compression_is_told_by_the_bytes_not_by_the_name(tmp_path: Path) -> None:
    zipped = write(tmp_path / "zipped.txt", ["one", "two"], zipped=True)
    plain = write(tmp_path / "plain.gz", ["one", "two"])
    assert list(read_lines(zipped)) == list(read_lines(plain)) == [b"one", b"two"]


def test_several_compressed_parts_are_one_text(tmp_path: Path) -> None:
    path = tmp_path / "parts.gz"
    path.write_bytes(gzip.compress(b"one\nt") + gzip.compress(b"wo\n"))
    assert list(read_lines(path)) == [b"one", b"two"]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    assert list(read_lines(write(tmp_path / "empty", []))) == []
    assert list(read_lines(write(tmp_path / "empty.gz", [], zipped=True))) == []


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "marked.csv"
    path.write_bytes(b"\xef\xbb\xbfone\n\xef\xbb\xbftwo\n")
    assert list(read_lines(path)) == [b"one", b"\xef\xbb\xbftwo"]


@given(st.integers(20, 200))
def test_a_compressed_file_that_ends_too_early_gives_its_lines_and_then_the_damage(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "cut.gz"
    lines = [str(number * 7919) for number in range(200)]
    whole = gzip.compress("\n".join(lines).encode(), mtime=0)
    path.write_bytes(whole[:-cut])
    found: list[bytes] = []
    with pytest.raises(DataError, match=r"cut.gz:\d+: the compressed stream is damaged") as caught:
        found.extend(read_lines(path))
    assert [line.decode() for line in found] == lines[: len(found)]
    assert caught.value.line == len(found) + 1


def test_a_wrong_checksum_is_damage_too(tmp_path: Path) -> None:
    path = tmp_path / "wrong.gz"
    path.write_bytes(gzip.compress(b"one\n")[:-8] + b"\x00" * 8)
    with pytest.raises(DataError, match="damaged"):
        list(read_lines(path))
    path.write_bytes(b"\x1f\x8b" + b"nonsense")
    with pytest.raises(DataError, match="damaged"):
        list(read_lines(path))


def test_a_line_that_is_too_long_is_cut_and_the_next_one_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_LINE_BYTES", 4)
    for zipped in (False, True):
        path = write(tmp_path / "long", ["abcdefghij", "abc", "abcd", "ef"], zipped=zipped)
        assert list(read_lines(path)) == [b"abcd", b"abc", b"abcd", b"ef"]


def test_a_file_is_closed_when_its_reader_goes(tmp_path: Path) -> None:
    reader: Iterator[bytes] = read_lines(write(tmp_path / "open.gz", ["one", "two"], zipped=True))
    assert next(reader) == b"one"
    reader.close()  # type: ignore[attr-defined]
    assert list(reader) == []


def test_looking_at_a_file_passes_over_what_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "bad"
    path.write_bytes(b"a\xffb\nc\n")
    assert list(read_text(path)) == ["a\ufffdb", "c"]
    path.write_bytes(gzip.compress(b"one\ntwo\n" * 500)[:-12])
    assert next(iter(read_text(path))) == "one"
    assert len(list(read_text(path))) <= 1_000


def test_a_file_that_is_not_there_is_an_error_of_the_world(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_lines(tmp_path / "none"))


def test_the_hash_is_that_of_the_stored_bytes(tmp_path: Path) -> None:
    path = write(tmp_path / "some.gz", ["one"], zipped=True)
    assert sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()
