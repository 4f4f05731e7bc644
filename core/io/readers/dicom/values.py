"""From stored numbers to the unit of the series: slopes, real-world value maps, tables.

A real-world value map beats the rescale slope, except in PET, whose tag Units says what the
rescaled numbers are. Nothing is converted further: PET stays in the unit on file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from core.io.readers.decoding import SampleArray
from core.io.readers.dicom.identity import without_names
from core.io.readers.dicom.tags import DatasetTags, ImageTags, number
from core.types import FloatArray, Modality
from core.units.suv import STORED_UNITS

_MODALITIES: dict[str, Modality] = {"CT": "CT", "MR": "MR", "PT": "PT", "NM": "NM"}
UCUM_UNITS = {
    "[hnsf'U]": "HU",
    "Bq/ml": "Bq/mL",
    "{counts}": "counts",
    "{counts}/s": "counts/s",
    "g/ml{SUVbw}": "SUVbw",
    "{SUVbw}g/ml": "SUVbw",
    "g/ml{SUVlbm}": "SUVlbm",
    "{SUVlbm}g/ml": "SUVlbm",
    "cm2/ml{SUVbsa}": "SUVbsa",
    "{SUVbsa}cm2/ml": "SUVbsa",
    "g/ml{SUVibw}": "SUVibw",
    "{SUVibw}g/ml": "SUVibw",
    "1": "",
    "{no units}": "",
    "ug/mL": "µg/mL",
    "mm2/s": "mm²/s",
    "um2/s": "µm²/s",
}
"""What units are called here, by their codes; of several codes, the last is the standard one."""
_UNSPECIFIED = ("", "US", "UNSPECIFIED", "NORMALIZED", "US ")


def modality_of(tags: ImageTags) -> Modality:
    """The kind of scanner."""
    return _MODALITIES.get(tags.text("Modality").strip().upper(), "OT")


def rescaled_unit(tags: ImageTags) -> str:
    """The unit of the numbers behind slope and intercept; "" where there is none."""
    modality = modality_of(tags)
    units = tags.text("Units").strip().upper()
    if modality in ("PT", "NM") and units:
        if (number(tags, "RescaleSlope") or 0) <= 0 and (modality, units) != ("NM", "CNTS"):
            return ""  # Units is that of rescaled numbers, and these are not
        return STORED_UNITS.get(units) or without_names(units, tags)
    kind = tags.text("RescaleType").strip()
    in_hounsfield = kind.upper() in ("HU", "HU_MOD")
    if not in_hounsfield and kind.upper() not in _UNSPECIFIED:
        return without_names(kind, tags)
    if in_hounsfield or modality == "CT":
        # Numbers on file are not in HU by themselves: both tags are there, or nothing is known.
        return "HU" if tags.numbers("RescaleSlope") and tags.numbers("RescaleIntercept") else ""
    return "counts" if modality == "NM" else ""


@dataclass(frozen=True)
class Scaling:
    """How stored numbers become values.

    Attributes:
        slope, intercept: of the linear ones.
        unit: of the values.
        table: the values that numbers from ``first`` on stand for; None for linear ones.
        first: the number that the first value of ``table`` stands for.
        bounded: whether numbers beyond ``table`` have no value (NaN) instead of that of its ends.
    """

    slope: float = 1.0
    intercept: float = 0.0
    unit: str = ""
    _: KW_ONLY
    table: npt.NDArray[np.float64] | None = None
    first: int = 0
    bounded: bool = False

    @property
    def is_identity(self) -> bool:
        """Whether values are the stored numbers, without a unit."""
        return self.table is None and (self.slope, self.intercept, self.unit) == (1.0, 0.0, "")

    def apply(self, stored: SampleArray) -> FloatArray:
        """``stored`` as float32 values in ``unit``; computed in double precision."""
        if self.table is not None:
            index = stored.astype(np.int64) - self.first
            inside = np.clip(index, 0, len(self.table) - 1)
            values = self.table[inside].astype(np.float32)
            if self.bounded:
                values[index != inside] = np.nan
            return values
        if (self.slope, self.intercept) == (1.0, 0.0):
            return stored.astype(np.float32)
        return (stored * np.float64(self.slope) + np.float64(self.intercept)).astype(np.float32)


def is_slope_usable(tags: ImageTags) -> bool:
    """False for a slope of 0, which makes all values alike, and of PET also for one below it."""
    slope = number(tags, "RescaleSlope")
    return slope is None or slope > 0 or (slope < 0 and modality_of(tags) != "PT")


def unit_of(tags: ImageTags) -> str:
    """The unit of the values of one image."""
    return scaling_of(tags).unit if isinstance(tags, DatasetTags) else rescaled_unit(tags)


def is_turned_round(tags: ImageTags) -> bool:
    """Whether low values are to be shown bright, and have no unit that forbids to turn them."""
    return tags.text("PhotometricInterpretation") == "MONOCHROME1" and not unit_of(tags)


def scaling_of(tags: DatasetTags) -> Scaling:
    """How the numbers of one image become values."""
    return _mapped(tags) or _rescaled(tags)


def _mapped(tags: DatasetTags) -> Scaling | None:
    """By a real-world value map; None where there is none, or none that counts."""
    has_units = modality_of(tags) == "PT" and tags.text("Units").strip() != ""
    maps = tags.get("RealWorldValueMappingSequence")
    return None if not maps or has_units else _real_world(list(maps))


def _rescaled(tags: DatasetTags) -> Scaling:
    unit = rescaled_unit(tags)
    table = tags.get("ModalityLUTSequence")
    if table:
        little = tags.dataset.original_encoding[1] is not False
        return _tabulated(table[0], "<" if little else ">", unit)
    slope, intercept = number(tags, "RescaleSlope"), number(tags, "RescaleIntercept")
    return Scaling(1.0 if slope is None else slope, intercept or 0.0, unit)


def _tabulated(item: Dataset, order: str, unit: str) -> Scaling:
    """A modality lookup table (PS3.3, C.11.1)."""
    count, first, _ = (int(value) for value in item.LUTDescriptor)
    values: Any = item.LUTData
    if isinstance(values, bytes):
        values = np.frombuffer(values, f"{order}u2")
    table = np.asarray(values, np.float64)[: count or 2**16]
    kind = str(item.get("ModalityLUTType", ""))
    return Scaling(unit="HU" if kind == "HU" else unit, table=table, first=first)


def _real_world(maps: Sequence[Dataset]) -> Scaling | None:
    """The first map that can be used; None where each is for other numbers than the next."""
    ranges = {(_end(item, "First"), _end(item, "Last")) for item in maps}
    if len(ranges) > 1:
        return None
    for item in maps:
        code = item.get("MeasurementUnitsCodeSequence") or [Dataset()]
        name = str(code[0].get("CodeValue", ""))
        unit = UCUM_UNITS.get(name, name)
        slope, intercept = (
            _number(item, "RealWorldValueSlope"),
            _number(item, "RealWorldValueIntercept"),
        )
        if slope:
            return Scaling(slope, intercept or 0.0, unit)
        first = _number(item, "RealWorldValueFirstValueMapped")
        values = item.get("RealWorldValueLUTData")
        if values is not None and first is not None:
            table = np.atleast_1d(np.asarray(values, np.float64))
            if table.size and np.isfinite(table).all():
                return Scaling(unit=unit, table=table, first=int(first), bounded=True)
    return None


def _end(item: Dataset, which: str) -> float | None:
    """The first or last number that a real-world value map is for."""
    found = _number(item, f"DoubleFloatRealWorldValue{which}ValueMapped")
    return _number(item, f"RealWorldValue{which}ValueMapped") if found is None else found


def _number(item: Dataset, keyword: str) -> float | None:
    value: Any = item.get(keyword)
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if np.isfinite(found) else None


def header_window(tags: ImageTags) -> tuple[float, float] | None:
    """(low, high) that the header asks to be shown, in the unit of the values.

    None as well where values are turned round, or go by a table that the window is not stated for.
    """
    centres, widths = tags.numbers("WindowCenter"), tags.numbers("WindowWidth")
    if not centres or not widths or widths[0] <= 0 or is_turned_round(tags):
        return None
    centre, width = centres[0], widths[0]
    if width > 1 and tags.text("VOILUTFunction") not in ("LINEAR_EXACT", "SIGMOID"):
        # PS3.3, C.11.2.1.2.1: the lowest number that is not black, the highest not white.
        centre, width = centre - 0.5, width - 1
    return _in_unit((centre - width / 2, centre + width / 2), tags)


def _in_unit(window: tuple[float, float], tags: ImageTags) -> tuple[float, float] | None:
    """A window of rescaled numbers in the unit of the real-world value map, if one counts."""
    mapped = _mapped(tags) if isinstance(tags, DatasetTags) else None
    if mapped is None or not isinstance(tags, DatasetTags):
        return window
    rescaled = _rescaled(tags)
    if mapped.table is not None or rescaled.table is not None or rescaled.slope == 0:
        return None
    low, high = sorted(
        (end - rescaled.intercept) / rescaled.slope * mapped.slope + mapped.intercept
        for end in window
    )
    return low, high
