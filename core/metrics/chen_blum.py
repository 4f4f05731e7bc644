"""Perceptual quality of Chen and Blum: contrast that an eye can see."""

from __future__ import annotations

import numpy as np

from core.errors import Message
from core.metrics.filters import Luma, as_plane, correlate, is_constant
from core.metrics.metric import RELEASE, Metric
from core.metrics.undefined import UNDEFINED
from core.types import Plane

# Chen and Blum 2009, section 3: contrast sensitivity (difference of Gaussians) and masking.
_F0, _F1, _DEPTH = 15.3870, 1.3456, 0.7622
_MASK_P, _MASK_Q, _MASK_Z = 3.0, 2.0, 1e-4
_TINY = 1e-10


def _contrast_sensitivity(height: int, width: int) -> Plane:
    """Transfer function, H×W, in the layout of an unshifted FFT; side / 30 at Nyquist."""
    down = np.fft.fftfreq(height)[:, np.newaxis] * 2 * height / 30
    across = np.fft.fftfreq(width)[np.newaxis, :] * 2 * width / 30
    square = down**2 + across**2
    return np.asarray(
        np.exp(-square / _F0**2) - _DEPTH * np.exp(-square / _F1**2), dtype=np.float64
    )


def _contrast_sensitivity_paper(height: int, width: int) -> Plane:
    """The authors' transfer function: side / 60 at Nyquist, in single precision."""
    single = np.float32
    down = np.fft.fftfreq(height).astype(single)[:, np.newaxis] * single(height / 30)
    across = np.fft.fftfreq(width).astype(single)[np.newaxis, :] * single(width / 30)
    radius = np.sqrt(down**2 + across**2)

    def gaussian(width: float) -> Plane:
        # Rounded from double precision, so that the last bit is the same on every machine.
        exponent = (-((radius / single(width)) ** 2)).astype(np.float64)
        return np.asarray(np.exp(exponent).astype(single), dtype=np.float64)

    depth = float(single(_DEPTH))
    narrow = (depth * gaussian(_F1)).astype(single)
    return np.asarray((gaussian(_F0) - narrow).astype(single), dtype=np.float64)


def _stretched(x: Luma) -> Plane:
    plane = as_plane(x)
    return np.asarray((plane - plane.min()) / np.ptp(plane), dtype=np.float64)


def _masked_contrast(x: Luma, sensitivity: Plane) -> Plane:
    """Local contrast (Gaussians of 2 and 4 pixels) after contrast masking, ≥ 0."""
    half = sensitivity[:, : sensitivity.shape[1] // 2 + 1]
    seen = np.fft.irfft2(np.fft.rfft2(_stretched(x)) * half, s=x.shape)
    positions = np.arange(-15, 16, dtype=np.float64)

    def blurred(sigma: float) -> Plane:
        kernel = np.exp(-(positions**2) / (2 * sigma**2)) / (np.sqrt(2 * np.pi) * sigma)
        return correlate(seen, kernel, kernel)

    contrast = np.abs(blurred(2.0) / (blurred(4.0) + _TINY) - 1.0)
    return np.asarray(contrast**_MASK_P / (contrast**_MASK_Q + _MASK_Z), dtype=np.float64)


def _qcb(a: Luma, b: Luma, f: Luma, sensitivity: Plane) -> float:
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
    """Chen and Blum's perceptual quality (Image and Vision Computing 2009), in [0, 1].

    Each picture is stretched to [0, 1] and filtered with the contrast sensitivity of the eye,
    exp(−(r / 15.387)²) − 0.7622·exp(−(r / 1.3456)²), where r is the frequency and its unit is that
    of the usual MATLAB toolbox, side / 30 at Nyquist. Local contrast C = |G₂ / G₄ − 1| (Gaussians
    of 2 and 4 pixels) is masked, C' = C³ / (C² + 10⁻⁴), and the score is the mean of
    Σ C'ₓ² / (C'ₐ² + C'ᵦ²) · min(C'ₓ, C'_f) / max(C'ₓ, C'_f) over both sources x.

    Undefined if A, B or F is constant. On a uniformly black background the contrast is that of
    rounding errors, in any implementation, so scores of medical pictures differ between programs.
    """
    if any(map(is_constant, (a, b, f))):
        return UNDEFINED
    return _qcb(a, b, f, _contrast_sensitivity(*a.shape))


def qcb_paper(a: Luma, b: Luma, f: Luma) -> float:
    """Chen and Blum's quality as in the UniFusion authors' code.

    Frequencies are half those of :func:`qcb`, and the transfer function has single precision. That
    decides the score on a uniformly black background, where its rounding errors, about 1e-8
    everywhere, are the only contrast. With the same rounding the scores of medical pictures agree
    with the authors' to 1 %; the rest is the last bit of their exponential and root, which depends
    on the machine. Without a black background they agree to six digits.

    On a PET pair that is half black, changes of the last bit move the score by up to 0.02, and the
    same formula in double precision gives 0.62 in place of 0.67: scores of medical pictures by
    other programs, and by their code on other machines, are not comparable with these. Undefined if
    A, B or F is constant.
    """
    if any(map(is_constant, (a, b, f))):
        return UNDEFINED
    return _qcb(a, b, f, _contrast_sensitivity_paper(*a.shape))


ENTRIES = (
    Metric(
        "Qcb",
        Message("Perceptual contrast quality (Chen and Blum)"),
        group="perception",
        direction="higher",
        bounds=(0.0, 1.0),
        reference="Chen and Blum, Image and Vision Computing 2009",
        explanation=Message("How well the contrast an eye can see is kept."),
        function=qcb,
        undefined_when=Message("Not defined if a source or the fused picture is constant."),
        symbol="Q_CB",
    ),
    Metric(
        "Qcb_paper",
        Message("Perceptual contrast quality (authors' code)"),
        group="perception",
        direction="higher",
        bounds=(0.0, 1.0),
        reference=RELEASE,
        explanation=Message("Chen and Blum's quality with the authors' scale of frequencies."),
        function=qcb_paper,
        definition="authors",
        variant_of="Qcb",
        undefined_when=Message("Not defined if a source or the fused picture is constant."),
    ),
)
