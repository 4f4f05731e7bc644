"""Writes the model card of every embedded pack: what it is, scores by group, data and settings.

    python benchmarks/model_cards.py --data DIR

DIR holds val/TASK/a and val/TASK/b. Every pack is scored beside the five classical methods on the
luma of all validation pairs, by group (what stands before the first underscore of their names); the
card says first what of the pack is the paper's and what is not, and what it loses to, and it names
the command that measured it. The pack's own record gets the means over all pairs. ``--task NAME``
does so for one task only.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from math import isclose
from pathlib import Path

import numpy as np

from app.cli.score_table import render_groups, render_table
from benchmarks.elsewhere import elsewhere_tables
from core.baselines import BASELINES
from core.evaluation.groups import BY_PREFIX, GroupSummary, grouped_summary
from core.evaluation.plan import EvaluationPlan, MethodChoice
from core.evaluation.result import EvaluationFinished, EvaluationResult
from core.evaluation.run import evaluate_plan
from core.evaluation.tables import format_value, summarize
from core.fusion.engine import FusionEngine
from core.io import atomic_write, read_pair
from core.metrics import psnr_pair, to_luma8
from core.packs.format import PackManifest, read_pack, write_pack
from core.packs.registry import Catalogue, PackEntry
from core.pairing.folders import pair_folders
from core.tasks import TASKS, get_task
from core.types import FusionRequest
from resources import PACKS
from trainer.run.departures import origin_lines

METRICS = ("Qabf", "MI", "VIF", "SSIM", "CC", "PSNR", "Qy")
RECONSTRUCTION = "reconstruction_psnr"
SAME = 0.005
"""Relative difference up to which a score in a pack's record is left as it is."""
SEEN = {
    "mif": (
        "PET is one subject, and no PET was trained on; CT and SPECT share patients, but not with "
        "these pairs.",
    ),
    "ivif": ("RoadScene is one camera, whose other scenes were trained on; LLVIP was not.",),
    "mff": (
        "NYU-D and MFI-WHU are simulated, and were trained on as well; the real ones were not.",
    ),
}
"""How far the validation pairs are new to the embedded packs."""


def score(sources: Path, task: str, pack: str, cache: Path | None) -> EvaluationResult:
    """Scores of a pack and the classical methods over all pairs of a folder."""
    methods = [MethodChoice("pack", pack), *(MethodChoice("classical", b) for b in BASELINES)]
    plan = EvaluationPlan(
        sources, methods, METRICS, task=task, device="cpu", group_by=BY_PREFIX, cache=cache
    )
    for event in evaluate_plan(plan):
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
    """The manifest with these scores in its record; the pack is written anew if they are others.

    Its weights stay, and so does the whole file where no score differs by half a per cent.
    """
    known = entry.manifest.training.scores
    if known.keys() == scores.keys() and all(
        isclose(known[name], scores[name], rel_tol=SAME) for name in scores
    ):
        return entry.manifest
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
        "## What is the paper's and what is not",
        "",
        "An independent implementation of UniFusion (arXiv 2603.14214).",
        "",
        *origin_lines(manifest),
        "",
        *losses(scores),
        "",
        "| | |",
        "| --- | --- |",
        f"| network | {network.backbone.label}, "
        f"C = {network.channels}, heavy blocks at 1/{network.stride} resolution, "
        f"{network.head} head |",
        f"| colour | {manifest.colour.mode}; chroma from {manifest.colour.chroma} |",
        f"| size | {size / 1e6:.1f} MB |",
        f"| trained | {record.steps} bilevel steps, {record.pairs} pairs, seed "
        f"{record.config.get('seed')}, {record.seconds / 60:.0f} minutes on a CPU |",
        f"| parent | {record.parent or 'none'} |",
        f"| licence | {manifest.licence} |",
        f"| weights sha256 | `{manifest.weights_sha256}` |",
        "",
        "## Scores",
        "",
        f"Means over {len(scores.common())} validation pairs that were not trained on, 8-bit "
        "luma; best bold, second underlined.",
        *SEEN.get(manifest.task, ()),
        "",
        render_groups(scores, "markdown") or render_table(scores, "markdown"),
        "",
        *elsewhere_tables(manifest.task),
        "## Data",
        "",
        *(f"- {line}" for line in manifest.data),
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


def losses(scores: EvaluationResult) -> list[str]:
    """In which group the pack is behind which method on what, as Markdown."""
    lines = [
        f"- {found.group or 'all pairs'} ({found.pairs}): {text}"
        for found in grouped_summary(scores)
        if (text := "; ".join(_ahead(found)))
    ]
    head = "Of the classical methods: the mean of the pack, then that of the best."
    return ["## What it loses to", "", head, "", *lines] if lines else []


def _ahead(found: GroupSummary) -> Iterator[str]:
    """Per metric, the best method if it is not the pack, which is the first row."""
    own, *others = found.rows
    for metric, cell in own.cells.items():
        best = max(others, key=lambda row: row.cells[metric].mean)
        if best.cells[metric].mean > cell.mean:
            theirs = format_value(best.cells[metric].mean)
            yield f"{metric} {cell.text}, {best.method.name} {theirs}"


def main() -> None:
    """Score the packs and write their cards."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--task", choices=tuple(TASKS), help="this one only")
    parser.add_argument("--cache", type=Path, help="folder to keep scores in")
    options = parser.parse_args()
    engine = FusionEngine("cpu", Catalogue([PACKS]))
    for entry in Catalogue([PACKS]).scan()[0]:
        name, task = entry.manifest.name, entry.manifest.task
        if options.task not in (None, task):
            continue
        sources = options.data / "val" / task
        methods = score(sources, task, name, options.cache)
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
