"""The manifest of a pack that a run writes: settings, steps, scores, software."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

from core import __version__
from core.packs.format import PackManifest, TrainingRecord
from trainer.config.config import TrainConfig, train_adapter
from trainer.config.run_plan import RunPlan
from trainer.run_folder.checkpoint import RunState


def pack_manifest(
    config: TrainConfig, plan: RunPlan, state: RunState, *, pairs: int, scores: dict[str, float]
) -> PackManifest:
    """The manifest of a pack made of ``state``.

    Args:
        pairs: number of training pairs.
        scores: scores of the state by metric; {} where it was not validated.
    """
    record = TrainingRecord(
        config=_shareable(config),
        steps=state.step,
        pairs=pairs,
        seconds=round(state.seconds, 1),
        scores=scores,
        software={
            "unifusion": __version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        parent=state.parent,
    )
    return PackManifest(
        name=plan.out.stem,
        title=plan.title or plan.out.stem,
        task=config.task,
        network=config.network,
        colour=config.colour,
        training=record,
        licence=plan.licence,
        data=plan.data_used,
        backbone_sha256=state.backbone_sha256,
    )


def _shareable(config: TrainConfig) -> dict[str, object]:
    """The configuration as plain data, without paths of this machine."""
    plain: dict[str, object] = train_adapter.dump_python(config, mode="json")
    plain["init"] = Path(config.init).name
    plain["backbone"] = Path(config.backbone).name
    return plain
