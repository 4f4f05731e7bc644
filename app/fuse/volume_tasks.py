"""Reads pairs of series and renders their slices, as functions that run on worker threads."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from app.compute.remote import compute
from app.fuse.results import LoadedSource, Sources, stamp_of, transform_mark
from app.fuse.slice_view import OpenVolumes, SliceView, middle_slice
from app.fuse.studies import Frames, ListedSeries, kind_of
from app.viewer.pyramid import extent_around, source_image
from core.alignment.choice import AlignChoice
from core.geometry.grids import VoxelGrid
from core.geometry.planes import PlaneName
from core.progress import Progress
from core.types import Image, PairTransform, SeriesHeader, Transform, Volume
from core.windows import Window

if TYPE_CHECKING:
    from app.fuse.slice_view import Accepted
    from core.alignment.aligning import Aligned
    from core.fusion.slices import Consent
    from core.io.volumes import Acceptance, Tag

_READ, _RESAMPLED = 0.4, 0.2
"""Shares of the work: each of two series, and bringing A onto the grid of B."""


_WORTH_SENDING = 1 << 22
"""Voxels of a result that take some 50 ms to resample. Fewer are made here: the first sources after
the program's start would wait until the compute process is ready."""


class _Share:
    """Reports one part of the work as that share of the whole."""

    def __init__(self, progress: Progress, begin: float, share: float) -> None:
        self._progress = progress
        self._begin = begin
        self._share = share

    def report(self, done: float, total: float, stage: str) -> None:
        """Report a part."""
        part = done / total if total else 0.0
        self._progress.report(100 * (self._begin + self._share * part), 100, stage)

    def check(self) -> None:
        """Raise Cancelled after a cancellation."""
        self._progress.check()


HeldVolumes = Mapping[tuple[str, int], Volume]
"""Volumes in memory, by the keys of their series and their frames."""


def open_volumes(
    pair: ListedSeries,
    frames: Frames,
    accept: Collection[Accepted],
    held: HeldVolumes,
    progress: Progress,
) -> Sources:
    """Read two series, bring A onto the grid of B, and render the middle axial slice.

    Args:
        frames: which volume of each series.
        accept: what a person has accepted of a pair that is otherwise refused.
        held: volumes that are not read again.

    Raises:
        TwoPatients: of two patients; before any pixel is read.
        SeriesError: one of them makes no volume.
        InputError: they cannot be laid over each other.
        Cancelled: by ``progress``.
    """
    opened = opened_volumes(pair, frames, accept, held, progress)
    return slice_sources(_first_view(opened), progress)


def open_frames(
    pair: ListedSeries,
    frames: Frames,
    accept: Collection[Accepted],
    view: SliceView,
    progress: Progress,
) -> Sources:
    """Read other frames of the series on show, and render the same slice of them.

    Args:
        view: the slice on show; a volume that is to stay is taken from there.

    Raises:
        TwoPatients, SeriesError, InputError, Cancelled: as :func:`open_volumes`.
    """
    held = held_volumes(pair, view)
    return slice_sources(view.of(opened_volumes(pair, frames, accept, held, progress)), progress)


def held_volumes(pair: ListedSeries | None, view: SliceView | None) -> HeldVolumes:
    """The volumes of the slice on show, ``pair`` being their series."""
    if pair is None or view is None:
        return {}
    keys = zip((pair.a.key, pair.b.key), view.volumes.frames, strict=True)
    return dict(zip(keys, view.volumes.native, strict=True))


def opened_volumes(
    pair: ListedSeries,
    frames: Frames,
    accept: Collection[Accepted],
    held: HeldVolumes,
    progress: Progress,
) -> OpenVolumes:
    """Both volumes, read and laid over each other.

    Raises:
        TwoPatients: of two patients; before any pixel is read.
        SeriesError: one of them makes no volume.
        InputError: they cannot be laid over each other.
        Cancelled: by ``progress``.
    """
    from core.fusion.slices import align, check_patients
    from core.io.volumes import load_study_volume, series_suv

    consent: list[Consent] = [one for one in accept if one == "patients"]
    accepted: list[Acceptance] = [one for one in accept if one != "patients"]
    check_patients(pair.a, pair.b, consent)
    volumes = []
    for place, (series, frame) in enumerate(zip((pair.a, pair.b), frames, strict=True)):
        part = _Share(progress, place * _READ, _READ)
        known = held.get((series.key, frame))
        volumes.append(known or load_study_volume(series, frame, progress=part, accept=accepted))
    a, b = volumes
    by = pair.transform
    if by is None and pair.align is not None:
        part = _Share(progress, 2 * _READ, _RESAMPLED)
        by, notes = _estimated(pair.align, a, b, part)
        a = replace(a, notes=(*a.notes, *notes))
    part = _Share(progress, 2 * _READ, _RESAMPLED)
    # What shares no place can be aligned only once it is on screen.
    aligned = align(
        a, b, part, accept=consent, transform=by, show_apart=True, resampling=_resampled
    )  # fmt: skip
    derivations = series_suv(pair.a, frames[0]), series_suv(pair.b, frames[1])
    return OpenVolumes(
        pair.key,
        pair.names,
        aligned,
        a,
        marks=(
            *stamp_of(*pair.key),
            (f"{pair.a.key} {pair.b.key}", *frames),
            *([] if by is None else [transform_mark(by)]),
        ),
        extents=(_extent(a), _extent(b)),
        palettes=(_palette(pair.a), _palette(pair.b)),
        derivations=derivations,
        frames=frames,
        series=(pair.a, pair.b),
        accepted=tuple(accept),
    )


def _estimated(
    choice: AlignChoice, a: Volume, b: Volume, progress: Progress
) -> tuple[PairTransform | None, tuple[str, ...]]:
    """The transform that was chosen, and notes; none where a registration fails, which is noted.

    Raises:
        InputError: the file cannot be used for volumes, or it is a rig.
        Cancelled: by ``progress``.
    """
    if choice.way == "none":
        return None, ()
    choice = replace(choice, keep_failed=True)
    aligned: Aligned = compute(align_studies, choice, a, b)(progress)
    return aligned.transform, aligned.notes


def align_studies(choice: AlignChoice, a: Volume, b: Volume, progress: Progress) -> Aligned:
    """The transform of two volumes by a choice; in the compute process.

    Raises:
        InputError, Cancelled: see :func:`core.alignment.aligning.align_volumes`.
    """
    from core.alignment.aligning import align_volumes

    return align_volumes(choice, a, b, "mif", progress)


def _resampled(
    volume: Volume, grid: VoxelGrid, *, progress: Progress, transform: Transform | None = None
) -> Volume:
    """:func:`core.geometry.resample.resample_onto`, in the compute process where it takes long."""
    from core.geometry.resample import is_on_grid, resample_onto

    if is_on_grid(volume, grid, transform) or math.prod(grid.shape) < _WORTH_SENDING:
        return resample_onto(volume, grid, progress=progress, transform=transform)
    made: Volume = compute(resample_volume, volume, grid, transform)(progress)
    return made


def resample_volume(
    volume: Volume, grid: VoxelGrid, transform: Transform | None, progress: Progress
) -> Volume:
    """A volume on another grid; in the compute process.

    Raises:
        Cancelled: by ``progress``.
    """
    from core.geometry.resample import resample_onto

    return resample_onto(volume, grid, progress=progress, transform=transform)


def _first_view(volumes: OpenVolumes) -> SliceView:
    """The middle slice of B, or the middle one of those in which both have data."""
    from core.fusion.slices import lone_slice

    middle = middle_slice(volumes)
    if lone_slice(volumes.pair, middle.plane, middle.index) is None:
        return middle
    slices = range(middle.count)
    both = [n for n in slices if lone_slice(volumes.pair, middle.plane, n) is None]
    return middle.at(both[len(both) // 2]) if both else middle


def _palette(series: SeriesHeader) -> str:
    """The palette that a series is first shown in."""
    from core.units.palettes import DEFAULT_PALETTES

    return DEFAULT_PALETTES.get(kind_of(series), "grey")


def _extent(volume: Volume) -> Window:
    least, greatest = float(volume.data.min()), float(volume.data.max())
    return extent_around(volume.window, least, greatest)


def slice_sources(view: SliceView, progress: Progress) -> Sources:
    """One slice of both volumes as a pair of images."""
    from core.fusion.slices import lone_slice, slice_pair

    progress.check()
    volumes = view.volumes
    cut = slice_pair(volumes.pair, view.plane, view.index)
    # Copies: a view would keep the whole volume in memory for as long as its result is kept.
    a, b = (replace(image, data=image.data.copy()) for image in (cut.a, cut.b))
    pair = replace(cut, a=a, b=b)
    shown_a, shown_b = map(_loaded, (pair.a, pair.b), volumes.extents)
    lone = lone_slice(volumes.pair, view.plane, view.index)
    return Sources(
        shown_a, shown_b, pair,
        stamp=view.stamp, slice=replace(view, lone=lone), transform=pair.transform,
    )  # fmt: skip


def tags_of(volumes: OpenVolumes, progress: Progress) -> tuple[tuple[Tag, ...], ...]:
    """All tags of A and of B that name nobody.

    Raises:
        InputError: a file cannot be read.
        Cancelled: by ``progress``.
    """
    from core.io.volumes import series_tags

    found = []
    for series, frame in zip(volumes.series, volumes.frames, strict=True):
        progress.check()
        found.append(series_tags(series, frame))
    return tuple(found)


def projected(volumes: OpenVolumes, plane: PlaneName, progress: Progress) -> LoadedSource:
    """The greatest values of the original A along the normal of a plane."""
    from core.geometry.planes import projection

    progress.check()
    volume = volumes.native_a
    seen = projection(volume, plane)
    image = Image(
        np.ascontiguousarray(seen.pixels)[..., np.newaxis],
        volume.window,
        32,
        volume.unit,
        spacing=seen.spacing,
        mask=seen.mask,
    )
    return _loaded(image, volumes.extents[0])


def _loaded(image: Image, extent: Window) -> LoadedSource:
    rendered = source_image(image, extent)
    _: Any = rendered.histogram  # counted here and not on the thread of the window
    return LoadedSource(image, rendered)
