"""The dialog File > Archive: search for studies, retrieve them, open them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.archive.service import ArchiveService, follow
from app.archive.tasks import ArchiveListing, Folder, NodeRow, Retrieved, SearchForm
from app.archive.work_row import WorkRow
from app.i18n.numbers import number
from app.i18n.translate import translate
from app.widgets.cards import Card
from app.widgets.forms import centre_labels
from core.errors import FusionError

if TYPE_CHECKING:
    from core.archive import ArchivedSeries, ArchivedStudy, FoundStudies

_UID, _STUDY = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_MODALITIES = ("", "PT", "MR", "CT", "NM", "OT")
_WIDE = 3
"""Column of the description."""


class ArchiveDialog(QDialog):
    """Asks nothing of any archive before Search is pressed."""

    set_up_wanted = Signal()
    """Archives are to be set up."""
    open_wanted = Signal(object)
    """Folder of a retrieved study."""

    def __init__(self, service: ArchiveService, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._service = service
        self.setWindowTitle(self.tr("Archive"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(980, 620)
        self.archive = QComboBox()
        self.archive.setAccessibleName(self.tr("Archive"))
        self.archive.setMinimumWidth(200)
        self.set_up = QPushButton(self.tr("Set up archives…"))
        self._make_fields()
        self.tree = self._make_tree()
        self.message = Card(closable=True)
        self.warning = QLabel()
        self.warning.setObjectName("hint")
        self.warning.setWordWrap(True)
        self.folder = QLabel()
        self.folder.setObjectName("hint")
        self.folder.setWordWrap(True)
        self.clear = QPushButton(self.tr("Clear"))
        self.work = WorkRow()
        self.retrieve = QPushButton(self.tr("Retrieve and open"))
        for button in (self.set_up, self.clear, self.retrieve):
            button.setAutoDefault(False)
        self._rows: dict[str, NodeRow] = {}
        """The archives by name."""
        self._searched: NodeRow | None = None
        """The archive on show: what the tree lists is of it."""
        self._says_none = False
        """The message is that there is no archive."""
        self._lay_out()
        self._connect()
        self._update()
        service.refresh()

    def _make_fields(self) -> None:
        self.name, self.patient_id, self.accession = (QLineEdit() for _ in range(3))
        self.name.setPlaceholderText(self.tr("beginning, or with * and ?"))
        self.modality = QComboBox()
        self.modality.setEditable(True)
        self.modality.addItems(list(_MODALITIES))
        self.first, self.last = QLineEdit(), QLineEdit()
        for field in (self.first, self.last):
            field.setPlaceholderText(self.tr("YYYY-MM-DD"))
        self.search = QPushButton(self.tr("Search"))
        self.search.setDefault(True)

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setAccessibleName(self.tr("Studies"))
        tree.setHeaderLabels(
            [
                self.tr("Date"),
                self.tr("Patient"),
                "ID",
                self.tr("Description"),
                self.tr("Modality"),
                self.tr("Images"),
            ]
        )
        header = tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_WIDE, QHeaderView.ResizeMode.Stretch)
        tree.setUniformRowHeights(True)
        return tree

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(QLabel(self.tr("Archive")))
        top.addWidget(self.archive)
        top.addWidget(self.set_up)
        top.addStretch(1)
        left, right = QFormLayout(), QFormLayout()
        columns = (
            (
                left,
                (
                    (self.tr("Patient's name"), self.name),
                    (self.tr("Patient's ID"), self.patient_id),
                    (self.tr("Accession number"), self.accession),
                ),
            ),
            (
                right,
                (
                    (self.tr("Modality"), self.modality),
                    (self.tr("From"), self.first),
                    (self.tr("To"), self.last),
                ),
            ),
        )
        both = QHBoxLayout()
        for form, rows in columns:
            for title, field in rows:
                field.setAccessibleName(title)
                form.addRow(title, field)
            centre_labels(form)
            both.addLayout(form, 1)
        both.addWidget(self.search, 0, Qt.AlignmentFlag.AlignBottom)
        told = QHBoxLayout()
        told.addWidget(self.folder, 1)
        told.addWidget(self.clear)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(self.retrieve, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(top)
        layout.addWidget(self.warning)
        layout.addLayout(both)
        layout.addWidget(self.message)
        layout.addWidget(self.tree, 1)
        layout.addLayout(told)
        layout.addWidget(self.work)
        layout.addWidget(buttons)

    def _connect(self) -> None:
        self.set_up.clicked.connect(self.set_up_wanted)
        self.search.clicked.connect(self._search)
        self.retrieve.clicked.connect(self._retrieve)
        self.clear.clicked.connect(self._clear)
        self.archive.currentTextChanged.connect(self._archive_chosen)
        self.tree.itemExpanded.connect(self._expanded)
        self.tree.itemSelectionChanged.connect(self._update)
        self.work.ended.connect(self._update)
        self._service.listed.connect(self._listed)
        self.finished.connect(lambda _: self.work.stop())

    # --- archives --------------------------------------------------------------------------

    def _listed(self, listing: ArchiveListing) -> None:
        self._rows = {row.form.name: row for row in listing.rows}
        wanted = self.archive.currentText()
        with QSignalBlocker(self.archive):
            self.archive.clear()
            self.archive.addItems(list(self._rows))
            self.archive.setCurrentText(wanted)
        self._archive_chosen(self.archive.currentText())
        self._show_folder(listing.folder)
        if listing.rows and self._says_none:
            self.message.hide()
        self._says_none = not listing.rows
        if self._says_none:
            text = self.tr("No archive is set up yet. Nothing is connected before one is.")
            self.message.show_message(text)
        self._update()

    def _archive_chosen(self, name: str) -> None:
        row = self._rows.get(name)
        if row != self._searched:  # studies are those of the archive that is named
            self._searched = row
            self.tree.clear()
        self.warning.setText("" if row is None else row.warning)
        self.warning.setVisible(bool(self.warning.text()))
        self._update()

    def _show_folder(self, folder: Folder) -> None:
        text = self.tr("Retrieved studies stay in {0} until you clear it ({1} MB).")
        self.folder.setText(text.format(folder.path, number(folder.size / 1e6, ".1f")))
        self.clear.setEnabled(folder.size > 0)

    def _clear(self) -> None:
        follow(self._service.clear(), lambda _: None, self._failed)

    # --- search ----------------------------------------------------------------------------

    @property
    def form(self) -> SearchForm:
        """What is typed."""
        return SearchForm(
            patient_name=self.name.text(),
            patient_id=self.patient_id.text(),
            accession=self.accession.text(),
            modality=self.modality.currentText(),
            first=self.first.text(),
            last=self.last.text(),
        )

    def _search(self) -> None:
        name = self.archive.currentText()
        if not name or self.work.busy:
            return
        self.message.hide()
        self.tree.clear()
        found = partial(self._found, self._searched)
        job = follow(self._service.search(name, self.form), found, self._failed)
        self.work.watch(job, self.tr("Searching…"))
        self._update()

    def _found(self, searched: NodeRow | None, found: FoundStudies) -> None:
        if searched != self._searched:  # another archive was chosen meanwhile
            return
        for study in found.studies:
            self.tree.addTopLevelItem(_study_item(study))
        if found.more:
            text = self.tr("There are more studies than these: say more of what you look for.")
            self.message.show_message(text)
        elif not found.studies:
            self.message.show_message(self.tr("No study matches."))
        else:
            self.tree.setCurrentIndex(self.tree.model().index(0, 0))
            self.tree.setFocus()

    def _expanded(self, item: QTreeWidgetItem) -> None:
        if item.childCount() or item.data(0, _STUDY):
            return
        uid = item.data(0, _UID)
        job = self._service.series(self.archive.currentText(), uid)
        follow(job, partial(self._show_series, self._searched, uid), self._failed)

    def _show_series(
        self, searched: NodeRow | None, uid: str, series: tuple[ArchivedSeries, ...]
    ) -> None:
        if searched != self._searched:
            return
        for row in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(row)
            if item is not None and item.data(0, _UID) == uid and not item.childCount():
                item.addChildren([_series_item(one) for one in series])

    # --- retrieval -------------------------------------------------------------------------

    def _wanted(self) -> tuple[str, frozenset[str]]:
        """UID of the study, and those of the series that are selected; none for all."""
        item = self.tree.currentItem()
        if item is None:
            return "", frozenset()
        study = item.data(0, _STUDY)
        if study:
            return study, frozenset([item.data(0, _UID)])
        return item.data(0, _UID), frozenset()

    def _retrieve(self) -> None:
        study, chosen = self._wanted()
        if not study or self.work.busy:
            return
        self.message.hide()
        name = self.archive.currentText()
        job = follow(self._service.retrieve(name, study, chosen), self._retrieved, self._failed)
        for end in (job.finished, job.failed, job.cancelled):
            end.connect(self._service.refresh)  # what has arrived is there, and can be cleared
        self.work.watch(job, self.tr("Retrieving…"))
        self._update()

    def _retrieved(self, found: Retrieved) -> None:
        half = [one for one in found.series if not one.is_whole]
        if not half:
            self.open_wanted.emit(found.folder)
            self.accept()
            return
        text = self.tr("{0}: {1} of {2} images arrived, so it is not opened. {3}")
        parts = [
            text.format(one.series.modality, one.arrived, one.expected, translate(one.why))
            for one in half
        ]
        again = self.tr("Retrieve again to go on with what is missing.")
        self.message.show_message(" ".join((*parts, again)))

    def _failed(self, error: FusionError) -> None:
        self.message.show_message(translate(error.message))

    def _update(self) -> None:
        ready = bool(self.archive.currentText()) and not self.work.busy
        self.search.setEnabled(ready)
        self.retrieve.setEnabled(ready and self.tree.currentItem() is not None)


def _study_item(study: ArchivedStudy) -> QTreeWidgetItem:
    day = study.date
    if len(day) == 8:
        day = f"{day[:4]}-{day[4:6]}-{day[6:]}"
    images = "" if study.images is None else number(study.images, ",")
    item = QTreeWidgetItem(
        [
            day,
            study.patient_name,
            study.patient_id,
            study.description,
            ", ".join(study.modalities),
            images,
        ]
    )
    item.setData(0, _UID, study.uid)
    item.setChildIndicatorPolicy(QTreeWidgetItem.ChildIndicatorPolicy.ShowIndicator)
    return item


def _series_item(series: ArchivedSeries) -> QTreeWidgetItem:
    order = "" if series.number is None else str(series.number)
    images = "" if series.images is None else number(series.images, ",")
    item = QTreeWidgetItem([order, "", "", series.description, series.modality, images])
    item.setData(0, _UID, series.uid)
    item.setData(0, _STUDY, series.study_uid)
    return item
