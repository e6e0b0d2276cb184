"""The formats of recorded files: their names, how they are recognised, and who decodes them."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import attrs
import msgspec

from actors.feeds.csv_columns import TableKind, table_kind
from actors.feeds.csv_instruments import CsvOptions
from actors.feeds.csv_shape import Shape, joined, read_shape
from actors.feeds.csv_tables import CsvTable
from actors.feeds.decoder import Decoder
from actors.feeds.files import read_text
from actors.feeds.format_options import (
    multivenue_options,
    plain_options,
    polymarket_options,
    settlement_options,
)
from actors.feeds.multivenue import MultiVenueFrames
from actors.feeds.settlement_prices import SettlementPrices, is_header
from actors.model.instrument import Instruments
from actors.model.timestamps import epoch_ns
from actors.venues.binance.market_data import BinanceMarketData, BinanceOptions
from actors.venues.binance.streams import receive_ns
from actors.venues.coinbase.market_data import CoinbaseMarketData, CoinbaseOptions
from actors.venues.polymarket.market_data import PolymarketMarketData

AUTO = "auto"
"""Stands for the format that the file is recognised to have."""
HEAD_LINES = 20
"""How many lines of a file are looked at to recognise its format."""

_BINANCE = re.compile(r"\d{16,19} \{")
_COINBASE = re.compile(r"\d{9,11}(\.\d*)?: \{")
_POLYMARKET_KEYS = frozenset({"event_type", "asset_id", "price_changes"})


class Format(Protocol):
    """One format."""

    @property
    def name(self) -> str:
        """Return the name under which a configuration asks for it."""
        ...

    def is_likely(self, head: Sequence[str]) -> bool:
        """Return whether a file that begins with these lines has this format."""
        ...

    def options(self, values: Mapping[str, Any]) -> Any:
        """Return the format's options.

        Raises:
            ConfigError: If there are unknown or wrong ones.
        """
        ...

    def survey(self, path: Path, options: Any) -> Shape | None:
        """Return what must be known of a file before it is read.

        Raises:
            OSError: If the file cannot be read.
            ValueError: If it does not have this format.
        """
        ...

    def decoder(
        self, instruments: Instruments, surveys: Sequence[Shape | None], options: Any
    ) -> Decoder:
        """Return a fresh decoder for some files, read one after the other.

        Raises:
            ValueError: If the options do not fit the files.
        """
        ...

    def line_ns(self, line: str) -> int | None:
        """Return when a line was received, where that can be told without decoding it."""
        ...


def _untold(_line: str) -> int | None:
    return None


@attrs.frozen
class JsonLines:
    """A format whose lines stand for themselves: no look ahead is needed."""

    name: str
    is_likely: Callable[[Sequence[str]], bool]
    options: Callable[[Mapping[str, Any]], Any]
    make: Callable[[Instruments, Any], Decoder]
    line_ns: Callable[[str], int | None] = _untold

    def survey(self, path: Path, options: Any) -> Shape | None:
        """Return None: these formats need no look ahead."""
        return None

    def decoder(
        self, instruments: Instruments, surveys: Sequence[Shape | None], options: Any
    ) -> Decoder:
        """Return a fresh decoder."""
        return self.make(instruments, options)


@attrs.frozen
class CsvLines:
    """A kind of CSV table."""

    kind: TableKind
    name: str = attrs.field(init=False)

    @name.default
    def _name_is_of_kind(self) -> str:
        return self.kind.value

    def is_likely(self, head: Sequence[str]) -> bool:
        """Return whether the first line with a text is this kind's header."""
        header = next((line for line in head if line.strip()), "")
        return table_kind(header) is self.kind

    def options(self, values: Mapping[str, Any]) -> CsvOptions:
        """Return the options; ConfigError if any is unknown or wrong."""
        return plain_options(CsvOptions, values)

    def survey(self, path: Path, options: CsvOptions) -> Shape:
        """Return the file's shape; ValueError if its header lacks a column."""
        name = options.instrument or path.name.partition(".")[0]
        return read_shape(self.kind, read_text(path), name)

    def decoder(
        self, instruments: Instruments, surveys: Sequence[Shape | None], options: CsvOptions
    ) -> CsvTable:
        """Return a fresh decoder; its instruments are added to the table at once."""
        return CsvTable(instruments, joined([shape for shape in surveys if shape]), options)

    def line_ns(self, line: str) -> int | None:
        """Return None: the line must be decoded."""
        return None


def _matches(pattern: re.Pattern[str], head: Sequence[str]) -> bool:
    return any(pattern.match(line) for line in head)


def _is_multivenue(head: Sequence[str]) -> bool:
    return any({"source", "payload"} <= keys for keys in _keys(head))


def _is_polymarket(head: Sequence[str]) -> bool:
    return any(keys & _POLYMARKET_KEYS for keys in _keys(head))


def _is_settlement(head: Sequence[str]) -> bool:
    return bool(head) and is_header(head[0])


def _keys(head: Sequence[str]) -> list[frozenset[str]]:
    """Return the keys of each line that is a JSON object, or an array of such."""
    found = []
    for line in head:
        try:
            value = msgspec.json.decode(line)
        except (ValueError, RecursionError):
            continue
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, dict):
            found.append(frozenset(first))
    return found


def _seconds_ns(line: str) -> int:
    return epoch_ns(line.partition(": ")[0])


def _nanoseconds_ns(line: str) -> int:
    return receive_ns(line.partition(" ")[0])


_KNOWN: tuple[Format, ...] = (
    JsonLines(
        "binance",
        partial(_matches, _BINANCE),
        partial(plain_options, BinanceOptions),
        BinanceMarketData,
        _nanoseconds_ns,
    ),
    JsonLines(
        "coinbase",
        partial(_matches, _COINBASE),
        partial(plain_options, CoinbaseOptions),
        CoinbaseMarketData,
        _seconds_ns,
    ),
    JsonLines("multivenue", _is_multivenue, multivenue_options, MultiVenueFrames),
    JsonLines("polymarket", _is_polymarket, polymarket_options, PolymarketMarketData),
    JsonLines("settlement_csv", _is_settlement, settlement_options, SettlementPrices),
    CsvLines(TableKind.BARS),
    CsvLines(TableKind.QUOTES),
    CsvLines(TableKind.TRADES),
)
FORMATS: Mapping[str, Format] = {each.name: each for each in _KNOWN}
"""The formats by their names, in the order in which they are tried."""


def recognised(head: Sequence[str]) -> Format | None:
    """Return the format of a file that begins with these lines, or None."""
    return next((each for each in FORMATS.values() if each.is_likely(head)), None)
