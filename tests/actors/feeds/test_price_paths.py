from decimal import Decimal, getcontext, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.feeds.price_paths import (
    Floats,
    LogWalk,
    OutcomePath,
    Shocks,
    decaying_sum,
    exp,
)
from runtime.kernel.determinism import seeded_numpy

STEPS = 20_000


def walk(assets: int = 1, steps: int = STEPS, **shocks: float) -> Floats:
    """Return a walk that begins at 100."""
    given = {"volatility": 0.001, **shocks}
    return LogWalk(assets, 100.0, Shocks(**given)).take(steps, seeded_numpy(7, "path"))


def log_moves(prices: Floats) -> Floats:
    """Return the changes of the logarithm, along time."""
    return np.diff(np.log(prices), axis=0)


def correlation(pair: Floats) -> float:
    """Return the correlation of two columns."""
    return float(np.asarray(np.corrcoef(pair.T))[0, 1])


def outcomes(
    questions: int,
    *,
    steps: int = 50,
    probability: float = 0.5,
    noise: float = 0.0,
    information: float = 4.0,
) -> tuple[Floats, "np.ndarray[tuple[int], np.dtype[np.bool_]]"]:
    """Return the prices of YES and NO to the end, and the answers."""
    random = seeded_numpy(7, "path")
    answers = random.random(questions) < probability
    path = OutcomePath(
        answers, steps, probability=probability, information=information, noise=noise
    )
    return path.take(steps, random), answers


def test_the_exponential_function_is_accurate() -> None:
    values = np.concatenate([np.linspace(-50, 50, 999), [0.0, 1e-300, -1e-9, 0.34657359]])
    with localcontext() as exact:
        exact.prec = 40
        expected = [float(Decimal(value).exp()) for value in values.tolist()]
    assert exp(values) == pytest.approx(np.array(expected), rel=1e-15)
    assert getcontext().prec < 40


def test_the_exponential_function_has_limits() -> None:
    largest, smallest = exp(np.array([1e6, -1e6]))
    assert (largest, smallest) == (exp(np.array([300.0]))[0], exp(np.array([-300.0]))[0])


@settings(deadline=None)
@given(
    st.lists(st.floats(-5, 5), min_size=1, max_size=80),
    st.sampled_from([0.0, 0.1, 0.5, 0.9, 0.999, 1.0]),
    st.floats(-5, 5),
)
def test_a_decaying_sum_is_that_of_a_loop(moves: list[float], keep: float, before: float) -> None:
    expected = []
    state = before
    for move in moves:
        state = keep * state + move
        expected.append(state)
    sums = decaying_sum(np.array(moves)[:, None], np.array([before]), keep)
    assert sums[:, 0].tolist() == pytest.approx(expected, abs=1e-9)


def test_a_random_walk_moves_by_its_volatility() -> None:
    moves = log_moves(walk())
    assert moves.std() == pytest.approx(0.001, rel=0.03)
    assert abs(moves.mean()) < 5 * 0.001 / STEPS**0.5


def test_assets_walk_independently() -> None:
    moves = log_moves(walk(assets=2))
    assert abs(correlation(moves)) < 0.05


def test_a_pulled_price_stays_near_its_start() -> None:
    distance = np.log(walk(pull=0.1) / 100.0)
    expected = 0.001 / (1 - 0.9**2) ** 0.5
    assert distance.std() == pytest.approx(expected, rel=0.1)


def test_jumps_come_as_often_and_are_as_large_as_asked() -> None:
    moves = log_moves(walk(volatility=1e-6, jump_probability=0.01, jump_size=0.05))
    jumps = moves[np.abs(moves) > 1e-4]
    assert len(jumps) == pytest.approx(STEPS * 0.01, rel=0.2)
    assert jumps.std() == pytest.approx(0.05, rel=0.2)


def test_a_walk_goes_on_where_it_stopped() -> None:
    path = LogWalk(1, 100.0, Shocks(volatility=1e-9))
    random = seeded_numpy(7, "path")
    first, second = path.take(50, random), path.take(50, random)
    assert second[0, 0] == pytest.approx(first[-1, 0], rel=1e-7)
    assert first[-1, 0] != 100.0


def test_prices_of_outcomes_are_probabilities_that_sum_to_one() -> None:
    prices, _ = outcomes(20)
    assert (prices >= 0).all()
    assert (prices <= 1).all()
    assert prices[:, 0::2] + prices[:, 1::2] == pytest.approx(1.0)


def test_prices_of_outcomes_come_to_the_answers() -> None:
    prices, answers = outcomes(200)
    assert ((prices[-1, 0::2] > 0.5) == answers).all()
    assert np.abs(prices[-1, 0::2] - answers).max() < 0.01


def test_prices_of_outcomes_are_fair_at_every_time() -> None:
    prices, answers = outcomes(20_000, steps=20, probability=0.3, information=1.0)
    assert answers.mean() == pytest.approx(0.3, abs=0.015)
    for step in (5, 10, 15):
        now = prices[step, 0::2]
        assert now.mean() == pytest.approx(0.3, abs=0.015)
        for low in (0.1, 0.3, 0.5):
            near = (now > low) & (now < low + 0.2)
            assert answers[near].mean() == pytest.approx(now[near].mean(), abs=0.03)


def test_errors_of_outcome_prices_are_independent() -> None:
    prices, _ = outcomes(1, steps=STEPS, noise=0.01, information=0.0)
    errors = prices - 0.5
    assert errors.std(axis=0) == pytest.approx(0.01, rel=0.05)
    assert abs(correlation(errors)) < 0.05


def test_an_outcome_path_stands_still_after_its_end() -> None:
    random = seeded_numpy(7, "path")
    path = OutcomePath(np.array([True]), 10, probability=0.5, information=1.0, noise=0.0)
    prices = np.concatenate([path.take(8, random), path.take(8, random)])
    assert prices[9, 0] == pytest.approx(prices[-1, 0])
    assert len(set(prices[:10, 0].tolist())) == 10
