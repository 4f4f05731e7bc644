"""The row that shows how far the export of a study is, with a button that stops it."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from app.fuse.volume_export import VolumeExporter
from app.i18n.durations import seconds_text


class VolumeExportBar(QWidget):
    """Hidden while nothing is exported."""

    def __init__(self, exporter: VolumeExporter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._exporter = exporter
        self.stage = QLabel()
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(160)
        self.bar.setAccessibleName(self.tr("Progress of the export"))
        self.cancel = QPushButton(self.tr("Cancel export"))
        self.cancel.clicked.connect(exporter.cancel)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.stage, 1)
        layout.addWidget(self.bar)
        layout.addWidget(self.cancel)
        exporter.changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        running = self._exporter.running
        self.setVisible(running is not None)
        if running is None:
            return
        text = self.tr("Export of the study: {0}").format(running.stage)
        if running.seconds_left is not None:
            left = self.tr("about {0} left").format(
                seconds_text(max(1.0, running.seconds_left), whole=True)
            )
            text = f"{text} – {left}"
        self.stage.setText(text)
        self.bar.setRange(0, 0 if running.share is None else 1000)
        self.bar.setValue(int(1000 * (running.share or 0)))
