"""Pairs in memory, and random crops of them that depend on (seed, step) only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from core.alignment.choice import AlignChoice
from core.errors import InputError, Message
from core.fusion.color import split
from core.io import read_image
from core.io.values import seen_as
from core.pairing.known_folders import truth_of
from core.pairing.plan import Match
from core.pairing.study_pairs import label
from core.progress import NullProgress, Progress
from core.tasks import ColourPolicy
from core.types import BoolArray, SourcePair
from core.windows import Windows
from trainer.config.config import TrainConfig
from trainer.data.augmentation import Augmentation
from trainer.data.defocus import refocus
from trainer.data.pair_reader import EmptySlice, PairReader

_MAX_TRIES = 4
_FLAT_STD = 0.02


@dataclass(frozen=True, eq=False)
class TrainingPair:
    """One pair as the network sees it, uint16 H×W×ch (65535 is 1.0) to halve the memory.

    Attributes:
        truth: ground truth of the fused image, where the data has it (``gt/``).
        valid: H×W, True where both sources hold data; None if they do everywhere.
    """

    name: str
    a: npt.NDArray[np.uint16]
    b: npt.NDArray[np.uint16]
    truth: npt.NDArray[np.uint16] | None = None
    valid: BoolArray | None = None


@dataclass(frozen=True, eq=False)
class PairSet:
    """All usable pairs of a folder, and one sentence for each pair that is not usable.

    Attributes:
        notes: remarks about pairs that are used, one sentence each.
    """

    pairs: tuple[TrainingPair, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_pairs(
    matches: Sequence[Match],
    policy: ColourPolicy,
    progress: Progress | None = None,
    truth: bool = False,
    *,
    task: str = "",
    windows: Windows = (None, None),
    align: AlignChoice | None = None,
) -> PairSet:
    """Read pairs into memory; those that cannot be read are named in ``problems``.

    Slices in which one of the sources shows nothing are left out. Volumes are read one pair at a
    time, so that only their slices stay in memory.

    ``task`` and ``windows`` are those of :func:`core.io.read_pair`, ``align`` that of
    :class:`trainer.data.pair_reader.PairReader`; pairs whose registration fails are problems.

    Raises:
        InputError: no pair is usable. Cancelled: raised by ``progress``.
    """
    progress = progress or NullProgress()
    pairs: list[TrainingPair] = []
    problems: dict[str, None] = {}
    doubtful: dict[str, None] = {}
    reader = PairReader(task, windows, align, progress)
    for index, match in enumerate(matches):
        progress.check()
        progress.report(index, len(matches), Message("reading pairs"))
        try:
            pair = reader.read(match)
            pairs.append(_prepared(match, pair, policy, truth))
            if pair.transform is not None and pair.transform.is_doubtful:
                doubtful[match.name if match.study is None else label(match.study.a)] = None
        except EmptySlice:
            continue
        except InputError as error:
            # Errors that concern both files are reported under the name of the pair.
            known = match.a.name in error.what or match.b.name in error.what
            known |= match.study is not None  # the series is named, once for all of its slices
            text = error.message if known else Message("{0}: {1}", match.name, error.message)
            problems[text] = None
    if not pairs:
        why = Message("no usable pair among them")
        raise InputError(
            Message("The pictures to train on"),
            Message("{0} ({1})", why, next(iter(problems))) if problems else why,
            Message("Give a folder with a/ and b/ holding pictures of the same names."),
        )
    return PairSet(tuple(pairs), tuple(problems), tuple(map(doubtful_note, doubtful)))


def doubtful_note(name: str) -> str:
    """A sentence on a pair that is used although its registration is doubtful."""
    return Message("{0}: its registration is doubtful, and it is used", name)


def _prepared(
    match: Match, pair: SourcePair, policy: ColourPolicy, wants_truth: bool
) -> TrainingPair:
    parts = split(pair, policy)
    a, b = parts.a, parts.b
    if parts.missing is not None:
        # Where A has no data the loss expects what the fusion shows there: the other source.
        a = parts.missing.filled(a, ~parts.missing.valid_a)
        b = parts.missing.filled(b, ~parts.missing.valid_b)
    truth = None
    if wants_truth and match.study is None and (path := truth_of(match)) is not None:
        # Split like the sources, so that the truth is the expected luma (or RGB) of the fusion.
        wanted = seen_as(read_image(path), pair.a)
        truth = _to_uint16(split(SourcePair(pair.a, wanted), policy).b)
    return TrainingPair(match.name, _to_uint16(a), _to_uint16(b), truth, pair.valid)


def _to_uint16(pixels: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
    return np.round(pixels * 65535.0).astype(np.uint16)


class Batch(NamedTuple):
    """Crops of one step, N×ch×crop×crop float32 in [0, 1] each, in channels-last format.

    ``wanted_a`` and ``wanted_b`` are the references of the losses: the sources, or the ground truth
    in place of both where it is known. ``functional``, shape N: 1 where A shows uptake, else 0.
    """

    a: Tensor
    b: Tensor
    wanted_a: Tensor
    wanted_b: Tensor
    functional: Tensor

    @classmethod
    def of(cls, a: Tensor, b: Tensor) -> Batch:
        """A batch without ground truth and uptake: the references are the sources."""
        return cls(a, b, a, b, a.new_zeros(len(a)))

    def to(self, device: str) -> Batch:
        """A copy of the batch on ``device``."""
        return Batch(*(tensor.to(device) for tensor in self))


class CropSampler:
    """Batches of aligned random crops with flips and rotations by 90° (paper §4.1).

    The batch of a step is a function of (seed, step), so that a resumed run sees the same crops as
    an uninterrupted one. ``swap`` exchanges the sources at random. ``refocus`` is the fraction of
    crops with ground truth whose sources are simulated from it (:mod:`trainer.data.defocus`).
    ``jitter`` changes gamma and gain of each source independently by up to a factor of
    exp(``jitter``), so that a source cannot be recognised by its brightness, and ``augmentation``
    changes one-channel crops further (:mod:`trainer.data.augmentation`); crops with ground truth
    are not changed by either. ``functional``: name patterns of pairs whose A shows uptake.
    """

    def __init__(
        self,
        pairs: Sequence[TrainingPair],
        batch: int,
        crop: int,
        seed: int,
        *,
        swap: bool = False,
        refocus: float = 0.0,
        jitter: float = 0.0,
        augmentation: Augmentation | None = None,
        functional: Sequence[str] = (),
    ) -> None:
        self.pairs, self.batch, self.crop, self.seed = tuple(pairs), batch, crop, seed
        self.swap, self.refocus, self.jitter = swap, refocus, jitter
        self.augmentation = augmentation or Augmentation()
        self.functional = tuple(functional)

    @classmethod
    def of(cls, pairs: Sequence[TrainingPair], config: TrainConfig, batch: int) -> CropSampler:
        """The sampler of a run with ``batch`` crops per step."""
        return cls(
            pairs,
            batch,
            config.crop,
            config.seed,
            swap=config.swap,
            refocus=config.refocus,
            jitter=config.jitter,
            augmentation=Augmentation(config.tone, config.uptake, config.noise),
            functional=config.functional,
        )

    def __call__(self, step: int, part: slice = slice(None)) -> Batch:
        """The batch of ``step``, or the slice ``part`` of it."""
        rng = np.random.default_rng([self.seed, step])
        crops = [self._crop(rng) for _ in range(self.batch)][part]
        a, b, wanted_a, wanted_b = map(_stack, zip(*(images for images, _ in crops), strict=True))
        functional = torch.tensor([float(shows_uptake) for _, shows_uptake in crops])
        return Batch(a, b, wanted_a, wanted_b, functional)

    def _crop(self, rng: np.random.Generator) -> tuple[list[npt.NDArray[np.uint16]], bool]:
        """The images of a crop in the order of :class:`Batch`, and whether A shows uptake."""
        pair = self.pairs[rng.integers(len(self.pairs))]
        a, b = _pad_by_reflection(pair.a, self.crop), _pad_by_reflection(pair.b, self.crop)
        # Medical images are mostly black: a few retries make flat crops rare but not impossible.
        for _ in range(_MAX_TRIES):
            top = int(rng.integers(a.shape[0] - self.crop + 1))
            left = int(rng.integers(a.shape[1] - self.crop + 1))
            window = np.s_[top : top + self.crop, left : left + self.crop]
            if max(a[window].std(), b[window].std()) > _FLAT_STD * 65535:
                break
        turns, flip = int(rng.integers(4)), bool(rng.integers(2))
        images = [a[window], b[window]]
        functional = any(fnmatch(pair.name, pattern) for pattern in self.functional)
        if self.swap and rng.integers(2):
            images.reverse()
            functional = False
        if self.jitter and pair.truth is None:
            images = [_jitter(image, self.jitter, rng) for image in images]
        if self.augmentation and pair.truth is None and images[0].shape[-1] == 1:
            first, second = (np.asarray(i / 65535.0, np.float32) for i in images)
            first, second, made_up = self.augmentation(first, second, rng)
            images, functional = [_to_uint16(first), _to_uint16(second)], functional or made_up
        wanted = images
        if pair.truth is not None:
            wanted = [_pad_by_reflection(pair.truth, self.crop)[window]] * 2
            if rng.random() < self.refocus:
                images = list(refocus(wanted[0], rng))
        turned = [_rotate_and_flip(image, turns, flip) for image in (*images, *wanted)]
        return turned, functional


def _stack(crops: Sequence[npt.NDArray[np.uint16]]) -> Tensor:
    batch = np.stack(crops).astype(np.float32) / np.float32(65535.0)
    # N×H×W×ch in memory, viewed as N×ch×H×W: channels last without a copy.
    return torch.from_numpy(batch).permute(0, 3, 1, 2)


def _jitter(
    crop: npt.NDArray[np.uint16], amount: float, rng: np.random.Generator
) -> npt.NDArray[np.uint16]:
    gamma = np.exp(rng.uniform(-amount, amount))
    gain = np.exp(rng.uniform(-amount, 0))
    return _to_uint16(np.asarray(gain * (crop / 65535.0) ** gamma, np.float32))


def _rotate_and_flip(
    crop: npt.NDArray[np.uint16], turns: int, flip: bool
) -> npt.NDArray[np.uint16]:
    turned = np.rot90(crop, turns)
    return turned[:, ::-1] if flip else turned


def _pad_by_reflection(pixels: npt.NDArray[np.uint16], crop: int) -> npt.NDArray[np.uint16]:
    """Extend images smaller than the crop by reflection, both sources alike."""
    missing = [max(0, crop - side) for side in pixels.shape[:2]]
    if not any(missing):
        return pixels
    return np.pad(pixels, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="symmetric")
