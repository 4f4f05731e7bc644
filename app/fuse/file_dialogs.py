"""File dialogs; none of them blocks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QWidget

from app.fuse.state import Outcome
from app.i18n.translate import tr
from app.preferences.scan_names import may_be_scan


def open_dialog(parent: QWidget, title: str, folder: str, suffixes: Sequence[str]) -> QFileDialog:
    """A dialog for existing files, filtered by ``suffixes`` or not at all.

    Formats are recognised by content, so files with another suffix or none can be opened too.
    """
    dialog = QFileDialog(parent, title, folder)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    filters = [tr("All files: told by their content") + " (*)"]
    if suffixes:
        patterns = " ".join(dict.fromkeys(f"*{suffix.lower()}" for suffix in suffixes))
        filters.insert(0, tr("Pictures") + f" ({patterns})")
    dialog.setNameFilters(filters)
    return dialog


def suggested_name(outcome: Outcome) -> str:
    """A file name for a result: sources, “fused”, method, and a suffix that preserves the depth.

    Scans are not named, as their files are often called after patients.
    """
    origins = [image.origin for image in (outcome.pair.a, outcome.pair.b) if image.origin]
    stems = [path.stem for path in origins if not may_be_scan(path)]
    method = Path(outcome.result.method).stem
    parts = [*dict.fromkeys(stems), "fused", method]
    suffix = ".tif" if outcome.result.bit_depth == 32 else ".png"
    return "_".join(part for part in parts if part) + suffix


def save_dialog(parent: QWidget, outcome: Outcome, folder: str) -> QFileDialog:
    """A dialog for the file of the fused image."""
    dialog = QFileDialog(parent, tr("Save fused picture"), folder or pictures_folder())
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    filters = ["PNG (*.png)", "TIFF (*.tif *.tiff)", "JPEG (*.jpg *.jpeg)"]
    every = tr("All files") + " (*)"
    dialog.setNameFilters([*filters, every])
    name = suggested_name(outcome)
    dialog.selectNameFilter(filters[1] if name.endswith(".tif") else filters[0])
    dialog.setDefaultSuffix(name.rsplit(".", 1)[1])
    # With the last filter any suffix is allowed; a name without one gets the default.
    usual = dialog.defaultSuffix()
    suffix_of = {filters[0]: "png", filters[1]: "tif", filters[2]: "jpg", every: usual}
    dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(suffix_of[chosen]))
    dialog.selectFile(name)
    return dialog


def pictures_folder() -> str:
    """The person's pictures folder, or else their home folder."""
    location = QStandardPaths.StandardLocation.PicturesLocation
    images = Path(QStandardPaths.writableLocation(location))
    return str(images if images.is_dir() else Path.home())
