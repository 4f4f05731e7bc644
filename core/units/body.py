"""What SUV divides by besides body weight: lean mass, ideal weight, surface."""

from __future__ import annotations

from typing import Literal

from core.messages import Message
from core.units.headers import SeriesHeaders, number_of, tag_label, text

SuvKind = Literal["bw", "lbm", "bsa", "ibw"]
"""By body weight, lean body mass, body surface area, ideal body weight."""

_FORMULAS: dict[SuvKind, Message] = {
    "lbm": Message("Lean body mass by the formula of Janmahasatian"),
    "bsa": Message("Body surface by the formula of DuBois"),
    "ibw": Message("Ideal body weight by the formula of Sugawara"),
}
_WEIGHTS = (0.5, 400.0)
_ADULT_WEIGHT, _ADULT_YEARS = 20.0, 16
_SIZES = (0.3, 2.6)
_BODY_MASS_INDEX = (7.0, 100.0)


def body_weight(series: SeriesHeaders) -> float | None:
    """PatientWeight in kg; None, and a problem, where it is missing or cannot be one in kg."""
    weight = series.positive("PatientWeight")
    if weight is None:
        return None
    tag = tag_label("PatientWeight")
    series.use(tag, f"{weight:g} kg")
    if not (_WEIGHTS[0] <= weight <= _WEIGHTS[1]) or not _fits_age(series, weight):
        series.contradicts(tag, Message("{0} of {1:g} kg is implausible", tag, weight))
        return None
    size = number_of(text(series.headers[0], "PatientSize"))
    if _SIZES[0] <= size <= _SIZES[1]:
        index = weight / size**2
        if not _BODY_MASS_INDEX[0] <= index <= _BODY_MASS_INDEX[1]:
            series.contradicts(
                tag,
                Message(
                    "{0} of {1:g} kg does not go with {2} of {3:g} m",
                    tag,
                    weight,
                    tag_label("PatientSize"),
                    size,
                ),
            )
            return None
    return weight


def _fits_age(series: SeriesHeaders, weight: float) -> bool:
    age = text(series.headers[0], "PatientAge")
    grown = age.endswith("Y") and age[:-1].isdigit() and int(age[:-1]) >= _ADULT_YEARS
    return not grown or weight >= _ADULT_WEIGHT


def normaliser(series: SeriesHeaders, kind: SuvKind, weight: float) -> float | None:
    """What the activity per dose is multiplied by: grams, or cm² for ``bsa``.

    Returns None, and adds a problem, where size or sex is needed and missing or implausible.
    """
    if kind == "bw":
        return weight * 1000
    size = _size(series)
    series.notes.append(_FORMULAS[kind])
    if kind == "bsa":
        return None if size is None else body_surface(weight, size)
    sex = _sex(series)
    if size is None or sex is None:
        return None
    if kind == "lbm":
        return lean_mass(weight, size, sex) * 1000
    return ideal_weight(size, sex) * 1000


def _size(series: SeriesHeaders) -> float | None:
    size = series.positive("PatientSize")
    if size is None:
        return None
    tag = tag_label("PatientSize")
    series.use(tag, f"{size:g} m")
    if not _SIZES[0] <= size <= _SIZES[1]:
        series.contradicts(tag, Message("{0} of {1:g} m is implausible", tag, size))
        return None
    return size


def _sex(series: SeriesHeaders) -> Literal["M", "F"] | None:
    sex = series.common("PatientSex")
    if not sex:
        return None
    tag = tag_label("PatientSex")
    series.use(tag, sex)
    if sex == "M":
        return "M"
    if sex == "F":
        return "F"
    series.unsuitable(tag, Message("{0} is neither M nor F, and the formula knows no other", tag))
    return None


def lean_mass(weight: float, size: float, sex: Literal["M", "F"]) -> float:
    """Lean body mass in kg by Janmahasatian (2005), from kg and m.

    Not by James (1976), which other programs use: that one falls again for heavy people.
    """
    index = weight / size**2
    return 9270 * weight / (6680 + 216 * index if sex == "M" else 8780 + 244 * index)


def body_surface(weight: float, size: float) -> float:
    """Body surface in cm² by DuBois (1916), from kg and m."""
    return float(71.84 * weight**0.425 * (size * 100) ** 0.725)


def ideal_weight(size: float, sex: Literal["M", "F"]) -> float:
    """Ideal body weight in kg by the formula of Sugawara (1999), from m."""
    above = size * 100 - 152
    return 48.0 + 1.06 * above if sex == "M" else 45.5 + 0.91 * above
