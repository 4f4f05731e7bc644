"""The export of a study on show as the session keeps it, and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, cast

from app.fuse.study_tasks import StoredStudy, StudyWork, VolumeExportPlan
from app.preferences.unfinished_export import UnfinishedExport

if TYPE_CHECKING:
    from app.fuse.results import Palettes
    from app.fuse.slice_view import Accepted
    from core.geometry.planes import PlaneName
    from core.io.dicom_output import DicomLayout, NoticePlace
    from core.types import SeriesHeader


def unfinished_export(plan: VolumeExportPlan, work: StudyWork) -> UnfinishedExport:
    """What has to be known to go on with an export in another run of the program."""
    volumes = work.volumes
    a, b = volumes.series
    frame_a, frame_b = volumes.frames
    palette_a, palette_b = work.palettes or (None, None)
    return UnfinishedExport(
        plan.path.parent.absolute(),
        plan.path.name,
        layout=plan.layout,
        notice=plan.notice,
        keep_identity=plan.keep_identity,
        replace_uids=plan.replace_uids,
        parametric=plan.parametric,
        a=a.key,
        b=b.key,
        sources=(_place_of(a), _place_of(b)),
        frame_a=frame_a,
        frame_b=frame_b,
        plane=work.plane,
        index=work.index,
        accept=volumes.accepted,
        transform=volumes.pair.transform,
        task=work.task,
        method=work.method,
        window_a=work.windows[0],
        window_b=work.windows[1],
        palette_a=palette_a,
        palette_b=palette_b,
    )


def _place_of(series: SeriesHeader) -> Path:
    """The one file of a series, or the folder that all of its files are in."""
    files = [path.absolute() for path in series.files]
    return files[0] if len(files) == 1 else Path(os.path.commonpath([one.parent for one in files]))


def plan_of(left: UnfinishedExport) -> VolumeExportPlan:
    """What was to be written.

    Args:
        left: with its folder found again.
    """
    assert left.path is not None
    return VolumeExportPlan(
        left.path,
        layout=cast("DicomLayout", left.layout),
        notice=cast("NoticePlace", left.notice),
        keep_identity=left.keep_identity,
        replace_uids=left.replace_uids,
        parametric=left.parametric,
    )


def stored_study(left: UnfinishedExport, known: tuple[SeriesHeader, ...]) -> StoredStudy:
    """The study that was on show.

    Args:
        left: with its sources found again, as far as they are there.
        known: series that were found since.
    """
    palettes = left.palette_a, left.palette_b
    return StoredStudy(
        (left.a, left.b),
        known,
        tuple(path for path in left.sources if isinstance(path, Path)),
        frames=(left.frame_a, left.frame_b),
        accept=cast("tuple[Accepted, ...]", left.accept),
        transform=left.transform,
        plane=cast("PlaneName", left.plane),
        index=left.index,
        task=left.task,
        method=left.method,
        windows=(left.window_a, left.window_b),
        palettes=None if palettes == (None, None) else cast("Palettes", palettes),
    )
