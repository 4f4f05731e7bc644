"""What tokens, features and learnt maps are worth in the fused image of each embedded pack.

    python benchmarks/semantic_path.py --data DIR --out benchmarks/results/semantic_path.md

DIR holds val/TASK/a and val/TASK/b. Nothing is trained. Each pair is fused

- with its own tokens, with tokens of zero, with those of the next pair, and with its own moved by
  half the width; a pack without a backbone has none;
- with features (what the adapters make of tokens and images) of zero, and of the next pair;
- by the head alone, with a map made by hand in place of the learnt one: of a head that starts from
  a rule, the rule; where the head copies sources (focus), that of the larger Laplacian over 7×7
  pixels, averaged as the map of a ``decision`` head is, also beside a pack that fuses by another
  rule; of other heads the choice of the more active source.

For each, means over the pairs on 8-bit luma of Qabf, VIF and MI, and of the change of the fused
image in grey levels (mean over pixels; largest). Where the changes are small, what is changed is
not used. ``--pack FILE`` measures that pack only, and ``--before FILE`` an earlier state of it
beside it, with its own tokens.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.fusion.color import split
from core.io import atomic_write, read_pair
from core.metrics import evaluate, to_luma8
from core.models.backbone import resize_tokens
from core.models.blend_head import consistency_filter
from core.models.bounding import activity_logit
from core.models.network import UniFusionNet, pad_to_patches
from core.packs.format import PackManifest, read_pack
from core.packs.registry import Catalogue
from core.pairing.folders import pair_folders
from core.types import FloatArray
from resources import PACKS

METRICS = ("Qabf", "VIF", "MI")
Sources = tuple[Tensor, Tensor]
Change = Callable[[list[Tensor], list[Tensor]], list[Tensor]]


def _zero(own: list[Tensor], other: list[Tensor]) -> list[Tensor]:
    return [torch.zeros_like(m) for m in own]


def _of_next(own: list[Tensor], other: list[Tensor]) -> list[Tensor]:
    return [resize_tokens(o, *m.shape[2:]) for m, o in zip(own, other, strict=True)]


def _moved(own: list[Tensor], other: list[Tensor]) -> list[Tensor]:
    return [m.roll(m.shape[3] // 2, dims=3) for m in own]


CHANGES: dict[str, Change] = {
    "zero": _zero,
    "of the next pair": _of_next,
    "moved by half the width": _moved,
}


def sources(folder: Path, manifest: PackManifest) -> Iterator[Sources]:
    """The pairs of a folder as the network of a pack sees them, padded to patches."""
    for files in pair_folders(folder).matches:
        parts = split(read_pair(files.a, files.b, task=manifest.task), manifest.colour)
        tensors = (torch.from_numpy(x.transpose(2, 0, 1).copy())[None] for x in (parts.a, parts.b))
        a, b = (pad_to_patches(x)[0] for x in tensors)
        yield a, b


@torch.inference_mode()
def fused_with(network: UniFusionNet, pair: Sources, tokens: list[Tensor]) -> FloatArray:
    """The fused image H'×W'×ch in [0, 1], with the padding, from given token maps."""
    original = network.backbone.reduced_tokens
    network.backbone.reduced_tokens = lambda *images: tokens  # type: ignore[method-assign]
    try:
        fused = network.fuse(network.encode(*pair), *pair)
    finally:
        network.backbone.reduced_tokens = original  # type: ignore[method-assign]
    return _image(fused)


@torch.inference_mode()
def fused_from(network: UniFusionNet, pair: Sources, of: Sources | None) -> FloatArray:
    """As :func:`fused_with`, from the features of another pair, or from zeros."""
    features = network.encode(*pair)
    if of is None:
        features = features._replace(x=0 * features.x, y=0 * features.y)
    else:
        sizes = features.x.shape[2:]
        features = features._replace(
            **{
                name: F.interpolate(maps, sizes, mode="bilinear", align_corners=False)
                for name, maps in network.encode(*of)._asdict().items()
            }
        )
    return _image(network.fuse(features, *pair))


@torch.inference_mode()
def fused_by_hand(network: UniFusionNet, pair: Sources) -> FloatArray:
    """As :func:`fused_with`, by the head with a hand-made map; nothing that was learnt is used."""
    x, y = pair
    if network.config.head in ("decision", "focus"):
        sharper = _laplacian(x) - _laplacian(y)
        weight = consistency_filter(0.5 * torch.sign(sharper))
        return _image(weight * x + (1 - weight) * y)
    if network.config.head in ("blend", "bounded_blend"):
        weight = torch.sigmoid(activity_logit(x, y))
        return _image(weight * x + (1 - weight) * y)
    fresh = UniFusionNet(network.config).eval()
    return _image(fresh.fuse(fresh.encode(*pair), *pair))


def _laplacian(image: Tensor) -> Tensor:
    """Mean magnitude of the Laplacian over 7×7 pixels, N×1×H×W."""
    kernel = image.new_tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]).view(1, 1, 3, 3)
    grey = F.pad(image.mean(dim=1, keepdim=True), (4, 4, 4, 4), mode="replicate")
    return F.avg_pool2d(F.conv2d(grey, kernel).abs(), 7, stride=1)


def _image(fused: Tensor) -> FloatArray:
    return np.ascontiguousarray(fused[0].float().clamp(0, 1).permute(1, 2, 0).numpy())


def _luma(image: Tensor) -> FloatArray:
    return image[0].permute(1, 2, 0).contiguous().numpy()


def rows_of(
    network: UniFusionNet, pairs: Sequence[Sources], before: UniFusionNet | None = None
) -> dict[str, tuple[float, ...]]:
    """By change: means of the metrics, then mean and largest change in grey levels.

    Args:
        before: another network, whose fused images count as one more change.
    """
    with torch.inference_mode():
        tokens = [network.backbone.reduced_tokens(*pair) for pair in pairs]
    used = network.config.backbone.kind != "none"
    results: dict[str, list[tuple[float, ...]]] = {}
    for place, pair in enumerate(pairs):
        own, other = tokens[place], tokens[(place + 1) % len(pairs)]
        changed = {"own": own} | {n: c(own, other) for n, c in CHANGES.items() if used}
        plain = to_luma8(fused_with(network, pair, own)).astype(int)
        a, b = (to_luma8(_luma(x)) for x in pair)
        images = {name: fused_with(network, pair, maps) for name, maps in changed.items()}
        images["features zero"] = fused_from(network, pair, None)
        images["features of the next pair"] = fused_from(
            network, pair, pairs[(place + 1) % len(pairs)]
        )
        images["map by hand"] = fused_by_hand(network, pair)
        if before is not None:
            with torch.inference_mode():
                theirs = before.backbone.reduced_tokens(*pair)
            images["before"] = fused_with(before, pair, theirs)
        for name, image in images.items():
            fused = to_luma8(image)
            scores = evaluate(a, b, fused, METRICS)
            apart = np.abs(fused.astype(int) - plain)
            row = (*(scores[m] for m in METRICS), float(apart.mean()), float(apart.max()))
            results.setdefault(name, []).append(row)
    return {
        name: (*np.nanmean([r[:-1] for r in rows], axis=0), max(r[-1] for r in rows))
        for name, rows in results.items()
    }


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="Markdown file for the table")
    parser.add_argument("--pack", type=Path, help="this pack only")
    parser.add_argument("--before", type=Path, help="an earlier state of that pack")
    options = parser.parse_args()
    before = read_pack(options.before)[0].eval() if options.before else None
    paths = [options.pack] if options.pack else [e.path for e in Catalogue([PACKS]).scan()[0]]
    lines = [
        "# What tokens, features and learnt maps are worth",
        "",
        "Means over the validation pairs, 8-bit luma; change: of the fused image, in grey levels.",
        "Made by `python benchmarks/semantic_path.py --data DIR --out FILE`.",
        "",
        "| pack | changed | Qabf | VIF | MI | mean change | largest |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for path in paths:
        network, manifest = read_pack(path)
        pairs = list(sources(options.data / "val" / manifest.task, manifest))
        for name, row in rows_of(network.eval(), pairs, before).items():
            kind = "nothing" if name == "own" else name
            kind = f"tokens {kind}" if kind in CHANGES else kind
            values = "{:.4f} | {:.4f} | {:.3f} | {:.2f} | {:.0f}".format(*row)
            lines.append(f"| {manifest.name} | {kind} | {values} |")
            print(lines[-1], flush=True)
    if options.out:
        atomic_write(options.out, ("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
