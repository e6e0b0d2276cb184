"""Chance that does not depend on the order of events: a hash of the seed and of what it is about.

So an order fares the same whatever else happens, whoever crashes, and in whichever process.
"""

from hashlib import blake2b

_WHOLE = 1 << 64


class Chance:
    """Draws by name."""

    def __init__(self, seed: int) -> None:
        self._key = str(seed).encode()

    def draw(self, *about: object) -> float:
        """Return a number from 0 up to 1; the same for the same words."""
        words = " ".join(map(str, about)).encode()
        digest = blake2b(words, digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "big") / _WHOLE

    def happens(self, share: float, *about: object) -> bool:
        """Return whether something happens that does in a share of the cases."""
        return share > 0 and self.draw(*about) < share
