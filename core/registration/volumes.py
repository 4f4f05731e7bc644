"""Registration of two volumes: mutual information from several starts, coarse to fine.

The optimiser and Mattes' mutual information are those of SimpleITK. Everything random is seeded:
the same call gives the same result up to the rounding of sums over threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import Cancelled, InputError
from core.messages import Message
from core.progress import Progress
from core.registration.motion import Array
from core.registration.volume_levels import Itk, VolumeLevel, levels_of
from core.types import BoolArray, Volume
from core.types.transform import TransformKind

LEAST_SLICES = 4
"""Voxels along each axis below which three dimensions cannot be compared."""
_FACTORS = (4.0, 2.0, 1.0)
_ANGLE = 12.0
"""Degrees up to which starts are turned."""
_TURNED = 5
"""Turned starts around each of the centres."""
_KEPT = (4, 2, 1)
"""Candidates that go on from each level."""
_BINS = 32
_SAMPLES = (8_000, 20_000, 40_000)
_ITERATIONS = (80, 60, 60)
_STEPS = (4.0, 2.0, 1.0)
"""First step of the optimiser in voxels of the level, by level."""
_WORK_UNITS = 4
_NEARLY = 0.98
"""Share of the best information that a rival has."""
_APART = 0.5
"""Voxels of the coarsest level within which two starts are one."""


@dataclass(frozen=True, kw_only=True, eq=False)
class VolumeFit:
    """Attributes:
    matrix: 4×4, patient mm of the fixed volume → of the moving one.
    spread: mm at the corners of the body, of estimates from halves of it.
    rivals: mm at the corners between the best end and others that are nearly as good.
    moved: mm at the corners of the body between where the files place it and ``matrix``.
    before, after: mutual information in nats; 0 where the volumes do not overlap.
    overlap: share of the body that the moving volume covers.
    """

    matrix: Array
    spread: float
    rivals: float
    moved: float
    before: float
    after: float
    overlap: float


NO_FIT = VolumeFit(
    matrix=np.eye(4),
    spread=float("inf"),
    rivals=float("inf"),
    moved=0,
    before=0,
    after=0,
    overlap=0,
)


def register_volumes(
    fixed: Volume, moving: Volume, kind: TransformKind, progress: Progress
) -> VolumeFit:
    """Find ``moving`` in ``fixed``.

    Raises:
        InputError: a volume has too few slices, or the kind is for pictures only.
        Cancelled: by ``progress``.
    """
    if kind == "homography":
        raise InputError(
            Message("volume"),
            Message("a perspective transform is for pictures only"),
            Message("Choose a rigid or affine transform."),
        )
    for volume in (fixed, moving):
        _check(volume)
    progress.report(0, len(_FACTORS) + 1, Message("Preparing"))
    theirs = levels_of(moving, _FACTORS, progress)
    mine = levels_of(fixed, _FACTORS, progress)
    if not all(level.counts.any() for level in (*mine, *theirs)):
        return NO_FIT
    return _Volumes(mine, theirs, kind, progress).found()


def _check(volume: Volume) -> None:
    if min(volume.shape) < LEAST_SLICES:
        raise InputError(
            volume.title or Message("volume"),
            Message("{0}×{1}×{2} voxels are too few for a registration", *volume.shape[::-1]),
            Message(
                "Choose a series of at least {0} slices, or register two slices as pictures.",
                LEAST_SLICES,
            ),
        )


@dataclass(frozen=True, eq=False)
class _End:
    matrix: Array
    information: float


class _Volumes:
    """Two volumes at all levels."""

    def __init__(
        self,
        fixed: Sequence[VolumeLevel],
        moving: Sequence[VolumeLevel],
        kind: TransformKind,
        progress: Progress,
    ) -> None:
        self._fixed, self._moving = fixed, moving
        self._kind, self._progress = kind, progress
        self._centre = fixed[-1].centre
        self._corners = fixed[-1].corners

    def found(self) -> VolumeFit:
        """The best end of all starts."""
        steps = len(_FACTORS) + 1
        matrices = self._starts()
        ends: list[_End] = []
        contenders: list[_End] = []
        for index in range(len(_FACTORS)):
            self._progress.report(index, steps, Message("Aligning"))
            search = self._search(index)
            ends = [end for m in matrices if (end := search.optimised(m)) is not None]
            if not ends:
                return NO_FIT
            ends.sort(key=lambda end: -end.information)
            contenders = ends if index == 1 else contenders
            ends = self._distinct(ends)[: _KEPT[index]]
            matrices = [end.matrix for end in ends]
        best = ends[0]
        self._progress.report(steps - 1, steps, Message("Checking"))
        finest = self._search(len(_FACTORS) - 1)
        fit = VolumeFit(
            matrix=best.matrix,
            spread=self._spread(best),
            rivals=self._rivals(best, contenders),
            moved=self._off(best.matrix, np.eye(4)),
            before=finest.information(np.eye(4)),
            after=finest.information(best.matrix),
            overlap=self._overlap(best.matrix),
        )
        self._progress.report(steps, steps, Message("Checking"))
        return fit

    def _search(self, index: int, part: BoolArray | None = None) -> _Search:
        return _Search(
            self._fixed[index],
            self._moving[index],
            index,
            part=part,
            kind=self._kind,
            centre=self._centre,
            progress=self._progress,
        )

    def _starts(self) -> list[Array]:
        """As the millimetres are, centre on centre, body on body; each also turned."""
        fixed, moving = self._fixed[0], self._moving[0]
        shifts = [
            np.zeros(3),
            moving.centre - fixed.centre,
            moving.grid.corners().mean(axis=0) - fixed.grid.corners().mean(axis=0),
        ]
        limit = _APART * max(fixed.grid.spacing)
        generator = np.random.default_rng(0)
        found: list[Array] = []
        for shift in shifts:
            straight = np.eye(4)
            straight[:3, 3] = shift
            if any(np.linalg.norm(shift - other[:3, 3]) < limit for other in found):
                continue
            found.append(straight)
        if self._kind == "translation":
            return found
        turned = [
            start @ _about(self._centre, generator.uniform(-_ANGLE, _ANGLE, 3))
            for start in found
            for _ in range(_TURNED)
        ]
        return [*found, *turned]

    def _off(self, one: Array, other: Array) -> float:
        """Mean distance of the corners under two matrices, in mm."""
        return float(
            np.linalg.norm(_moved(one, self._corners) - _moved(other, self._corners), axis=1).mean()
        )

    def _distinct(self, ends: Iterable[_End]) -> list[_End]:
        limit = max(self._fixed[-1].grid.spacing)
        kept: list[_End] = []
        for end in ends:
            if all(self._off(end.matrix, other.matrix) > limit for other in kept):
                kept.append(end)
        return kept

    def _rivals(self, best: _End, contenders: Sequence[_End]) -> float:
        """How far ends lie that are within a fiftieth of the best information at their level."""
        top = contenders[0].information
        near = [end for end in contenders if end.information > _NEARLY * top]
        return max(self._off(best.matrix, end.matrix) for end in near)

    def _spread(self, best: _End) -> float:
        index = 1
        level = self._fixed[index]
        off = []
        for part in _halves(level):
            end = self._search(index, part).optimised(best.matrix)
            off.append(float("inf") if end is None else self._off(best.matrix, end.matrix))
        return float(np.sort(off)[-1])

    def _overlap(self, matrix: Array) -> float:
        fixed, moving = self._fixed[0], self._moving[0]
        places = fixed.grid.to_patient(np.argwhere(fixed.counts)[:, ::-1])
        return float(moving.grid.holds(_moved(matrix, places)).mean())


class _Search:
    """The optimiser at one level."""

    def __init__(
        self,
        fixed: VolumeLevel,
        moving: VolumeLevel,
        index: int,
        *,
        part: BoolArray | None,
        kind: TransformKind,
        centre: Array,
        progress: Progress,
    ) -> None:
        counts = fixed.counts if part is None else part
        self._kind, self._centre, self._progress = kind, centre, progress
        self._index = index
        self._voxel = float(np.mean(fixed.grid.spacing))
        self._fixed, self._moving = fixed.image(), moving.image()
        self._mask = fixed.mask(counts)
        self._valid = None if moving.valid.all() else moving.mask(moving.valid)
        self._share = min(1.0, _SAMPLES[index] / max(int(counts.sum()), 1))

    def _method(self) -> Itk:
        import SimpleITK as sitk

        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(_BINS)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(self._share, 1)
        method.SetMetricFixedMask(self._mask)
        if self._valid is not None:
            method.SetMetricMovingMask(self._valid)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetNumberOfWorkUnits(_WORK_UNITS)
        return method

    def information(self, matrix: Array) -> float:
        """Mutual information at ``matrix`` in nats; 0 without overlap."""
        method = self._method()
        method.SetInitialTransform(_transform(self._kind, matrix, self._centre), True)
        try:
            return -float(method.MetricEvaluate(self._fixed, self._moving))
        except RuntimeError:
            return 0.0

    def optimised(self, matrix: Array) -> _End | None:
        """Where the optimiser ends from ``matrix``; None where the volumes do not overlap."""
        import SimpleITK as sitk

        self._progress.check()
        method = self._method()
        step = _STEPS[self._index] * self._voxel / 2
        method.SetOptimizerAsRegularStepGradientDescent(
            step, 0.002 * self._voxel, _ITERATIONS[self._index], 0.6, 1e-8
        )
        method.SetOptimizerScalesFromPhysicalShift()
        transform = _transform(self._kind, matrix, self._centre)
        method.SetInitialTransform(transform, True)
        stopped: list[Cancelled] = []

        def heed() -> None:
            try:
                self._progress.check()
            except Cancelled as cancelled:
                stopped.append(cancelled)
                method.StopRegistration()

        method.AddCommand(sitk.sitkIterationEvent, heed)
        try:
            method.Execute(self._fixed, self._moving)
        except RuntimeError:  # all samples outside of the moving volume
            return None
        if stopped:
            raise stopped[0]
        return _End(_matrix(transform), -float(method.GetMetricValue()))


def _halves(level: VolumeLevel) -> list[BoolArray]:
    """What counts, divided at its centre along each axis."""
    parts = []
    places = np.argwhere(level.counts)
    for axis in range(3):
        middle = float(np.median(places[:, axis]))
        index = np.arange(level.counts.shape[axis])
        for chosen in (index <= middle, index >= middle):
            shape = [1, 1, 1]
            shape[axis] = -1
            parts.append(level.counts & chosen.reshape(shape))
    return parts


def _moved(matrix: Array, points: Array) -> Array:
    return np.asarray(points @ matrix[:3, :3].T + matrix[:3, 3])


def _about(centre: Array, degrees: Array) -> Array:
    import SimpleITK as sitk

    transform = sitk.Euler3DTransform()
    transform.SetCenter(centre.tolist())
    transform.SetRotation(*np.deg2rad(degrees).tolist())
    return _matrix(transform)


def _transform(kind: TransformKind, matrix: Array, centre: Array) -> Itk:
    """A transform of SimpleITK of a kind that does what ``matrix`` does."""
    import SimpleITK as sitk

    shift = _moved(matrix, centre) - centre
    if kind == "translation":
        return sitk.TranslationTransform(3, shift.tolist())
    made = {
        "rigid": sitk.Euler3DTransform,
        "similarity": sitk.Similarity3DTransform,
        "affine": lambda: sitk.AffineTransform(3),
    }[kind]()
    made.SetCenter(centre.tolist())
    made.SetMatrix(matrix[:3, :3].ravel().tolist())
    made.SetTranslation(shift.tolist())
    return made


def _matrix(transform: Itk) -> Array:
    """4×4 of an affine transform of SimpleITK."""
    matrix = np.eye(4)
    origin = np.array(transform.TransformPoint((0.0, 0.0, 0.0)))
    matrix[:3, 3] = origin
    for axis in range(3):
        unit = np.eye(3)[axis].tolist()
        matrix[:3, axis] = np.array(transform.TransformPoint(unit)) - origin
    return matrix
