"""Measures that a well-kept library computes as well are compared with it.

The library (the extra ``peers``) brings far more along than the rest of the project needs, so its
numbers on fixed series are kept in ``peer_vectors.json``; where it is installed, it is asked anew.
"""

import json
import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.research.measures.drawdowns import drawdowns_of_returns
from runtime.research.measures.ratios import beta, calmar_ratio, sharpe_ratio, sortino_ratio
from runtime.research.measures.returns import (
    annual_return,
    annual_volatility,
    conditional_value_at_risk,
    downside_risk,
    gain_to_loss,
    kurtosis,
    skewness,
    tail_ratio,
    total_return,
    value_at_risk,
)

_CASES = json.loads(Path(__file__).with_name("peer_vectors.json").read_text())["cases"]
_OURS: dict[str, Callable[[list[float], int], float | None]] = {
    "total_return": lambda r, _: total_return(r),
    "max_drawdown": lambda r, _: float(np.min(drawdowns_of_returns(r))),
    "annual_return": annual_return,
    "annual_volatility": annual_volatility,
    "sharpe_ratio": sharpe_ratio,
    "sortino_ratio": sortino_ratio,
    "calmar_ratio": calmar_ratio,
    "omega_ratio": lambda r, _: gain_to_loss(r),
    "downside_risk": downside_risk,
    "tail_ratio": lambda r, _: tail_ratio(r),
    "value_at_risk": lambda r, _: value_at_risk(r),
    "conditional_value_at_risk": lambda r, _: conditional_value_at_risk(r),
    "skewness": lambda r, _: skewness(r),
    "kurtosis": lambda r, _: kurtosis(r),
}
_ANNUAL = {
    "annual_return",
    "annual_volatility",
    "sharpe_ratio",
    "sortino_ratio",
    "calmar_ratio",
    "downside_risk",
}


def _series(seed: int, count: int, scale: float) -> list[float]:
    """Return returns of a plain congruential generator: the same on every machine."""
    state, returns = seed, []
    for _ in range(count):
        total = 0.0
        for _ in range(12):
            state = (1103515245 * state + 12345) % 2**31
            total += state / 2**31
        returns.append(round((total - 6) * scale + 0.0005, 8))
    return returns


@pytest.mark.parametrize("case", _CASES, ids=lambda case: str(case["seed"]))
def test_measures_of_fixed_series_are_those_that_a_peer_gave(case: dict[str, Any]) -> None:
    terms = case["count"], case["scale"]
    returns = _series(case["seed"], *terms)
    for name, value in case["results"].items():
        if name == "beta":
            found = beta(returns, _series(case["seed"] + 100, *terms))
        else:
            found = _OURS[name](returns, case["periods_per_year"])
        assert found == pytest.approx(value, rel=1e-9), name


@given(st.lists(st.floats(-0.3, 0.3).map(lambda x: round(x, 6)), min_size=5, max_size=80))
def test_measures_of_any_series_are_those_that_a_peer_gives(returns: list[float]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer = pytest.importorskip("empyrical")
        array = np.array(returns)
        for name in _OURS.keys() - {"total_return", "skewness", "kurtosis"}:
            options = {"annualization": 252} if name in _ANNUAL else {}
            theirs = float(getattr(peer, name)(array, **options))
            ours = _OURS[name](returns, 252)
            # without any spread, a peer divides by what rounding has left
            if math.isfinite(theirs) and ours is not None and abs(theirs) < 1e12:
                assert ours == pytest.approx(theirs, rel=1e-8, abs=1e-12), name
