"""Telling a service manager (systemd) how the daemon is, over the socket that it names."""

import os
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import attrs
import trio

_MICROSECONDS = 1_000_000


@attrs.frozen(kw_only=True)
class ServiceManager:
    """Who is told; nobody if ``address`` is empty.

    Attributes:
        address: A path of a datagram socket, or ``@name`` for an abstract one.
        watchdog_s: How long it may hear nothing before it believes that the daemon hangs, in
            seconds; 0 for ever.
    """

    address: str = ""
    watchdog_s: float = 0.0

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "ServiceManager":
        """Return the one that the environment names (``NOTIFY_SOCKET``, ``WATCHDOG_USEC``)."""
        microseconds = environment.get("WATCHDOG_USEC", "")
        pid = environment.get("WATCHDOG_PID", "")
        is_ours = not pid or pid == str(os.getpid())
        watchdog_s = int(microseconds) / _MICROSECONDS if microseconds.isdigit() and is_ours else 0
        return cls(address=environment.get("NOTIFY_SOCKET", ""), watchdog_s=watchdog_s)

    def tell(self, *words: str) -> None:
        """Say something such as ``READY=1``; a manager that does not listen changes nothing."""
        if not self.address:
            return
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with (
            suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel,
        ):
            channel.setblocking(False)
            channel.sendto("\n".join(words).encode(), address)

    def ready(self, status: str) -> None:
        """Say that the daemon has started."""
        self.tell("READY=1", f"STATUS={status}", f"MAINPID={os.getpid()}")

    def status(self, status: str) -> None:
        """Say in words how it is."""
        self.tell(f"STATUS={status}")

    def stopping(self, status: str) -> None:
        """Say that the daemon stops."""
        self.tell("STOPPING=1", f"STATUS={status}")

    async def keep_alive(self, makes_progress: Callable[[], Awaitable[None]]) -> None:
        """Say twice in each watchdog period that the daemon lives, for as long as it does.

        Args:
            makes_progress: Returns when all that must go on has done a step; while it waits,
                nothing is said, and the service manager will draw its conclusions.
        """
        if not (self.address and self.watchdog_s):
            return
        while True:
            await makes_progress()
            self.tell("WATCHDOG=1")
            await trio.sleep(self.watchdog_s / 2)
