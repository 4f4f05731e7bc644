"""Figures of regions as a table of a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from core.pdf_document import ReportCell, ReportTable
from core.progress import Progress
from core.regions import (
    FIGURE_NAMES,
    FIGURES,
    AngleMark,
    Annotation,
    DistanceLine,
    Figure,
    MeasuredSources,
    Region,
    RegionFigures,
    is_region,
    measure_regions,
)
from core.regions.files import shape_name

_HEADS = ("Region", "Shape", "Source")
_INTRODUCTION = (
    "Measured on the voxels of each source as they were read, never on the fused pictures, which "
    "have no unit."
)


def regions_tables(
    annotations: Sequence[Annotation], sources: MeasuredSources, progress: Progress | None = None
) -> tuple[ReportTable, ...]:
    """Figures of all regions on both sources, and lengths and angles; () for none.

    Raises:
        Cancelled: by ``progress``.
    """
    regions = [cast(Region, one) for one in annotations if is_region(one)]
    found = measure_regions(regions, sources, progress)
    return (*_figures(found), *_lines(annotations))


def _figures(found: Sequence[RegionFigures]) -> Iterator[ReportTable]:
    if not found:
        return
    columns = tuple(map(ReportCell, (*_HEADS, *(str(FIGURE_NAMES[name]) for name in FIGURES))))
    rows = tuple(
        (
            ReportCell(one.region.name),
            ReportCell(shape_name(one.region)),
            ReportCell(f"{one.side.upper()} ({one.modality})"),
            *(_cell(figure) for figure in one.figures.values()),
        )
        for one in found
    )
    yield ReportTable(
        "Regions",
        columns,
        rows,
        introduction=(_INTRODUCTION,),
        notes=tuple(dict.fromkeys(_notes(found))),
        words=len(_HEADS),
    )


def _cell(figure: Figure) -> ReportCell:
    if figure.value is None:
        return ReportCell("–")
    return ReportCell(f"{figure.value:.4g} {figure.unit}".strip(), figure.value)


def _notes(found: Sequence[RegionFigures]) -> Iterator[str]:
    for one in found:
        name = f"{one.region.name}, {one.side.upper()}"
        if one.problem is not None:
            yield f"{name}: {one.problem.message}"
            continue
        yield from (f"{name}: {note}" for note in one.notes)


def _lines(annotations: Sequence[Annotation]) -> Iterator[ReportTable]:
    rows = []
    for one in annotations:
        if isinstance(one, DistanceLine):
            rows.append((one.name, f"{one.length:.1f} mm"))
        elif isinstance(one, AngleMark):
            rows.append((one.name, f"{one.degrees:.1f}°"))
    if rows:
        cells = tuple(tuple(map(ReportCell, row)) for row in rows)
        heads = ReportCell("Name"), ReportCell("Value")
        yield ReportTable("Distances and angles", heads, cells, words=2)
