"""Which runs an ablation consists of, and where their files are."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from core.errors import InputError, Message
from core.models.config import compact_config
from core.packs.format import SUFFIX
from core.tasks import get_task
from trainer.ablation.variants import MAIN, VARIANTS
from trainer.config import recipes
from trainer.config.config import TrainConfig
from trainer.config.run_plan import RunPlan
from trainer.config.settings_file import load_config
from trainer.config.validation_messages import first_message

BATCH, CROP = 4, 96
"""Crops per step and their side, where nothing else is asked for."""
_SHARE = 0.2
"""Fraction of the data held out where there is no validation folder."""
_MOST_STEPS_LOST = 50
_RUNS, _PACK, _RESULT = "runs", f"pack{SUFFIX}", "result.json"


@dataclass(frozen=True)
class PlannedRun:
    """One run: a variant with a seed.

    Attributes:
        config, plan: of the training run.
        result: file of its scores, which exists when the run is done.
    """

    variant: str
    seed: int
    _: KW_ONLY
    config: TrainConfig
    plan: RunPlan
    result: Path


@dataclass(frozen=True)
class AblationPlan:
    """An ablation.

    Attributes:
        base: configuration of the full variant; its seed is the first one.
        data: folder of training pairs. validation: folder of validation pairs, or None to hold out
            a part of ``data``.
        out: folder of all results.
        variants: names in :data:`trainer.ablation.variants.VARIANTS`.
        seeds: number of seeds; each variant is trained with every one.
        device: see :func:`core.device.choose_device`.
    """

    base: TrainConfig
    data: Path
    out: Path
    validation: Path | None = None
    _: KW_ONLY
    variants: tuple[str, ...] = MAIN
    seeds: int = 3
    device: str = "auto"

    def runs(self) -> tuple[PlannedRun, ...]:
        """All runs, one seed after the other, so that early results are comparable.

        The crops of a step depend on seed and step alone: the variants of one seed see the same.
        """
        seeds = range(self.base.seed, self.base.seed + self.seeds)
        return tuple(self._run(variant, seed) for seed in seeds for variant in self.variants)

    def _run(self, variant: str, seed: int) -> PlannedRun:
        folder = self.out / _RUNS / f"{variant}-{seed}"
        plan = RunPlan(
            self.data,
            folder / _PACK,
            validation=self.validation,
            device=self.device,
            title=f"{VARIANTS[variant].title}, seed {seed}",
            share=0.0 if self.validation else _SHARE,
            keep="last",  # equal budgets: no variant may choose its best step
        )
        config = replace(VARIANTS[variant].change(self.base), seed=seed)
        return PlannedRun(variant, seed, config=config, plan=plan, result=folder / _RESULT)


def ablation_config(
    task: str, steps: int, *, settings: Path | None = None, batch: int = BATCH, crop: int = CROP
) -> TrainConfig:
    """The recipe of the embedded pack of ``task``, from scratch and shortened to ``steps``.

    Embedded packs have no backbone, since what it gave was found to be a constant (decisions 0041
    to 0056). What each part of the method is worth is asked of all of its parts: a recipe without
    backbone gets the encoder of the compact family.

    Args:
        settings: a file of settings to use instead of the recipe.

    Raises:
        InputError: the task is unknown, it has no recipe, or a value is out of range.
    """
    get_task(task)
    path = settings or recipes.path_of(task)
    if path is None:
        raise InputError(
            Message("Task “{0}”", task),
            Message("it has no recipe to take the settings from"),
            Message("Give a file of settings."),
        )
    base = load_config(path)
    if base.task != task:
        raise InputError(
            str(path),
            Message("it is for the task “{0}”, not “{1}”", base.task, task),
            Message("Give the settings of this task."),
        )
    if not base.network.learns_fusion:
        raise InputError(
            str(path),
            Message("its fused image is chosen by rule, so there is nothing to leave out"),
            Message("Give settings with another output."),
        )
    network = base.network
    if settings is None and network.backbone.kind == "none":
        network = replace(network, backbone=compact_config().backbone)
    try:
        return replace(
            base,
            network=network,
            steps=steps,
            batch=batch,
            crop=crop,
            init="",
            validate_every=0,
            validate_pairs=0,
            checkpoint_every=min(_MOST_STEPS_LOST, max(1, steps // 4)),
            log_every=min(base.log_every, steps) or steps,
        )
    except ValidationError as error:
        where, why = first_message(error)
        raise InputError(
            Message("Training settings, {0}", where),
            why,
            Message("Choose other numbers of steps, or another crop or batch."),
        ) from error


def pair_folders_of(data: Path, task: str) -> tuple[Path, Path | None]:
    """The training and the validation folder in ``data``.

    ``data`` holds ``train/TASK`` and perhaps ``val/TASK``, or is itself a folder of pairs.

    Raises:
        InputError: ``data`` is no folder.
    """
    if not data.is_dir():
        raise InputError(
            str(data), Message("there is no such folder"), Message("Give a folder of pairs.")
        )
    train, validation = data / "train" / task, data / "val" / task
    if not train.is_dir():
        return data, None
    return train, validation if validation.is_dir() else None
