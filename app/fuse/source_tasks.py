"""Reading the sources of the Fuse workspace, as functions that run on worker threads.

Heavy imports are made inside the functions, so that the window appears before them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.compute.remote import compute
from app.fuse.results import (
    AS_DAMAGED,
    ONE_CAMERA,
    RESAMPLED,
    SourceStamp,
    stamp_of,
    transform_mark,
)
from app.fuse.state import LoadedSource, Side, Sources
from app.i18n.translate import tr
from app.viewer.pyramid import RenderedImage, source_image
from core.alignment.choice import AlignChoice
from core.errors import InputError, Message
from core.progress import Progress
from core.tasks import TASKS, get_task
from core.types import Image, PairTransform, SourcePair

if TYPE_CHECKING:
    from core.alignment.aligning import Aligned

FileOrImage = Path | Image


@dataclass(frozen=True)
class PairReading:
    """Two files, and how they are made a pair.

    Attributes:
        resample, task, damaged, transform, align: as in :func:`load_sources`.
    """

    a: Path
    b: Path
    _: KW_ONLY
    task: str
    damaged: bool = False
    resample: bool = False
    transform: PairTransform | None = None
    align: AlignChoice | None = None

    @property
    def computes(self) -> bool:
        """Whether more is done than reading: one image is resampled, or registered before that."""
        is_chosen = self.align is not None and self.align.way != "none"
        return self.resample or self.transform is not None or is_chosen


def image_suffixes(progress: Progress) -> tuple[str, ...]:
    """The file name suffixes that the readers know."""
    from core.io import READERS

    return READERS.suffixes


def load_sources(
    a: FileOrImage | None,
    b: FileOrImage | None,
    progress: Progress,
    *,
    resample: bool = False,
    sample: bool = False,
    cached: Mapping[SourceStamp, Sources] | None = None,
    task: str = "",
    damaged: bool = False,
    transform: PairTransform | None = None,
    align: AlignChoice | None = None,
) -> Sources:
    """Read up to two sources; both must have the same size unless there is a transform.

    Args:
        resample: resample B onto the grid of A if their sizes differ.
        sample: marks the result as a sample.
        task: determines black and white of deep grey images (:mod:`core.io.values`).
        damaged: read what can be decoded of damaged files.
        transform: by which one source is resampled onto the other.
        align: how two files are laid on each other, without a transform; a registration that fails
            leaves them as they lie, with a note.
        cached: pairs in memory; one whose files have not changed is not read again.

    Raises:
        SizeMismatch: the sizes differ, ``resample`` is False, and there is no transform.
        InputError: a file cannot be read, or the transform leaves nothing in common.
    """
    from core.io import make_pair, read_image
    from core.io.values import is_shared

    stage = tr("Reading pictures")
    mode: Literal["refuse", "show"] = "show" if damaged else "refuse"
    count = sum(item is not None for item in (a, b))
    progress.report(0, count, stage)
    stamp: SourceStamp | None = None
    pair: SourcePair | None
    if isinstance(a, Path) and isinstance(b, Path):
        with suppress(OSError):  # the reader raises a better error
            stamp = (*stamp_of(a, b), *_marks(resample, transform, damaged))
        found = _cached_pair(stamp, cached, task) if align is None else None
        if found is not None:
            return replace(found, sample=sample)
        reading = PairReading(
            a, b, task=task, damaged=damaged, resample=resample, transform=transform, align=align
        )  # fmt: skip
        pair = (
            compute(read_pair, reading)(progress)
            if reading.computes
            else read_pair(reading, progress)
        )
        if align is not None:
            transform = pair.transform
            if stamp is not None:
                stamp = (*stamp[:2], *_marks(resample, transform, damaged))
            found = _cached_pair(stamp, cached, task)
            if found is not None:
                return replace(found, sample=sample)
        if stamp is not None and is_shared(pair, task):
            stamp = (*stamp, ONE_CAMERA)
        images: tuple[Image | None, Image | None] = (pair.a, pair.b)
        progress.check()
    else:
        one, other = (read_image(side, mode) if isinstance(side, Path) else side for side in (a, b))
        images = (one, other)
        progress.check()
        pair = None
        if one is not None and other is not None:
            if transform is not None or (resample and one.size != other.size):
                pair = compute(lay_pair, one, other, task, transform)(progress)
            else:
                pair = make_pair(one, other, task=task)
            images = (pair.a, pair.b)
    loaded = [
        None if image is None else LoadedSource(image, with_histogram(source_image(image)))
        for image in images
    ]
    return Sources(loaded[0], loaded[1], pair, sample, stamp, transform=transform)


def read_pair(reading: PairReading, progress: Progress) -> SourcePair:
    """Read two files and make them a pair; in the compute process where that computes.

    Raises:
        SizeMismatch, InputError: see :func:`load_sources`.
        Cancelled: by ``progress``.
    """
    from core.io import make_pair, read_sources

    mode: Literal["refuse", "show"] = "show" if reading.damaged else "refuse"
    between = partial(_report_second, progress, tr("Reading pictures"))
    a, b = read_sources(reading.a, reading.b, damaged=mode, between=between)
    task, transform = reading.task, reading.transform
    aligned = _aligned(reading.align, a, b, task, progress)
    if reading.align is not None:
        transform = aligned.transform
    with aligned.told():
        pair = make_pair(a, b, resample=reading.resample, task=task, transform=transform)
    if aligned.notes and transform is None:
        pair = replace(pair, b=replace(pair.b, notes=(*pair.b.notes, *aligned.notes)))
    progress.check()
    return pair


def lay_pair(
    a: Image, b: Image, task: str, transform: PairTransform | None, progress: Progress
) -> SourcePair:
    """The pair of two images, B resampled onto A or one of them through ``transform``; in the
    compute process.

    Raises:
        InputError: see :func:`load_sources`. Cancelled: by ``progress``.
    """
    from core.io import make_pair

    progress.check()
    return make_pair(a, b, resample=True, task=task, transform=transform)


def _aligned(
    choice: AlignChoice | None, a: Image, b: Image, task: str, progress: Progress
) -> Aligned:
    """How two pictures are to be laid on each other; as they lie where nothing is chosen.

    Raises:
        InputError: the rig or file cannot be used for them.
        Cancelled: by ``progress``.
    """
    from core.alignment.aligning import Aligned, align_images

    if choice is None:
        return Aligned()
    return align_images(replace(choice, keep_failed=True), a, b, task, progress)


def _marks(
    resample: bool, transform: PairTransform | None, damaged: bool
) -> Iterator[tuple[str, int, int]]:
    """What a stamp says of how the files were read."""
    if transform is not None:
        yield transform_mark(transform)
    elif resample:
        yield RESAMPLED["b"]
    if damaged:
        yield AS_DAMAGED


def _cached_pair(
    stamp: SourceStamp | None, cached: Mapping[SourceStamp, Sources] | None, task: str
) -> Sources | None:
    """The pair of these files in memory, if its black and white are those of the task."""
    from core.io.values import is_shared

    if stamp is None or not cached:
        return None
    shared = cached.get((*stamp, ONE_CAMERA))
    if shared is not None and shared.pair is not None and is_shared(shared.pair, task):
        return shared
    found = cached.get(stamp)
    return None if found is None or found.pair is None or is_shared(found.pair, task) else found


def depends_on_task(pair: SourcePair) -> bool:
    """Whether there is a task for which both images would share black and white."""
    from core.io.values import is_shared  # imported already, as there is a pair

    return any(is_shared(pair, name) for name, task in TASKS.items() if task.one_camera)


def with_histogram(image: RenderedImage) -> RenderedImage:
    """Compute the histogram here and not on the GUI thread."""
    _ = image.histogram
    return image


def _report_second(progress: Progress, stage: str) -> None:
    """Report that the second of two images is being read."""
    progress.check()
    progress.report(1, 2, stage)


def sample_paths(task: str, folder: Path) -> tuple[Path, Path]:
    """The sample pair bundled for ``task``: two pictures, or two folders with a series each.

    Raises:
        InputError: this copy of the program has none.
    """
    a, b = folder / f"{task}_a", folder / f"{task}_b"
    if not (a.is_dir() and b.is_dir()):
        a, b = folder / f"{task}_a.png", folder / f"{task}_b.png"
    if not (a.exists() and b.exists()):
        raise InputError(
            Message("There is no sample pair for “{0}”", Message.plain(get_task(task).title)),
            Message("its files are missing from this installation"),
            Message("Open two pictures of your own, or install the program again."),
        )
    return a, b


def side_source(sources: Sources, side: Side) -> Image | None:
    """The image of one side, or None."""
    loaded = sources.a if side == "a" else sources.b
    return loaded.image if loaded is not None else None
