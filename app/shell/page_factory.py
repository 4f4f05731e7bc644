"""Which page each workspace shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from app.shell.workspaces import PageMaker
from app.widgets.page import Page, Placeholder

if TYPE_CHECKING:
    from app.shell.main_window import MainWindow


def makers(window: MainWindow) -> Mapping[str, PageMaker]:
    """Makers of the pages beside Fuse. They import their rooms only when called."""

    def batch() -> Page:
        from app.batch.controller import BatchController
        from app.batch.page import BatchPage, Wanted
        from app.shell.workspaces import WORKSPACES

        folder = window.habits.settings.folder
        controller = BatchController(window.engine_factory, window.session.task.name, folder)
        page = BatchPage(controller, window.session)
        tabs, tab = window.workspaces.tabs, WORKSPACES.index("batch")

        def show_title(title: str) -> None:
            if tabs.tabText(tab) != title:
                tabs.setTabText(tab, title)
                # The bar gives its corner room once and does not notice that more is needed.
                window.menuBar().setCornerWidget(tabs)
                tabs.show()

        def show_pair(wanted: Wanted) -> None:
            if wanted.output is None:
                window.controller.set_task(wanted.task)
                window.controller.open_pair(wanted.a, wanted.b)
            else:
                window.controller.open_fused_pair(
                    wanted.a, wanted.b, wanted.output, wanted.task, wanted.method,
                    resample=wanted.resample,
                )  # fmt: skip
            window.workspaces.show_page("fuse")
            if wanted.large and window.view.maximised != "fused":
                window.view.maximise("fused")

        page.title_changed.connect(show_title)
        page.pair_wanted.connect(show_pair)
        controller.begin()
        return page

    def train() -> Page:
        from app.train.page import TrainPage

        page = TrainPage(window.session.task.name)
        page.pack_written.connect(window.controller.refresh_methods)
        return page

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
