"""Decimal arithmetic for money: exact, or rounded in the one place that says so.

The contexts are our own, so that results depend on nobody's ambient decimal context. With 128
digits no product or sum of real prices and quantities is ever rounded; one that were would raise.
"""

from decimal import (
    ROUND_HALF_EVEN,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    Overflow,
    Underflow,
)

_BUGS = [Clamped, DivisionByZero, InvalidOperation, Overflow, Underflow]
_EXACT = Context(prec=128, rounding=ROUND_HALF_EVEN, traps=[*_BUGS, Inexact])
_WIDE = Context(prec=128, rounding=ROUND_HALF_EVEN, traps=_BUGS)
_ROUNDED = Context(prec=28, rounding=ROUND_HALF_EVEN, traps=_BUGS)

add = _EXACT.add
subtract = _EXACT.subtract
multiply = _EXACT.multiply
multiply_add = _EXACT.fma
"""``multiply_add(a, b, c)`` is ``a * b + c``."""


def share(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return ``amount * part / whole``, half-even to 28 significant digits where inexact."""
    return _ROUNDED.divide(_EXACT.multiply(amount, part), whole)


def round_to(amount: Decimal, step: Decimal) -> Decimal:
    """Return the multiple of ``step`` that is nearest to an amount, half-even."""
    steps = _WIDE.to_integral_value(_WIDE.divide(amount, step))
    return _EXACT.multiply(steps, step)
