"""The dialog to change shortcuts, which shows conflicts at once."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.commands.registry import CommandRegistry, clashes, native, normal

_ID = Qt.ItemDataRole.UserRole


class ShortcutDraft:
    """A draft of all shortcuts; the registry is unchanged until :meth:`changed` is applied."""

    def __init__(self, registry: CommandRegistry) -> None:
        self._registry = registry
        self.keys = {command.id: registry.keys_of(command.id) for command in registry}

    def owner(self, key: str, besides: str) -> str:
        """The command (other than ``besides``) with a shortcut in conflict with ``key``, or ""."""
        wanted = normal(key)
        for name, keys in self.keys.items():
            if wanted and name != besides and any(clashes(wanted, other) for other in keys):
                return name
        return ""

    def take(self, name: str, key: str) -> None:
        """Add ``key`` to a command, and remove it from any other one."""
        wanted = normal(key)
        if not wanted:
            return
        for other, keys in self.keys.items():
            if other != name:
                self.keys[other] = tuple(k for k in keys if not clashes(wanted, k))
        own = tuple(k for k in self.keys[name] if not clashes(wanted, k))
        self.keys[name] = (*own, wanted)

    def clear(self, name: str) -> None:
        """Remove all shortcuts of a command."""
        self.keys[name] = ()

    def reset(self, name: str) -> None:
        """Restore the default shortcuts of a command, and remove them from other ones."""
        self.clear(name)
        for key in self._registry.defaults(name):
            self.take(name, key)

    def reset_all(self) -> None:
        """Restore all default shortcuts."""
        self.keys = {command.id: self._registry.defaults(command.id) for command in self._registry}

    def changed(self) -> dict[str, tuple[str, ...]]:
        """Commands whose shortcuts differ from the defaults, with their shortcuts."""
        return {n: keys for n, keys in self.keys.items() if keys != self._registry.defaults(n)}


class ShortcutEditor(QDialog):
    """Edits a draft of a registry's shortcuts; OK applies it."""

    def __init__(self, registry: CommandRegistry, parent: QWidget) -> None:
        super().__init__(parent)
        self._registry = registry
        self.draft = ShortcutDraft(registry)
        self.setWindowTitle(self.tr("Change keyboard shortcuts"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.list = QTreeWidget()
        self.list.setObjectName("commandTree")
        self.list.ensurePolished()
        self.list.setAccessibleName(self.tr("Commands and their keys"))
        self.list.setHeaderLabels([self.tr("Command"), self.tr("Keys")])
        self.list.setRootIsDecorated(False)
        self.edit = QKeySequenceEdit()
        self.edit.setAccessibleName(self.tr("New key"))
        self.edit.setMaximumSequenceLength(1)
        self.edit.setClearButtonEnabled(True)
        self.take = QPushButton(self.tr("Add key"))
        self.clear = QPushButton(self.tr("No keys"))
        self.reset = QPushButton(self.tr("Reset"))
        self.conflict = QLabel()
        self.conflict.setWordWrap(True)
        self.conflict.setAccessibleName(self.tr("Conflict"))
        self._lay_out()
        self.list.currentItemChanged.connect(lambda *_: self._show_conflict())
        self.edit.keySequenceChanged.connect(lambda *_: self._show_conflict())
        self.take.clicked.connect(self._take)
        self.clear.clicked.connect(lambda: self._do(self.draft.clear))
        self.reset.clicked.connect(lambda: self._do(self.draft.reset))
        self._fill()
        first = self.list.topLevelItem(0)
        assert first is not None  # the registry is never empty
        self.list.setCurrentItem(first)
        self.resize(560, 560)

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.edit, 1)
        for button in (self.take, self.clear, self.reset):
            button.setAutoDefault(False)
            row.addWidget(button)
        standard = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(standard.Ok | standard.Cancel | standard.RestoreDefaults)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.buttons.button(standard.RestoreDefaults).clicked.connect(self._reset_all)
        layout = QVBoxLayout(self)
        layout.addWidget(self.list, 1)
        layout.addLayout(row)
        layout.addWidget(self.conflict)
        layout.addWidget(self.buttons)

    def select(self, name: str) -> None:
        """Select a command."""
        for index in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(index)
            if item is not None and item.data(0, _ID) == name:
                self.list.setCurrentItem(item)

    def accept(self) -> None:
        """Apply the draft."""
        self._registry.apply_keys(self.draft.changed())
        super().accept()

    @property
    def _current(self) -> str:
        item = self.list.currentItem()
        return str(item.data(0, _ID)) if item is not None else ""

    def _pressed(self) -> str:
        return self.edit.keySequence().toString()

    def _fill(self) -> None:
        for group, commands in self._registry.groups().items():
            for command in commands:
                title = f"{group}: {self._registry.title(command.id)}"
                item = QTreeWidgetItem(self.list, [title, ""])
                item.setData(0, _ID, command.id)
        self._show()

    def _show(self) -> None:
        for index in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(index)
            if item is not None:
                item.setText(1, native(self.draft.keys[item.data(0, _ID)]))
        self.list.resizeColumnToContents(0)
        self._show_conflict()

    def _show_conflict(self) -> None:
        key, name = self._pressed(), self._current
        owner = self.draft.owner(key, name) if key else ""
        text = ""
        if owner:
            text = self.tr("{0} belongs to “{1}”. It will be taken from there.")
            text = text.format(native([key]), self._registry.title(owner))
        self.conflict.setText(text)
        self.take.setText(self.tr("Take key") if owner else self.tr("Add key"))
        self.take.setEnabled(bool(key and name))

    def _take(self) -> None:
        self._do(lambda name: self.draft.take(name, self._pressed()))
        self.edit.clear()

    def _do(self, change: Callable[[str], None]) -> None:
        if self._current:
            change(self._current)
            self._show()

    def _reset_all(self) -> None:
        self.draft.reset_all()
        self._show()
