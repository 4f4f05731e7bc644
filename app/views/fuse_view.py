"""The Fuse workspace: messages above, six linked panes below."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.session import Loaded, Outcome, Session
from app.widgets.bars import ErrorCard, MessageBar
from app.widgets.device_chip import short_device
from app.widgets.feature_pane import FeaturePane
from app.widgets.link import ViewLink
from app.widgets.pane import Pane

_ROWS = (("a", "b", "fused"), ("recon_a", "recon_b", "features"))
_FROM_RESULT = ("fused", "recon_a", "recon_b", "features")


class FuseView(QWidget):
    """Shows a session. Every wish of the person leaves as a signal."""

    remedy_requested = Signal(str)
    copy_requested = Signal()
    problem_dismissed = Signal()
    side_dropped = Signal(str, object)
    """“a” or “b”, list[Path]"""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.link = ViewLink(self)
        self.card = ErrorCard()
        self.notice = MessageBar("noticeBar", "alert-outline")
        self.coach = MessageBar("coachBar", "information-outline")
        self.features = FeaturePane("features", self.link)
        self.panes: dict[str, Pane] = {
            name: self.features if name == "features" else Pane(name, self.link)
            for row in _ROWS
            for name in row
        }
        self._maximised = ""
        self._coach_dismissed = False
        self._lay_out()
        self._connect()
        self._show_task()
        self._show_sources()
        self._show_outcome()

    def _lay_out(self) -> None:
        self._grid = QGridLayout()
        self._grid.setSpacing(6)
        for row, names in enumerate(_ROWS):
            for column, name in enumerate(names):
                self._grid.addWidget(self.panes[name], row, column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        for bar in (self.card, self.notice, self.coach):
            layout.addWidget(bar)
        layout.addLayout(self._grid, 1)
        self._stretch()

    def _connect(self) -> None:
        session = self.session
        session.task_changed.connect(self._show_task)
        session.sources_changed.connect(self._show_sources)
        session.outcome_changed.connect(self._show_outcome)
        session.features_changed.connect(self._show_features)
        session.stale_changed.connect(self._show_stale)
        session.running_changed.connect(self._show_running)
        session.problem_changed.connect(self._show_problem)
        session.notices_changed.connect(self._show_notices)
        self.features.view_chosen.connect(session.set_feature_view)
        self.card.action_requested.connect(self.remedy_requested)
        self.card.copy_requested.connect(self.copy_requested)
        self.card.dismissed.connect(self.problem_dismissed)
        self.notice.dismissed.connect(lambda: session.set_message(""))
        self.coach.dismissed.connect(self._dismiss_coach)
        for name, pane in self.panes.items():
            pane.maximise_requested.connect(lambda name=name: self.maximise(name))
            side = "b" if name.endswith("b") else "a"
            if name in ("a", "b"):
                pane.setAcceptDrops(True)
                pane.files_dropped.connect(
                    lambda paths, side=side: self.side_dropped.emit(side, paths)
                )

    # --- looking ---------------------------------------------------------------------------

    @property
    def maximised(self) -> str:
        """Name of the pane shown alone, or ""."""
        return self._maximised

    def maximise(self, name: str = "") -> None:
        """Show one pane alone; again, or "", shows all."""
        self._maximised = "" if name == self._maximised else name
        for pane in self.panes.values():
            pane.setVisible(self._maximised in ("", pane.name))
        self._stretch()
        self.link.changed.emit()

    def maximise_current(self) -> None:
        """Maximise the pane under the pointer, else the one with the focus, else the fused."""
        if self._maximised:
            self.maximise()
            return
        panes = list(self.panes.values())
        chosen = next((p for p in panes if p.underMouse()), None)
        chosen = chosen or next((p for p in panes if p.canvas.hasFocus()), self.panes["fused"])
        self.maximise(chosen.name)

    def _stretch(self) -> None:
        # A row without visible widgets keeps its share unless its stretch is taken away.
        for row, names in enumerate(_ROWS):
            self._grid.setRowStretch(row, int(self._maximised in ("", *names)))
        for column, names in enumerate(zip(*_ROWS, strict=True)):
            self._grid.setColumnStretch(column, int(self._maximised in ("", *names)))

    def one_to_one(self) -> None:
        """One picture pixel on one screen pixel."""
        pane = self.panes[self._maximised or "fused"]
        pane.canvas.one_to_one()

    # --- state to screen -------------------------------------------------------------------

    def _show_task(self) -> None:
        task = self.session.task
        self.panes["a"].set_title(task.label_a)
        self.panes["b"].set_title(task.label_b)
        self.panes["fused"].set_title(self.tr("Fused"))
        self.panes["recon_a"].set_title(self.tr("Reconstruction A"))
        self.panes["recon_b"].set_title(self.tr("Reconstruction B"))
        self.panes["features"].set_title(self.tr("Features"))
        for name, label in (("a", task.label_a), ("b", task.label_b)):
            self.panes[name].canvas.set_placeholder(
                self.tr("Drop {0} here\nor press Ctrl+O").format(label)
            )
            self.panes[name].title.setToolTip(self.tr("Source {0}").format(name.upper()))

    def _show_sources(self) -> None:
        sources = self.session.sources
        for name, loaded in (("a", sources.a), ("b", sources.b)):
            pane = self.panes[name]
            pane.set_picture(loaded.picture if loaded else None)
            pane.set_info(_describe(loaded) if loaded else "")
        first = sources.a or sources.b
        self.link.set_size(first.image.size if first else (0, 0))
        self._show_coach()

    def _show_outcome(self) -> None:
        outcome = self.session.outcome
        for name in _FROM_RESULT:
            pane = self.panes[name]
            pane.set_picture(outcome.pictures.get(name) if outcome else None)
            pane.canvas.set_placeholder(self._placeholder(name))
        fused = self.panes["fused"]
        fused.set_info(self._fused_info(outcome) if outcome else "")
        preview = outcome is not None and outcome.is_preview
        fused.set_tag(
            "preview",
            self.tr("Classical preview") if preview else "",
            self.tr("A classical method, shown until the model has finished."),
        )
        fused.canvas.set_badge(self._badge(outcome) if outcome else "")
        features = outcome.result.features_a if outcome else None
        self.features.set_channels(len(features) if features is not None else 0)
        self._show_stale(self.session.is_stale)
        self._show_running()

    def _placeholder(self, name: str) -> str:
        outcome = self.session.outcome
        if outcome is None:
            if name == "fused":
                return self.tr("The fused picture appears here.")
            if name == "features":
                return self.tr("What the network saw appears here.")
            return self.tr("The network's reconstruction appears here.")
        if outcome.is_preview:
            return self.tr("The model is at work…")
        if name == "features":
            return self.tr("Only models have features.")
        return self.tr("Only models have reconstructions.")

    def _fused_info(self, outcome: Outcome) -> str:
        device = short_device(outcome.result.device)
        parts = [outcome.method_title, device, f"{outcome.seconds:.1f} s"]
        return " · ".join(part for part in parts if part)

    def _badge(self, outcome: Outcome) -> str:
        if outcome.is_model:
            return self.tr("Research use only – AI-generated image")
        return self.tr("Research use only")

    def _show_features(self) -> None:
        outcome = self.session.outcome
        if outcome is not None:
            self.features.set_picture(outcome.pictures.get("features"))

    def _show_stale(self, stale: bool) -> None:
        self.panes["fused"].set_tag(
            "stale",
            self.tr("Stale") if stale else "",
            self.tr("Sources, task or method changed since. Press Fuse (Enter) to renew."),
        )

    def _show_running(self) -> None:
        fusing = self.session.running is not None and self.session.running.fusing
        for name in _FROM_RESULT:
            outcome = self.session.outcome
            preview = outcome is not None and outcome.is_preview
            self.panes[name].canvas.set_dimmed(fusing and not preview)

    def _show_problem(self) -> None:
        problem = self.session.problem
        if problem is None:
            self.card.hide()
            return
        labels = {
            "resample": self.tr("Resample B onto A"),
            "open": self.tr("Open other files"),
            "retry": self.tr("Retry"),
            "save": self.tr("Save elsewhere"),
        }
        error = problem.error
        label = labels.get(problem.remedy, "")
        self.card.show_error(error.what, error.why, error.remedy, problem.remedy, label)

    def _show_notices(self) -> None:
        self.notice.show_text("\n".join(self.session.notices))

    def _show_coach(self) -> None:
        sample = self.session.sources.sample and not self._coach_dismissed
        text = self.tr("This is a sample pair. Drop two images of your own here, or press Ctrl+O.")
        self.coach.show_text(text if sample else "")

    def _dismiss_coach(self) -> None:
        self._coach_dismissed = True

    def copy_text(self, text: str) -> None:
        """Put text on the clipboard."""
        QGuiApplication.clipboard().setText(text)


def _describe(loaded: Loaded) -> str:
    image = loaded.image
    depth = "float" if image.bit_depth == 32 else f"{image.bit_depth} bit"
    parts = [image.name, f"{image.width}×{image.height}", depth]
    return " · ".join(part for part in parts if part)
