"""Networks small enough for a test, and pictures for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

from core.models.backbone import Dinov3Backbone
from core.models.config import BackboneConfig, NetworkConfig, compact_config, paper_config
from core.models.network import UniFusionNet
from core.packs.format import PackManifest, TrainingRecord, write_pack
from core.tasks import get_task
from core.types import BitDepth, FloatArray, Image, SourcePair

# Threads cost these networks more than they bring, and much more on a busy machine.
torch.set_num_threads(1)

TAPS = (0, 1, 2, 3)
TINY_VIT = BackboneConfig(kind="dinov3", dim=48, depth=4, heads=3, mlp_ratio=2.0, taps=TAPS)
TINY_ENCODER = BackboneConfig(kind="encoder", dim=32, depth=4, heads=2, mlp_ratio=1.0, taps=TAPS)


def tiny_paper(**changes: Any) -> NetworkConfig:
    """The paper's structure with a random little ViT."""
    small: dict[str, Any] = {
        "backbone": TINY_VIT,
        "channels": 8,
        "heads": 2,
        "fusion_blocks": 2,
        "reconstruction_blocks": 1,
    }
    return replace(paper_config(), **(small | changes))


def tiny_compact(**changes: Any) -> NetworkConfig:
    """The compact family's structure, a few thousand parameters."""
    small: dict[str, Any] = {
        "backbone": TINY_ENCODER,
        "channels": 8,
        "heads": 2,
        "fusion_blocks": 1,
        "reconstruction_blocks": 1,
        "head_channels": 4,
    }
    return replace(compact_config(), **(small | changes))


def tiny_network(config: NetworkConfig | None = None, seed: int = 0) -> UniFusionNet:
    """A network whose every trainable tensor is random, its zero-started output layer too."""
    torch.manual_seed(seed)
    network = UniFusionNet(config or tiny_compact())
    with torch.no_grad():
        for _, parameter in (*network.phi(), *network.theta()):
            parameter.add_(torch.randn_like(parameter) * 0.05)
    return network.eval()


def backbone_file(path: Path, config: BackboneConfig = TINY_VIT, seed: int = 7) -> Path:
    """A file as timm's release of DINOv3 would be, with random numbers in it."""
    torch.manual_seed(seed)
    vit = Dinov3Backbone(config).vit
    tensors = {name: torch.randn_like(t) * 0.2 for name, t in vit.state_dict().items()}
    save_file(tensors, path)
    return path


def tiny_pack(
    path: Path,
    task: str = "mif",
    seed: int = 0,
    network: UniFusionNet | None = None,
    **changes: Any,
) -> PackManifest:
    """Write a pack of a tiny random network."""
    network = network or tiny_network(seed=seed)
    manifest = PackManifest(
        name=path.stem,
        title=f"Tiny {path.stem}",
        task=task,
        network=network.config,
        colour=get_task(task).colour,
        training=TrainingRecord(steps=3, scores={"Qabf": 0.5}, software={"torch": "x"}),
        licence="Apache-2.0",
        data=("noise",),
    )
    return write_pack(path, network, replace(manifest, **changes))


def smooth(height: int, width: int, channels: int = 1, seed: int = 0) -> FloatArray:
    """A picture with soft structure, H×W×C in [0, 1]."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    planes = []
    for _ in range(channels):
        fy, fx, phase = rng.uniform((0.1, 0.1, 0.0), (0.9, 0.9, 6.0))
        planes.append(0.5 + 0.3 * np.sin(fy * rows + phase) * np.cos(fx * columns))
    noise = rng.uniform(-0.1, 0.1, (height, width, channels))
    return np.clip(np.stack(planes, axis=-1) + noise, 0, 1).astype(np.float32)


def pair(
    height: int = 40,
    width: int = 56,
    channels: tuple[int, int] = (1, 1),
    bit_depth: BitDepth = 8,
    origins: tuple[Path | None, Path | None] = (None, None),
) -> SourcePair:
    """Two aligned pictures, as if read from files."""
    top = 65535.0 if bit_depth == 16 else 255.0
    images = [
        Image(
            np.round(smooth(height, width, c, seed) * np.float32(top)),
            window=(0.0, top),
            bit_depth=bit_depth,
            origin=origin,
        )
        for seed, (c, origin) in enumerate(zip(channels, origins, strict=True))
    ]
    return SourcePair(*images)
