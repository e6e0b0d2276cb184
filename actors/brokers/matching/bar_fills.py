"""At which prices orders trade in a bar, of which nobody knows the way between its four prices.

A bar is shown when it closes. An order that comes between two bars meets the next one; only under
``close`` it meets the last one.

============= =============== ==================================== ==============================
policy        a MARKET order  trades at                            a STOP that wakes trades at
============= =============== ==================================== ==============================
conservative  meets the next  the high to buy, the low to sell     the high to buy, the low to sell
next_open     meets the next  the open                             its stop, or the worse open
close         meets the last  the close                            its stop, or the worse open
ohlc4         meets the next  (open + high + low + close) / 4, or  its stop, or the worse open
                              the close if nothing was traded
adaptive_path meets the next  the open                             its stop, or the worse open
============= =============== ==================================== ==============================

- A resting LIMIT trades in each bar that reaches it, at its limit, or at the open if that is
  better. One that comes takes at once under ``close`` if the last close is within its limit; under
  the others it rests and waits for the next bar.
- IOC, FAK and FOK: the bar that a MARKET order would meet is their moment. They trade at its
  MARKET price if that is within their limit; what is left is cancelled.
- STOP_LIMIT: when it wakes at a price strictly better than its limit, it trades there (under
  ``conservative`` at the worst price of the bar that its limit allows). Else it becomes a resting
  limit order, which no earlier than the next bar reaches; under ``adaptive_path`` in the same bar,
  if the way that is left goes there.
- ``adaptive_path`` supposes that the price went from the open to the nearer of high and low first
  (to the low if both are as near), then to the other, then to the close.
- Of orders of one group (OCO) only one trades in a bar: the stop, which is the worse one for us;
  under ``adaptive_path`` the one that the way meets first.
- A trade's time is that of the bar's row, whichever of its prices it has.
- When the data have ended, the orders that close the account's positions meet the last close.
"""

from enum import StrEnum

from actors.brokers.market.shown import Bar

QUARTERS = 4
"""Prices are told in quarters of a tick: those of ``ohlc4`` may be between two ticks."""


class FillPolicy(StrEnum):
    """At which prices of a bar orders trade: see the table above."""

    CONSERVATIVE = "conservative"
    NEXT_OPEN = "next_open"
    CLOSE = "close"
    OHLC4 = "ohlc4"
    ADAPTIVE_PATH = "adaptive_path"


Moment = tuple[int, int]
"""When the way through a bar comes to a price: which leg, and how many ticks from its begin."""

_CONSERVATIVE = FillPolicy.CONSERVATIVE
_CLOSE = FillPolicy.CLOSE
_OHLC4 = FillPolicy.OHLC4


def worse(first: int, second: int, sign: int) -> int:
    """Return the worse of two prices: the higher one to buy (``sign`` +1), the lower to sell."""
    return max(first, second) if sign > 0 else min(first, second)


def better(first: int, second: int, sign: int) -> int:
    """Return the better of two prices: the lower one to buy (``sign`` +1), the higher to sell."""
    return min(first, second) if sign > 0 else max(first, second)


def market_price(bar: Bar, policy: FillPolicy, sign: int) -> int:
    """Return what a market order pays or gets, in quarters of a tick.

    Args:
        bar: The bar that it meets.
        policy: Which price of it counts.
        sign: +1 to buy, -1 to sell.
    """
    if policy is _CONSERVATIVE:
        return QUARTERS * (bar.high if sign > 0 else bar.low)
    if policy is _CLOSE:
        return QUARTERS * bar.close
    if policy is _OHLC4:
        total = bar.open + bar.high + bar.low + bar.close
        return total if bar.volume else QUARTERS * bar.close
    return QUARTERS * bar.open


def stop_price(bar: Bar, policy: FillPolicy, stop: int, sign: int) -> int:
    """Return at which price in quarters of a tick an order trades that a bar wakes at its stop."""
    if policy is _CONSERVATIVE:
        return market_price(bar, policy, sign)
    return QUARTERS * worse(stop, bar.open, sign)


def limit_price(bar: Bar, limit: int, sign: int) -> int | None:
    """Return at which price in ticks a resting order trades; None if the bar does not reach it."""
    if ((bar.low if sign > 0 else bar.high) - limit) * sign > 0:
        return None
    return better(limit, bar.open, sign)


def path(bar: Bar) -> tuple[int, int, int, int]:
    """Return the way that ``adaptive_path`` supposes, in ticks."""
    if bar.high - bar.open < bar.open - bar.low:
        return bar.open, bar.high, bar.low, bar.close
    return bar.open, bar.low, bar.high, bar.close


def moment(bar: Bar, ticks: int, direction: int, after: Moment = (0, 0)) -> Moment | None:
    """Return when the way through a bar first is at a price or beyond; None if it never is.

    Args:
        bar: The bar.
        ticks: The price.
        direction: +1 if beyond is above, -1 if it is below.
        after: Not before then.
    """
    way = path(bar)
    first_leg, walked = after
    for leg in range(first_leg, len(way) - 1):
        begin, end = way[leg], way[leg + 1]
        if leg == first_leg:
            begin += walked if end > begin else -walked
        else:
            walked = 0
        if (begin - ticks) * direction >= 0:
            return leg, walked
        if (end - ticks) * direction >= 0:
            return leg, walked + abs(ticks - begin)
    return None
