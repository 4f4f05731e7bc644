"""Where the slices of one volume lie: in which order, how far apart, with which affine.

Order and distance come from the orientation and the position of each slice alone. File names,
instance numbers, SliceLocation and SliceThickness have no say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from core.errors import Message, MissingSlices, SeriesError, UnevenSlices
from core.io.readers.dicom.headers import Frame, Vector
from core.io.readers.dicom.tags import number
from core.types import Affine

SAME_PLACE = 0.01
"""Millimetres: closer slices lie at the same place."""
_EVEN = 0.05
"""Share of the distance by which a slice may lie beside its place on the regular grid."""
_NEARLY_EVEN = 0.01
_WHOLE = 0.1
"""Share of the distance by which a gap may differ from a whole number of distances."""
_MOSTLY = 1 / 3
"""Share of neighbours that lie at the distance of which the others are multiples."""
_SHIFTED = 0.1
_TILT = 0.5
_NAMED = 6
"""So many missing places are named one by one."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Stack:
    """The slices of one volume in order.

    Attributes:
        frames: by growing place along their normal.
        places: which slice k of the grid each of them is; whole numbers where they are even.
        count: slices of the grid, K.
        affine: 4×4, or None where the place in the patient is not known.
        notes: what is odd.
        problem: why it is no volume, or none without leave.
    """

    frames: tuple[Frame, ...]
    places: tuple[float, ...]
    count: int
    affine: Affine | None = None
    notes: tuple[str, ...] = ()
    problem: SeriesError | None = None


@dataclass
class _Findings:
    notes: list[str] = field(default_factory=list)
    problem: SeriesError | None = None


def stacked(frames: Sequence[Frame], name: Message) -> Stack:
    """``frames``, all of one size and orientation, as a volume.

    Args:
        frames: at least one.
        name: of the series, for messages.
    """
    first = frames[0]
    if not all(frame.placed for frame in frames):
        problem = SeriesError(
            name,
            Message("its files do not say where in the patient the slices lie"),
            Message("Open its images one by one, or export the original series."),
        )
        places = tuple(float(place) for place in range(len(frames)))
        return Stack(frames=tuple(frames), places=places, count=len(frames), problem=problem)
    ordered = sorted(frames, key=lambda frame: frame.depth)
    once = [ordered[0], *(b for a, b in pairwise(ordered) if b.depth - a.depth >= SAME_PLACE)]
    if len(once) < len(ordered):
        alone = stacked(once, name)
        every = tuple(float(place) for place in range(len(ordered)))
        problem = _repeated(ordered, name)
        return replace(alone, frames=tuple(ordered), places=every, problem=problem)
    if first.spacing is None:
        problem = SeriesError(
            name,
            Message("its files do not say how large a pixel is (tag PixelSpacing)"),
            Message("Export the original series from the scanner or the archive."),
        )
        places = tuple(float(place) for place in range(len(ordered)))
        return Stack(frames=tuple(ordered), places=places, count=len(ordered), problem=problem)
    found = _Findings()
    if len(ordered) == 1:
        step, count, places = _single(first, found), 1, (0.0,)
    else:
        step, count, places = _regular(ordered, name, found)
    affine = _affine(ordered[0], step)
    return Stack(
        frames=tuple(ordered),
        places=places,
        count=count,
        affine=affine,
        notes=tuple(found.notes),
        problem=found.problem,
    )


def _affine(first: Frame, step: Vector) -> Affine:
    assert first.orientation is not None
    assert first.position is not None
    assert first.spacing is not None
    affine = np.eye(4)
    affine[:3, 0] = first.orientation[0] * first.spacing[1]
    affine[:3, 1] = first.orientation[1] * first.spacing[0]
    affine[:3, 2] = step
    affine[:3, 3] = first.position
    return affine


def _single(frame: Frame, found: _Findings) -> Vector:
    """What one slice extends along its normal."""
    assert frame.orientation is not None
    normal = np.cross(*frame.orientation)
    thickness = number(frame.tags, "SpacingBetweenSlices") or number(frame.tags, "SliceThickness")
    if thickness is None or thickness <= 0:
        found.notes.append(Message("One slice, whose thickness is not stated; 1 mm is assumed."))
        thickness = 1.0
    return np.asarray(normal * thickness)


def _regular(
    ordered: Sequence[Frame], name: Message, found: _Findings
) -> tuple[Vector, int, tuple[float, ...]]:
    """The step from slice to slice, how many there are, and which of them is on file."""
    depths = np.array([frame.depth for frame in ordered])
    positions = np.array([frame.position for frame in ordered])
    steps = np.diff(depths)
    across = (positions[-1] - positions[0]) / (depths[-1] - depths[0])
    expected = (depths - depths[0])[:, np.newaxis] * across
    _check_straight(ordered[0], positions - positions[0] - expected, _Naming(name, found))
    _note_tilt(ordered[0], across, found)
    mean = (depths[-1] - depths[0]) / (len(depths) - 1)
    beside = float(np.abs(depths - depths[0] - mean * np.arange(len(depths))).max())
    if beside <= _EVEN * mean:
        if beside > _NEARLY_EVEN * mean:
            text = Message("Distances of slices differ by up to {0:.2g} mm.", float(np.ptp(steps)))
            found.notes.append(text)
        return across * mean, len(depths), tuple(float(k) for k in range(len(depths)))
    for step in (float(np.median(steps)), float(steps.min())):
        whole = np.round(steps / step)
        same = np.abs(steps / step - whole).max() <= _WHOLE
        if same and whole.min() >= 1 and np.mean(whole == 1) >= _MOSTLY:
            return _with_gaps(depths, whole, across, _Naming(name, found))
    return _uneven(depths, across, _Naming(name, found))


@dataclass(frozen=True)
class _Naming:
    name: Message
    found: _Findings

    def refuse(self, problem: SeriesError) -> None:
        if self.found.problem is None:
            self.found.problem = problem


def _check_straight(first: Frame, moved: npt.NDArray[np.float64], naming: _Naming) -> None:
    """Refuse slices that do not lie on a straight line one behind the other."""
    assert first.spacing is not None
    beside = float(np.abs(moved).max())
    if beside > _SHIFTED * max(1.0, *first.spacing):
        naming.refuse(
            SeriesError(
                naming.name,
                Message("its slices are shifted against each other by up to {0:.1f} mm", beside),
                Message("Export the original series, not slices of several scans."),
            )
        )


def _note_tilt(frame: Frame, across: Vector, found: _Findings) -> None:
    assert frame.orientation is not None
    normal = np.cross(*frame.orientation)
    cosine = float(normal @ across) / float(np.linalg.norm(across))
    tilt = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    if tilt > _TILT:
        found.notes.append(
            Message(
                "The gantry was tilted by {0:.1f}°: each slice is shifted against the next, and "
                "its place in the patient takes that into account.",
                tilt,
            )
        )


def _with_gaps(
    depths: Vector, whole: npt.NDArray[np.float64], across: Vector, naming: _Naming
) -> tuple[Vector, int, tuple[float, ...]]:
    places = np.concatenate([[0.0], np.cumsum(whole)])
    step = float((depths[-1] - depths[0]) / places[-1])
    missing = sorted(set(range(int(places[-1]) + 1)) - {int(place) for place in places})
    at = tuple(round(float(depths[0] + step * k), 2) for k in missing)
    problem = MissingSlices(
        naming.name,
        Message.plural(
            "{0} slice is missing, at {1} mm",
            "{0} slices are missing, at {1} mm",
            len(at),
            named(at),
        ),
        Message("Export the whole series, or accept the gap: nothing is shown there."),
    )
    problem.positions = at
    naming.refuse(problem)
    return across * step, int(places[-1]) + 1, tuple(map(float, places))


def _uneven(
    depths: Vector, across: Vector, naming: _Naming
) -> tuple[Vector, int, tuple[float, ...]]:
    steps = np.diff(depths)
    extent = float(depths[-1] - depths[0])
    count = max(1, round(extent / float(np.median(steps)))) + 1
    step = extent / (count - 1)
    naming.refuse(
        UnevenSlices(
            naming.name,
            Message(
                "its slices are unevenly spaced, {0:.2f} to {1:.2f} mm apart",
                float(steps.min()),
                float(steps.max()),
            ),
            Message("Accept that slices are interpolated at even distances, or export it evenly."),
        )
    )
    return across * step, count, tuple(float(d) for d in (depths - depths[0]) / step)


def named(millimetres: Sequence[float]) -> str:
    """Places along the normal in words; ranges where there are many."""
    texts = [f"{value:.2f}" for value in millimetres]
    if len(texts) <= _NAMED:
        return ", ".join(texts)
    return f"{texts[0]}, {texts[1]}, … {texts[-1]}"


def _repeated(frames: Sequence[Frame], name: Message) -> SeriesError:
    """That several of ``frames`` lie at one place, and which."""
    depths = [frame.depth for frame in frames]
    twice = sorted({round(b, 2) for a, b in pairwise(depths) if b - a < SAME_PLACE})
    return SeriesError(
        name,
        Message("several slices lie at the same place, at {0} mm", named(twice)),
        Message("Leave out the ones that do not belong to it, or export the series again."),
    )
