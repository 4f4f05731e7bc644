"""What a fused image keeps of its sources, and what it loses.

:func:`measure_retention` finds the spots of either source, as a reader sees them, and says how much
of the contrast of each is left in the fused image. :mod:`core.retention.levels` has two simple
measures on grey levels.
"""

from core.retention.measure import (
    ALARM,
    KEPT,
    Retention,
    SourceRetention,
    Spot,
    measure_retention,
)
from core.retention.totals import FIGURES, LostSpots, RetentionTotals, is_lost

__all__ = [
    "ALARM",
    "FIGURES",
    "KEPT",
    "LostSpots",
    "Retention",
    "RetentionTotals",
    "SourceRetention",
    "Spot",
    "is_lost",
    "measure_retention",
]
