"""An optional TensorBoard log."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np

from core.errors import InputError
from core.messages import Message
from trainer.config.run_plan import BOARD, RunPlan
from trainer.events import PreviewImages, Stepped, TrainEvent, Validated


class TensorBoardLog:
    """Writes curves and validation images into ``tensorboard/`` of the run folder.

    Raises:
        InputError: TensorBoard is not installed.
    """

    def __init__(self, plan: RunPlan) -> None:
        self._folder: Path = plan.run_folder / BOARD
        self._writer: Any = None
        try:
            import torch.utils.tensorboard  # noqa: F401
        except ImportError as error:
            raise InputError(
                Message("A TensorBoard log"),
                Message("TensorBoard is not installed"),
                Message("Install it with “pip install tensorboard”, or train without that log."),
            ) from error

    def __enter__(self) -> Self:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(self._folder))
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def add(self, event: TrainEvent) -> None:
        """Write the curves and images of ``event``, if it has any."""
        if isinstance(event, Stepped):
            for name, value in event.losses.items():
                self._writer.add_scalar(f"loss/{name}", value, event.step)
            self._writer.add_scalar("rate/lower", event.lr_lower, event.step)
            self._writer.add_scalar("rate/upper", event.lr_upper, event.step)
        elif isinstance(event, Validated):
            for name, value in event.scores.items():
                self._writer.add_scalar(f"validation/{name}", value, event.step)
            self._writer.add_scalar("validation/score", event.score, event.step)
            self._writer.add_image(
                "strip", _side_by_side(event.strip), event.step, dataformats="HWC"
            )


def _side_by_side(strip: PreviewImages) -> np.ndarray[Any, Any]:
    return np.concatenate([strip.a, strip.b, strip.now, strip.start], axis=1)
