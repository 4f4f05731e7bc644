"""Visualisation of feature maps: PCA as RGB on a basis common to both sources, mean, channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.types import FloatArray

FeatureMode = Literal["pca", "mean", "channel"]

_SAMPLES = 65_536
"""Feature vectors per source from which the common basis is computed."""


_IGNORED_BORDER = 2
"""Cells along the edge that are ignored when the background is estimated."""

_MAX_DEVIATION = 0.15
"""Largest distance of a background cell from the background, in standard deviations."""

_MAX_BACKGROUND = 0.2
"""Largest grey value of a background."""


@dataclass(frozen=True, eq=False)
class PcaBasis:
    """Three principal directions common to both adapters, with the displayed range of each.

    ``mean``: C. ``axes``: 3×C. ``low``, ``high``: 3, the 1st and 99th percentile of the scores.
    """

    mean: FloatArray
    axes: FloatArray
    low: FloatArray
    high: FloatArray


def common_basis(features_a: FloatArray, features_b: FloatArray) -> PcaBasis:
    """Principal directions of both C×h×w maps together, so that equal colours mean equal features.

    Maps with fewer than three channels get zero directions for the rest. Where both images have a
    background (most of their border is uniform), it is shown in the same dark grey in both: the
    difference of the two backgrounds is projected out of the basis, and the range of each direction
    starts slightly below the background.
    """
    grounds = [
        ground for ground in map(_background, (features_a, features_b)) if ground is not None
    ]
    if len(grounds) == 2:
        return _basis_over(features_a, features_b, grounds[0], grounds[1])
    samples = np.concatenate([_vectors(features_a), _vectors(features_b)])
    mean = samples.mean(axis=0)
    centred = samples - mean
    _, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    axes = np.zeros((3, samples.shape[1]), np.float64)
    found = vectors.T[::-1][:3]
    axes[: len(found)] = found
    scores = centred @ axes.T
    low, middle, high = np.percentile(scores, (1, 50, 99), axis=0)
    # The sign of a principal direction is arbitrary. What fills most of the image (its background)
    # is made dark, what stands out from it bright.
    turn = high - middle < middle - low
    axes = np.where(turn[:, None], -axes, axes)
    low, high = np.where(turn, -high, low), np.where(turn, -low, high)
    return PcaBasis(*(np.asarray(x, np.float32) for x in (mean, axes, low, high)))


def _background(features: FloatArray) -> npt.NDArray[np.float64] | None:
    """The feature vector of most of the border, or None if the border is not uniform."""
    height, width = features.shape[1:]
    # The outermost cells always differ, because convolutions see the border there.
    rim_y, rim_x = min(_IGNORED_BORDER, (height - 1) // 2), min(_IGNORED_BORDER, (width - 1) // 2)
    inner = features[:, rim_y : height - rim_y, rim_x : width - rim_x]
    sides = (inner[:, 0], inner[:, -1], inner[:, :, 0], inner[:, :, -1])
    border = np.concatenate(sides, axis=1).T.astype(np.float64)
    middle = np.median(border, axis=0)
    spread = float(np.sqrt(_vectors(features).var(axis=0).sum()))
    near = np.linalg.norm(border - middle, axis=1) <= _MAX_DEVIATION * spread
    return middle if spread > 0 and near.mean() > 0.5 else None


def _basis_over(
    features_a: FloatArray,
    features_b: FloatArray,
    ground_a: npt.NDArray[np.float64],
    ground_b: npt.NDArray[np.float64],
) -> PcaBasis:
    """The basis in which both backgrounds have the same colour."""
    samples = np.concatenate([_vectors(features_a), _vectors(features_b)])
    mean = samples.mean(axis=0)
    between = ground_b - ground_a
    length = float(np.linalg.norm(between))
    centred = samples - mean
    if length > 0:
        way = between / length
        centred = centred - np.outer(centred @ way, way)
    _, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    axes = np.zeros((3, samples.shape[1]), np.float64)
    found = vectors.T[::-1][:3]
    axes[: len(found)] = found
    if length > 0:  # with few channels, the last direction may be the one projected out
        axes -= np.outer(axes @ way, way)
    scores = centred @ axes.T
    ground = (ground_a - mean) @ axes.T
    low, high = np.percentile(scores, (1, 99), axis=0)
    turn = high - ground < ground - low
    axes = np.where(turn[:, None], -axes, axes)
    low, high = np.where(turn, -high, low), np.where(turn, -low, high)
    ground = np.where(turn, -ground, ground)
    # As dark as the data allow: values below the background keep some range, up to a limit.
    above, below = np.maximum(high - ground, 0), np.maximum(ground - low, 0)
    # A direction without variance is shown in the grey of the background.
    above = np.maximum(above, max(float(above.max()) * 1e-3, 1e-9))
    high = ground + above
    share = min(_MAX_BACKGROUND, float(np.max(below / np.maximum(above + below, 1e-12))))
    low = ground - above * share / (1 - share)
    return PcaBasis(*(np.asarray(x, np.float32) for x in (mean, axes, low, high)))


def _vectors(features: FloatArray) -> npt.NDArray[np.float64]:
    flat = features.reshape(features.shape[0], -1)
    step = max(1, flat.shape[1] // _SAMPLES)
    return np.asarray(flat[:, ::step].T, np.float64)


def feature_pixels(
    features: FloatArray, basis: PcaBasis, mode: FeatureMode = "pca", channel: int = 0
) -> FloatArray:
    """One view of a C×h×w map: h×w×3 (``pca``) or h×w×1 (``mean``, ``channel``), in [0, 1].

    ``channel`` is clamped to the valid range; a constant map is shown in mid-grey.
    """
    if mode == "pca":
        flat = features.reshape(features.shape[0], -1).T
        scores = np.asarray((flat - basis.mean) @ basis.axes.T, np.float32)
        return _rescale(scores, basis.low, basis.high).reshape(*features.shape[1:], 3)
    if mode == "mean":
        plane = features.mean(axis=0)
    else:
        plane = features[min(max(channel, 0), features.shape[0] - 1)]
    low, high = np.asarray(np.percentile(plane, (1, 99)), np.float32)
    return _rescale(plane[..., None], low, high)


def _rescale(values: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    spread = np.asarray(high - low, np.float32)
    scaled = (values - low) / np.where(spread > 0, spread, 1)
    return np.asarray(np.clip(np.where(spread > 0, scaled, 0.5), 0.0, 1.0), np.float32)
