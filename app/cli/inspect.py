"""``unifusion inspect``: what series are in files and folders. No patient is named."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from app.cli.console import TerminalProgress, say, show
from core.errors import InputError
from core.io.volumes import SeriesListing, list_series, series_suv
from core.types import SeriesHeader
from core.units.suv import SuvDerivation


def inspect(paths: list[Path], *, as_json: bool) -> None:
    """Print what is in ``paths``.

    Raises:
        InputError: there is no series in them.
        Cancelled: by Ctrl-C.
    """
    with TerminalProgress() as progress:
        listing = list_series(paths, progress)
    told = described(listing)
    if as_json:
        show(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for series in told["series"]:
        for line in _lines(series):
            say(line)
    for reason, count in told["left_out"].items():
        say(f"left out: {count} × {reason}")


def described(listing: SeriesListing) -> dict[str, Any]:
    """``listing`` for JSON. Sizes and distances count (columns, rows, slices), as affines do."""
    counts = Counter(str(left.reason) for left in listing.left_out)
    return {"series": [_series(one) for one in listing.series], "left_out": dict(counts)}


def _series(series: SeriesHeader) -> dict[str, Any]:
    spacing, affine = series.spacing, series.affine
    return {
        "kind": series.kind,
        "title": str(series.title),
        "number": series.number,
        "modality": series.modality,
        "size": list(series.shape[::-1]),
        "spacing": None if spacing is None else [round(value, 6) for value in spacing[::-1]],
        "affine": None if affine is None else affine.tolist(),
        "frame_of_reference": series.frame_of_reference or None,
        "frames": series.frames,
        "files": len(series.files),
        "unit": series.unit,
        "window": None if series.window is None else list(series.window),
        "suv": _suv(series),
        "notes": [str(note) for note in series.notes],
        "problem": None if series.problem is None else str(series.problem.why),
        "key": series.key,
        "study": series.study,
        "patient": series.patient,
    }


def _suv(series: SeriesHeader) -> dict[str, Any]:
    """How values become SUV. The factor is one where all slices share it, else a list of theirs."""
    unknown: dict[str, Any] = {"factor": None, "time": None, "tags": {}, "missing": []}
    try:
        derived = series_suv(series)
    except InputError as error:
        return {**unknown, "problems": [str(error.why)]}
    if derived is None:
        return unknown
    return {
        "factor": _factor(derived),
        "kind": derived.kind,
        "time": derived.reference or None,
        "time_tag": derived.reference_tag or None,
        "tags": {used.tag: used.value for used in derived.used},
        "missing": list(derived.blamed),
        "problems": [str(problem.message) for problem in derived.problems],
        "notes": [str(note) for note in derived.notes],
    }


def _factor(derived: SuvDerivation) -> float | list[float] | None:
    if derived.factor is None or len(set(derived.multipliers)) == 1:
        return derived.factor
    return list(derived.multipliers)


def _lines(series: dict[str, Any]) -> list[str]:
    """What a person wants to know of one series."""
    name = f"{series['modality']} {series['title'] or 'without a name'}"
    size = "×".join(map(str, series["size"]))
    frames = f" × {series['frames']} volumes" if series["frames"] > 1 else ""
    spacing = series["spacing"]
    place = "place unknown" if spacing is None else "×".join(f"{v:.4g}" for v in spacing) + " mm"
    lines = [name, f"  {size}{frames}, {place}, {series['files']} files, {series['kind']}"]
    lines.append(f"  key: {series['key']}")
    if series["unit"]:
        lines.append(f"  unit: {series['unit']}")
    if series["window"]:
        lines.append("  window: {:g}…{:g}".format(*series["window"]))
    suv = series["suv"]
    if suv["factor"] is not None:
        at = f", decayed to {suv['time']} ({suv['time_tag']})" if suv["time"] else ""
        factors = suv["factor"] if isinstance(suv["factor"], list) else [suv["factor"]]
        shown = " to ".join(f"{factor:.6g}" for factor in sorted({min(factors), max(factors)}))
        lines.append(f"  SUV{suv['kind']} = value × {shown}{at}")
        lines += [f"    {tag}: {value}" for tag, value in suv["tags"].items()]
    lines += [f"  no SUV: {problem}" for problem in suv.get("problems", [])]
    lines += [f"  {note}" for note in series["notes"]]
    if series["problem"]:
        lines.append(f"  cannot be read as it is: {series['problem']}")
    return lines
