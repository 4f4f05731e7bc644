"""``unifusion fuse``: fuses one pair of files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.cli.choose_series import are_volumes
from app.cli.console import TerminalProgress, note, say
from app.cli.fuse_options import FuseOptions, VolumeOptions, checked
from app.cli.fuse_volumes import fuse_volumes
from core.alignment.aligning import Aligned, align_images, check_choice
from core.errors import InputError, OutputError
from core.fusion.feature_maps import common_basis, feature_pixels
from core.fusion.opening import open_engine
from core.io import check_folder, check_target, make_pair, probe_image, read_sources, write_image
from core.memory_model import FusionWorkload
from core.progress import Progress
from core.tasks import get_task
from core.types import FloatArray, FusionRequest, FusionResult, SourcePair
from core.units.palettes import PALETTES, find_palette


def fuse_sources(options: FuseOptions) -> None:
    """Read, fuse and write a pair of pictures, or of series and volumes.

    Raises:
        FusionError: any step failed; no partial file is left.
    """
    check_choice(options.align)
    if are_volumes(options.a, options.b):
        fuse_volumes(options)
    elif options.volumes != VolumeOptions():
        # A volume that cannot be read is no picture either, and says why by itself.
        for path in (options.a, options.b):
            probe_image(path)
        raise InputError(
            f"{options.a} and {options.b}",
            "they are pictures, which have no slices, frames, series and units",
            "Leave out the options that are for volumes.",
        )
    else:
        fuse_files(options)


def fuse_files(options: FuseOptions) -> FusionResult:
    """Read, fuse and write a pair of pictures. All targets are checked before the computation.

    Raises:
        FusionError: any step failed; no partial file is left.
    """
    if options.palette_a is not None:
        checked("--palette-a", options.palette_a, PALETTES)
    task = get_task(options.task)
    sources = (options.a, options.b)
    targets = options.targets()
    engine = open_engine([options.pack], options.device, options.backbone)
    unused = engine.unused_backbone(task.name, options.pack)
    kept = FusionWorkload(
        reconstructions=options.recon is not None, features=options.features is not None
    )
    headers = probe_image(options.a), probe_image(options.b)
    engine.check_memory(*headers, task.name, options.pack, kept)
    with TerminalProgress() as progress:
        pair, aligned = _read(options, progress)
    pair = _in_palette(pair, options.palette_a)
    for folder in (options.recon, options.features):
        if folder is not None:
            _make_folder(folder)
    for path in targets.values():
        check_target(path, protect=sources)
        check_folder(path)
    request = FusionRequest(
        pair,
        task.name,
        options.pack,
        reconstructions=options.recon is not None,
        features=options.features is not None,
        tiles=options.tiles,
    )
    with TerminalProgress() as progress:
        result = engine.fuse(request, progress)
        progress.check()
    notes = [*([unused] if unused else ()), *aligned.notes, *result.notes]
    for name, pixels in _images(result).items():
        if name in targets:
            depth = 8 if name.startswith("features") else result.bit_depth
            notes += write_image(
                targets[name],
                pixels,
                bit_depth=depth,
                provenance={**result.provenance, "picture": name},
                protect=sources,
            )
    _summary(result, notes, options.out)
    return result


def _read(options: FuseOptions, progress: Progress) -> tuple[SourcePair, Aligned]:
    """Both pictures, laid on each other as was asked for."""
    a, b = read_sources(options.a, options.b, damaged=options.damaged, between=progress.check)
    aligned = align_images(options.align, a, b, options.task, progress)
    with aligned.told():
        pair = make_pair(
            a,
            b,
            resample=options.resample,
            task=options.task,
            windows=options.windows,
            transform=aligned.transform,
        )
    return pair, aligned


def _in_palette(pair: SourcePair, name: str | None) -> SourcePair:
    if name is None:
        return pair
    if pair.a.data.shape[2] != 1:
        raise InputError(pair.a.name, "it is in colour already", "Leave out --palette-a.")
    return replace(pair, a=replace(pair.a, palette=find_palette(name)))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"Cannot create the folder {folder}", error.strerror or str(error), "Choose another."
        ) from error


def _images(result: FusionResult) -> dict[str, FloatArray]:
    """The result's images; features as RGB by PCA on a common basis."""
    features = result.features
    if not features:
        return result.images
    basis = common_basis(*features.values())
    shown = {name: feature_pixels(maps, basis) for name, maps in features.items()}
    return {**result.images, **shown}


def _summary(result: FusionResult, notes: Sequence[str], out: Path) -> None:
    for text in dict.fromkeys(notes):
        note(text)
    seconds = sum(result.timings.values())
    say(
        f"{out}: {result.method} on {result.device.label} ({result.device.reason}), {seconds:.2f} s"
    )
