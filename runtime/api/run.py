"""A run as an object: put together, started, listened to."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import attrs
import trio
import yaml

from actors.actor import Context
from actors.errors import ExecutionError
from actors.orders.manager import OrderManager
from actors.portfolio.portfolio import Portfolio
from actors.strategies import Strategy
from runtime.api.tap import TAP, MarketTap
from runtime.config import RunConfig, StrategyConfig, build_config, to_plain
from runtime.config.daemon import StopPolicy
from runtime.observe.result import RunResult
from runtime.research.execution import get_execution_stats
from runtime.system import control_views
from runtime.system.control_commands import Commands, Refused
from runtime.system.events import EventKind, Events, EventStream
from runtime.system.halting import halt
from runtime.system.live import LiveSystem
from runtime.system.lock import only_instance
from runtime.system.session import Session
from runtime.wiring.plant import Plant
from runtime.wiring.routes import Role

PROGRAM = "program"
"""Whose wish a halt is that was asked for by :meth:`Run.halt`."""


class Run:
    """One run of a configuration: to be started once.

    ``start()`` runs it to its end. ``async with run:`` runs it beside the block, inside of a trio
    program, so that its events can be read meanwhile; the block's end waits for the run's end. A
    run in real time waits for no reader of its events: who is far behind misses some, and is told
    how many (``stream.missed``).

    Attributes:
        config: What will be run; grows with what is added.
        result: How the run ended; None before it has.
    """

    def __init__(self, config: RunConfig, *, folder: Path | None = None) -> None:
        """Prepare a run; its journal goes into ``folder``, if that is not None."""
        self.config = config
        self.result: RunResult | None = None
        self._folder = folder
        self._events = Events(waits=not config.mode.is_real_time)
        self._session: Session | None = None
        self._begun = trio.Event()
        self._is_over = False
        self._stack = AsyncExitStack()

    # --- putting together ------------------------------------------------------------------------

    def add_strategy(
        self,
        strategy: str | type[Strategy],
        *,
        name: str | None = None,
        instruments: Iterable[str] = (),
        **parameters: Any,
    ) -> Self:
        """Add a strategy: a built-in one's name, ``file.py:Class``, or a class.

        Args:
            strategy: What to run.
            name: What it is called in the run; its type's name if not given.
            instruments: Ids or patterns of what it trades; all if there are none.
            **parameters: The strategy's own.

        Raises:
            ExecutionError: If the run has begun.
        """
        self._check_is_new()
        kind = strategy if isinstance(strategy, str) else _place_of(strategy)
        added = StrategyConfig(
            name=name or _free_name(kind, self.config),
            type=kind,
            instruments=tuple(instruments),
            parameters={key: _plain(value) for key, value in parameters.items()},
        )
        self.config = attrs.evolve(self.config, strategies=(*self.config.strategies, added))
        return self

    def add_default_strategies(self) -> Self:
        """Add what looks on without trading: the market's analysis and a log of events."""
        for name in ("market_analysis", "event_log"):
            self.add_strategy(name)
        return self

    def explain(self) -> str:
        """Return the configuration file that does the same as this object, as YAML.

        Save it as ``run.yaml``; then ``bulkhead run run.yaml`` is the same run.
        """
        return yaml.safe_dump(to_plain(self.config), sort_keys=False, allow_unicode=True)

    # --- running ---------------------------------------------------------------------------------

    def start(self) -> RunResult:
        """Run to the end and return the result.

        Raises:
            ConfigError: If a component's options are wrong.
            ExecutionError: If the run has begun before.
            KernelError: If another process runs in the folder of a run in real time.
        """
        session = self._new_session()
        with self._alone():
            self.result = session.run()
        return self.result

    def get_execution_stats(self) -> dict[str, Any]:
        """Return how the orders of the finished run were executed: engine, broker and order stats.

        Raises:
            ExecutionError: If the run has not ended.
        """
        return get_execution_stats(self._ended())

    @property
    def portfolio(self) -> Portfolio:
        """Return the account as the run has left it; ExecutionError before."""
        self._ended()
        assert self._session is not None
        portfolio: Portfolio = self._session.system.cores[Role.PORTFOLIO]
        return portfolio

    @property
    def orders(self) -> OrderManager:
        """Return the order manager as the run has left it; ExecutionError before."""
        self._ended()
        assert self._session is not None
        orders: OrderManager = self._session.system.cores[Role.ORDERS]
        return orders

    def _ended(self) -> RunResult:
        if self.result is None:
            raise ExecutionError("the run: expected one that has ended, found none")
        return self.result

    def events(self, kinds: Iterable[EventKind | str] = tuple(EventKind)) -> EventStream:
        """Return a stream of what happens from now on; read it with ``async for``.

        Args:
            kinds: What it shall be about: ``market``, ``user``, ``system``, ``metrics``, ``ring``.

        Raises:
            ExecutionError: If the market is asked for after the run has set out.
            ValueError: If there is no such kind.
        """
        wanted = frozenset(_kind(each) for each in kinds)
        if self._has_set_out and EventKind.MARKET in wanted:
            raise ExecutionError("market events: expected to be asked for before the run sets out")
        return self._events.subscribe(wanted)

    async def __aenter__(self) -> Self:
        self._check_is_new()
        nursery = await self._stack.enter_async_context(trio.open_nursery())
        nursery.start_soon(self._run_beside)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._events.close()  # nobody reads on: the run need not wait
        return await self._stack.__aexit__(kind, error, traceback)

    # --- governing -------------------------------------------------------------------------------

    async def begun(self) -> None:
        """Return when a run that was entered with ``async with`` has its actors, or has ended."""
        await self._begun.wait()

    def stop(self, policy: StopPolicy | str | None = None) -> None:
        """Let the run wind down in order; nothing happens before it has begun.

        Args:
            policy: In real time, what becomes of orders and positions: ``keep``, ``cancel`` or
                ``flatten``; the configuration's if not given. In virtual time it must be None.

        Raises:
            ExecutionError: If a policy is given to a run in virtual time.
            ValueError: If there is no such policy.
        """
        wanted = None if policy is None else StopPolicy(policy)
        if self._session is None:
            return
        system = self._session.system
        if isinstance(system, LiveSystem):
            system.request_stop("stopped by the program", wanted)
        elif wanted is not None:
            raise ExecutionError("stop: expected no policy for a run in virtual time")
        else:
            system.interrupt()

    def halt(self, cause: str) -> None:
        """Let no new order leave, cancel everything at the venue, and latch it; see :meth:`resume`.

        It does not need portfolio, broker or order manager to work.

        Args:
            cause: Why, in words: it must be acknowledged to resume.

        Raises:
            ExecutionError: If the run is not in real time, does not run, or something of it could
                not be delivered; the rest was.
        """
        failed = halt(self._governed().plant, cause, PROGRAM)
        if failed:
            raise ExecutionError(f"halt: {'; '.join(failed)}")

    async def resume(self, acknowledges: str) -> None:
        """Lift a halt; when there are several causes, when the last one is acknowledged.

        Args:
            acknowledges: The cause of the halt, or a beginning of it that is long enough.

        Raises:
            ExecutionError: If the run is not in real time, does not run, or the halt holds.
        """
        commands = Commands(self._governed(), {})
        try:
            await commands.run("resume", {"acknowledges": acknowledges})
        except Refused as refusal:
            raise ExecutionError(f"resume: {refusal}") from refusal

    def status(self) -> dict[str, Any]:
        """Return how a run in real time stands, as ``bulkhead status --json`` tells it.

        Raises:
            ExecutionError: If the run is not in real time, or does not run.
        """
        return control_views.status(self._governed().plant)

    def _governed(self) -> LiveSystem:
        system = None if self._session is None else self._session.system
        if not self.config.mode.is_real_time:
            found = f"mode: {self.config.mode}"
            raise ExecutionError(f"the run: expected one in real time, found {found}")
        if not isinstance(system, LiveSystem) or not system.has_begun or self._is_over:
            raise ExecutionError("the run: expected one that runs, found one that does not")
        return system

    # --- beside a program ------------------------------------------------------------------------

    async def _run_beside(self) -> None:
        try:
            session = self._new_session()
            session.system.prepare(self._attach)
            session.system.accompany(self._tell_begun)
            with self._alone():
                self.result = await session.run_here()
        finally:
            self._is_over = True
            self._events.finish()
            self._begun.set()

    def _attach(self, plant: Plant) -> None:
        plant.post.tap = self._events.take
        if plant.sequencer is not None:
            plant.sequencer.breathe = self._events.breathe

    async def _tell_begun(self) -> None:
        self._begun.set()

    def _alone(self) -> AbstractContextManager[None]:
        """Keep other processes out of the folder of a run in real time."""
        if self._folder is None or not self.config.mode.is_real_time:
            return nullcontext()
        self._folder.mkdir(parents=True, exist_ok=True)
        return only_instance(self._folder)

    @property
    def _has_set_out(self) -> bool:
        return self._session is not None

    def _check_is_new(self) -> None:
        if self._has_set_out:
            raise ExecutionError("a run can be started once: expected a new one, found one begun")

    def _new_session(self) -> Session:
        self._check_is_new()
        taps = {TAP: self._tap} if self._events.wants(EventKind.MARKET) else None
        self._session = Session(self.config, self._folder, taps)
        return self._session

    def _tap(self, context: Context) -> Strategy:
        assert self._session is not None
        instruments = self._session.system.plant.instruments
        return MarketTap(context, instruments, self._events.take_row)


def _place_of(strategy: type[Strategy]) -> str:
    return f"{strategy.__module__}:{strategy.__qualname__}"


def _free_name(kind: str, config: RunConfig) -> str:
    """Return a name made of a strategy's type that no other strategy has."""
    stem = kind.rpartition(":")[2].rpartition(".")[2]
    taken = {strategy.name for strategy in config.strategies}
    number = 1
    name = stem
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    return name


def _kind(kind: EventKind | str) -> EventKind:
    try:
        return EventKind(kind)
    except ValueError:
        choices = ", ".join(EventKind)
        raise ValueError(f"kinds: expected any of {choices}, found {kind!r}") from None


def _plain(value: Any) -> Any:
    """Return a parameter as a configuration file would hold it."""
    if isinstance(value, float):
        return Decimal(repr(value))
    return list(value) if isinstance(value, tuple) else value


def run_of(data: dict[str, Any], *, folder: Path | None = None) -> Run:
    """Return a run of a configuration given as plain data.

    Raises:
        ConfigError: With everything that is wrong in them.
    """
    return Run(build_config(data), folder=folder)
