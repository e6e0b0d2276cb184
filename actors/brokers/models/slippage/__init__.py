"""How much worse than the venue's shown price an order that takes is filled.

============== ======================= ==========================================
name           also called             grows with
============== ======================= ==========================================
none
fixed_pct      fixed                   nothing
pct_size       percentage              the order's size
pct_dynamic    percentage              volatility and the share of the volume
volume                                 the share of the volume
volume_share                           the square of that share
volume_impact                          that share, and what our trades have left
volatility_aware                       volatility
square_root                            volatility and the root of that share
============== ======================= ==========================================

Names of classes elsewhere (``VolumeImpactSlippageModel``) are understood as well. ``percentage``
and ``PercentageSlippageModel`` mean two different models: the options say which one is meant.
"""

from collections.abc import Mapping

from actors.brokers.models.slippage.base import NoSlippage as NoSlippage
from actors.brokers.models.slippage.base import Slippage as Slippage
from actors.brokers.models.slippage.base import SlippageModel as SlippageModel
from actors.brokers.models.slippage.models import DynamicSlippage as DynamicSlippage
from actors.brokers.models.slippage.models import FixedSlippage as FixedSlippage
from actors.brokers.models.slippage.models import SizeSlippage as SizeSlippage
from actors.brokers.models.slippage.models import SquareRootSlippage as SquareRootSlippage
from actors.brokers.models.slippage.models import VolatilityAwareSlippage as VolatilityAwareSlippage
from actors.brokers.models.slippage.models import VolumeImpactSlippage as VolumeImpactSlippage
from actors.brokers.models.slippage.models import VolumeShareSlippage as VolumeShareSlippage
from actors.brokers.models.slippage.models import VolumeSlippage as VolumeSlippage

SLIPPAGES: dict[str, type[SlippageModel]] = {
    "none": NoSlippage,
    "fixed_pct": FixedSlippage,
    "pct_size": SizeSlippage,
    "pct_dynamic": DynamicSlippage,
    "volume": VolumeSlippage,
    "volume_share": VolumeShareSlippage,
    "volume_impact": VolumeImpactSlippage,
    "volatility_aware": VolatilityAwareSlippage,
    "square_root": SquareRootSlippage,
}
"""Slippage models by their names in configurations."""

SLIPPAGE_ALIASES: Mapping[str, tuple[str, ...]] = {
    "fixed": ("fixed_pct",),
    "percentage": ("pct_dynamic", "pct_size"),
    "FixedSlippageModel": ("fixed_pct",),
    "PercentageSlippageModel": ("pct_dynamic", "pct_size"),
    "VolumeBasedSlippageModel": ("volume",),
    "VolumeShareSlippage": ("volume_share",),
    "VolumeImpactSlippageModel": ("volume_impact",),
    "VolatilityAwareSlippageModel": ("volatility_aware",),
}
"""Other names of the models; of several, the first one that knows the options is meant."""
