"""Options of ``unifusion measure``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.console import reported
from app.cli.options import (
    AcceptGap,
    AcceptUneven,
    FrameA,
    FrameB,
    KeepFailed,
    KeepIdentity,
    Register,
    ReplaceUids,
    SeriesA,
    SeriesB,
    SuvName,
    TransformFile,
)


def measure(
    a: Annotated[Path, typer.Argument(help="first series (PET, SPECT or CT)")],
    b: Annotated[Path | None, typer.Argument(help="second series (MRI), measured too")] = None,
    *,
    regions: Annotated[
        Path | None, typer.Option("--regions", help="file of regions, distances and angles (.json)")
    ] = None,
    sphere: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y,Z,DIAMETER[,NAME]",
            help="sphere in patient mm (LPS) of B, of A where it is alone; repeatable",
        ),
    ] = None,
    threshold: Annotated[
        list[str] | None,
        typer.Option(
            metavar="41%|SUV2.5|12000",
            help="what of A in the spheres counts: a share of the maximum, an SUV, or a value in "
            "its unit; repeatable",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="figures as .csv")] = None,
    seg: Annotated[
        Path | None, typer.Option("--seg", help="regions on the voxels of A as DICOM SEG (.dcm)")
    ] = None,
    seg_b: Annotated[
        Path | None, typer.Option("--seg-b", help="regions on the voxels of B as DICOM SEG (.dcm)")
    ] = None,
    keep: Annotated[
        Path | None, typer.Option("--keep-regions", help="write all regions as .json too")
    ] = None,
    series_a: SeriesA = "",
    series_b: SeriesB = "",
    frame_a: FrameA = 1,
    frame_b: FrameB = 1,
    suv: SuvName = "bw",
    accept_gap: AcceptGap = False,
    accept_uneven: AcceptUneven = False,
    register: Register = False,
    keep_failed: KeepFailed = False,
    transform: TransformFile = None,
    not_registered: Annotated[
        bool,
        typer.Option("--not-registered", help="take all millimetres as the same, whatever is said"),
    ] = False,
    keep_identity: KeepIdentity = False,
    replace_uids: ReplaceUids = False,
) -> None:
    """Measure regions on the voxels of one or two series; exit code 1 where none can be."""
    with reported():
        from app.cli.align_options import align_choice
        from app.cli.fuse_options import checked
        from app.cli.measure import MeasureOptions, measure_series
        from core.io.dicom_output import DicomChoices
        from core.units.suv import SUV_UNITS

        options = MeasureOptions(
            a, b, regions=regions, spheres=tuple(sphere or ()), thresholds=tuple(threshold or ()),
            out=out, segmentations={"a": seg, "b": seg_b}, keep=keep, keys=(series_a, series_b),
            frames=(frame_a, frame_b), suv=checked("--suv", suv, tuple(SUV_UNITS)),
            gap=accept_gap, uneven=accept_uneven, same_millimetres=not_registered,
            align=align_choice(
                register, "", transform, "", onto="a", crop=False, keep_failed=keep_failed
            ),
            dicom=DicomChoices(keep_identity=keep_identity, replace_uids=replace_uids),
        )  # fmt: skip
        code = measure_series(options)
    raise typer.Exit(code)
