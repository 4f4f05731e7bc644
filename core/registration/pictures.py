"""Registration of two pictures: an exhaustive search at small size, then blocks, coarse to fine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import InputError
from core.messages import Message
from core.progress import Progress
from core.registration.blocks import BlockGrid
from core.registration.coarse import FeaturePattern, Pose, distinct, search
from core.registration.consistency import NOTHING, Evidence
from core.registration.features import Measure
from core.registration.information_search import InformationPattern
from core.registration.information_step import InformationStep
from core.registration.levels import Level, enlarged, level_of, reduced, resized, warped
from core.registration.motion import Array
from core.registration.step import AlignmentStep, Step
from core.types import Image
from core.types.transform import TransformKind

SMALLEST_SIDE = 32
"""Pixels: smaller pictures hold too few blocks to be compared."""
_SIZES = (128, 192, 384, 768, 1536)
"""Longest sides that are worked at; the last one is as accurate as fusion needs."""
_INFORMATION_SIZES = (64, 128, 256)
"""The same for mutual information, whose search takes all levels of one picture with all of the
other and which needs no small structure."""
_LARGEST: dict[Measure, int] = {
    "intensity": 1600,
    "direction": 1600,
    "orientation": 640,
    "information": 512,
}
"""Longest side that is worked at. Across modalities finer structure is not common: at 640 pixels
nine of ten results repeated within 2.5 pixels, at full size within 3.3."""
_DEGREES = (0.0, -2.0, 2.0, -4.0, 4.0, -6.0, 6.0)
_SCALES = (1.0, 0.967, 1.033, 0.933, 1.067, 0.9, 1.1)
_POSES = 5
_KEPT = 3
"""Poses that are followed beyond the first size of blocks."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PictureFit:
    """Attributes:
    matrix: 3×3, pixels of the fixed picture → pixels of the moving one.
    evidence: for it, lengths in pixels of the fixed picture.
    before, after: correlation of features at the start and at ``matrix``.
    rival: correlation of the best other pose beside that of this one, 0…1; 0 if there is none.
    overlap: share of the fixed picture that the moving one covers.
    """

    matrix: Array
    evidence: Evidence
    before: float
    after: float
    rival: float
    overlap: float


@dataclass(frozen=True)
class _Candidate:
    pose: Pose
    evidence: Evidence


def register_pictures(
    fixed: Image,
    moving: Image,
    kind: TransformKind,
    compared: Measure,
    progress: Progress,
) -> PictureFit:
    """Find ``moving`` in ``fixed``.

    Raises:
        InputError: a picture is too small.
        Cancelled: by ``progress``.
    """
    for image in (fixed, moving):
        if min(image.size) < SMALLEST_SIDE:
            raise InputError(
                str(image.origin) if image.origin else Message("picture"),
                Message("it is too small to be registered: {0}×{1} pixels", *image.size),
                Message("Choose pictures of at least {0}×{0} pixels.", SMALLEST_SIDE),
            )
    largest = _LARGEST[compared]
    factor = max(fixed.size) // largest
    has_scale = kind not in ("translation", "rigid")
    other = max(moving.size) // largest if has_scale else factor
    mine = level_of(reduced(fixed, factor))
    progress.check()
    theirs = level_of(reduced(moving, other))
    progress.check()
    found = _Pictures(mine, theirs, kind, compared, progress).found()
    return _enlarged(found, max(factor, 1), max(other, 1))


def _enlarged(found: PictureFit, factor: int, other: int) -> PictureFit:
    """A fit of reduced pictures in the pixels of those that they were made from."""
    matrix = enlarged(other) @ found.matrix @ np.linalg.inv(enlarged(factor))
    evidence = replace(
        found.evidence,
        residual=found.evidence.residual * factor,
        spread=found.evidence.spread * factor,
    )
    return replace(found, matrix=matrix / matrix[2, 2], evidence=evidence)


class _Pictures:
    """Two pictures at any size, and the work on them."""

    def __init__(
        self,
        fixed: Level,
        moving: Level,
        kind: TransformKind,
        compared: Measure,
        progress: Progress,
    ) -> None:
        self._fixed, self._moving = fixed, moving
        self._kind, self._compared, self._progress = kind, compared, progress
        self._start = _start(fixed, moving, kind)
        side = max(fixed.size)
        largest = min(side, _LARGEST[compared])
        sizes = _INFORMATION_SIZES if compared == "information" else _SIZES
        self._sides = [*(size for size in sizes if size < 0.8 * largest), largest]

    def found(self) -> PictureFit:
        """The best of all candidates."""
        steps = len(self._sides) + 1
        self._progress.report(0, steps, Message("Searching"))
        poses = self._searched()
        candidates = [_Candidate(pose, NOTHING) for pose in poses]
        ends: list[Pose] = []
        for index, side in enumerate(self._sides[1:] or self._sides):
            self._progress.report(index + 1, steps, Message("Aligning"))
            candidates = self._refined([one.pose for one in candidates], side, is_first=index == 0)
            ends = [one.pose for one in candidates] if index == 0 else ends
            candidates = candidates[: _KEPT if index == 0 else 1]
        best = candidates[0]
        self._progress.report(steps, steps, Message("Aligning"))
        return self._fit(best, ends)

    def _searched(self) -> list[Pose]:
        fixed, to_fixed = self._at(self._fixed, self._sides[0])
        moving, to_moving = self._moving_at(self._sides[0])
        start = to_moving @ self._start @ np.linalg.inv(to_fixed)
        poses = search(
            fixed,
            moving,
            start,
            pattern=InformationPattern(fixed)
            if self._compared == "information"
            else FeaturePattern(fixed, self._compared),
            turns=turns_of(self._kind),
            count=_POSES,
            progress=self._progress,
        )
        back = np.linalg.inv(to_moving)
        found = [Pose(back @ pose.matrix @ to_fixed, pose.score) for pose in poses]
        return found or [Pose(self._start, 0.0)]

    def _step(
        self, fixed: Level, moving: Level, kind: TransformKind, *, grid: BlockGrid, start: Array
    ) -> Step:
        if self._compared == "information":
            return InformationStep(fixed, moving, kind, start, self._progress)
        return AlignmentStep(
            fixed, moving, kind, self._compared, grid=grid, progress=self._progress
        )

    def _at(self, level: Level, side: int) -> tuple[Level, Array]:
        return resized(level, min(1.0, side / max(self._fixed.size)))

    def _moving_at(self, side: int) -> tuple[Level, Array]:
        """At the scale that makes its pixels as large as those of the fixed picture."""
        scale = float(np.sqrt(abs(np.linalg.det(self._start[:2, :2]))))
        return resized(self._moving, min(1.0, side / max(self._fixed.size) / scale))

    def _refined(self, poses: Sequence[Pose], side: int, *, is_first: bool) -> list[_Candidate]:
        fixed, to_fixed = self._at(self._fixed, side)
        moving, to_moving = self._moving_at(side)
        kind = self._kind if side >= _SIZES[2] or side == self._sides[-1] else _simple(self._kind)
        back, into = np.linalg.inv(to_moving), np.linalg.inv(to_fixed)
        start = to_moving @ self._start @ into
        step = self._step(fixed, moving, kind, grid=_grid(side, is_first), start=start)
        is_last = side == self._sides[-1]
        found = []
        for pose in poses:
            better = step.improved(to_moving @ pose.matrix @ into)
            whole = back @ better.matrix @ to_fixed
            found.append((Pose(whole / whole[2, 2], better.score), better))
        found.sort(key=lambda one: -one[0].score)
        return [
            _Candidate(pose, better.evidence() if is_last and rank == 0 else NOTHING)
            for rank, (pose, better) in enumerate(found)
        ]

    def _fit(self, best: _Candidate, ends: Sequence[Pose]) -> PictureFit:
        side = self._sides[-1]
        fixed, to_fixed = self._at(self._fixed, side)
        moving, to_moving = self._moving_at(side)
        into = np.linalg.inv(to_fixed)
        start = to_moving @ self._start @ into
        step = self._step(fixed, moving, self._kind, grid=_grid(side, False), start=start)
        after = step.score(to_moving @ best.pose.matrix @ into)
        there = warped(self._moving, best.pose.matrix, self._fixed.size)
        apart = distinct(ends, self._fixed.frame, len(ends))
        top = apart[0].score if apart else 0.0
        rival = apart[1].score / top if len(apart) > 1 and top > 0 else 0.0
        shorter = 1 / to_fixed[0, 0]
        return PictureFit(
            matrix=best.pose.matrix,
            evidence=replace(
                best.evidence,
                residual=best.evidence.residual * shorter,
                spread=best.evidence.spread * shorter,
            ),
            before=step.score(start),
            after=after,
            rival=max(0.0, rival),
            overlap=float((there.valid & self._fixed.valid).mean()),
        )


def turns_of(kind: TransformKind) -> list[tuple[float, float]]:
    """The (degrees, scale) that the search tries for a kind, those nearest to none first."""
    if kind == "translation":
        return [(0.0, 1.0)]
    scales = (1.0,) if kind == "rigid" else _SCALES
    return [(degrees, scale) for degrees in _DEGREES for scale in scales]


def _simple(kind: TransformKind) -> TransformKind:
    """What few blocks can tell of a kind."""
    return "similarity" if kind in ("affine", "homography") else kind


def _grid(side: int, is_first: bool) -> BlockGrid:
    block = 32 if side < _SIZES[2] else 48 if side < 700 else 64
    return BlockGrid(
        block, block // 2 if side < _SIZES[2] else block * 2 // 3, 6 if is_first else 4
    )


def _start(fixed: Level, moving: Level, kind: TransformKind) -> Array:
    """Both centres on each other; where a kind has a scale, both pictures equally large."""
    (width, height), (other_width, other_height) = fixed.size, moving.size
    scale = 1.0
    if kind not in ("translation", "rigid"):
        scale = float(np.sqrt((other_width * other_height) / (width * height)))
    x = (other_width - 1) / 2 - scale * (width - 1) / 2
    y = (other_height - 1) / 2 - scale * (height - 1) / 2
    return np.array([[scale, 0, x], [0, scale, y], [0, 0, 1]])
