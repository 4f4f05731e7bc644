"""Scores folders of fused images, for tables that compare methods.

Sources are in one folder, in any layout that :mod:`core.pairing.folders` supports; results of each
method in a folder of their own. A result is named like its pair or one of its sources, with any
suffix, and may be in the same subfolder. If the sources have a ``gt/`` folder (ground truth),
results are also scored against it.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from core.errors import InputError, Message
from core.io.atomic import atomic_write
from core.io.csv_cells import csv_text
from core.io.pair_notes import notes_of
from core.io.reader import is_image, read_image, read_pair
from core.io.readers.decoding import file_error
from core.io.values import as_stored, seen_as
from core.metrics import (
    MAIN_METRICS,
    METRICS,
    Direction,
    Luma,
    evaluate,
    get_metric,
    psnr_pair,
    ssim_pair,
    to_luma8,
)
from core.missing_data import comparable
from core.pairing.folders import Match, pair_folders
from core.pairing.known_folders import truth_of
from core.progress import NullProgress, Progress
from core.types import SourcePair
from core.windows import Windows, check_window

TRUTH_METRICS: tuple[str, ...] = ("PSNR_gt", "SSIM_gt")
"""Additional columns for sources with ground truth; higher is better in both."""


@dataclass(frozen=True)
class ImageScore:
    """Scores of one result, by metric, in the requested order."""

    name: str
    values: dict[str, float]


@dataclass(frozen=True)
class MethodScore:
    """Scores of one method.

    Attributes:
        method: its name in the table.
        images: one entry per result, in order of name.
        missing: names of pairs without a result.
        ignored: results that belong to no pair.
        problems: ambiguous files that were left out, one sentence each.
        notes: remarks on the sources, by name of their pair.
    """

    method: str
    images: tuple[ImageScore, ...]
    missing: tuple[str, ...] = ()
    _: KW_ONLY
    ignored: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def means(self, names: frozenset[str] | None = None) -> dict[str, float]:
        """Mean of each metric over the images in ``names`` that have it; None: over all images."""
        found: dict[str, list[float]] = {}
        for image in self.images:
            if names is None or image.name in names:
                for metric, value in image.values.items():
                    found.setdefault(metric, []).append(value)
        return {metric: float(np.mean(values)) for metric, values in found.items()}


def read_luma8(path: Path) -> Luma:
    """8-bit luma, H×W, of the result in ``path``, without any window applied.

    Raises:
        InputError: it cannot be read.
    """
    return to_luma8(as_stored(read_image(path)).normalised())


def score_folder(
    sources: Path,
    results: Path,
    names: Sequence[str] = MAIN_METRICS,
    method: str = "",
    progress: Progress | None = None,
    *,
    task: str = "",
    windows: Windows = (None, None),
) -> MethodScore:
    """Score the fused images in ``results`` against the pairs in ``sources``.

    Args:
        sources: folder with ``a/``, ``b/`` and perhaps ``gt/``.
        results: folder of fused images, each with the name of its pair.
        names: metrics of :data:`core.metrics.METRICS`.
        method: name in the table; that of the folder when empty.
        progress: reported to for every image; may cancel.
        task: decides first which source is A; with ``windows`` it determines how sources are read,
            as in :func:`core.io.read_pair`.

    Raises:
        InputError: a folder is missing or empty, nothing in ``results`` belongs to a pair, an
            image cannot be read or differs in size from its sources, or a metric is unknown.
        Cancelled: ``progress`` asked to stop.
    """
    by_name, problems = _images(results)
    matches = pair_folders(sources, task or None, (results,)).matches
    found = _results_of(matches, by_name)
    if not found:
        raise InputError(
            str(results),
            _why_none_matches(len(by_name), sources),
            Message(
                "Name each result like its sources, for instance “{0}.png”.",
                min(map(_name_of, matches)),
            ),
        )

    def read_result(pair: Match) -> Luma | None:
        path = found.get((pair.a, pair.b))
        return None if path is None else read_luma8(path)

    scored = score_with(
        sources,
        read_result,
        names,
        method or results.name,
        progress,
        skip=(results,),
        task=task,
        windows=windows,
    )
    used = {*found.values()}
    ignored = tuple(
        path.relative_to(results).as_posix() for path in by_name.values() if path not in used
    )
    return replace(scored, ignored=ignored, problems=(*scored.problems, *problems))


def _why_none_matches(count: int, sources: Path) -> Message:
    if count == 0:
        return Message("there are no pictures in it")
    return Message.plural(
        "its one picture does not have the name of a pair in {1}",
        "none of its {0} pictures has the name of a pair in {1}",
        count,
        sources,
    )


def _name_of(match: Match) -> str:
    """Name of a pair in tables, with its folder."""
    return (match.folder / match.name).as_posix()


def _results_of(
    matches: Sequence[Match], by_name: Mapping[str, Path]
) -> dict[tuple[Path, Path], Path]:
    """The result of each pair that has one.

    It is named like the pair or one of its sources, in the same subfolder; or in no subfolder, if
    the name is unique among all pairs.
    """
    plain = Counter(name for match in matches for name in {match.name, match.a.stem, match.b.stem})
    found: dict[tuple[Path, Path], Path] = {}
    for match in matches:
        names = [match.name, match.a.stem, match.b.stem]
        keys = [(match.folder / name).as_posix() for name in names]
        keys += [name for name in names if plain[name] == 1]
        for key in keys:
            path = by_name.get(unicodedata.normalize("NFC", key))
            if path is not None:
                found[match.a, match.b] = path
                break
    return found


def score_with(
    sources: Path,
    produce: Callable[[Match], Luma | None],
    names: Sequence[str] = MAIN_METRICS,
    method: str = "",
    progress: Progress | None = None,
    *,
    skip: tuple[Path, ...] = (),
    task: str = "",
    windows: Windows = (None, None),
) -> MethodScore:
    """Score the image that ``produce`` returns for each pair.

    Args:
        produce: returns the fused image of a pair as 8-bit luma H×W, or None if there is none.
        skip: folders in ``sources`` that hold no sources.

    For other arguments and errors see :func:`score_folder`.
    """
    metrics = [get_metric(name).name for name in names]
    for window in windows:
        check_window(window)
    progress = progress or NullProgress()
    plan = pair_folders(sources, task or None, skip)
    images: list[ImageScore] = []
    missing: list[str] = []
    notes: dict[str, tuple[str, ...]] = {}
    for index, pair in enumerate(plan.matches):
        progress.check()
        progress.report(index, len(plan.matches), _name_of(pair))
        fused = produce(pair)
        if fused is None:
            missing.append(_name_of(pair))
            continue
        truth = truth_of(pair)
        read = partial(read_pair, pair.a, pair.b, task=task, windows=windows)
        name = _name_of(pair)
        scores, notes[name] = _score_image(name, read, fused, metrics, truth)
        images.append(ImageScore(name, scores))
    progress.report(len(plan.matches), len(plan.matches), "")
    problems = tuple(Message("{0}: {1}", item.path.name, item.reason) for item in plan.ambiguous)
    return MethodScore(method, tuple(images), tuple(missing), problems=problems, notes=notes)


def _score_image(
    name: str,
    read: Callable[[], SourcePair],
    fused: Luma,
    metrics: Sequence[str],
    truth: Path | None,
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Scores of one result, and notes on its sources."""
    try:
        pair = read()
        a, b = (to_luma8(image.normalised()) for image in (pair.a, pair.b))
        if fused.shape == a.shape:  # otherwise evaluate() raises
            a, b, fused_part = comparable(pair, a, b, fused)
        else:
            fused_part = fused
        values = evaluate(a, b, fused_part, metrics)
    except InputError as error:
        raise InputError(Message("Pair “{0}”", name), error.message) from error
    if truth is not None:
        values |= _against_truth(pair, fused, truth)
    return values, notes_of(pair)


def _against_truth(pair: SourcePair, fused: Luma, path: Path) -> dict[str, float]:
    truth = to_luma8(seen_as(read_image(path), pair.a).normalised())
    if truth.shape != fused.shape:
        raise InputError(
            str(path),
            Message(
                "the ground truth is {0}×{1} pixels and the result {2}×{3}",
                *truth.shape[1::-1],
                *fused.shape[1::-1],
            ),
        )
    truth, fused = comparable(pair, truth, fused)
    return {"PSNR_gt": psnr_pair(truth, fused), "SSIM_gt": ssim_pair(truth, fused)}


def _images(folder: Path) -> tuple[dict[str, Path], tuple[str, ...]]:
    """Images in and below ``folder`` by path without suffix, and problems of ambiguous ones."""
    if not folder.is_dir():
        raise InputError(
            str(folder), Message("there is no such folder"), Message("Check the name.")
        )
    found: dict[str, list[Path]] = {}
    try:
        for path in sorted(folder.rglob("*")):
            inside = path.relative_to(folder)
            hidden = any(part.startswith(".") for part in inside.parts)
            if not hidden and path.is_file() and is_image(path):
                name = unicodedata.normalize("NFC", inside.with_suffix("").as_posix())
                found.setdefault(name, []).append(path)
    except OSError as error:
        raise file_error(folder, error) from error
    problems = tuple(
        Message(
            "{0} has several files called “{1}”: {2}.",
            folder,
            name,
            ", ".join(path.name for path in paths),
        )
        for name, paths in found.items()
        if len(paths) > 1
    )
    return {name: paths[0] for name, paths in found.items() if len(paths) == 1}, problems


def direction_of(name: str) -> Direction:
    """The better direction of a column of the table."""
    return METRICS[name].direction if name in METRICS else "higher"


def common_images(scores: Sequence[MethodScore]) -> frozenset[str]:
    """Names of images for which every method has a result."""
    if not scores:
        return frozenset()
    return frozenset.intersection(
        *(frozenset(image.name for image in score.images) for score in scores)
    )


def write_csv(path: Path, scores: Sequence[MethodScore]) -> None:
    """Write a CSV file with a row per method and image, and a row ``mean`` per method.

    UTF-8, six decimals, empty cells for missing scores. Written atomically.

    Raises:
        OutputError: it cannot be written.
    """
    columns = list(
        dict.fromkeys(name for score in scores for p in score.images for name in p.values)
    )
    rows: list[list[str]] = [["method", "picture", *columns]]
    for score in scores:
        for row in [*score.images, ImageScore("mean", score.means())]:
            cells = (f"{row.values[c]:.6f}" if c in row.values else "" for c in columns)
            rows.append([score.method, row.name, *cells])
    atomic_write(path, csv_text(rows).encode())
