"""Feature maps made visible: PCA-to-RGB on a basis common to both sources, mean, channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from core.types import FloatArray

FeatureMode = Literal["pca", "mean", "channel"]

_SAMPLES = 65_536
"""Feature vectors per source from which the common basis is computed."""


@dataclass(frozen=True, eq=False)
class PcaBasis:
    """Three directions common to both adapters, with the range each is shown over.

    ``mean``: C. ``axes``: 3×C. ``low``, ``high``: 3, the 1st and 99th percentile of the scores.
    """

    mean: FloatArray
    axes: FloatArray
    low: FloatArray
    high: FloatArray


def common_basis(features_a: FloatArray, features_b: FloatArray) -> PcaBasis:
    """Principal directions of both C×h×w maps together, so that equal colours mean equal features.

    Maps of fewer than three channels get empty directions for the rest.
    """
    samples = np.concatenate([_vectors(features_a), _vectors(features_b)])
    mean = samples.mean(axis=0)
    centred = samples - mean
    _, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    axes = np.zeros((3, samples.shape[1]), np.float64)
    found = vectors.T[::-1][:3]
    axes[: len(found)] = found
    scores = centred @ axes.T
    low, middle, high = np.percentile(scores, (1, 50, 99), axis=0)
    # A direction has no sign of its own. What fills most of the picture (its background) shall be
    # dark, what stands out bright.
    turn = high - middle < middle - low
    axes = np.where(turn[:, None], -axes, axes)
    low, high = np.where(turn, -high, low), np.where(turn, -low, high)
    return PcaBasis(*(np.asarray(x, np.float32) for x in (mean, axes, low, high)))


def _vectors(features: FloatArray) -> npt.NDArray[np.float64]:
    flat = features.reshape(features.shape[0], -1)
    step = max(1, flat.shape[1] // _SAMPLES)
    return np.asarray(flat[:, ::step].T, np.float64)


def feature_pixels(
    features: FloatArray, basis: PcaBasis, mode: FeatureMode = "pca", channel: int = 0
) -> FloatArray:
    """One view of a C×h×w map: h×w×3 (``pca``) or h×w×1 (``mean``, ``channel``), in [0, 1].

    ``channel`` is brought into range; a flat map comes out as mid-grey.
    """
    if mode == "pca":
        flat = features.reshape(features.shape[0], -1).T
        scores = np.asarray((flat - basis.mean) @ basis.axes.T, np.float32)
        return _spread(scores, basis.low, basis.high).reshape(*features.shape[1:], 3)
    if mode == "mean":
        plane = features.mean(axis=0)
    else:
        plane = features[min(max(channel, 0), features.shape[0] - 1)]
    low, high = np.asarray(np.percentile(plane, (1, 99)), np.float32)
    return _spread(plane[..., None], low, high)


def _spread(values: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    spread = np.asarray(high - low, np.float32)
    scaled = (values - low) / np.where(spread > 0, spread, 1)
    return np.asarray(np.clip(np.where(spread > 0, scaled, 0.5), 0.0, 1.0), np.float32)
