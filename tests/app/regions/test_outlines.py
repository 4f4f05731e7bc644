"""What is seen of regions in planes, and how they change: values alone, no window."""

from __future__ import annotations

import math

import numpy as np
import pytest

from app.regions.editing import (
    SHARE,
    Naming,
    Stroke,
    drawn,
    grown,
    middle_of,
    put,
    shifted,
    simplified,
    with_handle,
)
from app.regions.outlines import box_of, drawing_of, voxel_lines
from app.regions.tasks import measured_sources
from app.regions.view_plane import ViewPlane
from core.errors import RegionError
from core.geometry.grids import VoxelGrid
from core.regions import (
    AngleMark,
    DistanceLine,
    EllipseRegion,
    PolygonRegion,
    RegionMask,
    SphereRegion,
    ThresholdRegion,
    measure_regions,
)
from core.types import Image, SourcePair

NAMING = Naming("one")


def plane(column: float = 2.0, row: float = 1.0, layer: float = 3.0, z: float = 30.0) -> ViewPlane:
    """An axial slice of 60×40 pixels at a height z."""
    affine = np.diag([column, row, layer, 1.0])
    affine[:3, 3] = (-10, 5, z)
    return ViewPlane(affine, (60, 40), "1.2.3")


def coronal(y: float = 15.0) -> ViewPlane:
    """A coronal one: columns to the left, rows to the feet, layers of 1 mm to the back."""
    affine = np.array([[2.0, 0, 0, -10], [0, 0, 1, y], [0, -3, 0, 60], [0, 0, 0, 1]])
    return ViewPlane(affine, (60, 20), "1.2.3")


def test_a_drag_becomes_an_ellipse_in_millimetres():
    made = drawn("ellipse", Stroke((10, 4), (20, 24)), plane(), NAMING)
    assert isinstance(made, EllipseRegion)
    assert made.half_axes == (10.0, 10.0)
    # The middle is column 15, row 14.
    assert made.plane.origin == (20.0, 19.0, 30.0)
    assert made.frame_of_reference == "1.2.3"


def test_its_outline_is_where_it_was_drawn():
    made = drawn("rectangle", Stroke((10, 4), (20, 24)), plane(), NAMING)
    (line,) = drawing_of(made, plane()).lines
    x, y = np.array(line).T
    assert (x.min(), x.max(), y.min(), y.max()) == pytest.approx((10, 20, 4, 24))
    assert line[0] == line[-1]


def test_a_flat_region_is_seen_in_its_own_slice_alone():
    made = drawn("rectangle", Stroke((10, 4), (20, 24)), plane(z=30), NAMING)
    assert drawing_of(made, plane(z=31.4)) is not None
    assert drawing_of(made, plane(z=31.6)) is None
    assert drawing_of(made, plane(z=28.4)) is None


def test_it_cuts_another_plane_in_a_line():
    made = drawn("rectangle", Stroke((10, 4), (20, 24)), plane(), NAMING)
    # It reaches from x 10 to 30 and from y 9 to 29, at z 30.
    seen = drawing_of(made, coronal(y=15))
    ((start, end),) = seen.lines
    assert sorted([start[0], end[0]]) == pytest.approx([10, 20])
    assert start[1] == end[1] == pytest.approx(10)
    assert seen.handles == ()
    assert drawing_of(made, coronal(y=40)) is None


def test_a_sphere_is_a_smaller_circle_away_from_its_middle():
    sphere = SphereRegion("one", (30.0, 25.0, 30.0), 10.0)
    (circle,) = drawing_of(sphere, plane(z=30)).lines
    x, y = np.array(circle).T
    assert np.ptp(x) == pytest.approx(10)  # 20 mm, columns of 2 mm
    assert np.ptp(y) == pytest.approx(20, rel=1e-3)
    (circle,) = drawing_of(sphere, plane(z=36)).lines
    assert np.ptp(np.array(circle)[:, 1]) == pytest.approx(16, rel=1e-3)
    assert drawing_of(sphere, plane(z=40.5)) is None


def test_a_distance_is_clipped_to_the_slice():
    line = DistanceLine("one", (0.0, 10.0, 28.5), (20.0, 10.0, 34.5))
    assert line.length == pytest.approx(math.hypot(20, 6))
    ((start, end),) = drawing_of(line, plane(z=30)).lines
    # The slice reaches from 28.5 to 31.5 mm: the first half of the way.
    assert (start[0], end[0]) == pytest.approx((5, 10))
    assert drawing_of(line, plane(z=36.5)) is None


def test_an_angle_begins_at_a_right_angle_whatever_the_pixels_are():
    made = drawn("angle", Stroke((10, 4), (20, 24)), plane(), NAMING)
    assert isinstance(made, AngleMark)
    assert made.degrees == pytest.approx(90)
    assert math.dist(made.first, made.vertex) == pytest.approx(math.dist(made.second, made.vertex))


def test_a_threshold_is_searched_in_the_sphere_that_was_drawn():
    made = drawn("threshold", Stroke((10, 4), (13, 4)), plane(), Naming("x", side="b"))
    assert isinstance(made, ThresholdRegion)
    assert (made.side, made.threshold) == ("b", SHARE)
    assert made.sphere.radius == 6.0
    assert drawing_of(made, plane()).is_dashed


@pytest.mark.parametrize(
    "tool", ["ellipse", "rectangle", "freehand", "sphere", "threshold", "distance", "angle"]
)
def test_a_click_puts_every_shape_and_a_move_keeps_it(tool):
    view = plane()
    made = put(tool, (20.0, 20.0), view, NAMING)
    moved = shifted(made, view.vector_of(3, -2))
    way = np.subtract(middle_of(moved), middle_of(made))
    np.testing.assert_allclose(way, (6, -2, 0), atol=1e-9)
    back = shifted(moved, view.vector_of(-3, 2))
    np.testing.assert_allclose(middle_of(back), middle_of(made), atol=1e-9)


def test_a_corner_is_dragged_and_the_opposite_one_stays():
    view = plane()
    for tool in ("ellipse", "rectangle"):
        made = drawn(tool, Stroke((10, 4), (20, 24)), view, NAMING)
        larger = with_handle(made, 0, view.point_of((25, 34)))
        (line,) = drawing_of(larger, view).lines
        x, y = np.array(line).T
        assert (x.min(), x.max()) == pytest.approx((10, 25))
        assert (y.min(), y.max()) == pytest.approx((4, 34))


def test_a_corner_cannot_be_dragged_through_the_opposite_one():
    view = plane()
    made = drawn("rectangle", Stroke((10, 4), (20, 24)), view, NAMING)
    small = with_handle(made, 0, view.point_of((0, 0)))
    assert min(small.half_sides) > 0


def test_an_outline_grows_with_its_box():
    view = plane()
    path = ((10.0, 10.0), (20.0, 10.0), (20.0, 20.0), (10.0, 20.0))
    made = drawn("freehand", Stroke(path[0], path[-1], path), view, NAMING)
    assert isinstance(made, PolygonRegion)
    assert made.area == pytest.approx(200)  # 20 mm × 10 mm
    corner = box_of(made)
    point = made.plane.point_of(corner[0][1] + 20, corner[1][1])
    assert with_handle(made, 0, point).area == pytest.approx(400)


def test_handles_of_spheres_distances_and_angles():
    sphere = SphereRegion("one", (0.0, 0.0, 0.0), 5.0)
    assert with_handle(sphere, 2, (0.0, 3.0, 4.0)).radius == 5.0
    assert grown(sphere, 2).radius == 7.0
    assert grown(sphere, -9).radius > 0
    line = with_handle(DistanceLine("one", (0, 0, 0), (1, 0, 0)), 1, (0.0, 4.0, 0.0))
    assert line.length == 4
    angle = AngleMark("one", (1, 0, 0), (0, 0, 0), (0, 1, 0))
    assert with_handle(angle, 2, (1.0, 1.0, 0.0)).degrees == pytest.approx(45)
    with pytest.raises(RegionError):
        with_handle(angle, 1, (1.0, 0.0, 0.0))


def test_a_straight_way_needs_two_points_and_a_round_one_stays_round():
    assert simplified([(float(x), 3.0) for x in range(50)]) == [(0.0, 3.0), (49.0, 3.0)]
    turns = np.linspace(0, 2 * np.pi, 200)
    way = [(20 * math.cos(turn), 20 * math.sin(turn)) for turn in turns]
    kept = np.array(simplified(way))
    assert 10 < len(kept) < 60
    inner = np.abs(np.linalg.norm((kept[1:] + kept[:-1]) / 2, axis=1) - 20)
    assert inner.max() < 0.4


def test_the_border_of_voxels_is_drawn_on_finer_pixels():
    # One voxel of 4 mm, seen on pixels of 2×1 mm: 2 columns, 4 rows.
    grid = VoxelGrid((3, 3, 3), np.diag([4.0, 4.0, 4.0, 1.0]))
    mask = RegionMask((3, 3, 3), (1, 1, 1), np.ones((1, 1, 1), bool))
    view = ViewPlane(
        np.array([[2.0, 0, 0, 1], [0, 1, 0, 0.5], [0, 0, 4, 4], [0, 0, 0, 1]]), (20, 20)
    )
    lines = voxel_lines(mask, grid, view)
    places = np.array([place for line in lines for place in line])
    # The voxel reaches from 2 to 6 mm in x and y.
    assert places[:, 0].min() * 2 + 1 == pytest.approx(2)
    assert places[:, 0].max() * 2 + 1 == pytest.approx(6)
    assert places[:, 1].min() + 0.5 == pytest.approx(2)
    assert places[:, 1].max() + 0.5 == pytest.approx(6)
    assert len(lines) == 4
    above = ViewPlane(np.diag([2.0, 1, 4, 1]), (20, 20))  # at z 0: another voxel
    assert voxel_lines(mask, grid, above) == ()


def picture(spacing: tuple[float, float] | None = None, unit: str = "") -> Image:
    """A ramp of 30×20 pixels."""
    data = np.repeat(np.arange(30, dtype=np.float32)[np.newaxis, :, np.newaxis], 20, axis=0)
    return Image(data, (0.0, 30.0), 8, unit, spacing=spacing)


def test_pictures_are_in_millimetres_where_a_file_knows_them():
    pair = SourcePair(picture((2.0, 0.5), "BQML"), picture())
    view = ViewPlane.of_pictures(pair)
    assert (view.unit, view.is_picture) == ("mm", True)
    line = drawn("distance", Stroke((4, 4), (12, 4)), view, NAMING)
    assert line.length == pytest.approx(4)
    made = drawn("rectangle", Stroke((3.5, 3.5), (9.5, 5.5)), view, NAMING)
    found = measure_regions([made], measured_sources(pair))
    assert [one.voxels for one in found] == [12, 12]  # columns 4 to 9, rows 4 and 5
    assert [one.mean.value for one in found] == [6.5, 6.5]
    assert [one.unit for one in found] == ["BQML", ""]


def test_pictures_that_do_not_agree_are_in_pixels():
    view = ViewPlane.of_pictures(SourcePair(picture((2.0, 0.5)), picture((1.0, 1.0))))
    assert view.unit == "px"
    assert drawn("distance", Stroke((4, 4), (7, 8)), view, NAMING).length == pytest.approx(5)
