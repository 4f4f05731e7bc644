"""``unifusion measure``: figures of regions on the native voxels of one or two series."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path
from typing import TypeGuard

from app.cli.choose_series import choose_series, choose_single
from app.cli.console import DONE, FAILED, TerminalProgress, note, say
from core.alignment.aligning import align_volumes
from core.alignment.choice import AlignChoice
from core.errors import InputError, OutputError
from core.io import check_folder, check_target
from core.io.dicom_output import DicomChoices, check_segmentation_target, read_dicom_source
from core.io.volumes import Acceptance, load_study_volume, series_suv
from core.progress import Progress
from core.regions import (
    AngleMark,
    Annotation,
    DistanceLine,
    MeasuredSource,
    MeasuredSources,
    Region,
    RegionFigures,
    SphereRegion,
    Threshold,
    ThresholdRegion,
    free_name,
    is_region,
    measure_regions,
)
from core.regions.files import (
    read_regions,
    shape_name,
    write_figures,
    write_regions,
    write_regions_segmentation,
)
from core.regions.parts import LONGEST_NAME
from core.types import PairTransform, SeriesHeader, SourceSide
from core.units.body import SuvKind
from core.units.readout import shown_value

_SIDES: tuple[SourceSide, ...] = ("a", "b")
_THRESHOLD = re.compile(
    r"\s*(?P<suv>suv)?\s*(?:>=|≥)?\s*(?P<value>[+-]?[\d.]+(?:e[+-]?\d+)?)\s*(?P<share>%)?\s*", re.I
)


@dataclass(frozen=True)
class MeasureOptions:
    """Options of the command.

    Attributes:
        a, b: files or folders; ``b`` is None for one series alone.
        regions: file of regions; None for none.
        spheres, thresholds: as they were typed.
        out: for the figures; None to print them only.
        segmentations: files for the masks on A and B; None for none.
        keep: file for all regions; None for none.
        keys, frames: of A and B, frames from 1.
        same_millimetres: see :class:`core.regions.MeasuredSources`.
    """

    a: Path
    b: Path | None
    _: KW_ONLY
    regions: Path | None = None
    spheres: tuple[str, ...] = ()
    thresholds: tuple[str, ...] = ()
    out: Path | None = None
    segmentations: Mapping[SourceSide, Path | None] = field(default_factory=dict)
    keep: Path | None = None
    keys: tuple[str, str] = ("", "")
    frames: tuple[int, int] = (1, 1)
    suv: SuvKind = "bw"
    gap: bool = False
    uneven: bool = False
    same_millimetres: bool = False
    align: AlignChoice = field(default_factory=AlignChoice)
    dicom: DicomChoices = field(default_factory=DicomChoices)


def measure_series(options: MeasureOptions) -> int:
    """Read, measure, print and write.

    Returns:
        0, or 1 where no region could be measured on any source.

    Raises:
        FusionError: a source or an option cannot be used, or a file cannot be written.
        Cancelled: by Ctrl-C.
    """
    with TerminalProgress() as progress:
        headers = _chosen(options, progress)
        _check_targets(options, headers)
        sources = _read(options, headers, progress)
        annotations = _annotations(options, sources)
        regions = [one for one in annotations if _has_voxels(one)]
        others = [one for one in annotations if not is_region(one)]
        found = measure_regions(regions, sources, progress)
        protect = [path for header in headers for path in header.files]
        if options.out is not None:
            write_figures(options.out, found, others, protect)
        if options.keep is not None:
            write_regions(options.keep, annotations, protect)
        notes = _write_masks(options, regions, sources, headers)
    for line in _lines(found, others):
        say(line)
    for text in dict.fromkeys([*_notes(found, sources), *notes]):
        note(text)
    for path in (options.out, *options.segmentations.values(), options.keep):
        if path is not None:
            say(str(path))
    measured = others or any(one.problem is None for one in found)
    return DONE if measured else FAILED


def _notes(found: Sequence[RegionFigures], sources: MeasuredSources) -> Iterator[str]:
    """What is to be known of the sources, then of single regions, then of how they lie."""
    shared = list(sources.notes())
    for side in sources.sides:
        yield from (f"{side.upper()}: {text}" for text in sources.source(side).volume.notes)
    for one in found:
        own = (text for text in one.notes if text not in shared)
        yield from (f"{one.region.name}, {one.side.upper()}: {text}" for text in own)
    yield from shared


def _has_voxels(one: Annotation) -> TypeGuard[Region]:
    return is_region(one)


def _chosen(options: MeasureOptions, progress: Progress) -> tuple[SeriesHeader, ...]:
    if options.b is None:
        for option, given in (
            ("--series-b", options.keys[1]),
            ("--seg-b", options.segmentations.get("b")),
            ("--register or --transform", options.align.way != "none"),
        ):
            if given:
                raise InputError(option, "there is no second series", "Name it after the first.")
        return (choose_single(options.a, options.keys[0], progress),)
    chosen = choose_series(options.a, options.b, options.keys, progress)
    for text in chosen.notes:
        note(text)
    return chosen.a, chosen.b


def _check_targets(options: MeasureOptions, headers: Sequence[SeriesHeader]) -> None:
    """Refuse files that cannot be written, before anything is read."""
    protect = [path for header in headers for path in header.files]
    protect += [options.regions] if options.regions is not None else []
    if options.keep == options.regions and options.keep is not None:
        protect.remove(options.keep)
    wanted = {".csv": options.out, ".json": options.keep}
    for suffix, path in wanted.items():
        if path is None:
            continue
        if path.suffix.lower() != suffix:
            raise OutputError(f"Cannot write {path}", "it is of another kind", f"Name a {suffix}.")
        check_folder(path)
        check_target(path, protect=protect)
    for side, header in zip(_SIDES, headers, strict=False):
        path = options.segmentations.get(side)
        if path is None:
            continue
        check_segmentation_target(path, protect)
        if header.kind != "DICOM":
            raise OutputError(
                f"Cannot write {path}",
                "a segmentation refers to DICOM images, and the series has none",
                "Measure the DICOM series, or leave it out.",
            )


def _read(
    options: MeasureOptions, headers: Sequence[SeriesHeader], progress: Progress
) -> MeasuredSources:
    flags: dict[Acceptance, bool] = {"gap": options.gap, "uneven": options.uneven}
    accept = frozenset(name for name, wished in flags.items() if wished)
    read = []
    for header, frame, side in zip(headers, options.frames, "ab", strict=False):
        if not 1 <= frame <= header.frames:
            raise InputError(
                f"--frame-{side} {frame}", f"the series has {header.frames}", "They count from 1."
            )
        volume = load_study_volume(header, frame - 1, options.suv, progress=progress, accept=accept)
        read.append(MeasuredSource(volume, series_suv(header, frame - 1, options.suv)))
    by: PairTransform | None = None
    if len(read) == 2:
        found = align_volumes(options.align, read[0].volume, read[1].volume, "mif", progress)
        by = found.transform
        for text in found.notes:
            note(text)
    return MeasuredSources(
        read[0],
        read[1] if len(read) == 2 else None,
        transform=by,
        same_millimetres=options.same_millimetres,
    )


def _annotations(options: MeasureOptions, sources: MeasuredSources) -> list[Annotation]:
    found = list(read_regions(options.regions)) if options.regions is not None else []
    if options.thresholds and not options.spheres:
        raise InputError("--threshold", "it is of a sphere", "Give one by --sphere X,Y,Z,DIAMETER.")
    last = sources.source(sources.sides[-1]).volume
    thresholds = [read_threshold(text, sources.a.volume.unit) for text in options.thresholds]
    taken = [one.name for one in found]
    for text in options.spheres:
        ball = read_sphere(text, last.frame_of_reference, taken)
        taken.append(ball.name)
        if not thresholds:
            found.append(ball)
        for one in thresholds:
            wanted = ball.name if len(thresholds) == 1 else _name(ball, one)
            named = replace(ball, name=free_name(wanted, [each.name for each in found]))
            found.append(ThresholdRegion(named, one))
    if not found:
        raise InputError(
            "--regions", "there is nothing to measure", "Give --regions FILE or --sphere."
        )
    return found


def _name(ball: SphereRegion, threshold: Threshold) -> str:
    """A name that tells regions of one sphere from each other, also where ASCII alone is known."""
    words = f"{threshold.value:g} {threshold.unit}".rstrip()
    if threshold.kind == "share":
        words = f"{100 * threshold.value:g} %"
    elif threshold.kind == "suv":
        words = f"SUV {words}"
    ending = f", threshold {words}"
    return ball.name[: LONGEST_NAME - len(ending)] + ending


def read_sphere(text: str, frame_of_reference: str, taken: Sequence[str]) -> SphereRegion:
    """“X,Y,Z,DIAMETER[,NAME]” in mm.

    Raises:
        InputError: it is not of that form, or no size of a region.
    """
    parts = text.split(",", 4)
    try:
        x, y, z, diameter = (float(part) for part in parts[:4])
    except ValueError as error:
        raise InputError(
            f"--sphere {text}",
            "it is not of the form X,Y,Z,DIAMETER[,NAME]",
            "Give four numbers in mm, such as --sphere 12.5,-30,8,20,Lesion.",
        ) from error
    name = parts[4] if len(parts) == 5 else f"Sphere {len(taken) + 1}"
    return SphereRegion(
        free_name(name, taken), (x, y, z), diameter / 2, frame_of_reference=frame_of_reference
    )


def read_threshold(text: str, unit: str) -> Threshold:
    """“41%”, “SUV>=2.5”, “SUV2.5”, “>=12000” or “12000”, the last two in ``unit``.

    Raises:
        InputError: it is none of these, or no share.
    """
    match = _THRESHOLD.fullmatch(text)
    try:
        value = float(match["value"]) if match else None
    except ValueError:
        value = None
    if match is None or value is None or (match["suv"] and match["share"]):
        raise InputError(
            f"--threshold {text}",
            "it is no threshold",
            "Give a share (41%), an SUV (SUV2.5) or a value in the unit of A (12000).",
        )
    if match["share"]:
        return Threshold("share", value / 100)
    return Threshold("suv", value) if match["suv"] else Threshold("value", value, unit)


def _write_masks(
    options: MeasureOptions,
    regions: Sequence[Region],
    sources: MeasuredSources,
    headers: Sequence[SeriesHeader],
) -> tuple[str, ...]:
    notes: list[str] = []
    for side, header, frame in zip(sources.sides, headers, options.frames, strict=False):
        path = options.segmentations.get(side)
        if path is None:
            continue
        refers = read_dicom_source(header, frame - 1, options.dicom)
        notes += write_regions_segmentation(path, regions, sources, side, refers)
    return tuple(notes)


def _lines(found: Sequence[RegionFigures], others: Sequence[Annotation]) -> Iterator[str]:
    """What a person wants to know of each region; all figures are in the table."""
    for one in found:
        head = f"{one.region.name} ({shape_name(one.region)}), {one.side.upper()} {one.modality}"
        if one.problem is not None:
            yield f"{head}: not measured, {one.problem.why}"
            continue
        parts = [f"{one.voxels} voxels"]
        for name in ("volume", "mean", "sd", "minimum", "maximum", "peak", "mtv", "tlg"):
            figure = one.figures[name]
            if figure.value is not None:
                parts.append(f"{name} {shown_value(figure.value, figure.unit)}")
        yield f"{head}: {', '.join(parts)}"
    for mark in others:
        yield f"{mark.name}: {_size(mark)}"


def _size(mark: Annotation) -> str:
    if isinstance(mark, DistanceLine):
        return f"{mark.length:.2f} mm"
    return f"{mark.degrees:.2f}°" if isinstance(mark, AngleMark) else ""
