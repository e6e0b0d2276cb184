"""A desk whose portfolio lets go of old fills, and an archive that remembers them."""

from random import Random  # noqa: TID251 - seeded below
from typing import Any

from actors.actor import Context
from actors.messages.system import Archived
from actors.portfolio.portfolio import Portfolio
from tests.actors.portfolio.wishes import Desk


class Kept:
    """Remembers what it is told, as a journal does."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], str] = {}

    def find(self, kind: str, key: str) -> str | None:
        """Return the latest state under a key."""
        return self.known.get((kind, key))


class Forgetful(Desk):
    """A desk with a bound on its fills."""

    def __init__(self, max_fills: int, **options: Any) -> None:
        self.archive = Kept()
        super().__init__(max_fills=max_fills, **options)

    def fresh(self, incarnation: int) -> Portfolio:
        """Return a portfolio that can ask the archive."""
        context = Context(
            run_id="run",
            actor="portfolio",
            incarnation=incarnation,
            random=Random(incarnation),
            archive=self.archive,
        )
        return Portfolio(context, self.instruments, self.config)

    def take(self, *messages: Any, now_ns: int = 0) -> list[Any]:
        """Handle messages; put away what is to be remembered."""
        told = super().take(*messages, now_ns=now_ns)
        for each in told:
            if isinstance(each, Archived):
                self.archive.known[each.kind, each.key] = each.state
        return told
