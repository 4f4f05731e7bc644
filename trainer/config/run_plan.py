"""Where a run reads and writes. Light: neither torch nor images are touched."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.events import Kept

if TYPE_CHECKING:
    from trainer.config.config import TrainConfig

CHECKPOINT, LOG, RECORD = "checkpoint.safetensors", "log.jsonl", "run.json"
PREVIOUS = "checkpoint.previous.safetensors"
BEST, START, BOARD = "best.safetensors", "start.safetensors", "tensorboard"
STRIP = "strip.safetensors"
FOLDER_SUFFIX = ".run"


@dataclass(frozen=True)
class RunPlan:
    """Where a run reads and writes.

    Attributes:
        data: a folder of pairs, or several folders or files, paired as in a batch.
        out: the pack to write.
        validation: folder of pairs to judge by, or None.
        device: see :func:`core.device.choose_device`; ``auto`` leaves it to the configuration.
        title, licence, data_used: for the manifest of the pack.
        share: of the data to hold back for judging, when ``validation`` is None (see
            :func:`trainer.data.split.divide`); 0 holds nothing back.
        swapped: A and B change places in every pair, where the names had it wrong.
        keep: what becomes the pack at the end: the state that scored best, or the last one.
        tensorboard: also write a TensorBoard log into the run folder.
    """

    data: Path | tuple[Path, ...]
    out: Path
    validation: Path | None = None
    _: KW_ONLY
    device: str = "auto"
    title: str = ""
    licence: str = ""
    data_used: tuple[str, ...] = ()
    share: float = 0.0
    swapped: bool = False
    keep: Kept = "best"
    tensorboard: bool = False

    @property
    def sources(self) -> tuple[Path, ...]:
        """``data`` as a tuple, whatever was given."""
        return self.data if isinstance(self.data, tuple) else (self.data,)

    def device_of(self, config: TrainConfig) -> str:
        """Where a run of ``config`` shall go on, still to be chosen where that is ``auto``."""
        return self.device if self.device != "auto" else config.device

    @property
    def run_folder(self) -> Path:
        """Checkpoints and the log live here, beside the pack."""
        return self.out.with_name(f"{self.out.stem}{FOLDER_SUFFIX}")

    @property
    def checkpoint(self) -> Path:
        """The run's newest checkpoint; replaced atomically."""
        return self.run_folder / CHECKPOINT

    @property
    def previous(self) -> Path:
        """The checkpoint before that, for where the newest turns out to be damaged."""
        return self.run_folder / PREVIOUS

    @property
    def log(self) -> Path:
        """Every point of every curve, one JSON object a line."""
        return self.run_folder / LOG

    @property
    def record(self) -> Path:
        """Settings and state of the run, for going on later."""
        return self.run_folder / RECORD

    @property
    def best(self) -> Path:
        """A pack of the best state so far."""
        return self.run_folder / BEST

    @property
    def start(self) -> Path:
        """Figures and first image before the first step."""
        return self.run_folder / START

    @property
    def strip(self) -> Path:
        """The newest validation images."""
        return self.run_folder / STRIP

    @property
    def card(self) -> Path:
        """The model card, beside the pack."""
        return self.out.with_suffix(".md")
