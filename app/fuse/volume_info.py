"""The rows of the Info tab about volumes: what they are, and how their values were derived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.fuse.slice_bar import plane_title
from app.fuse.slice_view import SliceView
from app.i18n.numbers import listed, number
from app.i18n.translate import tr, translate
from app.viewer.painter import short
from core.windows import Window

if TYPE_CHECKING:
    from core.units.suv import SuvDerivation

Lines = list[tuple[str, str]]


def series_rows(view: SliceView, side: int, window: Window) -> Lines:
    """Series, grid, place and window of one of the two volumes."""
    volume, volumes = view.volumes.native[side], view.volumes
    slices, rows, columns = volume.shape
    between, down, across = volume.spacing
    voxel = " × ".join(number(size, ".4g") for size in (across, down, between))
    lines = [
        (tr("Series"), volumes.names[side]),
        (tr("Voxels"), f"{columns} × {rows} × {slices}"),
        (tr("Voxel"), f"{voxel} mm"),
        (tr("Unit"), volume.unit or tr("none")),
        (tr("Window"), f"{short(window[0])} – {short(window[1])} {volume.unit}".strip()),
    ]
    if side == 0:
        lines.append((tr("Shown"), tr("on the grid of B, linearly interpolated")))
    return lines + [(tr("Note"), translate(note)) for note in volume.notes]


def geometry_rows(view: SliceView) -> Lines:
    """Plane, slice and place, and whether both volumes lie in one frame of reference."""
    place = listed(short(value) for value in view.point)
    together = _together(view)
    return [
        (tr("Plane"), plane_title(view.plane)),
        (tr("Slice"), f"{view.index + 1} / {view.count}, {short(view.position)} mm"),
        (tr("Place"), f"{place} mm (LPS)"),
        (tr("A and B"), together),
    ]


def _together(view: SliceView) -> str:
    """What is known of how A and B lie to each other."""
    if view.volumes.are_apart:
        return tr("they share no place: A is moved to the middle of B to be seen")
    if view.volumes.pair.transform is not None:
        return tr("aligned by a transform")
    if view.volumes.is_registered:
        return tr("one frame of reference: as acquired")
    return tr("not registered: no common frame of reference is known")


def derivation_rows(derivation: SuvDerivation) -> Lines:
    """The factor to SUV with the time and the tags it was made of, or the tags that are missing."""
    lines: Lines = [(tr("Unit"), derivation.unit or tr("none"))]
    if derivation.factor is not None:
        lines.append((tr("Factor"), number(derivation.factor, ".6g")))
    for problem in derivation.problems:
        lines.append((tr("No SUV"), translate(problem.message)))
    if derivation.injected:
        lines.append((tr("Injected at"), derivation.injected))
    if derivation.reference:
        tag = derivation.reference_tag
        lines.append((tr("Decayed to"), f"{derivation.reference} ({tag})"))
    if derivation.decay_minutes is not None:
        lines.append((tr("Decay time"), f"{number(derivation.decay_minutes, '.1f')} min"))
    lines += [(tr("Tag"), f"{used.tag}: {used.value}") for used in derivation.used]
    return lines + [(tr("Note"), translate(note)) for note in derivation.notes]
