"""A second venue's price as it comes in."""

from collections import deque
from decimal import Decimal
from typing import Any

from actors.messages.market import Bar, Quote, Trade
from actors.model.instrument import Instrument, Instruments
from actors.strategies.yes_no.parameters import OracleParameters
from actors.strategies.yes_no.state import OracleView

_SAMPLES = 128
_TWO = Decimal(2)


class OraclePrice:
    """The latest price of one instrument, and those of a window before.

    A price is the mid of a quote with two sides. As long as there are no such quotes, public trades
    and closes of bars count. Of the window, about 128 prices are kept.
    """

    def __init__(self, parameters: OracleParameters) -> None:
        self._parameters = parameters
        self._step_ns = parameters.window_ns // _SAMPLES
        self._instrument: Instrument | None = None
        self._is_quoted = False
        self._half_ticks = 0
        self._time_ns = 0
        self._window: deque[tuple[int, int]] = deque()

    @property
    def price(self) -> Decimal | None:
        """Return the latest price, however old; None if there is none to rely on."""
        return None if self._instrument is None else self._decimal(self._half_ticks)

    def on_quote(self, quote: Quote) -> None:
        """Take a quote."""
        if quote.bid_lots and quote.ask_lots:
            self._is_quoted = True
            self._take(quote, quote.bid_ticks + quote.ask_ticks)

    def on_trade(self, trade: Trade) -> None:
        """Take a public trade."""
        if not self._is_quoted:
            self._take(trade, 2 * trade.price_ticks)

    def on_bar(self, bar: Bar) -> None:
        """Take a bar."""
        if not self._is_quoted:
            self._take(bar, 2 * bar.close_ticks)

    def forget(self) -> None:
        """Rely on nothing that was heard so far: the feed went down, or its book is wrong."""
        self._instrument = None
        self._is_quoted = False
        self._window.clear()

    def saved(self) -> Any:
        """Return what it knows, as plain values for JSON."""
        name = None if self._instrument is None else self._instrument.id
        window = [list(each) for each in self._window]
        return [name, self._is_quoted, self._half_ticks, self._time_ns, window]

    def restore(self, state: Any, table: Instruments) -> None:
        """Know what :meth:`saved` has returned; nothing, if the instrument is not known (yet)."""
        name, is_quoted, half_ticks, time_ns, window = state
        self.forget()
        self._instrument = None if name is None else table.get(name)
        if self._instrument is not None:
            self._is_quoted, self._half_ticks, self._time_ns = is_quoted, half_ticks, time_ns
            self._window.extend((at_ns, half) for at_ns, half in window)

    def view(self, now_ns: int, first: Decimal | None) -> OracleView | None:
        """Return what the rules see.

        Args:
            now_ns: The time.
            first: The oracle's price when the market began.
        """
        price = self.price
        if price is None:
            return None
        parameters = self._parameters
        if parameters.rule == "momentum":
            reference = self._price_at(now_ns - parameters.window_ns)
        else:
            reference = first if parameters.strike is None else parameters.strike
        return OracleView(price=price, age_ns=now_ns - self._time_ns, reference=reference)

    def _take(self, event: Quote | Trade | Bar, half_ticks: int) -> None:
        self._instrument = event.instrument
        self._half_ticks = half_ticks
        self._time_ns = event.time_ns
        window = self._window
        if self._parameters.rule != "momentum":
            return
        if not window or event.time_ns - window[-1][0] >= self._step_ns:
            window.append((event.time_ns, half_ticks))
        self._drop_before(event.time_ns - self._parameters.window_ns)

    def _drop_before(self, time_ns: int) -> None:
        """Keep of what is older only the latest."""
        window = self._window
        while len(window) > 1 and window[1][0] <= time_ns:
            window.popleft()

    def _price_at(self, time_ns: int) -> Decimal | None:
        self._drop_before(time_ns)
        window = self._window
        return self._decimal(window[0][1]) if window and window[0][0] <= time_ns else None

    def _decimal(self, half_ticks: int) -> Decimal:
        assert self._instrument is not None
        return self._instrument.price(half_ticks) / _TWO
