"""What every strategy is built on: callbacks in, wishes out."""

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from random import Random  # noqa: TID251 - the type only; the generator comes from the context
from typing import Any, ClassVar, assert_never

import attrs

from actors.actor import Context, Vectorised
from actors.messages.account import ConvertTokens, PositionChanged
from actors.messages.market import (
    KIND_BITS,
    KIND_MASK,
    BookChange,
    Connection,
    EventKind,
)
from actors.messages.slices import MarketData, Slice
from actors.messages.system import TimerFired
from actors.messages.trading import (
    Fill,
    ModifyOrder,
    OrderUpdate,
    Signal,
    SignalBatch,
    SignalRefused,
)
from actors.model.instrument import Instruments
from actors.strategies.callbacks import Callbacks
from actors.strategies.replicas import BookReplicas
from actors.strategies.verbs import Verbs
from actors.strategies.warming import Past, PastShown, show_past

StrategyInput = (
    OrderUpdate | Fill | PositionChanged | SignalRefused | TimerFired | MarketData | PastShown
)

_ALWAYS_WANTED = frozenset({OrderUpdate, PositionChanged, SignalRefused, TimerFired, MarketData})
_CALLBACKS = {
    EventKind.QUOTE: "on_quote",
    EventKind.TRADE: "on_trade",
    EventKind.BAR: "on_bar",
    EventKind.BOOK: "on_book",
    EventKind.CONNECTION: "on_connection",
    EventKind.RESOLUTION: "on_resolution",
}


@attrs.frozen(kw_only=True)
class StrategyConfig:
    """What one strategy of a run trades, and how.

    Attributes:
        instruments: Ids, or patterns such as ``BTC*``; none means every instrument.
        parameters: An instance of the strategy's ``Parameters``; None means its defaults.
        past: What it is warmed with wherever it begins without a state of its own; None: it is not.
    """

    instruments: tuple[str, ...] = ()
    parameters: Any = None
    past: Past | None = None


class Strategy(Callbacks, Verbs):
    """The base of all strategies: override the callbacks you need, call the verbs you need.

    ```python
    class BuyTheDip(Strategy):
        @attrs.frozen(kw_only=True)
        class Parameters:
            below: Decimal = Decimal("0.40")

        parameters: Parameters

        def on_quote(self, quote: Quote) -> None:
            if quote.ask is not None and quote.ask < self.parameters.below:
                self.buy(quote.instrument, 10, limit=quote.ask, reason="dip")
    ```

    State belongs to :meth:`on_start`. After a failure a fresh instance runs: it knows its
    positions and open orders, its own state and its timers begin anew with ``on_start``. One that
    defines :meth:`save` and :meth:`restore` is given back what it has saved last; ``on_start``
    comes after that, and must leave it as it is where ``is_restored`` says so. Where nothing was
    saved and the configuration says ``warm_up``, it is shown recorded rows after ``on_start``:
    the market callbacks are called as ever, but nothing they ask for is done. Verbs that return an
    id return an empty one then. :meth:`on_warmed` ends that.

    Attributes:
        name: The strategy's name in the run.
        parameters: What the configuration says, an instance of ``Parameters``.
        instruments: The run's table of instruments.
        random: A generator seeded for this strategy alone.
        now_ns: When the message under way was handled, or the latest act at a market row took
            place. Inside a market callback the time is the event's ``time_ns``.
        is_restored: Whether :meth:`restore` was called: averages and the like are as they were.
        is_warming: Whether it is shown rows from before it began. Positions and open orders are
            those of now even then.
        learns: Whether rows from before it began are of any use to it; if not, it is shown none.
        book_depth: How many levels a side :meth:`on_book` is shown.
        wants: The message types to deliver; for membership tests, its order means nothing.
    """

    @attrs.frozen(kw_only=True)
    class Parameters:
        """No parameters; a strategy that has some defines its own attrs class of this name."""

    learns: ClassVar[bool] = True
    book_depth: ClassVar[int] = 10
    wants: ClassVar[frozenset[type]] = _ALWAYS_WANTED
    parameters: Any

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.wants = _ALWAYS_WANTED | {Fill} if cls.overrides("on_fill") else _ALWAYS_WANTED

    def __init__(
        self, context: Context, instruments: Instruments, config: StrategyConfig | None = None
    ) -> None:
        super().__init__(context)
        config = config or StrategyConfig()
        self.instruments = instruments
        self.random: Random = context.random
        self.parameters = self.Parameters() if config.parameters is None else config.parameters
        assert isinstance(self.parameters, self.Parameters), f"{self.name}: wrong parameters"
        self._patterns = config.instruments
        self._past = config.past
        self._books = BookReplicas()
        self._books_of_now = self._books
        self._callbacks: dict[int, Callable[[Any], None] | None] = {}
        self._vectorised = self if isinstance(self, Vectorised) else None
        self.is_restored = False

    # --- a core of the runtime -------------------------------------------------------------------

    def start(self, now_ns: int) -> list[Any]:
        """Begin; return what :meth:`on_start` sends, and :meth:`on_warmed` where it is warmed."""
        self.now_ns = now_ns
        self.on_start()
        sent = self.take_outbox(now_ns)
        if self._past is not None and not self.is_restored:
            for rows in self._past(now_ns):
                self._show_past(rows)
            sent += self._end_past(now_ns)
        return sent

    def handle(self, message: StrategyInput, now_ns: int) -> list[Any]:
        """Take a message, tell the callback, and return what it sends."""
        self.now_ns = now_ns
        match message:
            case OrderUpdate():
                self._blotter.updated(message)
                self.on_order(message)
            case PositionChanged():
                self._blotter.position_changed(message)
                self.on_position(message)
            case Fill():
                self.on_fill(message)
            case SignalRefused():
                self._blotter.refused(message)
                self.on_refused(message)
            case TimerFired():
                if self._is_due(message):
                    self.on_timer(message.name)
            case MarketData():
                return self._take_rows(message.rows, now_ns)
            case PastShown():
                if message.rows is None:
                    return self._end_past(now_ns)
                self._show_past(message.rows)
            case _:
                assert_never(message)
        return self.take_outbox(now_ns) if self.outbox else []

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        """Rebuild positions and open orders; no callback hears of it."""
        for direction, message in history:
            match message:
                case Signal() if direction == "sent":
                    self._sent_before(message)
                case SignalBatch() if direction == "sent":
                    for signal in message.signals:
                        self._sent_before(signal)
                case ConvertTokens() if direction == "sent":
                    self._was_used(message.request_id)
                case ModifyOrder() if direction == "sent":
                    self._blotter.asked_to_change(message.client_order_id)
                case OrderUpdate():
                    self._blotter.updated(message)
                case PositionChanged():
                    self._blotter.position_changed(message)
                case SignalRefused():
                    self._blotter.refused(message)
                case _:
                    pass

    def _sent_before(self, signal: Signal) -> None:
        self._blotter.asked(signal)
        self._was_used(signal.signal_id)

    def snapshot(self) -> dict[str, Any] | None:
        """Return what :meth:`reinstate` needs, as plain values for JSON.

        What its own state is need not be told (:meth:`save`): it begins anew then, as it does
        without a snapshot. None if it is rebuilt from its whole history, in a way of its own.
        """
        own = self.save()
        if own is None and self.__class__.recover is not Strategy.recover:
            return None
        return {"wishes": self._wishes, "blotter": self._blotter.saved(), "own": own}

    def reinstate(self, snapshot: Mapping[str, Any]) -> None:
        """Go back to a snapshot; called on a fresh instance, before :meth:`recover`.

        :meth:`recover` is then given what came after the snapshot, and :meth:`start` follows.

        Raises:
            msgspec.ValidationError: If the snapshot is of another shape.
        """
        self._wishes = snapshot["wishes"]
        self._blotter.restore(snapshot["blotter"])
        own = snapshot["own"]
        if own is not None:
            self.is_restored = True
            self.restore(own)

    def stop(self, now_ns: int) -> list[Any]:
        """End; return what :meth:`on_stop` sends."""
        self.now_ns = now_ns
        self.on_stop()
        return self.take_outbox(now_ns)

    @property
    def market(self) -> BookReplicas:
        """The books: handed to the next incarnation, which cannot rebuild them."""
        return self._books

    def inherit(self, market: BookReplicas) -> None:
        """Go on with the books of the incarnation before."""
        self._books = market

    # --- rows from before it began ---------------------------------------------------------------

    def _show_past(self, rows: Slice) -> None:
        """Show rows to the callbacks; the books that they lead to are not those of now."""
        if not self.is_warming:
            self.is_warming = True
            self._books_of_now, self._books = self._books, BookReplicas()
        show_past(self, rows)

    def _end_past(self, now_ns: int) -> list[Any]:
        """Go on in the present; return what :meth:`on_warmed` sends."""
        if self.is_warming:
            self.is_warming = False
            self._books = self._books_of_now
        self.now_ns = now_ns
        self.on_warmed()
        return self.take_outbox(now_ns)

    # --- a listener of the market ----------------------------------------------------------------

    def callback(self, code: int) -> Callable[[Any], None] | None:
        """Return what to call with each row of this code, or None to hear nothing of it."""
        if code not in self._callbacks:
            self._callbacks[code] = self._find_callback(code)
        return self._callbacks[code]

    def _find_callback(self, code: int) -> Callable[[Any], None] | None:
        kind, index = EventKind(code & KIND_MASK), code >> KIND_BITS
        if index >= 0 and not self.trades(index):
            return None
        if self.overrides("on_book"):
            if kind is EventKind.BOOK:
                return self._on_book_change
            if kind is EventKind.CONNECTION:
                return self._on_any_connection
        name = _CALLBACKS[kind]
        found: Callable[[Any], None] = getattr(self, name)
        return found if self.overrides(name) else None

    def trades(self, index: int) -> bool:
        """Return whether the instrument of this index is one of those configured."""
        patterns = self._patterns
        return not patterns or any(
            fnmatchcase(self.instruments[index].id, pattern) for pattern in patterns
        )

    def _on_book_change(self, change: BookChange) -> None:
        view = self._books.apply(change, self.book_depth)
        if view is not None:
            self.on_book(view)

    def _on_any_connection(self, connection: Connection) -> None:
        self._books.hear(connection)
        self.on_connection(connection)

    def _take_rows(self, rows: Slice, now_ns: int) -> list[Any]:
        """Run over rows as they come in live; the outputs of each row follow those before it."""
        if self._vectorised is not None:
            return self._take_columns(self._vectorised, rows, now_ns)
        sent: list[Any] = []
        for code, event in zip(rows.codes, rows.events(), strict=True):
            callback = self.callback(code)
            if callback is not None:
                callback(event)
                sent += self.take_outbox(now_ns)
        return sent

    def _take_columns(self, core: Vectorised, rows: Slice, now_ns: int) -> list[Any]:
        sent: list[Any] = []
        position, length = 0, len(rows)
        while position < length:
            acts = core.on_slice(rows, position, length)
            stop = length if acts is None else acts + 1
            core.on_rows(rows, position, stop)
            sent += self.take_outbox(now_ns)
            position = stop
        return sent
