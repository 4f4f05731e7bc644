"""Regions and figures into files and onto the clipboard; in the compute process."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import cast

from app.fuse.slice_view import OpenVolumes
from app.regions.tasks import Asked, Measured, measured_sources
from app.regions.view_plane import spacing_of
from core.errors import OutputError
from core.messages import Message
from core.progress import Progress
from core.regions import (
    AngleMark,
    Annotation,
    DistanceLine,
    Region,
    RegionFigures,
    is_region,
    measure_regions,
)
from core.types import SeriesHeader, SourceSide

_Rows = tuple[tuple[str, ...], ...]

_OF_PICTURES = ("mean", "sd", "minimum", "maximum")


@dataclass(frozen=True)
class RegionsRequest:
    """What is on screen when a person asks for a file, without its pixels.

    Attributes:
        regions: all of the list, distances and angles too.
        series: A and B of volumes; None for pictures.
        frames: which volumes of the series they are.
        files: those of the sources, which are never written over.
        unit: of lengths, "mm" or "px".
        path: of the file; None for none.
        side: of a segmentation, the source whose voxels are written.
    """

    regions: tuple[Annotation, ...]
    _: KW_ONLY
    files: tuple[Path, ...]
    unit: str
    series: tuple[SeriesHeader, SeriesHeader] | None = None
    frames: tuple[int, int] = (0, 0)
    path: Path | None = None
    side: SourceSide = "a"

    @classmethod
    def of(cls, regions: tuple[Annotation, ...], subject: Measured) -> RegionsRequest:
        """Of regions on what is on screen."""
        if isinstance(subject, OpenVolumes):
            files = tuple(path for series in subject.series for path in series.files)
            return cls(
                regions, files=files, unit="mm", series=subject.series, frames=subject.frames
            )
        origins = (image.origin for image in (subject.a, subject.b))
        return cls(
            regions,
            files=tuple(origin for origin in origins if origin is not None),
            unit="px" if spacing_of(subject) is None else "mm",
        )

    @property
    def measured(self) -> list[Region]:
        """Those that hold voxels."""
        return [cast(Region, one) for one in self.regions if is_region(one)]


def figures_rows(request: RegionsRequest, asked: Asked, progress: Progress) -> _Rows:
    """The table of figures, its titles first; of pictures areas are in pixels.

    Raises:
        Cancelled: by ``progress``.
    """
    # Imported here: its package imports the codecs.
    from core.regions.files import figures_table

    found = measure_regions(request.measured, measured_sources(asked), progress)
    others = [one for one in request.regions if not is_region(one)]
    if request.series is not None:
        return figures_table(found, others)
    return _picture_table(found, others, request.unit)


def _picture_table(found: tuple[RegionFigures, ...], others: list[Annotation], unit: str) -> _Rows:
    from core.regions.files import shape_name

    titles = ("region", "shape", "source", "pixels", *_OF_PICTURES, f"length_{unit}", "angle_deg")
    rows = []
    for one in found:
        cells = [_cell(one.figures[name].value) for name in _OF_PICTURES]
        first = (one.region.name, shape_name(one.region), one.side.upper(), str(one.voxels))
        rows.append((*first, *cells, "", ""))
    for other in others:
        length = other.length if isinstance(other, DistanceLine) else None
        degrees = other.degrees if isinstance(other, AngleMark) else None
        empty = [""] * (2 + len(_OF_PICTURES))
        rows.append((other.name, shape_name(other), *empty, _cell(length), _cell(degrees)))
    return (titles, *rows)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def table_text(request: RegionsRequest, asked: Asked, progress: Progress) -> str:
    """The table with tabs between its columns, as spreadsheets paste it."""
    rows = figures_rows(request, asked, progress)
    return "\n".join("\t".join(cell.replace("\t", " ") for cell in row) for row in rows) + "\n"


def write_table(request: RegionsRequest, asked: Asked, progress: Progress) -> tuple[str, ...]:
    """Write the table as CSV; no notes.

    Raises:
        OutputError: it is one of the sources, or cannot be written.
        Cancelled: by ``progress``.
    """
    from core.io.atomic import atomic_write
    from core.io.csv_cells import csv_text
    from core.io.writer import check_target

    assert request.path is not None
    check_target(request.path, protect=request.files)
    rows = figures_rows(request, asked, progress)
    progress.check()
    atomic_write(request.path, csv_text(rows).encode())
    return ()


def write_segments(request: RegionsRequest, asked: Asked, progress: Progress) -> tuple[str, ...]:
    """Write the voxels of the regions on one source as DICOM SEG; returns notes.

    The file is de-identified as fused series are.

    Raises:
        InputError: the files of the source cannot be read.
        OutputError: no region has a voxel there, or the file cannot be written.
        Cancelled: by ``progress``.
    """
    from core.io.dicom_output import DicomChoices, check_segmentation_target, read_dicom_source
    from core.regions.files import write_regions_segmentation

    path, series = request.path, request.series
    assert path is not None
    if series is None:
        raise OutputError(
            Message("Cannot write {0}", path),
            Message("pictures make no DICOM SEG"),
            Message("Open a series, or write the figures or the regions."),
        )
    check_segmentation_target(path, request.files)
    place = "ab".index(request.side)
    refers = read_dicom_source(series[place], request.frames[place], DicomChoices())
    progress.check()
    sources = measured_sources(asked)
    return write_regions_segmentation(path, request.measured, sources, request.side, refers)
