"""The floors: the same arithmetic without any engine, and one trio channel hop."""

import time
from typing import Any

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


def plain_bars(closes: np.ndarray[Any, Any]) -> tuple[float, int]:
    """Return seconds for an SMA(10)/SMA(50) cross over bars in a plain loop, and the crosses.

    Trades at the close with 0.1 % commission: position, cash and fees are kept, as floats.
    """
    close_list = closes.tolist()
    started = time.perf_counter()
    fast_sum = slow_sum = 0.0
    position = cash = 0.0
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
        above = fast_sum / 10 > slow_sum / 50
        if above != is_above:
            if is_above is not None:
                target = 1.0 if above else -1.0
                change = target - position
                cash -= change * close + abs(change) * close * 0.001
                position = target
                crosses += 1
            is_above = above
    elapsed = time.perf_counter() - started
    assert cash != 0.0
    return elapsed, crosses


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
