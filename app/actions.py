"""Everything the window can do, as named actions with their keys."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenuBar, QWidget

from app import theme


class Actions(QObject):
    """All actions; the menus, the top bar and the key sheet are made from them."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        make = self._make
        self.open = make(self.tr("Open…"), "folder-open-outline", "Ctrl+O")
        self.sample = make(self.tr("Open sample pair"), "image-multiple-outline")
        self.save = make(self.tr("Save fused…"), "content-save-outline", "Ctrl+S", "Ctrl+E")
        self.quit = make(self.tr("Quit"), "", "Ctrl+Q")
        self.fuse = make(self.tr("Fuse"), "", "Return", "Enter")
        self.cancel = make(self.tr("Cancel"), "close", "Esc")
        self.swap = make(self.tr("Swap A and B"), "swap-horizontal", "Ctrl+T")
        self.fit = make(self.tr("Fit pictures"), "fit-to-screen-outline", "R", "Ctrl+0")
        self.one_to_one = make(self.tr("Actual size (1:1)"), "", "Z")
        self.maximise = make(self.tr("Maximise pane"), "arrow-expand", "F")
        self.keys = make(self.tr("Keyboard shortcuts"), "", "F1")
        theme.set_icon(self.fuse, "play", "on_accent")
        for action in self.all():
            window.addAction(action)

    def _make(self, text: str, icon: str, *keys: str) -> QAction:
        action = QAction(text, self)
        if icon:
            theme.set_icon(action, icon)
        action.setShortcuts([QKeySequence(key) for key in keys])
        name = text.rstrip("…")
        shown = ", ".join(QKeySequence(key).toString() for key in keys)
        action.setToolTip(f"{name} ({shown})" if shown else name)
        action.setStatusTip(name)
        action.setObjectName(name)
        return action

    def all(self) -> list[QAction]:
        """Every action, in menu order."""
        return [value for value in vars(self).values() if isinstance(value, QAction)]

    def fill_menus(self, bar: QMenuBar) -> None:
        """Put every action in a menu."""
        menus = (
            (self.tr("&File"), (self.open, self.sample, self.save, None, self.quit)),
            (self.tr("F&use"), (self.fuse, self.cancel, self.swap)),
            (self.tr("&View"), (self.fit, self.one_to_one, self.maximise)),
            (self.tr("&Help"), (self.keys,)),
        )
        for title, actions in menus:
            menu = bar.addMenu(title)
            for action in actions:
                if action is None:
                    menu.addSeparator()
                else:
                    menu.addAction(action)
