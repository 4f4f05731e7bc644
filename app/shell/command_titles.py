"""Titles of commands that depend on the state: patient or folder, one pane or all."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QTabBar

from app.commands.actions import Actions
from app.fuse.page import FusePage
from app.fuse.state import FuseState


class CommandTitles(QObject):
    """Updates the titles of a window's commands and the tooltips of its tabs."""

    def __init__(
        self, actions: Actions, session: FuseState, view: FusePage, tabs: QTabBar, parent: QObject
    ) -> None:
        """
        Args:
            tabs: tabs of the workspaces, in the order of ``actions.workspaces``.
        """
        super().__init__(parent)
        self._actions = actions
        self._session = session
        self._view = view
        self._tabs = tabs
        session.task_changed.connect(self._name_groups)
        view.link.changed.connect(self._name_maximise)
        for place, action in enumerate(self._actions.workspaces.values()):
            action.changed.connect(partial(self._explain_tab, place, action))
            self._explain_tab(place, action)
        self._name_groups()

    def _name_groups(self) -> None:
        """Call the groups of pairs patients for medical tasks, else folders."""
        medical = self._session.task.medical
        before = self.tr("Previous patient") if medical else self.tr("Previous folder")
        after = self.tr("Next patient") if medical else self.tr("Next folder")
        self._actions.previous_patient.setText(before)
        self._actions.next_patient.setText(after)

    def _name_maximise(self) -> None:
        """Name the command that maximises a pane by what it would do now."""
        alone = bool(self._view.maximised)
        text = self.tr("Show all panes") if alone else self.tr("Maximise pane")
        self._actions.maximise.setText(text)

    def _explain_tab(self, place: int, action: QAction) -> None:
        self._tabs.setTabToolTip(place, action.toolTip())
