"""Inputs and outputs of a run. Importing this module loads neither torch nor image libraries."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.pairing.dataset_descriptor import DatasetDescriptor
from trainer.events import Kept

if TYPE_CHECKING:
    from trainer.config.config import TrainConfig

CHECKPOINT, LOG, RECORD = "checkpoint.safetensors", "log.jsonl", "run.json"
PREVIOUS = "checkpoint.previous.safetensors"
BEST, START, BOARD = "best.safetensors", "start.safetensors", "tensorboard"
STRIP = "strip.safetensors"
FOLDER_SUFFIX = ".run"


@dataclass(frozen=True)
class RunPairs:
    """Where the pairs of a run are, and how they are divided into training and validation.

    Attributes:
        data: a folder of pairs, or several folders or files, paired as in a batch.
        validation: folder of validation pairs, or None.
        share: fraction of the data to hold out for validation if ``validation`` is None (see
            :func:`trainer.data.split.group_split`); 0 holds out nothing.
        swapped: exchange A and B in every pair, where the names give the wrong order.
        dataset: how the folders in ``data`` are laid out; None to pair by names.
        split: its split, as in :func:`core.pairing.datasets.dataset_pairs`.
        validation_dataset, validation_split: the same of ``validation``.
    """

    data: Path | tuple[Path, ...]
    _: KW_ONLY
    validation: Path | None = None
    share: float = 0.0
    swapped: bool = False
    dataset: DatasetDescriptor | None = None
    split: str = ""
    validation_dataset: DatasetDescriptor | None = None
    validation_split: str = ""

    @property
    def sources(self) -> tuple[Path, ...]:
        """``data`` as a tuple."""
        return self.data if isinstance(self.data, tuple) else (self.data,)


@dataclass(frozen=True)
class RunPlan(RunPairs):
    """Inputs and outputs of a run.

    Attributes:
        out: the pack to write.
        device: see :func:`core.device.choose_device`; ``auto`` uses that of the configuration.
        title, licence, data_used: entries of the pack's manifest.
        keep: state that becomes the pack at the end: the one with the best score, or the last one.
        tensorboard: also write a TensorBoard log into the run folder.
    """

    out: Path
    _: KW_ONLY
    device: str = "auto"
    title: str = ""
    licence: str = ""
    data_used: tuple[str, ...] = ()
    keep: Kept = "best"
    tensorboard: bool = False

    @classmethod
    def of(cls, pairs: RunPairs, out: Path, **more: Any) -> RunPlan:
        """A run on ``pairs``; ``more``: other attributes of the plan."""
        found = {field.name: getattr(pairs, field.name) for field in fields(RunPairs)}
        return cls(out=out, **found, **more)

    def device_of(self, config: TrainConfig) -> str:
        """The device requested for a run of ``config``; may be ``auto``."""
        return self.device if self.device != "auto" else config.device

    @property
    def run_folder(self) -> Path:
        """The folder of checkpoints and log, beside the pack."""
        return self.out.with_name(f"{self.out.stem}{FOLDER_SUFFIX}")

    @property
    def checkpoint(self) -> Path:
        """The newest checkpoint; replaced atomically."""
        return self.run_folder / CHECKPOINT

    @property
    def previous(self) -> Path:
        """The checkpoint before the newest one, used if the newest one is damaged."""
        return self.run_folder / PREVIOUS

    @property
    def log(self) -> Path:
        """The log of all curves, one JSON object per line."""
        return self.run_folder / LOG

    @property
    def record(self) -> Path:
        """Settings and status of the run, needed to resume it."""
        return self.run_folder / RECORD

    @property
    def best(self) -> Path:
        """A pack of the best state so far."""
        return self.run_folder / BEST

    @property
    def start(self) -> Path:
        """Scores and first image before the first step."""
        return self.run_folder / START

    @property
    def strip(self) -> Path:
        """The latest validation images."""
        return self.run_folder / STRIP

    @property
    def card(self) -> Path:
        """The model card, beside the pack."""
        return self.out.with_suffix(".md")
