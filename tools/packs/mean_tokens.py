"""A pack whose tokens hardly depend on the image, without its backbone.

    python -m tools.packs.mean_tokens PACK DATA OUT

DATA holds the pairs the pack was trained on, in ``a`` and ``b``. In each adapter, what the tokens
add to the features is replaced by its mean over all pixels of these pictures, taken up by the bias
of the last layer. The backbone is gone then; nothing else has changed. For which packs tokens are
worth no more than a constant: ``benchmarks/semantic_path.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from core.errors import InputError, Message
from core.fusion.color import split
from core.io import read_pair
from core.models.adapter import Adapter
from core.models.backbone import PATCH, resize_tokens
from core.models.config import NetworkConfig
from core.models.network import UniFusionNet, pad_to_patches
from core.packs.format import PackManifest, read_pack, write_pack
from core.pairing.folders import pair_folders

_DIM = 16
"""Token width that is left, the smallest there is: of the layers for tokens nothing is used."""


def replace_by_mean(pack: Path, data: Path, out: Path) -> PackManifest:
    """Write the pack with what its tokens add on average over the pairs in ``data``.

    Args:
        pack: with adapters, and with no external backbone.
        data: a folder with ``a`` and ``b``, such as the training pairs.
        out: the pack to write; its file name becomes the name of the pack.

    Raises:
        InputError: the network has an external backbone or no adapters, or there are no pairs.
        PackError: the pack cannot be used. OutputError: ``out`` cannot be written.
    """
    network, manifest = read_pack(pack)
    if network.has_frozen_backbone or not manifest.network.adapter:
        raise InputError(
            pack.name,
            Message("its backbone is external, or it has no adapters"),
            Message("Choose a compact pack."),
        )
    bare = without_backbone(network, mean_semantics(network, sources(data, manifest)))
    before = f"{manifest.name} {manifest.weights_sha256[:12]}"
    parent = manifest.training.parent
    record = replace(manifest.training, parent=before + (f" ({parent})" if parent else ""))
    changed = replace(manifest, name=out.stem, network=bare.config, training=record)
    return write_pack(out, bare, changed)


def sources(folder: Path, manifest: PackManifest) -> Iterator[tuple[Tensor, Tensor]]:
    """The pairs of a folder as the network of a pack sees them, padded to patches."""
    for files in pair_folders(folder).matches:
        parts = split(read_pair(files.a, files.b, task=manifest.task), manifest.colour)
        tensors = (torch.from_numpy(x.transpose(2, 0, 1).copy())[None] for x in (parts.a, parts.b))
        a, b = (pad_to_patches(x)[0] for x in tensors)
        yield a, b


@torch.inference_mode()
def mean_semantics(
    network: UniFusionNet, pairs: Iterator[tuple[Tensor, Tensor]]
) -> tuple[Tensor, Tensor]:
    """What the adapters of both sources make of the tokens, as means over all pixels: vectors.

    Raises:
        InputError: there are no pairs.
    """
    sums: list[Tensor] = []
    pixels = 0
    for x, y in pairs:
        maps = network.backbone.reduced_tokens(x, y)
        rows, columns = (side // PATCH for side in x.shape[-2:])
        for source, adapter in enumerate((network.adapter_x, network.adapter_y)):
            assert isinstance(adapter, Adapter)
            own = (resize_tokens(m.chunk(2)[source], rows, columns) for m in maps)
            semantic = adapter.semantic(*own).double().mean(dim=(0, 2, 3)) * rows * columns
            if len(sums) <= source:
                sums.append(torch.zeros_like(semantic))
            sums[source] += semantic
        pixels += rows * columns
    if not sums:
        raise InputError(Message("The mean of the tokens"), Message("there are no pairs"))
    x_sum, y_sum = sums
    return (x_sum / pixels).float(), (y_sum / pixels).float()


def without_backbone(network: UniFusionNet, semantics: tuple[Tensor, Tensor]) -> UniFusionNet:
    """``network`` with constants in place of what its adapters make of the tokens."""
    bare = UniFusionNet(_config(network.config)).eval()
    theirs = {k: v for k, v in network.own_state().items() if not k.startswith("backbone.")}
    state = bare.own_state()
    for name, semantic in zip(("adapter_x", "adapter_y"), semantics, strict=True):
        for key in state:
            if key.startswith(f"{name}.up_"):
                theirs[key] = torch.zeros_like(state[key])
        weight = theirs[f"{name}.project.weight"]
        of_tokens, of_image = weight[:, : len(semantic)], weight[:, len(semantic) :]
        unused = state[f"{name}.project.weight"].shape[1] - network.config.channels
        theirs[f"{name}.project.weight"] = torch.cat(
            [torch.zeros_like(of_tokens[:, :unused]), of_image], dim=1
        )
        theirs[f"{name}.project.bias"] = (
            theirs[f"{name}.project.bias"] + of_tokens[:, :, 0, 0] @ semantic
        )
    bare.load_state_dict(theirs)
    return bare


def _config(network: NetworkConfig) -> NetworkConfig:
    backbone = replace(network.backbone, kind="none", dim=_DIM, heads=1, max_tokens=0)
    return replace(network, backbone=backbone)


def main() -> None:
    """Convert a pack."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pack", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    written = replace_by_mean(options.pack, options.data, options.out)
    print(written.name, written.weights_sha256)


if __name__ == "__main__":
    main()
