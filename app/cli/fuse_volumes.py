"""``unifusion fuse`` on series and volumes: into one volume, a folder of slices, or one slice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import typer

from app.cli.archive import check_sending, send
from app.cli.console import TerminalProgress, note, say
from app.cli.fuse_options import FuseOptions, VolumeOptions, checked
from app.cli.fused_output import PictureOutput, output_for
from app.cli.volume_sources import align_chosen, alignment_notes, chosen_series
from core.errors import InputError, OutputError
from core.fusion.opening import open_engine
from core.fusion.protocol import CheckedEngine
from core.fusion.slices import VolumePair
from core.fusion.volume_fusion import FusedSlice, SliceSettings, fuse_slices
from core.fusion.volume_targets import SourceFiles, VolumeTarget, fuse_volume
from core.geometry.grids import grid_of
from core.geometry.planes import PlaneName, axes_of
from core.io.dicom_output import check_map_target, read_dicom_sources, write_parametric_map
from core.memory_model import FusionWorkload
from core.progress import Progress
from core.tasks import get_task
from core.types import ImageHeader
from core.units.palettes import PALETTES


def fuse_volumes(options: FuseOptions) -> None:
    """Read two volumes, put A on the grid of B, fuse slice by slice, and write.

    Raises:
        FusionError: any step failed; no partial file is left. Slices that were written into a
            folder before stay.
        Cancelled: by Ctrl-C.
    """
    volumes = options.volumes
    plane = volumes.plane
    _check_options(options)
    task = get_task(options.task)
    engine = open_engine([options.pack], options.device, options.backbone)
    unused = engine.unused_backbone(task.name, options.pack)
    settings = SliceSettings(
        task.name,
        options.pack,
        plane=plane,
        windows=options.windows,
        palettes=(options.palette_a, None),
        tiles=options.tiles,
    )
    notes: list[str] = [unused] if unused else []
    methods: set[str] = set()
    with TerminalProgress() as progress:
        chosen = chosen_series(options, progress)
        frames = volumes.frame_a - 1, volumes.frame_b - 1
        sources = SourceFiles(chosen.a, chosen.b, frames)
        single = volumes.slice is not None
        output = output_for(options.out, sources, volumes.dicom, png=volumes.png, single=single)
        output.check()
        if volumes.send:
            check_sending(volumes.send, output, progress)
        if volumes.parametric is not None:
            check_map_target(volumes.parametric, protect=sources.files)
        pair, aligned, _ = align_chosen(chosen, options, progress)
        indices = _indices(pair, plane, volumes.slice, output)
        _check_memory(engine, pair, settings)
        notes += [*chosen.notes, *alignment_notes(chosen, pair), *aligned.notes]
        if volumes.parametric is not None:
            notes += _write_map(volumes.parametric, volumes, sources, pair, progress)
        if isinstance(output, VolumeTarget):
            written = fuse_volume(engine, pair, settings, output, progress)
            notes += written.notes
            methods |= {written.method} - {""}
        else:
            # Closed here, so that nothing is left in work when writing fails.
            with closing(fuse_slices(engine, pair, settings, indices, progress)) as slices:
                notes += output.write(_heard(slices, methods), plane)
    for text in dict.fromkeys(notes):
        note(text)
    counted = "1 slice" if len(indices) == 1 else f"{len(indices)} slices"
    device = engine.device_choice
    method = next(iter(methods), "no method, one source alone")
    say(f"{options.out}: {counted}, {method} on {device.label} ({device.reason})")
    if volumes.send:
        map_ = [] if volumes.parametric is None else [volumes.parametric]
        # What was written stays, whatever becomes of this.
        if code := send(volumes.send, [options.out, *map_]):
            raise typer.Exit(code)


def _check_options(options: FuseOptions) -> None:
    """Refuse options that volumes do not have."""
    if options.recon is not None or options.features is not None:
        raise InputError(
            "--recon and --features",
            "they are for pictures",
            "Write slices with --slice, and fuse those.",
        )
    if options.align.crop:
        raise InputError(
            "--crop",
            "it is for pictures: volumes are fused on the whole grid of B",
            "Leave it out.",
        )
    if options.palette_a is not None:
        checked("--palette-a", options.palette_a, PALETTES)


def _write_map(
    path: Path,
    volumes: VolumeOptions,
    sources: SourceFiles,
    pair: VolumePair,
    progress: Progress,
) -> tuple[str, ...]:
    """Write A on the grid of B in its unit; returns notes."""
    moved = pair.transform is not None
    refers = read_dicom_sources(
        sources.a, sources.b, sources.frames, volumes.dicom, registered=moved
    )
    axes = axes_of(grid_of(pair.b), volumes.plane)
    return write_parametric_map(path, pair.a, axes, refers, progress)


def _heard(slices: Iterator[FusedSlice], methods: set[str]) -> Iterator[FusedSlice]:
    """``slices``; adds the method of each to ``methods``."""
    for one in slices:
        if one.result is not None:
            methods.add(one.result.method)
        yield one


def _indices(
    pair: VolumePair, plane: PlaneName, wanted: int | None, output: PictureOutput | VolumeTarget
) -> Sequence[int]:
    """The slices to fuse, from 0."""
    count = pair.slices(plane)
    if wanted is not None:
        if not 1 <= wanted <= count:
            raise InputError(
                f"--slice {wanted}", f"there are {count} {plane} slices", "They count from 1."
            )
        return [wanted - 1]
    if count > 1 and isinstance(output, PictureOutput) and not output.holds_many:
        raise OutputError(
            f"Cannot write {output.path}",
            f"there are {count} {plane} slices",
            "Name a folder or a volume (.nii.gz), or choose one by --slice.",
        )
    return range(count)


def _check_memory(engine: CheckedEngine, pair: VolumePair, settings: SliceSettings) -> None:
    _, height, width = axes_of(grid_of(pair.b), settings.plane).shape
    header = ImageHeader("volume", width, height, 1, 32)
    engine.check_memory(header, header, settings.task, settings.method, FusionWorkload())
