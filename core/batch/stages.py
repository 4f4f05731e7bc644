"""The steps of one row: read, fuse, write. Independent of threads and of other rows."""

from __future__ import annotations

from pathlib import Path

from core.alignment.aligning import Aligned, align_images
from core.batch.comparison_images import side_by_side_image, strip_jpeg
from core.batch.memory_budget import LARGE
from core.batch.output_folder import make_below
from core.batch.plan import BatchPlan, BatchRow
from core.batch.row_record import FileStamp
from core.errors import InputError
from core.fusion.slices import volume_pair_bytes
from core.io.atomic import atomic_write
from core.io.pairs import make_pair, read_pair, read_sources
from core.io.reader import probe_image
from core.io.writer import write_image
from core.memory_model import image_bytes
from core.metrics import MAIN_METRICS, evaluate, to_luma8
from core.missing_data import comparable
from core.progress import Progress
from core.retention import RetentionTotals, measure_retention
from core.tasks import get_task
from core.types import (
    RECONSTRUCTIONS,
    BitDepth,
    FloatArray,
    FusionRequest,
    FusionResult,
    PairTransform,
    SourcePair,
)

_IMAGES_PER_ROW = 4
"""A, B, the fused image, and one for temporaries."""


def expected_bytes(row: BatchRow) -> int:
    """Estimated bytes of memory for the row, from the headers of its files."""
    if row.match.study is not None:
        return max(LARGE + 1, volume_pair_bytes(row.match.study))  # studies are fused alone
    return sum(_expected(path) for path in (row.match.a, row.match.b)) * _IMAGES_PER_ROW // 2


def _expected(path: Path) -> int:
    try:
        return image_bytes(probe_image(path))
    except InputError:  # reading will report it
        return 0


def read_row(
    row: BatchRow, plan: BatchPlan, progress: Progress
) -> tuple[SourcePair, tuple[FileStamp, FileStamp], Aligned]:
    """Read both sources, and bring them onto each other.

    Returns:
        The pair, the stamps of its files with their digests, and how it was aligned.

    Raises:
        InputError: see :func:`core.io.read_pair` and :func:`core.alignment.aligning.align_images`.
        Cancelled: by ``progress``.
    """
    # Before the images, so that the next run detects a file that changes while it is read.
    stamps = (FileStamp.of(row.match.a, digest=True), FileStamp.of(row.match.b, digest=True))
    options = plan.options
    a, b = read_sources(row.match.a, row.match.b)
    aligned = align_images(plan.align_choice(row), a, b, options.task, progress)
    with aligned.told():
        pair = make_pair(
            a,
            b,
            resample=plan.resamples(row),
            task=options.task,
            windows=options.windows,
            transform=aligned.transform,
        )
    return pair, stamps, aligned


def pair_again(row: BatchRow, plan: BatchPlan, transform: PairTransform | None) -> SourcePair:
    """The sources of a finished ``row`` as they were fused, with the transform of its record."""
    options = plan.options
    return read_pair(
        row.match.a,
        row.match.b,
        resample=True,
        task=options.task,
        windows=options.windows,
        transform=transform,
    )


def request_for(pair: SourcePair, plan: BatchPlan, *, tiles: bool) -> FusionRequest:
    """The request for the engine; ``tiles``: fuse in tiles, for the least memory."""
    options = plan.options
    return FusionRequest(
        pair,
        options.task,
        options.method,
        reconstructions=options.reconstructions,
        tiles=tiles,
    )


def write_row(
    row: BatchRow, plan: BatchPlan, pair: SourcePair, result: FusionResult
) -> tuple[int, dict[str, float], tuple[str, ...]]:
    """Write all files of the row, the fused image last.

    So the row is complete where its fused image exists. Its name is made durable by
    :meth:`~core.batch.manifest.BatchManifest.end`, for several rows at once.

    Returns:
        Bytes of the fused image's file, its metrics and what is lost by name ({} unless asked for),
        and notes.

    Raises:
        OutputError: see :func:`core.io.write_image`.
    """
    options = plan.options
    images = _images(plan, pair, result)
    outputs = dict(zip(_kinds(plan), plan.outputs(row), strict=True))
    notes = list(result.notes)
    metrics: dict[str, float] = {}
    if options.metrics:
        lumas = (to_luma8(p) for p in (pair.a.normalised(), pair.b.normalised(), result.fused))
        a, b, f = comparable(pair, *lumas)
        metrics = evaluate(a, b, f, MAIN_METRICS)
    if options.tells_losses:
        metrics |= RetentionTotals.of(measure_retention(pair, result.fused)).figures
    if options.contact_sheet:
        strip = strip_jpeg(pair.a.normalised(), pair.b.normalised(), result.fused)
        path = options.out / plan.thumbnail(row)
        make_below(options.out, path.parent)
        atomic_write(path, strip)
    for kind in reversed(tuple(outputs)):
        if kind not in images:
            continue
        pixels, depth = images[kind]
        make_below(options.out, outputs[kind].parent)
        image_notes = write_image(
            outputs[kind],
            pixels,
            bit_depth=depth,
            provenance={**result.provenance, "picture": kind},
            protect=(row.match.a, row.match.b),
            overwrite=plan.overwrites(row),
            # All other files of the row must be durable before the name of its fused image is.
            folder_later=kind == "fused",
        )
        notes += image_notes if kind == "fused" else ()
    size = outputs["fused"].stat().st_size
    return size, metrics, tuple(dict.fromkeys(notes))


def _kinds(plan: BatchPlan) -> tuple[str, ...]:
    """Kinds of images in the order of :meth:`BatchPlan.outputs`."""
    kinds = ["fused"]
    if plan.options.reconstructions:
        kinds += RECONSTRUCTIONS
    return (*kinds, "figure") if plan.options.figures else tuple(kinds)


def _images(
    plan: BatchPlan, pair: SourcePair, result: FusionResult
) -> dict[str, tuple[FloatArray, BitDepth]]:
    depth: BitDepth = plan.options.depth or result.bit_depth
    found = {kind: (pixels, depth) for kind, pixels in result.images.items()}
    if plan.options.figures:
        figure = side_by_side_image(
            pair,
            result.fused,
            get_task(plan.options.task),
            by_network=plan.options.by_network,
        )
        found["figure"] = (figure, 8)
    return found
