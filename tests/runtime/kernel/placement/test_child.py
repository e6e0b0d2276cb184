"""The child's side, in this process: requests in, answers out."""

# ruff: noqa: TID251 - real processes take real time

import fcntl
import os
import pickle
import signal
import socket
import sys
import threading
from typing import Any

import pytest

from runtime.kernel.placement import child
from runtime.kernel.placement.child import DONE, FAILED, Server
from runtime.kernel.placement.pipe import Line, packed, unpacked
from tests.runtime.kernel.placement.cores import Builder, Columnar, Obedient, Thing, Things, context


def question(of: Things, name: str, *arguments: Any) -> bytes:
    body = packed((name, arguments), of)
    return pickle.dumps((of.news(), body))


def answers(kind: type, frames: list[bytes], ours: Things) -> list[Any]:
    """Return what a server answers to some frames; then the parent hangs up."""
    near, far = socket.socketpair()
    with near, far:
        for frame in frames:
            Line(near).send(frame)
        near.shutdown(socket.SHUT_WR)
        Server(Line(far), Builder(kind)).serve()
        far.close()
        line, found = Line(near), []
        while True:
            try:
                found.append(unpacked(line.receive(), ours))
            except EOFError:
                return found


def test_it_answers_one_question_after_the_other() -> None:
    ours = Things([Thing(5)])
    frames = [
        question(ours, "build", context(2)),
        question(ours, "reinstate", 20),
        question(ours, "recover"),
        packed([("sent", 1), ("sent", 2)], ours),
        packed([], ours),
        question(ours, "start", 8),
        question(ours, "handle", ("number_of", ours.things[0]), 9),
        question(ours, "handle", ("fail", "oh"), 9),
        question(ours, "callback", 0),
        question(ours, "callback", 1),
        question(ours, "row", 1, -11),
        question(ours, "row", 1, 1),
        question(ours, "take_outbox", 10),
        question(ours, "snapshot"),
        question(ours, "ping"),
        question(ours, "stop", 11),
        question(ours, "nonsense"),
    ]
    found = answers(Obedient, frames, ours)
    assert found[:6] == [
        (DONE, None),
        (DONE, None),
        (DONE, None),
        (DONE, ["started", 8, 2, 20, 2]),
        (DONE, [5, ours.things[0]]),
        (FAILED, found[5][1]),
    ]
    assert (found[5][1].kind, found[5][1].text) == ("ValueError", "oh")
    assert found[6:14] == [
        (DONE, each) for each in (False, True, False, True, [10, 10], 10, None, ["stopped", 11])
    ]
    assert found[14][0] == FAILED
    assert found[14][1].kind == "AttributeError"


def test_a_past_that_ends_in_the_middle_is_a_failure_that_nobody_hears() -> None:
    ours = Things([])
    frames = [
        question(ours, "build", context()),
        question(ours, "recover"),
        packed([("a", 1)], ours),
    ]
    assert answers(Obedient, frames, ours)[0] == (DONE, None)


def test_what_a_core_does_not_want_to_hear_of_its_past_is_no_question() -> None:
    ours = Things([])
    frames = [
        question(ours, "build", context()),
        question(ours, "recover"),
        packed([("sent", "broken")], ours),
        packed([], ours),
        question(ours, "snapshot"),
    ]
    found = answers(Obedient, frames, ours)
    assert [verdict for verdict, _ in found] == [DONE, FAILED, DONE]


def test_it_keeps_the_rows_shown() -> None:
    ours = Things([])
    frames = [
        question(ours, "build", context()),
        question(ours, "show", [1, 9]),
        question(ours, "on_slice", 0, 2),
        question(ours, "on_rows", 0, 1),
        question(ours, "on_rows", 1, 2),
    ]
    found = [value for _, value in answers(Columnar, frames, ours)]
    assert found == [None, None, 1, False, True]


@pytest.mark.parametrize("maker", [Builder(), Builder(is_broken=True)])
def test_as_a_command_it_serves_the_descriptors_named(
    maker: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    near, far = socket.socketpair()
    lifeline, hold = os.pipe()
    ours = Things([])
    with near:
        Line(near).send(pickle.dumps(maker))
        Line(near).send(question(ours, "build", context()))
        near.shutdown(socket.SHUT_WR)
        monkeypatch.setattr(sys, "argv", ["child", str(far.detach()), str(lifeline)])
        monkeypatch.setattr(child, "die_with_parent", lambda fd: None)
        child.main()
        verdict, found = unpacked(Line(near).receive(), ours)
    os.close(hold)
    os.close(lifeline)
    if maker.is_broken:
        assert (verdict, found.kind) == (FAILED, "ImportError")
    else:
        assert (verdict, found) == (DONE, None)


def test_as_a_command_it_ends_where_nobody_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    near, far = socket.socketpair()
    near.close()
    monkeypatch.setattr(sys, "argv", ["child", str(far.detach()), "0"])
    told: list[int] = []
    monkeypatch.setattr(child, "die_with_parent", told.append)
    child.main()
    assert told == [0]


def test_it_ignores_what_asks_a_group_of_processes_to_end() -> None:
    ends = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in ends}
    try:
        child.leave_the_end_to_the_parent()
        assert {signal.getsignal(number) for number in ends} == {signal.SIG_IGN}
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_lifeline_sends_a_signal_when_it_is_let_go() -> None:
    lifeline, hold = os.pipe()
    heard: list[int] = []
    before = signal.signal(signal.SIGIO, lambda number, _frame: heard.append(number))
    try:
        child.die_with_parent(lifeline)
        assert fcntl.fcntl(lifeline, fcntl.F_GETFL) & os.O_ASYNC
        assert heard == []
        os.close(hold)
        assert heard == [signal.SIGIO]
    finally:
        signal.signal(signal.SIGIO, before)
        os.close(lifeline)


def test_frames_arrive_whole_however_they_are_cut() -> None:
    near, far = socket.socketpair()
    with near, far:
        line = Line(far)
        whole = b"".join(
            len(body).to_bytes(4, "big") + body for body in (b"one", b"", b"three" * 9)
        )
        for at in range(0, len(whole), 5):
            near.sendall(whole[at : at + 5])
        assert [line.receive() for _ in range(3)] == [b"one", b"", b"three" * 9]
        big = bytes(200_000)
        near.settimeout(5)
        thread = threading.Thread(target=Line(near).send, args=(big,))
        thread.start()
        assert line.receive() == big
        thread.join()
        line.wait_at_most(0.01)
        with pytest.raises(TimeoutError):
            line.receive()
        near.close()
        with pytest.raises(EOFError):
            line.receive()
        line.hang_up()
        line.close()
