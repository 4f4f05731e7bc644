"""``unifusion register``: the transform between two pictures or two series."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path

import numpy as np

from app.cli.choose_series import are_volumes, choose_series
from app.cli.console import DONE, FAILED, TerminalProgress, note, say
from app.cli.fuse_options import checked
from core.alignment.aligning import estimate, registration_record
from core.errors import InputError
from core.geometry.grids import grid_of
from core.io import read_image, read_sources
from core.io.transforms import check_transform_target, write_transform
from core.io.volumes import Acceptance, load_study_volume
from core.progress import Progress
from core.registration import Registration
from core.tasks import get_task
from core.types import TRANSFORM_KINDS, Image, TransformKind, TransformParts, Volume
from core.types.moves import motion_parts
from core.types.transform_data import transform_data


@dataclass(frozen=True)
class RegisterOptions:
    """Options of the command; ``series``: beginnings of the keys of both series."""

    fixed: Path
    moving: Path
    _: KW_ONLY
    out: Path | None = None
    task: str = ""
    kind: str = ""
    mask: Path | None = None
    series: tuple[str, str] = ("", "")
    gap: bool = False
    uneven: bool = False
    as_json: bool = False


def register_files(options: RegisterOptions) -> int:
    """Register, print what was found, and write the transform unless the verdict is “failed”.

    Returns:
        0, or 1 for a registration that failed.

    Raises:
        FusionError: a source cannot be read, an option is wrong, or the file cannot be written.
        Cancelled: by Ctrl-C.
    """
    kind = checked("--kind", options.kind, TRANSFORM_KINDS) if options.kind else None
    if options.task:
        get_task(options.task)
    if options.out is not None:
        check_transform_target(options.out, kind)
    with TerminalProgress() as progress:
        if are_volumes(options.fixed, options.moving):
            return _register_volumes(options, kind, progress)
        return _register_pictures(options, kind, progress)


def _register_pictures(
    options: RegisterOptions, kind: TransformKind | None, progress: Progress
) -> int:
    fixed, moving = read_sources(options.fixed, options.moving, between=progress.check)
    if options.mask is not None:
        fixed = _masked(fixed, options.mask)
    found = estimate(fixed, moving, kind, options.task, progress)
    parts = motion_parts(found.transform, moving.size, fixed.size)
    centre = [(count - 1) / 2 for count in fixed.size]
    return _finish(options, found, parts, centre, "pixels")


def _register_volumes(
    options: RegisterOptions, kind: TransformKind | None, progress: Progress
) -> int:
    if options.mask is not None:
        raise InputError("--mask", "it is for pictures", "Leave it out.")
    chosen = choose_series(options.fixed, options.moving, options.series, progress)
    for text in chosen.notes:
        note(text)
    flags: dict[Acceptance, bool] = {"gap": options.gap, "uneven": options.uneven}
    accept = frozenset(name for name, wished in flags.items() if wished)
    fixed, moving = (
        load_study_volume(series, progress=progress, accept=accept)
        for series in (chosen.a, chosen.b)
    )
    found = estimate(fixed, moving, kind, options.task, progress)
    centre = _centre(fixed)
    return _finish(options, found, found.transform.inverse().parts(centre), centre, "mm")


def _centre(volume: Volume) -> list[float]:
    grid = grid_of(volume)
    return [float(value) for value in grid.to_patient((np.array(grid.shape[::-1]) - 1) / 2)]


def _masked(image: Image, path: Path) -> Image:
    """``image`` without data where the picture in ``path`` is black.

    Raises:
        InputError: it cannot be read, has another size, or is all black.
    """
    mask = read_image(path)
    if mask.size != image.size:
        raise InputError(
            str(path),
            f"it has {mask.width}×{mask.height} pixels, and FIXED has {image.width}×{image.height}",
            "Make a mask of the size of FIXED.",
        )
    counts = np.asarray((mask.data > mask.window[0]).any(axis=2))
    return replace(image, mask=counts if image.mask is None else image.mask & counts)


def _finish(
    options: RegisterOptions,
    found: Registration,
    parts: TransformParts,
    centre: Sequence[float],
    unit: str,
) -> int:
    has_failed = found.verdict == "failed"
    if options.out is not None and not has_failed:
        write_transform(options.out, found.transform, centre)
    if options.as_json:
        data = {**transform_data(found.transform), **registration_record(found), "unit": unit}
        data["reasons"] = [str(reason) for reason in found.reasons]
        data["measure"] = str(found.measure)
        say(json.dumps(data, ensure_ascii=False))
    else:
        for line in _lines(found, parts, unit):
            say(line)
        if has_failed and options.out is not None:
            note(f"{options.out} is not written")
        elif options.out is not None:
            say(str(options.out))
    return FAILED if has_failed else DONE


def _lines(found: Registration, parts: TransformParts, unit: str) -> Iterator[str]:
    shift = ", ".join(f"{value:.2f}" for value in parts.shift)
    angles = ", ".join(f"{value:.2f}°" for value in parts.angles)
    # The matrix leads the other way, so that its signs are the opposite ones.
    yield (
        f"{found.transform.kind}: MOVING is moved by {shift} {unit}, turned {angles}, "
        f"×{parts.scale:.4f}"
    )
    yield "matrix   maps points of FIXED to MOVING, in files too:"
    for row in found.transform.matrix:
        yield "  " + " ".join(f"{value:14.8g}" for value in row)
    yield f"spread   {found.spread:.2f} {unit} (95 % of the estimates from parts of the images)"
    yield f"{found.measure} {found.before:.4f} before, {found.after:.4f} after"
    yield f"verdict  {found.verdict} ({found.seconds:.1f} s)"
    for reason in found.reasons:
        yield f"  {reason}"
