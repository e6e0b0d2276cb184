"""What a service manager is told."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from runtime.system.notify import ServiceManager


class Listener:
    """Hears what is told."""

    def __init__(self, address: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(address)
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        words = []
        while True:
            try:
                words.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return words

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    listener = Listener(str(tmp_path / "notify"))
    yield listener
    listener.close()


def test_it_hears_how_the_daemon_is(tmp_path: Path, listener: Listener) -> None:
    manager = ServiceManager(address=str(tmp_path / "notify"))
    manager.ready("running")
    manager.status("busy")
    manager.stopping("interrupted")
    assert listener.heard() == [
        f"READY=1\nSTATUS=running\nMAINPID={os.getpid()}",
        "STATUS=busy",
        "STOPPING=1\nSTATUS=interrupted",
    ]


def test_an_abstract_address_begins_with_an_at() -> None:
    name = f"bulkhead-test-{os.getpid()}"
    listener = Listener(f"\0{name}")
    ServiceManager(address=f"@{name}").status("here")
    assert listener.heard() == ["STATUS=here"]
    listener.close()


def test_nobody_to_tell_is_no_trouble(tmp_path: Path) -> None:
    ServiceManager().ready("running")
    ServiceManager(address=str(tmp_path / "nobody")).ready("running")
    assert not (tmp_path / "nobody").exists()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, 0),
        ({"WATCHDOG_USEC": "2500000"}, 2.5),
        ({"WATCHDOG_USEC": "2500000", "WATCHDOG_PID": str(os.getpid())}, 2.5),
        ({"WATCHDOG_USEC": "2500000", "WATCHDOG_PID": "1"}, 0),
        ({"WATCHDOG_USEC": "soon"}, 0),
    ],
)
def test_the_environment_names_it(environment: dict[str, str], seconds: float) -> None:
    manager = ServiceManager.of({"NOTIFY_SOCKET": "/x", **environment})
    assert (manager.address, manager.watchdog_s) == ("/x", seconds)


async def test_the_watchdog_is_fed_while_there_is_progress(
    tmp_path: Path, listener: Listener, autojump_clock: MockClock
) -> None:
    manager = ServiceManager(address=str(tmp_path / "notify"), watchdog_s=10)
    goes_on = True

    async def makes_progress() -> None:
        if not goes_on:
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(manager.keep_alive, makes_progress)
        await trio.sleep(12)
        assert listener.heard() == ["WATCHDOG=1"] * 3
        goes_on = False
        await trio.sleep(60)
        assert listener.heard() == []
        nursery.cancel_scope.cancel()


async def test_without_a_watchdog_nothing_is_fed(tmp_path: Path, listener: Listener) -> None:
    async def makes_progress() -> None:
        raise AssertionError

    await ServiceManager(address=str(tmp_path / "notify")).keep_alive(makes_progress)
    assert listener.heard() == []
