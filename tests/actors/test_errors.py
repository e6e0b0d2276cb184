"""The tree of exceptions: families, fields, when to retry, and refusals as exceptions."""

import inspect
import pickle
from typing import Any

import pytest

from actors import errors
from actors.errors import (
    AuthenticationError,
    BookGapError,
    BulkheadError,
    ConfigError,
    DataError,
    DataSourceError,
    ExecutionError,
    FillRejected,
    InvalidOrderState,
    KernelError,
    MailboxOverflow,
    NetworkError,
    OrderNeverPlaced,
    OrderNotFound,
    OrderStateError,
    Problem,
    RateLimitExceeded,
    Retry,
    RiskRejected,
    StrategyError,
    StrategyNotFound,
    StreamError,
    TradingError,
    ValidationError,
    VenueDenied,
    VenueError,
    VenueProtocolError,
    VenueThrottled,
    VenueUnreachable,
)
from actors.messages.refusals import error_of, raise_for
from actors.messages.trading import OrderUpdate, ReplaceResult, SignalRefused, Violation
from actors.model.order import OrderStatus
from tests.builders import order

EXAMPLES: list[BulkheadError] = [
    ConfigError([Problem(file="f", key="k", expected="e", found="x")]),
    MailboxOverflow("full"),
    BookGapError(file="f", line=3, reason="gap"),
    StrategyError("not today"),
    StrategyNotFound("no strategy 'x'"),
    ValidationError("QUANTITY_OFF_LOT", order_id="o"),
    RiskRejected(["PositionLimit", "CashLimit"]),
    RateLimitExceeded("polymarket", "wait 3 ns"),
    VenueThrottled("polymarket", "429"),
    VenueError("polymarket", "no such market", "404"),
    VenueProtocolError("polymarket", "what?"),
    OrderNotFound("no order o", order_id="o"),
    NetworkError("timed out"),
    VenueUnreachable("timed out", venue="polymarket"),
    AuthenticationError("bad key"),
    VenueDenied("banned", venue="polymarket"),
    InvalidOrderState("it is FILLED", order_id="o"),
    OrderStateError("it is FILLED", venue="v"),
    FillRejected("too much", codes=("FILL_OVERFILL",), venue="v", order_id="o"),
    OrderNeverPlaced("who?", venue="v", order_id="o"),
]


def kinds() -> list[type[BulkheadError]]:
    """Return every exception of the tree."""
    found = [each for _, each in inspect.getmembers(errors, inspect.isclass)]
    return [each for each in found if issubclass(each, BulkheadError)]


@pytest.mark.parametrize(
    ("kind", "family"),
    [
        (ConfigError, ExecutionError),
        (KernelError, ExecutionError),
        (DataError, StreamError),
        (StreamError, DataSourceError),
        (BookGapError, DataSourceError),
        (VenueThrottled, RateLimitExceeded),
        (VenueProtocolError, VenueError),
        (VenueUnreachable, NetworkError),
        (VenueDenied, AuthenticationError),
        (OrderStateError, InvalidOrderState),
        (FillRejected, InvalidOrderState),
        (StrategyNotFound, StrategyError),
        (StrategyNotFound, ValueError),
        (OrderNeverPlaced, OrderNotFound),
        (OrderNeverPlaced, OrderStateError),
    ],
)
def test_what_is_older_fits_into_the_families(kind: type, family: type) -> None:
    assert issubclass(kind, family)


def test_the_families_are_apart_and_drawn() -> None:
    families = (ExecutionError, DataSourceError, StrategyError, TradingError)
    for kind in kinds():
        assert kind is BulkheadError or sum(issubclass(kind, family) for family in families) == 1
        assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize(
    ("error", "retry"),
    [
        (ValidationError, Retry.NEVER),
        (RiskRejected, Retry.NEVER),
        (RateLimitExceeded, Retry.SAFE),
        (VenueThrottled, Retry.SAFE),
        (VenueError, Retry.AFTER_RECONCILE),
        (OrderNotFound, Retry.NEVER),
        (NetworkError, Retry.AFTER_RECONCILE),
        (AuthenticationError, Retry.NEVER),
        (VenueDenied, Retry.NEVER),
        (InvalidOrderState, Retry.AFTER_RECONCILE),
        (FillRejected, Retry.AFTER_RECONCILE),
        (OrderNeverPlaced, Retry.AFTER_RECONCILE),
    ],
)
def test_each_trading_error_says_whether_to_retry(error: type[TradingError], retry: Retry) -> None:
    assert error.retry is retry
    row = next(
        line for line in (errors.__doc__ or "").splitlines() if f"── {error.__name__} " in line
    )
    assert row.endswith(f" {retry}")


def test_gateway_errors_have_the_fields_by_which_they_are_known() -> None:
    assert ValidationError("msg").msg == "msg"
    risk = RiskRejected(policies=["PositionLimit", "CashLimit"])
    assert risk.policies == ("PositionLimit", "CashLimit")
    assert str(risk) == "refused by PositionLimit, CashLimit"
    limit = RateLimitExceeded(venue="polymarket", message="10 a second")
    assert (limit.venue, limit.message, str(limit)) == ("polymarket", "10 a second", "10 a second")
    venue = VenueError(venue="polymarket", message="not enough balance", code="400")
    assert (venue.venue, venue.message, venue.code) == ("polymarket", "not enough balance", "400")
    assert NetworkError("timed out").msg == "timed out"
    assert OrderNotFound("no order", order_id="o").order_id == "o"
    assert (TradingError("m").venue, TradingError("m").order_id) == ("", None)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_keeps_its_fields_and_notes_when_it_is_pickled(error: BulkheadError) -> None:
    error.add_note("while trading")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))


def test_an_error_tells_its_cause() -> None:
    with pytest.raises(TradingError) as caught:  # noqa: PT012 - the chain is what is tested
        try:
            int("x")
        except ValueError as cause:
            raise VenueProtocolError("venue", "no number") from cause
    assert isinstance(caught.value.__cause__, ValueError)


# --- refusals ------------------------------------------------------------------------------------


def update(status: OrderStatus, reason: str) -> OrderUpdate:
    """Return the order manager's word."""
    asked = order()
    return OrderUpdate(
        client_order_id="o",
        strategy="s",
        instrument=asked.instrument,
        side=asked.side,
        status=status,
        quantity=asked.quantity,
        filled_quantity=asked.quantity,
        reason=reason,
    )


def test_a_refused_signal_names_every_policy() -> None:
    refused = SignalRefused(
        signal_id="o",
        strategy="s",
        instrument="BTC",
        violations=(
            Violation("PositionLimit", "10", "11"),
            Violation("CashLimit", "5", "6"),
            Violation("PositionLimit", "10", "12"),
        ),
    )
    with pytest.raises(RiskRejected, match="CashLimit: expected 5, found 6") as caught:
        raise_for(refused)
    assert caught.value.policies == ("PositionLimit", "CashLimit")
    assert caught.value.order_id == "o"


@pytest.mark.parametrize(
    ("refusal", "kind", "fields"),
    [
        (
            update(OrderStatus.DENIED, "QUANTITY_OFF_LOT: expected"),
            ValidationError,
            {"msg": "QUANTITY_OFF_LOT: expected"},
        ),
        (update(OrderStatus.DENIED, "halted: told to"), RiskRejected, {"policies": ("Halted",)}),
        (
            update(OrderStatus.DENIED, "strategy stopped: told to"),
            RiskRejected,
            {"policies": ("Stopped",), "message": "strategy stopped: told to"},
        ),
        (
            update(OrderStatus.REJECTED, "no such market"),
            VenueError,
            {"venue": "polymarket", "message": "no such market", "code": ""},
        ),
        (
            ReplaceResult(
                client_order_id="o", strategy="s", accepted=False, order=order(), reason="too late"
            ),
            InvalidOrderState,
            {"message": "too late"},
        ),
    ],
)
def test_each_refusal_has_its_error(
    refusal: Any, kind: type[TradingError], fields: dict[str, Any]
) -> None:
    with pytest.raises(kind) as caught:
        raise_for(refusal, venue="polymarket")
    assert caught.value.order_id == "o"
    assert {name: getattr(caught.value, name) for name in fields} == fields


@pytest.mark.parametrize(
    "news",
    [
        update(OrderStatus.FILLED, ""),
        update(OrderStatus.CANCELLED, "cancel asked for"),
        ReplaceResult(client_order_id="o", strategy="s", accepted=True, order=order()),
    ],
)
def test_what_is_no_refusal_is_no_error(news: Any) -> None:
    assert error_of(news) is None
    raise_for(news)
