"""A new pack beside its parent, and made the default of its task, on worker threads.

The trainer, and with it torch, is imported inside the functions.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.train.images import as_image
from app.train.state import PackComparison
from app.train.view_models import ScoreRow, TrainSettings
from app.workers.training import one_core_left
from core.progress import Progress
from core.tasks import get_task

if TYPE_CHECKING:
    from trainer.config.run_plan import RunPlan


def compare_packs(
    parent: Path | None, child: Path, settings: TrainSettings, plan: RunPlan, progress: Progress
) -> PackComparison:
    """Compare a run's pack with its parent on the validation pairs.

    Without a parent, the task's classical method is used instead. Device and DINOv3 weights are
    those of the run.

    Raises:
        FusionError: a pack or pair is invalid.
    """
    from trainer.config.config import train_adapter
    from trainer.data.division import divide_pairs
    from trainer.run.compare import compare
    from trainer.run.network import backbone_of

    config = train_adapter.validate_python(settings)
    pairs = divide_pairs(plan, config).split.validation
    before = parent or get_task(config.task).default_baseline
    with one_core_left():
        found = compare(
            before,
            child,
            pairs,
            progress,
            device=plan.device_of(config),
            backbone=backbone_of(config),
            windows=config.windows,
            align=config.align_choice,
        )
    lines = tuple(ScoreRow(f.name, f.title, f.parent, f.child, f.better) for f in found.scores)
    strips = tuple(
        tuple(as_image(p) for p in (strip.a, strip.b, strip.parent, strip.child))
        for strip in found.strips
    )
    return PackComparison(lines, strips, found.pairs, found.wins)


def make_default(task: str, name: str, progress: Progress) -> None:
    """Make a pack the default of its task.

    Raises:
        FusionError: the choice cannot be stored.
    """
    from core.packs.user_packs import set_default

    set_default(task, name)
