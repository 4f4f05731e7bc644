"""The DINOv3 weights that packs need beside their own file."""

from __future__ import annotations

from pathlib import Path

from core.errors import BackboneMissing, Message
from core.models.backbone import Dinov3Backbone, check_backbone_file
from core.models.config import NetworkConfig
from core.models.network import UniFusionNet
from core.packs.paths import stored_backbone


def attach_backbone(
    network: UniFusionNet, expected_sha256: str, path: Path | None, what: str
) -> str:
    """Load the external backbone of a network; returns its hash, or "" if none is needed.

    If ``path`` is None, the downloaded backbone is used.

    Raises:
        BackboneMissing: one is needed and there is none.
        PackError: the file is not the expected one.
    """
    if not isinstance(network.backbone, Dinov3Backbone):
        return ""
    return network.backbone.load_weights(backbone_for(path, what), expected_sha256)


def check_backbone_of(network: NetworkConfig, path: Path | None, what: str) -> None:
    """Check the external backbone of ``network`` by its header only, which is fast.

    Does nothing for networks that need none.

    Raises:
        BackboneMissing, PackError: as :func:`attach_backbone`, as far as the header shows it.
    """
    if network.backbone.kind == "dinov3":
        check_backbone_file(backbone_for(path, what), network.backbone)


def backbone_for(path: Path | None, what: str) -> Path:
    """``path``, or the downloaded weights.

    Raises:
        BackboneMissing: there are none.
    """
    path = path or stored_backbone()
    if path is None:
        raise BackboneMissing(
            what,
            Message("it needs the DINOv3 ViT-S/16 weights, which are not part of it"),
            Message(
                "Get them in the Train workspace (step 2, network “Paper”) or by “unifusion "
                "backbone fetch”, or give a file with --backbone FILE."
            ),
        )
    return path
