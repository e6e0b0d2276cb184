"""Trades YES against NO of one market by rules, each of them a function of its own."""

from actors.strategies.yes_no.parameters import OracleParameters, YesNoParameters
from actors.strategies.yes_no.rules import Decision, decide, evaluate_strategy
from actors.strategies.yes_no.state import (
    MarketSnapshot,
    OracleView,
    PairPosition,
    Rank,
    Top,
    TradeSignal,
)
from actors.strategies.yes_no.strategy import YesNo

__all__ = [
    "Decision",
    "MarketSnapshot",
    "OracleParameters",
    "OracleView",
    "PairPosition",
    "Rank",
    "Top",
    "TradeSignal",
    "YesNo",
    "YesNoParameters",
    "decide",
    "evaluate_strategy",
]
