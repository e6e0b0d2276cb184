"""Whether our books agree with the venue's: no order leaves until they do."""

from actors.messages.reconciliation import Part, Reconciled
from actors.messages.trading import Violation

POLICY = "Unreconciled"
_WANTED = "books that agree with the venue"
_SHOWN = 3


class Agreement:
    """Closed from the start and from each restart of the process, until one round agrees.

    A round agrees when orders and holdings have both been compared in it and nothing is open. From
    then on anything that is open in either part closes it again, until a round agrees once more.

    Attributes:
        problem: Why no order may leave; None while the books agree, or nobody compares them.
    """

    def __init__(self, *, is_needed: bool) -> None:
        self.problem: Violation | None = None
        self._is_needed = is_needed
        self._heard: dict[Part, Reconciled] = {}
        """The latest word on each part."""
        self.begin("not compared yet")

    def begin(self, why: str) -> None:
        """Forget what was compared; say why nothing may pass until it is compared anew."""
        self._heard.clear()
        if self._is_needed:
            self.problem = Violation(POLICY, _WANTED, why)

    def take(self, word: Reconciled) -> None:
        """Take notice of what one part of a round has come to."""
        if not self._is_needed:
            return
        self._heard[word.part] = word
        if word.open:
            shown = ", ".join(word.open[:_SHOWN])
            more = len(word.open) - _SHOWN
            found = f"{shown} and {more} more" if more > 0 else shown
            self.problem = Violation(POLICY, _WANTED, f"round {word.round}: {found}")
        elif self.problem is not None and self._agrees(word.round):
            self.problem = None

    def compared_after(self, number: int) -> tuple[str, ...] | None:
        """Return what is open since a round that is later than some other one.

        None until both parts of one such round were heard.
        """
        words = [self._heard.get(part) for part in Part]
        rounds = {-1 if each is None else each.round for each in words}
        if len(rounds) > 1 or rounds.pop() <= number:
            return None
        return tuple(key for each in words if each is not None for key in each.open)

    def _agrees(self, number: int) -> bool:
        words = [self._heard.get(part) for part in Part]
        return all(each is not None and each.round == number and not each.open for each in words)
