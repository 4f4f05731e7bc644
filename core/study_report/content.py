"""What a report on a study says, as tables and sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field

from core.fusion.slices import VolumePair, registration_notes
from core.fusion.volume_fusion import SliceSettings
from core.geometry.alignment import Alignment
from core.geometry.grids import grid_of
from core.geometry.planes import PlaneName, axes_of
from core.library_versions import library_versions
from core.pairing.study_pairs import label
from core.pdf_document import ReportCell, ReportTable
from core.retention import ALARM, KEPT, RetentionTotals
from core.tasks import get_task
from core.types import FloatArray, SeriesHeader, Volume, notice_for
from core.units.palettes import DEFAULT_PALETTES
from core.windows import Window

_PERSON = "Patient"
_TOGETHER = {
    Alignment.AS_ACQUIRED: "in one frame of reference, as acquired",
    Alignment.REGISTERED: "A was moved onto B by a transform",
    Alignment.NOT_REGISTERED: "not registered: no common frame of reference is known",
    Alignment.APART: "they share no place",
}
_LOSSES = (
    "Spots are places of 4 to 15 mm that stand out in a source as it is shown; lost are those of "
    f"which the fused picture shows less than {KEPT:.0%}. Not all are found: that nothing is lost "
    f"here is no proof. Much: more than {ALARM:.0%} of the contrast of a source."
)
_ORIGINS = {
    "registered": "estimated from the two volumes",
    "file": "read from a file",
    "rig": "kept as a rig",
    "hand": "set by hand",
}


@dataclass(frozen=True, eq=False)
class ReportSlice:
    """One slice as it is shown: both sources and the fused one, H×W×1 or 3 in [0, 1].

    Attributes:
        index: of the slice in its plane, from 0. plane: that it lies in.
        a, b, fused: the pictures.
        spacing: millimetres from row to row and from column to column.
        shows: "fused", or "a" or "b" where one source is shown alone.
        lost: in it; nothing where one source is shown alone.
    """

    index: int
    _: KW_ONLY
    plane: PlaneName
    a: FloatArray
    b: FloatArray
    fused: FloatArray
    spacing: tuple[float, float]
    shows: str = "fused"
    lost: RetentionTotals = field(default_factory=RetentionTotals)


@dataclass(frozen=True, eq=False, kw_only=True)
class StudyReport:
    """All that a report says.

    Attributes:
        series: A and B. frames: which volumes of them, from 0.
        pair: the volumes, A on the grid of B.
        settings: how the slices were made and fused.
        provenance: of the fused slices.
        slices: that are shown.
        count: of slices that were fused; None where only those that are shown were.
        lost: in all slices that were fused; None where only those that are shown were.
        figures: tables of figures: of regions, metrics and others.
        warnings: what a reader must see first.
        notes: of the sources and the result, for a person.
        identity: lines about the patient, by name; none unless a person wished so.
    """

    series: tuple[SeriesHeader, SeriesHeader]
    frames: tuple[int, int] = (0, 0)
    pair: VolumePair
    settings: SliceSettings
    provenance: Mapping[str, str]
    slices: tuple[ReportSlice, ...]
    count: int | None = None
    lost: RetentionTotals | None = None
    figures: tuple[ReportTable, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    identity: Mapping[str, str] = field(default_factory=dict)

    @property
    def volumes(self) -> tuple[Volume, Volume]:
        """A on the grid of B, and B."""
        return self.pair.a, self.pair.b

    @property
    def loss(self) -> RetentionTotals:
        """In all slices that were fused."""
        if self.lost is not None:
            return self.lost
        return sum((one.lost for one in self.slices), RetentionTotals())

    @property
    def title(self) -> str:
        """Of the document; nobody is named."""
        a, b = (series.modality for series in self.series)
        return f"Fused study: {a} and {b}"

    @property
    def notice(self) -> str:
        """What stands on every page."""
        by_network = "weights_sha256" in self.provenance
        return self.provenance.get("notice") or notice_for(by_network=by_network)


def windows_of(report: StudyReport) -> tuple[Window, Window]:
    """What is black and what is white of A and of B, in their units."""
    a, b = report.settings.windows
    return a or report.pair.a.window, b or report.pair.b.window


def palettes_of(report: StudyReport) -> tuple[str, str]:
    """The palettes of A and of B."""
    a, b = (
        DEFAULT_PALETTES.get(volume.modality, "grey") if name is None else name
        for name, volume in zip(report.settings.palettes, report.volumes, strict=True)
    )
    return a, b


def range_text(window: Window) -> str:
    """Black and white for a person."""
    return f"{window[0]:.4g} to {window[1]:.4g}"


def tables(report: StudyReport) -> Iterator[ReportTable]:
    """All tables but the figures."""
    if report.loss.images:
        yield _losses(report)
    if report.identity:
        yield _pairs(_PERSON, report.identity)
    yield _sources(report)
    yield _pairs("Geometry", dict(_geometry(report)))
    yield _pairs("Settings", dict(_settings(report)))
    yield _pairs("Versions", library_versions())


def _pairs(title: str, entries: Mapping[str, str]) -> ReportTable:
    rows = tuple((ReportCell(name), ReportCell(text)) for name, text in entries.items())
    return ReportTable(title, (ReportCell("Name"), ReportCell("Value")), rows, words=2)


def _sources(report: StudyReport) -> ReportTable:
    heads = ("", "Series", "Volume", "Voxels", "Voxel, mm", "Unit", "Black to white", "Colours")
    shown = zip(
        "AB", report.series, report.frames, report.volumes, windows_of(report), palettes_of(report),
        strict=True,
    )  # fmt: skip
    rows = []
    for side, series, frame, volume, window, palette in shown:
        spacing = series.spacing
        cells = (
            side,
            label(series),
            f"{frame + 1} of {series.frames}",
            "×".join(map(str, reversed(series.shape))),
            "" if spacing is None else " × ".join(f"{size:.4g}" for size in reversed(spacing)),
            volume.unit or "none",
            range_text(window),
            palette,
        )
        rows.append(tuple(map(ReportCell, cells)))
    return ReportTable("Sources", tuple(map(ReportCell, heads)), tuple(rows), words=len(heads))


def _losses(report: StudyReport) -> ReportTable:
    heads = ("Slices", "Source", "Spots", "Lost", "Share of their contrast")
    slices = [(f"{one.index + 1}, {one.plane}", one.lost) for one in report.slices]
    which = (
        "all that are shown"
        if report.lost is None
        else f"all {report.loss.images} with both sources"
    )
    rows = tuple(
        (
            ReportCell(name),
            ReportCell(f"{side.upper()} ({report.series['ab'.index(side)].modality})"),
            ReportCell(str(of_side.spots), float(of_side.spots)),
            ReportCell(str(of_side.lost), float(of_side.lost)),
            ReportCell(f"{of_side.share:.0%}" if of_side.spots else "–", of_side.share),
        )
        for name, lost in (*slices, (which, report.loss))
        if lost.images
        for side, of_side in (("a", lost.a), ("b", lost.b))
    )
    return ReportTable(
        "Lost in the fused pictures",
        tuple(map(ReportCell, heads)),
        rows,
        introduction=(_LOSSES,),
        words=2,
    )


def _geometry(report: StudyReport) -> Iterator[tuple[str, str]]:
    pair, plane = report.pair, report.settings.plane
    axes = axes_of(grid_of(pair.b), plane)
    _, right, _, down = axes.letters
    yield "A and B", _TOGETHER[pair.alignment]
    if pair.transform is not None:
        yield "Transform", _ORIGINS[pair.transform.origin]
        if pair.transform.verdict is not None:
            yield "Verdict", pair.transform.verdict
        for number, text in enumerate(registration_notes(pair), start=1):
            yield f"Moved ({number})", text
    columns, rows, count = reversed(axes.shape)
    yield "Grid", f"that of B: {columns}×{rows}, {count} {plane} slices"
    yield "Pixel and distance", " × ".join(f"{size:.4g}" for size in reversed(axes.spacing)) + " mm"
    yield "Directions", f"the right of a picture is {right}, its foot is {down}"
    fused = count if report.count is None else report.count
    yield "Fused", f"{fused} slices" if report.count is not None else "the slices shown here"


def _settings(report: StudyReport) -> Iterator[tuple[str, str]]:
    settings, made = report.settings, report.provenance
    yield "Task", get_task(settings.task).title
    yield "Method", made.get("method") or settings.method or "none: one source alone"
    if "weights_sha256" in made:
        yield "Weights (SHA-256)", made["weights_sha256"]
    yield "Tiles", "yes" if settings.tiles else "no"
