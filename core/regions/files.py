"""Regions in a file, figures as a table, masks as a segmentation."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from core.errors import InputError, Message, RegionError
from core.geometry.grids import grid_of
from core.io.atomic import atomic_write
from core.io.csv_cells import csv_text
from core.io.dicom_output import DicomSources, MaskSegment, write_segmentation
from core.io.readers.decoding import file_error
from core.io.writer import check_target
from core.regions.data import regions_data, regions_from_data
from core.regions.figures import FIGURES, RegionFigures
from core.regions.marks import AngleMark, DistanceLine
from core.regions.parts import PatientPoint
from core.regions.shapes import (
    Annotation,
    EllipseRegion,
    PolygonRegion,
    RectangleRegion,
    Region,
    SphereRegion,
    ThresholdRegion,
)
from core.regions.sources import MeasuredSources, find_voxels
from core.types import SourceSide

_MOST_BYTES = 32 << 20
_COLUMNS = ("region", "shape", "source", "modality", "series", "unit", "voxels")
_SHAPES: dict[type, str] = {
    EllipseRegion: "ellipse",
    RectangleRegion: "rectangle",
    PolygonRegion: "polygon",
    SphereRegion: "sphere",
    DistanceLine: "distance",
    AngleMark: "angle",
}
_CHOOSE = Message("Choose a file of regions that this program wrote.")


def read_regions(path: str | Path) -> tuple[Annotation, ...]:
    """The regions, distances and angles in a file.

    Raises:
        InputError: it cannot be read, is too new, or holds none; RegionError for impossible ones.
    """
    path = Path(path)
    try:
        if path.is_dir() or path.stat().st_size > _MOST_BYTES:
            raise InputError(str(path), Message("it holds no regions"), _CHOOSE)
        return regions_from_data(json.loads(path.read_text(encoding="utf-8-sig")))
    except OSError as error:
        raise file_error(path, error) from error
    except RegionError as error:
        raise RegionError(str(path), error.why, _CHOOSE) from error
    except InputError as error:
        raise InputError(str(path), error.why, error.remedy) from error
    except (ValueError, OverflowError, RecursionError) as error:
        raise InputError(str(path), Message("it holds no regions"), _CHOOSE) from error


def write_regions(
    path: str | Path, regions: Sequence[Annotation], protect: Sequence[Path] = ()
) -> None:
    """Write regions into a file, which :func:`read_regions` reads.

    Raises:
        OutputError: it is one of ``protect``, or cannot be written.
    """
    check_target(Path(path), protect=protect)
    text = json.dumps(regions_data(regions), indent=1, ensure_ascii=False)
    atomic_write(path, (text + "\n").encode())


def figures_table(
    found: Iterable[RegionFigures], others: Iterable[Annotation] = ()
) -> tuple[tuple[str, ...], ...]:
    """Rows for a table or a CSV file, the titles first.

    One row for each region and source, then one for each distance and angle of ``others``. A figure
    without a value is an empty cell; the last column says why. Places are patient mm of the source.
    Nothing names the patient.
    """
    found = list(found)
    titles = (*_COLUMNS, *(_title(name) for name in FIGURES))
    titles += tuple(f"{name}_{axis}" for name in ("maximum", "peak") for axis in "xyz")
    titles += ("length_mm", "angle_deg", "suv_factor", "suv_from", "notes")
    rows = [_row(one) for one in found]
    rows += [_line_row(one, len(titles)) for one in others]
    return (titles, *rows)


def write_figures(
    path: str | Path,
    found: Iterable[RegionFigures],
    others: Iterable[Annotation] = (),
    protect: Sequence[Path] = (),
) -> None:
    """Write :func:`figures_table` as CSV.

    Raises:
        OutputError: it is one of ``protect``, or cannot be written.
    """
    check_target(Path(path), protect=protect)
    atomic_write(path, csv_text(figures_table(found, others)).encode())


def write_regions_segmentation(
    path: Path,
    regions: Sequence[Region],
    sources: MeasuredSources,
    side: SourceSide,
    refers: DicomSources,
) -> tuple[str, ...]:
    """Write the voxels of regions on the grid of a source as DICOM SEG; returns notes.

    Args:
        path: of the file, ``.dcm``.
        regions: what is written, a segment each; what has no voxel there is left out, and said.
        sources: as they were measured.
        side: the source.
        refers: its images (:func:`core.io.dicom_output.read_dicom_source`).

    Raises:
        OutputError: see :func:`core.io.dicom_output.write_segmentation`.
    """
    segments, left = [], []
    for region in regions:
        try:
            mask = find_voxels(region, sources, side).mask
        except RegionError as error:
            left.append(Message("“{0}” is not in the segmentation: {1}.", region.name, error.why))
            continue
        rule = str(region.threshold) if isinstance(region, ThresholdRegion) else ""
        segments.append(MaskSegment(region.name, mask.start, mask.voxels, rule))
    grid = grid_of(sources.source(side).volume)
    return (*left, *write_segmentation(path, segments, grid, refers))


def _title(name: str) -> str:
    return {"volume": "volume_ml", "mtv": "mtv_ml", "tlg": "tlg"}.get(name, name)


def _row(one: RegionFigures) -> tuple[str, ...]:
    cells = [
        one.region.name, shape_name(one.region), one.side.upper(), one.modality, one.title,
        one.unit, str(one.voxels),
    ]  # fmt: skip
    cells += [_number(figure.value) for figure in one.figures.values()]
    cells += [*_place(one.maximum_at), *_place(one.peak_at), "", ""]
    factor = None if one.suv is None else one.suv.factor
    return (*cells, _number(factor), "; ".join(_derivation(one)), " ".join(_remarks(one)))


def _line_row(one: Annotation, count: int) -> tuple[str, ...]:
    length = one.length if isinstance(one, DistanceLine) else None
    degrees = one.degrees if isinstance(one, AngleMark) else None
    first = (one.name, shape_name(one))
    last = (_number(length), _number(degrees), "", "", "")
    return (*first, *[""] * (count - len(first) - len(last)), *last)


def shape_name(one: Annotation) -> str:
    """The word for its shape in tables: “sphere”, “≥ 41 % of maximum”, …"""
    if isinstance(one, ThresholdRegion):
        return str(one.threshold)
    return _SHAPES[type(one)]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _place(point: PatientPoint | None) -> tuple[str, str, str]:
    if point is None:
        return "", "", ""
    x, y, z = (f"{value:.2f}" for value in point)
    return x, y, z


def _derivation(one: RegionFigures) -> Iterator[str]:
    """How SUV came about: tags and values; or what stood in the way."""
    if one.suv is None:
        return
    for used in one.suv.used:
        yield f"{used.tag} {used.value}"
    if one.suv.reference:
        yield f"decayed to {one.suv.reference} ({one.suv.reference_tag})"
    for problem in one.suv.problems:
        yield f"no SUV: {problem.message}"


def _remarks(one: RegionFigures) -> Iterator[str]:
    yield from map(str, one.notes)
    if one.problem is not None:
        yield f"Not measured: {one.problem.why}."
        return
    reasons: dict[str, list[str]] = {}
    for name, figure in one.figures.items():
        if figure.value is None and name != "threshold":
            reasons.setdefault(str(figure.reason), []).append(name)
    for reason, names in reasons.items():
        yield f"No {', '.join(names)}: {reason}."
