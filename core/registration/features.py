"""What of two pictures is compared, so that it looks alike in both although the pictures do not."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np

from core.messages import Message
from core.registration.levels import as_float
from core.types import BoolArray, FloatArray

FeatureKind = Literal["intensity", "direction", "orientation"]
"""``intensity``: grey levels without their local mean, in units of the local contrast.
``direction``: of gradients, by unit vectors. ``orientation``: of gradients without their sign, by
vectors of twice the angle.
"""

Measure = Literal[FeatureKind, "information"]
"""What pictures are registered by: features, or the mutual information of their grey levels."""

MEASURES: dict[Measure, Message] = {
    "intensity": Message("Correlation of local contrast"),
    "direction": Message("Correlation of gradient directions"),
    "orientation": Message("Correlation of gradient orientations"),
    "information": Message("Normalised mutual information"),
}

_FEATURES: dict[str, FeatureKind] = {"mff": "intensity", "mef": "direction"}
_NEIGHBOURHOOD = 8
"""Radius of the neighbourhood that contrast is relative to, in units of ``sigma``."""
_FAINT = 0.02
"""Contrast, as a share of white, below which grey levels count less."""
_FAINT_GRADIENT = 0.001
"""As a share of white per pixel, a quarter of a level of 8 bits: below it is rounding."""


def feature_kind(task: str) -> FeatureKind:
    """What is compared in a task, by measurement (``benchmarks/registration.py``).

    Grey levels of focus pairs agree but for blur; exposures keep the sign of edges; across
    modalities only their orientation is common.
    """
    return _FEATURES.get(task, "orientation")


def measure_of(task: str) -> Measure:
    """What pictures of a task are registered by.

    PET, SPECT and CT share few edges with an MR image, but each tissue has its grey levels.
    """
    return "information" if task == "mif" else feature_kind(task)


def features(
    grey: FloatArray, valid: BoolArray, kind: FeatureKind, sigma: float = 1.0
) -> FloatArray:
    """What is compared.

    Args:
        grey: H×W in [0, 1], finite.
        valid: H×W; features are 0 elsewhere.
        kind: what is compared.
        sigma: of the Gaussian that the picture is smoothed by, in pixels.

    Returns:
        H×W×1 (intensity) or H×W×2, of about unit length where there is structure.
    """
    smooth = as_float(cv2.GaussianBlur(grey, (0, 0), sigma))
    if kind == "intensity":
        found = _contrast(grey, smooth, sigma)
    else:
        found = _gradients(smooth, kind, sigma)
    found[~valid] = 0
    return found


def _contrast(grey: FloatArray, smooth: FloatArray, sigma: float) -> FloatArray:
    wide = _NEIGHBOURHOOD * sigma
    high = smooth - cv2.GaussianBlur(grey, (0, 0), wide)
    power = cv2.GaussianBlur(high * high, (0, 0), wide)
    found: FloatArray = high / np.sqrt(power + np.float32(_FAINT**2))
    return found[..., np.newaxis]


def _gradients(smooth: FloatArray, kind: FeatureKind, sigma: float) -> FloatArray:
    across = cv2.Scharr(smooth, cv2.CV_32F, 1, 0, scale=1 / 32)
    down = cv2.Scharr(smooth, cv2.CV_32F, 0, 1, scale=1 / 32)
    square = across * across + down * down
    # The median is mostly noise; weaker gradients count less.
    noise = np.float32(max(float(np.median(square[::2, ::2])), _FAINT_GRADIENT**2))
    if kind == "direction":
        length = np.sqrt(square + noise)
        return np.dstack([across / length, down / length])
    around = cv2.GaussianBlur(square, (0, 0), _NEIGHBOURHOOD * sigma)
    length = square + around + 0.5 * noise
    return np.dstack([(across * across - down * down) / length, 2 * across * down / length])


def correlation(one: FloatArray, other: FloatArray, valid: BoolArray) -> float:
    """Of two feature maps of one size over ``valid``: −1…1; 0 where either is empty."""
    a, b = one[valid], other[valid]
    energy = float(np.vdot(a, a)) * float(np.vdot(b, b))
    return float(np.vdot(a, b)) / float(np.sqrt(energy)) if energy > 0 else 0.0
