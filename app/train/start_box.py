"""The estimated cost of a run, and the Start button."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
)

from app.i18n.translate import translate
from app.train import formatting
from app.train.state import TrainState
from app.train.view_models import DeviceOption
from app.widgets import theme


class StartBox(QFrame):
    """Estimated time and memory, device, what is still missing, and the Start button."""

    start_requested = Signal()
    estimate_requested = Signal()
    device_chosen = Signal(str)
    """"auto", "cpu" or "cuda:N"."""

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
        self.cost, self.missing, self.reason = QLabel(), QLabel(), QLabel()
        for label in (self.cost, self.missing, self.reason):
            label.setWordWrap(True)
        self.missing.setObjectName("hint")
        self.device = QComboBox()
        self.device.setAccessibleName(self.tr("Train on"))
        self.device.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.device.activated.connect(lambda _: self.device_chosen.emit(self.device.currentData()))
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
        where = QHBoxLayout()
        words = QLabel(self.tr("Train on"))
        words.setBuddy(self.device)
        where.addWidget(words)
        where.addWidget(self.device, 1)
        layout.addLayout(where)
        layout.addWidget(self.reason)
        layout.addWidget(self.missing)
        layout.addWidget(self.start)
        for signal in (
            state.capabilities_changed,
            state.data_changed,
            state.settings_changed,
            state.cost_changed,
            state.background_task_changed,
            state.phase_changed,
        ):
            signal.connect(self._show)
        self._show()

    def _show(self) -> None:
        state = self._state
        ready = not state.obstacle and not state.at_work
        self.start.setEnabled(ready)
        self.again.setEnabled(ready and state.background_task is None)
        missing = {
            "data": self.tr("Choose pictures first (step 1)."),
            "task": self.tr("Say what kind of pictures these are (step 1)."),
            "settings": self.tr("A setting cannot be used yet (step 2)."),
            "name": self.tr("Give the result a name (step 2)."),
            "": "",
        }[state.obstacle]
        if state.faults.keys() == {"device"}:
            missing = self.tr("Choose another device.")
        if state.at_work:
            missing = self.tr("A run is under way (step 3).")
        elif state.capabilities is None:
            missing = self.tr("Starting the engine…")
        self.missing.setText(missing)
        self.missing.setVisible(bool(missing))
        self._show_device()
        self._show_cost()

    def _show_device(self) -> None:
        state = self._state
        options = state.capabilities.devices if state.capabilities is not None else ()
        wanted = str(state.settings.get("device", "auto"))
        rows = [(self._option(one), one.name) for one in options]
        if options and state.device is None:
            rows.append((self.tr("{0} (not here)").format(wanted), wanted))
        shown = [
            (self.device.itemText(k), self.device.itemData(k)) for k in range(self.device.count())
        ]
        if shown != rows:
            self.device.clear()
            for text, name in rows:
                self.device.addItem(text, name)
        self.device.setCurrentIndex(self.device.findData(wanted))
        self.device.setEnabled(bool(rows) and not state.at_work)
        self._show_reason()

    def _show_reason(self) -> None:
        fault, device = self._state.faults.get("device", ""), self._state.device
        text = f"{fault[:1].upper()}{fault[1:]}." if fault else ""
        if not fault and device is not None:
            text = f"{translate(device.label)}: {translate(device.reason)}"
        self.reason.setObjectName("" if fault else "hint")
        self.reason.setProperty("warns", bool(fault))
        self.reason.setText(text)
        self.reason.setVisible(bool(text))
        self.device.setToolTip(text)
        self.reason.style().unpolish(self.reason)
        self.reason.style().polish(self.reason)

    def _option(self, one: DeviceOption) -> str:
        if one.name == "auto":
            return self.tr("Automatic choice")
        short = translate(one.label).partition(" (")[0]
        return self.tr("Processor (CPU)") if one.name == "cpu" else f"{one.name}, {short}"

    def _show_cost(self) -> None:
        state, cost = self._state, self._state.cost
        timing = state.background_task is not None and state.background_task.kind == "estimate"
        fits = cost is None or cost.fits
        if timing:
            text = self.tr("Timing a few real steps…")
        elif cost is None and state.report is not None:
            text = ""
        elif cost is None:
            text = self.tr("Known once there are pictures: a few real steps are timed.")
        else:
            text = self._words()
        self.cost.setText(text)
        self.cost.setVisible(bool(text))
        self.cost.setProperty("warns", not fits and not timing)
        self.cost.style().unpolish(self.cost)
        self.cost.style().polish(self.cost)

    def _words(self) -> str:
        cost = self._state.cost
        if cost is None:
            return ""
        lines = [self.tr("About {0}").format(formatting.duration(cost.seconds_total))]
        need, free = formatting.memory(cost.peak_bytes), formatting.memory(cost.free_bytes)
        if cost.peak_bytes and cost.free_bytes:
            lines.append(self.tr("At least {0} of memory; {1} are free").format(need, free))
        elif cost.peak_bytes:
            lines.append(self.tr("At least {0} of memory").format(need))
        if cost.precision:
            reason = translate(cost.precision_reason)
            lines.append(formatting.precision(cost.precision, reason))
        if not cost.fits:
            lines.append(self.tr("This will probably not fit. Take fewer or smaller crops."))
        if self._state.cost_stale:
            lines.append(self.tr("(Something was changed since.)"))
        return "\n".join(lines)
