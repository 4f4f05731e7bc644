"""Standardized uptake values: by which factor the values of a PET series become SUV, or why not.

SUVbw = activity in Bq/mL × body weight in g / dose in Bq, decayed to the moment that the activity
was corrected to. The factor stands for all of that but the activity; values are taken after
RescaleSlope and RescaleIntercept.

==========================  ====================================================================
Units BQML, DecayCorrection  factor
==========================  ====================================================================
START                       weight / (dose × 2^(−time from injection to reference / half-life))
ADMIN                       weight / dose: the pixels were corrected to the injection
NONE, absent                none
==========================  ====================================================================

GML and CM2ML are SUV already (factor 1) of the kind that SUVType names. CNTS is nothing to
calculate with, except by the private factors of Philips, which count in no other unit. In all
cases CorrectedImage must name ATTN and DECY. Where a tag is missing, or contradicts another, or is
implausible, there is no SUV: values stay in their own unit and the tag is named.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from pydicom.dataset import Dataset

from core.messages import Message
from core.units.body import SuvKind, body_weight, normaliser
from core.units.headers import (
    HeaderProblem,
    HeaderValue,
    SeriesHeaders,
    number_of,
    private_label,
    private_text,
    tag_label,
    text,
    texts,
)
from core.units.injection import (
    Drug,
    half_life_of,
    injected_dose,
    injected_drug,
    injection_time,
    with_nuclide_of,
)
from core.units.moments import seconds_between, time_of_day
from core.units.reference_time import reference_time

SUV_UNITS: dict[SuvKind, str] = {
    "bw": "SUVbw",
    "lbm": "SUVlbm",
    "bsa": "SUVbsa",
    "ibw": "SUVibw",
}
"""What a volume's unit is called for each kind; SUVbsa is in cm²/mL, the others in g/mL."""

STORED_UNITS = {
    "BQML": "Bq/mL",
    "CNTS": "counts",
    "PROPCNTS": "proportional counts",
    "CPS": "counts/s",
    "PROPCPS": "proportional counts/s",
    "GML": "g/mL",
    "CM2ML": "cm²/mL",
    "CM2": "cm²",
    "STDDEV": "standard deviations",
    "PCNT": "%",
    "MLMING": "mL/min/g",
    "MLMINML": "mL/min/mL",
    "MGMINML": "mg/min/mL",
    "UMOLMINML": "µmol/min/mL",
    "UMOLML": "µmol/mL",
    "MLG": "mL/g",
    "MLML": "mL/mL",
    "1CM": "1/cm",
    "NONE": "",
}
"""What the codes of the tag Units mean."""

_SUV_TYPES: dict[str, SuvKind] = {
    "": "bw",
    "BW": "bw",
    "LBM": "lbm",
    "LBMJAMES128": "lbm",
    "LBMJANMA": "lbm",
    "BSA": "bsa",
    "IBW": "ibw",
}
_PHILIPS = "Philips PET Private Group"
_SUV_FACTOR = private_label(_PHILIPS, 0x7053, 0x00)
_ACTIVITY_FACTOR = private_label(_PHILIPS, 0x7053, 0x09)
_UNITS, _CORRECTED = tag_label("Units"), tag_label("CorrectedImage")
_DECAY, _SUV_TYPE = tag_label("DecayCorrection"), tag_label("SUVType")
_SLOPE = tag_label("RescaleSlope")
_AGREEING = 0.03
"""Share by which Philips' factor may differ from the one that weight, dose and times give."""


@dataclass(frozen=True, kw_only=True)
class SuvDerivation:
    """How the values of one PET series are to be understood, and what says so.

    Attributes:
        unit: of the values after ``multipliers``: “SUVbw” …, else “Bq/mL” or the stored unit; ""
            where the slices do not agree on one, or the slope to it is missing.
        kind: which SUV it is; None where it is none.
        multipliers: one for each header: rescaled values times it are in ``unit``.
        used: tags and values that went into it, in the order of use.
        problems: why there is no SUV; empty where there is one.
        notes: what was assumed, one sentence without a full stop each.
        injected: time of day of the injection, "" where it did not matter.
        reference: time of day that the dose was decayed to, "" where it was not.
        reference_tag: the tag that ``reference`` was taken from, "" where there is none.
        decay_minutes: from injection to reference; None where the dose was not decayed.
    """

    unit: str
    kind: SuvKind | None
    multipliers: tuple[float, ...]
    used: tuple[HeaderValue, ...] = ()
    problems: tuple[HeaderProblem, ...] = ()
    notes: tuple[str, ...] = ()
    injected: str = ""
    reference: str = ""
    reference_tag: str = ""
    decay_minutes: float | None = None

    @property
    def factor(self) -> float | None:
        """By which rescaled values become SUV, the same for all slices; None where there is none.

        Where Philips' factor differs from slice to slice it is that of the first slice.
        """
        return None if self.kind is None else self.multipliers[0]

    @property
    def blamed(self) -> tuple[str, ...]:
        """The tags that are missing or at fault, each once."""
        return tuple(dict.fromkeys(problem.tag for problem in self.problems))


@dataclass(frozen=True)
class _Decay:
    """Times of day, and the dose per Bq injected that is left."""

    left: float = 1.0
    injected: str = ""
    reference: str = ""
    reference_tag: str = ""
    minutes: float | None = None


def derive_suv(headers: Sequence[Dataset], kind: SuvKind = "bw") -> SuvDerivation:
    """The derivation for one PET series, or one time frame of it.

    Args:
        headers: of all slices, in the order of the slices. For multi-frame files those that
            :func:`core.units.frames.frame_headers` makes.
        kind: of SUV that is wished for. A series stored as SUV of another kind stays what it is.

    Raises:
        ValueError: there are no headers, or ``kind`` is unknown.
    """
    if kind not in get_args(SuvKind):
        raise ValueError(f"unknown kind of SUV {kind!r}")
    series = SeriesHeaders(headers)
    units = series.common("Units")
    if not units:
        return _without(series, "")
    series.use(_UNITS, units)
    if not _is_scaled(series):
        return _without(series, "")
    if units in {"GML", "CM2ML"}:
        return _stored_as_suv(series, units, kind)
    if units == "CNTS":
        return _philips(series, kind)
    if units != "BQML":
        _unsuitable_unit(series, units)
        return _without(series, STORED_UNITS.get(units, units))
    found = _calculated(series, kind) if _is_corrected(series) else None
    if found is None:
        return _without(series, "Bq/mL")
    factor, decay = found
    return _with(series, kind, (factor,) * len(series.headers), decay)


def _unsuitable_unit(series: SeriesHeaders, units: str) -> None:
    series.unsuitable(_UNITS, Message("{0} is {1}, which cannot become SUV", _UNITS, units))


def _is_scaled(series: SeriesHeaders) -> bool:
    """Whether the slope from stored numbers to units is known for each slice."""
    for header in series:
        if "FloatPixelData" in header or "DoubleFloatPixelData" in header:
            continue
        plain = text(header, "RescaleSlope")
        if not plain or number_of(plain) == 0:
            series.missing(_SLOPE, zero=bool(plain))
        elif not number_of(plain) > 0:
            series.contradicts(_SLOPE, Message("{0} is not a number above zero", _SLOPE))
    return not series.problems


def _with(
    series: SeriesHeaders, kind: SuvKind, multipliers: tuple[float, ...], decay: _Decay
) -> SuvDerivation:
    return SuvDerivation(
        unit=SUV_UNITS[kind],
        kind=kind,
        multipliers=multipliers,
        used=tuple(series.used),
        notes=tuple(series.notes),
        injected=decay.injected,
        reference=decay.reference,
        reference_tag=decay.reference_tag,
        decay_minutes=decay.minutes,
    )


def _without(
    series: SeriesHeaders, unit: str, multipliers: tuple[float, ...] = ()
) -> SuvDerivation:
    return SuvDerivation(
        unit=unit,
        kind=None,
        multipliers=multipliers or (1.0,) * len(series.headers),
        used=tuple(series.used),
        problems=tuple(series.problems),
        notes=tuple(series.notes),
    )


def _is_corrected(series: SeriesHeaders, needed: bool = True) -> bool:
    """Whether all slices were corrected alike, for attenuation and decay among others."""
    found = {frozenset(texts(header, "CorrectedImage")) for header in series}
    if len(found) > 1:
        series.differs(_CORRECTED)
        return False
    (corrections,) = found
    if not corrections:
        if needed:
            series.missing(_CORRECTED)
        return not needed
    series.use(_CORRECTED, "\\".join(texts(series.headers[0], "CorrectedImage")))
    for correction in ("ATTN", "DECY"):
        if correction not in corrections:
            series.unsuitable(_CORRECTED, Message("{0} does not name {1}", _CORRECTED, correction))
    return {"ATTN", "DECY"} <= corrections


def _calculated(series: SeriesHeaders, kind: SuvKind) -> tuple[float, _Decay] | None:
    """Factor for values in Bq/mL; None, and a problem for each tag, where there is none."""
    correction = series.common("DecayCorrection")
    if correction:
        series.use(_DECAY, correction)
    if correction and correction not in {"START", "ADMIN"}:
        series.unsuitable(
            _DECAY,
            Message("{0} is {1}, so there is no time to decay the dose to", _DECAY, correction),
        )
    weight = body_weight(series)
    top = None if weight is None else normaliser(series, kind, weight)
    drug = injected_drug(series)
    if drug is None:
        return None
    half_life = half_life_of(series, drug) if correction != "ADMIN" else None
    dose = injected_dose(series, drug if half_life is None else with_nuclide_of(drug, half_life))
    decay = _Decay()
    if correction == "START":
        known = None if half_life is None else _decay(series, drug, half_life)
        decay = known or decay
    if series.problems or top is None or dose is None:
        return None
    return top / (dose * decay.left), decay


def _decay(series: SeriesHeaders, drug: Drug, half_life: float) -> _Decay | None:
    if series.problems:
        # The tags that are at fault already are named; times are not looked for to say more.
        return None
    reference = reference_time(series, half_life)
    if reference is None:
        return None
    injected = injection_time(series, drug.items, reference.at, half_life)
    if injected is None:
        return None
    elapsed = seconds_between(injected, reference.at)
    return _Decay(
        left=2 ** (-elapsed / half_life),
        injected=time_of_day(injected),
        reference=time_of_day(reference.at),
        reference_tag=reference.tag,
        minutes=elapsed / 60,
    )


def _stored_as_suv(series: SeriesHeaders, units: str, wished: SuvKind) -> SuvDerivation:
    """GML is SUV by weight unless SUVType names another, CM2ML is SUV by surface."""
    plain = series.common("SUVType", needed=False)
    own = _SUV_TYPES.get(plain)
    if units == "CM2ML" and plain in {"", "BSA"}:
        own = "bsa"
    if plain:
        series.use(_SUV_TYPE, plain)
    if own is None or (own == "bsa") != (units == "CM2ML"):
        series.contradicts(_SUV_TYPE, Message("{0} does not go with {1}", _SUV_TYPE, _UNITS))
    if not _is_corrected(series, needed=False) or own is None or series.problems:
        return _without(series, STORED_UNITS[units])
    if own != "bw":
        if plain.startswith("LBMJAMES"):
            series.notes.append(
                Message("Lean body mass by the formula of James, as the scanner calculated it")
            )
        return _with(series, own, (1.0,) * len(series.headers), _Decay())
    share = _share(series, wished)
    if share is None:
        return _without(series, STORED_UNITS[units])
    return _with(series, wished, (share,) * len(series.headers), _Decay())


def _share(series: SeriesHeaders, kind: SuvKind) -> float | None:
    """What SUV by body weight is multiplied by to be of another kind."""
    if kind == "bw":
        return 1.0
    weight = body_weight(series)
    top = None if weight is None else normaliser(series, kind, weight)
    return None if top is None or weight is None else top / (weight * 1000)


def _philips(series: SeriesHeaders, kind: SuvKind) -> SuvDerivation:
    """Counts, with Philips' factors to SUV (7053,1000) or to Bq/mL (7053,1009)."""
    suv, activity = _private(series, 0x00), _private(series, 0x09)
    unit = "counts" if activity is None else "Bq/mL"
    if suv is None and activity is None:
        if text(series.headers[0], "Manufacturer").upper().startswith("PHILIPS"):
            stated = private_text(series.headers[0], 0x7053, _PHILIPS, 0x00)
            series.missing(_SUV_FACTOR, zero=number_of(stated) == 0)
        else:
            _unsuitable_unit(series, "CNTS")
        return _without(series, unit)
    if not _is_corrected(series):
        return _without(series, unit, activity or ())
    if suv is None and activity is not None:
        found = _calculated(series, kind)
        if found is None:
            return _without(series, unit, activity)
        series.use(_ACTIVITY_FACTOR, f"{activity[0]:.10g}")
        return _with(series, kind, tuple(found[0] * one for one in activity), found[1])
    if suv is None or not _agrees(series, suv, activity):
        return _without(series, unit, activity or ())
    series.use(_SUV_FACTOR, f"{suv[0]:.10g}")
    share = _share(series, kind)
    if share is None:
        return _without(series, unit, activity or ())
    return _with(series, kind, tuple(one * share for one in suv), _Decay())


def _private(series: SeriesHeaders, element: int) -> tuple[float, ...] | None:
    """Philips' factor of each slice; None where one is absent or 0, which means not calculated."""
    found = [number_of(private_text(header, 0x7053, _PHILIPS, element)) for header in series]
    return tuple(found) if all(one > 0 and math.isfinite(one) for one in found) else None


def _agrees(
    series: SeriesHeaders, suv: tuple[float, ...], activity: tuple[float, ...] | None
) -> bool:
    """Whether both factors of Philips, and the header, give the same SUV as far as they can."""
    if activity is None:
        return True
    trial = SeriesHeaders(series.headers)
    found = _calculated(trial, "bw")
    if found is None:
        return True
    if all(
        abs(one / (found[0] * other) - 1) <= _AGREEING
        for one, other in zip(suv, activity, strict=True)
    ):
        return True
    series.contradicts(_SUV_FACTOR, Message("{0} contradicts {1}", _SUV_FACTOR, _ACTIVITY_FACTOR))
    return False
