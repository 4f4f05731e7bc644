"""Where each point of one image lies in the other."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from core.errors import InputError, Message

TransformKind = Literal["translation", "rigid", "similarity", "affine", "homography"]
TRANSFORM_KINDS: tuple[TransformKind, ...] = get_args(TransformKind)
"""From the least to the most general; each one includes those before it."""

KIND_NAMES: dict[TransformKind, Message] = {
    "translation": Message("shift"),
    "rigid": Message("rigid"),
    "similarity": Message("similarity"),
    "affine": Message("affine"),
    "homography": Message("perspective"),
}
"""The kinds in words for a person."""

Points = npt.NDArray[np.float64]
"""N×2 (x, y) in pixels, or N×3 (x, y, z) in patient millimetres (LPS)."""
Matrix = npt.NDArray[np.float64]

_TOLERANCE = 1e-6
"""Largest deviation of an element from what its kind demands, relative to the scale."""
_SMALLEST_SCALE = 1e-6
"""Of any direction, relative to the largest one: below it the matrix has no usable inverse."""


@dataclass(frozen=True)
class Transform:
    """Maps points of the fixed image to the moving one (ITK's convention).

    The value of the resampled moving image at a point of the fixed image is that of the moving
    image at ``apply(point)``.

    Attributes:
        kind: what ``matrix`` may hold. “similarity” is a rotation with one scale; there are no
            reflections in “rigid” and “similarity”. “homography” is for pictures only.
        matrix: homogeneous, its last element 1. 3×3 for pictures: (x, y) in pixels, to the right
            and down, the centre of the first pixel at (0, 0). 4×4 for volumes: (x, y, z) in patient
            millimetres (LPS).

    Raises:
        InputError: the matrix has another shape, is not finite, has no inverse, or is not of its
            kind.
    """

    kind: TransformKind
    matrix: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        if self.kind not in TRANSFORM_KINDS:
            raise _invalid(Message("there is no kind “{0}”", self.kind))
        object.__setattr__(self, "matrix", _checked(self.kind, self.matrix))

    @classmethod
    def of(cls, kind: TransformKind, matrix: npt.ArrayLike) -> Transform:
        """From a 3×3 or 4×4 array; a homography may have any last element but zero."""
        array = np.asarray(matrix, dtype=np.float64)
        if kind == "homography" and array.shape == (3, 3) and array[2, 2] != 0:
            array = array / array[2, 2]
        return cls(kind, tuple(tuple(float(value) for value in row) for row in array))

    @classmethod
    def identity(cls, dimension: int = 2) -> Transform:
        """The translation by nothing, for pictures (2) or volumes (3)."""
        return cls.of("translation", np.eye(dimension + 1))

    @property
    def dimension(self) -> int:
        """2 for pictures, 3 for volumes."""
        return len(self.matrix) - 1

    @property
    def is_identity(self) -> bool:
        """Whether every point stays where it is, up to rounding."""
        return bool(np.abs(self.array - np.eye(len(self.matrix))).max() <= 1e-12)

    @property
    def array(self) -> Matrix:
        """The matrix as an array of its own."""
        return np.array(self.matrix, dtype=np.float64)

    def apply(self, points: npt.ArrayLike) -> Points:
        """Where ``points`` of the fixed image lie in the moving one.

        Args:
            points: …×2 or …×3, as ``dimension``.

        Returns:
            The same shape. NaN for points on the horizon of a homography.
        """
        given = np.asarray(points, dtype=np.float64)
        matrix, last = self.array, self.dimension
        mapped = given @ matrix[:last, :last].T + matrix[:last, last]
        if self.kind != "homography":
            return np.asarray(mapped)
        depth = given @ matrix[last, :last] + matrix[last, last]
        depth = np.where(depth == 0, np.nan, depth)
        return np.asarray(mapped / depth[..., np.newaxis])

    def inverse(self) -> Transform:
        """The transform back: points of the moving image to the fixed one.

        Raises:
            InputError: a homography whose horizon passes through the first pixel of the moving
                image.
        """
        return _tidied(self.kind, np.asarray(np.linalg.inv(self.array), np.float64))

    def compose(self, first: Transform) -> Transform:
        """The transform that applies ``first`` and then this one, of the more general kind.

        Raises:
            ValueError: one is for pictures and the other one for volumes.
            InputError: as :meth:`inverse`.
        """
        if first.dimension != self.dimension:
            raise ValueError("a transform of pictures and one of volumes cannot be composed")
        kind = max(self.kind, first.kind, key=TRANSFORM_KINDS.index)
        return _tidied(kind, self.array @ first.array)

    def parts(self, centre: Iterable[float] | None = None) -> TransformParts:
        """What it does in readable numbers, around ``centre`` of the fixed image (the origin)."""
        middle = np.zeros(self.dimension) if centre is None else np.asarray(list(centre), float)
        linear = self._linear_at(middle)
        rotation, scales = _polar(linear)
        shift = self.apply(middle) - middle
        return TransformParts(
            shift=tuple(float(value) for value in shift),
            angles=_angles(rotation),
            scale=float(np.prod(scales) ** (1 / self.dimension)),
            stretch=float(scales.max() / scales.min()),
            is_mirrored=bool(np.linalg.det(linear) < 0),
        )

    def _linear_at(self, point: Points) -> Matrix:
        """The derivative at ``point``: of a homography it differs from place to place."""
        matrix, last = self.array, self.dimension
        linear: Matrix = matrix[:last, :last]
        if self.kind != "homography":
            return linear
        depth = matrix[last, :last] @ point + matrix[last, last]
        return np.asarray((linear - np.outer(self.apply(point), matrix[last, :last])) / depth)


@dataclass(frozen=True, kw_only=True)
class TransformParts:
    """A transform in readable numbers.

    Attributes:
        shift: of the centre, in pixels (x, y) or millimetres (x, y, z).
        angles: in degrees. One for pictures, positive from x to y, which is clockwise on a screen.
            For volumes around the patient's x, y and z axes, the one around y applied first, then x
            and z, as ITK's Euler3DTransform has them.
        scale: the factor by which lengths grow, as the geometric mean over all directions.
        stretch: the largest factor divided by the smallest one; 1 where shapes are kept.
        is_mirrored: whether left and right are exchanged.
    """

    shift: tuple[float, ...]
    angles: tuple[float, ...]
    scale: float
    stretch: float
    is_mirrored: bool


def _invalid(why: Message) -> InputError:
    return InputError(
        Message("The transform"),
        why,
        Message("Register the two again, or choose another transform."),
    )


def _checked(
    kind: TransformKind, given: tuple[tuple[float, ...], ...]
) -> tuple[tuple[float, ...], ...]:
    """``given`` as plain floats.

    Raises:
        InputError: see :class:`Transform`.
    """
    if len(given) not in (3, 4) or any(len(row) != len(given) for row in given):
        raise _invalid(Message("its matrix is neither 3×3 nor 4×4"))
    matrix = np.array(given, dtype=np.float64)
    if not np.isfinite(matrix).all():
        raise _invalid(Message("its matrix holds numbers that are not finite"))
    _check_form(kind, matrix)
    _check_kind(kind, matrix[:-1, :-1])
    return tuple(tuple(float(value) for value in row) for row in matrix)


def _check_form(kind: TransformKind, matrix: Matrix) -> None:
    last = len(matrix) - 1
    if kind == "homography" and last != 2:
        raise _invalid(Message("a homography is for pictures, not for volumes"))
    if matrix[last, last] != 1 or (kind != "homography" and matrix[last, :last].any()):
        raise _invalid(Message("the last row of its matrix is not that of the kind “{0}”", kind))
    # A homography moves places by pixels but divides by 1 + a few thousandths per pixel: its
    # determinant tells, not its singular values.
    linear = matrix[:last, :last] - np.outer(matrix[:last, last], matrix[last, :last])
    scales = np.linalg.svd(linear, compute_uv=False)
    if scales[-1] <= _SMALLEST_SCALE * max(scales[0], 1.0):
        raise _invalid(Message("its matrix has no inverse"))


def _check_kind(kind: TransformKind, linear: Matrix) -> None:
    if kind in ("affine", "homography"):
        return
    unit = np.eye(len(linear))
    if kind == "translation":
        off = np.abs(linear - unit).max()
    else:
        square = linear.T @ linear
        scale = float(np.trace(square)) / len(linear) if kind == "similarity" else 1.0
        off = np.abs(square / scale - unit).max()
        if np.linalg.det(linear) < 0:
            raise _invalid(Message("it mirrors, which the kind “{0}” never does", kind))
    if off > _TOLERANCE:
        raise _invalid(Message("its matrix is not one of the kind “{0}”", kind))


def _tidied(kind: TransformKind, matrix: Matrix) -> Transform:
    """A computed matrix without the rounding that would take it out of its kind."""
    last = len(matrix) - 1
    if kind != "homography":
        matrix[last] = np.eye(last + 1)[last]
    elif abs(matrix[2, 2]) <= 1e-12 * np.abs(matrix).max():
        raise _invalid(Message("the first pixel of the picture lies on its horizon"))
    if kind == "translation":
        matrix[:last, :last] = np.eye(last)
    return Transform.of(kind, matrix)


def _polar(linear: Matrix) -> tuple[Matrix, Matrix]:
    """The rotation nearest to a matrix, and the factors along its principal directions."""
    left, scales, right = np.linalg.svd(linear)
    if np.linalg.det(left @ right) < 0:
        left = left * np.append(np.ones(len(scales) - 1), -1)
    return left @ right, scales


def _angles(rotation: Matrix) -> tuple[float, ...]:
    if len(rotation) == 2:
        return (math.degrees(math.atan2(rotation[1, 0], rotation[0, 0])),)
    return tuple(math.degrees(angle) + 0.0 for angle in euler_angles(rotation))  # no -0.0


def euler_angles(rotation: npt.ArrayLike) -> tuple[float, float, float]:
    """Radians around x, y and z of a 3×3 rotation Rz·Rx·Ry, the order of ITK's Euler3DTransform."""
    matrix = np.asarray(rotation, dtype=np.float64)
    x = math.asin(min(1.0, max(-1.0, float(matrix[2, 1]))))
    if math.cos(x) > 1e-6:
        y = math.atan2(-matrix[2, 0], matrix[2, 2])
        return x, y, math.atan2(-matrix[0, 1], matrix[1, 1])
    # Around x by a right angle: y and z turn around the same axis, and one of them suffices.
    return x, 0.0, math.atan2(matrix[1, 0], matrix[0, 0])
