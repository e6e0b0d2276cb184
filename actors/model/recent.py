"""Remembers which ids have been seen, up to a bound."""

REMEMBERED = 65_536


class RecentIds:
    """The latest ids: at least the last ``limit`` of them, at most twice as many."""

    def __init__(self, limit: int = REMEMBERED) -> None:
        self._limit = limit
        self._latest: set[str] = set()
        self._before: set[str] = set()

    def __len__(self) -> int:
        return len(self._latest) + len(self._before)

    def __contains__(self, known_id: object) -> bool:
        return known_id in self._latest or known_id in self._before

    def add(self, new_id: str) -> bool:
        """Remember an id; return whether it is new."""
        latest = self._latest
        if new_id in latest or new_id in self._before:
            return False
        if len(latest) >= self._limit:
            self._before = latest
            latest = self._latest = set()
        latest.add(new_id)
        return True
