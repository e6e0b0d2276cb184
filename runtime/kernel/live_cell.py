"""The live way of running a cell: its own task drains the mailbox, in bursts.

To wait for one message costs far more than to take one that is there, so it waits once, and then
takes without waiting until the mailbox is empty.
"""

from typing import Any

import trio

from actors.actor import Core
from runtime.kernel.cell import Cell
from runtime.kernel.cell_spec import CellServices, CellSpec
from runtime.kernel.envelope import Envelope
from runtime.kernel.mailbox import Mailbox
from runtime.kernel.placement.away import Away

_FAIR_BURST = 256
_SAME_TIME = 16


class LiveCell(Cell):
    """A cell in wall time."""

    def __init__(self, spec: CellSpec, mailbox: Mailbox, services: CellServices) -> None:
        super().__init__(spec, mailbox, services)
        self._scope = trio.CancelScope()
        self._is_waiting = False
        self._is_ending = False

    def request_stop(self) -> None:
        """Ask the incarnation to end by itself, after what it is handling."""
        self._is_ending = True
        super().request_stop()
        if self._is_waiting:
            self._scope.cancel()

    def _renew(self) -> None:
        super()._renew()
        self._scope = trio.CancelScope()
        self._is_waiting = False
        self._is_ending = False

    async def _first_words(self, core: Core, now_ns: int) -> list[Any]:
        away = self.spec.away
        return core.start(now_ns) if away is None else await away.start(core, now_ns)

    async def last_words(self, now_ns: int) -> list[Any]:
        """Return what the core sends before an orderly stop; nothing if there is none."""
        core, away = self.core, self.spec.away
        if core is None or away is None:
            return await super().last_words(now_ns)
        return await away.call(core.stop, now_ns)

    @property
    def _is_at_rest(self) -> bool:
        away = self.spec.away
        return super()._is_at_rest and not (away is not None and away.is_busy)

    async def _work(self) -> None:
        with self._scope:
            await self._send_rest()
            while not self._is_ending:
                if self.retry is None:
                    self.retry = self.mailbox.take_nowait()
                if self.retry is None:
                    await self._wait_for_one()
                else:
                    await self._burst(self.retry)

    async def _wait_for_one(self) -> None:
        services = self._services
        if services.handling is not None:
            services.handling.envelope = None
        services.became_idle()
        self._is_waiting = True
        away, core = self.spec.away, self.core
        if away is None or core is None:
            self.retry = await self.mailbox.take()
        else:
            self.retry = await away.wait(core, self.mailbox.take)
        self._is_waiting = False

    async def _burst(self, envelope: Envelope | None) -> None:
        """Handle an envelope and all that are queued behind it, without waiting in between.

        The clock is read once in a few messages: they came together. An envelope counts as not
        handled, and is kept, for as long as it waits for the journal.
        """
        journal = self._services.journal if self.spec.waits_for_journal else None
        away = self.spec.away
        now_ns = 0
        taken = 0
        while envelope is not None:
            if journal is not None:
                await journal.durable(envelope.sequence)
            if taken % _SAME_TIME == 0 or now_ns < envelope.time_ns:
                now_ns = self._services.clock.now_ns()
            if away is None:
                self._handle_live(envelope, now_ns)
            else:
                await self._handle_away(away, envelope, now_ns)
            if self._unsent:
                await self._send_rest()
            taken += 1
            if taken % _FAIR_BURST == 0:
                await trio.lowlevel.checkpoint()
            if self._is_ending:
                return
            envelope = self.retry = self.mailbox.take_nowait()

    async def _send_rest(self) -> None:
        """Send what had to wait for room; the next incarnation sends what a stop leaves."""
        while self._unsent:
            mailbox, envelope = self._unsent[0]
            await mailbox.send(envelope)
            self._unsent.popleft()

    def _handle_live(self, envelope: Envelope, now_ns: int) -> None:
        core, handling = self.core, self._services.handling
        assert core is not None
        if handling is not None:
            handling.actor, handling.envelope = self.name, envelope
        try:
            outputs = core.handle(envelope.message, now_ns)
        except Exception as error:
            self._keep_or_quarantine(error, envelope)
            raise
        self._has_handled(envelope, outputs, now_ns)

    async def _handle_away(self, away: Away, envelope: Envelope, now_ns: int) -> None:
        """As :meth:`_handle_live`, while others go on."""
        core = self.core
        assert core is not None
        try:
            outputs = await away.call(core.handle, envelope.message, now_ns)
        except Exception as error:
            self._keep_or_quarantine(error, envelope)
            raise
        self._has_handled(envelope, outputs, now_ns)

    def _has_handled(self, envelope: Envelope, outputs: list[Any], now_ns: int) -> None:
        sequence = envelope.sequence
        if sequence > self.handled_sequence:
            self.handled_sequence = sequence
        else:
            self._note_overtaken(envelope)
        self.retry = None
        if outputs:
            self._deliver_all(outputs, sequence, now_ns)
