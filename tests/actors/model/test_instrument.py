from decimal import Decimal
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.model.instrument import Instrument, InstrumentId
from tests.builders import instrument, instruments

TICKS = ["0.1", "0.01", "0.001", "0.0001", "0.005", "0.0025"]


@settings(deadline=None)
@given(tick=st.sampled_from(TICKS), ticks=st.integers(0, 2**53))
def test_prices_and_ticks_are_the_same_on_every_venue_grid(tick: str, ticks: int) -> None:
    market = instrument(tick=tick)
    assert market.ticks(market.price(ticks)) == ticks


@settings(deadline=None)
@given(lot=st.sampled_from(["1", "0.01", "0.000001", "0.00000001"]), lots=st.integers(0, 2**53))
def test_quantities_and_lots_are_the_same_on_every_lot(lot: str, lots: int) -> None:
    market = instrument(lot=lot)
    assert market.lots(market.quantity(lots)) == lots


def test_a_price_off_the_grid_is_refused() -> None:
    with pytest.raises(ValueError, match=r"0\.123 is not a multiple of 0\.01"):
        instrument(tick="0.01").ticks(Decimal("0.123"))


def test_orders_keep_the_column_tick_unless_told_otherwise() -> None:
    fine = Instrument(id=InstrumentId("X"), venue="v", symbol="X", tick=Decimal("0.0001"))
    assert fine.order_tick == Decimal("0.0001")
    assert instrument(tick="0.0001", order_tick="0.01").order_tick == Decimal("0.01")


@pytest.mark.parametrize("grid", [{"tick": "0"}, {"tick": "-1"}, {"lot": "0"}, {"lot": "-0.1"}])
def test_a_grid_without_steps_is_refused(grid: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="expected above 0"):
        instrument(**grid)  # type: ignore[arg-type]


def test_the_table_numbers_instruments_in_the_order_of_their_coming() -> None:
    table = instruments(instrument("A"), instrument("B"))
    assert [table.index("A"), table.index("B")] == [0, 1]
    assert [member.id for member in table] == ["A", "B"]
    assert table[1].id == "B"
    assert len(table) == 2


def test_the_first_definition_of_an_id_stays() -> None:
    table = instruments(instrument("A", tick="0.01"))
    assert table.add(instrument("A", tick="0.5")) == 0
    assert table[0].tick == Decimal("0.01")
    assert len(table) == 1


def test_the_table_knows_what_it_does_not_know() -> None:
    table = instruments(instrument("A"))
    assert "A" in table
    assert "B" not in table
    assert table.get("B") is None
    found = table.get("A")
    assert found is not None
    assert found.id == "A"
    with pytest.raises(KeyError):
        table.index("B")


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("margin", "-5", "0 or more"),
        ("fee_rate", "-2", "0 or more"),
        ("min_quantity", "-1", "0 or more"),
        ("min_price", "-1", "0 or more"),
        ("max_quantity", "0", "above 0"),
        ("max_quantity", "1", r"min_quantity \(5\) or more"),
        ("max_price", "-1", "above 0"),
        ("max_price", "2", r"min_price \(3\) or more"),
        ("order_tick", "0", "a multiple of the tick 0.01, above 0"),
        ("order_tick", "-0.01", "a multiple of the tick 0.01, above 0"),
        ("order_tick", "0.015", "a multiple of the tick 0.01, above 0"),
    ],
)
def test_terms_that_make_no_sense_are_refused(field: str, value: str, expected: str) -> None:
    terms: dict[str, Any] = {"min_quantity": Decimal(5), "min_price": Decimal(3)}
    terms[field] = Decimal(value)
    with pytest.raises(ValueError, match=f"^{field}: expected {expected}, found {value}$"):
        attrs.evolve(instrument("A", tick="0.01"), **terms)
    with pytest.raises(ValueError, match=r"^currency: expected a name, found ''$"):
        attrs.evolve(instrument("A"), currency="")
