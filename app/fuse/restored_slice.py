"""The slice that is to be shown once its series are opened: of the last session, or of before."""

from __future__ import annotations

from dataclasses import replace

from app.fuse.slice_view import SliceView
from app.fuse.studies import Frames, ListedSeries
from app.preferences.session_file import SliceOnShow
from core.geometry.planes import PLANES
from core.types import PairTransform


class RestoredSlice:
    """A slice that waits for its series, with the transform that they are opened with."""

    def __init__(self) -> None:
        self._slice: SliceOnShow | None = None
        self._transform: PairTransform | None = None

    def wait_for(self, wanted: SliceOnShow, transform: PairTransform | None = None) -> None:
        """Wait for the series of a slice; None leaves the transform of the pair as it is."""
        self._slice, self._transform = wanted, transform

    def is_of(self, pair: ListedSeries) -> bool:
        """Whether the slice is one of a pair, or of the same with A and B exchanged."""
        return self._is_as(pair) or self._is_as(pair.swapped())

    def _is_as(self, pair: ListedSeries) -> bool:
        wanted = self._slice
        return wanted is not None and (wanted.a, wanted.b) == (pair.a.key, pair.b.key)

    def opened_with(self, pair: ListedSeries, frames: Frames) -> tuple[ListedSeries, Frames]:
        """The pair and the frames to open instead of these, where the slice is one of them.

        A pair is proposed in the order of its kinds; A and B may have been exchanged since.
        """
        wanted = self._slice
        if wanted is None or not self.is_of(pair):
            return pair, frames
        if not self._is_as(pair):
            pair = pair.swapped()
        if self._transform is not None:
            pair = replace(pair, transform=self._transform)
            self._transform = None
        return pair, pair.frames_within((wanted.frame_a, wanted.frame_b))

    def take(self, pair: ListedSeries, view: SliceView) -> SliceView | None:
        """The slice, once; None where another pair was opened, or it is on show already."""
        is_of_pair, wanted = self._is_as(pair), self._slice
        self._slice = None
        if wanted is None or not is_of_pair:
            return None
        plane = next((plane for plane in PLANES if plane == wanted.plane), view.plane)
        target = view.in_plane(plane).at(wanted.index)
        is_there = (target.plane, target.index) == (view.plane, view.index)
        return None if is_there else target


def slice_on_show(pair: ListedSeries, view: SliceView) -> SliceOnShow:
    """The slice of a pair as the session keeps it, without names."""
    a, b = view.volumes.frames
    return SliceOnShow(pair.a.key, pair.b.key, view.plane, view.index, frame_a=a, frame_b=b)
