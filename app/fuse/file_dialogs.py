"""File dialogs and the key sheet. None of them blocks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QWidget

from app.fuse.state import Outcome
from app.i18n.translate import tr


def open_dialog(parent: QWidget, title: str, folder: str, suffixes: Sequence[str]) -> QFileDialog:
    """A dialog for existing images: those that ``suffixes`` tell, or any file at all.

    Files are told by their content, so that one with another suffix or none can be opened too.
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
    """A file name for a result: its sources, “fused”, its method, a suffix that keeps its depth."""
    stems = [image.origin.stem for image in (outcome.pair.a, outcome.pair.b) if image.origin]
    method = Path(outcome.result.method).stem
    parts = [*dict.fromkeys(stems), "fused", method]
    suffix = ".tif" if outcome.result.bit_depth == 32 else ".png"
    return "_".join(part for part in parts if part) + suffix


def save_dialog(parent: QWidget, outcome: Outcome, folder: str) -> QFileDialog:
    """A dialog for the fused image's file."""
    dialog = QFileDialog(parent, tr("Save fused picture"), folder or pictures_folder())
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    filters = ["PNG (*.png)", "TIFF (*.tif *.tiff)", "JPEG (*.jpg *.jpeg)"]
    every = tr("All files") + " (*)"
    dialog.setNameFilters([*filters, every])
    name = suggested_name(outcome)
    dialog.selectNameFilter(filters[1] if name.endswith(".tif") else filters[0])
    dialog.setDefaultSuffix(name.rsplit(".", 1)[1])
    # By the last filter a name may end in what it likes; one without an end gets the usual one.
    usual = dialog.defaultSuffix()
    suffix_of = {filters[0]: "png", filters[1]: "tif", filters[2]: "jpg", every: usual}
    dialog.filterSelected.connect(lambda chosen: dialog.setDefaultSuffix(suffix_of[chosen]))
    dialog.selectFile(name)
    return dialog


def pictures_folder() -> str:
    """Where people keep images, or their home folder."""
    location = QStandardPaths.StandardLocation.PicturesLocation
    images = Path(QStandardPaths.writableLocation(location))
    return str(images if images.is_dir() else Path.home())
