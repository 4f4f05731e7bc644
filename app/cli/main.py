"""The ``unifusion`` command and its subcommands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, cast

import typer

from app.cli.ablation_command import ablate
from app.cli.archive_commands import archive_app
from app.cli.cluster_commands import cluster_app, run_scheduler, run_worker
from app.cli.console import fit_streams, reported, say, show_details
from app.cli.downstream import downstream_app
from app.cli.evaluate_command import evaluate
from app.cli.measure_command import measure
from app.cli.options import (
    TASK_NAMES,
    AcceptGap,
    AcceptUneven,
    BackboneOption,
    CertificateFolder,
    Crop,
    DatasetOption,
    Device,
    DicomFolders,
    FrameA,
    FrameB,
    JobsFile,
    KeepFailed,
    KeepIdentity,
    Kind,
    LayoutName,
    NoticeCorner,
    NotRegistered,
    Onto,
    PaletteA,
    ParametricFile,
    PlaneOption,
    PngSlices,
    Register,
    ReplaceUids,
    RigName,
    RowsPerWorker,
    SchedulerAddress,
    SendTo,
    SeriesA,
    SeriesB,
    SliceNumber,
    SplitOption,
    StudyReports,
    SuvName,
    TransformFile,
    WindowA,
    WindowB,
)
from app.cli.pack_commands import backbone_app, datasets, packs_app
from app.cli.register_command import register
from app.cli.report_command import report
from app.cli.rig_commands import rigs_app
from app.cli.train_command import train
from core import __version__
from core.windows import Windows

app = typer.Typer(
    name="unifusion",
    help="Fuse two pictures of one scene into one. Without a command the window opens.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(packs_app, name="packs", no_args_is_help=True)
app.add_typer(backbone_app, name="backbone", no_args_is_help=True)
app.add_typer(archive_app, name="archive", no_args_is_help=True)
app.add_typer(cluster_app, name="cluster", no_args_is_help=True)
app.add_typer(rigs_app, name="rigs", no_args_is_help=True)
app.add_typer(downstream_app, name="downstream", no_args_is_help=True)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"UniFusion Studio {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Print the details of unexpected errors.")
    ] = False,
) -> None:
    if debug:
        show_details()
    if context.invoked_subcommand is None:
        _open_window(None, None, task=None, pack=None, device="auto", screenshot=None)


@app.command()
def gui(
    *,
    a: Annotated[Path | None, typer.Argument(help="first source")] = None,
    b: Annotated[Path | None, typer.Argument(help="second source")] = None,
    task: Annotated[str | None, typer.Option(help=TASK_NAMES)] = None,
    pack: Annotated[str | None, typer.Option(help="pack or classical method")] = None,
    device: Device = "auto",
    screenshot: Annotated[
        Path | None,
        typer.Option(help="write the window as a PNG once the result is shown, and end"),
    ] = None,
    window_a: WindowA = None,
    window_b: WindowB = None,
) -> None:
    """Open the window: on a pair, else on the sample or, where that was chosen, as it was left."""
    _open_window(
        a,
        b,
        task=task,
        pack=pack,
        device=device,
        screenshot=screenshot,
        windows=(window_a, window_b),
    )


def _open_window(
    a: Path | None,
    b: Path | None,
    *,
    task: str | None,
    pack: str | None,
    device: str,
    screenshot: Path | None,
    windows: Windows = (None, None),
) -> None:
    with reported():
        from app.shell.display_server import explain_missing_libraries, require_display

        require_display()
        with explain_missing_libraries():
            from app.shell.application import run
        code = run(a, b, task, pack, device, screenshot=screenshot, windows=windows)
    raise typer.Exit(code)


@app.command()
def inspect(
    paths: Annotated[list[Path], typer.Argument(help="files, folders or DICOMDIRs")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Tell what scanner series are in files and folders. No patient is named."""
    with reported():
        from app.cli.inspect import inspect as inspect_files

        inspect_files(paths, as_json=as_json)


@app.command()
def fuse(
    a: Annotated[Path, typer.Argument(help="first source (PET/SPECT/CT, infrared, under, near)")],
    b: Annotated[Path, typer.Argument(help="second source (MRI, visible, over, far)")],
    *,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="png, tif, jpg, …; of volumes .nii.gz or a folder too"),
    ],
    task: Annotated[str, typer.Option("--task", "-t", help=TASK_NAMES)],
    pack: Annotated[str, typer.Option(help="pack name, pack file or classical method")] = "",
    device: Device = "auto",
    recon: Annotated[Path | None, typer.Option(help="folder for both reconstructions")] = None,
    features: Annotated[Path | None, typer.Option(help="folder for both feature maps")] = None,
    resample: Annotated[
        bool, typer.Option("--resample", help="resample B onto A when sizes differ")
    ] = False,
    backbone: BackboneOption = None,
    tiles: Annotated[
        bool, typer.Option("--tiles", help="work in small pieces: the same result, least memory")
    ] = False,
    window_a: WindowA = None,
    window_b: WindowB = None,
    show_damaged: Annotated[
        bool,
        typer.Option("--show-damaged", help="fuse what can be decoded of a damaged JPEG or PNG"),
    ] = False,
    register: Register = False,
    kind: Kind = "",
    transform: TransformFile = None,
    rig: RigName = "",
    onto: Onto = "a",
    crop: Crop = False,
    keep_failed: KeepFailed = False,
    palette_a: PaletteA = None,
    plane: PlaneOption = "axial",
    slice_: SliceNumber = None,
    series_a: SeriesA = "",
    series_b: SeriesB = "",
    frame_a: FrameA = 1,
    frame_b: FrameB = 1,
    suv: SuvName = "bw",
    accept_gap: AcceptGap = False,
    accept_uneven: AcceptUneven = False,
    accept_patients: Annotated[
        bool, typer.Option("--accept-patients", help="A and B may be of two patients")
    ] = False,
    not_registered: NotRegistered = False,
    dicom: LayoutName = "multi",
    notice: NoticeCorner = "auto",
    keep_identity: KeepIdentity = False,
    replace_uids: ReplaceUids = False,
    png: PngSlices = False,
    parametric: ParametricFile = None,
    send: SendTo = "",
) -> None:
    """Fuse one pair: two pictures, or two series (DICOM folders or files, NIfTI) in millimetres."""
    with reported():
        from app.cli.align_options import align_choice
        from app.cli.fuse import fuse_sources
        from app.cli.fuse_options import FuseOptions, dicom_choices, volume_options

        align = align_choice(
            register, kind, transform, rig, onto=onto, crop=crop, keep_failed=keep_failed
        )
        volumes = volume_options(
            plane, slice_, (series_a, series_b), (frame_a, frame_b), suv=suv, gap=accept_gap,
            uneven=accept_uneven, patients=accept_patients, not_registered=not_registered,
            dicom=dicom_choices(
                dicom, notice, keep_identity=keep_identity, replace_uids=replace_uids
            ),
            png=png, parametric=parametric, send=send,
        )  # fmt: skip
        fuse_sources(
            FuseOptions(
                a, b, out=out, task=task, pack=pack, device=device, recon=recon,
                features=features, resample=resample, backbone=backbone, tiles=tiles,
                windows=(window_a, window_b), damaged="show" if show_damaged else "refuse",
                palette_a=palette_a, volumes=volumes, align=align,
            )
        )  # fmt: skip


@app.command()
def batch(
    *,
    sources: Annotated[list[Path], typer.Argument(help="folders or files to pair by name")],
    out: Annotated[Path, typer.Option("--out", "-o", help="folder for the results")],
    task: Annotated[str, typer.Option("--task", "-t", help=TASK_NAMES)],
    pack: Annotated[str, typer.Option(help="pack name, pack file or classical method")] = "",
    template: Annotated[
        str, typer.Option(help="name of a result: {name} {a_stem} {b_stem} {task} {method} {index}")
    ] = "{name}",
    format_: Annotated[
        str, typer.Option("--format", help="png, tif, jpg, …; png unless the template says it")
    ] = "",
    depth: Annotated[int | None, typer.Option(help="8, 16 or 32 bits; as the sources")] = None,
    flat: Annotated[bool, typer.Option("--flat", help="do not repeat the folder tree")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show pairs and names only")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="go on with an earlier run, failed pairs included")
    ] = False,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="the same; also pairs at which the program crashed"),
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="replace files")] = False,
    resample: Annotated[
        bool, typer.Option("--resample", help="resample B onto A when sizes differ")
    ] = False,
    register: Register = False,
    kind: Kind = "",
    transform: TransformFile = None,
    rig: RigName = "",
    onto: Onto = "a",
    crop: Crop = False,
    keep_failed: KeepFailed = False,
    recon: Annotated[bool, typer.Option("--recon", help="write reconstructions too")] = False,
    figures: Annotated[bool, typer.Option("--figures", help="write A | B | fused too")] = False,
    metrics: Annotated[bool, typer.Option("--metrics", help="write metrics.csv too")] = False,
    contact_sheet: Annotated[
        bool, typer.Option("--contact-sheet", help="write a page with thumbnails too")
    ] = False,
    json_progress: Annotated[
        bool, typer.Option("--json-progress", help="one JSON object per line and event")
    ] = False,
    workers: Annotated[int, typer.Option(help="pairs read, and as many written, at once")] = 2,
    slices: Annotated[
        bool, typer.Option("--slices", help="volumes: write a folder of slices, no volume")
    ] = False,
    series: Annotated[
        list[str] | None,
        typer.Option(help="volumes: key of a series to take as B instead; repeatable"),
    ] = None,
    plan: Annotated[
        Path | None, typer.Option("--plan", help="fuse the pairs of this plan, see --write-plan")
    ] = None,
    write_plan: Annotated[
        Path | None,
        typer.Option("--write-plan", help="write the pairs to this file, to be edited, and end"),
    ] = None,
    dicom: DicomFolders = "",
    notice: NoticeCorner = "auto",
    keep_identity: KeepIdentity = False,
    replace_uids: ReplaceUids = False,
    report: StudyReports = False,
    suv: Annotated[str, typer.Option(help="volumes: SUV by bw, lbm, bsa or ibw")] = "bw",
    palette_a: Annotated[str | None, typer.Option(help="volumes: colours of A")] = None,
    accept_gap: AcceptGap = False,
    accept_uneven: AcceptUneven = False,
    not_registered: NotRegistered = False,
    dataset: DatasetOption = "",
    split: SplitOption = "",
    window_a: WindowA = None,
    window_b: WindowB = None,
    device: Device = "auto",
    backbone: BackboneOption = None,
    scheduler: SchedulerAddress = "",
    cluster: JobsFile = None,
    certificates: CertificateFolder = None,
    rows_per_worker: RowsPerWorker = 0,
) -> None:
    """Fuse many pairs; exit code 3 when some failed. Can be interrupted and gone on with."""
    with reported():
        from app.cli.align_options import align_choice
        from app.cli.batch import BatchCommand, run_command
        from app.cli.cluster_choice import chosen_cluster
        from app.cli.dataset_option import chosen_dataset
        from core.batch import BatchOptions
        from core.io.dicom_output import DicomLayout, NoticePlace
        from core.types import BitDepth
        from core.units.body import SuvKind

        align = align_choice(
            register, kind, transform, rig, onto=onto, crop=crop, keep_failed=keep_failed
        )
        options = BatchOptions(
            task, pack, template=template, format=format_, depth=cast(BitDepth | None, depth),
            keep_tree=not flat, overwrite=overwrite, resample=resample, reconstructions=recon,
            figures=figures, metrics=metrics, contact_sheet=contact_sheet,
            window_a=window_a, window_b=window_b, out=out, resume=resume or retry_failed,
            retry_crashed=retry_failed, workers=workers, slices=slices,
            suv=cast(SuvKind, suv), palette_a=palette_a, accept_gap=accept_gap,
            accept_uneven=accept_uneven, not_registered=not_registered, align=align.text(),
            align_onto=align.onto, crop=align.crop, keep_failed=align.keep_failed,
            dicom=cast(DicomLayout, dicom), notice=cast(NoticePlace, notice),
            keep_identity=keep_identity, replace_uids=replace_uids, reports=report,
        )  # fmt: skip
        command = BatchCommand(
            tuple(sources), options, device=device, backbone=backbone, dry_run=dry_run,
            json_lines=json_progress, series=tuple(series or ()), plan=plan, write_plan=write_plan,
            dataset=chosen_dataset(dataset, split), split=split,
            cluster=chosen_cluster(scheduler, cluster, certificates, rows_per_worker),
        )  # fmt: skip
        code = run_command(command)
    raise typer.Exit(code)


@app.command()
def doctor() -> None:
    """Check this machine: versions, devices and why, packs, screen, system libraries, their fix."""
    with reported():
        from app.cli.doctor import examine

        code = examine()
    raise typer.Exit(code)


app.command()(train)
app.command()(ablate)
app.command()(datasets)
app.command()(evaluate)
app.command()(measure)
app.command()(register)
app.command()(report)
app.command("scheduler")(run_scheduler)
app.command("worker")(run_worker)


def main() -> None:
    """Entry point of the ``unifusion`` command."""
    fit_streams()
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(130)
