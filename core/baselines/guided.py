"""Two-scale fusion with guided-filter weights (Li, Kang and Hu, TIP 2013)."""

from __future__ import annotations

import cv2
import numpy as np

from core.baselines.simple import grey
from core.types import FloatArray, Plane

# Section IV.B of the paper: the parameters of all its experiments.
_BASE_WINDOW = 31
_SALIENCY_WINDOW, _SALIENCY_SIGMA = 11, 5.0
_BASE_RADIUS, _BASE_EPS = 45, 0.3
_DETAIL_RADIUS, _DETAIL_EPS = 7, 1e-6

_LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype=np.float64)


def guided_filter(guide: Plane, source: Plane, radius: int, eps: float) -> Plane:
    """He, Sun and Tang's guided filter of ``source`` (H×W) with a grey ``guide`` (H×W).

    Windows are squares of side 2·radius + 1, truncated at the border. Computed in float64, because
    for eps = 1e-6 the variance, a difference of two nearly equal means, determines the result.
    """
    counts = _box_sum(np.ones_like(guide), radius)

    def mean(plane: Plane) -> Plane:
        return _box_sum(plane, radius) / counts

    mean_guide, mean_source = mean(guide), mean(source)
    covariance = mean(guide * source) - mean_guide * mean_source
    variance = np.maximum(mean(guide * guide) - mean_guide * mean_guide, 0.0)
    slope = covariance / (variance + eps)
    offset = mean_source - slope * mean_guide
    return mean(slope) * guide + mean(offset)


def fuse_guided(a: FloatArray, b: FloatArray) -> FloatArray:
    """Blend base and detail layers with the guided-filtered map of the more salient source.

    All parameters are those of the paper. Where both sources are equally salient the map is ½ (the
    paper takes the first source), and weights are clipped to [0, 1] before normalisation, so that
    the result does not depend on the order of the sources and remains a blend.
    """
    grey_a, grey_b = grey(a).astype(np.float64), grey(b).astype(np.float64)
    salient_a = _selection_map(_saliency(grey_a), _saliency(grey_b))
    fused = np.zeros(a.shape, dtype=np.float64)
    base_a, base_b = _base(a), _base(b)
    layers = (
        (base_a, base_b, _BASE_RADIUS, _BASE_EPS),
        (a - base_a, b - base_b, _DETAIL_RADIUS, _DETAIL_EPS),
    )
    for layer_a, layer_b, radius, eps in layers:
        weight_a = np.clip(guided_filter(grey_a, salient_a, radius, eps), 0.0, 1.0)
        weight_b = np.clip(guided_filter(grey_b, 1.0 - salient_a, radius, eps), 0.0, 1.0)
        total = weight_a + weight_b
        share = np.where(total > 1e-9, weight_a / np.maximum(total, 1e-9), 0.5)[:, :, np.newaxis]
        fused += share * layer_a + (1.0 - share) * layer_b
    return fused.astype(np.float32)


def _box_sum(plane: Plane, radius: int) -> Plane:
    side = 2 * radius + 1
    total = cv2.boxFilter(
        plane, cv2.CV_64F, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    return np.asarray(total, dtype=np.float64)


def _base(image: FloatArray) -> FloatArray:
    size = (_BASE_WINDOW, _BASE_WINDOW)
    blurred = cv2.blur(image, size, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, dtype=np.float32).reshape(image.shape)


def _saliency(plane: Plane) -> Plane:
    edges = np.abs(cv2.filter2D(plane, cv2.CV_64F, _LAPLACIAN, borderType=cv2.BORDER_REPLICATE))
    size = (_SALIENCY_WINDOW, _SALIENCY_WINDOW)
    smooth = cv2.GaussianBlur(edges, size, _SALIENCY_SIGMA, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(smooth, dtype=np.float64)


def _selection_map(first: Plane, second: Plane) -> Plane:
    """1 where ``first`` is larger, 0 where ``second`` is larger, ½ where they are equal."""
    return np.asarray(0.5 * (1.0 + np.sign(first - second)), dtype=np.float64)
