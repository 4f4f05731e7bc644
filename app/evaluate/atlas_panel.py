"""The worst pairs by each metric, with thumbnails of both sources and all methods."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QRect, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPixmap
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.evaluate.atlas_model import CAPTION_ROLE, IMAGE_ROLE, PAIR, WORST_ROLE, AtlasModel
from app.evaluate.metric_words import describe
from app.evaluate.tasks import Analysis
from app.pairs.edits import PairKey
from app.pairs.thumbnails import ThumbnailLoader
from app.widgets import theme
from app.widgets.plain_table import ModelIndex, plain_table

SIDE = 104
"""Longest side of a thumbnail in pixels."""
_MARGIN = 5
_PAIR_WIDTH = 210


class _ThumbnailDelegate(QStyledItemDelegate):
    """Draws a thumbnail with a caption below it; a frame marks the methods that scored worst."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: ModelIndex) -> None:
        """Draw a cell."""
        if index.column() == PAIR:
            super().paint(painter, option, index)
            return
        colours, worst = theme.colours(), bool(index.data(WORST_ROLE))
        room: QRect = option.rect
        room = room.adjusted(_MARGIN, _MARGIN, -_MARGIN, -_MARGIN)
        line = option.fontMetrics.lineSpacing()
        square = QRect(room.left(), room.top(), room.width(), room.height() - line - 2)
        image = index.data(IMAGE_ROLE)
        painter.save()
        if isinstance(image, QImage):
            pixmap = QPixmap.fromImage(image)
            size = pixmap.size().scaled(square.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(square.topLeft(), size)
            place.moveCenter(square.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(place, pixmap)
            if worst:
                painter.setPen(QPen(QColor(colours.error_border), 2))
                painter.drawRect(place.adjusted(-1, -1, 0, 0))
        painter.setPen(QColor(colours.text if worst else colours.muted))
        caption = option.fontMetrics.elidedText(
            index.data(CAPTION_ROLE), Qt.TextElideMode.ElideRight, room.width()
        )
        below = QRect(room.left(), room.bottom() - line, room.width(), line + 2)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, caption)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: ModelIndex) -> QSize:
        """A thumbnail with its caption and margins."""
        line: int = option.fontMetrics.lineSpacing()
        return QSize(SIDE + 2 * _MARGIN, SIDE + 2 * _MARGIN + line + 2)


class AtlasPanel(QWidget):
    """A table of pairs; a double click or Enter opens one."""

    opened = Signal(str)
    """Name of a pair."""
    selection_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = AtlasModel()
        self.by = QComboBox()
        self.by.setAccessibleName(self.tr("Worst pairs by"))
        self.by.activated.connect(lambda: self.model.show_metric(self.by.currentData()))
        self.table = plain_table(self.model, ())
        self.table.setAccessibleName(self.tr("Worst pairs by each metric"))
        self.table.setItemDelegate(_ThumbnailDelegate(self.table))
        self.table.setWordWrap(True)
        self.table.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.table.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        header = self.table.horizontalHeader()
        header.setStretchLastSection(False)
        header.setDefaultSectionSize(SIDE + 2 * _MARGIN)
        line = self.fontMetrics().lineSpacing()
        self.table.verticalHeader().setDefaultSectionSize(SIDE + 2 * _MARGIN + line + 2)
        self.table.activated.connect(self._open)
        self.table.selectionModel().currentChanged.connect(lambda *_: self.selection_changed.emit())
        self.model.modelReset.connect(self.selection_changed)
        self.thumbs = ThumbnailLoader(SIDE, self)
        self.model.wanted.connect(self.thumbs.want)
        self.thumbs.ready.connect(self._set_thumbs)
        label = QLabel(self.tr("Worst pairs by"))
        label.setBuddy(self.by)
        hint = QLabel(self.tr("Framed: the method that scored worst. A double click opens a pair."))
        hint.setObjectName("hint")
        row = QHBoxLayout()
        row.addWidget(label)
        row.addWidget(self.by)
        row.addWidget(hint, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 6, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.table, 1)

    def show_analysis(self, analysis: Analysis | None) -> None:
        """List other pairs; the chosen metric stays where it is there."""
        from core.evaluation.tables import heading_of

        chosen = self.by.currentData()
        with QSignalBlocker(self.by):
            self.by.clear()
            self.by.addItem(self.tr("all metrics"), "")
            for name in analysis.result.metrics if analysis is not None else ():
                self.by.addItem(heading_of(name), name)
                tip = Qt.ItemDataRole.ToolTipRole
                self.by.setItemData(self.by.count() - 1, describe(name), tip)
            self.by.setCurrentIndex(max(0, self.by.findData(chosen)))
        self.model.show_metric(self.by.currentData())
        self.model.show_analysis(analysis)
        self.thumbs.show_moved(self.model.moved)
        if analysis is not None:
            self.table.setColumnWidth(PAIR, _PAIR_WIDTH)

    @property
    def current_pair(self) -> str:
        """Name of the pair of the current row; "" for none."""
        index = self.table.currentIndex()
        return self.model.pair_at(index.row()) if index.isValid() else ""

    def _open(self, index: QModelIndex) -> None:
        self.opened.emit(self.model.pair_at(index.row()))

    def _set_thumbs(self, key: PairKey, first: QImage | None, second: QImage | None) -> None:
        self.model.set_images(key, (first, second))

    def shutdown(self) -> None:
        """Wait for the thread."""
        self.thumbs.shutdown()
