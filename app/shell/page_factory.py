"""Creates the pages of the workspaces."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from app.engine import EngineFactory
from app.fuse.controller import Controller
from app.fuse.page import FusePage
from app.fuse.state import FuseState
from app.shell.workspaces import PageMaker
from app.widgets.page import Page
from app.workers.background_import import import_readers


def page_makers(
    *,
    session: FuseState,
    controller: Controller,
    view: FusePage,
    engine_factory: EngineFactory,
    samples: Path,
    settings_folder: Path | None,
    show_fuse_page: Callable[[], None],
) -> Mapping[str, PageMaker]:
    """Factories of the pages other than Fuse. They import their packages only when called.

    Args:
        view: shows a pair of a batch, or only its result.
        samples: folder of the sample pairs.
        settings_folder: the last batch is stored there; None stores nothing.
        show_fuse_page: switches to the Fuse workspace.
    """

    def batch() -> Page:
        from app.batch.controller import BatchController
        from app.batch.page import BatchPage
        from app.batch.pair_request import PairRequest

        batch_controller = BatchController(engine_factory, session.task.name, settings_folder)
        page = BatchPage(batch_controller, session)

        def show_pair(wanted: PairRequest) -> None:
            if wanted.study is not None:
                controller.set_task(wanted.task)
                controller.open_study(
                    wanted.study, wanted.accept, transform=wanted.transform, align=wanted.align
                )
            elif wanted.output is None:
                controller.set_task(wanted.task)
                controller.open_pair(
                    wanted.a, wanted.b, transform=wanted.transform, align=wanted.align
                )
            else:
                controller.open_fused_pair(
                    wanted.a, wanted.b, wanted.output, wanted.task, wanted.method,
                    resample=wanted.resample, transform=wanted.transform,
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
        from app.evaluate.controller import EvaluationController
        from app.evaluate.page import EvaluatePage, ResultsRequest

        evaluation = EvaluationController(session.task.name, settings_folder)
        page = EvaluatePage(evaluation, session, samples)

        def show_results(wanted: ResultsRequest) -> None:
            controller.open_fused_results(
                wanted.a, wanted.b, wanted.results, wanted.task, transform=wanted.transform
            )
            session.set_display(replace(session.display, layout="results"))
            show_fuse_page()

        page.pair_wanted.connect(show_results)
        evaluation.begin()
        return page

    makers = {"batch": batch, "train": train, "evaluate": evaluate}
    return {name: _after_readers(make) for name, make in makers.items()}


def _after_readers(make: PageMaker) -> PageMaker:
    """Create a page once no worker imports the readers, some of which its own imports include.

    A page that is opened in the first second would import them at the same time as a worker, and
    get half of pydicom (:func:`app.workers.background_import.import_readers`).
    """

    def made() -> Page:
        import_readers()
        return make()

    return made
