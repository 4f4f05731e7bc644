"""The table of pairs: matched files with the reason, and unpaired files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from app.i18n.translate import translate
from app.widgets import theme
from app.widgets.plain_table import ModelIndex

_NO_PARENT = QModelIndex()


def source_names(match: Any) -> tuple[str, str]:
    """What the sources of a pair are called: their files, or the modality and title of series."""
    study = match.study
    if study is None or study.a.kind != "DICOM":
        return match.a.name, match.b.name
    a, b = (" · ".join(filter(None, (one.modality, one.title))) for one in (study.a, study.b))
    return a, b


class PairTable(QAbstractTableModel):
    """Table model of a plan: pairs first (checkable), then unpaired files in red."""

    def __init__(self, plan: Any) -> None:
        super().__init__()
        self.plan = plan

    def set_plan(self, plan: Any) -> None:
        """Replace the plan."""
        self.beginResetModel()
        self.plan = plan
        self.endResetModel()

    def rowCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Number of pairs and unpaired files."""
        return 0 if parent.isValid() else len(self.plan.matches) + len(self.plan.leftovers)

    def columnCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Number of columns: A, B, reason, folder."""
        return 4

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("A"), self.tr("B"), self.tr("Why"), self.tr("Folder"))[section]
        return None

    def flags(self, index: ModelIndex) -> Qt.ItemFlag:
        """Pairs are checkable."""
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() == 0 and index.row() < len(self.plan.matches):
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts, check states and colours."""
        row, column = index.row(), index.column()
        if row >= len(self.plan.matches):
            return self._leftover(self.plan.leftovers[row - len(self.plan.matches)], column, role)
        match = self.plan.matches[row]
        if role == Qt.ItemDataRole.DisplayRole:
            why = translate(match.reason)
            if not match.sure:
                why += self.tr("; which is A is a guess")
            folder = str(match.folder) if match.folder.parts else ""
            return (*source_names(match), why, folder)[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return str((match.a, match.b, translate(match.reason), match.a.parent)[column])
        if role == Qt.ItemDataRole.CheckStateRole and column == 0:
            used = Qt.CheckState.Unchecked if match.excluded else Qt.CheckState.Checked
            return used.value
        if role == Qt.ItemDataRole.ForegroundRole and not match.sure and column == 2:
            return QColor(theme.colours().warn)
        return None

    def _leftover(self, item: Any, column: int, role: int) -> object:
        if role == Qt.ItemDataRole.DisplayRole:
            return (item.path.name, "–", translate(item.reason), str(item.path.parent.name))[column]
        if role == Qt.ItemDataRole.ToolTipRole:
            return str(item.path) if column != 2 else translate(item.reason)
        if role == Qt.ItemDataRole.ForegroundRole:
            return QColor(theme.colours().error_border)
        return None

    def setData(
        self, index: ModelIndex, value: object, role: int = Qt.ItemDataRole.EditRole
    ) -> bool:
        """Include or exclude a pair."""
        row = index.row()
        if role != Qt.ItemDataRole.CheckStateRole or row >= len(self.plan.matches):
            return False
        used = value in (Qt.CheckState.Checked, Qt.CheckState.Checked.value)
        self.plan = self.plan.include([row]) if used else self.plan.exclude([row])
        self.dataChanged.emit(index, index)
        return True


class PairDialog(QDialog):
    """Edits a plan; :attr:`plan` is the result when the dialog is accepted."""

    def __init__(self, plan: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Pairs"))
        self.resize(820, 480)
        self.table = PairTable(plan)
        self.view = QTableView()
        self.view.setTabKeyNavigation(False)
        self.view.setModel(self.table)
        self.view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.view.setTabKeyNavigation(False)
        self.view.verticalHeader().hide()
        self.view.setAccessibleName(self.tr("Pairs and files without partner"))
        header = self.view.horizontalHeader()
        for column in range(4):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
            self.view.setColumnWidth(column, (190, 190, 260, 120)[column])
        header.setStretchLastSection(True)
        note = QLabel(
            self.tr(
                "Ticked pairs are listed. Files in red have no partner: select two to pair them."
            )
        )
        note.setWordWrap(True)
        note.setObjectName("hint")
        self.swap = self._button(self.tr("Swap A and B"), self._swap)
        self.swap_all = self._button(self.tr("Swap all"), self._swap_all)
        self.join = self._button(self.tr("Pair the two selected"), self._join)
        tools = QHBoxLayout()
        for button in (self.swap, self.swap_all, self.join):
            tools.addWidget(button)
        tools.addStretch(1)
        ends = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        ends.accepted.connect(self.accept)
        ends.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(note)
        layout.addWidget(self.view, 1)
        layout.addLayout(tools)
        layout.addWidget(ends)
        self.view.selectionModel().selectionChanged.connect(self._enable)
        self._enable()

    @property
    def plan(self) -> Any:
        """The edited plan."""
        return self.table.plan

    def _button(self, text: str, do: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setAutoDefault(False)
        button.clicked.connect(do)
        return button

    def _rows(self) -> list[int]:
        return sorted({index.row() for index in self.view.selectionModel().selectedRows()})

    def _enable(self) -> None:
        rows, matches = self._rows(), len(self.plan.matches)
        self.swap.setEnabled(any(row < matches for row in rows))
        self.swap_all.setEnabled(matches > 0)
        loose = [self.plan.leftovers[row - matches] for row in rows if row >= matches]
        # A row may represent a whole folder.
        self.join.setEnabled(len(rows) == len(loose) == 2 and all(i.count == 1 for i in loose))

    def _change(self, plan: Any) -> None:
        self.table.set_plan(plan)
        self._enable()

    def _swap(self) -> None:
        matches = len(self.plan.matches)
        self._change(self.plan.swap([row for row in self._rows() if row < matches]))

    def _swap_all(self) -> None:
        self._change(self.plan.swap())

    def _join(self) -> None:
        matches = len(self.plan.matches)
        first, second = (self.plan.leftovers[row - matches].path for row in self._rows())
        self._change(self.plan.pair_by_hand(first, second))
