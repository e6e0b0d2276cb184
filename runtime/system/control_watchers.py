"""Looks over the post office's shoulder, for whoever waits for an answer or reads events."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import trio

from runtime.kernel.envelope import Envelope
from runtime.kernel.post import Post

See = Callable[[Envelope], None]


class Watchers:
    """Shows what is delivered to several; costs nothing while there are none.

    A watcher that raises is left out from then on: it must not hold up the ring.
    """

    def __init__(self, post: Post) -> None:
        self._post = post
        self._before: See | None = None
        self._all: list[See] = []
        self._is_there = False

    @contextmanager
    def watching(self, see: See) -> Iterator[None]:
        """Show every delivered message to a function while the block runs."""
        if not self._is_there:
            self._before, self._post.tap = self._post.tap, self._show
            self._is_there = True
        self._all.append(see)
        try:
            yield
        finally:
            self._leave(see)

    def _leave(self, see: See) -> None:
        if see in self._all:
            self._all.remove(see)
            if not self._all and self._post.tap == self._show:  # else somebody looks through us
                self._post.tap, self._before = self._before, None
                self._is_there = False

    def _show(self, envelope: Envelope) -> None:
        if self._before is not None:
            self._before(envelope)
        for see in tuple(self._all):
            try:
                see(envelope)
            except Exception:  # noqa: BLE001 - its own connection notices; the ring must go on
                self._leave(see)


async def answer_to(
    watchers: Watchers, deliver: Callable[[], int], kind: type, timeout_s: float
) -> Any | None:
    """Deliver a message and return the answer of a type that it leads to.

    Args:
        watchers: Who sees the answer.
        deliver: Delivers, and returns the sequence of what it has delivered.
        kind: The type of the answer.
        timeout_s: How long to wait, in seconds.

    Returns:
        The answer, or None if none came in time.
    """
    found: list[Any] = []
    came = trio.Event()
    sent = -1

    def see(envelope: Envelope) -> None:
        if envelope.cause == sent and isinstance(envelope.message, kind) and not found:
            found.append(envelope.message)
            came.set()

    with watchers.watching(see), trio.move_on_after(timeout_s):
        sent = deliver()
        await came.wait()
    return found[0] if found else None
