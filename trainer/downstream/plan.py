"""What every task on fused images is trained on, and how."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path

from core.errors import InputError, Message
from core.io.reader import is_image


@dataclass(frozen=True)
class DownstreamPlan:
    """Images of one method, their labels, and the recipe.

    Attributes:
        images: folder of fused images.
        labels: where their labels are, named like the images.
        names: names of the classes.
        checkpoint: file from which an interrupted run goes on; None for none.
        weights: file of weights to start from, see
            :func:`trainer.downstream.fine_tuning.load_weights`; None for random weights. Nothing is
            downloaded.
        stems: names without suffix of the images that count; None for all that are labelled.
        share: fraction of the images that is held out, the same for every method.
        width: short side of the images in the network in pixels, at least 64.
    """

    images: Path
    labels: Path
    names: tuple[str, ...]
    _: KW_ONLY
    checkpoint: Path | None = None
    weights: Path | None = None
    stems: frozenset[str] | None = None
    steps: int = 500
    batch: int = 2
    seed: int = 0
    share: float = 0.3
    width: int = 320

    def found_images(self) -> dict[str, Path]:
        """The images by name without suffix.

        Raises:
            InputError: there is none.
        """
        images = {p.stem: p for p in sorted(self.images.glob("*")) if p.is_file() and is_image(p)}
        if not images:
            raise InputError(
                str(self.images), Message("there is no image"), Message("Check the name.")
            )
        return images

    def wanted(self, stems: Collection[str], images: Mapping[str, Path]) -> list[str]:
        """Those of the labels called ``stems`` that count, in order.

        Raises:
            InputError: there is none, or one without an image.
        """
        found = sorted(stem for stem in stems if self.stems is None or stem in self.stems)
        lost = [stem for stem in found if stem not in images]
        if not found or lost:
            raise InputError(
                str(self.labels),
                Message("no image in {0} for the labels “{1}”", self.images, lost[0])
                if lost
                else Message("there are no labels"),
                Message("Give the images and the labels of the same data."),
            )
        return found
