"""Moves on the screen: of a picture, and of a volume in the plane of a slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.fuse.slice_view import SliceView
from core.geometry.grids import grid_of
from core.types import Transform
from core.types.moves import scale_about, shift_by, turn_about

Pixel = tuple[float, float]
"""(x, y) in a picture, in pixels; the centre of the first one is (0, 0)."""


@dataclass(frozen=True)
class Nudge:
    """A move of the moving picture on the screen, in pixels of the fixed one.

    Attributes:
        shift: (right, down).
        degrees: clockwise around the centre of what is moved.
        factor: about it.
    """

    shift: Pixel = (0.0, 0.0)
    degrees: float = 0.0
    factor: float = 1.0


def move_on_picture(nudge: Nudge, about: Pixel) -> Transform:
    """A nudge as a move in pixels, turned and scaled about a place."""
    move = shift_by(nudge.shift)
    if nudge.degrees:
        move = move.compose(turn_about(about, nudge.degrees))
    if nudge.factor != 1:
        move = move.compose(scale_about(about, nudge.factor))
    return move


def volume_centre(view: SliceView) -> tuple[float, float, float]:
    """The point of A whose motion is shown and about which it is turned, in patient mm (LPS).

    The centre of the grid of B, or of that of A where the former is not in it.
    """
    fixed, moving = grid_of(view.volumes.pair.b), grid_of(view.volumes.native_a)
    centres = [grid.to_patient((np.array(grid.shape[::-1]) - 1) / 2) for grid in (fixed, moving)]
    x, y, z = centres[not moving.holds(centres[0])]
    return float(x), float(y), float(z)


def move_in_slice(view: SliceView, nudge: Nudge, shift: Sequence[float]) -> Transform:
    """A nudge as a move in patient mm, around the centre where ``shift`` has moved it."""
    axes = view.axes.affine
    offset = axes[:3, 0] * nudge.shift[0] + axes[:3, 1] * nudge.shift[1]
    normal = np.cross(axes[:3, 0], axes[:3, 1])
    about = np.add(volume_centre(view), shift)
    move = shift_by([float(value) for value in offset])
    if nudge.degrees == 0:
        return move
    turn = turn_about(
        [float(value) for value in about], nudge.degrees, [float(value) for value in normal]
    )
    return move.compose(turn)
