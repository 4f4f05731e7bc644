"""The tree of pairs with its filter; accepts dropped files and folders."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from app.fuse.pairs_list_model import THUMB, PairModel
from app.i18n.numbers import number
from app.i18n.translate import plural
from app.pairs.edits import PairKey
from app.widgets.drop import DropZone


class _Tree(QTreeView):
    """Emits ``painted``, as the visible rows may have changed."""

    painted = Signal()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self.painted.emit()


class PairList(DropZone):
    """Shows a :class:`PairModel`; a click or Enter opens a pair."""

    chosen = Signal(object)
    """A key."""
    review_requested = Signal()
    open_requested = Signal()
    thumb_wanted = Signal(object)
    """The key of a visible pair that has no thumbnail yet."""

    def __init__(self, model: PairModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = model
        self.setObjectName("pairList")
        self.setAcceptDrops(True)
        self._current: PairKey | None = None
        self._visible_timer = QTimer(self)
        self._visible_timer.setSingleShot(True)
        # Not 0: Qt may postpone a zero timer until the event loop is idle.
        self._visible_timer.setInterval(1)
        self._visible_timer.timeout.connect(self._visible_changed)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(self.tr("Filter"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName(self.tr("Filter pairs by name"))
        self.filter.textChanged.connect(model.set_filter)
        self.tree = _Tree()
        self.tree.setModel(model)
        self.tree.setHeaderHidden(True)
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(8)
        self.tree.setIconSize(QSize(2 * THUMB + 2, THUMB))
        # Names within a study often differ at the end only.
        self.tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.tree.setAccessibleName(self.tr("Pairs"))
        self.tree.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        self.tree.clicked.connect(self._choose)
        self.tree.activated.connect(self._choose)
        self.tree.painted.connect(self._visible_timer.start)
        model.rowsInserted.connect(self._rows_came)
        self.hint = QLabel(self.tr("Drop files or folders here.\nPairs are found by their names."))
        self.hint.setObjectName("hint")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.hint.setWordWrap(True)
        self.open_button = QPushButton(self.tr("Open folder…"))
        self.open_button.clicked.connect(self.open_requested)
        self.review = QPushButton(self.tr("Pairs…"))
        self.review.setToolTip(self.tr("See why files were paired, and change it"))
        self.review.clicked.connect(self.review_requested)
        self.summary = QLabel()
        self.summary.setObjectName("hint")
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setObjectName("hint")
        self.note.hide()
        foot = QHBoxLayout()
        foot.addWidget(self.summary, 1)
        foot.addWidget(self.review)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.filter)
        layout.addWidget(self.tree, 1)
        layout.addWidget(self.hint, 1)
        layout.addWidget(self.note)
        layout.addWidget(self.open_button)
        layout.addLayout(foot)
        self.show_counts(0, 0)

    def changeEvent(self, event: QEvent) -> None:
        """Update the badges to the colours of the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.model.refresh_colours()

    def show_counts(self, pairs: int, unpaired: int) -> None:
        """Show the number of pairs and of files without a partner."""
        there = pairs + unpaired > 0
        for widget in (self.filter, self.tree, self.review, self.summary):
            widget.setVisible(there)
        self.hint.setVisible(not there)
        text = plural("{0} pair", "{0} pairs", pairs).format(number(pairs, ","))
        if unpaired:
            text += " · " + self.tr("{0} unpaired").format(number(unpaired, ","))
        self.summary.setText(text)
        if self.summary.property("warns") is not (unpaired > 0):
            self.summary.setProperty("warns", unpaired > 0)
            self.summary.style().unpolish(self.summary)
            self.summary.style().polish(self.summary)

    def show_note(self, text: str) -> None:
        """Show a note; "" hides it."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def show_current(self, key: PairKey | None) -> None:
        """Select the pair that is open, now or when its row is inserted."""
        self._current = key
        index = self.model.index_of(key)
        if index.isValid():
            self.tree.setCurrentIndex(index)
            self.tree.scrollTo(index)
        else:
            self.tree.clearSelection()

    def _rows_came(self, parent: QModelIndex, first: int, last: int) -> None:
        if not parent.isValid():
            for row in range(first, last + 1):
                self.tree.setExpanded(self.model.index(row, 0), True)
        current = self.model.index_of(self._current)
        if current.isValid() and current != self.tree.currentIndex():
            self.show_current(self._current)

    def _visible_changed(self) -> None:
        """Set tool tips of the visible rows and request thumbnails, of the topmost last.

        The last request is served first.
        """
        index, foot = self.tree.indexAt(QPoint(0, 0)), self.tree.viewport().height()
        wanted = []
        while index.isValid() and self.tree.visualRect(index).top() < foot:
            key = self.model.key_at(index)
            if key is not None:
                self.model.ensure_tool_tip(key)
                if not self.model.has_thumb(key):
                    wanted.append(key)
            index = self.tree.indexBelow(index)
        for key in reversed(wanted):
            self.thumb_wanted.emit(key)

    def _choose(self, index: QModelIndex) -> None:
        key = self.model.key_at(index)
        if key is not None:
            self.chosen.emit(key)
