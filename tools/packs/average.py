"""Weighted mean of the weights of two trained packs (model soup)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.errors import InputError, Message
from core.packs.format import PackManifest, read_pack, write_pack


def average_packs(first: Path, second: Path, weight: float, out: Path) -> PackManifest:
    """Write (1 − ``weight``) · first + ``weight`` · second as a pack.

    Useful for packs fine-tuned from one parent, which lie in the same basin of the objective
    (Wortsman et al., "Model soups", ICML 2022).

    Args:
        first, second: packs of the same task and network.
        weight: weight of the second pack, 0 to 1.
        out: the pack to write; its file name becomes the name of the pack.

    Raises:
        InputError: the packs differ in task or network, or ``weight`` is out of range.
        PackError: a pack cannot be used. OutputError: ``out`` cannot be written.
    """
    if not 0 <= weight <= 1:
        raise InputError(Message("weight {0}", weight), "it must lie between 0 and 1")
    network, manifest = read_pack(first)
    other, other_manifest = read_pack(second)
    if (manifest.task, manifest.network) != (other_manifest.task, other_manifest.network):
        raise InputError(
            Message("{0} and {1}", first.name, second.name),
            "they differ in task or network",
            "Only packs trained from one parent can be averaged.",
        )
    theirs = other.state_dict()
    network.load_state_dict(
        {k: (1 - weight) * v + weight * theirs[k] for k, v in network.state_dict().items()}
    )
    one, two = manifest.training, other_manifest.training
    shares = (
        f"{1 - weight:g} × {_description(manifest)} and {weight:g} × {_description(other_manifest)}"
    )
    record = replace(
        one,
        steps=one.steps + two.steps,
        seconds=one.seconds + two.seconds,
        scores={},
        parent=f"mean of {shares}",
    )
    return write_pack(out, network, replace(manifest, name=out.stem, training=record))


def _description(manifest: PackManifest) -> str:
    parent = manifest.training.parent
    return manifest.weights_sha256[:12] + (f" (from {parent})" if parent else "")
