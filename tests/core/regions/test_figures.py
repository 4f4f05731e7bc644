"""Voxels and figures of regions: hand-computed values, brute force, other grids."""

from __future__ import annotations

import math
import pickle
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy import ndimage

from core.errors import Cancelled, RegionError, RegionOutside, RegionUnitError
from core.geometry.grids import VoxelGrid, grid_of
from core.geometry.planes import axes_of
from core.progress import NullProgress
from core.regions import (
    DrawingPlane,
    EllipseRegion,
    MeasuredSource,
    MeasuredSources,
    PolygonRegion,
    RectangleRegion,
    SphereRegion,
    Threshold,
    ThresholdRegion,
    find_voxels,
    measure_region,
    measure_regions,
    rasterised,
)
from core.regions.peak import PEAK_RADIUS, sphere_weights
from core.types import PairTransform, Transform, Volume


def affine_of(spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0), turn=None) -> np.ndarray:
    """Columns, rows, slices at ``spacing``."""
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) if turn is None else turn) * spacing
    affine[:3, 3] = origin
    return affine


def some_turn(seed: int = 1) -> np.ndarray:
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return turn * np.sign(np.linalg.det(turn))


def pet(data, spacing=(4.0, 4.0, 4.0), **more) -> Volume:
    wanted = {"affine": affine_of(spacing), "modality": "PT", "unit": "SUVbw"}
    return Volume(data=np.asarray(data, np.float32), **{**wanted, **more})


def alone(volume: Volume) -> MeasuredSources:
    return MeasuredSources(MeasuredSource(volume))


@pytest.mark.parametrize("turn", [None, some_turn()], ids=["straight", "oblique"])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.9, 1.3, 2.5)])
def test_a_sphere_has_its_volume_on_any_grid(turn, spacing) -> None:
    grid = VoxelGrid((60, 70, 80), affine_of(spacing, (-13.0, 5.0, 2.0), turn))
    centre = tuple(grid.to_patient((40.3, 34.1, 29.7)))
    ball = SphereRegion("s", centre, 15.0)
    mask = rasterised(ball, grid)
    volume = mask.count * math.prod(spacing) / 1000
    assert volume == pytest.approx(4 / 3 * math.pi * 15.0**3 / 1000, rel=0.01)
    assert not mask.is_cut
    # The same voxels as asking every one of the grid.
    k, j, i = np.indices(grid.shape)
    apart = np.linalg.norm(grid.to_patient(np.stack([i, j, k], -1)) - centre, axis=-1)
    np.testing.assert_array_equal(mask.whole(), apart <= 15.0)


def test_figures_by_hand() -> None:
    data = np.zeros((9, 9, 9))
    data[4, 4, 4], data[4, 4, 5], data[4, 5, 4], data[5, 4, 4] = 10, 8, 6, 4
    # 4.1 mm around the middle: it and its six neighbours.
    region = SphereRegion("s", (16.0, 16.0, 16.0), 4.1)
    one = measure_region(region, alone(pet(data)), "a")
    assert one.voxels == 7
    assert one.volume.value == pytest.approx(7 * 0.064)
    assert one.mean.value == pytest.approx(4.0)
    assert one.sd.value == pytest.approx(math.sqrt((36 + 16 + 4 + 0 + 3 * 16) / 6))
    assert (one.minimum.value, one.maximum.value) == (0, 10)
    assert one.maximum_at == (16.0, 16.0, 16.0)
    assert {one.mean.unit, one.sd.unit, one.peak.unit} == {"SUVbw"}
    assert one.volume.unit == "ml"
    assert one.mtv.value is None
    assert "threshold" in one.mtv.reason


def test_a_share_of_the_maximum_by_hand() -> None:
    data = np.zeros((9, 9, 9))
    data[4, 4, 3:6] = 4.2, 10, 4.0
    data[0, 0, 0] = 99  # hotter, but not within the sphere
    region = ThresholdRegion(SphereRegion("s", (16, 16, 16), 10.0), Threshold("share", 0.41))
    one = measure_region(region, alone(pet(data)), "a")
    assert one.voxels == 2
    assert one.threshold.value == pytest.approx(4.1)
    assert one.mtv.value == pytest.approx(2 * 0.064)
    assert one.tlg.value == pytest.approx(2 * 0.064 * 7.1)
    assert one.tlg.unit == "SUVbw·ml"
    nothing = replace(region, threshold=Threshold("suv", 11.0))
    empty = measure_region(nothing, alone(pet(data)), "a")
    assert (empty.voxels, empty.mtv.value, empty.tlg.value) == (0, 0.0, 0.0)
    assert empty.mean.value is None
    assert "threshold" in empty.mean.reason


@pytest.mark.parametrize(
    "spacing", [(4.0, 4.0, 4.0), (2.0, 3.1, 5.0), (1.0, 1.0, 1.0), (8.0, 8.0, 8.0)]
)
@pytest.mark.parametrize("turn", [None, some_turn(5)], ids=["straight", "oblique"])
def test_the_weights_of_the_peak_have_one_cubic_centimetre(spacing, turn) -> None:
    weights = sphere_weights(affine_of(spacing, turn=turn))
    assert weights.sum() * math.prod(spacing) == pytest.approx(1000, rel=0.01)
    assert weights.max() <= 1
    assert weights.min() >= 0
    for axis in range(3):  # nothing of the sphere is cut off
        assert max(np.take(weights, 0, axis).max(), 0) < 1


def brute_peak(volume: Volume, inside: np.ndarray) -> float:
    """By the definition: the mean of points of the sphere, each of the voxel that it lies in."""
    steps = np.arange(-PEAK_RADIUS, PEAK_RADIUS + 0.1, 0.3)
    cloud = np.array(list(product(steps, repeat=3)))
    cloud = cloud[(cloud**2).sum(1) <= PEAK_RADIUS**2]
    grid, best = grid_of(volume), -np.inf
    for k, j, i in np.argwhere(inside):
        at = np.floor(grid.to_voxel(grid.to_patient((i, j, k)) + cloud) + 0.5).astype(int)
        if (at < 0).any() or (at >= np.array(volume.shape[::-1])).any():
            continue
        best = max(best, float(volume.data[at[:, 2], at[:, 1], at[:, 0]].mean()))
    return best


@pytest.mark.parametrize("turn", [None, some_turn(2)], ids=["straight", "oblique"])
def test_the_peak_is_that_of_brute_force(turn) -> None:
    rng = np.random.default_rng(7)
    data = ndimage.gaussian_filter(rng.random((14, 15, 16)) * 40, 0.7)
    volume = pet(data, affine=affine_of((3.3, 3.3, 4.7), (5, -9, 2), turn))
    centre = tuple(grid_of(volume).to_patient((7.2, 7.9, 6.6)))
    region = SphereRegion("s", centre, 7.0)
    one = measure_region(region, alone(volume), "a")
    inside = find_voxels(region, alone(volume), "a").mask.whole()
    assert one.peak.value == pytest.approx(brute_peak(volume, inside), rel=2e-3)
    assert one.mean.value < one.peak.value < one.maximum.value
    assert one.peak_at is not None
    assert np.linalg.norm(np.subtract(one.peak_at, centre)) <= 7.0


def test_the_peak_of_an_even_volume_is_its_value_and_none_at_its_border() -> None:
    volume = pet(np.full((9, 9, 9), 3.5))
    inside = measure_region(SphereRegion("s", (16, 16, 16), 8), alone(volume), "a")
    assert inside.peak.value == pytest.approx(3.5, rel=1e-12)
    border = measure_region(SphereRegion("s", (0, 16, 16), 3), alone(volume), "a")
    assert border.peak.value is None
    assert "1 cm³" in border.peak.reason
    assert border.mean.value == pytest.approx(3.5)
    # What is beside the region counts in the sphere, and that is said.
    data = np.full((9, 9, 9), 1.0)
    data[3:6, 3:6, 3:6] = 8
    data[4, 4, 4] = 2
    beside = measure_region(SphereRegion("s", (16, 16, 16), 1), alone(pet(data)), "a")
    assert beside.maximum.value == 2
    assert beside.peak.value > 6
    assert any("exceeds the maximum" in note for note in beside.notes)
    assert inside.notes == ()
    # Voxels without data are no part of a sphere either.
    holes = np.ones((9, 9, 9), bool)
    holes[4, 4, 4] = False
    holed = measure_region(
        SphereRegion("s", (16, 16, 16), 4.5), alone(replace(volume, mask=holes)), "a"
    )
    assert holed.voxels == 6
    assert holed.peak.value is None
    assert any("no data" in note for note in holed.notes)


@pytest.mark.parametrize("seed", range(4))
def test_a_flat_region_takes_one_layer_of_any_grid(seed) -> None:
    """The plane is that of a slice of a fine grid, and the coarse one is turned against it."""
    turn = some_turn(seed + 10) if seed else np.eye(3)
    fine = VoxelGrid((40, 60, 60), affine_of((1.0, 1.0, 2.0)))
    affine = affine_of((3.3, 3.3, 5.5), turn=turn)
    affine[:3, 3] = np.array([30, 28, 34]) - affine[:3, :3] @ [18.2, 21.4, 19.3]
    coarse = VoxelGrid((40, 40, 40), affine)
    axes = axes_of(fine, "axial")
    plane = DrawingPlane.of_slice(axes, (30, 28, 17))
    on_fine = rasterised(RectangleRegion("r", plane, (10.2, 6.2)), fine)
    assert {int(k) for k, _, _ in np.argwhere(on_fine.whole())} == {17}
    assert on_fine.count == 21 * 13
    mask = rasterised(RectangleRegion("r", plane, (10.2, 6.2)), coarse).whole()
    assert mask.any()
    # At most one voxel in each column along the axis nearest to the normal, and one in all of those
    # in the middle of the rectangle.
    axis = int(np.argmax(np.abs(np.array(plane.normal) @ coarse.affine[:3, :3])))
    assert mask.sum(axis=2 - axis).max() == 1


def test_a_plane_between_two_layers_takes_one_of_them() -> None:
    grid = VoxelGrid((4, 9, 9), affine_of((1.0, 1.0, 3.0)))
    for off in (0.0, 1e-9, -1e-9):
        plane = DrawingPlane((4, 4, 4.5 + off), (1, 0, 0), (0, 1, 0))
        mask = rasterised(EllipseRegion("e", plane, (2.1, 2.1)), grid)
        assert {int(k) for k, _, _ in np.argwhere(mask.whole())} == {2}
        assert mask.count == 13


def test_a_slab_takes_all_layers_in_it() -> None:
    grid = VoxelGrid((10, 9, 9), affine_of((1.0, 1.0, 3.0)))
    plane = DrawingPlane((4, 4, 10.0), (1, 0, 0), (0, 1, 0), thickness=8.0)
    mask = rasterised(RectangleRegion("r", plane, (1.0, 0.4)), grid)
    assert sorted({int(k) for k, _, _ in np.argwhere(mask.whole())}) == [2, 3, 4]
    assert mask.count == 9


def test_a_freehand_outline_agrees_with_another_program() -> None:
    from skimage.measure import points_in_poly

    rng = np.random.default_rng(8)
    angles = np.sort(rng.random(40) * 2 * np.pi)
    radius = 8 + 10 * rng.random(40)
    corners = np.stack([radius * np.cos(angles), radius * np.sin(angles)], 1)
    plane = DrawingPlane((25.3, 24.1, 0), (1, 0, 0), (0, 1, 0))
    region = PolygonRegion("p", plane, tuple((float(u), float(v)) for u, v in corners))
    mask = rasterised(region, VoxelGrid((1, 50, 50), affine_of())).whole()[0]
    rows, columns = np.indices((50, 50))
    points = np.stack([columns - 25.3, rows - 24.1], -1).reshape(-1, 2)
    np.testing.assert_array_equal(mask.ravel(), points_in_poly(points, corners))
    assert mask.sum() == pytest.approx(region.area, rel=0.05)


def test_two_outlines_that_share_a_side_share_no_voxel() -> None:
    plane = DrawingPlane((10, 10, 0), (1, 0, 0), (0, 1, 0))
    halves = [
        PolygonRegion("p", plane, ((0, -5.0), (side * 5.0, -5.0), (side * 5.0, 5.0), (0, 5.0)))
        for side in (-1, 1)
    ]
    grid = VoxelGrid((1, 21, 21), affine_of())
    left, right = (rasterised(half, grid).whole() for half in halves)
    assert not (left & right).any()
    assert left.sum() + right.sum() == 100


def pair(transform: Transform | None = None, frames=("1.2.3", "1.2.3"), **more) -> MeasuredSources:
    """A hot block in a coarse PET, and an MR on a finer grid whose values are its columns."""
    data = np.zeros((12, 12, 12))
    data[4:7, 4:7, 4:7] = 10
    functional = pet(data, frame_of_reference=frames[0], patient="p", title="FDG")
    fine = np.broadcast_to(np.arange(48.0), (48, 48, 48))
    anatomical = Volume(
        data=fine.astype(np.float32), affine=affine_of((1, 1, 1)), modality="MR",
        frame_of_reference=frames[1], patient=more.pop("patient", "p"),
    )  # fmt: skip
    by = None if transform is None else PairTransform(transform, "a")
    return MeasuredSources(
        MeasuredSource(functional), MeasuredSource(anatomical), transform=by, **more
    )


def test_a_threshold_of_a_is_the_same_place_on_the_grid_of_b() -> None:
    region = ThresholdRegion(
        SphereRegion("s", (20, 20, 20), 16.0, frame_of_reference="1.2.3"), Threshold("share", 0.5)
    )
    of_a, of_b = measure_regions([region], pair())
    assert (of_a.voxels, of_a.mean.value) == (27, 10)
    # The block reaches from 14 to 26 mm: 12 voxels of 1 mm along each axis.
    assert of_b.voxels == 12**3
    assert of_b.volume.value == pytest.approx(of_a.volume.value)
    assert of_b.mean.value == pytest.approx(np.arange(14, 26).mean())
    assert of_b.unit == ""
    assert of_b.mtv.value is None
    assert of_b.threshold.value is None


def test_a_registration_is_honoured_both_ways() -> None:
    """By the transform, what lies at p of B lies at p + (8, 0, 0) of A."""
    shift = np.eye(4)
    shift[0, 3] = 8
    sources = pair(Transform.of("translation", shift), ("1.9", "1.2.3"))
    on_b = SphereRegion("s", (12, 20, 20), 3.0, frame_of_reference="1.2.3")
    one, two = measure_regions([on_b], sources)
    assert one.mean.value == 10
    assert one.maximum_at == (20.0, 20.0, 20.0)
    assert two.mean.value == pytest.approx(12)
    on_a = SphereRegion("s", (20, 20, 20), 3.0, frame_of_reference="1.9")
    one, two = measure_regions([on_a], sources)
    assert one.mean.value == 10
    assert two.mean.value == pytest.approx(12)
    assert not one.notes
    # A transform that moves B says the same the other way round.
    other = replace(sources, transform=PairTransform(Transform.of("translation", shift).inverse()))
    assert measure_regions([on_b], other)[0].mean.value == 10


def test_a_rotation_is_honoured() -> None:
    turn = np.eye(4)
    turn[:3, :3] = some_turn(4)
    middle = np.array([20.0, 20, 20])
    turn[:3, 3] = middle - turn[:3, :3] @ middle
    sources = pair(Transform.of("rigid", turn), ("1.9", "1.2.3"))
    there = (26.0, 17.0, 22.0)
    region = SphereRegion("s", there, 5.0, frame_of_reference="1.2.3")
    mask = find_voxels(region, sources, "a").mask.whole()
    k, j, i = np.indices(mask.shape)
    places = np.stack([i, j, k], -1) * 4.0
    apart = np.linalg.norm(places - (turn[:3, :3] @ there + turn[:3, 3]), axis=-1)
    np.testing.assert_array_equal(mask, apart <= 5.0)


def test_what_nobody_knows_is_refused_with_the_reason() -> None:
    region = SphereRegion("s", (20, 20, 20), 4.0, frame_of_reference="1.2.3")
    one, two = measure_regions([region], pair(frames=("1.9", "1.2.3")))
    assert one.mean.value is None
    assert "different frames of reference" in one.mean.reason
    assert isinstance(one.problem, RegionError)
    assert two.mean.value is not None
    assert two.notes == ("Not registered: A and B have different frames of reference.",)
    elsewhere = replace(region, frame_of_reference="1.7")
    for found in measure_regions([elsewhere], pair()):
        assert found.mean.value is None
        assert "another frame" in found.mean.reason
    accepted = measure_regions([elsewhere], pair(same_millimetres=True))
    assert all(found.mean.value is not None for found in accepted)
    one, _ = measure_regions([region], pair(patient="q"))
    assert "two different patients" in one.mean.reason
    one, two = measure_regions([region], pair(frames=("", "1.2.3")))
    assert one.mean.value == 10
    assert any("Not registered" in note for note in one.notes)


def test_outside_and_too_small_and_cut_off() -> None:
    sources = alone(pet(np.ones((5, 5, 5))))
    for centre in ((200, 8, 8), (8, 8, -30), (-6.0, 8, 8)):
        with pytest.raises(RegionOutside, match="outside of the field of view"):
            find_voxels(SphereRegion("s", centre, 3.9), sources, "a")
    with pytest.raises(RegionOutside, match="smaller than the voxels"):
        find_voxels(SphereRegion("s", (10, 10, 10), 1.0), sources, "a")
    cut = measure_region(SphereRegion("s", (0, 8, 8), 5.0), sources, "a")
    assert cut.voxels == 6
    assert any("beyond the field of view" in note for note in cut.notes)
    hot = measure_region(
        ThresholdRegion(SphereRegion("s", (0, 8, 8), 5.0), Threshold("suv", 0.5)), sources, "a"
    )
    assert hot.voxels == 6
    assert hot.mtv.value is None
    assert hot.tlg.value is None
    # Of a sphere that is larger than the volume, what lies well within has its volume.
    data = np.zeros((5, 5, 5))
    data[2, 2, 1:4] = 7
    wide = ThresholdRegion(SphereRegion("s", (8, 8, 8), 200.0), Threshold("suv", 5))
    closed = measure_region(wide, alone(pet(data)), "a")
    assert closed.mtv.value == pytest.approx(3 * 0.064)
    assert not any("beyond the field" in note for note in closed.notes)
    shared = measure_region(replace(wide, threshold=Threshold("share", 0.5)), alone(pet(data)), "a")
    assert shared.mtv.value == closed.mtv.value
    assert any("beyond the field" in note for note in shared.notes)
    holes = np.ones((5, 5, 5), bool)
    holes[0, 0, 0] = False
    assert measure_region(wide, alone(pet(data, mask=holes)), "a").mtv.value is not None
    holes[2, 2, 4] = False  # beside it
    beside = measure_region(wide, alone(pet(data, mask=holes)), "a")
    assert beside.mtv.value is None
    assert beside.volume.value == pytest.approx(3 * 0.064)
    data[2, 2, 4] = 7
    assert measure_region(wide, alone(pet(data)), "a").mtv.value is None
    single = measure_region(SphereRegion("s", (8, 8, 8), 1.0), sources, "a")
    assert (single.voxels, single.mean.value) == (1, 1.0)
    assert single.sd.value is None
    assert "single voxel" in single.sd.reason
    nothing = np.zeros((5, 5, 5), bool)
    nothing[0] = True
    unmeasured = alone(pet(np.ones((5, 5, 5)), mask=nothing))
    with pytest.raises(RegionOutside, match="nothing was measured"):
        find_voxels(SphereRegion("s", (8, 8, 12), 5.0), unmeasured, "a")


@pytest.mark.parametrize(
    ("unit", "threshold", "says"),
    [
        ("Bq/mL", Threshold("suv", 2.5), "does not say how its values become SUV"),
        ("SUVbw", Threshold("value", 2.5, "Bq/mL"), "in Bq/mL"),
        ("HU", Threshold("value", 200, ""), "in no unit"),
    ],
)
def test_a_threshold_in_a_unit_that_is_not_there_gives_no_number(unit, threshold, says) -> None:
    sources = alone(pet(np.ones((9, 9, 9)), unit=unit))
    region = ThresholdRegion(SphereRegion("s", (16, 16, 16), 9.0), threshold)
    with pytest.raises(RegionUnitError, match=says):
        find_voxels(region, sources, "a")
    one = measure_region(region, sources, "a")
    assert all(figure.value is None and figure.reason for figure in one.figures.values())


def test_activity_without_suv_has_a_volume_but_no_tlg() -> None:
    sources = alone(pet(np.full((9, 9, 9), 5000.0), unit="Bq/mL"))
    region = ThresholdRegion(SphereRegion("s", (16, 16, 16), 9.0), Threshold("share", 0.41))
    one = measure_region(region, sources, "a")
    assert one.mtv.value == one.volume.value
    assert one.tlg.value is None
    assert "SUV" in one.tlg.reason
    cold = alone(pet(np.zeros((9, 9, 9))))
    assert "not above 0" in measure_region(region, cold, "a").mean.reason


def test_figures_travel_between_processes() -> None:
    region = SphereRegion("s", (200, 0, 0), 4.0, frame_of_reference="1.2.3")
    for one in measure_regions([region, replace(region, centre=(20, 20, 20))], pair()):
        copy = pickle.loads(pickle.dumps(one))  # noqa: S301
        assert copy.figures == one.figures
        assert str(copy.problem) == str(one.problem)


def test_measuring_can_be_cancelled() -> None:
    class Stop(NullProgress):
        def check(self) -> None:
            raise Cancelled

    with pytest.raises(Cancelled):
        measure_regions([SphereRegion("s", (20, 20, 20), 4.0)], pair(), Stop())
