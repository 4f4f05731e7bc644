"""Fine-tunes a segmentation network on fused images and scores it on images held out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy, interpolate

from core.errors import InputError, Message
from core.io import read_image
from core.progress import NullProgress, Progress
from trainer.downstream.fine_tuning import (
    FineTuning,
    FineTuningStep,
    divide,
    image_tensor,
    load_weights,
)
from trainer.downstream.masks import MASK_SUFFIXES, read_mask
from trainer.downstream.plan import DownstreamPlan
from trainer.downstream.segmentation_scores import (
    Classes,
    SegmentationScores,
    confusion,
    segmentation_scores,
)

_RATE, _DECAY = 1e-3, 1e-4
_NORMALISATION_MOMENTUM = 0.1
"""That of torchvision's network, .01, would need far more steps than this recipe has."""
_BACKBONE = "backbone."
_HEAD = tuple(
    f"classifier.{layer}_classifier.{part}"
    for layer in ("low", "high")
    for part in ("weight", "bias")
)
_MEAN, _SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the images that published weights of torchvision were trained on."""


@dataclass(frozen=True)
class SegmentationPlan(DownstreamPlan):
    """What an ``lraspp_mobilenet_v3_large`` is trained on, and how.

    ``labels`` is a folder of masks named like the images, see
    :func:`trainer.downstream.masks.read_mask`.

    Attributes:
        ignore: value of pixels that count neither in training nor in scores.
    """

    ignore: int = 255


@dataclass(frozen=True)
class SegmenterFinished:
    """Scores on ``images`` images that were held out."""

    scores: SegmentationScores
    images: int


@dataclass(frozen=True)
class _Sample:
    image: Path
    mask: Path
    classified: bool


def fine_tune_segmenter(
    plan: SegmentationPlan, progress: Progress | None = None
) -> Iterator[FineTuningStep | SegmenterFinished]:
    """Train on a part of the images, then score on the others.

    Raises:
        InputError: images and masks do not belong together, or a file is invalid.
        OutputError: the checkpoint cannot be written. Cancelled: by ``progress``, after a save.
    """
    progress = progress or NullProgress()
    train, held = divide(_samples(plan, progress), plan, lambda sample: sample.classified)
    model, optimizer = _model(plan)

    def loss_of(chosen: Sequence[int], rng: np.random.Generator) -> torch.Tensor:
        return _loss(plan, model, [train[index] for index in chosen], rng)

    yield from FineTuning(plan, model, optimizer).steps(len(train), loss_of, progress)
    count = len(plan.names)
    matrix = np.zeros((count, count), dtype=np.int64)
    for sample in held:
        progress.check()
        truth = read_mask(sample.mask, count, plan.ignore)
        matrix += confusion(truth, _segment(plan, model, sample.image, truth), count, plan.ignore)
    yield SegmenterFinished(segmentation_scores(matrix), len(held))


def _samples(plan: SegmentationPlan, progress: Progress) -> list[_Sample]:
    images = plan.found_images()
    masks = {p.stem: p for p in sorted(plan.labels.glob("*")) if p.suffix.lower() in MASK_SUFFIXES}
    samples = []
    for stem in plan.wanted(masks, images):
        progress.check()
        mask = read_mask(masks[stem], len(plan.names), plan.ignore)
        size = read_image(images[stem]).data.shape[:2]
        if mask.shape != size:
            raise InputError(
                str(images[stem]),
                Message(
                    "it is {0} × {1} pixels and its mask {2} × {3}", *size[::-1], *mask.shape[::-1]
                ),
                Message("Give images of the size of the labelled ones."),
            )
        classified = bool((mask != plan.ignore).any())
        samples.append(_Sample(images[stem], masks[stem], classified))
    return samples


def _model(plan: SegmentationPlan) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(plan.seed)
        model = lraspp_mobilenet_v3_large(
            weights=None, weights_backbone=None, num_classes=len(plan.names)
        )
    if plan.weights is not None:
        load_weights(model, plan.weights, backbone=_BACKBONE, head=_HEAD)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = _NORMALISATION_MOMENTUM
    return model, torch.optim.AdamW(model.parameters(), _RATE, weight_decay=_DECAY)


def _scaled(path: Path, width: int) -> torch.Tensor:
    """The image in ``path`` with a short side of ``width`` pixels, normalised, 1×3×H×W."""
    image = image_tensor(path)[None]
    height, wide = image.shape[2:]
    scale = width / min(height, wide)
    size = (max(width, round(height * scale)), max(width, round(wide * scale)))
    scaled = interpolate(image, size, mode="bilinear", antialias=scale < 1)
    mean, sd = (torch.tensor(values).reshape(1, 3, 1, 1) for values in (_MEAN, _SD))
    return (scaled - mean) / sd


def _crop(
    plan: SegmentationPlan, sample: _Sample, rng: np.random.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """A square of the image, mirrored or not, 3×width×width, and the classes of its pixels."""
    image = _scaled(sample.image, plan.width)[0]
    mask = torch.from_numpy(read_mask(sample.mask, len(plan.names), plan.ignore))
    size = image.shape[1:]
    mask = interpolate(mask[None, None].double(), size, mode="nearest-exact")[0, 0].long()
    top, left = (int(rng.integers(side - plan.width + 1)) for side in size)
    image = image[:, top : top + plan.width, left : left + plan.width]
    mask = mask[top : top + plan.width, left : left + plan.width]
    return (image.flip(2), mask.flip(1)) if rng.integers(2) else (image, mask)


def _loss(
    plan: SegmentationPlan,
    model: torch.nn.Module,
    samples: Sequence[_Sample],
    rng: np.random.Generator,
) -> torch.Tensor:
    crops = [_crop(plan, sample, rng) for sample in samples]
    classes = torch.stack([mask for _, mask in crops])
    found = model(torch.stack([image for image, _ in crops]))["out"]
    total = cross_entropy(found, classes, ignore_index=plan.ignore, reduction="sum")
    return total / max(int((classes != plan.ignore).sum()), 1)


@torch.no_grad()
def _segment(plan: SegmentationPlan, model: torch.nn.Module, path: Path, truth: Classes) -> Classes:
    """The class of every pixel, of the size of ``truth``."""
    found = model(_scaled(path, plan.width))["out"]
    found = interpolate(found, truth.shape, mode="bilinear")
    classes: Classes = found.argmax(dim=1)[0].numpy()
    return classes
