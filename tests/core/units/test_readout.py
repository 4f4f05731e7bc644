"""Values as they are shown under the cursor."""

from __future__ import annotations

import pytest

from core.units.readout import shown_value


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (5.3249, "SUVbw", "5.32 SUVbw"),
        (0.004, "SUVlbm", "0.00 SUVlbm"),
        (-0.004, "SUVbw", "0.00 SUVbw"),
        (-117.4, "HU", "−117 HU"),
        (12482.6, "Bq/mL", "12,483 Bq/mL"),
        (812.4, "", "812.4"),
        (0.07341, "", "0.07341"),
        (31234.7, "", "31,235"),
        (0.0, "", "0"),
        (36.64, "°C", "36.64 °C"),
    ],
)
def test_shown(value, unit, shown) -> None:
    assert shown_value(value, unit) == shown
