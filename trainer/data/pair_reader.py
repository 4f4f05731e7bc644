"""Reads the pairs of a run: pictures, and slices out of volumes."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache

import numpy as np

from core.alignment.choice import AlignChoice
from core.errors import InputError, Message
from core.fusion.slices import VolumePair, align, lone_slice, slice_pair
from core.geometry.grids import VoxelGrid
from core.geometry.planes import PlaneName, axes_of
from core.io import make_pair, read_sources
from core.io.volumes import load_study_volume
from core.pairing.plan import Match
from core.pairing.study_pairs import SeriesPair
from core.progress import Progress
from core.types import Image, SourcePair
from core.windows import Windows
from trainer.data.alignment import PairAligner

PLANE: PlaneName = "axial"
SLICE_DISTANCE = 6.0
"""Millimetres between two slices that are trained on: about what a PET resolves."""
BEGINNING = 1 << 16
"""Bytes that tell two studies apart: in DICOM they hold the identifiers of the image."""
_DARK, _LEAST = 0.05, 0.01
"""A source shows something in a slice where at least this share of it is above that level."""


class EmptySlice(InputError):
    """A slice in which one of the sources shows nothing; such slices are skipped."""


class PairReader:
    """Reads pairs for one task. Two volumes are kept until another study is asked for.

    So pairs are best read in an order that keeps the slices of a study together. Thread-safe.
    """

    def __init__(
        self,
        task: str,
        windows: Windows = (None, None),
        align: AlignChoice | None = None,
        progress: Progress | None = None,
    ) -> None:
        """
        Args:
            windows: as in :func:`core.io.read_pair`.
            align: how sources are laid on each other; None takes them as they lie.
            progress: may cancel a registration.
        """
        self._task, self._windows = task, windows
        self._aligner = PairAligner(align or AlignChoice(), task, progress)
        self._lock = threading.Lock()
        self._study: SeriesPair | None = None
        self._volumes: VolumePair | InputError | None = None

    def read(self, match: Match) -> SourcePair:
        """The sources of ``match``, slices as the Fuse workspace shows and fuses them.

        Raises:
            EmptySlice: one source shows nothing in the slice.
            RegistrationFailed: they are to be registered, and that failed.
            InputError: see :func:`core.io.read_pair`, :func:`core.io.volumes.load_study_volume`.
        """
        if match.study is None or match.index is None:
            a, b = read_sources(match.a, match.b)
            by = self._aligner.pictures(a, b, (match.a, match.b)).transform
            return make_pair(a, b, task=self._task, windows=self._windows, transform=by)
        with self._lock:
            volumes = self._aligned(match.study)
        if lone_slice(volumes, PLANE, match.index) is not None:
            raise _empty(match)
        pair = slice_pair(volumes, PLANE, match.index, windows=self._windows)
        if not (_shows_something(pair.a) and _shows_something(pair.b)):
            raise _empty(match)
        return pair

    def _aligned(self, study: SeriesPair) -> VolumePair:
        if self._study is not study:
            # Released before the next ones are read.
            self._study, self._volumes = study, None
            try:
                a, b = (load_study_volume(series) for series in (study.a, study.b))
                files = study.a.files[0], study.b.files[0]
                self._volumes = align(a, b, transform=self._aligner.volumes(a, b, files).transform)
            except InputError as error:
                self._volumes = error  # not tried again for every slice
        if isinstance(self._volumes, InputError):
            raise self._volumes
        assert self._volumes is not None
        return self._volumes


def _empty(match: Match) -> EmptySlice:
    return EmptySlice(match.name, Message("one of the sources shows nothing in it"))


def _shows_something(image: Image) -> bool:
    return float(np.mean(image.levels() > _DARK)) >= _LEAST


@cache
def content_key(study: SeriesPair) -> str:
    """A text that is the same wherever the files of a study lie, by the beginning of the first."""
    digest = hashlib.sha256()
    for path in (study.a.files[0], study.b.files[0]):
        digest.update(f"{path.name}\n".encode("utf-8", "surrogatepass"))
        with suppress(OSError), path.open("rb") as stream:  # reading it says what is wrong
            digest.update(stream.read(BEGINNING))
    return digest.hexdigest()


def slices_of(matches: Sequence[Match], distance: float = SLICE_DISTANCE) -> Iterator[Match]:
    """``matches``, of which each of two volumes becomes one for each of its axial slices.

    Args:
        distance: millimetres between two slices of B, at least; 0 for all of them.
    """
    for match in matches:
        if match.study is None:
            yield match
            continue
        count, spacing = _stack(match.study)
        step = max(1, round(distance / spacing))
        for index in range(min(step, count) // 2, count, step):
            yield replace(match, name=f"{match.name}_{index + 1:03d}", index=index)


def _stack(study: SeriesPair) -> tuple[int, float]:
    """The number of axial slices of B, and the millimetres between them."""
    axes = axes_of(_grid(study), PLANE)
    return axes.shape[0], axes.spacing[0]


def slice_size(study: SeriesPair) -> tuple[int, int]:
    """(width, height) of the slices of a study."""
    _, height, width = axes_of(_grid(study), PLANE).shape
    return width, height


def _grid(study: SeriesPair) -> VoxelGrid:
    assert study.b.affine is not None
    return VoxelGrid(study.b.shape, study.b.affine)
