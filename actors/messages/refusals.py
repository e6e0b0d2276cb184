"""Refusals as exceptions, for callers who would rather have one than a message."""

from actors.errors import (
    InvalidOrderState,
    RiskRejected,
    TradingError,
    ValidationError,
    VenueError,
)
from actors.messages.trading import OrderUpdate, ReplaceResult, SignalRefused
from actors.model.order import OrderStatus

Refusal = SignalRefused | OrderUpdate | ReplaceResult

_STOPS = {"halted: ": "Halted", "strategy stopped: ": "Stopped"}
"""How an order manager that takes nothing more says so, and the policy that stands for it."""


def error_of(refusal: Refusal, *, venue: str = "") -> TradingError | None:
    """Return the error that says what a refusal says, or None if nothing was refused.

    - A refused signal is a ``RiskRejected`` that names every policy that was violated.
    - A DENIED order is a ``ValidationError``; if trading was stopped, a ``RiskRejected``.
    - A REJECTED order is a ``VenueError``.
    - A change that was not made is an ``InvalidOrderState``.

    Args:
        refusal: What the portfolio or the order manager has said.
        venue: The venue's name, where the caller knows it: for a VenueError.
    """
    if isinstance(refusal, SignalRefused):
        policies = dict.fromkeys(violation.policy for violation in refusal.violations)
        text = "; ".join(
            f"{violation.policy}: expected {violation.limit}, found {violation.found}"
            for violation in refusal.violations
        )
        return RiskRejected(policies, text, order_id=refusal.signal_id)
    order_id, reason = refusal.client_order_id, refusal.reason
    if isinstance(refusal, ReplaceResult):
        return None if refusal.accepted else InvalidOrderState(reason, order_id=order_id)
    if refusal.status is OrderStatus.REJECTED:
        return VenueError(venue, reason, order_id=order_id)
    return _denied(reason, order_id) if refusal.status is OrderStatus.DENIED else None


def _denied(reason: str, order_id: str) -> TradingError:
    for words, policy in _STOPS.items():
        if reason.startswith(words):
            return RiskRejected((policy,), reason, order_id=order_id)
    return ValidationError(reason, order_id=order_id)


def raise_for(refusal: Refusal, *, venue: str = "") -> None:
    """Do nothing if nothing was refused.

    Raises:
        TradingError: Or rather that of its subclasses which :func:`error_of` returns.
    """
    error = error_of(refusal, venue=venue)
    if error is not None:
        raise error
