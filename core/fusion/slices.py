"""Two volumes slice by slice: one on the grid of the other, and pairs of images to be fused."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from core.errors import InputError, Message, TwoPatients, VolumesApart
from core.geometry.alignment import Alignment, centring, lined_up
from core.geometry.grids import common_box, grid_of
from core.geometry.planes import PlaneName, axes_of, slice_at
from core.geometry.resample import resample_onto
from core.io.pairs import DOUBTFUL, MIRRORED
from core.pairing.study_pairs import SeriesPair
from core.progress import Progress
from core.types import KIND_NAMES, Image, PairTransform, SeriesHeader, SourcePair, Transform, Volume
from core.types.moves import volume_motion_parts
from core.units.palettes import DEFAULT_PALETTES, find_palette
from core.windows import Window

Consent = Literal["patients"]
"""What :func:`align` refuses unless it is accepted by name."""

Resampling = Callable[..., Volume]
"""Is called like :func:`core.geometry.resample.resample_onto`, progress and transform by name."""

_VOXEL_BYTES = 4
_HELD = 3
"""Volumes on the grid of B that are held at once: A, B and the fused one."""
_BOTH = Message("The two volumes")


@dataclass(frozen=True, eq=False)
class VolumePair:
    """Two volumes on one grid, voxel on voxel.

    Attributes:
        a: source A on the grid of B. Masked outside of its field of view.
        b: source B as it was read.
        alignment: what is known of how they lie to each other.
        transform: by which A was brought onto B; None where their millimetres are the same.
        drawn_by: the same, or what A was moved by only to be seen; leads from B to A in mm.
    """

    a: Volume
    b: Volume
    alignment: Alignment
    transform: PairTransform | None = None
    drawn_by: Transform | None = None

    @property
    def windows(self) -> tuple[Window, Window]:
        """The windows that the two volumes begin with, those of the original A among them."""
        return self.a.window, self.b.window

    def slices(self, plane: PlaneName) -> int:
        """How many slices there are in a plane."""
        return axes_of(grid_of(self.b), plane).shape[0]


def align(
    a: Volume,
    b: Volume,
    progress: Progress | None = None,
    *,
    accept: Collection[Consent] = (),
    transform: PairTransform | None = None,
    show_apart: bool = False,
    resampling: Resampling = resample_onto,
) -> VolumePair:
    """``a`` on the grid of ``b``, in patient millimetres, linearly interpolated.

    Where both have the same grid, nothing is calculated. Whether the millimetres of both mean the
    same is said by :attr:`VolumePair.alignment`; nothing is estimated here.

    Args:
        a: volume of PET, SPECT or CT.
        b: volume whose grid is kept.
        progress: told of the slices resampled; may cancel.
        accept: "patients": they may be of two patients.
        transform: of volumes, by which one lies on the other; A is the one that is resampled,
            whichever of the two it moves.
        show_apart: where they share no place, A is moved to the middle of B to be seen, which is no
            statement about how they lie.
        resampling: makes A's voxels; another process may.

    Raises:
        TwoPatients: of two patients, and that is not accepted.
        VolumesApart: they share no place in the patient, and are not to be shown so.
        Cancelled: by ``progress``.
    """
    check_patients(a, b, accept)
    try:
        return _aligned(a, b, progress, transform, resampling)
    except VolumesApart:
        if not show_apart:
            raise
    centred = centring(b, a)
    onto = resampling(a, grid_of(b), progress=progress, transform=centred)
    return VolumePair(onto, b, Alignment.APART, drawn_by=centred)


def _aligned(
    a: Volume,
    b: Volume,
    progress: Progress | None,
    transform: PairTransform | None,
    resampling: Resampling,
) -> VolumePair:
    if transform is not None:
        transform = transform.moving_side("a")
        onto = resampling(a, grid_of(b), progress=progress, transform=transform.transform)
        if onto.mask is not None and not onto.mask.any():
            raise _apart()
        # Its voxels are now where those of B are, whatever its own millimetres were.
        onto = replace(onto, frame_of_reference=b.frame_of_reference)
        return VolumePair(onto, b, Alignment.REGISTERED, transform, transform.transform)
    if common_box(grid_of(a), grid_of(b)) is None:
        raise _apart()
    onto = resampling(a, grid_of(b), progress=progress)
    if onto.mask is not None and not onto.mask.any():
        raise _apart()
    return VolumePair(onto, b, lined_up(a, b))


def registration_notes(pair: VolumePair) -> tuple[str, ...]:
    """Notes for a person about the transform of a pair; none where it has none."""
    if pair.transform is None:
        return ()
    grid = grid_of(pair.b)
    centre = grid.to_patient((np.array(grid.shape[::-1]) - 1) / 2)
    parts = volume_motion_parts(pair.transform.transform, [float(value) for value in centre])
    moved = Message(
        "A was moved onto B ({0}): by {1:.1f}, {2:.1f}, {3:.1f} mm, turned by {4:.1f}°, {5:.1f}°, "
        "{6:.1f}° (patient axes L, P, H).",
        KIND_NAMES[pair.transform.transform.kind],
        *parts.shift,
        *parts.angles,
    )
    said = ((MIRRORED, parts.is_mirrored), (DOUBTFUL, pair.transform.is_doubtful))
    return (moved, *(note for note, holds in said if holds))


def check_patients(
    a: Volume | SeriesHeader, b: Volume | SeriesHeader, accept: Collection[Consent] = ()
) -> None:
    """Refuse a pair of two patients, as :func:`align` does; also before any pixel is read.

    Raises:
        TwoPatients: see :func:`align`.
    """
    if a.patient and b.patient and a.patient != b.patient and "patients" not in accept:
        raise TwoPatients(
            _BOTH,
            Message("they are of two different patients"),
            Message("Choose two series of one patient."),
        )


def check_frames(a: SeriesHeader, b: SeriesHeader) -> None:
    """Refuse two series that name different frames of reference.

    Raises:
        InputError: nothing says how they lie to each other.
    """
    known = a.frame_of_reference and b.frame_of_reference
    if known and a.frame_of_reference != b.frame_of_reference:
        raise InputError(
            Message("The two series"),
            Message(
                "they have different frames of reference, so nothing says how they lie to each "
                "other"
            ),
            Message(
                "Register them (--register on the command line), or take their millimetres as the "
                "same (--not-registered)."
            ),
        )


def _apart() -> VolumesApart:
    return VolumesApart(
        _BOTH,
        Message("they share no place in the patient"),
        Message("Choose two series of one region, or register them first."),
    )


def volume_pair_bytes(study: SeriesPair) -> int:
    """Bytes of memory to align and fuse two series, by their headers."""
    a, b = (math.prod(series.shape) for series in (study.a, study.b))
    return (a + _HELD * b) * _VOXEL_BYTES


def slice_pair(
    pair: VolumePair,
    plane: PlaneName,
    index: int,
    *,
    windows: tuple[Window | None, Window | None] = (None, None),
    palettes: tuple[str | None, str | None] = (None, None),
) -> SourcePair:
    """One slice of both volumes, turned as :mod:`core.geometry.planes` turns it.

    A volume without data in that slice is shown black there, with a note and without a mask. Such a
    slice is not for fusing: see :func:`lone_slice`.

    Args:
        pair: from :func:`align`.
        plane: to look at.
        index: of the slice, from 0.
        windows: of A and B, in their units; None for the volume's own.
        palettes: of A and B, by name (:data:`core.units.palettes.PALETTES`); None for that of the
            modality.

    Raises:
        IndexError: there is no such slice.
        ValueError: there is no such palette.
    """
    a, b = (
        _slice_image(volume, plane, index, window=window, palette=palette)
        for volume, window, palette in zip((pair.a, pair.b), windows, palettes, strict=True)
    )
    if a.mask is not None and b.mask is not None and not (a.mask & b.mask).any():
        a, b = (_unmasked(image) for image in (a, b))
    return SourcePair(a, b, transform=pair.transform)


def lone_slice(pair: VolumePair, plane: PlaneName, index: int) -> Literal["a", "b"] | None:
    """The only source that has data in a slice, which is then shown instead of a fused image.

    None where both have; "b" where neither has.

    Raises:
        IndexError: there is no such slice.
    """
    masks = [slice_at(volume, plane, index).mask for volume in (pair.a, pair.b)]
    empty_a, empty_b = (mask is not None and not mask.any() for mask in masks)
    if empty_a:
        return "b"
    return "a" if empty_b else None


def _slice_image(
    volume: Volume, plane: PlaneName, index: int, *, window: Window | None, palette: str | None
) -> Image:
    seen = slice_at(volume, plane, index)
    window = window or volume.window
    name = DEFAULT_PALETTES.get(volume.modality, "grey") if palette is None else palette
    data, mask, notes = seen.pixels, seen.mask, volume.notes
    if mask is not None and not mask.any():
        data, mask = np.full_like(data, window[0]), None
        notes = (*notes, Message("This slice is outside of its field of view."))
    return Image(
        # Turned views have strides that not every library takes.
        np.ascontiguousarray(data)[..., np.newaxis],
        window,
        32,
        volume.unit,
        spacing=seen.spacing,
        mask=None if mask is None else np.ascontiguousarray(mask),
        notes=notes,
        palette=find_palette(name),
    )


def _unmasked(image: Image) -> Image:
    """``image`` with black instead of missing data."""
    assert image.mask is not None
    data = np.where(image.mask[..., np.newaxis], image.data, np.float32(image.window[0]))
    return replace(image, data=data, mask=None)
