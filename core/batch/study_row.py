"""The steps of a row of two volumes: read and align, fuse slice by slice, write."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from math import isnan
from pathlib import Path

from core.alignment.aligning import Aligned, align_volumes
from core.batch.comparison_images import side_by_side_image, strip_jpeg
from core.batch.output_folder import make_below
from core.batch.plan import BatchPlan, BatchRow
from core.batch.row_record import FileStamp, result_size
from core.errors import Cancelled, Message, OutputError
from core.fusion.protocol import Engine
from core.fusion.slice_store import SliceStore, store_beside
from core.fusion.slices import VolumePair, align, lone_slice, registration_notes, slice_pair
from core.fusion.volume_fusion import SliceSettings, fuse_slices
from core.fusion.volume_output import slice_file, write_slice
from core.fusion.volume_retention import slice_retention, volume_retention
from core.fusion.volume_targets import (
    DicomFolder,
    NiftiVolume,
    SourceFiles,
    VolumeTarget,
    fill_store,
)
from core.geometry.alignment import Alignment
from core.geometry.planes import PlaneName
from core.io.atomic import atomic_folder, atomic_write
from core.io.dicom_output import read_dicom_sources
from core.io.volumes import load_study_volume
from core.io.writer import write_image
from core.metrics import MAIN_METRICS, evaluate, to_luma8
from core.missing_data import comparable
from core.pdf_document import ReportCell, ReportTable
from core.progress import NullProgress, Progress
from core.retention import RetentionTotals
from core.study_report import StudyReport, report_slice, typical_slices, write_study_report
from core.tasks import get_task
from core.types import FloatArray, SeriesHeader, SourcePair, Volume
from core.units.palettes import DEFAULT_PALETTES
from core.windows import window_text

PLANE: PlaneName = "axial"
_SLICE_NAME = re.compile(rf"{PLANE}_\d+\.png")


@dataclass(frozen=True, eq=False)
class FusedStudy:
    """What a row of two volumes gave; its slices are in a folder or in the store of the row.

    Attributes:
        notes: of all slices, each once.
        provenance: of the fused slices; only the notice where no slice has both sources.
        shown: fused pixels of the slices for previews and the report, by index.
        retention: what all slices lose, where that is reported.
    """

    notes: tuple[str, ...]
    provenance: dict[str, str]
    shown: dict[int, FloatArray]
    retention: RetentionTotals = field(default_factory=RetentionTotals)


class StudySteps:
    """The steps of one row; the scheduler takes them one after the other."""

    def __init__(self, row: BatchRow, plan: BatchPlan, *, tiles: bool = False) -> None:
        assert row.match.study is not None
        self._row, self._plan, self._options = row, plan, plan.options
        self._study, self._tiles = row.match.study, tiles
        self._store: SliceStore | None = None
        self._opened: ExitStack | None = None
        self.aligned = Aligned()

    def read(self, progress: Progress) -> tuple[VolumePair, tuple[FileStamp, FileStamp]]:
        """A on the grid of B, and B; with the stamps of their files.

        Raises:
            InputError: a series makes no volume, or both share no place.
            Cancelled: by ``progress``.
        """
        files_a, files_b = self._row.match.files
        stamps = FileStamp.of(*files_a, digest=True), FileStamp.of(*files_b, digest=True)
        a, b = (self._load(series, progress) for series in (self._study.a, self._study.b))
        options = self._options
        choice = self._plan.align_choice(self._row)
        self.aligned = align_volumes(choice, a, b, options.task, progress)
        return align(a, b, progress, transform=self.aligned.transform), stamps

    def _load(self, series: SeriesHeader, progress: Progress) -> Volume:
        options = self._options
        return load_study_volume(series, 0, options.suv, progress=progress, accept=options.accepted)

    @property
    def settings(self) -> SliceSettings:
        """How slices are made and fused."""
        options = self._options
        return SliceSettings(
            options.task,
            options.method,
            plane=PLANE,
            windows=options.windows,
            palettes=(options.palette_a, None),
            tiles=self._tiles,
        )

    def fuse(
        self, engine: Engine, pair: VolumePair, progress: Progress, beside_others: bool = False
    ) -> FusedStudy:
        """Fuse all slices, each on its own; ``beside_others`` is ignored: studies are large.

        Slices that a killed run of the row left are not fused again, but for those of folders of
        pictures.

        Raises:
            FusionError: as the engine raises it, or a slice cannot be written.
            Cancelled: by ``progress``, also within a slice.
        """
        self._check_free()
        make_below(self._options.out, self._target.parent)
        if self._options.slices:
            return self._fuse_into_pictures(engine, pair, progress)
        self._volume_target.check()
        with ExitStack() as stack:
            opened = SliceStore(store_beside(self._target), pair, self.settings)
            store = stack.enter_context(opened)
            fill_store(store, engine, pair, self.settings, progress)
            notes = store.notes
            retention = RetentionTotals()
            if self._options.tells_losses:
                retention = volume_retention(pair, self.settings, store, progress)
            shown = {index: store.slice_pixels(index) for index in self._previewed(pair)}
            self._store, self._opened = store, stack.pop_all()
        every = (*self._notes(pair), *notes, *retention.notes)
        return FusedStudy(every, store.provenance, shown, retention)

    def close(self) -> None:
        """Throw away what was fused, unless it has been written."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.__exit__(Cancelled, Cancelled(), None)

    def _previewed(self, pair: VolumePair) -> tuple[int, ...]:
        """The slices that are kept for previews and the report; the middle one is the first."""
        more = typical_slices(pair, PLANE) if self._plan.writes_report(self._row) else ()
        return tuple(dict.fromkeys((middle_slice(pair), *more)))

    def _fuse_into_pictures(
        self, engine: Engine, pair: VolumePair, progress: Progress
    ) -> FusedStudy:
        target = self._target
        _check_replaceable(target)
        notes: dict[str, None] = {}
        made: dict[str, str] = {}
        shown: dict[int, FloatArray] = {}
        retention = RetentionTotals()
        wanted, indices = self._previewed(pair), range(pair.slices(PLANE))
        slices = fuse_slices(engine, pair, self.settings, indices, progress)
        with closing(slices), atomic_folder(target) as folder:
            for one in slices:
                notes |= dict.fromkeys(write_slice(folder / slice_file(PLANE, one.index), one))
                made = made or ({} if one.result is None else dict(one.result.provenance))
                if one.index in wanted:
                    shown[one.index] = one.pixels
                if self._options.tells_losses:
                    retention += slice_retention(pair, self.settings, one)
            shown = {index: shown[index] for index in wanted}
            every = (*self._notes(pair), *notes, *retention.notes)
            result = FusedStudy(every, made, shown, retention)
            self._write_previews(pair, result)
        return result

    @property
    def _volume_target(self) -> VolumeTarget:
        sources = SourceFiles(self._study.a, self._study.b)
        if not self._options.dicom:
            return NiftiVolume(self._target, sources)
        replaces = self._plan.overwrites(self._row)
        return DicomFolder(self._target, sources, self._options.dicom_choices, replaces=replaces)

    @property
    def _target(self) -> Path:
        return self._options.out / self._row.target

    def _notes(self, pair: VolumePair) -> Iterator[str]:
        yield from dict.fromkeys((*pair.a.notes, *pair.b.notes))
        yield from (*registration_notes(pair), *self.aligned.notes)
        if pair.alignment is not Alignment.NOT_REGISTERED:
            return
        if self._study.a.frame_of_reference and self._study.b.frame_of_reference:
            yield Message("Not registered: A and B have different frames of reference.")
        else:
            yield Message(
                "Not registered: the files do not say whether A and B are in one frame of "
                "reference."
            )

    def made_by(self, result: FusedStudy) -> dict[str, str] | None:
        """The provenance of the slices, of which method and weights are checked."""
        return result.provenance if "method" in result.provenance else None

    def facts(self, pair: VolumePair) -> dict[str, str]:
        """What the result depends on besides the files, for the record: no name, no date."""
        windows = self.settings.windows
        found = {"slices": str(pair.slices(PLANE)), "alignment": pair.alignment.name.lower()}
        for side, volume, window in zip("ab", (pair.a, pair.b), windows, strict=True):
            found[f"modality_{side}"] = volume.modality
            found[f"unit_{side}"] = volume.unit
            found[f"window_{side}"] = window_text(window or volume.window)
            found[f"size_{side}"] = "×".join(map(str, reversed(volume.shape)))
        default = DEFAULT_PALETTES.get(pair.a.modality, "grey")
        found["palette_a"] = self._options.palette_a or default
        return found

    def write(
        self, pair: VolumePair, result: FusedStudy
    ) -> tuple[int, dict[str, float], tuple[str, ...]]:
        """Write all files of the row, the fused volume last.

        Metrics, strip and figure are those of the middle slice. Returns what
        :func:`core.batch.stages.write_row` does.

        Raises:
            OutputError: a file cannot be written.
        """
        notes, metrics = list(result.notes), dict[str, float]()
        if self._options.metrics:
            metrics = self._metrics(pair, result)
            notes.append(Message("The metrics are those of the middle slice."))
        losses = result.retention.figures if self._options.tells_losses else {}
        opened, self._opened = self._opened, None
        if opened is not None and self._store is not None:
            with opened:
                self._write_previews(pair, result, metrics)
                self._check_free()
                target = self._volume_target
                notes += target.write(self._store, pair, PLANE, NullProgress())
        return result_size(self._target), metrics | losses, tuple(dict.fromkeys(notes))

    def _metrics(self, pair: VolumePair, result: FusedStudy) -> dict[str, float]:
        index, fused = next(iter(result.shown.items()))
        sources = self._sources(pair, index)
        images = (sources.a.normalised(), sources.b.normalised(), fused)
        a, b, f = comparable(sources, *map(to_luma8, images))
        return evaluate(a, b, f, MAIN_METRICS)

    def _sources(self, pair: VolumePair, index: int) -> SourcePair:
        settings = self.settings
        return slice_pair(pair, PLANE, index, windows=settings.windows, palettes=settings.palettes)

    def _write_previews(
        self, pair: VolumePair, result: FusedStudy, metrics: Mapping[str, float] | None = None
    ) -> None:
        """Before the result, which says that the row is complete."""
        options, outputs = self._options, list(self._plan.outputs(self._row))
        if self._plan.writes_report(self._row):
            path = outputs.pop()
            make_below(options.out, path.parent)
            write_study_report(path, self._report(pair, result, metrics or {}))
        index, fused = next(iter(result.shown.items()))
        sources = self._sources(pair, index)
        if options.contact_sheet:
            path = options.out / self._plan.thumbnail(self._row)
            make_below(options.out, path.parent)
            a, b = (image.normalised() for image in (sources.a, sources.b))
            atomic_write(path, strip_jpeg(a, b, fused))
        if options.figures:
            figure = side_by_side_image(
                sources, fused, get_task(options.task), by_network=options.by_network
            )
            path = outputs[-1]
            make_below(options.out, path.parent)
            write_image(path, figure, bit_depth=8, overwrite=self._plan.overwrites(self._row))

    def _report(
        self, pair: VolumePair, result: FusedStudy, metrics: Mapping[str, float]
    ) -> StudyReport:
        series = self._study.a, self._study.b
        identity: dict[str, str] = {}
        if self._options.keep_identity:
            choices = self._options.dicom_choices
            identity = read_dicom_sources(*series, (0, 0), choices).identity
        doubts = list(self.aligned.notes) if _is_doubtful(pair, self.aligned) else []
        wanted = typical_slices(pair, PLANE)
        return StudyReport(
            series=series,
            pair=pair,
            settings=self.settings,
            provenance=result.provenance,
            slices=tuple(
                report_slice(pair, self.settings, index, result.shown[index]) for index in wanted
            ),
            count=pair.slices(PLANE),
            lost=result.retention,
            figures=tuple(_metrics_tables(metrics)),
            warnings=tuple(map(str, doubts)),
            notes=tuple(map(str, result.notes)),
            identity=identity,
        )

    def _check_free(self) -> None:
        if self._target.exists() and not self._plan.overwrites(self._row):
            raise _occupied(self._target, Message("there is a file of that name"))


def middle_slice(pair: VolumePair) -> int:
    """The slice nearest to the middle in which both sources have data; else the middle one."""
    count = pair.slices(PLANE)
    middle = count // 2
    for index in sorted(range(count), key=lambda index: abs(index - middle)):
        if lone_slice(pair, PLANE, index) is None:
            return index
    return middle


def _is_doubtful(pair: VolumePair, aligned: Aligned) -> bool:
    by = pair.transform
    return (by is not None and by.is_doubtful) or (by is None and aligned.registration is not None)


def _metrics_tables(metrics: Mapping[str, float]) -> Iterator[ReportTable]:
    if not metrics:
        return
    rows = tuple(
        (ReportCell(name), ReportCell("–" if isnan(value) else f"{value:.4f}", value))
        for name, value in metrics.items()
    )
    heads = ReportCell("Metric"), ReportCell("Middle slice")
    yield ReportTable("Metrics", heads, rows)


def _check_replaceable(target: Path) -> None:
    """Refuse to replace a folder that holds anything but slices."""
    if target.is_dir() and any(not _SLICE_NAME.fullmatch(p.name) for p in target.iterdir()):
        raise _occupied(target, Message("other files than slices are in it"))


def _occupied(target: Path, why: Message) -> OutputError:
    return OutputError(
        Message("Cannot write {0}", target),
        why,
        Message("Use another template or folder, or allow overwriting."),
    )
