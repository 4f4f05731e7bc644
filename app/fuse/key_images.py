"""Slices that a person marked as key images, of every study that was looked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, Signal

from app.fuse.slice_view import OpenVolumes, SliceView
from app.preferences.session_file import KeyImage

if TYPE_CHECKING:
    from core.geometry.planes import PlaneName


class KeyImages(QObject):
    """The marks. Series are told by their keys, so that no name is kept."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._marks: dict[KeyImage, None] = {}

    @property
    def all(self) -> tuple[KeyImage, ...]:
        """Of all studies, in the order in which they were marked."""
        return tuple(self._marks)

    def restore(self, marks: Iterable[KeyImage]) -> None:
        """Take over marks of an earlier session."""
        self._marks = {**dict.fromkeys(marks), **self._marks}
        self.changed.emit()

    def is_marked(self, view: SliceView) -> bool:
        """Whether a slice is a key image."""
        return _mark(view) in self._marks

    def toggle(self, view: SliceView) -> None:
        """Mark a slice, or remove its mark."""
        mark = _mark(view)
        if mark in self._marks:
            del self._marks[mark]
        else:
            self._marks[mark] = None
        self.changed.emit()

    def of(self, volumes: OpenVolumes) -> tuple[tuple[PlaneName, int], ...]:
        """Plane and index of the key images of a study, by plane and then from the first slice."""
        a, b = (series.key for series in volumes.series)
        found = {(one.plane, one.index) for one in self._marks if (one.a, one.b) == (a, b)}
        return tuple((cast("PlaneName", plane), index) for plane, index in sorted(found))

    def next_after(self, view: SliceView) -> SliceView | None:
        """The next key image of the study, after the last one the first; None where it has none."""
        marks = self.of(view.volumes)
        if not marks:
            return None
        here = view.plane, view.index
        plane, index = next((mark for mark in marks if mark > here), marks[0])
        return view.in_plane(plane).at(index)


def _mark(view: SliceView) -> KeyImage:
    a, b = view.volumes.series
    return KeyImage(a.key, b.key, view.plane, view.index)
