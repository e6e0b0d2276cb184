"""What a validator says: everything that is wrong, each with its code."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import attrs
import msgspec

from actors.errors import ValidationError
from actors.model.money import plain
from actors.orders.validation.codes import CODES

_LONGEST = 60
_MOST_DIGITS = 30


class Finding(msgspec.Struct, frozen=True, gc=False):
    """One thing that is wrong.

    Attributes:
        code: Stable; ``help_of(code)`` says what to do.
        expected: In words.
        found: In words.
    """

    code: str
    expected: str
    found: str

    @property
    def rule(self) -> str:
        """Return the rule that has found it."""
        return CODES[self.code].rule

    def __str__(self) -> str:
        return f"{self.code}: expected {self.expected}, found {self.found}"


def reason_of(findings: Iterable[Finding]) -> str:
    """Return findings in words: ``QUANTITY_OFF_LOT: expected a multiple of 0.1, found 0.15``."""
    return "; ".join(str(finding) for finding in findings)


@attrs.frozen
class ValidationResult:
    """A validator's answer; true if nothing is wrong.

    Attributes:
        details: Everything that is wrong, in the order of the rules.
    """

    details: tuple[Finding, ...] = ()

    @property
    def is_valid(self) -> bool:
        """Return whether nothing is wrong."""
        return not self.details

    @property
    def reason(self) -> str:
        """Return everything that is wrong in words; empty if nothing is."""
        return reason_of(self.details)

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes of everything that is wrong."""
        return tuple(finding.code for finding in self.details)

    def __bool__(self) -> bool:
        return not self.details

    def raise_if_invalid(self) -> None:
        """Do nothing if all is well.

        Raises:
            ValidationError: With everything that is wrong.
        """
        if self.details:
            raise ValidationError(self.reason)


def distinct(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings once each: two rules may find the same."""
    return tuple(dict.fromkeys(findings))


def shown(value: Any) -> str:
    """Return any value in a few words, whatever it is; never fails, never long."""
    kind = type(value)
    if kind is Decimal:
        return _number(value)
    if kind is int and abs(value) < 10**_MOST_DIGITS:
        return f"the int {value}"
    if value is None:
        return "none"
    if kind is str:
        return repr(value if len(value) <= _LONGEST else f"{value[:_LONGEST]}...")
    if kind in (float, bool):
        return f"the {kind.__name__} {value}"
    return f"a {kind.__name__}"


def shown_time(time_ns: int) -> str:
    """Return a time in nanoseconds as digits, if it is one that can be meant."""
    return str(time_ns) if abs(time_ns) < 10**_MOST_DIGITS else "a number beyond all times"


def _number(value: Decimal) -> str:
    if not value.is_finite():
        return str(value)
    digits = len(value.as_tuple().digits)
    if digits > _MOST_DIGITS:
        return f"a number of {digits} digits"
    if abs(value.adjusted()) > _MOST_DIGITS:
        return str(value)
    return plain(value)
