"""Keeps the feature image of the result on screen in the selected view."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject

from app.fuse import tasks
from app.fuse.job_tracker import JobTracker
from app.fuse.state import FuseState, Outcome
from app.viewer.display_state import FeatureView
from app.viewer.pyramid import RenderedImage
from app.workers import Runner


class FeatureRenderer(QObject):
    """Renders adapter features on a worker whenever their view or the result changes."""

    def __init__(
        self, session: FuseState, files: Runner, jobs: JobTracker, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._files = files
        self._jobs = jobs
        session.feature_view_changed.connect(self._render)
        session.results_changed.connect(self._render_if_outdated)

    def _render_if_outdated(self) -> None:
        outcome = self._session.outcome
        # The view may have been changed since, or while the fusion was running.
        if outcome is not None and outcome.feature_view != self._session.feature_view:
            self._render()

    def _render(self) -> None:
        outcome = self._session.outcome
        if self._jobs.closed or outcome is None or outcome.basis is None:
            return
        view = self._session.feature_view
        job = self._files.submit(partial(tasks.draw_features, outcome, view), key="features")
        job.finished.connect(partial(self._rendered, outcome, view))
        job.failed.connect(partial(self._jobs.show_error, ""))

    def _rendered(self, outcome: Outcome, view: FeatureView, image: RenderedImage | None) -> None:
        if image is not None:
            self._session.set_feature_image(outcome, image, view)
