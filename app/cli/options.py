"""Options that several commands share, or that need many words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.tasks import TASKS

TASK_NAMES = ", ".join(TASKS)
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N")]
WindowA = Annotated[
    tuple[float, float] | None,
    typer.Option("--window-a", metavar="LOW HIGH", help="values of A that are black and white"),
]
WindowB = Annotated[
    tuple[float, float] | None,
    typer.Option("--window-b", metavar="LOW HIGH", help="values of B that are black and white"),
]
BackboneOption = Annotated[Path | None, typer.Option(help="DINOv3 weights; else the fetched ones")]
DatasetOption = Annotated[
    str,
    typer.Option("--dataset", help="data set whose layout the folder has, see datasets; or a TOML"),
]
SplitOption = Annotated[
    str, typer.Option("--split", help="split of the data set; test, in train train; all")
]
PaletteA = Annotated[
    str | None,
    typer.Option("--palette-a", help="colours of A: hot_iron, pet, inverted, grey, …"),
]
PlaneOption = Annotated[str, typer.Option(help="axial, coronal or sagittal slices of volumes")]
SliceNumber = Annotated[int | None, typer.Option("--slice", help="one slice of volumes, from 1")]
SeriesA = Annotated[
    str, typer.Option("--series-a", metavar="KEY", help="series of A, as inspect names it")
]
SeriesB = Annotated[
    str, typer.Option("--series-b", metavar="KEY", help="series of B, as inspect names it")
]
FrameA = Annotated[int, typer.Option("--frame-a", help="which volume of A, from 1")]
FrameB = Annotated[int, typer.Option("--frame-b", help="which volume of B, from 1")]
SuvName = Annotated[str, typer.Option("--suv", help="bw, lbm, bsa or ibw, for PET")]
Register = Annotated[
    bool, typer.Option("--register", help="lay the sources on each other by what they show")
]
Kind = Annotated[
    str,
    typer.Option(
        "--kind", help="of --register: translation, rigid, similarity, affine or homography"
    ),
]
TransformFile = Annotated[
    Path | None,
    typer.Option("--transform", help="lay them on each other by the file that register A B wrote"),
]
RigName = Annotated[str, typer.Option("--rig", help="lay them on each other by a kept transform")]
Onto = Annotated[
    str, typer.Option(help="of pictures laid on each other, the one whose pixels are kept: a or b")
]
Crop = Annotated[
    bool, typer.Option("--crop", help="crop pictures laid on each other to what both show")
]
KeepFailed = Annotated[
    bool, typer.Option("--keep-failed", help="fuse as it is what cannot be registered")
]
LayoutName = Annotated[
    str, typer.Option("--dicom", help="DICOM of volumes: multi (one file) or single (one a slice)")
]
NoticeCorner = Annotated[
    str,
    typer.Option(
        "--notice",
        metavar="PLACE",
        help="of DICOM: auto (emptiest corner), below, top-left, top-right, bottom-left, …",
    ),
]
DicomFolders = Annotated[
    str,
    typer.Option("--dicom", help="volumes: write DICOM, multi (one file) or single (one a slice)"),
]
StudyReports = Annotated[
    bool, typer.Option("--report", help="volumes: also write a report on each study as PDF")
]
KeepIdentity = Annotated[
    bool,
    typer.Option("--keep-identity", help="write the patient's name and ID into DICOM and reports"),
]
ReplaceUids = Annotated[
    bool,
    typer.Option("--replace-uids", help="hide the sources' UIDs in DICOM; it stands alone then"),
]
PngSlices = Annotated[bool, typer.Option("--png", help="fill a folder with PNG slices, not DICOM")]
ParametricFile = Annotated[
    Path | None,
    typer.Option("--parametric", help="also write A on the grid of B, in its unit, as DICOM map"),
]
SendTo = Annotated[
    str, typer.Option("--send", metavar="ARCHIVE", help="of volumes: send the DICOM there as well")
]
AcceptGap = Annotated[
    bool, typer.Option("--accept-gap", help="of volumes: leave missing slices of a series empty")
]
AcceptUneven = Annotated[
    bool,
    typer.Option("--accept-uneven", help="of volumes: interpolate slices at uneven distances"),
]
NotRegistered = Annotated[
    bool,
    typer.Option("--not-registered", help="of volumes: fuse across different frames of reference"),
]
SchedulerAddress = Annotated[
    str,
    typer.Option("--scheduler", metavar="ADDRESS", help="work on its workers: tls://HOST:8786"),
]
JobsFile = Annotated[
    Path | None,
    typer.Option("--cluster", metavar="TOML", help="work on jobs of Slurm, PBS or LSF, as it says"),
]
CertificateFolder = Annotated[
    Path | None,
    typer.Option("--certificates", metavar="DIR", help="of “unifusion cluster certificates”"),
]
RowsPerWorker = Annotated[
    int,
    typer.Option(help="rows that a worker is given at once; 0 for as many as take two seconds"),
]
