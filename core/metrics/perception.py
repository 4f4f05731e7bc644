"""Metrics that model human vision."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.metrics.filters import Luma, as_plane, correlate, correlate_valid, gaussian_kernel, ratio
from core.types import Plane

_EYE_NOISE = 2.0
_TINY = 1e-10
_WINDOWS = (17, 9, 5, 3)
"""Side of the Gaussian window per scale; its standard deviation is a fifth of it."""

Filter = Callable[[Plane, Plane], Plane]


def _vif_window(size: int) -> Plane:
    """The authors' window: its samples run from −(n+1)/2 to (n−1)/2, so it is off-centre."""
    positions = np.linspace(-(size // 2) - 1, size // 2, size)
    kernel = np.exp(-(positions**2) / (2 * (size / 5) ** 2))
    return np.asarray(kernel / kernel.sum(), dtype=np.float64)


def _same(plane: Plane, window: Plane) -> Plane:
    return correlate(plane, window, window)


def _valid(plane: Plane, window: Plane) -> Plane:
    """Valid region only; the window is cropped to the largest odd size that fits the plane."""
    rows, columns = (_cut(window, side) for side in plane.shape)
    return correlate_valid(plane, rows, columns)


def _cut(window: Plane, side: int) -> Plane:
    spare = (len(window) - min(len(window), side - 1 + side % 2)) // 2
    kept = window[spare : len(window) - spare]
    return np.asarray(kept / kept.sum(), dtype=np.float64)


def _vif_scale(x: Plane, y: Plane, window: Plane, smooth: Filter) -> tuple[float, float]:
    """Information of one scale in the distorted image and in the reference."""
    mx, my = smooth(x, window), smooth(y, window)
    vx = np.maximum(smooth(x * x, window) - mx * mx, 0.0)
    vy = np.maximum(smooth(y * y, window) - my * my, 0.0)
    covariance = smooth(x * y, window) - mx * my
    gain = covariance / (vx + _TINY)
    noise = vy - gain * covariance

    flat_x, flat_y = vx < _TINY, vy < _TINY
    gain[flat_x | flat_y] = 0.0
    noise[flat_x] = vy[flat_x]
    noise[flat_y] = 0.0
    vx[flat_x] = 0.0
    inverted = gain < 0
    noise[inverted] = vy[inverted]
    gain[inverted] = 0.0
    noise = np.maximum(noise, _TINY)

    held = np.log10(1.0 + gain**2 * vx / (noise + _EYE_NOISE)).sum()
    return float(held), float(np.log10(1.0 + vx / _EYE_NOISE).sum())


def _vif_pair(x: Luma, y: Luma, window_of: Callable[[int], Plane], smooth: Filter) -> float:
    px, py = as_plane(x), as_plane(y)
    held = reference = 0.0
    for scale, size in enumerate(_WINDOWS):
        window = window_of(size)
        if scale:
            px, py = smooth(px, window)[::2, ::2], smooth(py, window)[::2, ::2]
        part, whole = _vif_scale(px, py, window, smooth)
        held, reference = held + part, reference + whole
    return ratio(held, reference)


def vif(a: Luma, b: Luma, f: Luma) -> float:
    """VIF(A, F) + VIF(B, F), pixel domain, four scales; comparable with the paper's Table 1.

    As in the UniFusion authors' code, whose window is off-centre and whose images are extended by
    zeros. :func:`vif_lit` is the definition in the literature. A constant source contributes 0.
    """
    return _vif_pair(a, f, _vif_window, _same) + _vif_pair(b, f, _vif_window, _same)


def vif_lit_pair(x: Luma, y: Luma) -> float:
    """Pixel-domain VIF of ``y`` against the reference ``x`` (Sheikh and Bovik, TIP 2006)."""
    return _vif_pair(x, y, lambda size: gaussian_kernel(size, size / 5), _valid)


def vif_lit(a: Luma, b: Luma, f: Luma) -> float:
    """VIF(A, F) + VIF(B, F) with centred windows in the valid region, as in the literature."""
    return vif_lit_pair(a, f) + vif_lit_pair(b, f)


# Chen and Blum 2009, section 3: contrast sensitivity (difference of Gaussians) and masking.
_F0, _F1, _DEPTH = 15.3870, 1.3456, 0.7622
_MASK_P, _MASK_Q, _MASK_Z = 3.0, 2.0, 1e-4


def _contrast_sensitivity(height: int, width: int, nyquist: float) -> Plane:
    """Transfer function, H×W, in the layout of an unshifted FFT.

    ``nyquist``: the frequency at Nyquist, in units of side / 30.
    """
    down = np.fft.fftfreq(height)[:, np.newaxis] * 2 * nyquist * height / 30
    across = np.fft.fftfreq(width)[np.newaxis, :] * 2 * nyquist * width / 30
    square = down**2 + across**2
    return np.asarray(
        np.exp(-square / _F0**2) - _DEPTH * np.exp(-square / _F1**2), dtype=np.float64
    )


def _stretched(x: Luma) -> Plane:
    plane = as_plane(x)
    low, high = plane.min(), plane.max()
    return (plane - low) / (high - low) if high > low else np.zeros_like(plane)


def _masked_contrast(x: Luma, sensitivity: Plane) -> Plane:
    """Local contrast (Gaussians of 2 and 4 pixels) after contrast masking, ≥ 0."""
    seen = np.fft.ifft2(np.fft.fft2(_stretched(x)) * sensitivity).real
    positions = np.arange(-15, 16, dtype=np.float64)

    def blurred(sigma: float) -> Plane:
        kernel = np.exp(-(positions**2) / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma)
        return correlate(seen, kernel, kernel)

    contrast = np.abs(blurred(2.0) / (blurred(4.0) + _TINY) - 1.0)
    return np.asarray(contrast**_MASK_P / (contrast**_MASK_Q + _MASK_Z), dtype=np.float64)


def _qcb(a: Luma, b: Luma, f: Luma, nyquist: float) -> float:
    sensitivity = _contrast_sensitivity(a.shape[0], a.shape[1], nyquist)
    contrast_f = _masked_contrast(f, sensitivity)
    contrasts = [_masked_contrast(source, sensitivity) for source in (a, b)]
    total = contrasts[0] ** 2 + contrasts[1] ** 2 + _TINY
    quality = np.zeros_like(contrast_f)
    for contrast in contrasts:
        larger = np.maximum(contrast, contrast_f)
        kept = np.minimum(contrast, contrast_f) / np.where(larger > 0, larger, 1.0)
        quality += contrast**2 / total * kept
    return float(quality.mean())


def qcb(a: Luma, b: Luma, f: Luma) -> float:
    """Chen and Blum's perceptual quality (Image and Vision Computing 2009).

    Frequencies as in the usual MATLAB toolbox: side / 30 at Nyquist; the UniFusion authors' code
    halves them (:func:`qcb_paper`). On a uniformly black background the contrast is that of
    rounding errors, in any implementation, so scores of medical images differ between programs.
    """
    return _qcb(a, b, f, nyquist=1.0)


def qcb_paper(a: Luma, b: Luma, f: Luma) -> float:
    """Chen and Blum's quality with the frequencies halved, as in the UniFusion authors' code."""
    return _qcb(a, b, f, nyquist=0.5)
