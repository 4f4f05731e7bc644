"""From arrays to what a screen can show. Runs on worker threads; needs no window.

A picture is kept as a pyramid of halvings, so that a large one is drawn without aliasing and in
time that depends on the pane, not on the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from core.types import FloatArray, FusionResult

Adapter = Literal["a", "b"]
FeatureMode = Literal["pca", "mean", "channel"]

_SMALLEST_LEVEL = 256
"""Pixels of the longer side below which another halving gains nothing."""

_PCA_SAMPLES = 65_536
"""Feature vectors per source from which the common basis is computed."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A drawable picture: ``levels[0]`` in full size, each further one halved.

    ``size`` is the extent in pixels of the *source* pictures, which a feature map of lower
    resolution is stretched over.
    """

    levels: tuple[QImage, ...]
    size: tuple[int, int]


@dataclass(frozen=True)
class FeatureView:
    """How adapter features are shown."""

    adapter: Adapter = "a"
    mode: FeatureMode = "pca"
    channel: int = 0


@dataclass(frozen=True, eq=False)
class PcaBasis:
    """Three directions common to both adapters, with the range each is shown over."""

    mean: FloatArray
    axes: FloatArray
    low: FloatArray
    high: FloatArray


def picture(pixels: FloatArray, size: tuple[int, int] | None = None) -> Picture:
    """H×W×(1 or 3) float in [0, 1] (clipped; what is not a number is black) as a picture."""
    # fmax and fmin, unlike clip, take the number where the other is none. In place: these are
    # the largest arrays of the window.
    scaled = np.fmax(pixels, np.float32(0))
    np.fmin(scaled, np.float32(1), out=scaled)
    scaled *= 255
    scaled += 0.5
    level = scaled.astype(np.uint8)
    levels = [_to_qimage(level)]
    while max(level.shape[:2]) > _SMALLEST_LEVEL and min(level.shape[:2]) >= 2:
        level = _halved(level)
        levels.append(_to_qimage(level))
    return Picture(tuple(levels), size or (pixels.shape[1], pixels.shape[0]))


def _halved(level: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    height, width = level.shape[0] // 2 * 2, level.shape[1] // 2 * 2
    total = level[0:height:2, 0:width:2].astype(np.uint16)
    total += level[1:height:2, 0:width:2]
    total += level[0:height:2, 1:width:2]
    total += level[1:height:2, 1:width:2]
    return ((total + 2) // 4).astype(np.uint8)


def _to_qimage(level: npt.NDArray[np.uint8]) -> QImage:
    height, width, channels = level.shape
    kind = QImage.Format.Format_Grayscale8 if channels == 1 else QImage.Format.Format_RGB888
    data = np.ascontiguousarray(level)
    image = QImage(data.data, width, height, width * channels, kind)
    # RGB32 is what the screen wants: converting here also copies, so the array may go.
    return image.convertToFormat(QImage.Format.Format_RGB32)


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
    # A direction has no sign of its own. What fills most of the picture, its background, is to
    # be at the dark end.
    low, middle, high = np.percentile(scores, (1, 50, 99), axis=0)
    flip = np.where(middle - low > high - middle, -1.0, 1.0)[:, None]
    axes, scores = axes * flip, scores * flip.T
    low, high = np.percentile(scores, (1, 99), axis=0)
    return PcaBasis(*(np.asarray(x, np.float32) for x in (mean, axes, low, high)))


def _vectors(features: FloatArray) -> npt.NDArray[np.float64]:
    flat = features.reshape(features.shape[0], -1)
    step = max(1, flat.shape[1] // _PCA_SAMPLES)
    return np.asarray(flat[:, ::step].T, np.float64)


def feature_pixels(features: FloatArray, view: FeatureView, basis: PcaBasis) -> FloatArray:
    """One view of a C×h×w map: h×w×3 (PCA) or h×w×1 (mean, channel), in [0, 1]."""
    if view.mode == "pca":
        flat = features.reshape(features.shape[0], -1).T
        scores = (flat - basis.mean) @ basis.axes.T
        scaled = _spread(scores, basis.low, basis.high)
        return scaled.reshape(*features.shape[1:], 3)
    if view.mode == "mean":
        plane = features.mean(axis=0)
    else:
        plane = features[min(max(view.channel, 0), features.shape[0] - 1)]
    low, high = np.percentile(plane, (1, 99)).astype(np.float32)
    return _spread(plane[..., None], low, high)


def _spread(values: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    spread = np.asarray(high - low, np.float32)
    scaled = (values - low) / np.where(spread > 0, spread, 1)
    return np.asarray(np.clip(np.where(spread > 0, scaled, 0.5), 0.0, 1.0), np.float32)


def features_of(result: FusionResult, adapter: Adapter) -> FloatArray | None:
    """The feature map of adapter A or B."""
    return result.features_a if adapter == "a" else result.features_b


def feature_picture(result: FusionResult, view: FeatureView, basis: PcaBasis) -> Picture | None:
    """The feature pane's picture, stretched over the fused picture's extent."""
    features = features_of(result, view.adapter)
    if features is None:
        return None
    size = _feature_extent(features, result.fused)
    return picture(feature_pixels(features, view, basis), size)


def _feature_extent(features: FloatArray, fused: FloatArray) -> tuple[int, int]:
    """Source pixels a map covers: each cell is a whole number of pixels, the last may jut out."""
    rows, columns = features.shape[1:]
    height, width = fused.shape[:2]
    longer = height / rows if height >= width else width / columns
    stride = max(1, round(longer))
    return columns * stride, rows * stride


def basis_of(result: FusionResult) -> PcaBasis | None:
    """The common basis of a result's two feature maps, or None when it has none."""
    if result.features_a is None or result.features_b is None:
        return None
    return common_basis(result.features_a, result.features_b)


def result_pictures(
    result: FusionResult, view: FeatureView, basis: PcaBasis | None
) -> Mapping[str, Picture]:
    """All pictures a result has, by pane: fused, recon_a, recon_b, features."""
    found = {"fused": picture(result.fused)}
    if result.reconstruction_a is not None:
        found["recon_a"] = picture(result.reconstruction_a)
    if result.reconstruction_b is not None:
        found["recon_b"] = picture(result.reconstruction_b)
    features = feature_picture(result, view, basis) if basis is not None else None
    if features is not None:
        found["features"] = features
    return found
