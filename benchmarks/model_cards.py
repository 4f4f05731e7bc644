"""Write the model card of every embedded pack: what it was trained on, how, and how it scores.

    python benchmarks/model_cards.py --data DIR

DIR holds val/TASK/a and val/TASK/b. Every pack is scored beside the five classical methods on the
luma of all validation pairs; the card ends with the command that measured it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from core.baselines import BASELINES
from core.engine import FusionEngine
from core.evaluation import MethodScore, render_table, score_with
from core.io import atomic_write, read_pair
from core.io.pairing import PairedFiles
from core.metrics import Luma, to_luma8
from core.models.catalogue import Catalogue, PackEntry
from core.tasks import get_task
from core.types import FusionRequest
from resources import PACKS

METRICS = ("Qabf", "MI", "VIF", "SSIM", "CC", "PSNR", "Qy")


def score(engine: FusionEngine, sources: Path, task: str, method: str) -> MethodScore:
    """Figures of one method over all pairs of a folder."""

    def produce(files: PairedFiles) -> Luma:
        pair = read_pair(files.a, files.b)
        return to_luma8(engine.fuse(FusionRequest(pair, task, method)).fused)

    return score_with(sources, produce, METRICS, method)


def card(entry: PackEntry, scores: list[MethodScore]) -> str:
    """The card, as Markdown."""
    manifest, task = entry.manifest, get_task(entry.manifest.task)
    record, network = manifest.training, manifest.network
    reconstruction = record.figures.get("reconstruction_psnr")
    settings = {k: v for k, v in record.config.items() if k not in ("network", "init", "backbone")}
    lines = [
        f"# {manifest.title}",
        "",
        f"`{manifest.name}` fuses {task.description}. Research use only.",
        "",
        "| | |",
        "| --- | --- |",
        f"| network | {network.backbone.kind} backbone, C = {network.channels}, heavy blocks at "
        f"1/{network.stride} resolution, {network.head} head |",
        f"| colour | {manifest.colour.mode}; chroma from {manifest.colour.chroma} |",
        f"| size | {entry.path.stat().st_size / 1e6:.1f} MB |",
        f"| trained | {record.steps} bilevel steps, {record.pairs} pairs, seed "
        f"{record.config.get('seed')}, {record.seconds / 60:.0f} minutes on a CPU |",
        f"| parent | {record.parent or 'none'} |",
        f"| licence | {manifest.licence} |",
        f"| weights sha256 | `{manifest.weights_sha256}` |",
        "",
        "## Data",
        "",
        *(f"- {line}" for line in manifest.data),
        "",
        "## Figures",
        "",
        f"Means over {len(scores[0].pictures)} validation pairs that were not trained on, 8-bit "
        "luma; best bold, second underlined.",
        "",
        render_table(scores, "markdown"),
        "",
    ]
    if reconstruction is not None:
        lines += [f"Reconstruction of the sources: {reconstruction:.1f} dB PSNR (mean).", ""]
    lines += [
        "Measured by `python benchmarks/model_cards.py --data DIR`.",
        "",
        "## Training settings",
        "",
        f"`{json.dumps(settings, sort_keys=True)}`",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Score and write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    engine = FusionEngine("cpu", Catalogue([PACKS]))
    for entry in Catalogue([PACKS]).scan()[0]:
        task = entry.manifest.task
        sources = options.data / "val" / task
        methods = [entry.manifest.name, *BASELINES]
        scores = [score(engine, sources, task, method) for method in methods]
        atomic_write(entry.path.with_suffix(".md"), card(entry, scores).encode())
        print(render_table(scores))


if __name__ == "__main__":
    main()
