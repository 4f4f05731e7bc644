"""Writes a report on a study as PDF, on A4 in landscape."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PillowImage

from core.errors import Message, OutputError
from core.geometry.grids import grid_of
from core.geometry.planes import axes_of
from core.io.atomic import atomic_write
from core.io.writer import check_folder, check_target
from core.pdf_document import PdfDocument, Picture
from core.study_report.content import (
    ReportSlice,
    StudyReport,
    palettes_of,
    range_text,
    tables,
    windows_of,
)
from core.types import FloatArray

REPORT_SUFFIX = ".pdf"
_MOST = 1024
"""Pixels of the longest side of a picture."""
_QUALITY = 92
_SIDES = {"a": "A alone: B has no data here", "b": "B alone: A has no data here"}


def check_report_target(path: Path, protect: Sequence[Path] = ()) -> None:
    """Refuse a file that cannot be written as a report.

    Raises:
        OutputError: it is no ``.pdf`` file, it is one of ``protect``, or its folder is missing.
    """
    what = Message("Cannot write {0}", path)
    if path.suffix.lower() != REPORT_SUFFIX:
        raise OutputError(
            what, Message("a report is a PDF file"), Message("Give it the suffix .pdf.")
        )
    check_target(path, protect=protect)
    check_folder(path)


def write_study_report(path: Path, report: StudyReport) -> None:
    """Write a report atomically. The same content gives the same file.

    Raises:
        OutputError: see :func:`check_report_target`, or the disk is full.
    """
    check_report_target(path, [file for series in report.series for file in series.files])
    document = PdfDocument(report.title, footer=report.notice)
    document.heading(report.title, "Title")
    document.sentence(report.notice, bold=True)
    if not report.identity:
        document.sentence("No name, ID or date of the patient is in this report.")
    for warning in (*report.warnings, *map(str, report.loss.warnings)):
        document.sentence(warning, bold=True)
    for number, one in enumerate(report.slices):
        _add_slice(document, report, one, "" if number else "Slices")
    for table in report.figures:
        document.table(table)
    for table in tables(report):
        document.table(table)
    if report.notes:
        document.heading("Notes")
    for note in report.notes:
        document.sentence(note)
    atomic_write(path, document.render())


def _add_slice(document: PdfDocument, report: StudyReport, one: ReportSlice, heading: str) -> None:
    axes = axes_of(grid_of(report.pair.b), one.plane)
    method = report.provenance.get("method", "")
    fused = f"Fused by {method}" if one.shows == "fused" else _SIDES[one.shows]
    document.pictures(
        [
            *(
                Picture(jpeg(pixels, one.spacing), _caption(report, side))
                for side, pixels in enumerate((one.a, one.b))
            ),
            Picture(
                jpeg(one.fused, one.spacing),
                f"{fused}. {report.notice}",
                warning=" ".join(map(str, one.lost.warnings)),
            ),
        ],
        title=f"Slice {one.index + 1} of {axes.shape[0]}, {one.plane}",
        detail=f"at {axes.offset_of(one.index):.1f} mm; right: {axes.letters[1]}",
        heading=heading,
        in_a_row=3,
    )


def _caption(report: StudyReport, side: int) -> str:
    volume = report.volumes[side]
    shown = f"{range_text(windows_of(report)[side])} {volume.unit}".strip()
    return f"{'AB'[side]}: {report.series[side].modality}, {shown}, {palettes_of(report)[side]}"


def jpeg(pixels: FloatArray, spacing: tuple[float, float]) -> bytes:
    """A picture with square pixels as a JPEG file.

    Args:
        pixels: H×W×1 or 3 in [0, 1].
        spacing: millimetres from row to row and from column to column.
    """
    height, width = pixels.shape[:2]
    finest = min(spacing)
    wanted = width * spacing[1] / finest, height * spacing[0] / finest
    scale = min(1.0, _MOST / max(wanted))
    size = max(1, round(scale * wanted[0])), max(1, round(scale * wanted[1]))
    levels = np.floor(np.clip(pixels, 0, 1).astype(np.float64) * 255 + 0.5).astype(np.uint8)
    if size != (width, height):
        shrinks = size[0] <= width and size[1] <= height
        way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        resized = np.asarray(cv2.resize(levels, size, interpolation=way), np.uint8)
        levels = resized.reshape(size[1], size[0], -1)
    stream = io.BytesIO()
    image = PillowImage.fromarray(levels if levels.shape[2] == 3 else levels[..., 0])
    image.save(stream, "JPEG", quality=_QUALITY, subsampling=0)
    return stream.getvalue()
