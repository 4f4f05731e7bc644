"""Regions as values: sizes, names, JSON."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from core.errors import InputError, RegionError
from core.geometry.grids import VoxelGrid
from core.geometry.planes import PLANES, axes_of
from core.regions import (
    AngleMark,
    DistanceLine,
    DrawingPlane,
    EllipseRegion,
    PolygonRegion,
    RectangleRegion,
    SphereRegion,
    Threshold,
    ThresholdRegion,
    free_name,
    regions_data,
    regions_from_data,
)

_PLANE = DrawingPlane((10.0, -20.0, 30.5), (1.0, 0.0, 0.0), (0.0, 0.6, 0.8), 4.0)
_BALL = SphereRegion("Liver", (1.0, 2.0, 3.0), 15.0, frame_of_reference="1.2.3")
_EVERY = (
    EllipseRegion("Ellipse", _PLANE, (5.0, 7.5), frame_of_reference="1.2.3"),
    RectangleRegion("Rectangle", replace(_PLANE, thickness=None), (5.0, 0.1)),
    PolygonRegion("Läsion α", _PLANE, ((0.0, 0.0), (4.0, 0.0), (4.0, 3.25))),
    _BALL,
    ThresholdRegion(_BALL, Threshold("share", 0.41)),
    ThresholdRegion(_BALL, Threshold("suv", 2.5)),
    ThresholdRegion(_BALL, Threshold("value", -12.5, "HU"), side="b"),
    DistanceLine("Width", (0.0, 0.0, 0.0), (2.0, 3.0, 6.0)),
    AngleMark("Neck", (1.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 2.0, 0.0)),
)


def test_every_value_comes_back_from_json_as_it_was() -> None:
    text = json.dumps(regions_data(_EVERY))
    assert regions_from_data(json.loads(text)) == _EVERY


@pytest.mark.parametrize("index", range(len(_EVERY)))
def test_a_part_that_is_missing_or_of_another_kind_is_never_a_region(index: int) -> None:
    whole = regions_data(_EVERY[index : index + 1])
    for key in whole["regions"][0]:
        if key in {"frame_of_reference", "side"}:
            continue
        damaged = json.loads(json.dumps(whole))
        del damaged["regions"][0][key]
        with pytest.raises((ValueError, RegionError)):
            regions_from_data(damaged)
        for wrong in (None, {}, [], "x", [1, "y"], [[1, 2], [3]], math.nan):
            damaged["regions"][0][key] = wrong
            if key == "name" and wrong == "x":
                continue
            with pytest.raises((ValueError, RegionError)):
                regions_from_data(damaged)


def test_a_newer_version_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match="newer version"):
        regions_from_data({**regions_data(_EVERY), "version": 2})


def test_lengths_and_angles_by_hand() -> None:
    assert DistanceLine("d", (0, 0, 0), (2, 3, 6)).length == 7
    assert AngleMark("a", (1, 0, 0), (0, 0, 0), (0, 2, 0)).degrees == pytest.approx(90)
    assert AngleMark("a", (3, 0, 0), (0, 0, 0), (1, 3**0.5, 0)).degrees == pytest.approx(60)
    assert AngleMark("a", (1, 0, 0), (0, 0, 0), (-2, 0, 0)).degrees == pytest.approx(180)
    # So near to 0 that an arc cosine in double precision gives 0.
    assert AngleMark("a", (1, 0, 0), (0, 0, 0), (1, 1e-9, 0)).degrees == pytest.approx(
        math.degrees(1e-9), rel=1e-6
    )


def test_areas_and_volumes_by_hand() -> None:
    assert _EVERY[0].area == pytest.approx(math.pi * 37.5)
    assert _EVERY[1].area == pytest.approx(2.0)
    assert _EVERY[2].area == pytest.approx(6.5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: SphereRegion("", (0, 0, 0), 1),
        lambda: SphereRegion("x" * 65, (0, 0, 0), 1),
        lambda: SphereRegion("s", (0, 0, math.inf), 1),
        lambda: SphereRegion("s", (0, 0, 0), 0),
        lambda: SphereRegion("s", (0, 0, 0), -3),
        lambda: SphereRegion("s", (0, 0, 0), 1e5),
        lambda: DrawingPlane((0, 0, 0), (1, 0, 0), (0.1, 1, 0)),
        lambda: DrawingPlane((0, 0, 0), (2, 0, 0), (0, 1, 0)),
        lambda: PolygonRegion("p", _PLANE, ((0, 0), (1, 1))),
        lambda: PolygonRegion("p", _PLANE, ((0, 0), (1, 0), (2, 0))),
        lambda: Threshold("share", 41),
        lambda: Threshold("suv", 0),
        lambda: Threshold("percent", 0.4),  # type: ignore[arg-type]
        lambda: AngleMark("a", (0, 0, 0), (0, 0, 0), (1, 0, 0)),
        lambda: ThresholdRegion(_BALL, Threshold("suv", 2), "c"),  # type: ignore[arg-type]
    ],
)
def test_impossible_values_are_refused(make) -> None:
    with pytest.raises(RegionError):
        make()


@pytest.mark.parametrize("plane", PLANES)
def test_the_plane_of_a_slice_of_an_oblique_grid_holds_its_pixels(plane) -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn * [2.0, 3.0, 5.0]
    affine[:3, 3] = (-40, 12, 7)
    axes = axes_of(VoxelGrid((7, 9, 11), affine), plane)
    drawn = DrawingPlane.of_slice(axes, (2, 3, 4))
    u, v, off = drawn.coordinates(axes.point_of(4, 6, 4))
    between, down, across = axes.spacing
    assert (u, v, off) == pytest.approx((2 * across, 3 * down, 0), abs=1e-9)
    assert abs(drawn.coordinates(axes.point_of(2, 3, 5))[2]) == pytest.approx(between)
    assert drawn.point_of(u, v, off) == pytest.approx(tuple(axes.point_of(4, 6, 4)))


def test_a_name_is_free_and_has_no_line_breaks() -> None:
    assert free_name("Lesion", ["Liver"]) == "Lesion"
    assert free_name("Lesion", ["Lesion", "Lesion 2"]) == "Lesion 3"
    longest = "x" * 64
    assert free_name(longest, [longest]) == "x" * 62 + " 2"
    assert SphereRegion(" Left\nlobe ", (0, 0, 0), 1).name == "Left lobe"
