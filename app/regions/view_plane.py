"""Where the pixels of what is on screen lie: in patient millimetres, or in pixels of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.fuse.results import Sources
from app.fuse.slice_view import SliceView
from app.viewer.drawings import ImagePlace
from core.geometry.grids import Coordinates, inverse_of, transformed
from core.regions import DrawingPlane, PatientPoint
from core.types import Affine, SourcePair

_LAYER = 0.5 + 1e-6
"""Slices from the middle of one within which things belong to it."""


@dataclass(frozen=True, eq=False)
class ViewPlane:
    """A slice, or a picture.

    Attributes:
        affine: 4×4, (column, row, layer) → mm; the slice itself is layer 0.
        size: columns and rows.
        frame_of_reference: UID that the millimetres are of; "" for unknown and for pictures.
        is_picture: whether it is no slice of a volume.
        has_mm: whether its lengths are millimetres; else a pixel is taken as one.
    """

    affine: Affine
    size: tuple[int, int]
    frame_of_reference: str = ""
    is_picture: bool = False
    has_mm: bool = True

    @classmethod
    def of_slice(cls, view: SliceView) -> ViewPlane:
        """That of a slice of volumes, in the millimetres of B."""
        axes = view.axes
        affine = np.array(axes.affine)
        affine[:3, 3] += view.index * affine[:3, 2]
        _slices, rows, columns = axes.shape
        return cls(affine, (columns, rows), view.volumes.pair.b.frame_of_reference)

    @classmethod
    def of_pictures(cls, pair: SourcePair) -> ViewPlane:
        """That of two pictures."""
        has_mm = spacing_of(pair) is not None
        return cls(picture_affine(pair), pair.a.size, is_picture=True, has_mm=has_mm)

    @property
    def unit(self) -> str:
        """Of lengths."""
        return "mm" if self.has_mm else "px"

    @property
    def directions(self) -> Coordinates:
        """3×3: unit vectors along rows, down columns and across the plane, at right angles."""
        across = self.affine[:3, 0] / np.linalg.norm(self.affine[:3, 0])
        down = self.affine[:3, 1] - (self.affine[:3, 1] @ across) * across
        down /= np.linalg.norm(down)
        return np.array([across, down, np.cross(across, down)])

    @property
    def steps(self) -> tuple[float, float]:
        """Millimetres from column to column and from row to row."""
        column, row = np.linalg.norm(self.affine[:3, :2], axis=0)
        return float(column), float(row)

    @property
    def standard_size(self) -> float:
        """A tenth of the shorter side in mm, at most 10: half of what a click puts."""
        column, row = self.steps
        side = min(self.size[0] * column, self.size[1] * row) / 10
        return side if self.is_picture else min(side, 10.0)

    def point_of(self, place: ImagePlace) -> PatientPoint:
        """Patient mm of a place of the image."""
        x, y, z = (float(one) for one in transformed(self.affine, (*place, 0.0)))
        return x, y, z

    def pixels_of(self, points: npt.ArrayLike) -> Coordinates:
        """…×3 (column, row, layer) of points in mm, not rounded."""
        return transformed(inverse_of(self.affine), points)

    def place_of(self, point: Sequence[float]) -> ImagePlace:
        """The place of the image that a point in mm lies at or opposite to."""
        column, row, _layer = self.pixels_of(point)
        return float(column), float(row)

    def vector_of(self, columns: float, rows: float) -> PatientPoint:
        """The way in mm of a move over the image."""
        x, y, z = (float(one) for one in self.affine[:3, :2] @ (columns, rows))
        return x, y, z

    def distance_of(self, one: ImagePlace, other: ImagePlace) -> float:
        """Millimetres between two places of the image."""
        apart = self.vector_of(other[0] - one[0], other[1] - one[1])
        return float(np.linalg.norm(apart))

    def drawing_plane(self, middle: ImagePlace) -> DrawingPlane:
        """The plane as regions keep it, with a place of the image as its origin."""
        across, down, _normal = (tuple(map(float, one)) for one in self.directions)
        return DrawingPlane(self.point_of(middle), _triple(across), _triple(down))

    def holds(self, points: npt.ArrayLike) -> bool:
        """Whether all points lie in this slice."""
        return bool((np.abs(self.pixels_of(points)[..., 2]) <= _LAYER).all())


def _triple(values: Sequence[float]) -> PatientPoint:
    x, y, z = values
    return x, y, z


def view_plane(sources: Sources) -> ViewPlane | None:
    """The plane of the pair on screen; None where no pair is."""
    if sources.pair is None:
        return None
    if sources.slice is not None:
        return ViewPlane.of_slice(sources.slice)
    return ViewPlane.of_pictures(sources.pair)


def spacing_of(pair: SourcePair) -> tuple[float, float] | None:
    """(row, column) distance of the pixels of two pictures in mm; None where it is not known, or
    their files do not agree.
    """
    known = {image.spacing for image in (pair.a, pair.b) if image.spacing is not None}
    return known.pop() if len(known) == 1 else None


def picture_affine(pair: SourcePair) -> Affine:
    """(column, row, layer) of the pixels of two pictures → mm, or pixels; layers are 1 apart."""
    row, column = spacing_of(pair) or (1.0, 1.0)
    return np.diag([column, row, 1.0, 1.0])
