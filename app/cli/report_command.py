"""The ``report`` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import reported
from app.cli.options import (
    TASK_NAMES,
    AcceptGap,
    AcceptUneven,
    BackboneOption,
    Device,
    FrameA,
    FrameB,
    KeepFailed,
    KeepIdentity,
    Kind,
    NotRegistered,
    PaletteA,
    PlaneOption,
    Register,
    RigName,
    SeriesA,
    SeriesB,
    SuvName,
    TransformFile,
    WindowA,
    WindowB,
)


def report(
    a: Annotated[Path, typer.Argument(help="PET, SPECT or CT: DICOM folder or files, NIfTI")],
    b: Annotated[Path, typer.Argument(help="MR: DICOM folder or files, NIfTI")],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="the PDF file")],
    slices: Annotated[
        str, typer.Option("--slices", help="to show, from 1, such as 10,20,30-35; else three")
    ] = "",
    regions: Annotated[
        Path | None, typer.Option("--regions", help="file of regions, whose figures are added")
    ] = None,
    task: Annotated[str, typer.Option("--task", "-t", help=TASK_NAMES)] = "mif",
    pack: Annotated[str, typer.Option(help="pack name, pack file or classical method")] = "",
    device: Device = "auto",
    backbone: BackboneOption = None,
    tiles: Annotated[bool, typer.Option("--tiles", help="work in small pieces")] = False,
    window_a: WindowA = None,
    window_b: WindowB = None,
    register: Register = False,
    keep_failed: KeepFailed = False,
    kind: Kind = "",
    transform: TransformFile = None,
    rig: RigName = "",
    palette_a: PaletteA = None,
    plane: PlaneOption = "axial",
    series_a: SeriesA = "",
    series_b: SeriesB = "",
    frame_a: FrameA = 1,
    frame_b: FrameB = 1,
    suv: SuvName = "bw",
    accept_gap: AcceptGap = False,
    accept_uneven: AcceptUneven = False,
    not_registered: NotRegistered = False,
    keep_identity: KeepIdentity = False,
) -> None:
    """Write a report on a study as PDF: A, B and fused slices, settings, versions, notice."""
    with reported():
        from app.cli.align_options import align_choice
        from app.cli.fuse_options import FuseOptions, volume_options
        from app.cli.report import report_study, slice_numbers
        from core.io.dicom_output import DicomChoices

        numbers = slice_numbers(slices)
        align = align_choice(
            register, kind, transform, rig, onto="a", crop=False, keep_failed=keep_failed
        )
        volumes = volume_options(
            plane, None, (series_a, series_b), (frame_a, frame_b), suv=suv, gap=accept_gap,
            uneven=accept_uneven, patients=False, not_registered=not_registered,
            dicom=DicomChoices(keep_identity=keep_identity), png=False, parametric=None,
        )  # fmt: skip
        options = FuseOptions(
            a, b, out=out, task=task, pack=pack, device=device, backbone=backbone, tiles=tiles,
            windows=(window_a, window_b), palette_a=palette_a, volumes=volumes, align=align,
        )  # fmt: skip
        report_study(options, numbers, regions)
