"""Fine-tunes a detector of torchvision on fused images and scores it on images held out."""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from core.errors import InputError, Message
from core.io import read_image
from core.io.atomic import atomic_write
from core.io.reader import is_image
from core.progress import NullProgress, Progress
from trainer.downstream.boxes import Boxes, read_coco, read_voc, read_yolo
from trainer.downstream.detection_scores import DetectedBoxes, DetectionScores, detection_scores

_RATE, _MOMENTUM, _MAX_NORM = 0.005, 0.9, 10.0
_SAVE_EVERY = 50


@dataclass(frozen=True)
class DetectionPlan:
    """What a detector is trained on, and how.

    Attributes:
        images: folder of fused images.
        labels: folder of YOLO or Pascal VOC files named like the images, or a COCO file.
        names: names of the classes.
        checkpoint: file from which an interrupted run goes on; None for none.
        weights: state of a ``fasterrcnn_mobilenet_v3_large_320_fpn`` with these classes and the
            background to start from; None for random weights. Nothing is downloaded.
        share: fraction of the images that is held out, the same for every method.
        width: short side of the images in the detector in pixels, at least 64.
    """

    images: Path
    labels: Path
    names: tuple[str, ...]
    _: KW_ONLY
    checkpoint: Path | None = None
    weights: Path | None = None
    steps: int = 500
    batch: int = 2
    seed: int = 0
    share: float = 0.3
    width: int = 320


@dataclass(frozen=True)
class DetectorStepped:
    """The sum of the losses of a step, from 1."""

    step: int
    loss: float


@dataclass(frozen=True)
class DetectorFinished:
    """Scores on ``images`` images that were held out."""

    scores: DetectionScores
    images: int


@dataclass(frozen=True)
class _Sample:
    path: Path
    boxes: Boxes


def fine_tune_detector(
    plan: DetectionPlan, progress: Progress | None = None
) -> Iterator[DetectorStepped | DetectorFinished]:
    """Train on a part of the images, then score on the others.

    Raises:
        InputError: images and labels do not belong together, or a file is invalid.
        OutputError: the checkpoint cannot be written. Cancelled: by ``progress``, after a save.
    """
    progress = progress or NullProgress()
    train, held = _divide(_samples(plan), plan)
    model, optimizer = _model(plan)
    step = _resume(plan, model, optimizer)
    try:
        while step < plan.steps:
            progress.check()
            progress.report(step, plan.steps, "")
            loss = _step(plan, step, train, model, optimizer)
            step += 1
            if step % _SAVE_EVERY == 0:
                _save(plan, step, model, optimizer)
            yield DetectorStepped(step, loss)
    finally:
        _save(plan, step, model, optimizer)
    model.eval()
    found = []
    for sample in held:
        progress.check()
        found.append(_detect(model, sample.path))
    yield DetectorFinished(detection_scores(found, [s.boxes for s in held]), len(held))


def _samples(plan: DetectionPlan) -> list[_Sample]:
    images = {p.stem: p for p in sorted(plan.images.glob("*")) if p.is_file() and is_image(p)}
    if not images:
        raise InputError(str(plan.images), Message("there is no image"), Message("Check the name."))
    if plan.labels.is_file():
        boxes = read_coco(plan.labels, plan.names)
        _check_images(plan, boxes, images)
    else:
        files = {p.stem: p for p in plan.labels.glob("*") if p.suffix.lower() in (".txt", ".xml")}
        files.pop("classes", None)
        _check_images(plan, files, images)
        boxes = {}
        for stem, path in files.items():
            if path.suffix.lower() == ".xml":
                boxes[stem] = read_voc(path, plan.names)
            else:
                height, width = read_image(images[stem]).data.shape[:2]
                boxes[stem] = read_yolo(path, (width, height), plan.names)
    samples = [_Sample(images[stem], boxes[stem]) for stem in sorted(boxes)]
    for sample in samples:
        _check_size(sample, plan)
    return samples


def _check_size(sample: _Sample, plan: DetectionPlan) -> None:
    """Whether the boxes are inside the image, whatever size their file states."""
    height, width = read_image(sample.path).data.shape[:2]
    if len(sample.boxes.corners) and (
        sample.boxes.corners[:, 2].max() > width or sample.boxes.corners[:, 3].max() > height
    ):
        raise InputError(
            str(sample.path),
            Message("boxes of {0} are outside this image of {1} × {2}", plan.labels, width, height),
            Message("Give images of the size of the labelled ones."),
        )


def _check_images(plan: DetectionPlan, labels: Any, images: dict[str, Path]) -> None:
    lost = sorted(set(labels) - set(images))
    if not labels or lost:
        raise InputError(
            str(plan.labels),
            Message("no image in {0} for the labels “{1}”", plan.images, lost[0])
            if lost
            else Message("there are no labels"),
            Message("Give the images and the labels of the same data."),
        )


def _divide(samples: list[_Sample], plan: DetectionPlan) -> tuple[list[_Sample], list[_Sample]]:
    order = np.random.default_rng(plan.seed).permutation(len(samples))
    count = max(1, round(plan.share * len(samples)))
    held, train = order[:count], order[count:]
    usable = [samples[index] for index in train if len(samples[index].boxes.classes)]
    if not usable:
        raise InputError(
            str(plan.labels), Message("too few labelled images"), Message("Give more images.")
        )
    return usable, [samples[index] for index in held]


def _model(plan: DetectionPlan) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        model = fasterrcnn_mobilenet_v3_large_320_fpn(
            weights=None, weights_backbone=None, num_classes=len(plan.names) + 1,
            min_size=plan.width, max_size=2 * plan.width,
        )  # fmt: skip
    if plan.weights is not None:
        try:
            model.load_state_dict(torch.load(plan.weights, weights_only=True))
        except (OSError, RuntimeError, ValueError, TypeError, pickle.UnpicklingError) as error:
            raise InputError(
                str(plan.weights),
                Message("it holds no weights of this detector with these classes"),
                Message("Leave it out, or give such a file."),
            ) from error
    rates = [p for p in model.parameters() if p.requires_grad]
    return model, torch.optim.SGD(rates, _RATE, _MOMENTUM)


def _tensor(path: Path) -> torch.Tensor:
    image = read_image(path)
    low, high = image.container or image.window
    pixels = np.clip((image.data - low) / (high - low), 0, 1)
    pixels = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1), dtype=np.float32))


def _step(
    plan: DetectionPlan,
    step: int,
    train: Sequence[_Sample],
    model: torch.nn.Module,
    optimizer: torch.optim.Optimizer,
) -> float:
    """One step, whose randomness depends on seed and step alone."""
    model.train()
    rng = np.random.default_rng((plan.seed, step))
    chosen = [train[index] for index in rng.integers(len(train), size=plan.batch)]
    images = [_tensor(sample.path) for sample in chosen]
    targets = [
        {
            "boxes": torch.from_numpy(sample.boxes.corners).float(),
            "labels": torch.from_numpy(sample.boxes.classes) + 1,
        }
        for sample in chosen
    ]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**31)))
        loss = torch.stack(list(model(images, targets).values())).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), _MAX_NORM)
        optimizer.step()
    return float(loss.detach())


@torch.no_grad()
def _detect(model: torch.nn.Module, path: Path) -> DetectedBoxes:
    found = model([_tensor(path)])[0]
    boxes = Boxes(found["boxes"].double().numpy(), found["labels"].numpy() - 1)
    return DetectedBoxes(boxes, found["scores"].double().numpy())


def _fingerprint(plan: DetectionPlan) -> str:
    return repr((
        str(plan.images.absolute()), str(plan.labels.absolute()), plan.names, str(plan.weights),
        plan.batch, plan.seed, plan.share, plan.width,
    ))  # fmt: skip


def _save(
    plan: DetectionPlan, step: int, model: torch.nn.Module, optimizer: torch.optim.Optimizer
) -> None:
    if plan.checkpoint is None:
        return
    buffer = io.BytesIO()
    state = {"plan": _fingerprint(plan), "step": step, "model": model.state_dict(),
             "optimizer": optimizer.state_dict()}  # fmt: skip
    torch.save(state, buffer)
    atomic_write(plan.checkpoint, buffer.getvalue())


def _resume(plan: DetectionPlan, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> int:
    if plan.checkpoint is None or not plan.checkpoint.is_file():
        return 0
    try:
        state = torch.load(plan.checkpoint, weights_only=True)
        if state["plan"] != _fingerprint(plan):
            raise ValueError("another plan")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        return int(state["step"])
    except (
        OSError,
        RuntimeError,
        ValueError,
        KeyError,
        TypeError,
        pickle.UnpicklingError,
    ) as error:
        raise InputError(
            str(plan.checkpoint),
            Message("it is damaged or of other images, labels or settings"),
            Message("Remove it to start anew."),
        ) from error
