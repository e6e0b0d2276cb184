from decimal import Decimal

import pytest

from actors.messages.trading import Violation
from actors.model.order import Side
from actors.risk.limits import POLICIES
from actors.risk.loss import Action, DailyLoss, Drawdown, Tripwire
from tests.actors.risk.requests import Seen, request


def test_a_day_may_lose_as_much_as_the_limit() -> None:
    policy = DailyLoss(max_loss=Decimal(100))
    assert policy.check(request(view=Seen(day_start="1000", value="900"))) is None
    refused = policy.check(request(view=Seen(day_start="1000", value="899.5")))
    assert refused == Violation("DailyLoss", "100", "100.5")


def test_a_drawdown_is_a_fraction_of_the_peak() -> None:
    policy = Drawdown(max_drawdown=Decimal("0.25"))
    assert policy.check(request(view=Seen(peak="2000", value="1500"))) is None
    refused = policy.check(request(view=Seen(peak="2000", value="1400")))
    assert refused == Violation("Drawdown", "25 %", "30.00 %")


def test_an_account_that_never_was_worth_anything_has_no_drawdown() -> None:
    assert Drawdown(max_drawdown=Decimal(1)).check(request(view=Seen(peak="0", value="-5"))) is None


def test_what_only_reduces_passes_whatever_was_lost() -> None:
    ruined = Seen(value="1")
    closing = request(Side.SELL, opening="0", view=ruined)
    for policy in (DailyLoss(max_loss=Decimal(1)), Drawdown(max_drawdown=Decimal("0.1"))):
        assert policy.check(closing) is None
        assert policy.check(request(view=ruined)) is not None


def test_only_limits_on_losses_can_change_the_trading_state() -> None:
    kinds = {name for name, policy in POLICIES.items() if hasattr(policy, "breach")}
    assert kinds == {"DailyLoss", "Drawdown"}
    assert isinstance(DailyLoss(max_loss=Decimal(1), action=Action.HALT), Tripwire)


def test_limits_that_make_no_sense_are_errors() -> None:
    with pytest.raises(ValueError, match="max_loss: expected above 0, found 0"):
        DailyLoss(max_loss=Decimal(0))
    for wrong in ("0", "1.01"):
        with pytest.raises(ValueError, match="max_drawdown: expected above 0 and at most 1, found"):
            Drawdown(max_drawdown=Decimal(wrong))
