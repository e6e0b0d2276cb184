"""Cores that are put into other interpreters, and what they share with ours."""

# ruff: noqa: TID251 - real processes take real time

import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import attrs

from actors.actor import Context
from runtime.kernel.placement.pipe import Phrases
from runtime.kernel.placement.process import PlacedCore, PlacedVectorised, Remote


class Thing:
    """Something that both sides have: it must not be sent."""

    def __init__(self, number: int) -> None:
        self.number = number


class Things:
    """Phrases about a list of things, of which more come later."""

    def __init__(self, things: list[Thing]) -> None:
        self.things = things
        self._told = 0

    def name_of(self, each: Any) -> Any:
        return self.things.index(each) if isinstance(each, Thing) and each in self.things else None

    def named(self, name: Any) -> Any:
        return self.things[name]

    def news(self) -> bytes:
        numbers = [thing.number for thing in self.things[self._told :]]
        self._told = len(self.things)
        return pickle.dumps(numbers) if numbers else b""

    def learn(self, news: bytes) -> None:
        self.things += [Thing(number) for number in pickle.loads(news)]


class Obedient:
    """Does what messages say, ``(verb, argument)``; each verb is one of its methods."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.outbox: list[Any] = []
        self.total = 0
        self.history: list[Any] = []

    def start(self, now_ns: int) -> list[Any]:
        return ["started", now_ns, self.context.incarnation, self.total, len(self.history)]

    def stop(self, now_ns: int) -> list[Any]:
        return ["stopped", now_ns]

    def recover(self, history: Iterable[tuple[str, Any]]) -> None:
        self.history = [message for _, message in history]
        if "broken" in self.history:
            raise ValueError("a broken past")

    def snapshot(self) -> Any:
        return self.total

    def reinstate(self, snapshot: Any) -> None:
        self.total = snapshot

    def handle(self, message: Any, now_ns: int) -> list[Any]:
        verb, argument = message
        found: list[Any] = getattr(self, verb)(argument)
        return found

    def add(self, number: int) -> list[Any]:
        self.total += number
        return [self.total]

    def number_of(self, thing: Thing) -> list[Any]:
        return [thing.number, thing]

    def past(self, _: Any) -> list[Any]:
        return list(self.history)

    def fail(self, text: str) -> list[Any]:
        raise ValueError(text)

    def spin(self, _: Any) -> list[Any]:
        while True:
            pass

    def nap(self, seconds: float) -> list[Any]:
        time.sleep(seconds)
        return ["slept"]

    def leave(self, code: int) -> list[Any]:
        os._exit(code)

    def kill(self, _: Any) -> list[Any]:
        os.kill(os.getpid(), signal.SIGKILL)
        return []

    def pid(self, _: Any) -> list[Any]:
        return [os.getpid()]

    def hang_up(self, _: Any) -> list[Any]:
        os.close(int(sys.argv[1]))
        time.sleep(60)
        return []

    def parent(self, _: Any) -> list[Any]:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        return [child.pid]

    def unpicklable(self, _: Any) -> list[Any]:
        return [lambda: None]

    def draw(self, _: Any) -> list[Any]:
        return [self.context.random.random()]

    # --- a listener ------------------------------------------------------------------------------

    def callback(self, code: int) -> Callable[[Any], None] | None:
        return self._on_row if code else None

    def _on_row(self, row: int) -> None:
        self.total += row
        if self.total >= 10:
            self.outbox.append(self.total)

    def take_outbox(self, now_ns: int) -> list[Any]:
        sent = [*self.outbox, now_ns]
        self.outbox.clear()
        return sent


class Columnar(Obedient):
    """Works on whole rows, a list of numbers; acts at the first above 5."""

    def on_slice(self, rows: list[int], start: int, stop: int) -> int | None:
        return next((row for row in range(start, stop) if rows[row] > 5), None)

    def on_rows(self, rows: list[int], start: int, stop: int) -> None:
        if rows[stop - 1] > 5:
            self.outbox.append(rows[stop - 1])


class Slow(Obedient):
    """Takes its time to start."""

    def start(self, now_ns: int) -> list[Any]:
        time.sleep(0.3)
        return []


class Hopeless(Obedient):
    """Cannot be built."""

    def __init__(self, context: Context) -> None:
        raise RuntimeError(f"no {context.actor} today")


@attrs.frozen
class Builder:
    """Builds one of these, elsewhere."""

    kind: type = Obedient
    is_broken: bool = False

    def prepare(self) -> tuple[Phrases, Callable[[Context], Any]]:
        if self.is_broken:
            raise ImportError("no such module")
        return Things([]), self.kind


def context(incarnation: int = 0) -> Context:
    """Return what a core called ``far`` is told."""
    return Context(run_id="run", actor="far", incarnation=incarnation, random=Random(7))


def placed(
    kind: type = Obedient, things: list[Thing] | None = None, *, is_broken: bool = False
) -> PlacedCore:
    """Return a stand-in that has not started."""
    stand_in = PlacedVectorised if kind is Columnar else PlacedCore
    return stand_in(Remote(Builder(kind, is_broken), Things(things or []), context()))
