"""Where fused slices go: one volume, one picture, or a folder of pictures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.errors import OutputError
from core.fusion.slices import VolumePair
from core.fusion.volume_fusion import FusedSlice
from core.geometry.grids import grid_of
from core.geometry.planes import PlaneName
from core.io import WRITE_SUFFIXES, check_target, write_image
from core.io.volume_writer import FusedVolume, check_volume_target, is_volume_name, write_volume
from core.progress import Progress
from core.types import BitDepth

_NOTICE = {"notice": "Research use only"}
"""In slices that show one source alone, hence nothing that a network made."""


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
        return {text: None for one in slices for text in _write_picture(self.path, one)}


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
            path = self.path / f"{plane}_{one.index + 1:03d}.png"
            notes |= dict.fromkeys(_write_picture(path, one))
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
        volume: FusedVolume | None = None
        notes: dict[str, None] = {}
        provenance = dict(_NOTICE)
        for one in slices:
            volume = volume or FusedVolume(grid_of(pair.b), one.pixels.shape[2])
            volume.put(plane, one.index, one.pixels)
            notes |= dict.fromkeys(one.notes)
            if one.result is not None:
                provenance |= one.result.provenance
        progress.check()
        assert volume is not None, "planes have at least one slice"
        write_volume(
            self.path,
            volume,
            provenance={**provenance, "picture": "fused", "plane": plane},
            protect=self._sources,
        )
        return notes


def _write_picture(path: Path, one: FusedSlice) -> list[str]:
    depth: BitDepth = 32 if path.suffix.lower() in (".tif", ".tiff") else 16
    provenance = _NOTICE if one.result is None else one.result.provenance
    written = write_image(
        path, one.pixels, bit_depth=depth, provenance={**provenance, "picture": one.shows}
    )
    return [*one.notes, *written]


def _check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise OutputError(
            f"Cannot write {path}", f"there is no folder {path.parent}", "Create it first."
        )
