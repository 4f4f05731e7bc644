"""The pane that keys, presets and palettes apply to: always one, and always a visible one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.viewer.pane import Pane


class ActivePane(QObject):
    """Follows clicks and the keyboard focus; a frame in the accent colour marks the active pane.

    Moving the focus with Tab activates a pane without announcing it, so that the Display tab does
    not change with every key press. It is announced when a command uses it (:meth:`use`).
    """

    changed = Signal(str)
    """The name of the active pane, once it is used."""

    def __init__(self, panes: Mapping[str, Pane], first: str, parent: QObject) -> None:
        super().__init__(parent)
        self._panes = panes
        self.name = first
        self._announced = first
        panes[first].set_active(True)
        for name, pane in panes.items():
            pane.canvas.focused.connect(partial(self.choose, name))

    def choose(self, name: str, passing: bool = False) -> None:
        """Activate a pane.

        Args:
            passing: do not announce it before it is used.
        """
        if name != self.name:
            old, self.name = self.name, name
            self._panes[old].set_active(False)
            self._panes[name].set_active(True)
            # Move the focus frame along: two frames would be ambiguous.
            if self._panes[old].canvas.hasFocus():
                self._panes[name].canvas.setFocus()
        if not passing:
            self.use()

    def use(self) -> str:
        """Return the name of the active pane, and announce it if it has changed."""
        if self._announced != self.name:
            self._announced = self.name
            self.changed.emit(self.name)
        return self.name

    def ensure_visible(self) -> None:
        """If the active pane is hidden, activate a visible one."""
        if self._panes[self.name].isHidden():
            seen = [name for name, pane in self._panes.items() if not pane.isHidden()]
            self.choose("fused" if "fused" in seen or not seen else seen[0])
