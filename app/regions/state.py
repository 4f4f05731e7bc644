"""The regions of the pair on screen, and how they are drawn: no widget, no thread, no file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from app.commands.undo import UndoHistory
from app.regions.editing import SHARE, ToolName, renamed
from core.errors import RegionError
from core.regions import Annotation, Threshold, ThresholdRegion, free_name
from core.types import SourceSide


@dataclass(frozen=True)
class RegionsEdit:
    """What undo goes back through: the regions in the order of the list, no two of one name."""

    regions: tuple[Annotation, ...] = ()


class RegionsState(QObject):
    """Setters do nothing if nothing changes."""

    edited = Signal()
    """The list, or one of it, has changed."""
    settled = Signal()
    """The same, once per gesture, at its end."""
    view_changed = Signal()
    """Which region is selected, the tool, or whether regions are shown."""
    active_changed = Signal(bool)
    """The panel is wanted, so that regions can be drawn; or no more."""
    refused = Signal(object)
    """A :class:`core.errors.RegionError`: what was drawn or typed is no region."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.edit = RegionsEdit()
        self.selected = ""
        """Name of the selected region; "" for none."""
        self.handle = 0
        """Number of the handle of the selected one that keys move."""
        self.tool: ToolName = "select"
        self.is_active = False
        self.shows = True
        self.threshold: Threshold = SHARE
        """Of threshold regions to be drawn."""
        self.side: SourceSide = "a"
        """The source that it is of."""
        self.history: UndoHistory[RegionsEdit] = UndoHistory(self.edit, self._apply, parent=self)

    @property
    def regions(self) -> tuple[Annotation, ...]:
        """All of them, in the order of the list."""
        return self.edit.regions

    def find(self, name: str) -> Annotation | None:
        """The region of that name."""
        return next((one for one in self.regions if one.name == name), None)

    @property
    def chosen(self) -> Annotation | None:
        """The selected region."""
        return self.find(self.selected) if self.selected else None

    # --- the list --------------------------------------------------------------------------

    def load(self, regions: tuple[Annotation, ...]) -> None:
        """Take those of another pair: there is nothing to undo then."""
        self.edit = RegionsEdit(regions)
        self.selected, self.handle, self.tool = "", 0, "select"
        self.history.clear(self.edit)
        self.edited.emit()
        self.view_changed.emit()

    def add(self, region: Annotation, *, settled: bool = True) -> None:
        """Add a region, which is selected then."""
        self.selected, self.handle = region.name, 0
        self._set((*self.regions, region), settled=settled)
        self.view_changed.emit()

    def change(self, name: str, region: Annotation, *, settled: bool = True) -> None:
        """Replace the region of that name, which may get another one."""
        if self.selected == name:
            self.selected = region.name
        regions = tuple(region if one.name == name else one for one in self.regions)
        self._set(regions, settled=settled)

    def remove(self, name: str) -> None:
        """Remove a region; the next one of the list is selected if it was."""
        names = [one.name for one in self.regions]
        if name not in names:
            return
        place = names.index(name)
        left = tuple(one for one in self.regions if one.name != name)
        if self.selected == name:
            self.selected = left[min(place, len(left) - 1)].name if left else ""
            self.handle = 0
        self._set(left)
        self.view_changed.emit()

    def rename(self, name: str, wanted: str) -> None:
        """Rename a region; a name in use gets a number. An impossible one is refused."""
        region = self.find(name)
        wanted = " ".join(wanted.split())
        if region is None or wanted == name:
            return
        others = [one.name for one in self.regions if one.name != name]
        try:
            self.change(name, renamed(region, free_name(wanted, others)))
        except RegionError as error:
            self.refused.emit(error)
            self.edited.emit()  # the list shows the old name again

    def free_name(self, wanted: str) -> str:
        """A name that no region has yet: ``wanted 1`` or with the next number."""
        taken = {one.name for one in self.regions}
        count = 1
        while f"{wanted} {count}" in taken:
            count += 1
        return f"{wanted} {count}"

    def settle(self, *, joins: bool = False) -> None:
        """End a gesture: it is one step of undo.

        Args:
            joins: with those just before it, such as one of a key that is held.
        """
        if not joins:
            self.history.end_gesture()
        self.history.note(self.edit)
        if not joins:
            self.history.end_gesture()
        self.settled.emit()

    def _set(self, regions: tuple[Annotation, ...], *, settled: bool = True) -> None:
        if regions != self.regions:
            self.edit = RegionsEdit(regions)
            self.edited.emit()
        if settled:
            self.settle()

    def _apply(self, edit: RegionsEdit) -> None:
        self.edit = edit
        if self.find(self.selected) is None:
            self.selected, self.handle = "", 0
        self.edited.emit()
        self.view_changed.emit()
        self.settled.emit()

    # --- how it is drawn -------------------------------------------------------------------

    def select(self, name: str, handle: int = 0) -> None:
        """Select a region, "" for none, and the handle that keys move."""
        if (name, handle) != (self.selected, self.handle):
            self.selected, self.handle = name, handle
            self.view_changed.emit()

    def choose_tool(self, tool: ToolName) -> None:
        """Draw with a tool next."""
        if tool != self.tool:
            self.tool = tool
            self.view_changed.emit()

    def show(self, shows: bool) -> None:
        """Show regions over the pictures, or hide them."""
        if shows != self.shows:
            self.shows = shows
            self.view_changed.emit()

    def set_active(self, active: bool) -> None:
        """Begin or end drawing; the regions stay."""
        if active != self.is_active:
            self.is_active = active
            self.tool = "select"
            self.shows = self.shows or active
            self.active_changed.emit(active)
            self.view_changed.emit()

    def set_threshold(self, threshold: Threshold, side: SourceSide) -> None:
        """Set the threshold of the selected region, where it has one, and of those to be drawn."""
        if (threshold, side) == (self.threshold, self.side):
            return
        self.threshold, self.side = threshold, side
        region = self.chosen
        if isinstance(region, ThresholdRegion):
            self.change(region.name, replace(region, threshold=threshold, side=side))
        self.view_changed.emit()
