"""The status bar: pixel values under the pointer, and progress with a Cancel button."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QStatusBar, QWidget

from app.commands.registry import CommandRegistry
from app.fuse.retention import alarm_text
from app.fuse.slice_view import SliceView
from app.fuse.state import FuseState, LoadedSource, Outcome
from app.i18n.numbers import listed, number
from app.i18n.translate import plural, translate
from app.shell.memory_label import MemoryLabel
from app.widgets.device_chip import short_device
from app.widgets.elided_label import ElidedLabel
from core.types import FloatArray, Image
from core.units.readout import shown_value

_JUDGED_AFTER = 2.0
"""Elapsed seconds from which the remaining time is estimated."""


class StatusBar(QStatusBar):
    """Shows the progress and the pixel readout of a session."""

    cancel_requested = Signal()

    def __init__(
        self, session: FuseState, keys: CommandRegistry, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._begun: float | None = None
        self._of_fusion = True
        self.setSizeGripEnabled(False)
        self.stage = ElidedLabel(mode=Qt.TextElideMode.ElideMiddle)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(160)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.cancel = QPushButton(self.tr("Cancel"))
        self.cancel.clicked.connect(self.cancel_requested)
        self.readout = QLabel()
        self.readout.setAccessibleName(self.tr("Values under the pointer"))
        self.addWidget(self.stage, 1)
        self.addWidget(self.bar)
        self.addWidget(self.cancel)
        self.alarm = QLabel()
        self.alarm.setObjectName("alarm")
        self.alarm.setAccessibleName(self.tr("What the fused picture loses"))
        self.memory = MemoryLabel(session)
        self.addPermanentWidget(self.alarm)
        self.addPermanentWidget(self.readout)
        self.addPermanentWidget(self.memory)
        session.running_changed.connect(self._show_running)
        session.outcome_changed.connect(self._show_outcome)
        session.retention_changed.connect(self._show_alarm)
        self._pixel: QPoint | None = None
        for signal in (session.sources_changed, session.outcome_changed):
            signal.connect(lambda: self.show_pixel(self._pixel))
        self._keys = keys
        keys.keys_changed.connect(self._show_key)
        self._show_key()
        self._show_alarm()
        self._show_running()

    def _show_alarm(self) -> None:
        text = alarm_text(self._session.retention) if self._of_fusion else ""
        self.alarm.setText(f"▲ {text}" if text else "")
        self.alarm.setVisible(bool(text))

    def _show_key(self) -> None:
        key, text = self._keys.key_of("fuse.cancel"), self.tr("Stop")
        self.cancel.setToolTip(f"{text} ({key})" if key else text)

    def _show_running(self) -> None:
        running = self._session.running
        for widget in (self.bar, self.cancel):
            widget.setVisible(running is not None)
        if running is None:
            self._begun = None
            self.stage.setText("")
            self._show_outcome()
            return
        known = running.total > 0
        share = 100 * running.done / running.total if known else 0
        # A progress bar repaints synchronously, including all pending updates.
        self.bar.setUpdatesEnabled(False)
        self.bar.setRange(0, 100 if known else 0)
        self.bar.setValue(int(share))
        self.bar.setUpdatesEnabled(True)
        said = translate(running.stage)
        stage = said[:1].upper() + said[1:]
        if known and running.fusing:
            stage = f"{stage} – {share:.0f} %{self._time_left(share / 100)}"
        elif known:
            done, total = int(running.done), int(running.total)
            counted = self.tr("{0} of {1}").format(min(done + 1, total), total)
            stage = f"{stage} – {counted}"
        self.stage.setText(stage)
        self.cancel.setEnabled(not running.cancelling)

    def _time_left(self, share: float) -> str:
        """Estimated remaining time as text; "" as long as there is no estimate."""
        now = time.monotonic()
        self._begun = self._begun or now
        elapsed = now - self._begun
        if elapsed < _JUDGED_AFTER or not 0 < share < 1:
            return ""
        left = elapsed * (1 - share) / share
        return self.tr(", about {0} s left").format(max(1, round(left)))

    def show_fusion(self, shown: bool) -> None:
        """Show or hide the state of the last fusion, which does not concern the other pages."""
        self._of_fusion = shown
        self._show_alarm()
        if self._session.running is None:
            self.stage.setText("")
        self._show_outcome()

    def _show_outcome(self) -> None:
        outcome = self._session.outcome if self._of_fusion else None
        if self._session.running is None and outcome is None:
            self.stage.setText("")
        elif self._session.running is None and outcome is not None:
            self.stage.setText(self._done(outcome))

    def _done(self, outcome: Outcome) -> str:
        if outcome.is_stored:
            return self.tr("Read from its file: {0}").format(outcome.method_title)
        text, seconds = self.tr("Done in {0} s: {1}, {2}"), number(outcome.seconds, ".1f")
        return text.format(seconds, outcome.method_title, short_device(outcome.result.device))

    def show_saved(self, path: Path) -> None:
        """Show the path of the saved image."""
        self.stage.setText(self.tr("Saved {0}").format(path))

    def show_exported(self, paths: tuple[Path, ...]) -> None:
        """Show the number of the exported files and their folder."""
        folder = paths[0].parent if paths else ""
        text = plural("Exported {0} file to {1}", "Exported {0} files to {1}", len(paths))
        self.stage.setText(text.format(len(paths), folder))

    def show_text(self, text: str) -> None:
        """Show a message."""
        self.stage.setText(text)

    def show_place(self, place: tuple[SliceView, QPoint] | None) -> None:
        """Show the place of a pixel of a slice, and what was measured there; None clears."""
        lines = [] if place is None else slice_readout(place[0], place[1].x(), place[1].y())
        self.readout.setText("     ".join(lines))

    def show_pixel(self, pixel: QPoint | None) -> None:
        """Show position and values of A, B and the fused image; None clears."""
        self._pixel = pixel
        sources = self._session.sources
        if pixel is None or (sources.a is None and sources.b is None):
            self.readout.setText("")
            return
        x, y = pixel.x(), pixel.y()
        if sources.slice is not None:
            self.readout.setText("     ".join(slice_readout(sources.slice, x, y)))
            return
        parts = [f"x {x}  y {y}{_millimetres(sources.a or sources.b, x, y)}"]
        for letter, side in (("A", sources.a), ("B", sources.b)):
            if side is not None:
                unit = f" {side.image.unit}" if side.image.unit else ""
                parts.append(f"{letter} {_value_of(side.image, x, y)}{unit}")
        if self._session.outcome is not None:
            value = _value_at(self._session.outcome.result.fused, x, y, ".3f")
            parts.append(self.tr("Fused {0} (0–1, no unit)").format(value))
        self.readout.setText("     ".join(parts))


def slice_readout(view: SliceView, x: int, y: int) -> list[str]:
    """The place of a pixel in the patient, and what A and B measured there.

    A fused pixel has no value of its own in the patient, and no unit.
    """
    point = view.point_at(x, y)
    place = listed(number(value, ".1f").replace("-", "−") for value in point)
    parts = [f"{place} mm (LPS)"]
    for letter, volume, value in zip("AB", view.volumes.native, view.values_at(point), strict=True):
        text = "–" if value is None else shown_value(value, volume.unit)
        parts.append(f"{letter} {text}")
    return parts


def _millimetres(side: LoadedSource | None, x: int, y: int) -> str:
    """Position relative to the first pixel, in mm, where the pixel spacing is known."""
    if side is None or side.image.spacing is None:
        return ""
    down, across = side.image.spacing
    place = listed((number(x * across, ".1f"), number(y * down, ".1f")))
    return f"  ({place} mm)"


def _value_of(image: Image, x: int, y: int) -> str:
    """Pixel value of a source; a dash where it is masked out."""
    if image.mask is not None and 0 <= y < image.height and 0 <= x < image.width:
        return _value_at(image.data, x, y) if image.mask[y, x] else "–"
    return _value_at(image.data, x, y)


def _value_at(data: FloatArray, x: int, y: int, form: str = ".6g") -> str:
    if not (0 <= y < data.shape[0] and 0 <= x < data.shape[1]):
        return "–"
    values = data[y, x]
    if np.all(values == values[0]):
        values = values[:1]
    return " ".join(number(float(value), form) for value in values)
