"""Fuses all slices of two volumes into one target: a NIfTI volume, or a DICOM series."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import Message, OutputError
from core.fusion.protocol import Engine
from core.fusion.slice_store import SliceStore, store_beside, tidy_beside
from core.fusion.slices import VolumePair
from core.fusion.volume_fusion import SliceSettings, fuse_slices
from core.fusion.volume_retention import volume_retention
from core.geometry.grids import grid_of
from core.geometry.planes import PlaneName, axes_of
from core.io.dicom_output import (
    DicomChoices,
    FusedSeries,
    check_new_folder,
    read_dicom_sources,
    write_fused_files,
    write_fused_folder,
)
from core.io.volume_writer import FusedVolume, check_volume_target, is_volume_name, write_volume
from core.io.writer import check_folder, check_target
from core.progress import NullProgress, Progress
from core.retention import RetentionTotals
from core.types import SeriesHeader

DICOM_SUFFIX = ".dcm"


@dataclass(frozen=True, eq=False)
class SourceFiles:
    """What targets know of the sources.

    Attributes:
        a, b: the series.
        frames: which volumes of them, from 0.
    """

    a: SeriesHeader
    b: SeriesHeader
    frames: tuple[int, int] = (0, 0)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of both."""
        return self.a.files + self.b.files


class VolumeTarget(ABC):
    """A file or folder that all slices are written into together, or not at all.

    Attributes:
        path: of it.
        is_dicom: whether archives take it.
    """

    is_dicom = False

    def __init__(self, path: Path, sources: SourceFiles) -> None:
        self.path = path
        self._sources = sources

    @abstractmethod
    def check(self) -> None:
        """Refuse a target that cannot be written, before anything is calculated.

        Raises:
            OutputError: it is a source, its folder is missing, or it holds other files.
        """

    @abstractmethod
    def write(
        self, store: SliceStore, pair: VolumePair, plane: PlaneName, progress: Progress
    ) -> Iterable[str]:
        """Write all slices; returns notes.

        Raises:
            OutputError: it cannot be written.
            Cancelled: by ``progress``.
        """


@dataclass(frozen=True)
class WrittenVolume:
    """Attributes:
    path: what was written.
    method: that the slices were fused by; "" where each shows one source alone.
    notes: for a person, each once.
    retention: what the slices lose of both volumes.
    """

    path: Path
    method: str
    notes: tuple[str, ...]
    retention: RetentionTotals = field(default_factory=RetentionTotals)


def volume_target(
    path: Path, sources: SourceFiles, choices: DicomChoices | None = None
) -> VolumeTarget | None:
    """The target that a path names by its suffix; None where it names something else.

    Args:
        path: ``.nii``, ``.nii.gz``, ``.dcm``, or a folder.
        sources: what is fused.
        choices: about DICOM.
    """
    choices = choices or DicomChoices()
    if path.is_dir() or not path.suffix:
        return DicomFolder(path, sources, choices)
    if is_volume_name(path):
        return NiftiVolume(path, sources)
    if path.suffix.lower() == DICOM_SUFFIX:
        return _DicomFile(path, sources, choices)
    return None


def fuse_volume(
    engine: Engine,
    pair: VolumePair,
    settings: SliceSettings,
    target: VolumeTarget,
    progress: Progress | None = None,
    *,
    first: int | None = None,
    keeps_cancelled: bool = False,
) -> WrittenVolume:
    """Fuse all slices of a plane, measure what they lose, and write them.

    Slices that an earlier run of the same pair and settings left are not fused again
    (:mod:`core.fusion.slice_store`).

    Args:
        first: the slice to begin with, from which its neighbours follow; None for the order of the
            plane.
        keeps_cancelled: see :class:`core.fusion.slice_store.SliceStore`.

    Raises:
        FusionError: any step failed; no partial target is left.
        Cancelled: by ``progress``; no target is left.
    """
    progress = progress or NullProgress()
    target.check()
    folder = store_beside(target.path)
    with SliceStore(folder, pair, settings, keeps_cancelled=keeps_cancelled) as store:
        fill_store(store, engine, pair, settings, progress, first=first)
        retention = volume_retention(pair, settings, store, progress)
        written = target.write(store, pair, settings.plane, progress)
        left = tidy_beside(target.path)
        every = dict.fromkeys((*store.notes, *written, *retention.notes, *left))
        return WrittenVolume(target.path, store.method, tuple(every), retention)


def fill_store(
    store: SliceStore,
    engine: Engine,
    pair: VolumePair,
    settings: SliceSettings,
    progress: Progress,
    *,
    first: int | None = None,
) -> None:
    """Fuse the slices that a store does not have yet.

    Args:
        store: of the same pair and settings, opened.
        first: as in :func:`fuse_volume`.

    Raises:
        FusionError: a slice cannot be fused or kept.
        Cancelled: by ``progress``.
    """
    while missing := _from(first, store.missing):
        with closing(fuse_slices(engine, pair, settings, missing, progress)) as slices:
            store.fill(slices)


def _from(first: int | None, indices: Sequence[int]) -> list[int]:
    """``indices`` by their distance from one of them."""
    if first is None:
        return list(indices)
    return sorted(indices, key=lambda index: (abs(index - first), index))


class NiftiVolume(VolumeTarget):
    """A NIfTI file."""

    def check(self) -> None:
        check_volume_target(self.path, protect=self._sources.files)
        check_folder(self.path)

    def write(
        self, store: SliceStore, pair: VolumePair, plane: PlaneName, progress: Progress
    ) -> Iterable[str]:
        progress.check()
        progress.report(0, 0, Message("Writing the volume"))
        volume = FusedVolume.of_slices(grid_of(pair.b), plane, store.pixels)
        protect = self._sources.files
        write_volume(self.path, volume, provenance=store.provenance, protect=protect)
        return ()


class _Dicom(VolumeTarget):
    """DICOM, which refers to what it was made of."""

    is_dicom = True

    def __init__(self, path: Path, sources: SourceFiles, choices: DicomChoices) -> None:
        super().__init__(path, sources)
        self._choices = choices

    def _series(self, store: SliceStore, pair: VolumePair, plane: PlaneName) -> FusedSeries:
        sources = read_dicom_sources(
            self._sources.a,
            self._sources.b,
            self._sources.frames,
            self._choices,
            registered=pair.transform is not None,
        )
        axes = axes_of(grid_of(pair.b), plane)
        return FusedSeries(store.colour_slices(), axes, sources, store.provenance)


class DicomFolder(_Dicom):
    """A folder that holds one series and nothing else."""

    def __init__(
        self, path: Path, sources: SourceFiles, choices: DicomChoices, *, replaces: bool = False
    ) -> None:
        """``replaces``: a series that was written into the folder before is replaced."""
        super().__init__(path, sources, choices)
        self._replaces = replaces

    def check(self) -> None:
        check_new_folder(self.path, protect=self._sources.files, replaces=self._replaces)

    def write(
        self, store: SliceStore, pair: VolumePair, plane: PlaneName, progress: Progress
    ) -> Iterable[str]:
        series = self._series(store, pair, plane)
        return write_fused_folder(self.path, series, progress, replaces=self._replaces)


class _DicomFile(_Dicom):
    def check(self) -> None:
        if self._choices.layout == "single":
            raise OutputError(
                Message("Cannot write {0}", self.path),
                Message("a file for each slice needs a folder"),
                Message("Name a folder."),
            )
        check_target(self.path, protect=self._sources.files)
        check_folder(self.path)

    def write(
        self, store: SliceStore, pair: VolumePair, plane: PlaneName, progress: Progress
    ) -> Iterable[str]:
        return write_fused_files(self.path, self._series(store, pair, plane), progress)
