"""The command palette: type a few letters, press Enter."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QDialog, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from app.habits.fuzzy import ranked
from app.habits.registry import Registry, native

_ID = Qt.ItemDataRole.UserRole
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class Palette(QDialog):
    """Lists the commands that fit what was typed; runs the chosen one once it has closed."""

    def __init__(self, registry: Registry, parent: QWidget) -> None:
        super().__init__(parent)
        self._registry = registry
        self.setWindowTitle(self.tr("Command palette"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.filter = QLineEdit()
        self.filter.setAccessibleName(self.tr("Find a command"))
        self.filter.setPlaceholderText(self.tr("Find a command…"))
        self.filter.textChanged.connect(self._fill)
        self.filter.returnPressed.connect(self._run_current)
        self.filter.installEventFilter(self)
        self.list = QTreeWidget()
        self.list.setAccessibleName(self.tr("Commands"))
        self.list.setColumnCount(3)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.itemActivated.connect(lambda _item: self._run_current())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addWidget(self.filter)
        layout.addWidget(self.list)
        self.resize(520, 380)
        self._commands = [
            (command.id, registry.title(command.id), group)
            for group, commands in registry.groups().items()
            for command in commands
            if command.id != "help.palette"
        ]
        self._fill("")

    def shown(self) -> list[str]:
        """Ids of the commands listed, in order."""
        items = (self.list.topLevelItem(i) for i in range(self.list.topLevelItemCount()))
        return [item.data(0, _ID) for item in items if item is not None]

    def _fill(self, wanted: str) -> None:
        self.list.clear()
        texts = [f"{title} {group}" for _name, title, group in self._commands]
        for index in ranked(wanted, texts):
            name, title, group = self._commands[index]
            keys = native(self._registry.keys_of(name))
            item = QTreeWidgetItem(self.list, [title, group, keys])
            item.setData(0, _ID, name)
            item.setDisabled(not self._registry.action(name).isEnabled())
        for column in range(3):
            self.list.resizeColumnToContents(column)
        self._choose_first_usable()

    def _choose_first_usable(self) -> None:
        for place in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(place)
            if item is not None and not item.isDisabled():
                self.list.setCurrentItem(item)
                return

    def _run_current(self) -> None:
        item = self.list.currentItem()
        if item is None or item.isDisabled():
            return
        action = self._registry.action(item.data(0, _ID))
        # What the command opens must not be behind this window.
        self.accept()
        action.trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The arrow keys move in the list while the letters go into the field."""
        if event.type() == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            if event.key() in _MOVES:
                self.list.event(event)
                return True
        return super().eventFilter(watched, event)
