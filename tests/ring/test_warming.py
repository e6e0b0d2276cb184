"""Strategies that begin without a state of their own are shown what was before."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.actor import Context
from actors.errors import ConfigError
from actors.messages.market import Quote
from actors.messages.slices import Slice
from actors.messages.trading import Fill
from actors.model.instrument import Instruments
from actors.strategies import Strategy
from actors.strategies.average_cross import AverageCross
from actors.strategies.warming import Past
from runtime.config import to_plain
from runtime.config.load import parse_config
from runtime.config.model import Placement, RunConfig
from runtime.kernel.determinism import seeded_random, seeded_scheduler
from runtime.system.live import LiveSettings, LiveSystem
from runtime.wiring.components import blueprint
from runtime.wiring.warming import RecordedPast, Shift
from tests.builders import START_NS, instrument, instruments, quote_rows
from tests.ring.rig import Ran, check_books, config, run

SECOND = 1_000_000_000
OPENS_S = 40
"""When the tape's run begins, in seconds after its first row."""


class Learner(Strategy):
    """Writes down what it is shown, and trips where it is told to, once."""

    @attrs.frozen(kw_only=True)
    class Parameters:
        trips_at: int = 0

    parameters: Parameters

    def on_start(self) -> None:
        self.seen = 0

    def on_quote(self, quote: Quote) -> None:
        shown.append((self.name, self.is_warming, quote.time_ns, quote.bid_ticks))
        self.seen += 1
        if not self.is_warming and self.seen == self.parameters.trips_at:
            raise RuntimeError("tripped")
        if self.seen % 7 == 0:
            self.buy(quote.instrument, 1, reason=f"{self.seen}")

    def on_warmed(self) -> None:
        shown.append((self.name, None, self.now_ns, self.seen))


shown: list[tuple[str, bool | None, int, int]] = []
"""What the learners of this process were shown; a test clears it first."""


class Tripping(AverageCross):
    """Trips in the midst of its first life."""

    def callback(self, code: int) -> Any:
        hear = super().callback(code)

        def trip(event: Any) -> None:
            assert hear is not None
            if not self.is_warming and self._id_prefix.endswith("cross-"):
                self.rows = getattr(self, "rows", 0) + 1
                if self.rows == 100:
                    raise RuntimeError("tripped")
            hear(event)

        return None if hear is None else trip


@pytest.fixture(autouse=True)
def forget() -> None:
    shown.clear()


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a recording of 120 quotes, one a second."""
    path = tmp_path_factory.mktemp("tape") / "AAA.csv"
    lines = ["timestamp,bid,ask,bid_size,ask_size"]
    for second in range(120):
        bid = Decimal(100) + Decimal(second * 37 % 50) / 10
        lines.append(f"{START_NS // SECOND + second},{bid:.1f},{bid + Decimal('0.2'):.1f},50,50")
    path.write_text("\n".join(lines) + "\n")
    return path


def replayed(tape: Path, warm_up: str, *overrides: str, kind: str = "Learner") -> RunConfig:
    """Return a backtest of a recording from its 40th second on."""
    text = f"""\
name: tape
mode: backtest
seed: 1
feeds: [{{name: market, type: replay, path: "{tape}", from: "2023-11-14T22:14:00Z"}}]
strategies:
  - name: learner
    type: "tests.ring.test_warming:{kind}"
    warm_up: {warm_up}
broker: {{type: simulated, latency: {{type: constant, submit: 5ms, report: 5ms}}}}
"""
    return config(text, *overrides)


def rows_shown(is_warming: bool) -> list[int]:
    """Return the rows shown, in seconds after the first of the recording."""
    return [(at_ns - START_NS) // SECOND for _, is_, at_ns, _ in shown if is_ is is_warming]


def begun(start: int, stop: int) -> list[int]:
    """Return these rows; a recording that begins in its midst says first how its books were."""
    return [start, *range(start, stop)]


def own(tape: Path, last: str = "15s") -> str:
    return f'{{type: replay, path: "{tape}", last: {last}}}'


def test_the_tape_begins_where_it_should(tape: Path) -> None:
    run(replayed(tape, "null"))
    assert rows_shown(is_warming=False) == begun(OPENS_S, 120)
    assert rows_shown(is_warming=True) == []


@pytest.mark.parametrize("source", ["feed", "own"])
def test_what_was_before_the_first_row_is_shown_first(tape: Path, source: str) -> None:
    ran = run(replayed(tape, "{feed: market, last: 15s}" if source == "feed" else own(tape)))
    assert rows_shown(is_warming=True) == begun(OPENS_S - 16, OPENS_S)
    assert rows_shown(is_warming=False) == begun(OPENS_S, 120)
    assert shown[17] == ("learner", None, START_NS + OPENS_S * SECOND, 17)
    orders = [row.order for row in ran.result.orders if row.order.strategy == "learner"]
    assert orders[0].client_order_id == "tape-1-learner-1"
    wished = [order.reason for order in orders if order.reason.isdigit()]
    assert wished == [str(seen) for seen in range(21, 17 + 81 + 1, 7)]


def test_a_recording_that_ended_long_before_shows_its_last_rows(tape: Path, tmp_path: Path) -> None:
    lines = tape.read_text().splitlines()
    earlier = tmp_path / "AAA.csv"
    earlier.write_text("\n".join(lines[:20]) + "\n")
    run(replayed(tape, own(earlier, "3s")))
    assert rows_shown(is_warming=True) == begun(15, 19)


def test_a_recording_that_begins_later_shows_nothing(tape: Path, tmp_path: Path) -> None:
    lines = tape.read_text().splitlines()
    later = tmp_path / "AAA.csv"
    later.write_text("\n".join([lines[0], *lines[OPENS_S + 1 :]]) + "\n")
    run(replayed(tape, own(later)))
    assert rows_shown(is_warming=True) == []
    assert shown[0] == ("learner", None, START_NS + OPENS_S * SECOND, 0)


MADE_UP = """\
name: made-up
mode: simulate
seed: 5
feeds:
  - {name: quotes, type: synthetic, assets: [AAA, BBB], events: 260, interval: 50ms,
     volatility: 0.002}
strategies:
  - {name: steady, type: average_cross, parameters: {fast: 2, slow: 12}}
  - name: cross
    type: "tests.ring.test_warming:Tripping"
    parameters: {fast: 2, slow: 12, average: sma}
    warm_up: {feed: quotes, last: 1h}
  - {name: maker, type: market_maker, instruments: [BBB], warm_up: {feed: quotes, last: 1h}}
  - name: columns
    type: "tests.actors.strategies.test_vectorised:ByColumn"
    warm_up: {type: synthetic, last: 5s, assets: [AAA, OLD], events: 200, start: 2025-12-31}
broker:
  type: simulated
  latency: {type: constant, submit: 12ms, report: 3ms, cancel: 5ms}
"""


def bought(ran: Ran, strategy: str) -> list[Any]:
    fills = [row.fill for row in ran.result.fills if row.fill.strategy == strategy]
    return [(f.instrument, f.side, f.last_quantity, f.last_price, f.venue_time_ns) for f in fills]


def restarts(ran: Ran) -> int:
    return sum(row.restarts for row in ran.result.actors)


@pytest.fixture(scope="module")
def tripped(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Return the run in which the cross trips once, and is warmed."""
    return run(config(MADE_UP), tmp_path_factory.mktemp("tripped"))


def test_after_a_crash_it_trades_as_if_nothing_had_been(tripped: Ran) -> None:
    undisturbed = run(config(MADE_UP, "strategies[1].type=average_cross"))
    assert (restarts(tripped), restarts(undisturbed)) == (1, 0)
    assert bought(tripped, "cross") == bought(undisturbed, "cross")
    assert len(bought(tripped, "cross")) > 10
    check_books(tripped)


def test_without_it_the_averages_begin_anew(tripped: Ran) -> None:
    cold = run(config(MADE_UP, "strategies[1].warm_up=null"))
    assert restarts(cold) == 1
    assert bought(cold, "cross") != bought(tripped, "cross")


def told(ran: Ran) -> list[Any]:
    return [(e.sequence, e.time_ns, e.sender, e.cause, e.message) for e in ran.entries]


@pytest.mark.parametrize("rows", [1, 7])
def test_slices_change_nothing(tmp_path: Path, tripped: Ran, rows: int) -> None:
    cut = run(config(MADE_UP, f"slice_rows={rows}"), tmp_path)
    assert told(cut) == told(tripped)


def test_the_same_run_again_writes_the_same_journal(tmp_path: Path, tripped: Ran) -> None:
    assert told(run(config(MADE_UP), tmp_path)) == told(tripped)


def test_in_a_process_the_journal_is_the_same(tmp_path: Path, tripped: Ran) -> None:
    away = [
        attrs.evolve(each, placement=Placement.PROCESS)
        if each.name in ("cross", "columns")
        else each
        for each in config(MADE_UP).strategies
    ]
    ran = run(attrs.evolve(config(MADE_UP), strategies=tuple(away)), tmp_path)
    assert told(ran) == told(tripped)
    assert len(ran.of(Fill)) > 10


class Trap(Learner):
    """Trips while it is warmed."""

    def on_quote(self, quote: Quote) -> None:
        super().on_quote(quote)
        if self.is_warming:
            raise RuntimeError("cannot learn this")


@pytest.mark.parametrize("placement", ["loop", "process"])
def test_to_trip_over_the_past_is_to_fail_at_the_start(
    tape: Path, tmp_path: Path, placement: str
) -> None:
    override = f"strategies[0].placement={placement}"
    budget = "strategies[0].supervision.intensity=1"
    ran = run(replayed(tape, own(tape), override, budget, kind="Trap"), tmp_path)
    (row,) = (row for row in ran.result.actors if row.name.endswith(".learner"))
    assert row.restarts == 1
    assert row.failure is not None
    assert "cannot learn this" in str(row.failure)
    assert rows_shown(is_warming=False) == []


# --- snapshots of its own state, in a process -----------------------------------------------------


class Saver(Learner):
    """One that saves its state."""

    def save(self) -> Any:
        return self.seen

    def restore(self, state: Any) -> None:
        self.kept = state


@pytest.mark.parametrize(("own_state", "warmed"), [(3, 0), (None, 1)])
def test_one_in_a_process_is_warmed_only_without_a_state(
    tape: Path, own_state: Any, warmed: int
) -> None:
    plan = blueprint(replayed(tape, own(tape), "strategies[0].placement=process", kind="Saver"))
    context = Context(
        run_id="run", actor="learner", incarnation=1, random=seeded_random(1, "learner", 1)
    )
    core: Any = plan.strategies["learner"](context)
    empty: dict[str, Any] = {"asked": [], "open": [], "changes": {}, "positions": {}}
    core.reinstate({"wishes": 0, "blotter": empty, "own": own_state})
    try:
        core.start(START_NS + OPENS_S * SECOND)
        assert core.snapshot()["own"] == 17 * warmed
    finally:
        core.close()


# --- what a configuration may say -----------------------------------------------------------------


def complaints(text: str, *overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        blueprint(parse_config(text, "run.yaml", overrides=overrides, environment={}))
    return [str(problem) for problem in caught.value.problems]


ONE = """\
name: one
mode: {mode}
feeds: [{{name: market, type: synthetic}}]
strategies:
  - {{name: trend, type: average_cross, warm_up: {warm_up}}}
"""


@pytest.mark.parametrize(
    ("warm_up", "key", "text"),
    [
        (
            "{type: replay, path: nowhere/a.csv, last: 2h}",
            "strategies[0].warm_up.",
            "nowhere/a.csv",
        ),
        ("{feed: markt, last: 2h}", "strategies[0].warm_up.feed", "market"),
        ("{feed: market}", "strategies[0].warm_up.last", "found nothing"),
        ("{feed: market, last: 0s}", "strategies[0].warm_up.last", "more than 0"),
        ("{last: 2h}", "strategies[0].warm_up", "found neither"),
        ("{feed: market, type: replay, last: 2h}", "strategies[0].warm_up", "found both"),
        ("{feed: market, path: a.csv, last: 2h}", "strategies[0].warm_up", "found path"),
        ("{type: replya, last: 2h}", "strategies[0].warm_up.type", "replay"),
        (
            "{type: synthetic, tick: 0.1, spread: 0.2, last: 2h}",
            "strategies[0].warm_up",
            "SYN1: expected the feed's tick",
        ),
        ("{type: replay, pth: a.csv, last: 2h}", "strategies[0].warm_up.pth", "path"),
    ],
)
@pytest.mark.parametrize("mode", ["simulate", "paper"])
def test_what_is_wrong_is_told_in_one_line(mode: str, warm_up: str, key: str, text: str) -> None:
    (complaint,) = complaints(ONE.format(mode=mode, warm_up=warm_up))
    assert key in complaint
    assert text in complaint
    assert "\n" not in complaint


def test_a_feed_that_is_wrong_itself_is_told_of_once() -> None:
    text = ONE.format(mode="simulate", warm_up="{feed: market, last: 2h}")
    (complaint,) = complaints(text, "feeds[0].evnts=3")
    assert "feeds[0].evnts" in complaint


def test_it_survives_being_written(tape: Path) -> None:
    settings = replayed(tape, own(tape))
    plain = to_plain(settings)
    assert plain["strategies"][0]["warm_up"] == {
        "last": "15s",
        "feed": None,
        "type": "replay",
        "path": str(tape),
    }


# --- in real time ---------------------------------------------------------------------------------

EPOCH_NS = 1_800_000_000 * SECOND


def lived(settings: RunConfig, folder: Path, *, epoch_ns: int = EPOCH_NS, lasts_s: int) -> None:
    """Run in real time for some seconds."""
    given = LiveSettings(epoch_ns=epoch_ns, duration_ns=lasts_s * SECOND)
    system = LiveSystem(blueprint(settings), folder=folder, journal_path=None, settings=given)
    with seeded_scheduler(1):
        trio.run(system.main, clock=MockClock(autojump_threshold=0.02))


def test_in_real_time_a_recording_of_its_own_is_shown_as_it_is(tape: Path, tmp_path: Path) -> None:
    lived(replayed(tape, own(tape), "mode=paper"), tmp_path, lasts_s=4)
    assert rows_shown(is_warming=True) == begun(104, 120)
    live = [at_ns for _, is_, at_ns, _ in shown if is_ is False]
    assert len(live) >= 4
    assert live[0] >= EPOCH_NS


def test_in_real_time_the_past_of_a_feed_is_what_has_passed(tape: Path, tmp_path: Path) -> None:
    settings = replayed(tape, "{feed: market, last: 5s}", "mode=paper")
    lived(settings, tmp_path, lasts_s=10)
    first = [(at_ns - EPOCH_NS) // SECOND for _, is_, at_ns, _ in shown if is_]
    assert first == begun(-6, 0)
    shown.clear()
    lived(settings, tmp_path, epoch_ns=EPOCH_NS + 20 * SECOND + 1, lasts_s=3)
    later = [(at_ns - EPOCH_NS) / SECOND for _, is_, at_ns, _ in shown if is_]
    assert later == begun(15, 21)
    assert all(at_ns > EPOCH_NS + 20 * SECOND for _, is_, at_ns, _ in shown if is_ is False)


class Tape:
    """A source of two instruments of its own."""

    def __init__(self, table: Instruments) -> None:
        self.table = table
        self.known = table.add(instrument("A"))
        self.new = table.add(instrument("NEW"))

    def slices(self, resume_ns: int) -> Any:
        for number in range(4):
            index = self.new if number % 2 else self.known
            at_ns = START_NS + number * SECOND
            if at_ns >= resume_ns:
                yield quote_rows([(1, 2)], table=self.table, index=index, start_ns=at_ns)

    def summary(self) -> dict[str, Any]:
        return {}


def recorded(table: Instruments, *, adds: bool, last_s: int = 60, by_ns: int = 0) -> Past:
    return RecordedPast(
        make=Tape, table=table, last_ns=last_s * SECOND, adds_instruments=adds, shift=Shift(by_ns)
    )


def times(slices: Any) -> list[int]:
    found: list[Slice] = list(slices)
    return [(at_ns - START_NS) // SECOND for rows in found for at_ns in rows.times()]


def test_in_real_time_instruments_that_the_run_does_not_know_are_left_out() -> None:
    table = instruments(instrument("B"), instrument("A"))
    past = recorded(table, adds=False)
    assert times(past(START_NS + 60 * SECOND)) == [0, 2]
    assert len(table) == 2
    for rows in past(START_NS + 60 * SECOND):
        assert rows.instruments is table
        assert all(event.instrument is table[1] for event in rows.events())
    assert times(recorded(table, adds=True)(START_NS + 60 * SECOND)) == [0, 1, 2, 3]
    assert len(table) == 3


@pytest.mark.parametrize(
    ("now_s", "last_s", "expected"),
    [(0, 60, []), (1, 60, [0]), (2, 60, [0, 1]), (9, 1, [2, 3]), (3, 1, [1, 2])],
)
def test_only_the_last_rows_before_the_present_are_shown(
    now_s: int, last_s: int, expected: list[int]
) -> None:
    past = recorded(instruments(), adds=True, last_s=last_s)
    assert times(past(START_NS + now_s * SECOND)) == expected
    moved = recorded(instruments(), adds=True, last_s=last_s, by_ns=100 * SECOND)
    assert times(moved(START_NS + (100 + now_s) * SECOND)) == [100 + each for each in expected]
