"""The long-running work of the Fuse workspace, as functions that run on worker threads.

Heavy imports are made inside the functions, so that the window appears before them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from app.compute.remote import compute
from app.engine import LazyEngine, default_method
from app.fuse.result_images import basis_of, feature_image, result_images
from app.fuse.results import (
    AS_DAMAGED,
    ONE_CAMERA,
    RESAMPLED,
    Palettes,
    SourceStamp,
    stamp_of,
    transform_mark,
    with_windows,
)
from app.fuse.state import LoadedSource, Outcome, Side, Sources
from app.i18n.translate import tr, translate
from app.viewer.display_state import FeatureView
from app.viewer.pyramid import RenderedImage, source_image
from core.alignment.choice import AlignChoice
from core.errors import InputError, Message
from core.fusion.protocol import Engine, MethodInfo
from core.progress import Progress
from core.tasks import TASKS, get_task
from core.types import FloatArray, FusionRequest, FusionResult, Image, PairTransform, SourcePair
from core.windows import Windows

if TYPE_CHECKING:
    from core.alignment.aligning import Aligned

FileOrImage = Path | Image

_NO_PAIR = SourcePair(*(Image(np.zeros((1, 1, 1), np.float32), (0.0, 1.0)),) * 2)
"""In the place of sources that the window has: those of 12 million pixels would be 290 MB."""


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
        None if image is None else LoadedSource(image, _with_histogram(source_image(image)))
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


def _with_histogram(image: RenderedImage) -> RenderedImage:
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


@dataclass(frozen=True, eq=False)
class FusePlan:
    """Everything that one fusion depends on."""

    pair: SourcePair
    task: str
    _: KW_ONLY
    method: str
    request_id: int
    features: FeatureView
    tiles: bool = False
    """Fuse in small pieces, to save memory."""
    windows: Windows = (None, None)
    """The windows the sources are displayed in, which they are fused in, too."""
    palettes: Palettes | None = None
    """The palettes that slices of volumes are displayed and fused in."""
    titles: tuple[str, str] | None = None
    """What A and B are called; None for what they are in the task."""

    @cached_property
    def windowed_pair(self) -> SourcePair:
        """The pair in these windows."""
        return with_windows(self.pair, self.windows, self.palettes)


def classical_preview(plan: FusePlan, progress: Progress) -> Outcome | None:
    """The classical preview of a plan, without its pair; None if the plan asks for a classical
    method anyway.

    Needs no engine, and therefore does not wait for the import of torch.

    Raises:
        DeviceMemoryError: the image does not fit.
    """
    from core.baselines import BASELINES
    from core.fusion.classical_engine import fuse_classically

    if plan.method in BASELINES:
        return None
    name = get_task(plan.task).default_baseline
    request = FusionRequest(plan.windowed_pair, plan.task, name, request_id=plan.request_id)
    begun = time.perf_counter()
    result = fuse_classically(request, progress)
    seconds = time.perf_counter() - begun
    title = translate(BASELINES[name].title)
    drawn = _outcome_of(result, plan, title, seconds, progress)
    return replace(drawn, is_preview=True, requested_method=name)


def fuse(lazy: LazyEngine, plan: FusePlan, progress: Progress) -> Outcome:
    """Fuse as planned, making the engine first if needed; the outcome is without its pair."""
    engine = lazy.get(progress)
    progress.check()
    method = _chosen(engine.methods(plan.task), plan)
    outcome = _fused(engine, plan, method, progress)
    if not plan.method and not outcome.is_model:
        note = tr("No model for this task is installed: a classical method was used instead.")
        notes = (note, *outcome.result.notes)
        outcome = replace(outcome, result=replace(outcome.result, notes=notes))
    return outcome


def _chosen(methods: tuple[MethodInfo, ...], plan: FusePlan) -> MethodInfo | None:
    """The method of a plan; None for a pack given as a file."""
    if not plan.method:
        return default_method(methods, get_task(plan.task))
    return next((m for m in methods if m.name == plan.method), None)


def _fused(
    engine: Engine, plan: FusePlan, method: MethodInfo | None, progress: Progress
) -> Outcome:
    is_model = method is None or method.kind == "pack"
    request = FusionRequest(
        plan.windowed_pair,
        plan.task,
        method.name if method is not None else plan.method,
        reconstructions=is_model,
        features=is_model,
        tiles=plan.tiles,
        request_id=plan.request_id,
    )
    begun = time.perf_counter()
    result = engine.fuse(request, progress)
    seconds = time.perf_counter() - begun
    title = translate(method.title) if method is not None else Path(result.method).name
    drawn = _outcome_of(result, plan, title, seconds, progress)
    return replace(drawn, is_model=is_model, requested_method=request.method)


def _outcome_of(
    result: FusionResult, plan: FusePlan, title: str, seconds: float, progress: Progress
) -> Outcome:
    """The outcome of a fusion, with its images rendered."""
    progress.check()
    progress.report(0, 0, tr("Drawing"))
    basis = basis_of(result)
    images = result_images(result, plan.features, basis)
    _with_histogram(images["fused"])
    seen = plan.windowed_pair
    return Outcome(
        result,
        _NO_PAIR,
        title,
        is_model=False,
        is_preview=False,
        seconds=seconds,
        images=images,
        basis=basis,
        feature_view=plan.features,
        recon_psnr=reconstruction_psnr(result, seen),
        windows=(seen.a.window, seen.b.window),
        palettes=plan.palettes,
        titles=plan.titles,
    )


def reconstruction_psnr(
    result: FusionResult, pair: SourcePair
) -> tuple[float | None, float | None]:
    """PSNR of each reconstruction against its source, in dB, on 8-bit luma, if there is one."""

    def closeness(rebuilt: FloatArray | None, source: Image) -> float | None:
        if rebuilt is None:
            return None
        # Imported here so as not to delay a preview.
        from core.metrics import psnr_pair, to_luma8

        planes = (to_luma8(image) for image in (source.normalised(), rebuilt))
        if source.mask is None:
            return float(psnr_pair(*planes))
        # Only the pixels with data; PSNR does not depend on their arrangement.
        return float(psnr_pair(*(plane[source.mask][np.newaxis] for plane in planes)))

    return (
        closeness(result.reconstruction_a, pair.a),
        closeness(result.reconstruction_b, pair.b),
    )


def draw_features(outcome: Outcome, view: FeatureView, progress: Progress) -> RenderedImage | None:
    """Render another view of a result's features; None if it has none."""
    if outcome.basis is None:
        return None
    progress.check()
    return feature_image(outcome.result, view, outcome.basis)


def save_outcome(outcome: Outcome, path: Path, progress: Progress) -> tuple[str, ...]:
    """Write the fused image, never over a source; return notes for the person.

    Raises:
        OutputError: it cannot be written.
    """
    from core.io import write_image

    progress.report(0, 0, tr("Saving"))
    sources = (outcome.pair.a.origin, outcome.pair.b.origin)
    notes = write_image(
        path,
        outcome.result.fused,
        bit_depth=outcome.result.bit_depth,
        provenance=outcome.result.provenance,
        protect=tuple(origin for origin in sources if origin is not None),
    )
    return tuple(notes or ())


def side_source(sources: Sources, side: Side) -> Image | None:
    """The image of one side, or None."""
    loaded = sources.a if side == "a" else sources.b
    return loaded.image if loaded is not None else None
