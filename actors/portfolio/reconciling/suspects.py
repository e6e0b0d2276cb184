"""Differences that were seen, and when one of them counts.

What the venue tells is older than what we know, or younger: a fill may be on its way to us, or be
booked here and not yet counted there. So a difference is suspected at first, and counts

- when it is the same in two rounds in a row and nothing of the instrument was booked (no cash of
  the currency moved) since the round before these two, or
- when in three rounds in a row it is greater, on the same side, than the open orders, those that
  have just ended and the fills of the two latest intervals can explain.

So nothing is told of a venue that is right, as long as its reports, or the trades that it is asked
for in each round, come before the next round does; and what is wrong is told in the third round at
the latest, counted from the last fill of the instrument, or at once from where it is too great to
be one that is under way.
"""

from decimal import Decimal

import msgspec

from actors.messages.reconciliation import DifferenceKind

_ROUNDS_BEYOND = 3


class Subject(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is compared: an instrument's position or a currency's balance.

    ``difference`` is theirs less ours, less what somebody has decided to ignore of it.
    """

    kind: DifferenceKind
    name: str
    ours: Decimal
    theirs: Decimal
    difference: Decimal
    tolerance: Decimal

    @property
    def key(self) -> str:
        """Return what names a difference of it."""
        return f"{self.kind}:{self.name}"

    @property
    def agrees(self) -> bool:
        """Return whether there is no difference to speak of."""
        return self.difference.copy_abs() <= self.tolerance


class Suspect(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A difference that the latest round has seen.

    Attributes:
        subject: Of what, and how great.
        beyond: In how many rounds in a row nothing under way could explain it.
        counts: Whether it is taken for real.
        is_told: Whether it was told, and is open.
    """

    subject: Subject
    beyond: int = 0
    counts: bool = False
    is_told: bool = False


def suspected(
    subject: Subject, before: Suspect | None, *, is_quiet: bool, is_explained: bool
) -> Suspect:
    """Return what a round makes of a difference.

    Args:
        subject: What differs.
        before: What the round before has made of it, if it differed then.
        is_quiet: Whether nothing of it has moved in the two intervals before this round.
        is_explained: Whether what is under way can be why.
    """
    difference, beyond, is_same = subject.difference, 0, False
    if before is not None:
        earlier = before.subject.difference
        is_same = (difference - earlier).copy_abs() <= subject.tolerance
        if (difference > 0) is (earlier > 0):
            beyond = before.beyond
    beyond = 0 if is_explained else beyond + 1
    counts = (is_same and is_quiet) or beyond >= _ROUNDS_BEYOND
    is_told = before is not None and before.is_told
    return Suspect(subject=subject, beyond=beyond, counts=counts or is_told, is_told=is_told)
