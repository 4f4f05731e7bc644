"""What is made of the study on show, as jobs of the compute process: exports and reports.

The engine is imported inside, so that the window starts without it.
"""

from __future__ import annotations

import contextlib
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.engine import LazyEngine
from app.fuse.results import Palettes
from app.fuse.slice_view import OpenVolumes
from app.fuse.studies import Frames, ListedSeries
from app.i18n.translate import tr, translate
from core.errors import InputError
from core.progress import Progress
from core.windows import Windows

if TYPE_CHECKING:
    from app.fuse.slice_view import Accepted
    from core.fusion.volume_fusion import SliceSettings
    from core.fusion.volume_targets import SourceFiles, WrittenVolume
    from core.geometry.planes import PlaneName
    from core.io.dicom_output import DicomChoices, DicomLayout, NoticePlace
    from core.pdf_document import ReportTable
    from core.regions import Annotation, MeasuredSources
    from core.study_report import ReportSlice
    from core.types import PairTransform, SeriesHeader


@dataclass(frozen=True)
class VolumeExportPlan:
    """What to write of the study on show, and where.

    Attributes:
        path: a new folder, a ``.dcm`` file or a ``.nii.gz`` file.
        layout: of DICOM; a folder is for a file for each slice.
        notice, keep_identity, replace_uids: as in :class:`core.io.dicom_output.DicomChoices`.
        parametric: also write A on the grid of B in its unit, see :attr:`map_path`.
    """

    path: Path
    _: KW_ONLY
    layout: DicomLayout = "multi"
    notice: NoticePlace = "auto"
    keep_identity: bool = False
    replace_uids: bool = False
    parametric: bool = False

    @property
    def map_path(self) -> Path:
        """The file of the parametric map, beside the fused slices."""
        return self.path.with_name(f"{self.path.name.split('.')[0]}_map.dcm")


@dataclass(frozen=True)
class ReportPlan:
    """A report on the study on show.

    Attributes:
        path: the PDF file.
        slices: that it shows, by plane and index; none for three of the plane on show.
        regions: whose figures it holds, with distances and angles.
        keep_identity: name the patient.
    """

    path: Path
    slices: tuple[tuple[PlaneName, int], ...] = ()
    _: KW_ONLY
    regions: tuple[Annotation, ...] = ()
    keep_identity: bool = False


@dataclass(frozen=True, eq=False)
class StudyWork:
    """A study as it is on show.

    Attributes:
        volumes: that are open.
        plane, index: of the slice on show.
        task, method: it is fused by.
        windows, palettes: A and B are shown in.
    """

    volumes: OpenVolumes
    plane: PlaneName
    index: int
    _: KW_ONLY
    task: str
    method: str
    windows: Windows
    palettes: Palettes | None

    @property
    def settings(self) -> SliceSettings:
        """How its slices are made and fused."""
        from core.fusion.volume_fusion import SliceSettings

        return SliceSettings(
            self.task,
            self.method,
            plane=self.plane,
            windows=self.windows,
            palettes=self.palettes or (None, None),
        )

    @property
    def sources(self) -> SourceFiles:
        """Its series and frames."""
        from core.fusion.volume_targets import SourceFiles

        return SourceFiles(*self.volumes.series, self.volumes.frames)


@dataclass(frozen=True, eq=False)
class StoredStudy:
    """A study as it was on show when its export was stopped; nothing of it is open.

    Attributes:
        keys: of the series of A and B.
        known: series that were found since, among them perhaps those two.
        sources: files and folders that they are looked for in otherwise.
        frames, accept, transform: they are opened with.
        plane, index, task, method, windows, palettes: as in :class:`StudyWork`.
    """

    keys: tuple[str, str]
    known: tuple[SeriesHeader, ...]
    sources: tuple[Path, ...]
    _: KW_ONLY
    frames: Frames
    accept: tuple[Accepted, ...]
    transform: PairTransform | None
    plane: PlaneName
    index: int
    task: str
    method: str
    windows: Windows
    palettes: Palettes | None

    def opened(self, progress: Progress) -> StudyWork:
        """The study with its volumes read and laid on each other as before.

        Raises:
            InputError: its series are not there, or cannot be read.
            Cancelled: by ``progress``.
        """
        from app.fuse.volume_tasks import opened_volumes

        a, b = _found_series(self, progress)
        pair = ListedSeries(a, b, transform=self.transform)
        volumes = opened_volumes(pair, pair.frames_within(self.frames), self.accept, {}, progress)
        return StudyWork(
            volumes,
            self.plane,
            self.index,
            task=self.task,
            method=self.method,
            windows=self.windows,
            palettes=self.palettes,
        )


def _found_series(study: StoredStudy, progress: Progress) -> tuple[SeriesHeader, SeriesHeader]:
    """A and B, by their keys: as they were found since, or in the files and folders they were in.

    Raises:
        InputError: they are not there.
        Cancelled: by ``progress``.
    """
    from core.io.volumes import list_series

    found = {one.key: one for one in study.known if one.files[0].exists()}
    if not all(key in found for key in study.keys) and study.sources:
        with contextlib.suppress(InputError):  # nothing there can be read
            listed = list_series(study.sources, progress).series
            found |= {one.key: one for one in listed}
    if not all(key in found for key in study.keys):
        raise InputError(
            tr("The series of this export"),
            tr("they are not where they were, or they have changed"),
            tr("Open the folder that they are in now, then go on."),
        )
    a, b = (found[key] for key in study.keys)
    return a, b


@dataclass(frozen=True)
class WrittenFiles:
    """Paths of what was written, and notes for a person."""

    paths: tuple[Path, ...]
    notes: tuple[str, ...] = ()


class _WithoutShare:
    """Progress whose stages are shown, and not how far they are: other work follows."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.check = progress.check

    def report(self, done: float, total: float, stage: str) -> None:
        """Report the stage alone."""
        self._progress.report(0, 0, stage)


class _InLanguage:
    """Progress whose stages are translated before a signal keeps only their text."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.check = progress.check

    def report(self, done: float, total: float, stage: str) -> None:
        """Report in the language of the window."""
        self._progress.report(done, total, translate(stage))


def write_study(
    work: StudyWork, plan: VolumeExportPlan, lazy: LazyEngine, progress: Progress
) -> WrittenFiles:
    """Fuse the slices of the plane on show, that one first, and write all of them.

    What is fused when it is cancelled stays beside the result, for the next run of the same;
    :func:`discard_part` removes it.

    Raises:
        FusionError: any step failed; no partial file is left.
        Cancelled: by ``progress``.
    """
    from core.fusion.volume_targets import fuse_volume, volume_target
    from core.io.dicom_output import DicomChoices, check_map_target

    choices = DicomChoices(
        layout=plan.layout,
        notice=plan.notice,
        keep_identity=plan.keep_identity,
        replace_uids=plan.replace_uids,
    )
    target = volume_target(plan.path, work.sources, choices)
    if target is None:
        raise ValueError(plan.path)
    pair, told = work.volumes.pair, _InLanguage(progress)
    if plan.parametric:
        check_map_target(plan.map_path, work.sources.files)
    engine = lazy.get(progress)
    written: WrittenVolume = fuse_volume(
        engine, pair, work.settings, target, told, first=work.index, keeps_cancelled=True
    )
    paths, notes = [written.path], list(written.notes)
    if plan.parametric:
        notes += _write_map(work, plan, choices, told)
        paths.append(plan.map_path)
    return WrittenFiles(tuple(paths), tuple(dict.fromkeys(notes)))


def resume_study(
    study: StoredStudy, plan: VolumeExportPlan, lazy: LazyEngine, progress: Progress
) -> WrittenFiles:
    """Open a study again, and go on with its export as :func:`write_study` does.

    Raises:
        FusionError: its series are not there, or any later step failed.
        Cancelled: by ``progress``.
    """
    told = _InLanguage(_WithoutShare(progress))
    return write_study(study.opened(told), plan, lazy, progress)


def _write_map(
    work: StudyWork, plan: VolumeExportPlan, choices: DicomChoices, progress: Progress
) -> tuple[str, ...]:
    from core.io.dicom_output import read_dicom_sources, write_parametric_map

    pair = work.volumes.pair
    moved = pair.transform is not None
    refers = read_dicom_sources(
        *work.volumes.series, work.volumes.frames, choices, registered=moved
    )
    axes = work.volumes.axes(work.plane)
    return write_parametric_map(plan.map_path, pair.a, axes, refers, progress)


def discard_part(path: Path, progress: Progress) -> None:
    """Remove the slices that an unfinished export of ``path`` left."""
    from core.fusion.slice_store import discard_store

    discard_store(path)


def has_part(path: Path, progress: Progress) -> bool:
    """Whether an unfinished export of ``path`` left slices."""
    from core.fusion.slice_store import store_beside

    return store_beside(path).is_dir()


def write_report(
    work: StudyWork, plan: ReportPlan, lazy: LazyEngine, progress: Progress
) -> WrittenFiles:
    """Fuse the slices of a report, and write it.

    Raises:
        FusionError: any step failed; no partial file is left.
        Cancelled: by ``progress``; nothing is left.
    """
    from core.fusion.slices import registration_notes
    from core.io.dicom_output import DicomChoices, read_dicom_sources
    from core.study_report import (
        StudyReport,
        check_report_target,
        fused_report_slices,
        regions_tables,
        typical_slices,
        write_study_report,
    )

    pair, told = work.volumes.pair, _InLanguage(progress)
    check_report_target(plan.path, work.sources.files)
    engine = lazy.get(progress)
    wanted = plan.slices or tuple((work.plane, index) for index in typical_slices(pair, work.plane))
    shown: list[ReportSlice] = []
    made, notes = dict[str, str](), dict[str, None]()
    for plane in dict.fromkeys(plane for plane, _ in wanted):
        indices = [index for one, index in wanted if one == plane]
        settings = replace(work.settings, plane=plane)
        slices, provenance, said = fused_report_slices(engine, pair, settings, indices, told)
        shown += slices
        made |= provenance
        notes |= dict.fromkeys(said)
    identity: dict[str, str] = {}
    if plan.keep_identity:
        choices = DicomChoices(keep_identity=True)
        named = read_dicom_sources(*work.volumes.series, work.volumes.frames, choices)
        identity = named.identity
    figures: tuple[ReportTable, ...] = ()
    if plan.regions:
        figures = regions_tables(plan.regions, measured_volumes(work.volumes), progress)
    native = (note for volume in work.volumes.native for note in volume.notes)
    report = StudyReport(
        series=work.volumes.series,
        frames=work.volumes.frames,
        pair=pair,
        settings=work.settings,
        provenance=made,
        slices=tuple(shown),
        figures=figures,
        notes=tuple(dict.fromkeys(map(str, (*native, *registration_notes(pair), *notes)))),
        identity=identity,
    )
    write_study_report(plan.path, report)
    return WrittenFiles((plan.path,))


def measured_volumes(volumes: OpenVolumes) -> MeasuredSources:
    """The sources on their native voxels, as regions are measured on them."""
    from core.regions import MeasuredSource, MeasuredSources

    a, b = (
        MeasuredSource(volume, suv)
        for volume, suv in zip(volumes.native, volumes.derivations, strict=True)
    )
    return MeasuredSources(a, b, transform=volumes.pair.transform)
