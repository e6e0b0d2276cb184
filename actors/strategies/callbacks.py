"""What a strategy is told, and when."""

from typing import Any

from actors.messages.account import PositionChanged
from actors.messages.market import Bar, BookView, Connection, Quote, Resolution, Trade
from actors.messages.trading import Fill, OrderUpdate, SignalRefused


class Callbacks:
    """Does nothing with anything: override what you need; the rest is not even delivered."""

    def on_start(self) -> None:
        """Called before anything else."""

    def on_warmed(self) -> None:
        """Called after a warm-up (see ``is_warming``), however little there was to be shown.

        What the rows shown would have led to has not been asked for: that can be made up for here,
        or with the next row.
        """

    def on_quote(self, quote: Quote) -> None:
        """Called with each best bid and ask."""

    def on_book(self, book: BookView) -> None:
        """Called with the best levels after each change of a book that is in sync."""

    def on_trade(self, trade: Trade) -> None:
        """Called with each public trade."""

    def on_bar(self, bar: Bar) -> None:
        """Called with each finished bar."""

    def on_timer(self, name: str) -> None:
        """Called when a timer is due."""

    def on_order(self, update: OrderUpdate) -> None:
        """Called with each step of an own order."""

    def on_fill(self, fill: Fill) -> None:
        """Called with each own execution; the position follows in :meth:`on_position`."""

    def on_position(self, change: PositionChanged) -> None:
        """Called when an own position has changed."""

    def on_refused(self, refusal: SignalRefused) -> None:
        """Called when the portfolio has refused a wish, or a change of an order (by its id)."""

    def on_connection(self, connection: Connection) -> None:
        """Called when a feed goes down or up, or a book loses or finds its sequence."""

    def on_resolution(self, resolution: Resolution) -> None:
        """Called when a market has resolved."""

    def on_stop(self) -> None:
        """Called last, before an orderly stop."""

    def save(self) -> Any:
        """Return the strategy's own state as plain values for JSON; None: it does not tell.

        Called now and then between two messages. Positions, open orders and the numbers of ids
        need not be in it: they are kept beside it.
        """
        return None

    def restore(self, state: Any) -> None:
        """Go back to what :meth:`save` has returned; called on a fresh instance.

        The order is: ``restore``, then what has come after it is made up for in silence (positions
        and open orders; market rows are not), then :meth:`on_start`, which must not undo it.
        """

    @classmethod
    def overrides(cls, callback: str) -> bool:
        """Return whether this class does something with what the callback tells."""
        return getattr(cls, callback) is not getattr(Callbacks, callback)
