"""The command palette: fuzzy search for commands, tasks, methods, pairs and files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.commands.fuzzy import Texts
from app.commands.registry import CommandRegistry, native
from app.i18n.numbers import filled
from app.i18n.translate import plural

_ID = Qt.ItemDataRole.UserRole
_PLACE = Qt.ItemDataRole.UserRole + 1
_MOVES = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
MOST = 150
"""Maximum number of rows, which limits the time to build the list."""


@dataclass(frozen=True)
class PaletteEntry:
    """An entry of the palette.

    Attributes:
        id: unique name, “kind:name”.
        title: displayed name.
        kind: displayed kind (“Pair”).
        run: called when it is chosen.
        words: further text to search.
        keys: its shortcuts, in native notation.
        enabled: False where it is unavailable at present.
    """

    id: str
    title: str
    kind: str
    run: Callable[[], object]
    words: str = ""
    _: KW_ONLY
    keys: str = ""
    enabled: bool = True


class CommandPalette(QDialog):
    """Lists the entries that match the query; the chosen one is run after closing."""

    def __init__(
        self, registry: CommandRegistry, parent: QWidget, more: Sequence[PaletteEntry] = ()
    ) -> None:
        """
        Args:
            registry: commands, listed first.
            more: further entries.
        """
        super().__init__(parent)
        self.setWindowTitle(self.tr("Command palette"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.filter = QLineEdit()
        self.filter.setAccessibleName(self.tr("Find a command, method, pair or file"))
        self.filter.setPlaceholderText(self.tr("Find a command, method, pair or file…"))
        self.filter.textChanged.connect(self._fill)
        self.filter.returnPressed.connect(self._run_current)
        self.filter.installEventFilter(self)
        self.list = QTreeWidget()
        self.list.setAccessibleName(self.tr("What fits"))
        self.list.setObjectName("commandTree")
        self.list.setColumnCount(3)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.list.ensurePolished()
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.itemActivated.connect(lambda _item: self._run_current())
        self.rest = QLabel()
        self.rest.setObjectName("hint")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 10, 10, 10)
        layout.addWidget(self.filter)
        layout.addWidget(self.list)
        layout.addWidget(self.rest)
        self.resize(760, 420)
        self._finds = [*_commands(registry), *more]
        self._texts = Texts(f"{f.title} {f.kind} {f.words}" for f in self._finds)
        self._fill("")

    def shown(self) -> list[str]:
        """Ids of the listed entries, in order."""
        items = (self.list.topLevelItem(i) for i in range(self.list.topLevelItemCount()))
        return [item.data(0, _ID) for item in items if item is not None]

    def _fill(self, wanted: str) -> None:
        self.list.clear()
        fitting, count = self._texts.best(wanted, MOST)
        items = []
        for place in fitting:
            find = self._finds[place]
            item = QTreeWidgetItem([find.title, find.kind, find.keys])
            item.setToolTip(0, find.title)
            item.setData(0, _ID, find.id)
            item.setData(0, _PLACE, place)
            item.setDisabled(not find.enabled)
            items.append(item)
        self.list.addTopLevelItems(items)
        left = count - len(fitting)
        text = plural("{0:,} more: type to find it.", "{0:,} more: type to find them.", left)
        self.rest.setText(filled(text, left))
        self.rest.setVisible(left > 0)
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
        find = self._finds[item.data(0, _PLACE)]
        # A window opened by the entry must not be behind this one.
        self.accept()
        find.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Forward the arrow keys from the search field to the list."""
        if event.type() == QEvent.Type.KeyPress:
            assert isinstance(event, QKeyEvent)
            if event.key() in _MOVES:
                self.list.event(event)
                return True
        return super().eventFilter(watched, event)


def _commands(registry: CommandRegistry) -> list[PaletteEntry]:
    """Entries of all commands but the palette's own; a check mark shows active toggles."""
    found = []
    for group, commands in registry.groups().items():
        for command in commands:
            if command.id == "help.palette":
                continue
            action, keys = registry.action(command.id), native(registry.keys_of(command.id))
            title = f"{registry.title(command.id)}{' ✓' if action.isChecked() else ''}"
            run, enabled = action.trigger, action.isEnabled()
            found.append(PaletteEntry(command.id, title, group, run, keys=keys, enabled=enabled))
    return found
