"""Fine-tunes a detector of torchvision on fused images and scores it on images held out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.errors import InputError, Message
from core.io import read_image
from core.progress import NullProgress, Progress
from trainer.downstream.boxes import Boxes, read_coco, read_voc, read_yolo
from trainer.downstream.detection_scores import DetectedBoxes, DetectionScores, detection_scores
from trainer.downstream.fine_tuning import (
    FineTuning,
    FineTuningStep,
    divide,
    image_tensor,
    load_weights,
)
from trainer.downstream.plan import DownstreamPlan

_RATE, _MOMENTUM = 0.005, 0.9
_BACKBONE = "backbone.body."
_HEAD = tuple(
    f"roi_heads.box_predictor.{layer}.{part}"
    for layer in ("cls_score", "bbox_pred")
    for part in ("weight", "bias")
)


@dataclass(frozen=True)
class DetectionPlan(DownstreamPlan):
    """What a ``fasterrcnn_mobilenet_v3_large_320_fpn`` is trained on, and how.

    ``labels`` is a folder of YOLO or Pascal VOC files named like the images, or a COCO file.
    """


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
) -> Iterator[FineTuningStep | DetectorFinished]:
    """Train on a part of the images, then score on the others.

    Raises:
        InputError: images and labels do not belong together, or a file is invalid.
        OutputError: the checkpoint cannot be written. Cancelled: by ``progress``, after a save.
    """
    progress = progress or NullProgress()
    train, held = divide(_samples(plan), plan, lambda sample: bool(len(sample.boxes.classes)))
    model, optimizer = _model(plan)

    def loss_of(chosen: Sequence[int], _: np.random.Generator) -> torch.Tensor:
        return _loss(model, [train[index] for index in chosen])

    yield from FineTuning(plan, model, optimizer).steps(len(train), loss_of, progress)
    found = []
    for sample in held:
        progress.check()
        found.append(_detect(model, sample.path))
    yield DetectorFinished(detection_scores(found, [s.boxes for s in held]), len(held))


def _samples(plan: DetectionPlan) -> list[_Sample]:
    images = plan.found_images()
    if plan.labels.is_file():
        boxes = read_coco(plan.labels, plan.names)
        samples = [_Sample(images[stem], boxes[stem]) for stem in plan.wanted(boxes, images)]
    else:
        files = {p.stem: p for p in plan.labels.glob("*") if p.suffix.lower() in (".txt", ".xml")}
        files.pop("classes", None)
        samples = [
            _Sample(images[stem], _read(files[stem], images[stem], plan))
            for stem in plan.wanted(files, images)
        ]
    for sample in samples:
        _check_size(sample, plan)
    return samples


def _read(path: Path, image: Path, plan: DetectionPlan) -> Boxes:
    if path.suffix.lower() == ".xml":
        return read_voc(path, plan.names)
    height, width = read_image(image).data.shape[:2]
    return read_yolo(path, (width, height), plan.names)


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


def _model(plan: DetectionPlan) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    from torchvision.models.detection import fasterrcnn_mobilenet_v3_large_320_fpn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        model = fasterrcnn_mobilenet_v3_large_320_fpn(
            weights=None, weights_backbone=None, num_classes=len(plan.names) + 1,
            min_size=plan.width, max_size=2 * plan.width,
        )  # fmt: skip
    if plan.weights is not None:
        load_weights(model, plan.weights, backbone=_BACKBONE, head=_HEAD)
    rates = [p for p in model.parameters() if p.requires_grad]
    return model, torch.optim.SGD(rates, _RATE, _MOMENTUM)


def _loss(model: torch.nn.Module, samples: Sequence[_Sample]) -> torch.Tensor:
    images = [image_tensor(sample.path) for sample in samples]
    targets = [
        {
            "boxes": torch.from_numpy(sample.boxes.corners).float(),
            "labels": torch.from_numpy(sample.boxes.classes) + 1,
        }
        for sample in samples
    ]
    return torch.stack(list(model(images, targets).values())).sum()


@torch.no_grad()
def _detect(model: torch.nn.Module, path: Path) -> DetectedBoxes:
    found = model([image_tensor(path)])[0]
    boxes = Boxes(found["boxes"].double().numpy(), found["labels"].numpy() - 1)
    return DetectedBoxes(boxes, found["scores"].double().numpy())
