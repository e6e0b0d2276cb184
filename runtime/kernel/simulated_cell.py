"""The simulated way of running a cell: the sequencer steps it, one message at a time.

A failure is told in two steps: the core is gone at once, but the supervisor hears of it when the
sequencer says so, so that the order in which it hears of several does not depend on the scheduler.
"""

from typing import Any

from actors.errors import JournalError, MailboxOverflow
from runtime.kernel.cell import Cell
from runtime.kernel.cell_spec import CellState
from runtime.kernel.envelope import Envelope


class SimulatedCell(Cell):
    """A cell in virtual time; its task only waits for the end."""

    def step(self, now_ns: int) -> None:
        """Handle the next message, if there is one; whoever paces the run calls this."""
        core = self.core
        if core is None:
            return
        envelope = self.retry or self.mailbox.take_nowait()
        if envelope is None:
            return
        self.retry = None
        try:
            outputs = core.handle(envelope.message, now_ns)
        except Exception as error:  # noqa: BLE001 - any bug of a core is the supervisor's to judge
            self.fail(error, envelope)
            return
        sequence = envelope.sequence
        if sequence > self.handled_sequence:
            self.handled_sequence = sequence
        else:
            self._note_overtaken(envelope)
        if outputs:
            self.send(outputs, sequence, now_ns)

    def send(self, outputs: list[Any], cause: int, now_ns: int) -> None:
        """Send what the core made of what it has handled last.

        An output that cannot be sent is a bug of the core, as any other.
        """
        if cause > self.handled_sequence:
            self.handled_sequence = cause
        deliver, name = self._post.deliver, self.name  # as _deliver_all, in a call less
        overflow: MailboxOverflow | None = None
        for output in outputs:
            try:
                deliver(name, cause, output, now_ns)
            except JournalError:
                raise
            except MailboxOverflow as error:
                overflow = overflow or error
            except Exception as error:  # noqa: BLE001 - a bug of a core is the supervisor's to judge
                self.fail(error, None)
                return
        if overflow is not None:
            self.fail(overflow, None)

    def fail(self, error: Exception, envelope: Envelope | None) -> None:
        """Take the core away; keep the message for the next one. Then :meth:`let_end`."""
        self.failures += 1
        self.failed_sequence = 0
        self._error = error
        if envelope is not None:
            self._keep_or_quarantine(error, envelope)
        self._lose_core(CellState.DOWN)

    @property
    def awaits_end(self) -> bool:
        """Return whether the core has failed, but the supervisor does not know it yet."""
        return self._error is not None and not self._ended.is_set()

    def let_end(self) -> None:
        """Let an incarnation whose core has failed end: its supervisor is told."""
        self._ended.set()
