"""Writes the pack of a run: its best or last state, with record and model card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.errors import InputError, Message, PackError
from core.packs.format import PackManifest, read_manifest, read_pack, write_pack
from trainer.config.config import TrainConfig
from trainer.config.run_plan import RunPlan
from trainer.events import Finished, Kept
from trainer.optimization.bilevel import BilevelStep
from trainer.run.manifest import pack_manifest
from trainer.run.model_card import write_card
from trainer.run.network import averaged, new_network
from trainer.run.score import score
from trainer.run.trainer import Trainer, check_same_backbone, load_newest
from trainer.run_folder.history import read_curves
from trainer.run_folder.initial_scores import InitialScores, kept_start
from trainer.run_folder.lock import locked
from trainer.run_folder.registry import read_record, write_record


def finish(run: Trainer) -> Finished:
    """Write the pack and its model card, and close the record of the run.

    Raises:
        Diverged: a weight is not finite. OutputError: the pack cannot be written.
    """
    plan = run.plan
    kept: Kept = "last"
    if plan.keep == "best" and plan.best.is_file():
        kept = "best"
        manifest = _copy_best(plan, run.config)
    else:
        run.check_finite()
        manifest = run.manifest(run.scores or {})
        with averaged(run.step) as network:
            manifest = write_pack(plan.out, network, manifest)
    validation_pairs = run.dataset.validation
    done = _finished(
        plan,
        run.state.step,
        manifest=manifest,
        kept=kept,
        start=run.start,
        validation_pairs=len(validation_pairs.pairs) if validation_pairs else 0,
    )
    write_record(replace(run.record(), state="finished", step=run.state.step))
    return done


def _copy_best(plan: RunPlan, config: TrainConfig) -> PackManifest:
    backbone = Path(config.backbone) if config.backbone else None
    network, manifest = read_pack(plan.best, backbone)
    named = replace(manifest, name=plan.out.stem, title=plan.title or plan.out.stem)
    return write_pack(plan.out, network, named)


def _finished(
    plan: RunPlan,
    step: int,
    *,
    manifest: PackManifest,
    kept: Kept,
    start: InitialScores | None,
    validation_pairs: int,
) -> Finished:
    scores, since = manifest.training.scores, start.step if start is not None else 0
    before = start.scores if start is not None else {}
    reached = score(scores, before) if scores and before else 0.0
    notes = []
    if kept == "best" and not manifest.training.steps:
        notes.append(
            Message.plural(
                "No state of {0} step scored higher than the start: the start was kept.",
                "No state of {0} steps scored higher than the start: the start was kept.",
                step,
            )
        )
    elif kept == "best" and manifest.training.steps != step:
        notes.append(
            Message.plural(
                "Trained for {0} step; the state of the best score was kept.",
                "Trained for {0} steps; the state of the best score was kept.",
                step,
            )
        )
    if since:
        notes.append(
            Message(
                "The pairs to judge by changed during the run: scores are compared with those of "
                "step {0}, not with those before training.",
                since,
            )
        )
    if reached and reached < 1:
        worse = Message("By its scores the start was better than this pack.")
        if since:
            worse = Message("By its scores the state of step {0} was better than this pack.", since)
        notes.append(worse)
    curves = read_curves(plan.log) if plan.log.is_file() else None
    write_card(
        plan.card,
        manifest,
        start=before,
        since=since,
        curves=curves,
        validation=validation_pairs,
        notes=notes,
    )
    return Finished(
        step,
        plan.out,
        scores=scores,
        kept=kept,
        best_step=manifest.training.steps,
        report=plan.card,
        curves=plan.log,
        score=reached,
        since=since,
    )


def package(folder: Path, keep: Kept = "best") -> Finished:
    """Make a pack from the folder of a run that was stopped, failed or killed.

    The images are not needed. The run can still be resumed afterwards.

    Args:
        folder: folder of the run.
        keep: the state with the best score (the last one if none was validated), or the last one.

    Raises:
        InputError: there is no run, nothing was saved yet, or its DINOv3 file was replaced.
        OutputError: cannot write.
    """
    record = read_record(folder)
    plan, config = record.plan, record.config
    start = kept_start(plan.start)
    with locked(folder):
        if keep == "best" and _is_pack(plan.best):
            manifest = _copy_best(plan, config)
            return _finished(
                plan,
                record.step,
                manifest=manifest,
                kept="best",
                start=start,
                validation_pairs=record.validation,
            )
        if not plan.checkpoint.is_file():
            raise InputError(
                str(folder),
                Message("no state was saved yet"),
                Message("Start the run again, and let it save once."),
            )
        network, digest, _ = new_network(config, resuming=True)
        step = BilevelStep(network, config)
        state, _ = load_newest(plan, config, step)
        check_same_backbone(plan, state, digest)
        manifest = pack_manifest(config, plan, state, pairs=record.pairs, scores={})
        with averaged(step) as whole:
            manifest = write_pack(plan.out, whole, manifest)
        return _finished(
            plan,
            state.step,
            manifest=manifest,
            kept="last",
            start=start,
            validation_pairs=record.validation,
        )


def _is_pack(path: Path) -> bool:
    try:
        read_manifest(path)
    except PackError:
        return False
    return True
