"""What a venue charges for a trade.

============ ========================= ==================================================
name         also called               charges
============ ========================= ==================================================
none                                   nothing
fixed        FixedCommissionModel      an amount for each trade
percentage   PercentageCommissionModel a fraction of the value
tiered       TieredCommissionModel     a fraction that depends on the value
per_share    PerShareCommissionModel   an amount for each share, within bounds of the order
per_unit                               an amount for each unit (futures)
maker_taker                            a fraction, by who provided and who took
polymarket                             Polymarket's fee curve
============ ========================= ==================================================

Every model has the option ``round_to`` (0.01: whole cents, half to even).
"""

from collections.abc import Mapping

from actors.brokers.models.commission.base import NOTHING_CHARGED as NOTHING_CHARGED
from actors.brokers.models.commission.base import Charged as Charged
from actors.brokers.models.commission.base import CommissionModel as CommissionModel
from actors.brokers.models.commission.charges import Charges as Charges
from actors.brokers.models.commission.charges import PastTrade as PastTrade
from actors.brokers.models.commission.models import FixedCommission as FixedCommission
from actors.brokers.models.commission.models import MakerTakerCommission as MakerTakerCommission
from actors.brokers.models.commission.models import NoCommission as NoCommission
from actors.brokers.models.commission.models import PercentageCommission as PercentageCommission
from actors.brokers.models.commission.models import PerUnitCommission as PerUnitCommission
from actors.brokers.models.commission.models import PolymarketCommission as PolymarketCommission
from actors.brokers.models.commission.schedules import DEFAULT_TIERS as DEFAULT_TIERS
from actors.brokers.models.commission.schedules import PerShareCommission as PerShareCommission
from actors.brokers.models.commission.schedules import TieredCommission as TieredCommission

COMMISSIONS: dict[str, type[CommissionModel]] = {
    "none": NoCommission,
    "fixed": FixedCommission,
    "percentage": PercentageCommission,
    "tiered": TieredCommission,
    "per_share": PerShareCommission,
    "per_unit": PerUnitCommission,
    "maker_taker": MakerTakerCommission,
    "polymarket": PolymarketCommission,
}
"""Commission models by their names in configurations."""

COMMISSION_ALIASES: Mapping[str, tuple[str, ...]] = {
    "FixedCommissionModel": ("fixed",),
    "PercentageCommissionModel": ("percentage",),
    "TieredCommissionModel": ("tiered",),
    "PerShareCommissionModel": ("per_share",),
}
"""Other names of the models."""
