"""What is lost and what is set apart, in grey levels of whole images."""

from __future__ import annotations

from math import nan
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from core.types import FloatArray

VISIBLE = 4
"""Grey levels of 8 bits from which a difference counts."""
ALIKE = 16
"""Levels up to which two places of a source look alike, and up to which a place is background."""
COARSE, APART = 1 / 30, 1 / 16
"""Standard deviation of coarse brightness, and the distance of places, in shares of the longer
side."""

Levels = npt.NDArray[np.int16]
"""Grey levels 0…255, H×W; signed, so that differences are."""


def uptake_lost(a: Levels, b: Levels, fused: Levels) -> float:
    """Per cent of the pixels at which A is the brighter that are darker than A; NaN for none."""
    brighter = a > b
    return 100 * float((a - fused > VISIBLE)[brighter].mean()) if brighter.any() else nan


def regions_apart(a: Levels, b: Levels, fused: Levels) -> float:
    """Per cent of the pairs of places alike in A and B that are apart in the fused image.

    Beyond what each source and a rule that is the same everywhere (the brighter, the darker one)
    gives; NaN without two places that are alike.
    """
    step = max(1, round(APART * max(a.shape)))
    places = [
        blurred(image, COARSE)[step // 2 :: step, step // 2 :: step].ravel()
        for image in (a, b, np.maximum(a, b), np.minimum(a, b), fused)
    ]
    shown = places[2] > ALIKE
    first, second = np.triu_indices(int(shown.sum()), 1)
    of_a, of_b, of_brighter, of_darker, got = (
        place[shown][first] - place[shown][second] for place in places
    )
    alike = (np.abs(of_a) <= ALIKE) & (np.abs(of_b) <= ALIKE)
    allowed = np.stack([of_a, of_b, of_brighter, of_darker])
    beyond = np.maximum(got - allowed.max(axis=0), allowed.min(axis=0) - got)
    return 100 * float((beyond > VISIBLE)[alike].mean()) if alike.any() else nan


def blurred(image: npt.NDArray[Any], share: float) -> FloatArray:
    """H×W float32 through a Gaussian whose standard deviation is a share of the longer side."""
    sigma = share * max(image.shape)
    return np.asarray(cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma), np.float32)
