"""Where fused slices go: one volume, one picture, or a folder of pictures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import OutputError
from core.fusion.slices import VolumePair
from core.fusion.volume_fusion import FusedSlice
from core.fusion.volume_output import collect, slice_file, write_slice
from core.geometry.grids import grid_of
from core.geometry.planes import PlaneName
from core.io import WRITE_SUFFIXES, check_target
from core.io.volume_writer import check_volume_target, is_volume_name
from core.progress import Progress


class FusedOutput(ABC):
    """A target of fused slices, checked before anything is calculated.

    Attributes:
        holds_many: whether more than one slice goes into it.
        path: of the file or folder.
    """

    holds_many = True

    def __init__(self, path: Path, sources: Sequence[Path]) -> None:
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

    @abstractmethod
    def write(
        self, slices: Iterator[FusedSlice], pair: VolumePair, plane: PlaneName, progress: Progress
    ) -> dict[str, None]:
        """Write what ``slices`` yields; returns the notes, each once."""


def output_for(path: Path, sources: Sequence[Path]) -> FusedOutput:
    """The kind of target that a path names.

    Raises:
        OutputError: it names a file of a kind that is not written.
    """
    if path.is_dir() or not path.suffix:
        return _Folder(path, sources)
    if is_volume_name(path):
        return _Volume(path, sources)
    if path.suffix.lower() in WRITE_SUFFIXES:
        return _Picture(path, sources)
    raise OutputError(
        f"Cannot write {path}",
        f"the format {path.suffix} is not known",
        f"Name a folder, a volume (.nii.gz) or a picture ({', '.join(WRITE_SUFFIXES)}).",
    )


class _Picture(FusedOutput):
    holds_many = False

    def check(self, *, single: bool) -> None:
        check_target(self.path, protect=self._sources)
        _check_folder(self.path)

    def write(
        self, slices: Iterator[FusedSlice], pair: VolumePair, plane: PlaneName, progress: Progress
    ) -> dict[str, None]:
        return {text: None for one in slices for text in write_slice(self.path, one)}


class _Folder(FusedOutput):
    def check(self, *, single: bool) -> None:
        if self.path.resolve() in {path.resolve().parent for path in self._sources}:
            raise OutputError(
                f"Cannot write into {self.path}", "the sources are in it", "Name another folder."
            )

    def write(
        self, slices: Iterator[FusedSlice], pair: VolumePair, plane: PlaneName, progress: Progress
    ) -> dict[str, None]:
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


class _Volume(FusedOutput):
    def check(self, *, single: bool) -> None:
        if single:
            raise OutputError(
                f"Cannot write {self.path}",
                "one slice is no volume",
                "Name a picture, such as OUT.png, or leave out --slice.",
            )
        check_volume_target(self.path, protect=self._sources)
        _check_folder(self.path)

    def write(
        self, slices: Iterator[FusedSlice], pair: VolumePair, plane: PlaneName, progress: Progress
    ) -> dict[str, None]:
        collected = collect(slices, grid_of(pair.b), plane)
        progress.check()
        collected.write(self.path, protect=self._sources)
        return dict.fromkeys(collected.notes)


def _check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise OutputError(
            f"Cannot write {path}", f"there is no folder {path.parent}", "Create it first."
        )
