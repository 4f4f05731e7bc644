"""Small motions of points as elements of a group, fitted to displacements that are partly wrong.

A motion is ``exp`` of a combination of generators, so that an update of a rigid transform is rigid
again, without a parametrisation of each kind. Coordinates are those of :class:`CentredFrame`, so
that all parameters are displacements in half diagonals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.types.transform import TransformKind

Array = npt.NDArray[np.float64]

_ITERATIONS = 12
_HYPOTHESES = 256
_RIDGE = 1e-9

# Rows and columns of homogeneous 3×3 matrices.
_GENERATORS: dict[TransformKind, tuple[tuple[tuple[int, int, float], ...], ...]] = {
    "translation": (((0, 2, 1.0),), ((1, 2, 1.0),)),
}
_GENERATORS["rigid"] = _GENERATORS["translation"] + (((0, 1, -1.0), (1, 0, 1.0)),)
_GENERATORS["similarity"] = _GENERATORS["rigid"] + (((0, 0, 1.0), (1, 1, 1.0)),)
_GENERATORS["affine"] = _GENERATORS["similarity"] + (
    ((0, 0, 1.0), (1, 1, -1.0)),
    ((0, 1, 1.0), (1, 0, 1.0)),
)
_GENERATORS["homography"] = _GENERATORS["affine"] + (((2, 0, -1.0),), ((2, 1, -1.0),))


def degrees_of_freedom(kind: TransformKind) -> int:
    """Of a kind in two dimensions: 2, 3, 4, 6 or 8."""
    return len(_GENERATORS[kind])


@dataclass(frozen=True)
class CentredFrame:
    """Coordinates centred in an image of ``width``×``height`` pixels, in half diagonals."""

    width: int
    height: int

    @property
    def matrix(self) -> Array:
        """Pixels → coordinates, 3×3."""
        radius = 0.5 * float(np.hypot(self.width, self.height))
        x, y = (self.width - 1) / 2, (self.height - 1) / 2
        return np.array([[1, 0, -x], [0, 1, -y], [0, 0, radius]]) / radius

    @property
    def corners(self) -> Array:
        """4×2 centres of the corner pixels."""
        right, bottom = self.width - 1, self.height - 1
        return np.array([[0, 0], [right, 0], [0, bottom], [right, bottom]], np.float64)


def mapped(matrix: Array, points: Array) -> Array:
    """…×2 points through a 3×3 matrix."""
    moved = points @ matrix[:2, :2].T + matrix[:2, 2]
    depth = points @ matrix[2, :2] + matrix[2, 2]
    return np.asarray(moved / depth[..., np.newaxis])


def exponential(kind: TransformKind, parameters: Array) -> Array:
    """The 3×3 matrix of a motion in the coordinates of :class:`CentredFrame`."""
    tangent = np.zeros((3, 3))
    for parameter, entries in zip(parameters, _GENERATORS[kind], strict=True):
        for row, column, value in entries:
            tangent[row, column] += value * parameter
    # Scaling and squaring of the power series: motions are small, and BLAS threads cost more.
    halvings = max(0, int(np.ceil(np.log2(max(float(np.abs(tangent).sum()), 1e-9)))) + 3)
    step = tangent / 2**halvings
    term = matrix = np.eye(3)
    for order in range(1, 9):
        term = term @ step / order
        matrix = matrix + term
    for _ in range(halvings):
        matrix = matrix @ matrix
    return np.asarray(matrix / matrix[2, 2])


def tangent(kind: TransformKind, matrix: Array) -> Array:
    """K parameters of about the motion ``matrix``, to the first order: the way back of
    :func:`exponential`."""
    (a, b, x), (c, d, y), (tilt_x, tilt_y, _) = matrix / matrix[2, 2]
    half = (a - d) / 2, (b + c) / 2
    every = [x, y, (c - b) / 2, (a + d) / 2 - 1, *half, -tilt_x, -tilt_y]
    return np.array(every[: degrees_of_freedom(kind)])


def directions(kind: TransformKind, points: Array) -> Array:
    """N×2×K derivatives of displacement at ``points`` N×2 by each parameter."""
    homogeneous = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    found = np.empty((len(points), 2, degrees_of_freedom(kind)))
    for index, entries in enumerate(_GENERATORS[kind]):
        generator = np.zeros((3, 3))
        for row, column, value in entries:
            generator[row, column] = value
        velocity = homogeneous @ generator.T
        found[:, :, index] = velocity[:, :2] - points * velocity[:, 2:]
    return found


def pulled_back(kind: TransformKind, matrix: Array, points: Array, slopes: Array) -> Array:
    """K derivatives, by a motion before ``matrix``, of a sum over places.

    Args:
        kind: of the motion, which is taken at none.
        matrix: 3×3, coordinates of :class:`CentredFrame` → places.
        points: N×2 in these coordinates.
        slopes: N×2 derivatives of the sum by each place ``mapped(matrix, points)``.
    """
    homogeneous = np.concatenate([points, np.ones((len(points), 1))], axis=1)
    depth = homogeneous @ matrix[2]
    places = (homogeneous @ matrix[:2].T) / depth[:, np.newaxis]
    along = (slopes * places).sum(axis=1)
    x, y = ((slopes @ matrix[:2, axis] - along * matrix[2, axis]) / depth for axis in (0, 1))
    # By the entries of a 3×3 velocity: the generators are sums of these.
    entries = np.stack([x, y, -(x * points[:, 0] + y * points[:, 1])]) @ homogeneous
    return np.array(
        [
            sum(entries[row, column] * value for row, column, value in generator)
            for generator in _GENERATORS[kind]
        ]
    )


@dataclass(frozen=True, eq=False)
class Displacements:
    """Where parts of an image were found, relative to where they were expected.

    Attributes:
        points: N×2 centres in coordinates of a :class:`CentredFrame`.
        shifts: N×2 in the same unit.
        information: N×2×2, inverse covariances up to a common factor, in pixels⁻².
        unit: pixels per unit of the coordinates.
    """

    points: Array
    shifts: Array
    information: Array
    unit: float

    def part(self, chosen: npt.NDArray[np.intp] | npt.NDArray[np.bool_]) -> Displacements:
        """Those at ``chosen``, an index or a mask."""
        return Displacements(
            self.points[chosen], self.shifts[chosen], self.information[chosen], self.unit
        )

    def __len__(self) -> int:
        return len(self.points)


def residuals(kind: TransformKind, of: Displacements, parameters: Array) -> Array:
    """N×2 displacements in pixels that a motion leaves unexplained."""
    moved = mapped(exponential(kind, parameters), of.points)
    return np.asarray((of.points + of.shifts - moved) * of.unit)


def _solve(rows: Array, of: Displacements, weights: Array) -> Array:
    weighted = of.information * weights[:, np.newaxis, np.newaxis]
    normal = np.einsum("nik,nij,njl->kl", rows, weighted, rows, optimize=True)
    right = np.einsum("nik,nij,nj->k", rows, weighted, of.shifts, optimize=True)
    ridge = _RIDGE * max(float(np.trace(normal)), 1e-30)
    return np.asarray(np.linalg.solve(normal + ridge * np.eye(len(normal)), right))


def fit(
    kind: TransformKind,
    of: Displacements,
    scale: float,
    start: Array | None = None,
) -> tuple[Array, Array]:
    """A motion that most of the displacements agree with.

    Iteratively reweighted least squares with Tukey's biweight, started at a consensus.

    Args:
        kind: of the motion.
        of: the displacements, at least as many as the kind needs.
        scale: residual in pixels beyond which a displacement has no weight.
        start: parameters; a consensus of random samples (seeded) if None.

    Returns:
        K parameters and N weights in [0, 1].
    """
    rows = directions(kind, of.points)
    parameters = consensus(kind, of, scale) if start is None else start
    weights = np.ones(len(of))
    for _ in range(_ITERATIONS):
        distance = np.linalg.norm(residuals(kind, of, parameters), axis=1) / scale
        weights = np.where(distance < 1, (1 - distance**2) ** 2, 0.0)
        if weights.sum() * 2 <= rows.shape[2]:
            break
        # Linear in the displacement that is left, around the motion so far.
        left = Displacements(
            of.points, of.shifts - _moved(kind, of, parameters), of.information, of.unit
        )
        step = _solve(rows, left, weights)
        parameters = parameters + step
        if np.abs(step).max() * of.unit < 1e-4:
            break
    return parameters, weights


def _moved(kind: TransformKind, of: Displacements, parameters: Array) -> Array:
    return mapped(exponential(kind, parameters), of.points) - of.points


def consensus(kind: TransformKind, of: Displacements, scale: float) -> Array:
    """The best of random minimal samples by truncated residuals, weighted by information."""
    rows = directions(kind, of.points)
    count = -(-rows.shape[2] // 2)
    generator = np.random.default_rng(0)
    strength = np.sqrt(np.trace(of.information, axis1=1, axis2=2))
    strength = strength / strength.sum()
    size = len(of)
    if size <= count:
        return np.zeros(rows.shape[2])
    # The largest of log p + Gumbel noise are a weighted sample without replacement.
    noise = np.log(strength + 1e-12) + generator.gumbel(size=(_HYPOTHESES, size))
    picks = np.argpartition(-noise, count - 1, axis=1)[:, :count]
    sampled = rows[picks].reshape(len(picks), 2 * count, -1)
    shifts = of.shifts[picks].reshape(len(picks), 2 * count)
    normal = np.einsum("hak,hal->hkl", sampled, sampled)
    normal += 1e-4 * np.eye(rows.shape[2])
    right = np.einsum("hak,ha->hk", sampled, shifts)
    candidates = np.linalg.solve(normal, right[..., np.newaxis])[..., 0]
    candidates = np.concatenate([np.zeros((1, rows.shape[2])), candidates])
    off = of.shifts[np.newaxis] - np.einsum("nik,hk->hni", rows, candidates)
    distance = np.minimum(np.linalg.norm(off, axis=2) * of.unit / scale, 1.0)
    cost = (distance**2) @ strength
    return np.asarray(candidates[int(np.argmin(cost))])
