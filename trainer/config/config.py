"""Everything a training run depends on, in one frozen, serialisable dataclass."""

from __future__ import annotations

from typing import Self

from pydantic import ConfigDict, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from core.errors import Message
from core.setting import Misfit
from core.tasks import TASKS, ColourPolicy, LossWeights, get_task
from trainer.config.data_settings import DataSettings
from trainer.config.model_settings import ModelSettings
from trainer.config.monitoring_settings import MonitoringSettings
from trainer.config.objective_settings import ObjectiveSettings
from trainer.config.optimization_settings import OptimizationSettings

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False, revalidate_instances="always")


@dataclass(frozen=True, config=_STRICT)
class TrainConfig(
    MonitoringSettings, DataSettings, ObjectiveSettings, OptimizationSettings, ModelSettings
):
    """The settings of one training run.

    Each base class holds the fields of one group, with their titles, units and limits. A dataclass
    collects the fields of its bases from the last to the first, so that ``task`` comes first.
    """

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.task not in TASKS:
            raise Misfit(
                "task",
                Message("unknown task {0!r}; choose one of {1}", self.task, ", ".join(TASKS)),
            )
        if self.bilevel and self.lr_lower <= self.lr_upper:
            raise Misfit(
                "lr_lower",
                Message("the lower level must learn faster than the upper one (η_L > η_U)"),
            )
        if self.self_reconstruction and not self.network.rebuilds_from_fused:
            raise Misfit(
                "self_reconstruction",
                Message("it needs a network that learns to fuse, with a reconstruction branch"),
            )
        return self

    @property
    def colour(self) -> ColourPolicy:
        """The colour policy of the task; a three-channel network fuses RGB instead."""
        policy = get_task(self.task).colour
        return policy if self.network.in_channels == 1 else ColourPolicy("rgb", policy.chroma)

    @property
    def loss_weights(self) -> LossWeights:
        """``losses``, or the weights of the task."""
        return self.losses or get_task(self.task).losses


train_adapter = TypeAdapter(TrainConfig)
"""Validates and serialises :class:`TrainConfig`."""
