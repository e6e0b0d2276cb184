import json
from decimal import Decimal
from typing import Any

import pytest

from actors.model.instrument import Instruments, Outcome
from actors.venues.polymarket.markets import (
    LEARNED_LIMIT,
    Market,
    Tokens,
    read_markets,
    slug_names,
    yes_and_no,
)
from tests.actors.venues.polymarket_venue import CONDITION, NO, YES, market


def line(**changes: Any) -> str:
    described = {
        "market_id": "2111569",
        "slug": "btc-up",
        "condition_id": CONDITION,
        "outcomes": [{"token_id": YES, "outcome": "Up"}, {"token_id": NO, "outcome": "Down"}],
        "tick_size": 0.01,
        "min_order_size": 5.0,
    }
    return json.dumps({**described, **changes})


def test_a_market_is_read_from_its_line() -> None:
    (found,) = read_markets([line(), "", "  \n"])
    assert found == market(tick_size=Decimal("0.01"), min_order_size=Decimal(5))


def test_what_a_line_does_not_tell_is_not_known() -> None:
    (found,) = read_markets([line(tick_size=None, min_order_size=None, neg_risk=True)])
    assert found == market(neg_risk=True)


@pytest.mark.parametrize(
    ("outcomes", "yes"),
    [
        (("Up", "Down"), YES),
        (("Down", "Up"), NO),
        (("Yes", "No"), YES),
        (("NO", "YES"), NO),
        (("Invictus Gaming", "LGD Gaming"), YES),
        (("No", "Maybe"), YES),
    ],
)
def test_the_first_outcome_is_yes_unless_the_names_say_otherwise(
    outcomes: tuple[str, str], yes: str
) -> None:
    assert yes_and_no(outcomes, (YES, NO))[0] == yes


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "line 2: "),
        (line(slug=None), r"line 2: .*`\$.slug`"),
        (line(outcomes=[]), "line 2: expected two outcomes with one token each, found 0"),
        (line(tick_size=0), "line 2: tick size 0: expected a multiple of"),
        (line(tick_size=-0.01), "line 2: tick size -0.01"),
        (line(tick_size=0.00001), "line 2: tick size"),
        (line(min_order_size="few"), r"line 2: .*`\$.min_order_size`"),
    ],
)
def test_a_malformed_line_is_named_by_its_number(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_markets([line(), text])


def test_both_outcomes_need_tokens_of_their_own() -> None:
    with pytest.raises(ValueError, match="both outcomes have the token 111"):
        market(no_token=YES)


def test_readable_names_tell_slug_and_outcome() -> None:
    assert slug_names([market()]) == {YES: "btc-up-YES", NO: "btc-up-NO"}


def test_either_token_makes_the_pair() -> None:
    for first in (YES, NO):
        instruments = Instruments()
        tokens = Tokens(instruments, [market()], {})
        assert not tokens.known(first)
        assert tokens.is_ours(first)
        index = tokens.index(first, CONDITION)
        assert instruments[index].symbol == first
        assert [each.outcome for each in instruments] == [Outcome.YES, Outcome.NO]
        assert tokens.index(first, CONDITION) == index


def test_of_announced_markets_the_oldest_are_forgotten() -> None:
    tokens = Tokens(Instruments(), [], {})
    for number in range(LEARNED_LIMIT + 1):
        tokens.learn(
            Market(
                slug=f"m{number}",
                condition_id=f"0x{number}",
                yes_token=f"yes{number}",
                no_token=f"no{number}",
            )
        )
    assert tokens.market("yes0") is None
    assert tokens.market("no1") is not None
    assert tokens.market(f"yes{LEARNED_LIMIT}") is not None
    assert not tokens.is_ours("no1")
