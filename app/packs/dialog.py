"""The dialog Tools > Model packs: list, details and management of the packs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, QUrl
from PySide6.QtGui import (
    QFont,
    QKeySequence,
    QShortcut,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
    QTextTable,
)
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QSplitter,
    QTextBrowser,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.i18n.numbers import number
from app.i18n.translate import translate, translate_error
from app.packs.service import PackService
from app.packs.tasks import DeletedPack, PackListing, PackRow
from app.widgets.cards import Card, ErrorCard, text_label
from app.widgets.forms import centre_labels
from core.errors import FusionError
from core.tasks import TASKS

_SUFFIX = ".safetensors"
_ROW = Qt.ItemDataRole.UserRole
_TITLE = 0


class CardView(QTextBrowser):
    """Shows a model card without loading any resource: packs may come from untrusted sources."""

    def show_card(self, markdown: str) -> None:
        """Show a card with small headings."""
        self.setMarkdown(markdown)
        heading = QTextCharFormat()
        heading.setFontWeight(QFont.Weight.Bold)
        heading.setProperty(QTextFormat.Property.FontSizeAdjustment, 1)
        block = self.document().begin()
        while block.isValid():
            if block.blockFormat().headingLevel():
                cursor = QTextCursor(block)
                cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
                cursor.mergeCharFormat(heading)
            block = block.next()
        self._drop_empty_headings()

    def _drop_empty_headings(self) -> None:
        """Remove empty header rows, which Markdown requires in every table."""
        for frame in self.document().rootFrame().childFrames():
            if not isinstance(frame, QTextTable) or frame.rows() < 2:
                continue
            cells = [frame.cellAt(0, column) for column in range(frame.columns())]
            if all(cell.firstPosition() == cell.lastPosition() for cell in cells):
                frame.removeRows(0, 1)

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Load nothing; returns None."""
        return None


class PacksDialog(QDialog):
    """A non-modal list of the packs; commands are carried out by a :class:`PackService`."""

    def __init__(self, work: PackService, task: str, parent: QWidget | None = None) -> None:
        """Args: ``task``: its default pack is selected initially."""
        super().__init__(parent)
        self._work = work
        self._task = task
        self._wanted = ""
        self.rows: tuple[PackRow, ...] = ()
        self.setWindowTitle(self.tr("Model packs"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(1000, 600)
        self.tree = self._make_tree()
        self.card = CardView()
        self.card.setOpenLinks(False)
        self.card.setAccessibleName(self.tr("Model card"))
        self.facts = {
            name: text_label() for name in ("parent", "licence", "trained", "scores", "file")
        }
        self.error = ErrorCard()
        self.error.copy.hide()
        self.message = Card(closable=True)
        self.undo: Card | None = None
        self._make_buttons()
        self._lay_out()
        self._connect()
        self._choose(None)
        work.refresh()

    def _make_tree(self) -> QTreeWidget:
        tree = QTreeWidget()
        tree.setAccessibleName(self.tr("Model packs"))
        tree.setHeaderLabels(
            [
                self.tr("Pack"),
                self.tr("Default"),
                self.tr("From"),
                "Qabf",
                self.tr("Size"),
            ]
        )
        tree.setObjectName("packTree")
        tree.setRootIsDecorated(False)
        tree.setIndentation(14)
        tree.setEditTriggers(QTreeWidget.EditTrigger.EditKeyPressed)
        header = tree.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(_TITLE, QHeaderView.ResizeMode.Stretch)
        return tree

    def _make_buttons(self) -> None:
        self.import_ = QPushButton(self.tr("Import…"))
        self.import_.setToolTip(self.tr("Take in a pack file; it is checked and never run"))
        self.export = QPushButton(self.tr("Export…"))
        self.rename = QPushButton(self.tr("Rename"))
        self.delete = QPushButton(self.tr("Delete"))
        self.default = QPushButton(self.tr("Make default"))
        self.default.setToolTip(self.tr("Fuse with it where no other pack is chosen"))
        for button in self.buttons:
            button.setAutoDefault(False)
        self.close_box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)

    @property
    def buttons(self) -> tuple[QPushButton, ...]:
        """The buttons, in order."""
        return self.import_, self.export, self.rename, self.delete, self.default

    def _lay_out(self) -> None:
        facts = QFormLayout()
        facts.setHorizontalSpacing(12)
        titles = (
            ("parent", self.tr("Parent")),
            ("trained", self.tr("Steps / pairs")),
            ("scores", self.tr("Scores")),
            ("licence", self.tr("Licence")),
            ("file", self.tr("File")),
        )
        for name, title in titles:
            facts.addRow(title, self.facts[name])
        centre_labels(facts)
        side = QWidget()
        right = QVBoxLayout(side)
        right.setContentsMargins(0, 0, 0, 0)
        right.addLayout(facts)
        right.addWidget(self.card, 1)
        split = QSplitter()
        split.addWidget(self.tree)
        split.addWidget(side)
        split.setChildrenCollapsible(False)
        split.setSizes([560, 440])
        row = QHBoxLayout()
        for button in self.buttons:
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.close_box)
        self._bars = QVBoxLayout()
        self._bars.addWidget(self.error)
        self._bars.addWidget(self.message)
        layout = QVBoxLayout(self)
        layout.addLayout(self._bars)
        layout.addWidget(split, 1)
        layout.addLayout(row)

    def _connect(self) -> None:
        work = self._work
        work.listed.connect(self._show)
        work.failed.connect(self._fail)
        work.added.connect(self._added)
        work.exported.connect(self._exported)
        work.deleted.connect(self._deleted)
        self.tree.currentItemChanged.connect(lambda item: self._choose(item))
        self.tree.itemChanged.connect(self._edited)
        self.import_.clicked.connect(self._ask_import)
        self.export.clicked.connect(self._ask_export)
        self.rename.clicked.connect(self._rename)
        self.delete.clicked.connect(self._delete)
        self.default.clicked.connect(self._make_default)
        self.close_box.rejected.connect(self.reject)
        QShortcut(QKeySequence.StandardKey.Delete, self.tree, self.delete.click)

    # --- the list --------------------------------------------------------------------------

    @property
    def chosen(self) -> PackRow | None:
        """The selected pack."""
        item = self.tree.currentItem()
        return item.data(_TITLE, _ROW) if item is not None else None

    def item_of(self, name: str) -> QTreeWidgetItem | None:
        """The tree item of a pack."""
        every = Qt.MatchFlag.MatchContains | Qt.MatchFlag.MatchRecursive
        for item in self.tree.findItems("", every):
            found = item.data(_TITLE, _ROW)
            if found is not None and found.name == name:
                return item
        return None

    def _show(self, listing: PackListing) -> None:
        chosen = self.chosen
        wanted = self._wanted or (chosen.name if chosen is not None else "")
        self.rows = listing.rows
        with QSignalBlocker(self.tree):
            self.tree.clear()
            for task in TASKS.values():
                rows = [row for row in listing.rows if row.task == task.name]
                self._add_group(translate(task.title), [self._pack_item(row) for row in rows])
            if listing.broken:
                items = [_broken_item(path, why) for path, why in listing.broken]
                self._add_group(self.tr("Cannot be used"), items)
            self.tree.expandAll()
        own = next((r.name for r in self.rows if r.default and r.task == self._task), "")
        item = self.item_of(wanted) or self.item_of(own)
        if item is not None:
            self.tree.setCurrentItem(item)
        self._choose(item)

    def _add_group(self, title: str, items: list[QTreeWidgetItem]) -> None:
        head = QTreeWidgetItem([title])
        font = QFont(self.tree.font())
        font.setBold(True)
        head.setFont(_TITLE, font)
        head.setFlags(Qt.ItemFlag.ItemIsEnabled)
        self.tree.addTopLevelItem(head)
        head.setFirstColumnSpanned(True)
        head.addChildren(items or [self._nothing()])

    def _nothing(self) -> QTreeWidgetItem:
        item = QTreeWidgetItem([self.tr("None yet")])
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        return item

    def _pack_item(self, row: PackRow) -> QTreeWidgetItem:
        origin = self.tr("Built in") if row.embedded else self.tr("Yours")
        default = self.tr("✓ default") if row.default else ""
        size = self.tr("{0} MB").format(number(row.size / 1e6, ".1f"))
        item = QTreeWidgetItem([row.title, default, origin, row.quality, size])
        item.setData(_TITLE, _ROW, row)
        item.setToolTip(_TITLE, row.name)
        if not row.embedded:
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        return item

    def _rename(self) -> None:
        item = self.tree.currentItem()
        if item is not None:
            self.tree.editItem(item, _TITLE)

    def _choose(self, item: QTreeWidgetItem | None) -> None:
        row = item.data(_TITLE, _ROW) if item is not None else None
        own = row is not None and not row.embedded
        self.export.setEnabled(row is not None)
        self.rename.setEnabled(own)
        self.delete.setEnabled(own)
        self.default.setEnabled(row is not None and not row.default)
        kept = self.tr("Built-in packs stay as they are") if row is not None and not own else ""
        for button in (self.rename, self.delete):
            button.setToolTip(kept)
        said = dict.fromkeys(self.facts, "")
        if row is not None:
            said = {
                "parent": row.parent or self.tr("none", "parent"),
                "trained": row.trained,
                "scores": row.scores or self.tr("not measured"),
                "licence": row.licence or self.tr("not stated"),
                "file": row.path.name,
            }
        for name, text in said.items():
            self.facts[name].setText(text)
        self.card.show_card(row.card if row is not None else "")

    # --- commands --------------------------------------------------------------------------

    def _ask_import(self) -> None:
        dialog = QFileDialog(self, self.tr("Import a model pack"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        patterns = (self.tr("Model packs") + f" (*{_SUFFIX})", self.tr("All files") + " (*)")
        dialog.setNameFilters(patterns)
        dialog.filesSelected.connect(lambda names: self.import_files([Path(n) for n in names]))
        dialog.open()

    def import_files(self, paths: list[Path]) -> None:
        """Import files, one after the other."""
        self._clear()
        for path in paths:
            self._work.import_file(path)

    def _ask_export(self) -> None:
        row = self.chosen
        if row is None:
            return
        dialog = QFileDialog(self, self.tr("Export model pack"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(_SUFFIX[1:])
        dialog.selectFile(row.path.name)
        dialog.fileSelected.connect(lambda name: self._work.export(row, Path(name)))
        dialog.open()

    def _edited(self, item: QTreeWidgetItem, column: int) -> None:
        row, title = item.data(_TITLE, _ROW), item.text(_TITLE).strip()
        if column == _TITLE and row is not None and title != row.title:
            self._clear()
            if title:
                self._work.rename(row, title)
            else:
                self._work.refresh()

    def _delete(self) -> None:
        row = self.chosen
        if row is not None and not row.embedded:
            self._clear()
            self._work.delete(row)

    def _make_default(self) -> None:
        row = self.chosen
        if row is not None:
            self._clear()
            self._wanted = row.name
            self._work.make_default(row)

    # --- answers ---------------------------------------------------------------------------

    def _clear(self) -> None:
        self.error.hide()
        self.message.show_message("")
        if self.undo is not None:
            self.undo.hide()
            self.undo.deleteLater()
            self.undo = None

    def _added(self, name: str) -> None:
        self._wanted = name

    def _exported(self, path: Path) -> None:
        self.message.show_message(self.tr("Exported to {0}").format(path))

    def _deleted(self, deleted: DeletedPack) -> None:
        self._wanted = ""
        text = self.tr("“{0}” was deleted.").format(deleted.title)
        self.undo = Card(text, (("undo", self.tr("Undo")), ("ok", self.tr("OK"))))
        self.undo.answered.connect(partial(self._answered, deleted))
        self._bars.addWidget(self.undo)

    def _answered(self, deleted: DeletedPack, answer: str) -> None:
        self._clear()
        if answer == "undo":
            self._work.restore(deleted)
        else:
            self._work.purge()

    def _fail(self, error: FusionError) -> None:
        self.error.show_error(*translate_error(error), "", "")
        self._work.refresh()

    def done(self, result: int) -> None:
        """Close the dialog; deleted packs cannot be restored any more."""
        self._work.purge()
        super().done(result)


def _broken_item(path: Path, why: str) -> QTreeWidgetItem:
    item = QTreeWidgetItem([path.name])
    item.setToolTip(_TITLE, why)
    item.setFlags(Qt.ItemFlag.ItemIsEnabled)
    return item
