"""Structural similarity (SSIM) and metrics based on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.errors import Message
from core.metrics.filters import Luma, as_plane, correlate_valid, gaussian_kernel
from core.metrics.metric import RELEASE, Metric
from core.metrics.sharing import shared
from core.types import Plane

_SIZE, _SIGMA = 11, 1.5
_C1, _C2 = (0.01 * 255.0) ** 2, (0.03 * 255.0) ** 2
_MS_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)


def _fitting(size: int, length: int) -> Plane:
    """A Gaussian window of ``size``, shortened to the largest odd size that fits ``length``."""
    return gaussian_kernel(min(size, length - 1 + length % 2), _SIGMA)


def _ssim_maps(x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """SSIM, and its contrast-structure factor, in the valid region."""
    rows, columns = _fitting(_SIZE, x.shape[0]), _fitting(_SIZE, x.shape[1])

    def mean(plane: Plane) -> Plane:
        return correlate_valid(plane, rows, columns)

    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    contrast = (2 * vxy + _C2) / (vx + vy + _C2)
    return (2 * mx * my + _C1) / (mx * mx + my * my + _C1) * contrast, contrast


@shared
def ssim_pair(x: Luma, y: Luma) -> float:
    """SSIM of two images, in [−1, 1]: 11×11 Gaussian, σ = 1.5, range 255, valid region only.

    Wang et al., IEEE Trans. Image Process. 2004.
    """
    return float(_ssim_maps(as_plane(x), as_plane(y))[0].mean())


def ssim(a: Luma, b: Luma, f: Luma) -> float:
    """Mean of SSIM(A, F) and SSIM(B, F), as in the literature.

    The UniFusion authors' code gives the same score (its conversion leaves float images at 0…255),
    so ``SSIM_paper`` is this function as well.
    """
    return 0.5 * (ssim_pair(a, f) + ssim_pair(b, f))


def _halved(plane: Plane) -> Plane:
    """2×2 means; an odd side is extended by repeating its last line."""
    height, width = plane.shape
    return _block_means(np.pad(plane, ((0, height % 2), (0, width % 2)), mode="edge"))


def _halved_zero(plane: Plane) -> Plane:
    """2×2 means as in common deep-learning code: an odd side is extended by zeros at both ends."""
    height, width = plane.shape
    odd_rows, odd_columns = height % 2, width % 2
    padded = np.pad(plane, ((odd_rows, odd_rows), (odd_columns, odd_columns)))
    return _block_means(padded[: height + odd_rows, : width + odd_columns])


def _block_means(plane: Plane) -> Plane:
    rows = plane[0::2] + plane[1::2]
    return np.asarray((rows[:, 0::2] + rows[:, 1::2]) / 4.0, dtype=np.float64)


def ms_ssim_pair(x: Luma, y: Luma, halve: Callable[[Plane], Plane] = _halved) -> float:
    """Multi-scale SSIM of two images over five scales, in [0, 1] (Wang et al., Asilomar 2003).

    Negative factors count as 0. ``halve`` computes the next scale.
    """
    px, py = as_plane(x), as_plane(y)
    product = 1.0
    for scale, weight in enumerate(_MS_WEIGHTS):
        full, contrast = _ssim_maps(px, py)
        last = scale == len(_MS_WEIGHTS) - 1
        product *= max(0.0, float((full if last else contrast).mean())) ** weight
        px, py = halve(px), halve(py)
    return product


def ms_ssim(a: Luma, b: Luma, f: Luma) -> float:
    """Mean of MS-SSIM(A, F) and MS-SSIM(B, F)."""
    return 0.5 * (ms_ssim_pair(a, f) + ms_ssim_pair(b, f))


def ms_ssim_paper(a: Luma, b: Luma, f: Luma) -> float:
    """MS-SSIM as in the UniFusion authors' code, which extends odd sides by zeros.

    Equal to :func:`ms_ssim` if every side stays even through four halvings.
    """
    return 0.5 * (ms_ssim_pair(a, f, _halved_zero) + ms_ssim_pair(b, f, _halved_zero))


ENTRIES = (
    Metric(
        "SSIM",
        Message("Structural similarity"),
        group="structure",
        direction="higher",
        bounds=(-1.0, 1.0),
        reference="Wang, Bovik, Sheikh and Simoncelli, IEEE Trans. Image Process. 2004",
        explanation=Message(
            "Likeness of local brightness, contrast and structure to both sources."
        ),
        function=ssim,
    ),
    Metric(
        "SSIM_paper",
        Message("Structural similarity (authors' code)"),
        group="structure",
        direction="higher",
        bounds=(-1.0, 1.0),
        reference=RELEASE,
        explanation=Message("The same score as SSIM: the authors' code and the definition agree."),
        function=ssim,
        definition="authors",
        variant_of="SSIM",
    ),
    Metric(
        "MS_SSIM",
        Message("Structural similarity over five scales"),
        group="structure",
        direction="higher",
        bounds=(0.0, 1.0),
        reference="Wang, Simoncelli and Bovik, Asilomar 2003",
        explanation=Message("Structural similarity judged from close by and from afar."),
        function=ms_ssim,
    ),
    Metric(
        "MS_SSIM_paper",
        Message("Structural similarity over five scales (authors' code)"),
        group="structure",
        direction="higher",
        bounds=(0.0, 1.0),
        reference=RELEASE,
        explanation=Message("MS-SSIM with odd sides bordered by black, as the authors' code does."),
        function=ms_ssim_paper,
        definition="authors",
        variant_of="MS_SSIM",
    ),
)
