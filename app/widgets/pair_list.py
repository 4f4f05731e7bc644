"""The Pairs dock: a place to drop things, a filter, and the tree of pairs."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from app.widgets.drop import DropZone
from app.widgets.pair_model import THUMB, Key, PairModel


class PairList(DropZone):
    """Shows a :class:`PairModel`; a click or Enter opens a pair."""

    chosen = Signal(object)
    """A key."""
    review_requested = Signal()
    open_requested = Signal()

    def __init__(self, model: PairModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("pairList")
        self.setAcceptDrops(True)
        self.model = model
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(self.tr("Filter"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName(self.tr("Filter pairs by name"))
        self.filter.textChanged.connect(self._filtered)
        self.tree = QTreeView()
        self.tree.setModel(model)
        self.tree.setHeaderHidden(True)
        self.tree.setUniformRowHeights(True)
        self.tree.setIndentation(8)
        self.tree.setIconSize(QSize(2 * THUMB + 2, THUMB))
        # Names of one study begin alike: their ends tell them apart.
        self.tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.tree.setAccessibleName(self.tr("Pairs"))
        self.tree.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        self.tree.clicked.connect(self._choose)
        self.tree.activated.connect(self._choose)
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

    def show_counts(self, pairs: int, unpaired: int) -> None:
        """Say how many pairs there are, and how many files are left over."""
        there = pairs + unpaired > 0
        for widget in (self.filter, self.tree, self.review, self.summary):
            widget.setVisible(there)
        self.hint.setVisible(not there)
        text = self.tr("{0} pairs").format(pairs)
        if unpaired:
            text += " · " + self.tr("{0} unpaired").format(unpaired)
        self.summary.setText(text)
        self.summary.setProperty("warns", unpaired > 0)
        self.summary.style().unpolish(self.summary)
        self.summary.style().polish(self.summary)
        self.tree.expandAll()

    def show_note(self, text: str) -> None:
        """Say what became of the last drop."""
        self.note.setText(text)
        self.note.setVisible(bool(text))

    def show_current(self, key: Key | None) -> None:
        """Mark the pair that is open."""
        index = self.model.index_of(key)
        if index.isValid():
            self.tree.setCurrentIndex(index)
            self.tree.scrollTo(index)
        else:
            self.tree.clearSelection()

    def _filtered(self, text: str) -> None:
        self.model.set_filter(text)
        self.tree.expandAll()

    def _choose(self, index: QModelIndex) -> None:
        key = self.model.key_at(index)
        if key is not None:
            self.chosen.emit(key)
