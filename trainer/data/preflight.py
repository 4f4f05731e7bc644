"""Is the data fit? Counts, what cannot be read, what does not fit together, and the division."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from core.errors import FusionError, InputError, Message, SizeMismatch
from core.fusion.color import split as split_colours
from core.io import read_pair
from core.io.values import has_own_window
from core.metrics import Luma, to_luma8
from core.pairing.plan import Leftover, Match
from core.progress import NullProgress, Progress
from core.tasks import get_task
from core.types import FloatArray, SourcePair
from core.windows import Window
from trainer.config.config import TrainConfig
from trainer.data.pairs import find_pairs
from trainer.data.split import DataSplit, divide, given

_FEW = 10
_WORKERS = 2
_SHIFTED = 3.0


@dataclass(frozen=True)
class BadPair:
    """A pair that cannot be used, or should be looked at.

    ``name``: of the pair. ``reason``: one sentence without a path.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class PreflightReport:
    """What was found in the data.

    Attributes:
        pairs: usable pairs, those to train on and those to judge by.
        split: how they are divided.
        unreadable: pairs with a file that cannot be read.
        mismatched: pairs whose files differ in size; they are left out.
        misaligned: pairs that seem to be shifted against each other; they are used.
        unpaired: files in no pair, each with its reason.
        warnings: about the whole, one sentence each.
        suggested_task: the task that names speak of, "" where they speak of none.
        data_bytes: memory the images will take.
        sizes: smallest and largest (width, height).
    """

    pairs: int
    split: DataSplit
    _: KW_ONLY
    unreadable: tuple[BadPair, ...] = ()
    mismatched: tuple[BadPair, ...] = ()
    misaligned: tuple[BadPair, ...] = ()
    unpaired: tuple[Leftover, ...] = ()
    warnings: tuple[str, ...] = ()
    suggested_task: str = ""
    data_bytes: int = 0
    sizes: tuple[tuple[int, int], tuple[int, int]] = ((0, 0), (0, 0))

    @property
    def problems(self) -> int:
        """How many pairs and files cannot be used."""
        return len(self.unreadable) + len(self.mismatched) + len(self.unpaired)


@dataclass(frozen=True, kw_only=True)
class _Inspection:
    """What one pair looks like: exactly one of ``size``, ``unreadable``, ``mismatched`` is set."""

    size: tuple[int, int] | None = None
    unreadable: str = ""
    mismatched: str = ""
    shift: float = 0.0
    own_range: Window | None = None
    has_holes: bool = False


def run_preflight(
    data: Path | Sequence[Path],
    config: TrainConfig,
    progress: Progress | None = None,
    *,
    share: float = 0.2,
    validation: Path | None = None,
    swapped: bool = False,
) -> PreflightReport:
    """Look at every pair of ``data``, as :func:`trainer.run.loop.train` will use it.

    Args:
        share: to hold back for judging when there is no ``validation`` folder.

    Raises:
        InputError: a path does not exist, or there is no usable pair. Cancelled: from ``progress``.
    """
    progress = progress or NullProgress()
    found = find_pairs(data, config.task, config.exclude, swapped)
    unpaired = found.unpaired
    if validation is not None:
        judged = find_pairs(validation, config.task, config.exclude, swapped)
        unpaired = unpaired + judged.unpaired
        division = given(found.matches, judged.matches, config.task)
    else:
        division = divide(found.matches, share, config.task)
    every = (*division.train, *division.validation)
    looks = dict(zip(every, _looks(every, config, progress), strict=True))
    usable = _only(division, {match for match, look in looks.items() if look.size})
    if not usable.train:
        reason = next((look.unreadable or look.mismatched for look in looks.values()), "")
        why = Message("not one pair can be used")
        raise InputError(
            ", ".join(str(p) for p in ([data] if isinstance(data, Path) else data)),
            Message("{0} ({1})", why, reason) if reason else why,
        )
    sizes = [look.size for look in looks.values() if look.size]
    return PreflightReport(
        len(usable.train) + len(usable.validation),
        usable,
        unreadable=tuple(BadPair(m.name, k.unreadable) for m, k in looks.items() if k.unreadable),
        mismatched=tuple(BadPair(m.name, k.mismatched) for m, k in looks.items() if k.mismatched),
        misaligned=tuple(
            BadPair(m.name, Message("B seems to be shifted by about {0:.0f} pixels", k.shift))
            for m, k in looks.items()
            if k.shift
        ),
        unpaired=unpaired,
        warnings=(*found.notes, *_warnings(usable, sizes, config), *_about_values(looks)),
        suggested_task=found.suggested_task,
        data_bytes=sum(w * h for w, h in sizes) * 4 * config.network.in_channels,
        sizes=(min(sizes), max(sizes)),
    )


def _only(division: DataSplit, usable: set[Match]) -> DataSplit:
    return replace(
        division,
        train=tuple(m for m in division.train if m in usable),
        validation=tuple(m for m in division.validation if m in usable),
    )


def _warnings(
    division: DataSplit, sizes: Sequence[tuple[int, int]], config: TrainConfig
) -> list[str]:
    words = [division.note] if division.note else []
    if len(division.train) < _FEW:
        words.append(
            Message.plural(
                "Only {0} pair to train on: the network may learn it by heart.",
                "Only {0} pairs to train on: the network may learn them by heart.",
                len(division.train),
            )
        )
    small = sum(min(size) < config.crop for size in sizes)
    if small:
        words.append(
            Message.plural(
                "{0} picture is smaller than a crop of {1} pixels and is continued by mirroring.",
                "{0} pictures are smaller than a crop of {1} pixels and are continued by "
                "mirroring.",
                small,
                config.crop,
            )
        )
    return words


def _about_values(looks: Mapping[Match, _Inspection]) -> list[str]:
    """What a person should know of deep and of incomplete images."""
    words: list[str] = []
    told = [(match.name, look.own_range) for match, look in looks.items() if look.own_range]
    if told:
        name, (low, high) = told[0]
        words.append(
            Message.plural(
                "In {0} pair black to white is not all that the file could hold, but where its "
                "values lie ({1}: {2:.6g}…{3:.6g}).",
                "In {0} pairs black to white is not all that the files could hold, but where their "
                "values lie ({1}: {2:.6g}…{3:.6g}).",
                len(told),
                name,
                low,
                high,
            )
        )
    holes = sum(look.has_holes for look in looks.values())
    if holes:
        words.append(
            Message.plural(
                "{0} pair has pixels without data; they are filled from the other source.",
                "{0} pairs have pixels without data; they are filled from the other source.",
                holes,
            )
        )
    return words


def _looks(matches: Sequence[Match], config: TrainConfig, progress: Progress) -> list[_Inspection]:
    looks: list[_Inspection] = []
    with ThreadPoolExecutor(_WORKERS) as pool:
        futures = [pool.submit(_look, match, config) for match in matches]
        try:
            for index, future in enumerate(futures):
                progress.check()
                progress.report(index, len(futures), Message("looking at pairs"))
                looks.append(future.result())
        finally:
            for future in futures:
                future.cancel()
    return looks


def _look(match: Match, config: TrainConfig) -> _Inspection:
    try:
        pair = read_pair(match.a, match.b, task=config.task, windows=config.windows)
        split_colours(pair, config.colour)
    except SizeMismatch as error:
        return _Inspection(mismatched=Message.plain(error.why))
    except FusionError as error:
        return _Inspection(unreadable=Message.plain(error.why or error.what))
    return _Inspection(
        size=pair.a.size,
        shift=_shift(pair, get_task(config.task).shift_peak),
        own_range=next((i.window for i in (pair.a, pair.b) if has_own_window(i)), None),
        has_holes=pair.valid is not None,
    )


def _shift(pair: SourcePair, certain: float) -> float:
    """Pixels by which B seems to be shifted, 0 where that is not certain.

    Phase correlation of the edges. ``certain``: the least height of its peak; 0 does not look.
    """
    if not certain:
        return 0.0
    one, other = (_edges(to_luma8(image.normalised())) for image in (pair.a, pair.b))
    window = cv2.createHanningWindow(one.shape[::-1], cv2.CV_32F)
    (dx, dy), height = cv2.phaseCorrelate(one, other, window)
    distance = float(np.hypot(dx, dy))
    return distance if height > certain and distance >= _SHIFTED else 0.0


def _edges(luma: Luma) -> FloatArray:
    smooth = cv2.GaussianBlur(luma, (0, 0), 1.5).astype(np.float32)
    return np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1))
