"""Exports what is on screen: images, feature maps, the figure. Runs on a worker thread."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path

import numpy as np
from PySide6.QtGui import QImage

from app.fuse.figure import FigurePanel, as_array, figure, in_shape, with_notice, with_notice_below
from app.fuse.result_images import features_of
from app.fuse.results import Outcome
from app.i18n.translate import tr, translate
from app.viewer.display_state import DisplayState, FeatureView
from app.viewer.pyramid import source_image
from app.viewer.rendering import full_image
from core.errors import Message
from core.progress import Progress
from core.tasks import get_task
from core.types import FEATURES, RECONSTRUCTIONS, BitDepth, FloatArray, notice_for

ITEMS: tuple[str, ...] = (
    "fused",
    *RECONSTRUCTIONS,
    *FEATURES,
    "figure",
)
FORMATS: tuple[str, ...] = ("png", "tif", "jpg")


@dataclass(frozen=True)
class ExportPlan:
    """What to export, and where to.

    Attributes:
        items: names of :data:`ITEMS`.
        folder, stem: files are called “stem_item.suffix”; the fused one just “stem.suffix”.
        suffix: one of :data:`FORMATS`; “tif” is written with 16 bits (32 from float sources).
        burn: add a strip with the notice below each image. The figure always contains it, and every
            file has it in its metadata.
        tags: copy camera, time and place (EXIF, GPS) from a source; ignored for medical tasks.
    """

    items: tuple[str, ...]
    folder: Path
    stem: str
    suffix: str = "png"
    _: KW_ONLY
    burn: bool = False
    tags: bool = False

    def target(self, item: str) -> Path:
        """The file of an item."""
        name = self.stem if item == "fused" else f"{self.stem}_{item}"
        return self.folder / f"{name}.{self.suffix}"


def burns_by_default(task: str, suffix: str) -> bool:
    """Whether to add the notice to images by default.

    True for medical tasks, in the formats that are meant for viewing. TIFF with 16 bits is for
    measuring: a strip would change the image's size and its statistics.
    """
    return get_task(task).medical and suffix != "tif"


def available(outcome: Outcome) -> tuple[str, ...]:
    """The items a result has."""
    present = {*outcome.result.images, "figure"}
    if outcome.basis is not None:
        present.update(FEATURES)
    return tuple(item for item in ITEMS if item in present)


def export_files(
    outcome: Outcome, display: DisplayState, plan: ExportPlan, progress: Progress
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Write every item of the plan; return the files and notes for the person.

    Raises:
        OutputError: a file cannot be written; those written before stay.
    """
    from core.io import check_target, write_image

    sources = tuple(o for o in (outcome.pair.a.origin, outcome.pair.b.origin) if o is not None)
    targets = {item: plan.target(item) for item in plan.items}
    for path in targets.values():
        check_target(path, protect=sources)
    tags, tag_notes = _tags(outcome, plan)
    notes: dict[str, None] = dict.fromkeys(tag_notes)
    for number, (item, path) in enumerate(targets.items()):
        progress.check()
        progress.report(number, len(targets), tr("Exporting"))
        pixels, depth = _pixels(item, outcome, display)
        if plan.burn and item != "figure":
            pixels = with_notice_below(pixels, notice_of(outcome))
        if plan.suffix == "tif":
            depth = 32 if depth == 32 else 16
        file_notes = write_image(
            path,
            pixels,
            bit_depth=depth,
            provenance=_provenance(outcome, item),
            protect=sources,
            tags=tags,
        )
        notes.update(dict.fromkeys(file_notes or ()))
    return tuple(targets.values()), tuple(notes)


def carries_tags(task: str) -> bool:
    """Whether camera, time and place of a source may be copied to results of a task."""
    return not get_task(task).medical


def _tags(outcome: Outcome, plan: ExportPlan) -> tuple[bytes, tuple[str, ...]]:
    """The EXIF block to copy (b"" for none), and notes about one that is left out.

    It is taken from the source that the colours come from, or else from the other one.
    """
    from core.io import read_tags

    a, b = outcome.pair.a.origin, outcome.pair.b.origin
    task = get_task(outcome.result.task)
    order = (b, a) if task.colour.chroma == "b" else (a, b)
    found = [tags for tags in (read_tags(path) for path in order if path is not None) if tags]
    if not found:
        return b"", ()
    if plan.tags and carries_tags(task.name):
        return found[0].block, ()
    place = any(tags.has_place for tags in found)
    words = Message("Camera, time and place (EXIF, GPS) of the sources were left out.")
    return b"", (
        words if place else Message("Camera and time (EXIF) of the sources were left out."),
    )


def _provenance(outcome: Outcome, item: str) -> dict[str, str]:
    """The metadata of a file, always with the notice in English."""
    notice = notice_for(by_network=outcome.is_model)
    return {**outcome.result.provenance, "notice": notice, "content": item}


def _pixels(item: str, outcome: Outcome, display: DisplayState) -> tuple[FloatArray, BitDepth]:
    result = outcome.result
    if item == "figure":
        return as_array(figure_of(outcome, display)), 8
    if item.startswith("features_"):
        from core.fusion.feature_maps import feature_pixels

        features = features_of(result, "a" if item.endswith("a") else "b")
        assert features is not None
        assert outcome.basis is not None
        view: FeatureView = display.features
        drawn = feature_pixels(features, outcome.basis, view.mode, view.channel)
        return _in_image_size(drawn, result.fused), 8
    pixels: FloatArray = getattr(result, item)
    return pixels, result.bit_depth


def _in_image_size(pixels: FloatArray, fused: FloatArray) -> FloatArray:
    """Enlarge a map to the size of the image, repeating pixels."""
    height, width = fused.shape[:2]
    stride = max(1, round(max(height / pixels.shape[0], width / pixels.shape[1])))
    if stride == 1:
        return pixels
    grown = pixels.repeat(stride, axis=0).repeat(stride, axis=1)
    return np.ascontiguousarray(grown[:height, :width])


def notice_of(outcome: Outcome) -> str:
    """The notice that every result carries."""
    if outcome.is_model:
        return tr("Research use only – AI-generated image")
    return tr("Research use only")


def figure_of(outcome: Outcome, display: DisplayState) -> QImage:
    """Sources, fused image and reconstructions side by side, as displayed."""
    task = get_task(outcome.result.task)
    title_a, title_b = outcome.titles or (translate(task.label_a), translate(task.label_b))
    a, b = source_image(outcome.pair.a), source_image(outcome.pair.b)
    panels = []
    for title, shown, look in (
        (f"A: {title_a}", a, display.a),
        (f"B: {title_b}", b, display.b),
        (tr("Fused"), outcome.images["fused"], display.fused),
    ):
        panels.append(FigurePanel(title, shown, look.window or shown.window, look.palette))
    for title, name in ((tr("Reconstruction A"), "recon_a"), (tr("Reconstruction B"), "recon_b")):
        rebuilt = outcome.images.get(name)
        if rebuilt is not None:
            panels.append(FigurePanel(title, rebuilt, rebuilt.window, display.pane(name).palette))
    return figure(panels, legend_of(outcome), notice_of(outcome), outcome.aspect)


def legend_of(outcome: Outcome) -> list[str]:
    """How the image was made, in a line or two, without folder names: they may name a patient."""
    result, task = outcome.result, get_task(outcome.result.task)
    digest = result.provenance.get("weights_sha256", "")[:12]
    method = f"{outcome.method_title} ({digest})" if digest else outcome.method_title
    size = f"{outcome.pair.a.width}×{outcome.pair.a.height}"
    software = result.provenance.get("software", "UniFusion Studio")
    first = tr("{0} by {1}, {2} pixels, {3}").format(translate(task.title), method, size, software)
    names = outcome.pair.a.name, outcome.pair.b.name
    return [first, "A: {}   B: {}".format(*names)] if any(names) else [first]


def clipboard_image(outcome: Outcome, display: DisplayState, progress: Progress) -> QImage:
    """The fused image as displayed, in full size, with the notice below it."""
    progress.check()
    shown = outcome.images["fused"]
    look = display.fused
    image = in_shape(full_image(shown, look.window, look.palette), outcome.aspect)
    return with_notice(image, notice_of(outcome))
