"""What happens when risk checks or validation are switched off."""

from tests.ring.rig import config, run

ORDERS = """
mode: simulate
journal: none
portfolio:
  cash: 100
  policies: [{type: MaxOrderSize, max_size: 1}]
feeds: [{name: market, type: synthetic, assets: [ACME], duration: 10s, lot: 1}]
strategies:
  - {name: trend, type: average_cross, parameters: {fast: 2, slow: 4, quantity: 5}}
"""


def test_policies_refuse_as_long_as_they_are_asked() -> None:
    guarded = run(config(ORDERS)).result
    assert guarded.refusals["MaxOrderSize"] > 0
    assert not guarded.fills
    open_doors = run(config(ORDERS, "enable_risk_checks=false")).result
    assert not open_doors.refusals
    assert open_doors.fills
