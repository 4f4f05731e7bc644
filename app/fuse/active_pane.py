"""Which pane keys, presets and palettes work on: always one, and always seen."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.viewer.pane import Pane


class ActivePane(QObject):
    """Follows clicks and the keyboard's focus; a frame in the accent's colour marks the pane.

    Who passes panes by with Tab does not turn the Display tab over and over: it follows once a key
    works on the pane (:meth:`use`).
    """

    changed = Signal(str)
    """The name of the pane, once somebody works on it."""

    def __init__(self, panes: Mapping[str, Pane], first: str, parent: QObject) -> None:
        super().__init__(parent)
        self._panes = panes
        self.name = first
        self._told = first
        panes[first].set_active(True)
        for name, pane in panes.items():
            pane.canvas.focused.connect(partial(self.choose, name))

    def choose(self, name: str, passing: bool = False) -> None:
        """Work on another pane from now on."""
        if name != self.name:
            old, self.name = self.name, name
            self._panes[old].set_active(False)
            self._panes[name].set_active(True)
            # The focus frame goes along: two frames would be two answers.
            if self._panes[old].canvas.hasFocus():
                self._panes[name].canvas.setFocus()
        if not passing:
            self.use()

    def use(self) -> str:
        """Somebody works on the active pane; returns its name."""
        if self._told != self.name:
            self._told = self.name
            self.changed.emit(self.name)
        return self.name

    def keep_seen(self) -> None:
        """Another layout: a pane that is hidden now gives way to one that is seen."""
        if self._panes[self.name].isHidden():
            seen = [name for name, pane in self._panes.items() if not pane.isHidden()]
            self.choose("fused" if "fused" in seen or not seen else seen[0])
