"""Strategies that do not come back in time."""

# ruff: noqa: TID251 - real processes take real time

import time
from typing import Any

import attrs

from actors.messages.market import Quote
from actors.strategies import Strategy


class Sluggard(Strategy):
    """Trades a little, and at some quote computes for long, or for ever."""

    @attrs.frozen(kw_only=True)
    class Parameters:
        at: int = 5
        does: str = "spin"

    parameters: Parameters

    def on_start(self) -> None:
        self._seen = 0

    def on_quote(self, quote: Quote) -> None:
        self._seen += 1
        if self._seen == self.parameters.at:
            getattr(self, self.parameters.does)()
        if self._seen == 2:
            self.buy(quote.instrument, 1, reason="early")

    def spin(self) -> None:
        while True:
            pass

    def compute(self) -> None:
        until = time.monotonic() + 3
        while time.monotonic() < until:
            pass

    def sleep(self) -> None:
        time.sleep(3)

    def fail(self) -> None:
        raise ValueError("not today")


class Prompt(Strategy):
    """Buys or sells one at each quote, and takes notice of when the order was filled."""

    def on_start(self) -> None:
        self.waits: list[Any] = []

    def on_quote(self, quote: Quote) -> None:
        verb = self.sell if len(self.waits) % 2 else self.buy
        self.waits.append(quote.time_ns)
        verb(quote.instrument, 1)
