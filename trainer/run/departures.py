"""What a pack has of the paper (UniFusion, arXiv 2603.14214) and what not, by its manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from core.models.config import NetworkConfig, paper_config
from core.packs.format import PackManifest
from core.tasks import TASKS

_HEADS = {
    "blend": "a head that blends the sources by a map at full resolution and adds a residual",
    "bounded_blend": "a head that blends the sources by a map at full resolution, adds a residual, "
    "and stays within bounds of both",
    "decision": "a head whose map may copy one source exactly",
    "layered": "a head that weighs base and details of the sources apart",
    "bounded": "a head that corrects the choice of the more active source, and stays within bounds "
    "of both",
    "salient": "a head that adds detail to the brightness of one source, by day the visible and by "
    "night the infrared one, with what the other shows as targets, and stays within bounds of both",
    "detail": "a head that shows the brighter source and adds detail within bounds",
    "focus": "a head that chooses the sharper source by rule: nothing of the fusion is learnt, and "
    "features and reconstructions have no part in the fused image",
}
_TERMS = {
    "edge": "edge preservation",
    "artefact": "edges that neither source has",
    "information": "visual information",
    "mutual": "mutual information",
    "floor": "uptake that stays visible",
    "daylight": "brightness of the visible image by day",
    "consistency": "independence of the surroundings",
}
_DATA = {
    "swap": "exchanged sources",
    "jitter": "varied brightness",
    "refocus": "simulated defocus",
    "truth": "comparison with ground truth where there is one",
    "tone": "random tone curves",
    "uptake": "simulated uptake",
    "noise": "added noise",
}
_TARGETS = {
    "brighter": "intensity drawn to two thirds of the brighter source",
    "sharper": "intensity drawn to the locally sharper source",
}


def origin_lines(manifest: PackManifest) -> list[str]:
    """Two Markdown paragraphs: the paper's parts of the pack, then all that is not the paper's."""
    own = list(_departures(manifest))
    lines = [f"**From the paper:** {', '.join(_kept(manifest))}."]
    if own:
        lines += ["", f"**Not from the paper:** {'; '.join(own)}."]
    return lines


def _kept(manifest: PackManifest) -> Iterator[str]:
    network, config = manifest.network, manifest.training.config
    if network.backbone.kind == "dinov3":
        yield "the frozen DINOv3 backbone"
    if network.adapter and network.backbone.kind != "none":
        yield "adapters to full-size features"
    if network.reconstruction:
        yield "a reconstruction branch for each source"
    if not network.learns_fusion:
        return
    yield "cross-attention over channels in both directions"
    if config.get("bilevel", True) and network.reconstruction:
        yield "training in two levels"
    if config.get("ema"):
        yield "an average of the weights"
    yield "losses of intensity, gradient and structure"
    if config.get("self_reconstruction"):
        yield "sources rebuilt from the fused features"


def _departures(manifest: PackManifest) -> Iterator[str]:
    network, record = manifest.network, manifest.training
    yield from _of_backbone(network, record.config)
    yield from _of_network(network)
    if not network.learns_fusion:
        return
    losses = record.config.get("losses")
    if isinstance(losses, Mapping) and manifest.task in TASKS:
        yield from _of_losses(losses, manifest.task)
    if terms := _named(_TERMS, record.config):
        yield f"further losses: {', '.join(terms)}"
    if changes := _named(_DATA, record.config):
        yield f"training data: {', '.join(changes)}"
    if "mean of" in record.parent:
        yield "weights that are the mean of two packs"


def _of_backbone(network: NetworkConfig, config: Mapping[str, Any]) -> Iterator[str]:
    """What stands in place of DINOv3, by the network and by the one that was trained."""
    backbone, trained = network.backbone, config.get("network")
    if backbone.kind == "encoder":
        yield (
            f"no DINOv3, but a small encoder of {backbone.depth} blocks that is trained along (an "
            "ablation of the paper)"
        )
    if backbone.kind != "none":
        return
    then = trained.get("backbone") if isinstance(trained, Mapping) else None
    if isinstance(then, Mapping) and then.get("kind") == "encoder":
        yield (
            f"no DINOv3 and no other backbone: a small encoder of {backbone.depth} blocks was "
            "trained along, and what the adapters made of its tokens is replaced by its mean"
        )
    else:
        yield "no DINOv3 and no other backbone"
    if network.adapter:
        yield "adapters that are a convolution of the picture"


def _of_network(network: NetworkConfig) -> Iterator[str]:
    paper = paper_config()
    if network.stride > 1:
        yield f"heavy blocks at 1/{network.stride} of the resolution"
    blocks = network.fusion_blocks, network.reconstruction_blocks
    if blocks != (paper.fusion_blocks, paper.reconstruction_blocks) or (
        network.channels != paper.channels
    ):
        fusing = f"{blocks[0]} fusion and " if network.learns_fusion else ""
        yield (
            f"{fusing}{blocks[1]} reconstruction blocks of {network.channels} "
            f"channels (paper: {paper.fusion_blocks}, {paper.reconstruction_blocks}, "
            f"{paper.channels})"
        )
    if network.in_channels == 1:
        yield "luma fused and colour carried past the network"
    if network.head != "direct":
        yield _HEADS.get(network.head, f"a head of the kind {network.head}")
    if network.learned_mixing:
        yield f"learned mixing in place of attention in {', '.join(network.learned_mixing)}"


def _of_losses(losses: Mapping[str, Any], task: str) -> Iterator[str]:
    release = TASKS[task].losses
    names = ("intensity", "gradient", "ssim", "reconstruction")
    own = tuple(losses.get(name) for name in names)
    theirs = tuple(getattr(release, name) for name in names)
    if own != theirs:
        yield (
            "weights of intensity, gradient, structure and reconstruction of "
            f"{', '.join(f'{weight:g}' for weight in own)} (the paper's release: "
            f"{', '.join(f'{weight:g}' for weight in theirs)})"
        )
    target = str(losses.get("intensity_target"))
    if target in _TARGETS:
        yield _TARGETS[target]


def _named(words: Mapping[str, str], config: Mapping[str, Any]) -> list[str]:
    return [text for name, text in words.items() if config.get(name)]
