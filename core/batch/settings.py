"""Settings that determine the results of a batch, as plain values. Imports no engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal

from core.alignment.choice import AlignChoice
from core.types import BitDepth, SourceSide
from core.units.body import SuvKind
from core.windows import Window, Windows

if TYPE_CHECKING:
    from core.io.dicom_output.choices import DicomLayout, NoticePlace
    from core.io.volumes import Acceptance

DEFAULT_TEMPLATE = "{name}"
AS_SOURCES = "as the sources"

FLAGS: Mapping[str, str] = {
    "keep_tree": "folder tree",
    "resample": "resample",
    "reconstructions": "reconstructions",
    "figures": "figures",
    "metrics": "metrics",
}
"""Boolean settings that affect results, with their names in the record of a run."""

WINDOWS: Mapping[str, str] = {"window_a": "window of A", "window_b": "window of B"}
"""Windows chosen by hand, with their names in the record of a run, which omits unset ones."""
VOLUMES: Mapping[str, str] = {
    "slices": "slices",
    "dicom": "DICOM",
    "notice": "corner of the notice",
    "keep_identity": "patient's identity",
    "replace_uids": "UIDs of the sources hidden",
    "reports": "reports",
    "suv": "SUV",
    "palette_a": "palette of A",
    "accept_gap": "missing slices",
    "accept_uneven": "uneven slices",
    "not_registered": "not registered",
}
"""Settings of volumes, with their names in the record of a run, which omits those not chosen."""
ALIGN: Mapping[str, str] = {
    "align": "registration",
    "align_onto": "registered onto",
    "crop": "crop",
    "keep_failed": "as they are where registration fails",
}
"""Settings of how pairs are brought onto each other, with their names in the record of a run, which
omits those not chosen."""
PER_ROW: frozenset[str] = frozenset(
    (
        FLAGS["resample"],
        ALIGN["keep_failed"],
        *(VOLUMES[name] for name in ("accept_gap", "accept_uneven", "not_registered")),
    )
)
"""Names in the record of settings that decide whether a row can be fused, not how it looks: they
may differ for single rows, and change when a run is resumed."""


@dataclass(frozen=True)
class BatchSettings:
    """Settings that users choose, in the window or on the command line.

    Attributes:
        task, method: as in :class:`core.types.FusionRequest`.
        template: name of a result, fields of :data:`core.batch.naming.FIELDS`; may end in a suffix.
        format: suffix without dot; "" for that of the template, else PNG.
        depth: 8, 16 or 32 bits; None for the deeper of the two sources.
        keep_tree: repeat the folders of the sources below the output folder.
        overwrite: replace existing files.
        resample: resample B to the size of A where they differ, instead of failing the row.
        align: how pairs are brought onto each other, as :meth:`AlignChoice.text` writes it.
        align_onto, crop, keep_failed: the other fields of :class:`AlignChoice`.
        reconstructions, figures, metrics, contact_sheet: what is written besides fused images.
        window_a, window_b: values shown as black and white in every A and B; None to derive them
            from each file (:mod:`core.io.values`).
        slices: of two volumes, write a folder of axial slices instead of a volume.
        dicom: of two volumes, write a folder with DICOM in this layout instead; "" for none.
        notice, keep_identity, replace_uids: of that DICOM, as in
            :class:`core.io.dicom_output.DicomChoices`; the identity is in the reports, too.
        reports: of two volumes, also write a report as PDF.
        suv: kind of SUV that PET volumes are shown in. palette_a: of volumes A, by name; None for
            that of the modality.
        accept_gap, accept_uneven: fuse volumes with missing, or unevenly spaced, slices.
        not_registered: fuse volumes that name different frames of reference.
    """

    task: str
    method: str = ""
    _: KW_ONLY
    template: str = DEFAULT_TEMPLATE
    format: str = ""
    depth: BitDepth | None = None
    keep_tree: bool = True
    overwrite: bool = False
    resample: bool = False
    align: str = "none"
    align_onto: SourceSide = "a"
    crop: bool = False
    keep_failed: bool = False
    reconstructions: bool = False
    figures: bool = False
    metrics: bool = False
    contact_sheet: bool = False
    window_a: Window | None = None
    window_b: Window | None = None
    slices: bool = False
    dicom: DicomLayout | Literal[""] = ""
    notice: NoticePlace = "auto"
    keep_identity: bool = False
    replace_uids: bool = False
    reports: bool = False
    suv: SuvKind = "bw"
    palette_a: str | None = None
    accept_gap: bool = False
    accept_uneven: bool = False
    not_registered: bool = False

    @property
    def volume_folders(self) -> bool:
        """Whether results of volumes are folders: of slices, or of DICOM."""
        return self.slices or bool(self.dicom)

    @property
    def tells_losses(self) -> bool:
        """Whether it is measured what fused images lose, since a report is written."""
        return self.metrics or self.contact_sheet or self.reports

    @property
    def windows(self) -> Windows:
        """The windows of A and of B."""
        return self.window_a, self.window_b

    @property
    def accepted(self) -> frozenset[Acceptance]:
        """Problems of series that are accepted."""
        flags: dict[Acceptance, bool] = {"gap": self.accept_gap, "uneven": self.accept_uneven}
        return frozenset(name for name, wished in flags.items() if wished)

    @property
    def align_choice(self) -> AlignChoice:
        """How pairs are brought onto each other.

        Raises:
            InputError: it is none.
        """
        return self.align_choice_by(None)

    def align_choice_by(self, own: str | None) -> AlignChoice:
        """:attr:`align_choice` of a row whose own way, kind and name are ``own``, where it has any.

        Raises:
            InputError: it is none.
        """
        return AlignChoice.of_text(
            own or self.align, onto=self.align_onto, crop=self.crop, keep_failed=self.keep_failed
        )
