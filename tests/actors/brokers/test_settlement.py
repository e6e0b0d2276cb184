"""What becomes of provisional trades."""

from typing import Any

import attrs
import pytest

from actors.actor import Later
from actors.brokers.models.settlement import Settlement
from actors.messages.trading import ExecutionReport, ReportKind


def said(kind: ReportKind, trade_id: str = "", at_ns: int = 100) -> ExecutionReport:
    return ExecutionReport(
        client_order_id="o", kind=kind, venue="v", venue_time_ns=at_ns, trade_id=trade_id
    )


def test_each_trade_is_settled_after_the_delay() -> None:
    reports = [
        said(ReportKind.ACCEPTED),
        said(ReportKind.TRADE, "t1"),
        said(ReportKind.TRADE, "t2"),
    ]
    assert Settlement(delay_ns=50).plan(reports, told_ns=120) == [
        Later(said(ReportKind.TRADE_SETTLED, "t1", 150), 170),
        Later(said(ReportKind.TRADE_SETTLED, "t2", 150), 170),
    ]


def test_a_failed_trade_is_told_with_a_reason() -> None:
    (later,) = Settlement(failure_rate=1.0).plan([said(ReportKind.TRADE, "t1")], told_ns=100)
    assert later.message.kind is ReportKind.TRADE_FAILED
    assert later.message.reason == "settlement failed"
    assert later.at_ns == 100


def test_the_share_that_fails_is_what_was_configured_and_the_same_each_time() -> None:
    settlement = Settlement(failure_rate=0.2, seed=3)
    names = [f"o-{number}" for number in range(1000)]
    failed = [name for name in names if settlement.fails(name)]
    assert 160 < len(failed) < 240
    assert failed == [name for name in names if attrs.evolve(settlement).fails(name)]
    assert failed != [name for name in names if attrs.evolve(settlement, seed=4).fails(name)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"delay_ns": -1}, "delay_ns: expected 0 or more, found -1"),
        ({"failure_rate": 1.1}, "failure_rate: expected a number from 0 to 1, found 1.1"),
        ({"failure_rate": float("nan")}, "failure_rate: expected a number from 0 to 1, found nan"),
    ],
)
def test_options_that_make_no_sense_are_told(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Settlement(**options)
