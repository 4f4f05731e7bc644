"""The worst pairs by each metric, with thumbnails."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.evaluate.pair_model import fused_files
from app.evaluate.tasks import Analysis
from app.i18n.numbers import localised
from app.pairs.edits import PairKey
from app.pairs.thumbnails import ThumbnailLoader

SIDE = 96
_PAIR = int(Qt.ItemDataRole.UserRole)


class AtlasPanel(QWidget):
    """A list of pairs; a double click opens one."""

    opened = Signal(str)
    """Name of a pair."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Worst pairs by each metric"))
        self.list.setIconSize(QSize(SIDE, SIDE))
        self.list.itemActivated.connect(lambda item: self.opened.emit(item.data(_PAIR)))
        self.thumbs = ThumbnailLoader(SIDE, self)
        self.thumbs.ready.connect(self._set_thumb)
        self._items: dict[PairKey, QListWidgetItem] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addWidget(self.list)

    def show_analysis(self, analysis: Analysis | None) -> None:
        """List other pairs; the fused image shown is that of the method that scored worst."""
        from core.evaluation.tables import format_value, heading_of

        self.list.clear()
        self._items.clear()
        if analysis is None:
            return
        described = {pair.name: pair for pair in analysis.result.pairs}
        for pair, reasons in analysis.worst.items():
            lines = [
                f"{heading_of(one.metric)}: {localised(format_value(one.value))}, {one.method}"
                for one in reasons
            ]
            item = QListWidgetItem("\n".join((pair, *lines)))
            item.setData(_PAIR, pair)
            self.list.addItem(item)
            files = dict(fused_files(analysis.result, pair))
            shown = files.get(reasons[0].method, described[pair].a)
            key = (shown, Path(pair))
            self._items[key] = item
            self.thumbs.want((shown, shown))

    def _set_thumb(self, key: PairKey, image: QImage | None, _other: QImage | None) -> None:
        for (path, _pair), item in self._items.items():
            if path == key[0] and image is not None:
                item.setIcon(QIcon(QPixmap.fromImage(image)))

    def shutdown(self) -> None:
        """Wait for the thread."""
        self.thumbs.shutdown()
