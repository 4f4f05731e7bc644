"""Moves of one picture on another: what a transform does to it, and the transform after a move.

A :class:`Transform` maps points of the fixed image to the moving one. What a person sees, and
drags, is the opposite: the moving image that is moved on the fixed one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from core.types.transform import Matrix, Transform, TransformKind, TransformParts

PictureSize = tuple[int, int]
"""(width, height) in pixels."""


def shift_by(offset: Sequence[float]) -> Transform:
    """The move by ``offset``, in pixels (x, y) or millimetres (x, y, z)."""
    return Transform.of("translation", _around(offset, np.eye(len(offset)), moved=offset))


def turn_about(
    centre: Sequence[float], degrees: float, axis: Sequence[float] = (0, 0, 1)
) -> Transform:
    """The rotation around ``centre``: of a picture from x to y, which is clockwise on a screen.

    Args:
        centre: (x, y), or (x, y, z) of a volume.
        degrees: right-handed around ``axis``.
        axis: of volumes, any length but 0.
    """
    turn = _rotation(math.radians(degrees), axis)[: len(centre), : len(centre)]
    return Transform.of("rigid", _around(centre, turn))


def scale_about(centre: Sequence[float], factor: float) -> Transform:
    """The enlargement by ``factor`` that leaves ``centre`` where it is."""
    return Transform.of("similarity", _around(centre, factor * np.eye(len(centre))))


def moved(transform: Transform, move: Transform) -> Transform:
    """The transform with the moving image moved by ``move`` from where it lies on the fixed one.

    Raises:
        InputError: see :meth:`Transform.inverse`.
    """
    return transform.compose(move.inverse())


def by_size(moving: PictureSize, fixed: PictureSize) -> Transform:
    """The transform that lays a picture of one size on one of another size, border on border.

    Pixels are areas: the borders are half a pixel before the first centre and after the last one.
    """
    if moving == fixed:
        return Transform.identity()
    matrix = np.eye(3)
    for axis in range(2):
        scale = moving[axis] / fixed[axis]
        matrix[axis, axis], matrix[axis, 2] = scale, scale / 2 - 0.5
    is_alike = math.isclose(matrix[0, 0], matrix[1, 1], rel_tol=1e-9)
    return Transform.of("similarity" if is_alike else "affine", matrix)


def motion_parts(transform: Transform, moving: PictureSize, fixed: PictureSize) -> TransformParts:
    """How far the moving picture is moved on the fixed one, beyond :func:`by_size`.

    In pixels of the fixed picture, of its centre: a shift of (3, 1) moves the picture to the right
    by 3 and down by 1.

    Raises:
        InputError: see :meth:`Transform.inverse`.
    """
    kind: TransformKind = "homography" if transform.kind == "homography" else "affine"
    rest = np.linalg.inv(transform.array) @ by_size(moving, fixed).array
    if kind == "affine":
        rest[2] = (0, 0, 1)
    return Transform.of(kind, rest).parts(centre_of(fixed))


def with_motion(
    transform: Transform,
    sizes: tuple[PictureSize, PictureSize],
    *,
    shift: Sequence[float] | None = None,
    angle: float | None = None,
    scale: float | None = None,
) -> Transform:
    """The transform whose :func:`motion_parts` are these; what is None stays.

    Args:
        sizes: of the moving and of the fixed picture.
        shift: (x, y) in pixels of the fixed picture.
        angle: in degrees.
        scale: over 0.
    """
    parts = motion_parts(transform, *sizes)
    x, y = centre_of(sizes[1])
    at = (x + parts.shift[0], y + parts.shift[1])
    if angle is not None and angle != parts.angles[0]:
        transform = moved(transform, turn_about(at, angle - parts.angles[0]))
    if scale is not None and scale != parts.scale:
        transform = moved(transform, scale_about(at, scale / parts.scale))
    if shift is not None and tuple(shift) != parts.shift:
        off = (shift[0] - parts.shift[0], shift[1] - parts.shift[1])
        transform = moved(transform, shift_by(off))
    return transform


def volume_motion_parts(transform: Transform, centre: Sequence[float]) -> TransformParts:
    """How far the moving volume is moved on the fixed one, in millimetres around ``centre``.

    Raises:
        InputError: see :meth:`Transform.inverse`.
    """
    return transform.inverse().parts(centre)


def with_volume_motion(
    transform: Transform,
    centre: Sequence[float],
    *,
    shift: Sequence[float] | None = None,
    angles: Sequence[float] | None = None,
) -> Transform:
    """The transform whose :func:`volume_motion_parts` are these; what is None stays.

    Args:
        centre: (x, y, z) in patient mm (LPS).
        shift: of it, in mm.
        angles: in degrees around x, y and z, as :class:`TransformParts` has them.
    """
    parts = volume_motion_parts(transform, centre)
    if angles is not None and tuple(angles) != parts.angles:
        at = np.add(centre, parts.shift)
        turn = _euler(angles) @ _euler(parts.angles).T
        transform = moved(transform, Transform.of("rigid", _around(at, turn)))
    if shift is not None and tuple(shift) != parts.shift:
        off = [float(to - of) for to, of in zip(shift, parts.shift, strict=True)]
        transform = moved(transform, shift_by(off))
    return transform


def _euler(degrees: Sequence[float]) -> Matrix:
    """Rz·Rx·Ry, the order of ITK's Euler3DTransform."""
    x, y, z = (math.radians(angle) for angle in degrees)
    return np.asarray(_rotation(z, (0, 0, 1)) @ _rotation(x, (1, 0, 0)) @ _rotation(y, (0, 1, 0)))


def centre_of(size: PictureSize) -> tuple[float, float]:
    """The centre of a picture, the centre of its first pixel being (0, 0)."""
    return (size[0] - 1) / 2, (size[1] - 1) / 2


def _around(
    centre: Sequence[float] | npt.NDArray[np.float64],
    linear: Matrix,
    moved: Sequence[float] | npt.NDArray[np.float64] | None = None,
) -> Matrix:
    """The matrix that leaves ``centre`` where it is, unless it is moved."""
    middle, last = np.asarray(centre, np.float64), len(linear)
    matrix = np.eye(last + 1)
    matrix[:last, :last] = linear
    matrix[:last, last] = middle - linear @ middle if moved is None else moved
    return matrix


def _rotation(angle: float, axis: Sequence[float]) -> Matrix:
    """Rodrigues' formula."""
    x, y, z = np.asarray(axis, np.float64) / np.linalg.norm(np.asarray(axis, np.float64))
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross)
