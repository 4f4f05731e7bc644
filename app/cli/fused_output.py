"""Where fused slices go: one picture, a folder of pictures, or a target for all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import OutputError
from core.fusion.volume_fusion import FusedSlice
from core.fusion.volume_output import slice_file, write_slice
from core.fusion.volume_targets import SourceFiles, VolumeTarget, volume_target
from core.geometry.planes import PlaneName
from core.io import WRITE_SUFFIXES, check_folder, check_target
from core.io.dicom_output import DicomChoices


class PictureOutput(ABC):
    """Slices that are written as soon as they are fused.

    Attributes:
        holds_many: whether more than one slice goes into it.
        path: of the file or folder.
    """

    holds_many = True

    def __init__(self, path: Path, sources: Sequence[Path]) -> None:
        self.path = path
        self._sources = sources

    @abstractmethod
    def check(self) -> None:
        """Refuse a target that cannot be written, before anything is calculated.

        Raises:
            OutputError: it is a source, or its folder is missing.
        """

    @abstractmethod
    def write(self, slices: Iterator[FusedSlice], plane: PlaneName) -> dict[str, None]:
        """Write what ``slices`` yields; returns the notes, each once.

        Raises:
            OutputError: a file cannot be written; those written before stay.
        """


def output_for(
    path: Path, sources: SourceFiles, choices: DicomChoices, *, png: bool, single: bool
) -> PictureOutput | VolumeTarget:
    """The kind of target that a path names.

    Args:
        path: a folder, or a file with the suffix of what it is.
        sources: what is fused.
        choices: about DICOM.
        png: a folder is filled with pictures instead of DICOM.
        single: one slice is to be written.

    Raises:
        OutputError: it names a file of a kind that is not written, or a volume for one slice.
    """
    is_folder = path.is_dir() or not path.suffix
    if is_folder and png:
        return _Folder(path, sources.files)
    target = volume_target(path, sources, choices)
    if target is not None and single:
        raise OutputError(
            f"Cannot write {path}",
            "one slice is no volume",
            "Name a picture, such as OUT.png, or leave out --slice.",
        )
    if target is not None:
        return target
    if path.suffix.lower() in WRITE_SUFFIXES:
        return _Picture(path, sources.files)
    raise OutputError(
        f"Cannot write {path}",
        f"the format {path.suffix} is not known",
        f"Name a folder, a volume (.nii.gz, .dcm) or a picture ({', '.join(WRITE_SUFFIXES)}).",
    )


class _Picture(PictureOutput):
    holds_many = False

    def check(self) -> None:
        check_target(self.path, protect=self._sources)
        check_folder(self.path)

    def write(self, slices: Iterator[FusedSlice], plane: PlaneName) -> dict[str, None]:
        return {text: None for one in slices for text in write_slice(self.path, one)}


class _Folder(PictureOutput):
    def check(self) -> None:
        if self.path.resolve() in {path.resolve().parent for path in self._sources}:
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
