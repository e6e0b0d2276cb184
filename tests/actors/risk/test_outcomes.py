from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.messages.trading import Violation
from actors.model.instrument import Instrument, InstrumentId, Outcome
from actors.model.order import OrderType, Side
from actors.risk.outcomes import GroupExposure, OutcomeExposure, payoff_in
from actors.risk.scope import OrdersPer
from tests.actors.risk.requests import Seen, exposure, request, token, working


def pair(market: str, event: str | None = None) -> tuple[Instrument, Instrument]:
    return (
        token(f"{market}-YES", outcome=Outcome.YES, market=market, event=event),
        token(f"{market}-NO", outcome=Outcome.NO, market=market, event=event),
    )


YES, NO = pair("rain")


def found(view: Seen, max_loss: str = "0", **order: object) -> str | None:
    """Return the worst loss that the policy finds, None if it is within the limit."""
    policy = OutcomeExposure(max_loss=Decimal(max_loss))
    violation = policy.check(request(view=view, **{"instrument": YES, **order}))  # type: ignore[arg-type]
    return None if violation is None else violation.found


def seen(*held: object, at_work: object = ()) -> Seen:
    return Seen(instruments=(YES, NO), held=held, at_work=at_work)  # type: ignore[arg-type]


def test_a_token_may_lose_what_it_costs() -> None:
    assert found(seen(), "5") is None
    refused = OutcomeExposure(max_loss=Decimal("4.9")).check(request(instrument=YES, view=seen()))
    assert refused == Violation("OutcomeExposure", "4.9", "5")


def test_what_is_held_adds_to_it() -> None:
    assert found(seen(exposure(YES, "10", "6"))) == "11"


def test_the_other_outcome_makes_it_smaller() -> None:
    # 10 YES for 5 beside 10 NO for 4.5: one of them pays 10 for sure
    assert found(seen(exposure(NO, "10", "4.5"))) is None
    # 30 YES for 15: if NO comes true, 19.5 are paid for 10
    assert found(seen(exposure(NO, "10", "4.5")), quantity="30") == "9.5"


def test_an_order_that_makes_the_worst_case_no_worse_passes_whatever_it_is() -> None:
    assert found(seen(exposure(NO, "10", "9"))) is None
    assert found(seen(exposure(NO, "10", "9"), exposure(YES, "9", "5")), "1") == "9"


def test_a_short_loses_what_it_must_pay() -> None:
    coin = token("S", outcome=Outcome.YES, market="short", can_short=True)
    view = Seen(instruments=(coin,))
    assert found(view, instrument=coin, side=Side.SELL, quantity="10", price="0.30") == "7"


def test_working_orders_fill_only_where_that_hurts() -> None:
    bid = working("a", Side.BUY, "10", "0.40", instrument=NO.id)
    # nothing of it helps the order that is asked for: it may not fill
    assert found(seen(at_work=(bid,))) == "5"
    same = working("a", Side.BUY, "10", "0.40", instrument=YES.id)
    assert found(seen(at_work=(same,))) == "9"


def test_of_alternatives_the_worst_counts() -> None:
    orders = tuple(
        working(name, Side.BUY, "10", price, instrument=YES.id, group="g")
        for name, price in (("a", "0.40"), ("b", "0.30"))
    )
    assert found(seen(at_work=orders)) == "9"
    assert found(seen(at_work=orders), group="g", strategy="other") == "5"


def test_the_order_that_is_changed_is_not_counted_twice() -> None:
    old = working("mine", Side.BUY, "10", "0.40", instrument=YES.id, strategy="cross")
    assert found(seen(at_work=(old,))) == "5"


def test_orders_without_a_limit_count_at_the_worst() -> None:
    market = working("a", Side.BUY, "2", None, instrument=YES.id, order_type=OrderType.MARKET)
    assert found(seen(at_work=(market,))) == "7"
    sale = working("a", Side.SELL, "2", None, instrument=YES.id, order_type=OrderType.MARKET)
    # YES comes true: 2 of those held would have been given away
    assert found(seen(exposure(YES, "2", "9"), at_work=(sale,))) == "14"


def test_per_strategy_other_strategies_do_not_count() -> None:
    others = Seen(
        instruments=(YES, NO),
        held=(exposure(YES, "10", "6"),),
        at_work=(working("a", Side.BUY, "10", "0.40", instrument=YES.id),),
    )
    policy = OutcomeExposure(max_loss=Decimal(5), per=OrdersPer.STRATEGY)
    assert policy.check(request(instrument=YES, view=others)) is None
    account = OutcomeExposure(max_loss=Decimal(5)).check(request(instrument=YES, view=others))
    assert account == Violation("OutcomeExposure", "5", "15")


def test_what_has_no_outcome_or_only_reduces_passes() -> None:
    assert found(Seen(), instrument=token("COIN")) is None
    assert found(seen(exposure(YES, "10", "9")), side=Side.SELL, opening="0") is None


def test_a_pair_without_a_market_is_known_by_its_complement() -> None:
    alone = Instrument(
        id=InstrumentId("B"),
        venue="v",
        symbol="b",
        outcome=Outcome.NO,
        complement=InstrumentId("A"),
    )
    assert payoff_in("A", alone) == 0
    assert payoff_in("", alone) == 1


# --- events --------------------------------------------------------------------------------------

MARKETS = [pair(name, "election") for name in ("a", "b", "c")]
TOKENS = tuple(token for tokens in MARKETS for token in tokens)
GROUP = GroupExposure(max_loss=Decimal(0))


def group_loss(view: Seen, instrument: Instrument, price: str = "0.50") -> str | None:
    violation = GROUP.check(request(instrument=instrument, price=price, view=view))
    return None if violation is None else violation.found


def test_all_markets_of_an_event_cost_what_one_of_them_does_not_pay() -> None:
    a, b, c = (yes for yes, _ in MARKETS)
    held = (exposure(b, "10", "3"), exposure(c, "10", "1"))
    # 10 of each: one of them pays 10, and they cost 9 together
    assert group_loss(Seen(instruments=TOKENS, held=held), a) is None
    only_two = Seen(instruments=TOKENS, held=held[:1])
    assert group_loss(only_two, a) == "8"


def test_no_tokens_pay_unless_their_market_comes_true() -> None:
    no_a, no_b = MARKETS[0][1], MARKETS[1][1]
    view = Seen(instruments=TOKENS, held=(exposure(no_b, "10", "9"),))
    # at most one of the two NO pays nothing
    assert group_loss(view, no_a) is None
    twice = Seen(instruments=TOKENS, held=(exposure(no_a, "10", "9"),))
    assert group_loss(twice, no_a) == "14"


def test_an_instrument_without_an_event_is_weighed_with_its_market() -> None:
    assert group_loss(seen(), YES) == "5"


def test_exposure_is_counted_per_account_or_strategy_only() -> None:
    for policy in (OutcomeExposure, GroupExposure):
        with pytest.raises(ValueError, match="per: expected account or strategy, found instrument"):
            policy(max_loss=Decimal(1), per=OrdersPer.INSTRUMENT)


lots = st.integers(0, 20).map(Decimal)
cents = st.integers(1, 99).map(lambda n: Decimal(n) / 100)


@given(
    st.lists(st.tuples(st.sampled_from(TOKENS), lots, cents), max_size=4),
    st.lists(st.tuples(st.sampled_from(TOKENS), st.sampled_from(Side), lots, cents), max_size=3),
)
def test_the_worst_case_is_that_of_every_outcome_and_every_set_of_fills(
    held: list[tuple[Instrument, Decimal, Decimal]],
    orders: list[tuple[Instrument, Side, Decimal, Decimal]],
) -> None:
    exposures = {each.id: [Decimal(0), Decimal(0)] for each in TOKENS}
    for instrument, quantity, price in held:
        exposures[instrument.id][0] += quantity
        exposures[instrument.id][1] += quantity * price
    view = Seen(
        instruments=TOKENS,
        held=tuple(
            exposure(each, str(exposures[each.id][0]), str(exposures[each.id][1]))
            for each in TOKENS
        ),
        at_work=tuple(
            working(f"o{i}", side, str(quantity), str(price), instrument=instrument.id)
            for i, (instrument, side, quantity, price) in enumerate(orders)
        ),
    )
    asked = (TOKENS[0], Side.BUY, Decimal(1), Decimal("0.50"))
    worst = without = Decimal(-1000)
    for winner, fills in product("abc", product((0, 1), repeat=len(orders) + 1)):
        value = Decimal(0)
        for each in TOKENS:
            wins = (each.market == winner) is (each.outcome is Outcome.YES)
            value += exposures[each.id][0] * wins - exposures[each.id][1]
        for fills_whole, (instrument, side, quantity, price) in zip(
            fills, [asked, *orders], strict=True
        ):
            wins = (instrument.market == winner) is (instrument.outcome is Outcome.YES)
            value += fills_whole * side.sign * quantity * (wins - price)
        worst = max(worst, -value)
        without = without if fills[0] else max(without, -value)
    policy = GroupExposure(max_loss=max(worst, Decimal(0)))
    ask = request(quantity="1", instrument=TOKENS[0], view=view)
    assert policy.check(ask) is None
    if worst > max(without, Decimal(0)):
        tighter = GroupExposure(max_loss=worst - Decimal("0.000001"))
        violation = tighter.check(ask)
        assert violation is not None
        assert Decimal(violation.found) == worst
