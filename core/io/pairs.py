"""Reads two images of one scene and makes them a pair, pixel on pixel."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from core.errors import InputError, Message
from core.io.memory_check import check_memory
from core.io.reader import Damaged, probe_image, read_image
from core.io.readers.decoding import file_error
from core.io.resampling import (
    common_rectangle,
    is_photograph,
    resample_onto,
    resample_through,
)
from core.io.values import for_task, with_window
from core.tasks import TASKS
from core.types import (
    KIND_NAMES,
    Image,
    ImageHeader,
    PairTransform,
    SourcePair,
)
from core.types.moves import motion_parts
from core.windows import Windows

_SAME_FILE = Message("Source A and source B are the same picture.")
MIRRORED = Message("The transform mirrors it: left and right are exchanged.")
DOUBTFUL = Message("This registration is doubtful: compare edges before trusting the result.")
"""Note on a pair whose registration may be wrong."""


class _NoHeader(Exception):
    """The header of a file cannot be read."""


def _header(path: Path) -> ImageHeader:
    try:
        return probe_image(path)
    except InputError as error:
        raise _NoHeader from error


def read_pair(
    path_a: str | Path,
    path_b: str | Path,
    *,
    resample: bool = False,
    task: str = "",
    windows: Windows = (None, None),
    damaged: Damaged = "refuse",
    between: Callable[[], object] | None = None,
    transform: PairTransform | None = None,
) -> SourcePair:
    """Read two images of one scene: :func:`make_pair` of :func:`read_sources`."""
    a, b = read_sources(path_a, path_b, damaged=damaged, between=between)
    return make_pair(a, b, resample=resample, task=task, windows=windows, transform=transform)


def read_sources(
    path_a: str | Path,
    path_b: str | Path,
    *,
    damaged: Damaged = "refuse",
    between: Callable[[], object] | None = None,
) -> tuple[Image, Image]:
    """Read two images of one scene as they are; their sizes may differ.

    Args:
        path_a, path_b: the files.
        damaged: as in :func:`read_image`.
        between: called after A and before B is read; may raise to cancel.

    Raises:
        InputError: see :func:`read_image`.
    """
    path_a, path_b = Path(path_a), Path(path_b)
    with suppress(_NoHeader):  # reading reports it with more detail
        check_memory(*((path, _header(path)) for path in (path_a, path_b)))
    a = read_image(path_a, damaged)
    if between is not None:
        between()
    b = read_image(path_b, damaged)
    if _same_content(path_a, path_b):
        a, b = (replace(image, notes=(*image.notes, _SAME_FILE)) for image in (a, b))
    return a, b


def make_pair(
    a: Image,
    b: Image,
    *,
    resample: bool = False,
    task: str = "",
    windows: Windows = (None, None),
    transform: PairTransform | None = None,
) -> SourcePair:
    """The pair of two images as they were read.

    Args:
        a, b: the images.
        resample: resample B to the size of A if they differ, without a transform.
        task: task of the pair, if known: some tasks compare brightness, and both images then share
            one window (:func:`core.io.values.for_task`); and it says which images are photographs.
        windows: manual windows of A and of B.
        transform: by which one image is resampled onto the pixels of the other one, whatever their
            sizes are.

    Raises:
        SizeMismatch: the sizes differ, ``resample`` is False, and there is no transform.
        InputError: no pixel has data in both; see also :func:`core.io.values.with_window`.
    """
    if transform is not None:
        a, b = _lined_up(a, b, transform, task)
    elif resample and a.size != b.size:
        b = resample_onto(b, a.size)
    pair = for_task(SourcePair(a, b, transform=transform), task)
    if windows == (None, None):
        return pair
    return replace(pair, a=with_window(pair.a, windows[0]), b=with_window(pair.b, windows[1]))


def _lined_up(a: Image, b: Image, by: PairTransform, task: str) -> tuple[Image, Image]:
    """Both images with the moving one on the pixels of the fixed one, cropped if that is asked."""
    moving, fixed = (b, a) if by.moving == "b" else (a, b)
    is_light = by.moving in _photographs(task) and is_photograph(moving)
    moved = resample_through(moving, by.transform, fixed, linear_light=is_light)
    moved = replace(moved, notes=(*moved.notes, *_notes(by, moving.size, fixed.size)))
    if by.crop:
        box = common_rectangle(by.transform, moving.size, fixed.size)
        assert box is not None  # or resampling would have left no pixel
        moved, fixed = (_cropped(image, box) for image in (moved, fixed))
    return (fixed, moved) if by.moving == "b" else (moved, fixed)


def _photographs(task: str) -> tuple[str, ...]:
    return TASKS[task].photographs if task in TASKS else ()


def _cropped(image: Image, box: tuple[slice, slice]) -> Image:
    part = image.part(box)
    if part.size == image.size:
        return image
    note = Message("Cropped to the {0}×{1} pixels that both pictures show.", *part.size)
    return replace(part, notes=(*part.notes, note))


def _notes(by: PairTransform, moving: tuple[int, int], fixed: tuple[int, int]) -> tuple[str, ...]:
    parts = motion_parts(by.transform, moving, fixed)
    notes = [
        Message(
            "Moved onto the other picture ({0}): by {1:.1f}, {2:.1f} pixels, {3:.2f}°, ×{4:.4f}.",
            KIND_NAMES[by.transform.kind],
            *parts.shift,
            *parts.angles,
            parts.scale,
        )
    ]
    if parts.is_mirrored:
        notes.append(MIRRORED)
    if by.is_doubtful:
        notes.append(DOUBTFUL)
    return tuple(notes)


def _same_content(path_a: Path, path_b: Path) -> bool:
    try:
        if path_a.samefile(path_b):
            return True
        if path_a.stat().st_size != path_b.stat().st_size:
            return False
        with path_a.open("rb") as a, path_b.open("rb") as b:
            while block := a.read(1 << 20):
                if block != b.read(1 << 20):
                    return False
    except OSError as error:
        raise file_error(path_b, error) from error
    return True
