"""The dialog that lists all tags of the two series on show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QSortFilterProxyModel,
    Qt,
)
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.fuse.messages import reason_of
from app.fuse.slice_view import OpenVolumes
from app.i18n.translate import translate
from app.widgets.plain_table import ModelIndex, plain_table
from app.workers import Job
from core.errors import FusionError

if TYPE_CHECKING:
    from core.io.volumes import Tag

_WIDTHS = (120, 270)
_INDENT = "   "


class _TagModel(QAbstractTableModel):
    """Number, name and value of each tag."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[tuple[str, str, str]] = []

    def show_tags(self, tags: tuple[Tag, ...]) -> None:
        self.beginResetModel()
        self._rows = [
            (tag.number, _INDENT * tag.depth + translate(tag.name), translate(tag.value))
            for tag in tags
        ]
        self.endResetModel()

    def rowCount(self, parent: ModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: ModelIndex = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 3

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return self._rows[index.row()][index.column()]
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role != Qt.ItemDataRole.DisplayRole or orientation is not Qt.Orientation.Horizontal:
            return None
        return (self.tr("Tag"), self.tr("Name"), self.tr("Value"))[section]


class TagsDialog(QDialog):
    """Shows what a job read; nothing of it is kept once the dialog is closed."""

    def __init__(self, volumes: OpenVolumes, job: Job, parent: QWidget | None = None) -> None:
        """
        Args:
            volumes: the two series.
            job: gives the tags of both; cancelled if the dialog is closed before.
        """
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Tags"))
        self.resize(760, 560)
        self._files = volumes.key
        self._tags: tuple[tuple[Tag, ...], ...] = ((), ())
        self.source = QComboBox()
        self.source.setAccessibleName(self.tr("Series"))
        for letter, name in zip("AB", volumes.names, strict=True):
            self.source.addItem(f"{letter} – {name}")
        self.source.currentIndexChanged.connect(self._show)
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(self.tr("Filter"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName(self.tr("Filter tags by number, name or value"))
        self._model = _TagModel(self)
        self.shown = QSortFilterProxyModel(self)
        self.shown.setSourceModel(self._model)
        self.shown.setFilterKeyColumn(-1)
        self.shown.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.filter.textChanged.connect(self.shown.setFilterFixedString)
        self.table = plain_table(self.shown, _WIDTHS)
        self.table.setAccessibleName(self.tr("Tags"))
        self.note = QLabel(self.tr("Reading tags"))
        self.note.setObjectName("hint")
        self.note.setWordWrap(True)
        self._lay_out()
        job.finished.connect(self._read)
        job.failed.connect(self._failed)
        self.finished.connect(lambda _answer: job.cancel())

    def _lay_out(self) -> None:
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        above = QHBoxLayout()
        above.addWidget(self.source, 1)
        above.addWidget(self.filter, 1)
        layout = QVBoxLayout(self)
        layout.addLayout(above)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.note)
        layout.addWidget(buttons)
        self.filter.setFocus()

    def _read(self, tags: tuple[tuple[Tag, ...], ...]) -> None:
        self._tags = tags
        self.note.setText(
            self.tr("Of the first slice. Names, IDs, dates, places and free texts are removed.")
        )
        self._show(self.source.currentIndex())

    def _failed(self, error: FusionError) -> None:
        self.note.setText(reason_of(error, self._files[0], self._files))

    def _show(self, side: int) -> None:
        self._model.show_tags(self._tags[side])
        self.table.scrollToTop()
