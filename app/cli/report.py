"""``unifusion report``: slices of a study with both sources, settings and figures, as PDF."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from app.cli.console import TerminalProgress, note, say
from app.cli.fuse_options import FuseOptions, checked
from app.cli.volume_sources import align_chosen, alignment_notes, chosen_series
from core.errors import InputError
from core.fusion.engine import FusionEngine
from core.fusion.volume_fusion import SliceSettings
from core.io.dicom_output import read_dicom_sources
from core.io.volumes import series_suv
from core.pdf_document import ReportTable
from core.regions import MeasuredSource, MeasuredSources
from core.regions.files import read_regions
from core.study_report import (
    StudyReport,
    check_report_target,
    fused_report_slices,
    regions_tables,
    typical_slices,
    write_study_report,
)
from core.tasks import get_task
from core.units.palettes import PALETTES


def report_study(
    options: FuseOptions, slices: Sequence[int] | None, regions: Path | None = None
) -> None:
    """Read two volumes, fuse the slices of the report, and write it.

    Args:
        options: as for fusing.
        slices: to show, from 1; None for three of those that both sources show.
        regions: a file of regions whose figures it holds; None for none.

    Raises:
        FusionError: any step failed; no partial file is left.
        Cancelled: by Ctrl-C.
    """
    volumes = options.volumes
    if options.palette_a is not None:
        checked("--palette-a", options.palette_a, PALETTES)
    engine = FusionEngine(options.device, backbone=options.backbone)
    settings = SliceSettings(
        get_task(options.task).name,
        options.pack,
        plane=volumes.plane,
        windows=options.windows,
        palettes=(options.palette_a, None),
        tiles=options.tiles,
    )
    with TerminalProgress() as progress:
        check_report_target(options.out)
        annotations = () if regions is None else read_regions(regions)
        chosen = chosen_series(options, progress)
        check_report_target(options.out, chosen.files)
        frames = volumes.frame_a - 1, volumes.frame_b - 1
        pair, aligned, native_a = align_chosen(chosen, options, progress)
        identity: dict[str, str] = {}
        if volumes.dicom.keep_identity:
            named = read_dicom_sources(chosen.a, chosen.b, frames, volumes.dicom)
            identity = named.identity
        wanted = [number - 1 for number in slices or ()] or typical_slices(pair, volumes.plane)
        shown, made, fused_notes = fused_report_slices(engine, pair, settings, wanted, progress)
        figures: tuple[ReportTable, ...] = ()
        if annotations:
            suv = [
                series_suv(series, frame, volumes.suv)
                for series, frame in zip((chosen.a, chosen.b), frames, strict=True)
            ]
            measured = MeasuredSources(
                MeasuredSource(native_a, suv[0]),
                MeasuredSource(pair.b, suv[1]),
                transform=pair.transform,
                same_millimetres=volumes.not_registered,
            )
            figures = regions_tables(annotations, measured, progress)
        alignment = tuple(alignment_notes(chosen, pair))
        doubts = tuple(map(str, aligned.notes))
        notes = [*chosen.notes, *pair.a.notes, *pair.b.notes, *alignment, *fused_notes]
        write_study_report(
            options.out,
            StudyReport(
                series=(chosen.a, chosen.b),
                frames=frames,
                pair=pair,
                settings=settings,
                provenance=made,
                slices=shown,
                figures=figures,
                warnings=doubts,
                notes=tuple(dict.fromkeys(map(str, notes))),
                identity=identity,
            ),
        )
    for text in dict.fromkeys((*chosen.notes, *alignment, *doubts)):
        note(text)
    if not identity:
        note("Name, ID and dates of the patient are not in the report.")
    say(f"{options.out}: {len(shown)} {'slice' if len(shown) == 1 else 'slices'}")


def slice_numbers(text: str) -> list[int] | None:
    """The numbers in ``10,20,30-35``; None for "".

    Raises:
        InputError: it is no list of numbers.
    """
    if not text.strip():
        return None
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdigit() or (dash and not last.isdigit()):
            raise InputError(
                f"--slices {text}", "it is no list of numbers", "Write for instance 10,20,30-35."
            )
        found += range(int(first), int(last or first) + 1)
    if len(found) > _MOST:
        raise InputError(
            f"--slices {text}", f"a report shows at most {_MOST} slices", "Name fewer."
        )
    return list(dict.fromkeys(found))


_MOST = 200
