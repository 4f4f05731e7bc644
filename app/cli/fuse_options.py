"""Options of ``unifusion fuse``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import TypeVar

from core.alignment.choice import AlignChoice
from core.errors import InputError
from core.fusion.slices import Consent
from core.geometry.planes import PLANES, PlaneName
from core.io import Damaged
from core.io.dicom_output import LAYOUTS, NOTICE_PLACES, DicomChoices
from core.io.volumes import Acceptance
from core.units.body import SuvKind
from core.units.suv import SUV_UNITS
from core.windows import Windows

Choice = TypeVar("Choice", bound=str)


@dataclass(frozen=True, kw_only=True)
class VolumeOptions:
    """Options that only series and volumes have.

    Attributes:
        plane: of the slices.
        slice: the only one to fuse, from 1; None for all.
        series_a, series_b: beginnings of the keys of the series; "" for the only one that fits.
        frame_a, frame_b: which volumes of series of several, from 1.
        suv: kind of SUV that PET is shown in.
        accept: problems of series that are accepted.
        consent: what is accepted of the pair.
        not_registered: fuse what has different frames of reference.
        dicom: how DICOM is written.
        png: write a folder of pictures instead of DICOM.
        parametric: file for the values of A on the grid of B; None for none.
        send: archive that what was written is sent to; "" for none.
    """

    plane: PlaneName = "axial"
    slice: int | None = None
    series_a: str = ""
    series_b: str = ""
    frame_a: int = 1
    frame_b: int = 1
    suv: SuvKind = "bw"
    accept: frozenset[Acceptance] = frozenset()
    consent: frozenset[Consent] = frozenset()
    not_registered: bool = False
    dicom: DicomChoices = field(default_factory=DicomChoices)
    png: bool = False
    parametric: Path | None = None
    send: str = ""


def volume_options(
    plane: str,
    slice_: int | None,
    keys: tuple[str, str],
    frames: tuple[int, int],
    *,
    suv: str,
    gap: bool,
    uneven: bool,
    patients: bool,
    not_registered: bool,
    dicom: DicomChoices,
    png: bool,
    parametric: Path | None,
    send: str = "",
) -> VolumeOptions:
    """The options as they were typed.

    Raises:
        InputError: there is no such plane or kind of SUV.
    """
    accepted: dict[Acceptance, bool] = {"gap": gap, "uneven": uneven}
    return VolumeOptions(
        plane=checked("--plane", plane, PLANES),
        slice=slice_,
        series_a=keys[0],
        series_b=keys[1],
        frame_a=frames[0],
        frame_b=frames[1],
        suv=checked("--suv", suv, tuple(SUV_UNITS)),
        accept=frozenset(name for name, wished in accepted.items() if wished),
        consent=frozenset(["patients"] if patients else []),
        not_registered=not_registered,
        dicom=dicom,
        png=png,
        parametric=parametric,
        send=send,
    )


def dicom_choices(
    layout: str, notice: str, *, keep_identity: bool, replace_uids: bool
) -> DicomChoices:
    """The choices about DICOM as they were typed.

    Raises:
        InputError: there is no such layout or corner.
    """
    return DicomChoices(
        layout=checked("--dicom", layout, LAYOUTS),
        notice=checked("--notice", notice, NOTICE_PLACES),
        keep_identity=keep_identity,
        replace_uids=replace_uids,
    )


def checked(option: str, value: str, choices: Sequence[Choice]) -> Choice:
    """The one of ``choices`` that ``value`` is.

    Raises:
        InputError: it is none of them.
    """
    for choice in choices:
        if choice == value:
            return choice
    raise InputError(
        f"{option} {value}", "there is nothing of that name", f"Choose one of {', '.join(choices)}."
    )


@dataclass(frozen=True)
class FuseOptions:
    """Options of the command.

    Attributes:
        volumes: those that only series and volumes have.
        align: how the sources are laid on each other.
    """

    a: Path
    b: Path
    _: KW_ONLY
    out: Path
    task: str
    pack: str = ""
    device: str = "auto"
    recon: Path | None = None
    features: Path | None = None
    resample: bool = False
    backbone: Path | None = None
    tiles: bool = False
    windows: Windows = (None, None)
    damaged: Damaged = "refuse"
    palette_a: str | None = None
    volumes: VolumeOptions = field(default_factory=VolumeOptions)
    align: AlignChoice = field(default_factory=AlignChoice)

    def targets(self) -> dict[str, Path]:
        """Paths of all images to write, by their content."""
        named = {"fused": self.out}
        for kind, folder in (("reconstruction", self.recon), ("features", self.features)):
            if folder is not None:
                for side in "ab":
                    suffix = self.out.suffix if kind == "reconstruction" else ".png"
                    named[f"{kind}_{side}"] = folder / f"{self.out.stem}_{kind}_{side}{suffix}"
        return named
