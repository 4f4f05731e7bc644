"""The steps of a row of two volumes: read and align, fuse slice by slice, write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from core.alignment.aligning import Aligned, align_volumes
from core.batch.comparison_images import side_by_side_image, strip_jpeg
from core.batch.output_folder import make_below
from core.batch.plan import BatchPlan, BatchRow
from core.batch.row_record import FileStamp, result_size
from core.errors import InputError, Message, OutputError, SeriesError
from core.fusion.protocol import Engine
from core.fusion.slices import VolumePair, align, lone_slice, registration_notes, slice_pair
from core.fusion.volume_fusion import FusedSlice, SliceSettings, fuse_slices
from core.fusion.volume_output import CollectedVolume, collect, slice_file, write_slice
from core.geometry.alignment import Alignment
from core.geometry.grids import grid_of
from core.geometry.planes import PlaneName
from core.io.atomic import atomic_folder, atomic_write
from core.io.volumes import load_study_volume
from core.io.writer import write_image
from core.metrics import MAIN_METRICS, evaluate, to_luma8
from core.missing_data import comparable
from core.pairing.study_pairs import SeriesPair, label
from core.progress import Progress
from core.tasks import get_task
from core.types import FloatArray, FusionResult, SeriesHeader, SourcePair, Volume
from core.units.palettes import DEFAULT_PALETTES
from core.windows import window_text

PLANE: PlaneName = "axial"
_SLICE_NAME = re.compile(rf"{PLANE}_\d+\.png")


@dataclass(frozen=True, eq=False)
class MiddleSlice:
    """The slice that stands for a study in previews: the sources and what was made of them."""

    pair: SourcePair
    fused: FloatArray


@dataclass(frozen=True, eq=False)
class FusedStudy:
    """What a row of two volumes gave, in memory or in a temporary folder of slices.

    Attributes:
        made: the voxels, or the folder.
        notes: of all slices, each once.
        example: the result of one slice that was fused; None where no slice has both sources.
        middle: for previews.
    """

    made: CollectedVolume | Path
    notes: tuple[str, ...]
    example: FusionResult | None
    middle: MiddleSlice


class StudySteps:
    """The steps of one row; the scheduler takes them one after the other."""

    def __init__(self, row: BatchRow, plan: BatchPlan, *, tiles: bool = False) -> None:
        assert row.match.study is not None
        self._row, self._plan, self._options = row, plan, plan.options
        self._study, self._tiles = row.match.study, tiles
        self._temporary: Path | None = None
        self.aligned = Aligned()

    def read(self, progress: Progress) -> tuple[VolumePair, tuple[FileStamp, FileStamp]]:
        """A on the grid of B, and B; with the stamps of their files.

        Raises:
            InputError: a series makes no volume, or both share no place.
            Cancelled: by ``progress``.
        """
        files_a, files_b = self._row.match.files
        try:
            stamps = FileStamp.of(*files_a, digest=True), FileStamp.of(*files_b, digest=True)
            a, b = (self._load(series, progress) for series in (self._study.a, self._study.b))
        except InputError as error:
            raise _without_path(error, self._study) from error
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

        Raises:
            FusionError: as the engine raises it, or a slice cannot be written.
            Cancelled: by ``progress``, also within a slice.
        """
        watch = _Watch(middle_slice(pair))
        indices = range(pair.slices(PLANE))
        with closing(fuse_slices(engine, pair, self.settings, indices, progress)) as slices:
            made: CollectedVolume | Path
            if self._options.slices:
                made, notes = self._write_slices(pair, slices, watch)
            else:
                made = collect(watch.watched(slices), grid_of(pair.b), PLANE)
                notes = made.notes
        middle = self._middle(pair, watch)
        return FusedStudy(made, (*self._notes(pair), *notes), watch.example, middle)

    def _middle(self, pair: VolumePair, watch: _Watch) -> MiddleSlice:
        assert watch.fused is not None
        settings = self.settings
        sources = slice_pair(
            pair, PLANE, watch.index, windows=settings.windows, palettes=settings.palettes
        )
        return MiddleSlice(sources, watch.fused)

    def _write_slices(
        self, pair: VolumePair, slices: Iterator[FusedSlice], watch: _Watch
    ) -> tuple[Path, tuple[str, ...]]:
        target = self._target
        self._check_free()
        make_below(self._options.out, target.parent)
        _check_replaceable(target)
        notes: dict[str, None] = {}
        with atomic_folder(target) as folder:
            for one in watch.watched(slices):
                path = folder / slice_file(PLANE, one.index)
                notes |= dict.fromkeys(write_slice(path, one))
            self._write_previews(self._middle(pair, watch))
        return target, tuple(notes)

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

    def example(self, result: FusedStudy) -> FusionResult | None:
        """What the engine gave for one slice, of which method and weights are checked."""
        return result.example

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
        options, middle = self._options, result.middle
        notes, metrics = list(result.notes), dict[str, float]()
        a, b = (image.normalised() for image in (middle.pair.a, middle.pair.b))
        if options.metrics:
            luma_a, luma_b, luma_f = comparable(middle.pair, *map(to_luma8, (a, b, middle.fused)))
            metrics = evaluate(luma_a, luma_b, luma_f, MAIN_METRICS)
            notes.append(Message("The metrics are those of the middle slice."))
        if isinstance(result.made, CollectedVolume):
            self._write_previews(middle)
            make_below(options.out, self._target.parent)
            every = (*self._study.a.files, *self._study.b.files)
            self._check_free()
            result.made.write(self._target, protect=every)
        return result_size(self._target), metrics, tuple(dict.fromkeys(notes))

    def _write_previews(self, middle: MiddleSlice) -> None:
        """Before the result, which says that the row is complete."""
        options = self._options
        if options.contact_sheet:
            path = options.out / self._plan.thumbnail(self._row)
            make_below(options.out, path.parent)
            a, b = (image.normalised() for image in (middle.pair.a, middle.pair.b))
            atomic_write(path, strip_jpeg(a, b, middle.fused))
        if options.figures:
            figure = side_by_side_image(
                middle.pair,
                middle.fused,
                get_task(options.task),
                by_network=options.by_network,
            )
            path = self._plan.outputs(self._row)[-1]
            make_below(options.out, path.parent)
            write_image(path, figure, bit_depth=8, overwrite=self._plan.overwrites(self._row))

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


class _Watch:
    """Keeps what is needed of the slices that pass by."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.fused: FloatArray | None = None
        self.example: FusionResult | None = None

    def watched(self, slices: Iterator[FusedSlice]) -> Iterator[FusedSlice]:
        for one in slices:
            if one.index == self.index:
                self.fused = one.pixels
            if self.example is None:
                self.example = one.result
            yield one


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


def _without_path(error: InputError, study: SeriesPair) -> InputError:
    """The error without the path of a file, which often holds the name of a person."""
    if isinstance(error, SeriesError):
        return error
    for series in (study.a, study.b):
        for number, path in enumerate(series.files, start=1):
            if series.kind == "DICOM" and str(path) in error.what:
                what = Message("{0}, file {1} of {2}", label(series), number, len(series.files))
                return InputError(what, error.why, error.remedy)
    return error
