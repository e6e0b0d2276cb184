"""Why something is halted: every cause that was told and not lifted, the oldest first."""

from collections.abc import Iterable

_MOST = 64
"""As many as a kill switch latches; whoever tells more of them is halted by the others."""
_NO_CAUSE = "no cause given"


class Halts:
    """Keeps the causes of a halt, of which each must be lifted by itself.

    A final one cannot be lifted as long as this process lasts; from the next one on
    (:meth:`go_on`) it is a cause like any other.

    Attributes:
        cause: The first cause that holds; None if none does.
    """

    def __init__(self) -> None:
        self.cause: str | None = None
        self._causes: dict[str, None] = {}
        self._final: str | None = None

    def add(self, cause: str, *, is_final: bool = False) -> None:
        """Take a cause; one that holds already stays where it is."""
        cause = cause or _NO_CAUSE
        if len(self._causes) < _MOST:
            self._causes[cause] = None
        if is_final and self._final is None:
            self._final = cause
        self._show()

    def lift(self, cause: str) -> None:
        """Take a cause back; of a final one it is remembered for the next process."""
        self._causes.pop(cause or _NO_CAUSE, None)
        self._show()

    def go_on(self) -> None:
        """Go on in a new process: what was final can be lifted, or has been."""
        self._final = None
        self._show()

    def forget(self) -> None:
        """Forget every cause."""
        self._causes.clear()
        self.go_on()

    def save(self) -> list[tuple[str, bool]]:
        """Return what :meth:`restore` needs: the causes, each with whether it is final."""
        causes = [(cause, False) for cause in self._causes]
        return causes if self._final is None else [*causes, (self._final, True)]

    def restore(self, saved: Iterable[tuple[str, bool]]) -> None:
        """Go on from what was saved."""
        self.forget()
        for cause, is_final in saved:
            if is_final:
                self._final = cause
            else:
                self._causes[cause] = None
        self._show()

    def _show(self) -> None:
        self.cause = next(iter(self._causes), self._final)
