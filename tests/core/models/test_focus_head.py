"""The choice of the sharper view, and a network that fuses by it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy import ndimage

from core.models.focus import sharper_view, sharpness
from core.models.network import UniFusionNet
from tests.tiny import tiny_compact

SHAPE = (64, 96)


def views(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A textured picture, out of focus on the right in the first view, on the left in the other."""
    sharp = np.random.default_rng(seed).random(SHAPE)
    blurred = ndimage.gaussian_filter(sharp, 2)
    left = np.arange(SHAPE[1]) < SHAPE[1] // 2
    return np.where(left, sharp, blurred), np.where(left, blurred, sharp)


def tensors(*images: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(image.astype(np.float32))[None, None] for image in images]


def fused_by(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    network = UniFusionNet(tiny_compact(head="focus", in_channels=x.shape[1])).eval()
    with torch.no_grad():
        return network.fuse(network.encode(x, y), x, y)


def weight_by_hand(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The rule by filters of another library, from fourth powers."""
    of_x, of_y = (
        1e-3
        + ndimage.uniform_filter(np.abs(ndimage.laplace(image, mode="nearest")), 11, mode="nearest")
        for image in (x, y)
    )
    decided = of_x**4 / (of_x**4 + of_y**4) - 0.5
    return np.clip(6 * ndimage.uniform_filter(decided, 15, mode="mirror") + 0.5, 0, 1)


def test_a_focus_head_is_its_rule_and_copies_what_is_clear_to_the_bit() -> None:
    x, y = views()
    planes = tensors(x, y)
    fused = fused_by(*planes)
    weight = weight_by_hand(x, y)
    wanted = weight * x + (1 - weight) * y
    np.testing.assert_allclose(fused[0, 0].numpy(), wanted, rtol=0, atol=1e-5)
    assert torch.equal(fused[..., :32], planes[0][..., :32])
    assert torch.equal(fused[..., 64:], planes[1][..., 64:])
    # Exchanged sources give the same image.
    torch.testing.assert_close(fused_by(*planes[::-1]), fused, rtol=0, atol=1e-6)


def test_flat_views_are_averaged_and_a_dot_counts_over_its_window() -> None:
    x, y = tensors(np.full(SHAPE, 0.25), np.full(SHAPE, 0.75))
    assert not sharper_view(x, y).any()
    torch.testing.assert_close(fused_by(x, y), torch.full_like(x, 0.5))
    x[..., 30, 40] += 0.245  # |−4|, and 1 four times, over 121 pixels
    assert sharpness(x)[0, 0, 30, 40].item() == pytest.approx(8 * 0.245 / 121, rel=1e-5)
    assert sharpness(x)[0, 0, 30, 47].item() == 0


def test_channels_of_colour_share_one_choice() -> None:
    x, y = (torch.cat([plane, 0.5 * plane, 1 - plane], dim=1) for plane in tensors(*views(2)))
    fused = fused_by(x, y)
    assert fused.shape == x.shape
    assert torch.equal(fused[..., :24], x[..., :24])


def test_nothing_of_the_fusion_is_learnt_and_without_reconstruction_nothing_at_all() -> None:
    network = UniFusionNet(tiny_compact(head="focus"))
    assert not dict(network.theta())
    assert any(name.startswith("reconstruction_x") for name, _ in network.phi())
    with pytest.raises(ValidationError, match="nothing to train"):
        tiny_compact(head="focus", reconstruction=False)
