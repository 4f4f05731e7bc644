"""Commands that the page of a workspace carries out, in menus, by key and in the palette."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject

from app.commands.actions import Actions
from app.shell.workspaces import Workspaces
from app.widgets.page import Page


class PageCommands(QObject):
    """Enables the commands that the page on show offers, and passes them on to it."""

    def __init__(self, actions: Actions, workspaces: Workspaces, parent: QObject) -> None:
        super().__init__(parent)
        self._actions = actions
        self._workspaces = workspaces
        self._followed: set[str] = set()
        for name, action in actions.of_pages.items():
            action.triggered.connect(partial(self._run, name))
        workspaces.chosen.connect(self._show)

    def _page(self) -> Page | None:
        return self._workspaces.pages.get(self._workspaces.current)

    def _run(self, name: str, _checked: bool = False) -> None:
        page = self._page()
        run = page.commands.get(name) if page is not None else None
        if run is not None:
            run()

    def _show(self, current: str) -> None:
        page = self._page()
        if page is not None and current not in self._followed:
            self._followed.add(current)
            page.commands_changed.connect(self._provide)
        self._provide()

    def _provide(self) -> None:
        page = self._page()
        self._actions.provide(page.commands if page is not None else (), by="page")
