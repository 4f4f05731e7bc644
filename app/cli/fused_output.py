"""Where fused slices go: one volume, one picture, a DICOM series, or a folder of pictures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import OutputError
from core.fusion.slice_store import SliceStore
from core.fusion.slices import VolumePair
from core.fusion.volume_fusion import FusedSlice
from core.fusion.volume_output import slice_file, write_slice
from core.geometry.grids import grid_of
from core.geometry.planes import PlaneName, axes_of
from core.io import WRITE_SUFFIXES, check_target
from core.io.dicom_output import (
    DicomChoices,
    FusedSeries,
    check_new_folder,
    read_dicom_sources,
    write_fused_files,
    write_fused_folder,
)
from core.io.volume_writer import FusedVolume, check_volume_target, is_volume_name, write_volume
from core.progress import Progress
from core.types import SeriesHeader


@dataclass(frozen=True, eq=False)
class SourceFiles:
    """What outputs know of the sources.

    Attributes:
        a, b: the series.
        frames: which volumes of them, from 0.
    """

    a: SeriesHeader
    b: SeriesHeader
    frames: tuple[int, int]

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of both."""
        return self.a.files + self.b.files


class FusedOutput(ABC):
    """A target of fused slices, checked before anything is calculated.

    Attributes:
        holds_many: whether more than one slice goes into it.
        path: of the file or folder.
    """

    holds_many = True

    def __init__(self, path: Path, sources: SourceFiles) -> None:
        self.path = path
        self._sources = sources

    @abstractmethod
    def check(self, *, single: bool) -> None:
        """Refuse a target that cannot be written.

        Args:
            single: one slice is to be written.

        Raises:
            OutputError: it is a source, its folder is missing, or it is a volume for one slice.
        """


class PictureOutput(FusedOutput):
    """Slices that are written as soon as they are fused."""

    @abstractmethod
    def write(self, slices: Iterator[FusedSlice], plane: PlaneName) -> dict[str, None]:
        """Write what ``slices`` yields; returns the notes, each once.

        Raises:
            OutputError: a file cannot be written; those written before stay.
        """


class VolumeOutput(FusedOutput):
    """Slices that are written together once all of them are there."""

    @abstractmethod
    def write(
        self, store: SliceStore, pair: VolumePair, plane: PlaneName, progress: Progress
    ) -> Iterable[str]:
        """Write all slices, or nothing; returns notes.

        Raises:
            OutputError: it cannot be written.
            Cancelled: by ``progress``.
        """


def output_for(
    path: Path, sources: SourceFiles, choices: DicomChoices, *, png: bool = False
) -> PictureOutput | VolumeOutput:
    """The kind of target that a path names.

    Args:
        path: a folder, or a file with the suffix of what it is.
        sources: what is fused.
        choices: about DICOM.
        png: a folder is filled with pictures instead of DICOM.

    Raises:
        OutputError: it names a file of a kind that is not written.
    """
    if path.is_dir() or not path.suffix:
        return _Folder(path, sources) if png else _DicomFolder(path, sources, choices)
    if is_volume_name(path):
        return _Nifti(path, sources)
    if path.suffix.lower() == ".dcm":
        return _DicomFile(path, sources, choices)
    if path.suffix.lower() in WRITE_SUFFIXES:
        return _Picture(path, sources)
    raise OutputError(
        f"Cannot write {path}",
        f"the format {path.suffix} is not known",
        f"Name a folder, a volume (.nii.gz, .dcm) or a picture ({', '.join(WRITE_SUFFIXES)}).",
    )


class _Picture(PictureOutput):
    holds_many = False

    def check(self, *, single: bool) -> None:
        check_target(self.path, protect=self._sources.files)
        _check_folder(self.path)

    def write(self, slices: Iterator[FusedSlice], plane: PlaneName) -> dict[str, None]:
        return {text: None for one in slices for text in write_slice(self.path, one)}


class _Folder(PictureOutput):
    def check(self, *, single: bool) -> None:
        if self.path.resolve() in {path.resolve().parent for path in self._sources.files}:
            raise OutputError(
                f"Cannot write into {self.path}", "the sources are in it", "Name another folder."
            )

    def write(self, slices: Iterator[FusedSlice], plane: PlaneName) -> dict[str, None]:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"Cannot create the folder {self.path}",
                error.strerror or str(error),
                "Choose another.",
            ) from error
        notes: dict[str, None] = {}
        for one in slices:
            path = self.path / slice_file(plane, one.index)
            notes |= dict.fromkeys(write_slice(path, one))
        return notes


class _Nifti(VolumeOutput):
    def check(self, *, single: bool) -> None:
        _refuse_single(self.path, single)
        check_volume_target(self.path, protect=self._sources.files)
        _check_folder(self.path)

    def write(
        self, store: SliceStore, pair: VolumePair, plane: PlaneName, progress: Progress
    ) -> Iterable[str]:
        progress.check()
        volume = FusedVolume.of_slices(grid_of(pair.b), plane, store.pixels)
        protect = self._sources.files
        write_volume(self.path, volume, provenance=store.provenance, protect=protect)
        return ()


class _Dicom(VolumeOutput):
    """DICOM, which knows what it was made of."""

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


class _DicomFolder(_Dicom):
    def check(self, *, single: bool) -> None:
        _refuse_single(self.path, single)
        check_new_folder(self.path, protect=self._sources.files)

    def write(
        self, store: SliceStore, pair: VolumePair, plane: PlaneName, progress: Progress
    ) -> Iterable[str]:
        return write_fused_folder(self.path, self._series(store, pair, plane), progress)


class _DicomFile(_Dicom):
    def check(self, *, single: bool) -> None:
        _refuse_single(self.path, single)
        if self._choices.layout == "single":
            raise OutputError(
                f"Cannot write {self.path}",
                "a file for each slice (--dicom single) needs a folder",
                "Name a folder.",
            )
        check_target(self.path, protect=self._sources.files)
        _check_folder(self.path)

    def write(
        self, store: SliceStore, pair: VolumePair, plane: PlaneName, progress: Progress
    ) -> Iterable[str]:
        return write_fused_files(self.path, self._series(store, pair, plane), progress)


def _refuse_single(path: Path, single: bool) -> None:
    if single:
        raise OutputError(
            f"Cannot write {path}",
            "one slice is no volume",
            "Name a picture, such as OUT.png, or leave out --slice.",
        )


def _check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise OutputError(
            f"Cannot write {path}", f"there is no folder {path.parent}", "Create it first."
        )
