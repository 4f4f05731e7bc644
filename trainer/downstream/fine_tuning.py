"""The short recipe that all tasks on fused images share: seeded steps, checkpoints, weights."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from core.errors import InputError, Message
from core.io import read_image
from core.io.atomic import atomic_write
from core.progress import Progress
from trainer.downstream.plan import DownstreamPlan

_MAX_NORM = 10.0
_SAVE_EVERY = 50
_FEATURES = "features."
"""How names of the layers of a classifier begin that another network may start from."""
_UNREADABLE = (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError,
               pickle.UnpicklingError)  # fmt: skip

Labelled = TypeVar("Labelled")
LossOf = Callable[[Sequence[int], np.random.Generator], torch.Tensor]
"""The loss of the samples with these numbers; all that is random comes from the generator."""


@dataclass(frozen=True)
class FineTuningStep:
    """The loss of a step, from 1."""

    step: int
    loss: float


def image_tensor(path: Path) -> torch.Tensor:
    """The image in ``path`` as float32, 3×H×W in [0, 1]; grey in all three channels."""
    image = read_image(path)
    low, high = image.container or image.window
    pixels = np.clip((image.data - low) / (high - low), 0, 1)
    pixels = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32))


def divide(
    samples: Sequence[Labelled], plan: DownstreamPlan, usable: Callable[[Labelled], bool]
) -> tuple[list[Labelled], list[Labelled]]:
    """Samples to train on, of those that are ``usable``, and those held out.

    Raises:
        InputError: there is none to train on.
    """
    order = np.random.default_rng(plan.seed).permutation(len(samples))
    count = max(1, round(plan.share * len(samples)))
    train = [samples[index] for index in order[count:] if usable(samples[index])]
    if not train:
        raise InputError(
            str(plan.labels), Message("too few labelled images"), Message("Give more images.")
        )
    return train, [samples[index] for index in order[:count]]


def load_weights(model: torch.nn.Module, path: Path, *, backbone: str, head: Sequence[str]) -> None:
    """Load what a file of torch has for ``model``.

    The file is a state of the same network; or of the same network for other classes, whose layers
    of ``head`` are left as they are; or of a MobileNetV3 that classifies, as torchvision publishes
    it, whose features become the backbone.

    Args:
        backbone: how the names of the model's backbone begin.
        head: names of the tensors whose shape depends on the classes.

    Raises:
        InputError: it is none of them.
    """
    own = model.state_dict()
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
        wanted = set(own)
        if any(name.startswith(_FEATURES) for name in state):
            state = {
                backbone + name[len(_FEATURES) :]: value
                for name, value in state.items()
                if name.startswith(_FEATURES)
            }
            wanted = {name for name in own if name.startswith(backbone)}
        elif any(state[name].shape != own[name].shape for name in head):
            state = {name: value for name, value in state.items() if name not in head}
            wanted -= set(head)
        if _counted(state) != _counted(wanted):
            raise ValueError("other layers")
        model.load_state_dict({**own, **state})
    except _UNREADABLE as error:
        raise InputError(
            str(path),
            Message("it holds no weights of this network or its backbone"),
            Message("Leave it out, or give such a file."),
        ) from error


def _counted(names: set[str] | dict[str, torch.Tensor]) -> set[str]:
    """Names without those of counters, which frozen normalisation does not have."""
    return {name for name in names if not name.endswith("num_batches_tracked")}


class FineTuning:
    """Trains a network by the recipe of a plan; the same plan gives the same weights."""

    def __init__(
        self, plan: DownstreamPlan, model: torch.nn.Module, optimizer: torch.optim.Optimizer
    ) -> None:
        self._plan, self._model, self._optimizer = plan, model, optimizer

    def steps(self, count: int, loss_of: LossOf, progress: Progress) -> Iterator[FineTuningStep]:
        """Train on batches of ``count`` samples from where the checkpoint stands.

        Raises:
            InputError: the checkpoint is of another plan. OutputError: it cannot be written.
            Cancelled: by ``progress``, after a save.
        """
        step = self._resume()
        try:
            while step < self._plan.steps:
                progress.check()
                progress.report(step, self._plan.steps, "")
                loss = self._step(step, count, loss_of)
                step += 1
                if step % _SAVE_EVERY == 0:
                    self._save(step)
                yield FineTuningStep(step, loss)
        finally:
            self._save(step)
        self._model.eval()

    def _step(self, step: int, count: int, loss_of: LossOf) -> float:
        """One step, whose randomness depends on seed and step alone."""
        self._model.train()
        rng = np.random.default_rng((self._plan.seed, step))
        chosen = [int(index) for index in rng.integers(count, size=self._plan.batch)]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(rng.integers(2**31)))
            loss = loss_of(chosen, rng)
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self._model.parameters(), _MAX_NORM)
            self._optimizer.step()
        return float(loss.detach())

    def _fingerprint(self) -> str:
        plan = self._plan
        stems = None if plan.stems is None else sorted(plan.stems)
        own = {name: value for name, value in vars(plan).items() if name not in _NOT_ITS_IDENTITY}
        paths = (str(plan.images.absolute()), str(plan.labels.absolute()), str(plan.weights))
        return repr((type(plan).__name__, *paths, stems, sorted(own.items())))

    def _save(self, step: int) -> None:
        if self._plan.checkpoint is None:
            return
        buffer = io.BytesIO()
        state = {"plan": self._fingerprint(), "step": step, "model": self._model.state_dict(),
                 "optimizer": self._optimizer.state_dict()}  # fmt: skip
        torch.save(state, buffer)
        atomic_write(self._plan.checkpoint, buffer.getvalue())

    def _resume(self) -> int:
        path = self._plan.checkpoint
        if path is None or not path.is_file():
            return 0
        try:
            state = torch.load(path, weights_only=True)
            if state["plan"] != self._fingerprint():
                raise ValueError("another plan")
            self._model.load_state_dict(state["model"])
            self._optimizer.load_state_dict(state["optimizer"])
            return int(state["step"])
        except _UNREADABLE as error:
            raise InputError(
                str(path),
                Message("it is damaged or of other images, labels or settings"),
                Message("Remove it to start anew."),
            ) from error


_NOT_ITS_IDENTITY = frozenset({"images", "labels", "weights", "stems", "checkpoint", "steps"})
"""Fields of a plan that :meth:`FineTuning._fingerprint` writes itself, or that may change."""
