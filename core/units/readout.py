"""Values with their unit, as they are shown under the cursor."""

from __future__ import annotations

import math

_DECIMALS = {"HU": 0, "Bq/mL": 0, "counts": 0, "proportional counts": 0}


def shown_value(value: float, unit: str) -> str:
    """“5.32 SUVbw”, “−117 HU”, “12,483 Bq/mL”, and without a unit “812” or “0.0734”.

    SUV has two decimals, HU and activity none; of all others four digits count.
    """
    decimals = 2 if unit.startswith("SUV") else _DECIMALS.get(unit, _decimals(value))
    number = f"{value:,.{decimals}f}".replace("-", "−")
    if float(f"{value:.{decimals}f}") == 0:
        number = number.lstrip("−")
    return f"{number} {unit}" if unit else number


def _decimals(value: float) -> int:
    """So many that four digits are shown, none of thousands, six at most."""
    if value == 0:
        return 0
    return min(max(3 - math.floor(math.log10(abs(value))), 0), 6)
