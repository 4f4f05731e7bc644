"""Nuclides that are imaged by PET: half-lives and doses that people are given."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydicom.dataset import Dataset

from core.units.headers import items, text

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0
_MEGA = 1e6
_TOLERANCE = 0.02
"""Scanners' half-lives differ by less than this from each other (F-18: 6582 to 6600 s)."""
_BRIEF = 30 * _MINUTE
_BRIEF_DOSE = (20 * _MEGA, 20_000 * _MEGA)
_USUAL_DOSE = (1 * _MEGA, 3_000 * _MEGA)


@dataclass(frozen=True)
class Nuclide:
    """A positron emitter.

    Attributes:
        name: symbol and mass number, “F-18”.
        half_life: in seconds.
        dose: least and greatest activity in Bq that a person may have been given.
    """

    name: str
    half_life: float
    dose: tuple[float, float]


def _made(name: str, half_life: float, dose: tuple[float, float] | None = None) -> Nuclide:
    usual = _BRIEF_DOSE if half_life < _BRIEF else _USUAL_DOSE
    return Nuclide(name, half_life, dose or usual)


NUCLIDES: dict[str, Nuclide] = {
    nuclide.name: nuclide
    for nuclide in (
        _made("C-11", 20.36 * _MINUTE),
        _made("N-13", 9.965 * _MINUTE),
        _made("O-14", 70.62),
        _made("O-15", 122.24),
        _made("F-18", 109.77 * _MINUTE),
        _made("Na-22", 2.602 * 365.25 * _DAY),
        _made("K-38", 7.64 * _MINUTE),
        _made("Sc-43", 3.891 * _HOUR),
        _made("Sc-44", 4.01 * _HOUR),
        _made("Ti-45", 184.8 * _MINUTE),
        _made("Mn-51", 46.2 * _MINUTE),
        _made("Mn-52", 5.591 * _DAY),
        _made("Mn-52m", 21.1 * _MINUTE),
        _made("Fe-52", 8.275 * _HOUR),
        _made("Co-55", 17.53 * _HOUR),
        _made("Cu-60", 23.7 * _MINUTE),
        _made("Cu-61", 3.336 * _HOUR),
        _made("Cu-62", 9.67 * _MINUTE),
        _made("Cu-64", 12.701 * _HOUR),
        _made("Zn-62", 9.19 * _HOUR),
        _made("Ga-66", 9.49 * _HOUR),
        _made("Ga-68", 67.71 * _MINUTE),
        _made("Ge-68", 270.9 * _DAY),
        _made("As-70", 52.6 * _MINUTE),
        _made("As-72", 26.0 * _HOUR),
        _made("Se-73", 7.15 * _HOUR),
        _made("Br-75", 96.7 * _MINUTE),
        _made("Br-76", 16.2 * _HOUR),
        _made("Br-77", 57.04 * _HOUR),
        _made("Rb-82", 76.4),
        _made("Y-86", 14.74 * _HOUR),
        _made("Y-90", 64.05 * _HOUR, (50 * _MEGA, 40_000 * _MEGA)),
        _made("Zr-89", 78.41 * _HOUR),
        _made("Nb-90", 14.6 * _HOUR),
        _made("Tc-94m", 52.0 * _MINUTE),
        _made("I-120", 81.6 * _MINUTE),
        _made("I-124", 4.176 * _DAY),
        _made("Tb-152", 17.5 * _HOUR),
    )
}
"""By name. Published half-lives (DDEP and NUBASE), rounded."""

_CODES = {
    "40565003": "C-11",
    "C-105A1": "C-11",
    "40937006": "I-124",
    "C-114A5": "I-124",
    "21576001": "N-13",
    "C-107A1": "N-13",
    "424875009": "O-14",
    "C-1018C": "O-14",
    "126606": "Tb-152",
    "129504001": "O-15",
    "C-B1038": "O-15",
    "77004003": "F-18",
    "C-111A1": "F-18",
    "71633006": "Na-22",
    "C-155A1": "Na-22",
    "423764008": "K-38",
    "C-135A4": "K-38",
    "126605": "Sc-43",
    "126600": "Sc-44",
    "75696008": "Ti-45",
    "C-166A2": "Ti-45",
    "126601": "Mn-51",
    "69089000": "Fe-52",
    "C-130A1": "Fe-52",
    "37225000": "Mn-52",
    "C-149A1": "Mn-52",
    "126607": "Mn-52m",
    "425364008": "Cu-60",
    "C-127A4": "Cu-60",
    "71425003": "Cu-61",
    "C-127A1": "Cu-61",
    "422934004": "Cu-62",
    "C-127A5": "Cu-62",
    "65054007": "Zn-62",
    "C-141A1": "Zn-62",
    "3932008": "Cu-64",
    "C-127A2": "Cu-64",
    "79477007": "Ga-66",
    "C-131A1": "Ga-66",
    "35337001": "Ga-68",
    "C-131A3": "Ga-68",
    "53315004": "Ge-68",
    "C-128A2": "Ge-68",
    "126602": "As-70",
    "2705002": "As-72",
    "C-115A2": "As-72",
    "87437000": "Se-73",
    "C-116A2": "Se-73",
    "17910003": "Br-75",
    "C-113A1": "Br-75",
    "79523006": "Br-76",
    "C-113A2": "Br-76",
    "86521004": "Br-77",
    "C-113A3": "Br-77",
    "79197006": "Rb-82",
    "C-159A2": "Rb-82",
    "10738001": "Y-86",
    "C-162A3": "Y-86",
    "63360001": "Zr-89",
    "C-168A4": "Zr-89",
    "126603": "Nb-90",
    "14691008": "Y-90",
    "C-162A7": "Y-90",
    "424079002": "Tc-94m",
    "C-163AA": "Tc-94m",
}
"""Code values of DICOM PS3.16 CID 4020: SNOMED CT, the older SNOMED RT, and DCM."""

_ELEMENTS = {
    "carbon": "C",
    "nitrogen": "N",
    "oxygen": "O",
    "fluorine": "F",
    "fluor": "F",
    "potassium": "K",
    "scandium": "Sc",
    "copper": "Cu",
    "gallium": "Ga",
    "rubidium": "Rb",
    "yttrium": "Y",
    "zirconium": "Zr",
    "iodine": "I",
}
_SYMBOLS = {name.split("-")[0].lower(): name.split("-")[0] for name in NUCLIDES}
_MASS_FIRST = re.compile(r"(?<![\d.])(\d{2,3}m?)[\^\s-]*([a-z]+)")
_MASS_LAST = re.compile(r"(?<![a-z])([a-z]+)[\^\s-]*(\d{2,3}m?)(?![\d.])")


def named_nuclide(item: Dataset) -> Nuclide | None:
    """The nuclide that an item of the radiopharmaceutical sequence names; None when it does not.

    By code, by the meaning of the code (“^18^Fluorine”, “18F”), or by the name of the drug (FDG).
    """
    for code in items(item, "RadionuclideCodeSequence"):
        name = _CODES.get(text(code, "CodeValue")) or _spelt(text(code, "CodeMeaning"))
        if name:
            return NUCLIDES[name]
    drug = text(item, "Radiopharmaceutical")
    name = _spelt(drug) or ("F-18" if _is_fdg(drug) else "")
    return NUCLIDES[name] if name else None


def _is_fdg(drug: str) -> bool:
    plain = drug.lower()
    return bool(re.search(r"\bfdg\b|fluorodeoxyglucose|fludeoxyglucose", plain))


def _spelt(words: str) -> str:
    """The nuclide whose name a text holds, in either order; "" when there is none."""
    plain = words.lower()
    pairs = [(word, mass) for mass, word in _MASS_FIRST.findall(plain)]
    for word, mass in pairs + _MASS_LAST.findall(plain):
        symbol = _ELEMENTS.get(word) or _SYMBOLS.get(word, "")
        if f"{symbol}-{mass}" in NUCLIDES:
            return f"{symbol}-{mass}"
    return ""


def nuclides_of(half_life: float) -> list[Nuclide]:
    """Those with that half-life (in seconds), near enough: nearest first."""
    near = [one for one in NUCLIDES.values() if has_half_life(one, half_life)]
    return sorted(near, key=lambda one: abs(one.half_life - half_life))


def has_half_life(nuclide: Nuclide, half_life: float) -> bool:
    """Whether a half-life in seconds is that of the nuclide, to 2 %."""
    return abs(half_life - nuclide.half_life) <= _TOLERANCE * nuclide.half_life
