"""Writes the model card of every embedded pack: training data, settings and scores.

    python benchmarks/model_cards.py --data DIR

DIR holds val/TASK/a and val/TASK/b. Every pack is scored beside the five classical methods on the
luma of all validation pairs; the card ends with the command that measured it, and the pack's own
record gets the same scores. ``--task NAME`` does so for one task only.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from app.cli.score_table import render_table
from core.baselines import BASELINES
from core.evaluation.plan import EvaluationPlan, MethodChoice
from core.evaluation.result import EvaluationResult
from core.evaluation.run import EvaluationFinished, evaluate_plan
from core.evaluation.tables import summarize
from core.fusion.engine import FusionEngine
from core.io import atomic_write, read_pair
from core.metrics import psnr_pair, to_luma8
from core.packs.format import PackManifest, read_pack, write_pack
from core.packs.registry import Catalogue, PackEntry
from core.pairing.folders import pair_folders
from core.tasks import TASKS, get_task
from core.types import FusionRequest
from resources import PACKS

METRICS = ("Qabf", "MI", "VIF", "SSIM", "CC", "PSNR", "Qy")
RECONSTRUCTION = "reconstruction_psnr"


def score(sources: Path, task: str, pack: str) -> EvaluationResult:
    """Scores of a pack and the classical methods over all pairs of a folder."""
    methods = [MethodChoice("pack", pack), *(MethodChoice("classical", b) for b in BASELINES)]
    for event in evaluate_plan(EvaluationPlan(sources, methods, METRICS, task=task, device="cpu")):
        if isinstance(event, EvaluationFinished):
            return event.result
    raise RuntimeError("the evaluation did not finish")


def reconstruction(engine: FusionEngine, sources: Path, task: str, pack: str) -> float:
    """Mean PSNR in dB of the reconstructions of all sources, as 8-bit luma."""
    values = []
    for files in pair_folders(sources).matches:
        request = FusionRequest(read_pair(files.a, files.b), task, pack, reconstructions=True)
        result = engine.fuse(request)
        both = (result.reconstruction_a, result.reconstruction_b)
        for image, got in zip((request.pair.a, request.pair.b), both, strict=True):
            assert got is not None
            values.append(psnr_pair(to_luma8(image.normalised()), to_luma8(got)))
    return float(np.mean(values))


def with_scores(entry: PackEntry, scores: dict[str, float]) -> PackManifest:
    """The pack written anew with these scores in its record; its weights stay."""
    network, manifest = read_pack(entry.path)
    record = replace(manifest.training, scores=scores)
    return write_pack(entry.path, network, replace(manifest, training=record))


def card(manifest: PackManifest, size: int, scores: EvaluationResult) -> str:
    """The card of a pack of ``size`` bytes, as Markdown."""
    task = get_task(manifest.task)
    record, network = manifest.training, manifest.network
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
        f"| size | {size / 1e6:.1f} MB |",
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
        "## Scores",
        "",
        f"Means over {len(scores.common())} validation pairs that were not trained on, 8-bit "
        "luma; best bold, second underlined.",
        "",
        render_table(scores, "markdown"),
        "",
    ]
    lines += [
        f"Reconstruction of the sources: {record.scores[RECONSTRUCTION]:.1f} dB PSNR (mean).",
        "",
        "Measured by `python benchmarks/model_cards.py --data DIR`.",
        "",
        "## Training settings",
        "",
        f"`{json.dumps(settings, sort_keys=True)}`",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Score the packs and write their cards."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", choices=tuple(TASKS), help="this one only")
    options = parser.parse_args()
    engine = FusionEngine("cpu", Catalogue([PACKS]))
    for entry in Catalogue([PACKS]).scan()[0]:
        name, task = entry.manifest.name, entry.manifest.task
        if options.task not in (None, task):
            continue
        sources = options.data / "val" / task
        methods = score(sources, task, name)
        own = summarize(methods).rows[0].cells
        scores = {metric: cell.mean for metric, cell in own.items()} | {
            RECONSTRUCTION: reconstruction(engine, sources, task, name)
        }
        manifest = with_scores(entry, scores)
        text = card(manifest, entry.path.stat().st_size, methods)
        atomic_write(entry.path.with_suffix(".md"), text.encode())
        print(render_table(methods))


if __name__ == "__main__":
    main()
