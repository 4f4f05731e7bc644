"""The right dock: Display, Info, Features and Metrics of the pair on screen."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QScrollArea, QTabWidget, QWidget

from app.fuse.display_tab import DisplayTab
from app.fuse.features_tab import THUMB, FeaturesTab
from app.fuse.info import rows_of
from app.fuse.info_page import InfoPage
from app.fuse.measurements import Measurements
from app.fuse.metrics_tab import MetricRow, MetricsTab
from app.fuse.page import FusePage
from app.fuse.scenes import image_of, window_of
from app.fuse.state import FuseState
from app.fuse.tags_dialog import TagsDialog
from core.windows import Window


class Inspector(QTabWidget):
    """Updates its tabs from the session; the costly ones only while they are visible."""

    def __init__(
        self, session: FuseState, view: FusePage, work: Measurements, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._view = view
        self._work = work
        self._thumbs_key: object = None
        self._update_timer = QTimer(self, singleShot=True, interval=0)
        """Coalesces changes: sources and result often change together."""
        self._update_timer.timeout.connect(self._show_display)
        self.display_tab = DisplayTab()
        self.info = InfoPage()
        self.features = FeaturesTab()
        self.metrics = MetricsTab()
        self.setDocumentMode(True)
        self.tabBar().setDrawBase(False)
        self.tabBar().setUsesScrollButtons(False)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(self.display_tab)
        self.addTab(scroll, self.tr("Display"))
        self.addTab(self.info, self.tr("Info"))
        self.addTab(self.features, self.tr("Features"))
        self.addTab(self.metrics, self.tr("Metrics"))
        self._connect()
        self._show_display()

    def _connect(self) -> None:
        session, tab = self._session, self.display_tab
        session.display_changed.connect(self._show_display)
        for signal in (session.sources_changed, session.outcome_changed):
            signal.connect(self._update_timer.start)
        for signal in (
            session.sources_changed,
            session.outcome_changed,
            session.stale_changed,
            session.retention_changed,
        ):
            signal.connect(self._show_info)
        session.results_changed.connect(self._results_changed)
        session.stale_changed.connect(self._show_metrics)
        tab.target_changed.connect(self._show_display)
        tab.window_chosen.connect(self._window_chosen)
        tab.palette_chosen.connect(self._palette_chosen)
        tab.target_changed.connect(self._target_chosen)
        self._view.active.changed.connect(self._pane_chosen)
        self.features.view_chosen.connect(session.set_feature_view)
        self.features.enlarge_requested.connect(self._enlarge)
        self.features.became_visible.connect(self._request_thumbs)
        self.info.became_visible.connect(self._show_info)
        self.info.tags_requested.connect(self._list_tags)
        self.metrics.became_visible.connect(self._request_metrics)
        self._work.metrics_changed.connect(self._show_metrics)
        self._work.thumbs_ready.connect(self._show_thumbs)

    def _window_chosen(self, pane: str, window: Window | None, settled: bool) -> None:
        self._target_chosen(pane)
        self._view.set_window(pane, window, settled=settled)

    def _palette_chosen(self, pane: str, name: str) -> None:
        self._target_chosen(pane)
        self._session.set_display(self._session.display.with_pane(pane, palette=name))

    def _target_chosen(self, target: str) -> None:
        if _display_pane(self._view.active.name) != target:
            self._view.active.choose(target)

    def _pane_chosen(self, pane: str) -> None:
        self.display_tab.choose(_display_pane(pane))

    def _show_display(self) -> None:
        tab = self.display_tab
        display = self._session.display
        shown = image_of(self._session, tab.target)
        window = window_of(self._session, tab.target)
        tab.show_image(shown, window, display.pane(tab.target).palette)
        self.features.show_view(display.features)
        if self.features.isVisible():
            self._request_thumbs()

    def _show_info(self) -> None:
        if self.info.isVisible():
            of_series = self._session.sources.slice is not None
            self.info.show_rows(rows_of(self._session), of_series=of_series)

    def _list_tags(self) -> None:
        view = self._session.sources.slice
        if view is not None:
            TagsDialog(view.volumes, self._work.list_tags(view.volumes), self).open()

    def _results_changed(self) -> None:
        outcome = self._session.outcome
        if outcome is None or outcome.result.features_a is None:
            self._thumbs_key = None
            self.features.show_thumbs((), available=False)
        elif self.features.isVisible():
            self._request_thumbs()
        if self.metrics.isVisible():
            self._request_metrics()

    def _request_thumbs(self) -> None:
        outcome = self._session.outcome
        adapter = self._session.display.features.adapter
        if outcome is None or outcome.result.features_a is None:
            return
        key = (outcome.result, adapter)
        if key != self._thumbs_key:
            self._thumbs_key = key
            self._work.draw_channels(adapter, THUMB)

    def _show_thumbs(self, thumbs: list[QImage]) -> None:
        self.features.show_thumbs(thumbs, available=bool(thumbs))

    def _enlarge(self) -> None:
        if self._view.maximised != "features":
            self._view.maximise("features")

    def _request_metrics(self) -> None:
        self._show_metrics()
        self._work.measure()

    def _show_metrics(self) -> None:
        if not self.metrics.isVisible():
            return
        session = self._session
        rows = [
            MetricRow(r.key, r.method_title, self._work.values(r), session.is_outdated(r))
            for r in session.results
        ]
        self.metrics.show_metrics(self._work.columns, rows)


def _display_pane(pane: str) -> str:
    """The pane whose window and palette a pane is displayed with."""
    return pane[-1] if pane.startswith("recon_") else pane
