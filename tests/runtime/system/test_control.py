"""The control server: who is let in, what can be asked, and what bad input gets."""

import stat
from pathlib import Path
from typing import Any

import pytest
import trio

from actors.messages.reconciliation import (
    Cure,
    Difference,
    DifferenceKind,
    Reconcile,
    ResolveDifference,
)
from actors.messages.safety import Heartbeat
from actors.messages.system import CancelAllAtVenue, Halt, Trip
from runtime.config.daemon import StopPolicy
from runtime.kernel.envelope import Envelope
from runtime.observe.control_socket import LONGEST_LINE, SOCKET_FILE, TOKEN_FILE
from runtime.system import control_views
from runtime.system.control_commands import CONTROL
from runtime.system.halting import halt, halt_by_signal
from runtime.wiring.routes import Role
from tests.runtime.system.governed import System, calling, governed, leftovers


def tapped(system: System) -> list[Envelope]:
    """Return a list of everything that is delivered from now on."""
    seen: list[Envelope] = []
    system.plant.post.tap = seen.append
    return seen


def sent(seen: list[Envelope], kind: type) -> list[Any]:
    """Return what the control has sent of a type."""
    return [e.message for e in seen if e.sender == CONTROL and isinstance(e.message, kind)]


# --- letting in --------------------------------------------------------------------------------


async def test_socket_and_token_are_this_users_alone_and_go_with_the_server(tmp_path: Path) -> None:
    async with governed(tmp_path):
        for name in (SOCKET_FILE, TOKEN_FILE):
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
        assert len((tmp_path / TOKEN_FILE).read_text().strip()) == 64
    assert leftovers(tmp_path) == []


async def test_each_start_has_another_token_and_replaces_dead_files(tmp_path: Path) -> None:
    (tmp_path / SOCKET_FILE).write_text("dead")
    (tmp_path / TOKEN_FILE).write_text("old")
    async with governed(tmp_path):
        first = (tmp_path / TOKEN_FILE).read_text()
        async with calling(tmp_path) as caller:
            assert (await caller.result("status"))["run"] == "governed"
    async with governed(tmp_path):
        assert (tmp_path / TOKEN_FILE).read_text() not in (first, "old")


@pytest.mark.parametrize("first", [b'{"token": "wrong"}', b"[]", b"nonsense", b'{"token": 3}'])
async def test_without_the_token_nobody_is_let_in(first: bytes, tmp_path: Path) -> None:
    async with governed(tmp_path), calling(tmp_path, "wrong") as caller:
        assert not (await caller.hear())["ok"]
        assert await caller.hear() == {}
        stream = await trio.open_unix_socket(str(tmp_path / SOCKET_FILE))
        async with stream:
            await stream.send_all(first + b"\n")
            assert b"token: expected" in await stream.receive_some()


async def test_a_deep_folder_can_be_spoken_to(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    async with governed(deep), calling(deep) as caller:
        assert await caller.result("positions") == []


async def test_a_port_of_this_machine_is_served_too(tmp_path: Path) -> None:
    async with governed(tmp_path, port=0) as (_, listeners):
        address = listeners[1].socket.getsockname()
        assert address[0] == "127.0.0.1"
        stream = await trio.open_tcp_stream(*address)
        async with stream:
            token = (tmp_path / TOKEN_FILE).read_text().strip()
            await stream.send_all(f'{{"token": "{token}"}}\n'.encode())
            assert b'"ok":true' in await stream.receive_some()


async def test_connections_are_limited_and_those_that_go_make_room(tmp_path: Path) -> None:
    async with governed(tmp_path):
        async with trio.open_nursery() as nursery:
            are_in = [trio.Event() for _ in range(16)]

            async def stay(event: trio.Event) -> None:
                async with calling(tmp_path):
                    event.set()
                    await trio.sleep_forever()

            for event in are_in:
                nursery.start_soon(stay, event)
            for event in are_in:
                await event.wait()
            async with calling(tmp_path, "any") as caller:
                assert "16 connections" in (await caller.hear())["error"]
            nursery.cancel_scope.cancel()
        await trio.sleep(0.05)
        async with calling(tmp_path) as caller:
            assert await caller.result("positions") == []


# --- bad input ---------------------------------------------------------------------------------

BAD = [
    (b"nonsense", "expected a line of JSON"),
    (b"[1]", "found list"),
    (b"\xff\xfe", "expected a line of JSON"),
    (b"[" * 20_000, "expected a line of JSON"),
    (b"x" * (2 * LONGEST_LINE), "at most"),
    (b"{}", "command: expected one of status"),
    (b'{"command": ["halt"]}', "command: expected one of status"),
    (b'{"command": "dance"}', "found 'dance'"),
    (b'{"command": "status", "now": 1}', "now: expected no arguments"),
    (b'{"command": "halt"}', "cause: expected 1 to 500 letters"),
    (b'{"command": "halt", "cause": "  "}', "cause: expected 1 to 500 letters"),
    (b'{"command": "halt", "cause": 7}', "found 7"),
    (b'{"command": "stop", "policy": "run"}', "policy: expected one of keep, cancel, flatten"),
    (b'{"command": "resolve", "key": "a", "cure": "pray", "cause": "c"}', "cure: expected one of"),
    (b'{"command": "resolve", "key": "a", "cure": "ask", "cause": "c"}', "cure: expected ADOPT"),
    (
        b'{"command": "resolve", "key": "a", "cure": "adopt", "cause": "c"}',
        "open difference (none)",
    ),
    (b'{"command": "resume", "acknowledges": "x"}', "refused: trading is not halted"),
    (b'{"command": "heartbeat", "within": "soon"}', "within: expected a duration"),
    (b'{"command": "heartbeat", "within": 3}', "within: expected a duration"),
    (b'{"command": "events", "kinds": ["gossip"]}', "kinds: expected a list"),
    (b'{"command": "state", "state": "MAD", "cause": "c"}', "state: expected one of active"),
]


async def test_bad_input_gets_one_clear_line_and_the_connection_stays(tmp_path: Path) -> None:
    async with governed(tmp_path), calling(tmp_path) as caller:
        for line, words in BAD:
            await caller.send(line)
            answer = await caller.hear()
            assert not answer["ok"]
            assert words in answer["error"], answer
        await caller.send(b"   ")
        answer = await caller.ask("positions", id={"any": 1})
        assert answer == {"ok": True, "result": [], "id": {"any": 1}}


async def test_a_command_that_fails_is_told_and_the_connection_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_plant: Any) -> Any:
        raise RuntimeError("no eyes")

    monkeypatch.setattr(control_views, "tree", fail)
    monkeypatch.setattr(control_views, "account", fail)
    async with governed(tmp_path), calling(tmp_path) as caller:
        assert "tree has failed: RuntimeError: no eyes" in await caller.error("tree")
        status = await caller.result("status")
        assert status["account"] is None
        assert "no eyes" in status["problems"]["account"]


# --- looking -----------------------------------------------------------------------------------


async def some_orders(caller: Any) -> list[dict[str, Any]]:
    """Wait until the strategy has orders."""
    with trio.fail_after(10):
        while len(orders := await caller.result("orders")) < 2:  # noqa: ASYNC110 - it is polled
            await trio.sleep(0.01)
    found: list[dict[str, Any]] = orders
    return found


async def test_what_is_shown_is_what_is(tmp_path: Path) -> None:
    async with governed(tmp_path) as (system, _), calling(tmp_path) as caller:
        orders = await some_orders(caller)
        assert {each["status"] for each in orders} <= {"WORKING", "SUBMITTING"}
        assert orders[0]["side"] == "BUY"
        status = await caller.result("status")
        assert status["open_orders"] == 2
        assert status["halt"]["is_halted"] is False
        assert status["account"]["trading_state"] == "ACTIVE"
        assert status["actors"]["not_running"] == {}
        assert status["problems"] == {}
        names = [row["name"] for row in await caller.result("tree")]
        assert "bulkhead.cores.safety" in names
        assert await caller.result("differences") == []
        system.plant.cells[Role.ORDERS].core = None
        assert "nobody can tell just now" in await caller.error("orders")
        system.plant.cells[Role.PORTFOLIO].core = None
        system.plant.cells[Role.SAFETY].core = None
        assert "nobody can tell" in await caller.error("positions")
        assert "nobody can tell" in await caller.error("differences")
        blind = await caller.result("status")
        assert (blind["halt"], blind["account"], blind["open_orders"]) == (None, None, None)
        assert "being restarted" in await caller.error("resume", acknowledges="why")


async def test_differences_can_be_seen_and_decided(tmp_path: Path) -> None:
    async with governed(tmp_path) as (system, _), calling(tmp_path) as caller:
        found = Difference(
            kind=DifferenceKind.POSITION,
            key="POSITION:YES",
            ours="1",
            theirs="2",
            cure=Cure.REFUSE,
            is_open=True,
            time_ns=0,
        )
        system.plant.post.deliver("portfolio", 0, found, system.plant.clock.now_ns())
        await trio.sleep(0.05)
        (shown,) = await caller.result("differences")
        assert (shown["key"], shown["ours"], shown["theirs"]) == ("POSITION:YES", "1", "2")
        seen = tapped(system)
        await caller.result("resolve", key="POSITION:YES", cure="adopt", cause="I know")
        assert sent(seen, ResolveDifference)[0].cure is Cure.ADOPT
        assert "a simulated venue has nothing to compare" in await caller.error("reconcile")
        assert sent(seen, Reconcile) == []


# --- governing ---------------------------------------------------------------------------------


async def test_halted_by_a_command_nothing_is_open_until_the_cause_is_acknowledged(
    tmp_path: Path,
) -> None:
    async with governed(tmp_path) as (system, _), calling(tmp_path) as caller:
        await some_orders(caller)
        seen = tapped(system)
        answer = await caller.result("halt", cause="the market\n is mad")
        assert answer == {"cause": "the market is mad", "failed": [], "is_latched": True}
        kinds = [type(each.message) for each in seen if each.sender == CONTROL]
        assert kinds[:3] == [Halt, CancelAllAtVenue, Trip]
        with trio.fail_after(10):
            while await caller.result("orders"):  # noqa: ASYNC110 - it is polled
                await trio.sleep(0.01)
        await trio.sleep(0.05)
        halted = (await caller.result("status"))["halt"]
        assert halted["is_halted"]
        assert halted["causes"][0]["by"] == "control"
        assert "no cause reads" in await caller.error("resume", acknowledges="something else")
        assert await caller.result("orders") == []
        told = await caller.result("resume", acknowledges="the market")
        assert told["note"] == "the halt is lifted"
        assert len(await some_orders(caller)) == 2


async def test_without_a_kill_switch_a_halt_is_not_latched(tmp_path: Path) -> None:
    async with governed(tmp_path, "kill_switch=null"), calling(tmp_path) as caller:
        answer = await caller.result("halt", cause="why not")
        assert answer == {"cause": "why not", "failed": [], "is_latched": False}
        assert "no kill switch" in await caller.error("resume", acknowledges="why not")
        assert "no kill switch" in await caller.error("heartbeat")


async def test_heartbeats_are_passed_on_where_they_mean_something(tmp_path: Path) -> None:
    async with governed(tmp_path) as (system, _), calling(tmp_path) as caller:
        seen = tapped(system)
        await caller.result("heartbeat")
        await caller.result("heartbeat", source="desk", within="5s")
        await caller.result("heartbeat", is_last=True)
        assert sent(seen, Heartbeat) == [
            Heartbeat(source="control", within_ns=0),
            Heartbeat(source="desk", within_ns=5_000_000_000),
            Heartbeat(source="control", within_ns=0, is_last=True),
        ]
    async with governed(tmp_path, "kill_switch={}"), calling(tmp_path) as caller:
        assert "kill_switch.heartbeat" in await caller.error("heartbeat")


async def test_the_trading_state_is_set_and_lifted_by_its_cause(tmp_path: Path) -> None:
    async with governed(tmp_path), calling(tmp_path) as caller:
        told = await caller.result("state", state="reducing", cause="lunch")
        assert told == {"state": "REDUCING", "cause": "lunch"}
        error = await caller.error("state", state="active", cause="back", acknowledges="dinner")
        assert "still REDUCING: lunch" in error
        told = await caller.result("state", state="active", cause="back", acknowledges="lunch")
        assert told["state"] == "ACTIVE"


async def test_an_actor_that_does_not_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.system.control_commands._ANSWER_S", 0.05)
    async with governed(tmp_path) as (system, _), calling(tmp_path) as caller:
        system.plant.cells[Role.PORTFOLIO].mailbox.close()
        error = await caller.error("state", state="reducing", cause="lunch")
        assert error.startswith("no answer within 0.05 s")


async def test_a_stop_is_passed_on(tmp_path: Path) -> None:
    async with governed(tmp_path) as (system, _), calling(tmp_path) as caller:
        await caller.result("stop")
        await caller.result("stop", policy="Flatten")
        assert system.stops == [
            ("stopped by a command", None),
            ("stopped by a command", StopPolicy.FLATTEN),
        ]


# --- the system's own way ----------------------------------------------------------------------


async def test_a_halt_goes_round_whoever_fails(tmp_path: Path) -> None:
    async with governed(tmp_path) as (system, _):
        deliver = system.plant.post.deliver
        told: list[Any] = []

        def broken(sender: str, cause: int, message: Any, now_ns: int) -> Any:
            told.append(message)
            if isinstance(message, Halt):
                raise RuntimeError("the post is on fire")
            return [1] if isinstance(message, Trip) else deliver(sender, cause, message, now_ns)

        system.plant.post.deliver = broken  # type: ignore[method-assign]
        failed = halt(system.plant, "why", "test")
        assert [type(each) for each in told] == [Halt, CancelAllAtVenue, Trip]
        assert failed[0].startswith("Halt was not delivered: RuntimeError")
        assert failed[1] == "Trip waits for room"
        halt_by_signal(system.plant)
        system.plant.post.deliver = deliver  # type: ignore[method-assign]


async def test_a_signal_latches_with_its_own_name(tmp_path: Path) -> None:
    async with governed(tmp_path) as (system, _), calling(tmp_path) as caller:
        halt_by_signal(system.plant)
        await trio.sleep(0.02)
        (cause,) = (await caller.result("status"))["halt"]["causes"]
        assert (cause["cause"], cause["by"]) == ("SIGUSR1", "signal")


# --- events ------------------------------------------------------------------------------------


async def test_events_of_the_kinds_asked_for_come_beside_the_answers(tmp_path: Path) -> None:
    async with governed(tmp_path) as (system, _), calling(tmp_path) as caller:
        assert await caller.result("events", kinds=["system"]) == {"kinds": ["system"]}
        assert system.plant.post.tap is not None
        await caller.send(b'{"command": "halt", "cause": "to be seen", "id": 1}')
        lines = [await caller.hear() for _ in range(6)]
        answers = [line for line in lines if "ok" in line]
        events = [line["event"] for line in lines if "event" in line]
        assert answers == [
            {
                "ok": True,
                "result": {"cause": "to be seen", "failed": [], "is_latched": True},
                "id": 1,
            }
        ]
        assert [event["type"] for event in events][:3] == ["Halt", "CancelAllAtVenue", "Trip"]
        assert {event["kind"] for event in events} == {"system"}
        assert events[0]["data"] == {"cause": "to be seen", "final": False}
        await caller.send(b'{"command": "events"}')
        while "ok" not in (line := await caller.hear()):
            assert line["event"]["kind"] == "system"
        assert "they come already" in line["error"]
    async with governed(tmp_path) as (system, _):
        async with calling(tmp_path) as caller:
            await caller.result("events")
        await trio.sleep(0.05)
        assert system.plant.post.tap is None


async def test_a_reader_that_falls_behind_is_told_how_much_it_has_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.system.control._BACKLOG", 2)
    async with governed(tmp_path) as (system, _), calling(tmp_path) as caller:
        await caller.result("events", kinds=["system"])
        for number in range(10):
            halt(system.plant, f"cause {number}", "test")
        missed = 0
        while not missed:
            missed = (await caller.hear()).get("missed", 0)
        assert missed > 20


async def test_a_watcher_that_raises_is_left_out_and_the_ring_goes_on(tmp_path: Path) -> None:
    from runtime.system.control_watchers import Watchers

    async with governed(tmp_path) as (system, _):
        before = tapped(system)
        watchers = Watchers(system.plant.post)
        seen: list[Envelope] = []

        def fail(_envelope: Envelope) -> None:
            raise RuntimeError("tired")

        with watchers.watching(fail), watchers.watching(seen.append):
            halt(system.plant, "why", "test")
        assert len(seen) >= 3
        assert len(before) >= 3
