"""What aligning does on worker threads, and registration in the compute process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.compute.remote import compute
from app.fuse.results import LoadedSource
from app.fuse.slice_view import SliceView
from app.i18n.translate import tr
from app.registration.state import NativeSources
from app.viewer.pyramid import source_image
from core.geometry.grids import VoxelGrid
from core.progress import Progress
from core.types import (
    Image,
    PairTransform,
    SourcePair,
    SourceSide,
    Transform,
    TransformKind,
    Volume,
)
from core.windows import Window

if TYPE_CHECKING:
    from core.alignment.rigs import Rig
    from core.registration import Misalignment, Registration
    from core.registration.levels import ReducedPair


def native_sources(a: Path, b: Path, *, damaged: bool, progress: Progress) -> NativeSources:
    """Both files with their own pixels.

    Raises:
        InputError: one cannot be read.
        Cancelled: by ``progress``.
    """
    from core.io.pairs import read_sources

    progress.report(0, 2, tr("Reading pictures"))
    images = read_sources(
        a, b, damaged="show" if damaged else "refuse", between=lambda: progress.check()
    )
    progress.check()
    one, other = (_loaded(image) for image in images)
    return NativeSources(one, other)


def _loaded(image: Image, extent: Window | None = None) -> LoadedSource:
    rendered = source_image(image, extent)
    _: Any = rendered.histogram  # counted here and not on the thread of the window
    return LoadedSource(image, rendered)


@dataclass(frozen=True)
class RigRequest:
    """A transform to be kept for two cameras with pictures of these sizes (width, height).

    Attributes:
        replaces: whether the rig of that name is replaced, if there is one.
    """

    name: str
    by: PairTransform
    size_a: tuple[int, int]
    size_b: tuple[int, int]
    replaces: bool = False


@dataclass(frozen=True)
class RegistrationRequest:
    """What is to be estimated: for which task, and what may differ."""

    task: str
    kind: TransformKind


def to_register(
    sources: NativeSources, moving: SourceSide
) -> tuple[Image | Volume, Image | Volume]:
    """What lies still, and what is moved; of volumes, A is moved."""
    if sources.view is not None:
        a, b = sources.view.volumes.native
        return b, a
    return sources.side("a" if moving == "b" else "b").image, sources.side(moving).image


@dataclass(frozen=True)
class SliceRequest:
    """Which slice of A is to be drawn.

    Attributes:
        grid: of a slice of B, in patient mm.
        transform: from those to the mm of A.
        extent: see :func:`app.viewer.pyramid.source_image`.
    """

    grid: VoxelGrid
    transform: Transform
    extent: Window

    @classmethod
    def of(cls, view: SliceView, transform: Transform) -> SliceRequest:
        """The slice on show."""
        axes = view.axes
        affine = np.array(axes.affine)
        affine[:3, 3] += view.index * affine[:3, 2]
        grid = VoxelGrid((1, *axes.shape[1:]), affine)
        return cls(grid, transform, view.volumes.extents[0])


def register_sources(
    fixed: Image | Volume, moving: Image | Volume, request: RegistrationRequest, progress: Progress
) -> Registration:
    """How the moving source lies to the fixed one.

    Raises:
        InputError: a picture is too small.
        Cancelled: by ``progress``.
    """
    from core.registration.registering import register

    return register(fixed, moving, request.kind, task=request.task, progress=progress)


def moved_slice(volume: Volume, wanted: SliceRequest, progress: Progress) -> LoadedSource:
    """A on the pixels of a slice of B, through a transform; in the compute process."""
    from core.geometry.resample import resample_onto

    progress.check()
    seen = resample_onto(volume, wanted.grid, progress=progress, transform=wanted.transform)
    _between, row, column = wanted.grid.spacing
    image = Image(
        np.ascontiguousarray(seen.data[0])[..., np.newaxis],
        volume.window,
        32,
        volume.unit,
        spacing=(row, column),
        mask=None if seen.mask is None else np.ascontiguousarray(seen.mask[0]),
    )
    return _loaded(image, wanted.extent)


def check_pair(pair: SourcePair, task: str, progress: Progress) -> Misalignment:
    """A quick look whether the sources of a pair lie on each other, taken in the compute process.

    The pictures are reduced here: those of 12 million pixels are 16 times as much to send, and
    that takes longer than reducing them.
    """
    from core.registration.levels import ReducedPair

    progress.check()
    reduced = ReducedPair.of(pair.a, pair.b)
    found: Misalignment = compute(judge_pair, reduced, task)(progress)
    return found


def judge_pair(pair: ReducedPair, task: str, progress: Progress) -> Misalignment:
    """Whether the sources of a pair lie on each other; in the compute process."""
    from core.registration.quick_check import judge_reduced

    progress.check()
    return judge_reduced(pair, task)


def list_rigs(progress: Progress) -> tuple[Rig, ...]:
    """All rigs, by name."""
    from core.alignment import rigs

    progress.check()
    return rigs.list_rigs()[0]


def rig_transform(
    name: str, size_a: tuple[int, int], size_b: tuple[int, int], progress: Progress
) -> PairTransform:
    """The transform that is kept under a name now, for pictures of these sizes.

    Raises:
        InputError: there is none of that name, or it is for pictures of other proportions.
    """
    from core.alignment import rigs

    progress.check()
    return rigs.find_rig(name).transform_for(size_a, size_b)


def keep_rig(rig: RigRequest, progress: Progress) -> tuple[Rig, ...]:
    """Keep a transform under a name; returns all rigs.

    Raises:
        RigExists: there is one of that name, which is not to be replaced.
        InputError: it is no name.
        OutputError: it cannot be written.
    """
    from core.alignment import rigs

    progress.check()
    rigs.add_rig(
        rigs.Rig(
            name=rig.name,
            transform=rig.by.transform,
            moving=rig.by.moving,
            size_a=rig.size_a,
            size_b=rig.size_b,
        ),
        overwrite=rig.replaces,
    )
    return rigs.list_rigs()[0]


def remove_rig(name: str, progress: Progress) -> tuple[Rig, ...]:
    """Delete a rig; returns those that are left.

    Raises:
        InputError: there is none of that name.
        OutputError: it cannot be deleted.
    """
    from core.alignment import rigs

    progress.check()
    rigs.remove_rig(name)
    return rigs.list_rigs()[0]


def read_transform(path: Path, progress: Progress) -> Transform:
    """The transform in a file.

    Raises:
        InputError: see :func:`core.io.transforms.read_transform`.
    """
    from core.io import transforms

    progress.check()
    return transforms.read_transform(path)


def write_transform(
    path: Path, transform: Transform, centre: tuple[float, ...], progress: Progress
) -> Path:
    """Write a transform, and return the path.

    Raises:
        OutputError: see :func:`core.io.transforms.write_transform`.
    """
    from core.io import transforms

    progress.check()
    transforms.write_transform(path, transform, centre)
    return path
