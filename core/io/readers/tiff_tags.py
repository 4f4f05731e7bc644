"""Tags of a TIFF file about its values: range, “no data”, scale and unit."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as Xml
from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt

from core.io.nodata import declared
from core.io.values import Range
from core.types import BoolArray

_MIN_SAMPLE, _MAX_SAMPLE, _SMIN_SAMPLE, _SMAX_SAMPLE = 280, 281, 340, 341
_GDAL_METADATA, _GDAL_NODATA = 42112, 42113
_IMAGEJ = re.compile(r"^(min|max)=(\S+)\s*$", re.MULTILINE)
_LONGEST_XML = 1 << 16
_UNITS = {
    **dict.fromkeys(("c", "degc", "celsius", "degreecelsius", "degreescelsius"), "°C"),
    **dict.fromkeys(("k", "kelvin"), "K"),
}


def missing(page: Any, samples: npt.NDArray[Any]) -> BoolArray | None:
    """H×W mask from the tag GDAL_NODATA; None without it."""
    text = page.tags.valueof(_GDAL_NODATA)
    return declared(samples, text) if isinstance(text, str) else None


def stated_ranges(page: Any) -> tuple[Range, ...]:
    """Ranges of the stored values that the file declares, the display range first."""
    description = page.description if isinstance(page.description, str) else ""
    imagej = dict(_IMAGEJ.findall(description)) if description.startswith("ImageJ=") else {}
    statistics = _items(page)
    pairs = (
        (imagej.get("min"), imagej.get("max")),
        (page.tags.valueof(_SMIN_SAMPLE), page.tags.valueof(_SMAX_SAMPLE)),
        (page.tags.valueof(_MIN_SAMPLE), page.tags.valueof(_MAX_SAMPLE)),
        (statistics.get("STATISTICS_MINIMUM"), statistics.get("STATISTICS_MAXIMUM")),
    )
    found = ((_number(low), _number(high)) for low, high in pairs)
    return tuple((low, high) for low, high in found if low is not None and high is not None)


def scale_of(page: Any) -> tuple[tuple[float, float], str]:
    """(factor, offset) and unit from GDAL's metadata of the only band; default (1, 0) and ""."""
    items = _items(page)
    factor, offset = _number(items.get("scale", "1")), _number(items.get("offset", "0"))
    if page.samplesperpixel != 1 or factor is None or offset is None or factor <= 0:
        return (1.0, 0.0), ""
    unit = items.get("unittype", "").strip()
    known = _UNITS.get(re.sub("[^a-z]", "", unit.lower()))
    return (factor, offset), known or unit[:16]


def _items(page: Any) -> dict[str, str]:
    """Items of the first band (or of the whole file) in GDAL's metadata, by role or name."""
    text = page.tags.valueof(_GDAL_METADATA)
    if not isinstance(text, str) or len(text) > _LONGEST_XML or "<!" in text:
        return {}  # document types are refused: they could define endlessly nested entities
    found: dict[str, str] = {}
    with suppress(Xml.ParseError):
        for item in Xml.fromstring(text.strip("\0 \r\n")).iter("Item"):
            if item.get("sample", "0") == "0" and item.text:
                found.setdefault(item.get("role") or item.get("name") or "", item.text)
    return found


def _number(value: Any) -> float | None:
    """A finite number from a tag; None if it has several different ones."""
    if isinstance(value, (tuple, list, np.ndarray)):
        if len(set(value)) != 1:
            return None
        value = value[0]
    with suppress(TypeError, ValueError):
        number = float(value)
        return number if math.isfinite(number) else None
    return None
