"""One market row as plain numbers, for orders that meet it."""

import msgspec

from actors.messages.market import EventKind
from actors.messages.slices import Slice

_QUOTE, _BAR = int(EventKind.QUOTE), int(EventKind.BAR)


class Bar(msgspec.Struct, frozen=True, gc=False):
    """A bar in ticks; ``volume`` in lots, -1 if it is not known."""

    open: int
    high: int
    low: int
    close: int
    volume: int


class ShownRow(msgspec.Struct, frozen=True, gc=False):
    """A quote, public trade or bar.

    Attributes:
        rows: The slice it is of.
        row: Its row there.
        kind: Quote, trade or bar.
        index: The instrument's index.
        is_price: Whether orders trade at it: False for a public trade where there are quotes or
            bars, which are better prices.
        bar: The bar, None for the others.
    """

    rows: Slice
    row: int
    kind: int
    index: int
    is_price: bool
    bar: Bar | None

    @property
    def price(self) -> int:
        """Return the price of a public trade in ticks."""
        return self.rows.a.item(self.row)

    @property
    def trade(self) -> tuple[int, int, int]:
        """Return the price, the lots and the aggressor of a public trade."""
        rows, row = self.rows, self.row
        return rows.a.item(row), rows.b.item(row), rows.c.item(row)

    def farthest(self, sign: int) -> int | None:
        """Return how far the price went for those who buy (``sign`` +1, up) or sell (-1, down).

        None for an empty side.
        """
        rows, row = self.rows, self.row
        if self.bar is not None:
            return self.bar.high if sign > 0 else self.bar.low
        if self.kind == _QUOTE:
            if not (rows.d if sign > 0 else rows.c).item(row):
                return None
            return (rows.b if sign > 0 else rows.a).item(row)
        return rows.a.item(row)


def bar_at(rows: Slice, row: int) -> Bar:
    """Return the bar of a row."""
    return Bar(
        rows.a.item(row),
        rows.b.item(row),
        rows.c.item(row),
        rows.d.item(row),
        rows.e.item(row),
    )


def shown_row(rows: Slice, row: int, *, is_price: bool) -> ShownRow:
    """Return a quote, public trade or bar."""
    kind = rows.kind.item(row)
    bar = bar_at(rows, row) if kind == _BAR else None
    return ShownRow(rows, row, kind, rows.instrument.item(row), is_price, bar)
