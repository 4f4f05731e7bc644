"""What a run will take, and the button that begins it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout

from app import theme
from app.training import phrases
from app.training.state import TrainState
from app.words import spoken


class StartBox(QFrame):
    """Time, memory and device, as far as they are known; what is still missing; Start."""

    start_requested = Signal()
    estimate_requested = Signal()

    def __init__(self, state: TrainState) -> None:
        super().__init__()
        self._state = state
        self.setObjectName("pane")
        heading = QLabel(self.tr("What it will take"))
        heading.setObjectName("paneTitle")
        self.again = QToolButton()
        theme.set_icon(self.again, "refresh")
        self.again.setToolTip(self.tr("Time a few real steps again"))
        self.again.setAccessibleName(self.tr("Estimate again"))
        self.again.clicked.connect(self.estimate_requested)
        self.cost, self.missing = QLabel(), QLabel()
        for label in (self.cost, self.missing):
            label.setWordWrap(True)
        self.missing.setObjectName("hint")
        self.start = QPushButton(self.tr("Start training"))
        self.start.setObjectName("fuseButton")
        self.start.clicked.connect(self.start_requested)
        theme.set_icon(self.start, "play", "on_accent")
        top = QHBoxLayout()
        top.addWidget(heading, 1)
        top.addWidget(self.again)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 10)
        layout.setSpacing(6)
        layout.addLayout(top)
        layout.addWidget(self.cost)
        layout.addWidget(self.missing)
        layout.addWidget(self.start)
        for signal in (
            state.room_changed,
            state.data_changed,
            state.settings_changed,
            state.cost_changed,
            state.chore_changed,
            state.phase_changed,
        ):
            signal.connect(self._show)
        self._show()

    def _show(self) -> None:
        state = self._state
        ready = not state.obstacle and not state.at_work
        self.start.setEnabled(ready)
        self.again.setEnabled(ready and state.chore is None)
        missing = {
            "data": self.tr("Choose pictures first (step 1)."),
            "settings": self.tr("A setting cannot be used yet (step 2)."),
            "name": self.tr("Give the result a name (step 2)."),
            "": "",
        }[state.obstacle]
        if state.at_work:
            missing = self.tr("A run is under way (step 3).")
        elif state.room is None:
            missing = self.tr("Starting the engine…")
        self.missing.setText(missing)
        self.missing.setVisible(bool(missing))
        self._show_cost()

    def _show_cost(self) -> None:
        state, cost = self._state, self._state.cost
        timing = state.chore is not None and state.chore.kind == "estimate"
        fits = cost is None or cost.fits
        if timing:
            text = self.tr("Timing a few real steps…")
        elif cost is None:
            text = self.tr("Known once there are pictures: a few real steps are timed.")
        else:
            text = self._words()
        self.cost.setText(text)
        self.cost.setProperty("warns", not fits and not timing)
        self.cost.style().unpolish(self.cost)
        self.cost.style().polish(self.cost)

    def _words(self) -> str:
        cost = self._state.cost
        if cost is None:
            return ""
        lines = [self.tr("About {0}").format(phrases.duration(cost.seconds_total))]
        need, free = phrases.memory(cost.peak_bytes), phrases.memory(cost.free_bytes)
        if cost.peak_bytes and cost.free_bytes:
            lines.append(self.tr("{0} of memory; {1} are free").format(need, free))
        elif cost.peak_bytes:
            lines.append(self.tr("{0} of memory").format(need))
        if not cost.fits:
            lines.append(self.tr("This will probably not fit. Take fewer or smaller crops."))
        lines.append(phrases.device(cost.device, spoken(cost.reason)))
        if self._state.cost_stale:
            lines.append(self.tr("(Something was changed since.)"))
        return "\n".join(lines)
