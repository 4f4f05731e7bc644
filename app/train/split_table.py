"""The split by patient or group into training and validation, which must not overlap."""

from __future__ import annotations

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from app.train.formatting import count
from app.train.view_models import DataReport, SplitGroup
from app.widgets import theme
from app.widgets.plain_table import ModelIndex, plain_table

_NO_PARENT = QModelIndex()


class SplitRows(QAbstractTableModel):
    """One row per group: its name and its numbers of training and validation pairs."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: tuple[SplitGroup, ...] = ()
        self._title = ""

    def show_rows(self, rows: tuple[SplitGroup, ...], title: str) -> None:
        """Replace the groups, called ``title``; those in both subsets come first."""
        self.beginResetModel()
        self.rows = tuple(sorted(rows, key=lambda side: not side.both))
        self._title = title
        self.endResetModel()

    def rowCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Number of groups."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: ModelIndex = _NO_PARENT) -> int:
        """Number of columns: name, training pairs, validation pairs."""
        return 3

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Titles of the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            titles = (self._title, self.tr("Pairs to learn from"), self.tr("Pairs to check with"))
            return titles[section]
        return None

    def data(self, index: ModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Texts, and the colour of groups used for validation or, as an error, in both subsets."""
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            numbers = (count(n) if n else "–" for n in (row.train, row.validation))
            return (row.name, *numbers)[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return row.name
        if role == Qt.ItemDataRole.ForegroundRole:
            now = theme.colours()
            if row.both:
                return QColor(now.error_border)
            if row.validation:
                return QColor(now.accent)
        return None


class SplitView(QWidget):
    """A line that says whether the subsets overlap, and the table of the groups."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sign, self.verdict = QLabel(), QLabel()
        self.verdict.setWordWrap(True)
        self.rows = SplitRows()
        self.table = plain_table(self.rows, (260, 150))
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(self.sign, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(self.verdict, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(line)
        layout.addWidget(self.table, 1)

    def title(self, report: DataReport) -> str:
        """Title of the groups: patients, folders, or groups."""
        if report.by == "folder":
            return self.tr("Folders")
        patients = report.medical and report.by in ("patient", "given")
        return self.tr("Patients") if patients else self.tr("Groups")

    def show_report(self, report: DataReport) -> None:
        """Show the groups of a report."""
        title = self.title(report)
        self.rows.show_rows(report.sides, title)
        self.table.setAccessibleName(title)
        both = sum(side.both for side in report.sides)
        checked = any(side.validation for side in report.sides)
        if both:
            text = self.tr("On both sides: {0}. The scores will look better than they are.")
            self.verdict.setText(text.format(count(both)))
        elif checked:
            self.verdict.setText(self._nobody(report))
        else:
            self.verdict.setText(self.tr("Nothing is held back to check with."))
        good = checked and not both
        theme.set_icon(
            self.sign,
            "check-circle-outline" if good else "alert-circle-outline",
            "accent" if good else "error_border",
        )
        self.verdict.setProperty("warns", bool(both))
        self.verdict.style().unpolish(self.verdict)
        self.verdict.style().polish(self.verdict)

    def _nobody(self, report: DataReport) -> str:
        if not report.medical and report.by != "folder":
            return {
                "order": self.tr("Names do not tell scenes apart: look whether these groups do."),
                "name": self.tr("No group is on both sides: names tell what belongs together."),
            }.get(report.by, self.tr("No group is on both sides."))
        return {
            "patient": self.tr("No patient is on both sides."),
            "given": self.tr("No patient is on both sides."),
            "folder": self.tr("No folder is on both sides."),
            "name": self.tr("No group is on both sides: names tell what belongs together."),
        }.get(report.by, self.tr("Names do not tell patients apart: look whether these groups do."))
