"""Loss functions: L_rec of the lower level, L_fuse of the upper level.

The intensity, gradient and SSIM terms follow SwinFusion, as stated in the paper (§4.1). The terms
for edges, artefacts, visual and mutual information are additions of this program (the paper
corresponds to weight 0). All functions take N×ch×H×W float32 in [0, 1].
"""

from __future__ import annotations

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from core.models.guided_filter import reduced
from core.models.salience import activities, brightness, lead_of, night_of, target_map
from core.tasks import LossWeights, SsimWeighting, Target

_EPS = 1e-6
_SCALES = 4
_FLOOR_SLACK = 4 / 255
_COARSE_RADIUS = 16
"""Radius in pixels of the box that is applied twice to compare coarse brightness."""
_VIF_NOISE = 2.0
_VIF_FLOOR = 0.1
"""Variance on the 8-bit scale below which an image counts as flat; float32 rounding is smaller."""


def sobel(image: Tensor) -> tuple[Tensor, Tensor]:
    """Horizontal and vertical Sobel derivatives with replicated borders, same shape as input."""
    channels = image.shape[1]
    padded = F.pad(image, (1, 1, 1, 1), mode="replicate")
    kernel = image.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    weight = torch.stack([kernel, kernel.T])[:, None].repeat(channels, 1, 1, 1)
    both = F.conv2d(padded, weight, groups=channels)
    return both[:, 0::2], both[:, 1::2]


def gradient_magnitude(image: Tensor) -> Tensor:
    """|gx| + |gy|, the gradient magnitude of SwinFusion."""
    gx, gy = sobel(image)
    return gx.abs() + gy.abs()


def intensity_target(a: Tensor, b: Tensor, target: Target) -> Tensor:
    """Target of the fused intensity, same shape as the sources (see ``LossWeights``)."""
    if target == "max":
        return torch.maximum(a, b)
    if target == "mean":
        return (a + b) / 2
    if target == "brighter":
        return torch.lerp(torch.minimum(a, b), torch.maximum(a, b), 2 / 3)
    return torch.where(_sharpness(a) > _sharpness(b), a, b)


def _sharpness(image: Tensor) -> Tensor:
    """Gradient energy averaged over a 9×9 window, N×1×H×W."""
    energy = gradient_magnitude(image).pow(2).mean(dim=1, keepdim=True)
    padded = F.pad(energy, (4, 4, 4, 4), mode="replicate")
    return F.avg_pool2d(padded, 9, stride=1)


def intensity_loss(fused: Tensor, a: Tensor, b: Tensor, target: Target) -> Tensor:
    """L1 distance to the intensity target."""
    return F.l1_loss(fused, intensity_target(a, b, target))


def gradient_loss(fused: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """L1 distance between the fused gradient magnitude and the larger one of the sources."""
    wanted = torch.maximum(gradient_magnitude(a), gradient_magnitude(b))
    return F.l1_loss(gradient_magnitude(fused), wanted)


def _gaussian(size: int, sigma: float, like: Tensor) -> Tensor:
    x = torch.arange(size, dtype=like.dtype, device=like.device) - (size - 1) / 2
    weights = torch.exp(-(x**2) / (2 * sigma**2))
    return weights / weights.sum()


def ssim(x: Tensor, y: Tensor) -> Tensor:
    """Mean SSIM of each image (Wang et al. 2004: 11×11 Gaussian, σ 1.5, range 1), shape N."""
    stacked = _blur(torch.cat([x, y, x * x, y * y, x * y], dim=1), 11, 1.5)
    mu_x, mu_y, xx, yy, xy = stacked.chunk(5, dim=1)
    c1, c2 = 0.01**2, 0.03**2
    luminance = (2 * mu_x * mu_y + c1) / (mu_x**2 + mu_y**2 + c1)
    structure = (2 * (xy - mu_x * mu_y) + c2) / ((xx - mu_x**2) + (yy - mu_y**2) + c2)
    similarity: Tensor = luminance * structure
    return similarity.mean(dim=(1, 2, 3))


def ssim_loss(fused: Tensor, a: Tensor, b: Tensor, weighting: SsimWeighting) -> Tensor:
    """w_a (1−SSIM(a, f)) + w_b (1−SSIM(b, f)), with weights ½ or by the sources' mean gradients."""
    if weighting == "gradient":
        strength_a = gradient_magnitude(a).mean(dim=(1, 2, 3))
        strength_b = gradient_magnitude(b).mean(dim=(1, 2, 3))
        weight_a = (strength_a + _EPS) / (strength_a + strength_b + 2 * _EPS)
    else:
        weight_a = a.new_full((a.shape[0],), 0.5)
    terms = weight_a * (1 - ssim(fused, a)) + (1 - weight_a) * (1 - ssim(fused, b))
    return terms.mean()


def edge_loss(fused: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """1 − Q^{AB/F}: the fraction of the sources' edge strength and orientation that is lost.

    Xydeas and Petrović, "Objective image fusion performance measure" (2000), with their constants.
    The angle between two gradients is computed from cross and dot product, which is differentiable.
    """
    gradients_f = sobel(fused)
    quality_a, weight_a = _edge_quality(sobel(a), gradients_f)
    quality_b, weight_b = _edge_quality(sobel(b), gradients_f)
    kept = (quality_a * weight_a + quality_b * weight_b).sum(dim=(1, 2, 3))
    total = (weight_a + weight_b).sum(dim=(1, 2, 3))
    # The small constant keeps the loss of flat crops, which have no edges, near zero.
    return ((total - kept) / (total + 1.0)).mean()


def _edge_quality(
    source: tuple[Tensor, Tensor], fused: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    (sx, sy), (fx, fy) = source, fused
    strength_s = torch.sqrt(sx**2 + sy**2 + _EPS)
    strength_f = torch.sqrt(fx**2 + fy**2 + _EPS)
    ratio = torch.minimum(strength_f / strength_s, strength_s / strength_f)
    cross, dot = (sx * fy - sy * fx).abs(), (sx * fx + sy * fy).abs()
    angle = torch.atan2(cross + _EPS, dot + _EPS)
    alignment = 1 - angle / (math.pi / 2)
    strength = 0.9994 / (1 + torch.exp(-15 * (ratio - 0.5)))
    orientation = 0.9879 / (1 + torch.exp(-22 * (alignment - 0.8)))
    return strength * orientation, strength_s


def artefact_loss(fused: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Mean gradient of the fused image in excess of both sources, over four scales.

    Penalises structure that the other terms reward although neither source has it: ghost edges,
    and the outlines of patches in a uniform area where the network switches sources. The outline of
    a bright object from one source on the dark background of the other is not penalised, because
    one source has it. Images are downsampled by 2 from scale to scale, because soft outlines are
    steep only at coarse scales.
    """
    total = fused.new_zeros(())
    for scale in range(_SCALES):
        if scale:
            fused, a, b = (F.avg_pool2d(image, 2) for image in (fused, a, b))
        allowed = gradient_magnitude(a) + gradient_magnitude(b)
        total = total + F.relu(gradient_magnitude(fused) - allowed).mean()
    return total / _SCALES


def information_loss(fused: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """1 − the mean of VIF(a, f) and VIF(b, f), with contrast above both sources not counted.

    Sheikh and Bovik, "Image information and visual quality" (2006), in the pixel domain at four
    scales, with their noise variance of 2 on the 8-bit scale. A low-contrast region of one source
    may be shown with the contrast of the other, which raises its VIF above 1 and this loss below 0.
    Contrast above that of both sources does not improve the loss.
    """
    information = _visual_information(a, b, fused) + _visual_information(b, a, fused)
    return 1 - information.mean() / 2


def _visual_information(source: Tensor, other: Tensor, fused: Tensor) -> Tensor:
    """Fraction of the information of ``source`` that the fused image preserves, shape N."""
    carried = there = source.new_zeros(source.shape[0])
    x, z, y = source * 255, other * 255, fused * 255
    for scale in range(_SCALES):
        size = 2 ** (_SCALES - scale) + 1
        blur = partial(_blur, size=size, sigma=size / 5)
        # Downsampling requires twice the window: crops below 48 pixels have fewer scales.
        if scale and min(x.shape[-2:]) < 3 * size - 2:
            break
        if scale:
            x, z, y = (blur(image)[..., ::2, ::2] for image in (x, z, y))
        mu_x, mu_z, mu_y = blur(x), blur(z), blur(y)
        var_x, var_z, var_y = (
            F.relu(blur(image * image) - mean**2)
            for image, mean in ((x, mu_x), (z, mu_z), (y, mu_y))
        )
        covariance = blur(x * y) - mu_x * mu_y
        gain = covariance.clamp(min=0) / var_x.clamp(min=_VIF_FLOOR)
        gain = gain * (var_x > _VIF_FLOOR)
        noise = F.relu(var_y - gain * covariance)
        # The preserved signal has variance gain² var_x, limited to that of the richer source.
        signal = torch.minimum(gain**2 * var_x, torch.maximum(var_x, var_z))
        carried = carried + torch.log10(1 + signal / (noise + _VIF_NOISE)).sum((1, 2, 3))
        there = there + torch.log10(1 + var_x / _VIF_NOISE).sum((1, 2, 3))
    return (carried + 1) / (there + 1)


def mutual_loss(fused: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """1 − (I(a; f) + I(b; f)) / (H(a) + H(b)), from joint histograms of 256 × 256 grey levels.

    Qu, Zhang and Yan, "Information measure for performance of image fusion" (2002). Grey levels of
    the sources are rounded; a value of the fused image counts for the two levels beside it by its
    distance to each, so that the loss has a gradient. Several channels are counted together.
    """
    information, entropy_a = _mutual_information(a, fused)
    of_b, entropy_b = _mutual_information(b, fused)
    # Flat crops have no entropy; the small constant keeps their loss at 1.
    shared = (information + of_b) / (entropy_a + entropy_b + 1e-3)
    return 1 - shared.mean()


def _mutual_information(source: Tensor, fused: Tensor) -> tuple[Tensor, Tensor]:
    """I(source; fused) and H(source) in bits, shape N each."""
    count = source.shape[0]
    rows = (source * 255).round().long().flatten(1)
    value = (fused * 255).clamp(0, 255).flatten(1)
    below = value.detach().floor().clamp(0, 254)
    share = value - below
    cell = rows * 256 + below.long() + 65536 * torch.arange(count, device=rows.device)[:, None]
    joint = fused.new_zeros(count * 65536)
    joint = joint.index_add(0, cell.flatten(), (1 - share).flatten())
    joint = joint.index_add(0, cell.flatten() + 1, share.flatten())
    table = joint.view(count, 256, 256) / value.shape[1]
    of_source, of_fused = _entropy(table.sum(dim=2)), _entropy(table.sum(dim=1))
    return of_source + of_fused - _entropy(table), of_source


def floor_loss(fused: Tensor, a: Tensor, functional: Tensor) -> Tensor:
    """Mean over pixels of what the fused image is darker than A by, beyond 4 levels of 255.

    In crops whose A is functional (``functional``: shape N, 1 or 0) every pixel counts: uptake is
    not to go dark. In the others pixels count by the eighth power of their level in A: bone stays
    bright, while soft tissue may give way to the other source.
    """
    weight = torch.where(functional.view(-1, 1, 1, 1) > 0, torch.ones_like(a), a**8)
    return 255 * (weight * F.relu(a - _FLOOR_SLACK - fused)).mean()


def daylight_loss(fused: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """How far the brightness is from what :func:`core.models.salience.brightness` asks for.

    Outside targets the mean absolute difference of coarse brightness (65×65 pixels, weighted as a
    triangle): by day from the visible image B, by night from the infrared one A, to the share in
    which that has the detail. At targets of A, what pixels are darker than it.
    """
    night = night_of(b) * lead_of(reduced(activities(a, b)))
    wanted = brightness(a, b, night)
    target = target_map(a, b)
    difference = (1 - target) * (fused - wanted)
    for _ in range(2):
        side = 2 * _COARSE_RADIUS + 1
        around = (_COARSE_RADIUS,) * 4
        padded = F.pad(difference, around, mode="replicate")
        difference = F.avg_pool2d(F.avg_pool2d(padded, (side, 1), stride=1), (1, side), stride=1)
    return difference.abs().mean() + (target * F.relu(a - fused)).mean()


def _entropy(shares: Tensor) -> Tensor:
    """−Σ p·log2 p over all but the first dimension, shape N."""
    return -(shares * torch.log2(shares.clamp(min=1e-12))).flatten(1).sum(dim=1)


def _blur(image: Tensor, size: int, sigma: float) -> Tensor:
    """Gaussian filter without padding, applied to every channel separately."""
    channels = image.shape[1]
    window = _gaussian(size, sigma, image)
    rows = window.view(1, 1, -1, 1).expand(channels, 1, -1, 1)
    columns = window.view(1, 1, 1, -1).expand(channels, 1, 1, -1)
    return F.conv2d(F.conv2d(image, rows, groups=channels), columns, groups=channels)


def reconstruction_loss(reconstructions: tuple[Tensor, Tensor], a: Tensor, b: Tensor) -> Tensor:
    """Mean of the L1 distances of both reconstructions to their sources (lower level)."""
    rec_a, rec_b = reconstructions
    return (F.l1_loss(rec_a, a) + F.l1_loss(rec_b, b)) / 2


def fusion_terms(
    fused: Tensor,
    a: Tensor,
    b: Tensor,
    weights: LossWeights,
    edge: float = 0.0,
    *,
    artefact: float = 0.0,
    information: float = 0.0,
    mutual: float = 0.0,
    daylight: float = 0.0,
) -> dict[str, Tensor]:
    """The weighted terms of L_fuse by name; their sum is the objective of the upper level."""
    terms = {
        "intensity": weights.intensity * intensity_loss(fused, a, b, weights.intensity_target),
        "gradient": weights.gradient * gradient_loss(fused, a, b),
        "ssim": weights.ssim * ssim_loss(fused, a, b, weights.ssim_weighting),
    }
    if edge:
        terms["edge"] = edge * edge_loss(fused, a, b)
    if artefact:
        terms["artefact"] = artefact * artefact_loss(fused, a, b)
    if information:
        terms["information"] = information * information_loss(fused, a, b)
    if mutual:
        terms["mutual"] = mutual * mutual_loss(fused, a, b)
    if daylight:
        terms["daylight"] = daylight * daylight_loss(fused, a, b)
    return terms
