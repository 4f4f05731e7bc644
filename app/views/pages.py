"""Which page each workspace shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from app.views.workspaces import Page, PageMaker, Placeholder

if TYPE_CHECKING:
    from app.main_window import MainWindow


def makers(window: MainWindow) -> Mapping[str, PageMaker]:
    """Makers of the pages beside Fuse. They import their rooms only when called."""

    def batch() -> Page:
        return Placeholder(
            tr("Batch"),
            tr(
                "Fusing whole folders, with a report that can be resumed, is not in this "
                "version of the window yet. The command line does it:"
            ),
            "unifusion batch FOLDER --task mif --out RESULTS",
        )

    def train() -> Page:
        return Placeholder(
            tr("Train"),
            tr(
                "Training a model pack with live curves is not in this version of the window "
                "yet. The command line trains, pauses and resumes:"
            ),
            "unifusion train --help",
        )

    def evaluate() -> Page:
        return Placeholder(
            tr("Evaluate"),
            tr(
                "Comparing methods over whole folders is not in this version of the window "
                "yet. The figures of the pair on show are under Metrics in the Fuse "
                "workspace; for folders there is the command line:"
            ),
            "unifusion evaluate --help",
        )

    return {"batch": batch, "train": train, "evaluate": evaluate}


def tr(text: str) -> str:
    """Translate a text of a page."""
    return QCoreApplication.translate("pages", text)
