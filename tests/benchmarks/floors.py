"""The floors: the same arithmetic without any engine, and one trio channel hop."""

import time
from decimal import Decimal
from typing import Any

import attrs
import numpy as np
import trio


def plain_quotes(bids: np.ndarray[Any, Any], asks: np.ndarray[Any, Any]) -> float:
    """Return seconds for an EMA(10)/EMA(20) cross over quotes in a plain loop."""
    bid_list, ask_list = bids.tolist(), asks.tolist()
    started = time.perf_counter()
    fast = slow = (bid_list[0] + ask_list[0]) * 0.5
    fast_weight, slow_weight = 2 / 11, 2 / 21
    is_above = False
    crosses = 0
    for bid, ask in zip(bid_list, ask_list, strict=True):
        mid = (bid + ask) * 0.5
        fast += fast_weight * (mid - fast)
        slow += slow_weight * (mid - slow)
        if (fast > slow) != is_above:
            is_above = not is_above
            crosses += 1
    elapsed = time.perf_counter() - started
    assert crosses > 0
    return elapsed


@attrs.frozen(kw_only=True)
class PlainBars:
    """What the plain loop over bars took, and what it came to: the engine must agree."""

    seconds: float
    crosses: int
    cash: Decimal
    commission: Decimal


def plain_bars(closes: np.ndarray[Any, Any], cash: Decimal, tick: Decimal) -> PlainBars:
    """Cross SMA(10) with SMA(50) over bars, trade at the close with 0.1 % commission, end flat.

    The same arithmetic as the engine's: averages in whole ticks, money in exact decimals.
    """
    close_list = closes.tolist()
    rate = Decimal("0.001")
    started = time.perf_counter()
    fast_sum = slow_sum = 0
    position = commission = Decimal(0)
    is_above: bool | None = None
    crosses = 0
    for number, close in enumerate(close_list):
        fast_sum += close
        slow_sum += close
        if number >= 10:
            fast_sum -= close_list[number - 10]
        if number >= 50:
            slow_sum -= close_list[number - 50]
        if number < 49:
            continue
        difference = fast_sum * 50 - slow_sum * 10
        if difference and (difference > 0) is not is_above:
            is_above = difference > 0
            change = (1 if is_above else -1) - position
            amount = tick * close * change
            fee = abs(amount) * rate
            cash -= amount + fee
            commission += fee
            position += change
            crosses += 1
    amount = tick * close_list[-1] * -position
    fee = abs(amount) * rate
    seconds = time.perf_counter() - started
    return PlainBars(
        seconds=seconds,
        crosses=crosses,
        cash=cash - amount - fee,
        commission=commission + fee,
    )


def channel_hop(messages: int = 50_000) -> float:
    """Return seconds for one trio channel send and receive between two tasks that wait."""

    async def main() -> float:
        send, receive = trio.open_memory_channel[int](1)

        async def produce() -> None:
            for number in range(messages):
                await send.send(number)
            await send.aclose()

        async def consume() -> None:
            async for _ in receive:
                pass

        started = time.perf_counter()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(produce)
            nursery.start_soon(consume)
        return (time.perf_counter() - started) / messages

    return trio.run(main)
