"""Transforms from pairs of points that a person has marked: least squares, and what they leave."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from core.errors import InputError, Message
from core.types import Transform, TransformKind
from core.types.transform import Matrix, Points

LEAST_POINTS: dict[TransformKind, int] = {
    "translation": 1,
    "rigid": 2,
    "similarity": 2,
    "affine": 3,
    "homography": 4,
}
"""Pairs of points in pictures that determine each kind; with so many nothing is left over."""
_FLAT = 1e-9
"""Smallest extent of the points in any direction, relative to the largest one."""


def least_points(kind: TransformKind, dimension: int) -> int:
    """Pairs of points that determine a kind in pictures (2) or volumes (3)."""
    return LEAST_POINTS[kind] + (dimension - 2 if kind != "translation" else 0)


def fit_landmarks(kind: TransformKind, fixed: npt.ArrayLike, moving: npt.ArrayLike) -> Transform:
    """The transform of a kind that leads from the fixed points to the moving ones.

    Least squares of the distances in the moving image: in closed form by S. Umeyama (IEEE TPAMI
    13(4), 1991) up to similarities, by the normal equations for affine transforms. For homographies
    the normalised direct linear transform (R. Hartley, IEEE TPAMI 19(6), 1997), whose error is
    algebraic.

    Args:
        kind: of the transform.
        fixed, moving: N×2 (x, y) in pixels, or N×3 in millimetres; rows belong together.

    Raises:
        InputError: there are too few pairs for the kind, or they do not determine it since they
            lie on each other or on a line.
    """
    source, target = np.asarray(fixed, np.float64), np.asarray(moving, np.float64)
    least = least_points(kind, source.shape[1])
    if len(source) < least:
        raise InputError(
            Message("The pairs of points"),
            Message("“{0}” takes at least {1}", kind, least),
            Message("Mark more of them."),
        )
    if kind == "homography":
        return Transform.of(kind, _homography(source, target))
    if kind == "translation":
        return Transform.of(kind, _matrix(np.eye(source.shape[1]), source, target))
    if kind == "affine":
        return Transform.of(kind, _matrix(_affine(source, target), source, target))
    linear = _similarity(source, target, has_scale=kind == "similarity")
    return Transform.of(kind, _matrix(linear, source, target))


def landmark_residuals(transform: Transform, fixed: npt.ArrayLike, moving: npt.ArrayLike) -> Points:
    """Distance of each mapped fixed point from its moving one, in pixels or mm of the latter."""
    off = transform.apply(fixed) - np.asarray(moving, np.float64)
    return np.asarray(np.linalg.norm(off, axis=-1))


def _undetermined() -> InputError:
    return InputError(
        Message("The pairs of points"),
        Message("they lie on each other or on a line"),
        Message("Mark others that are spread over the picture."),
    )


def _matrix(linear: Matrix, source: Points, target: Points) -> Matrix:
    """Homogeneous, leading from the mean of the source to that of the target."""
    last = len(linear)
    matrix = np.eye(last + 1)
    matrix[:last, :last] = linear
    matrix[:last, last] = target.mean(axis=0) - linear @ source.mean(axis=0)
    return matrix


def _similarity(source: Points, target: Points, *, has_scale: bool) -> Matrix:
    """Rotation, with a scale if wanted, never a reflection."""
    one, other = source - source.mean(axis=0), target - target.mean(axis=0)
    left, values, right = np.linalg.svd(other.T @ one)
    # One direction may be empty: then the rotation is the one without reflection.
    if values[-2] <= _FLAT * max(float((one**2).sum()), float((other**2).sum())):
        raise _undetermined()
    signs = np.ones(len(values))
    signs[-1] = np.sign(np.linalg.det(left @ right)) or 1.0
    rotation = (left * signs) @ right
    scale = float((values * signs).sum() / (one**2).sum()) if has_scale else 1.0
    if scale <= 0:
        raise _undetermined()
    return np.asarray(scale * rotation)


def _affine(source: Points, target: Points) -> Matrix:
    one, other = source - source.mean(axis=0), target - target.mean(axis=0)
    spread = np.linalg.svd(one, compute_uv=False)
    if spread[-1] <= math.sqrt(_FLAT) * spread[0]:
        raise _undetermined()
    found, *_rest = np.linalg.lstsq(one, other, rcond=None)
    return np.asarray(found.T)


def _homography(source: Points, target: Points) -> Matrix:
    into_source, into_target = _normalisation(source), _normalisation(target)
    rows = []
    for (x, y), (u, v) in zip(
        _mapped(into_source, source), _mapped(into_target, target), strict=True
    ):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y, -u])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y, -v])
    _left, values, right = np.linalg.svd(np.array(rows))
    if values[7] <= math.sqrt(_FLAT) * values[0]:
        raise _undetermined()
    matrix = np.linalg.inv(into_target) @ right[-1].reshape(3, 3) @ into_source
    return np.asarray(matrix)


def _normalisation(points: Points) -> Matrix:
    """To mean 0 and mean distance √2."""
    mean = points.mean(axis=0)
    distance = float(np.linalg.norm(points - mean, axis=1).mean())
    if distance == 0:
        raise _undetermined()
    scale = math.sqrt(2) / distance
    return np.array([[scale, 0, -scale * mean[0]], [0, scale, -scale * mean[1]], [0, 0, 1]])


def _mapped(matrix: Matrix, points: Points) -> Points:
    return np.asarray(points @ matrix[:2, :2].T + matrix[:2, 2])
