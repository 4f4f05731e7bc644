"""Creates the pages of the workspaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from app.engine import EngineFactory
from app.fuse.controller import Controller
from app.fuse.page import FusePage
from app.fuse.state import FuseState
from app.i18n.translate import tr
from app.shell.workspaces import PageMaker
from app.widgets.page import Page, Placeholder


def page_makers(
    *,
    session: FuseState,
    controller: Controller,
    view: FusePage,
    engine_factory: EngineFactory,
    settings_folder: Path | None,
    show_fuse_page: Callable[[], None],
) -> Mapping[str, PageMaker]:
    """Factories of the pages other than Fuse. They import their packages only when called.

    Args:
        view: shows a pair of a batch, or only its result.
        settings_folder: the last batch is stored there; None stores nothing.
        show_fuse_page: switches to the Fuse workspace.
    """

    def batch() -> Page:
        from app.batch.controller import BatchController
        from app.batch.page import BatchPage, PairRequest

        batch_controller = BatchController(engine_factory, session.task.name, settings_folder)
        page = BatchPage(batch_controller, session)

        def show_pair(wanted: PairRequest) -> None:
            if wanted.output is None:
                controller.set_task(wanted.task)
                controller.open_pair(wanted.a, wanted.b)
            else:
                controller.open_fused_pair(
                    wanted.a, wanted.b, wanted.output, wanted.task, wanted.method,
                    resample=wanted.resample,
                )  # fmt: skip
            show_fuse_page()
            if wanted.large and view.maximised != "fused":
                view.maximise("fused")

        page.pair_wanted.connect(show_pair)
        batch_controller.begin()
        return page

    def train() -> Page:
        from app.train.page import TrainPage

        page = TrainPage(session.task.name)
        page.pack_written.connect(controller.refresh_methods)
        return page

    def evaluate() -> Page:
        return Placeholder(
            tr("Evaluate"),
            tr(
                "Comparing methods over whole folders is not in this version of the window "
                "yet. The scores of the pair on show are under Metrics in the Fuse "
                "workspace; for folders there is the command line:"
            ),
            "unifusion evaluate --help",
        )

    return {"batch": batch, "train": train, "evaluate": evaluate}
