"""Images through a transform: which values result, and where there are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.io import make_pair, read_pair, resample_through
from core.io.pairs import MIRRORED
from core.io.resampling import (
    common_rectangle,
    encoded_light,
    is_photograph,
    linear_light,
)
from core.metrics import evaluate, to_luma8
from core.missing_data import comparable, missing_data_of
from core.types import Image, PairTransform, Transform

_SIXTEEN = {"window": (0.0, 65535.0), "bit_depth": 16, "container": (0.0, 65535.0)}


def moved(x: float, y: float) -> Transform:
    return Transform.of("translation", [[1, 0, x], [0, 1, y], [0, 0, 1]])


def turned(degrees: float, scale: float = 1.0, shift: tuple[float, float] = (0, 0)) -> Transform:
    c, s = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return Transform.of("similarity", [[c, -s, shift[0]], [s, c, shift[1]], [0, 0, 1]])


def noise(height: int, width: int, channels: int = 1) -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.integers(0, 65536, (height, width, channels)).astype(np.float32)


def photograph(data: np.ndarray, **more: object) -> Image:
    return Image(data, **(_SIXTEEN | more))  # type: ignore[arg-type]


def test_a_whole_shift_moves_every_value_unchanged():
    data = noise(6, 8, 3)
    image = photograph(data)
    for light in (False, True):
        out = resample_through(image, moved(2, -1), image, linear_light=light)
        # The value at (x, y) is that of the moving image at (x + 2, y − 1).
        np.testing.assert_array_equal(out.data[1:, :6], data[:5, 2:])
        assert out.mask is not None
        wanted = np.zeros((6, 8), bool)
        wanted[1:, :6] = True
        np.testing.assert_array_equal(out.mask, wanted)
        assert out.bit_depth == 16


def test_nothing_moved_is_the_same_image():
    image = photograph(noise(6, 8))
    assert resample_through(image, Transform.identity(), image) is image


@pytest.mark.parametrize(
    "transform",
    [
        moved(0.25, -3.7),
        turned(7, shift=(4, -2)),
        turned(-20, 0.8, (10, 5)),
        Transform.of("affine", [[0.9, 0.2, -3.01], [-0.1, 0.7, 6.02], [0, 0, 1]]),
        Transform.of("affine", [[-1, 0, 60.02], [0, 1, 0.48], [0, 0, 1]]),
    ],
)
def test_measured_values_are_those_of_simpleitk(transform):
    sitk = pytest.importorskip("SimpleITK")
    image = Image(noise(50, 64), window=(0.0, 65535.0), bit_depth=32)
    fixed = Image(np.zeros((45, 70, 1), np.float32))
    out = resample_through(image, transform, fixed)
    theirs = sitk.AffineTransform(2)
    theirs.SetMatrix(transform.array[:2, :2].ravel().tolist())
    theirs.SetTranslation(transform.array[:2, 2].tolist())
    source = sitk.GetImageFromArray(image.data[..., 0].astype(np.float64))
    wanted = sitk.GetArrayFromImage(
        sitk.Resample(source, (70, 45), theirs, sitk.sitkLinear, (0, 0), (1, 1), (1, 0, 0, 1), -1.0)
    )
    assert out.mask is not None
    # Beyond the outermost centres ITK's linear interpolation continues the border as well.
    np.testing.assert_array_equal(out.mask, wanted >= 0)
    np.testing.assert_allclose(out.data[..., 0][out.mask], wanted[out.mask], atol=0.05)


def test_a_photograph_is_interpolated_in_light():
    """Half way between black and white columns is half the light, whose sRGB value is 0.7354."""
    columns = np.zeros((4, 10, 3), np.float32)
    columns[:, ::2] = 65535
    image = photograph(columns)
    inner = np.s_[:, 2:-3]
    out = resample_through(image, moved(0.5, 0), image, linear_light=True)
    np.testing.assert_allclose(out.data[inner], 0.735357 * 65535, atol=1)
    as_stored = resample_through(image, moved(0.5, 0), image)
    np.testing.assert_allclose(as_stored.data[inner], 65535 / 2)


def test_the_curve_is_that_of_srgb():
    # IEC 61966-2-1: mid grey 0.5 is 0.2140 of the light; the linear part ends at 0.04045.
    for encoded, light in ((0.0, 0.0), (0.04045, 0.0031308), (0.5, 0.21404), (1.0, 1.0)):
        assert linear_light(np.float32([encoded]))[0] == pytest.approx(light, abs=1e-5)
    values = np.linspace(0, 1, 65536, dtype=np.float32)
    np.testing.assert_allclose(encoded_light(linear_light(values)), values, atol=0.1 / 65535)
    assert encoded_light(np.float32([-0.2]))[0] == 0


def test_light_that_changes_quadratically_is_kept():
    """Keys' cubic reproduces quadratic functions exactly, a linear interpolation does not."""

    def light(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 0.2 + 0.6 * ((x - 10) / 40) ** 2 + 0.1 * ((y - 20) / 30) ** 2

    y, x = np.mgrid[:40, :50].astype(np.float64)
    image = photograph(65535 * encoded_light(light(x, y).astype(np.float32))[..., None])
    transform = turned(5, 0.9, (3.3, 1.7))
    out = resample_through(image, transform, image, linear_light=True)
    places = transform.apply(np.stack([x, y], axis=-1))
    inner = ((places > 2) & (places < [47, 37])).all(axis=-1)
    found = linear_light(out.data[..., 0] / 65535)
    np.testing.assert_allclose(
        found[inner], light(places[..., 0], places[..., 1])[inner], atol=2e-6
    )


def test_sixteen_bits_are_kept():
    ramp = np.broadcast_to(np.arange(200, dtype=np.float32)[None, :, None] + 30000, (20, 200, 1))
    image = photograph(np.array(ramp))
    out = resample_through(image, moved(0.25, 0), image)
    np.testing.assert_allclose(out.data[:, :199], ramp[:, :199] + 0.25, atol=0.01)


def test_smaller_pictures_are_block_means():
    data = noise(8, 12)
    image = Image(data, window=(0.0, 65535.0), bit_depth=32)
    by_four = Transform.of("affine", [[4, 0, 1.5], [0, 4, 1.5], [0, 0, 1]])
    out = resample_through(image, by_four, Image(np.zeros((2, 3, 1), np.float32)))
    blocks = data.reshape(2, 4, 3, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(out.data[..., 0], blocks, rtol=1e-6)
    assert out.mask is None


def test_pictures_of_two_sizes_are_interpolated_once():
    """A function of the scene, seen by two cameras of different size and place, is the same."""

    def scene(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return 30000 + 20000 * np.sin(x / 9) * np.cos(y / 7)

    yy, xx = np.mgrid[:96, :128].astype(np.float64)
    image = Image(scene(xx, yy)[..., None].astype(np.float32), (0.0, 65535.0), 32)
    transform = turned(3, 0.5, (8.2, 9.1))  # the fixed picture has twice as many pixels
    fixed = Image(np.zeros((140, 180, 1), np.float32), spacing=(2.0, 3.0))
    out = resample_through(image, transform, fixed)
    assert out.size == (180, 140)
    assert out.spacing == (2.0, 3.0)
    v, u = np.mgrid[:140, :180].astype(np.float64)
    places = transform.apply(np.stack([u, v], axis=-1))
    valid = np.ones(places.shape[:2], bool) if out.mask is None else out.mask
    wanted = scene(places[..., 0], places[..., 1])
    inner = valid & ((places > 1) & (places < [126, 94])).all(axis=-1)
    assert np.abs(out.data[..., 0] - wanted)[inner].max() < 150  # of 40,000: linear in one step


def test_what_lies_beyond_the_horizon_of_a_homography_has_no_data():
    across = np.broadcast_to(np.arange(40, dtype=np.float32)[None, :, None], (40, 40, 1))
    image = Image(np.array(across), (0.0, 40.0), 32)
    # The line x = 30 of the fixed picture is the horizon.
    bent = Transform.of("homography", [[1, 0, 0], [0, 1, 0], [-1 / 30, 0, 1]])
    out = resample_through(image, bent, image)
    assert out.mask is not None
    assert not out.mask[:, 30:].any()
    # (10, 4): depth 2/3, so (15, 6) of the moving picture.
    assert out.mask[4, 10]
    assert out.data[4, 10, 0] == pytest.approx(15, abs=0.2)


@pytest.mark.parametrize("light", [False, True])
@pytest.mark.parametrize("transform", [turned(9, 0.9, (1, -3)), turned(0, 2.2), moved(0.5, 0.5)])
def test_values_take_nothing_from_missing_ones(transform, light):
    mask = np.ones((40, 48), bool)
    mask[10:14, 20:30] = mask[30, 5] = False
    data = noise(40, 48)
    data[...] = 20000 + data / 10
    poisoned = data.copy()
    poisoned[~mask] = 65535
    one, other = (
        resample_through(photograph(d, mask=mask), transform, photograph(d), linear_light=light)
        for d in (data, poisoned)
    )
    assert one.mask is not None
    np.testing.assert_array_equal(one.mask, other.mask)
    np.testing.assert_array_equal(one.data[one.mask], other.data[one.mask])
    whole = resample_through(photograph(data), transform, photograph(data), linear_light=light)
    lost = (whole.mask if whole.mask is not None else np.ones((40, 48), bool)) & ~one.mask
    assert 0 < lost.mean() < 0.2


def test_a_transform_off_the_picture_is_explained():
    image = photograph(noise(6, 8), origin=Path("b.png"))
    with pytest.raises(InputError, match=r"b\.png.*off the other picture") as refused:
        resample_through(image, moved(100, 0), image)
    assert "register" in refused.value.remedy


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "by",
    [
        # Its horizon passes through the middle of the first row.
        Transform.of("homography", [[1, 0, 0], [0, 1, 0], [-1 / 10, 0, 1]]),
        Transform.of("affine", [[1e200, 0, 0], [0, 1e200, 0], [0, 0, 1]]),
    ],
)
def test_pixels_of_any_size_are_sampled(by: Transform) -> None:
    image = photograph(noise(9, 21))
    found = resample_through(image, by, image)
    assert found.mask is not None
    assert 0 < found.mask.sum() < found.mask.size
    assert np.isfinite(found.data).all()


def test_values_stay_in_range():
    step = np.zeros((8, 8, 1), np.float32)
    step[:, 4:] = 65535
    out = resample_through(photograph(step), moved(0.3, 0), photograph(step), linear_light=True)
    assert 0 <= out.data.min() < 1e-3
    assert 65534.9 < out.data.max() <= 65535


# --- pairs ---------------------------------------------------------------------------------------


def scene_pair(x: int, y: int) -> tuple[Image, Image]:
    """Two windows of one picture; B shows what A does ``x`` further right, ``y`` further down."""
    whole = noise(60, 70)
    a = whole[10:50, 10:60]
    b = whole[10 - y : 50 - y, 10 - x : 60 - x]
    return photograph(a, origin=Path("a.png")), photograph(b, origin=Path("b.png"))


def test_a_pair_lies_on_each_other_through_its_transform():
    a, b = scene_pair(3, -2)
    by = PairTransform(moved(3, -2))
    pair = make_pair(a, b, transform=by)
    assert pair.transform is by
    assert pair.a is a
    assert pair.valid is not None
    np.testing.assert_array_equal(pair.b.data[pair.valid], a.data[pair.valid])
    assert pair.valid.sum() == 47 * 38
    assert "by -3.0, 2.0 pixels" in pair.b.notes[-1]


def test_either_source_may_be_the_one_that_moves():
    a, b = scene_pair(3, -2)
    by = PairTransform(moved(3, -2)).moving_side("a")
    pair = make_pair(a, b, transform=by)
    assert pair.b is b
    assert pair.valid is not None
    np.testing.assert_array_equal(pair.a.data[pair.valid], b.data[pair.valid])
    again = pair.swapped()
    assert again.transform == replace(by, moving="b")
    assert again.a is b


def test_a_pair_is_cropped_to_what_both_show():
    a, b = scene_pair(3, -2)
    pair = make_pair(a, b, transform=PairTransform(moved(3, -2), crop=True))
    assert pair.valid is None
    assert pair.a.size == pair.b.size == (47, 38)
    np.testing.assert_array_equal(pair.a.data, pair.b.data)
    np.testing.assert_array_equal(pair.a.data, a.data[2:, :47])
    assert all("47×38" in image.notes[-1] for image in (pair.a, pair.b))


def test_what_the_moved_source_does_not_show_counts_for_nothing():
    """Metrics and fusion see the other source there, not black."""
    a, b = scene_pair(5, 4)
    pair = make_pair(a, b, transform=PairTransform(moved(5, 4)))
    missing = missing_data_of(pair, pair.a.normalised(), pair.b.normalised())
    assert missing is not None
    outside = ~pair.b.mask
    np.testing.assert_array_equal(missing.fill[outside], pair.a.normalised()[outside])
    scores = []
    for value in (0, 65535):
        data = np.where(pair.b.mask[..., None], pair.b.data, np.float32(value))
        other = replace(pair, b=replace(pair.b, data=data))
        planes = [to_luma8(image.normalised()) for image in (other.a, other.b, other.a)]
        scores.append(evaluate(*comparable(other, *planes), ["Qabf", "MI"]))
    assert scores[0] == scores[1]


def test_sizes_need_not_agree_where_there_is_a_transform(tmp_path):
    whole = noise(60, 80)[..., 0].astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", whole[10:40, 20:60])
    tifffile.imwrite(tmp_path / "b.tif", whole)
    pair = read_pair(tmp_path / "a.tif", tmp_path / "b.tif", transform=PairTransform(moved(20, 10)))
    np.testing.assert_array_equal(pair.a.data, pair.b.data)
    assert pair.bit_depth == 16
    assert pair.valid is None


def test_only_visible_light_is_interpolated_as_light():
    a, b = scene_pair(0, 0)
    shifted = PairTransform(moved(0.5, 0))
    as_light = make_pair(a, b, task="ivif", transform=shifted).b
    as_values = make_pair(a, b, task="mif", transform=shifted).b
    infrared = make_pair(a, b, task="ivif", transform=PairTransform(moved(0.5, 0), "a")).a
    assert np.abs(as_light.data - as_values.data).max() > 1000
    np.testing.assert_array_equal(
        infrared.data, make_pair(a, b, transform=PairTransform(moved(0.5, 0), "a")).a.data
    )
    assert is_photograph(a)
    assert not is_photograph(replace(a, unit="K"))
    assert not is_photograph(Image(a.data, (0, 1), 32))


def test_doubt_is_said():
    a, b = scene_pair(1, 1)
    for verdict, count in (("good", 1), ("doubtful", 2), (None, 1)):
        by = PairTransform(moved(1, 1), verdict=verdict)
        assert len(make_pair(a, b, transform=by).b.notes) == count


def test_a_mirrored_picture_is_said_to_be():
    a, _ = scene_pair(1, 1)
    mirror = Transform.of("affine", [[-1, 0, a.width - 1], [0, 1, 0], [0, 0, 1]])
    pair = make_pair(a, replace(a, data=a.data[:, ::-1]), transform=PairTransform(mirror))
    np.testing.assert_array_equal(pair.b.data, a.data)
    assert pair.b.notes[1] == MIRRORED


# --- the rectangle -------------------------------------------------------------------------------


def largest_by_trying(inside: np.ndarray) -> int:
    height, width = inside.shape
    best = 0
    for top in range(height):
        for left in range(width):
            for bottom in range(top + 1, height + 1):
                for right in range(left + 1, width + 1):
                    if inside[top:bottom, left:right].all():
                        best = max(best, (bottom - top) * (right - left))
    return best


@settings(max_examples=25, deadline=None)
@given(
    st.floats(-180, 180),
    st.floats(0.5, 2),
    st.tuples(st.floats(-6, 6), st.floats(-6, 6)),
    st.floats(-0.02, 0.02),
)
def test_the_rectangle_is_the_largest_that_both_show(angle, scale, shift, bend):
    matrix = turned(angle, scale, shift).array
    matrix[2, 0] = bend
    transform = Transform.of("homography", matrix)
    image = Image(np.ones((9, 8, 1), np.float32), (0, 2), 32)
    fixed = Image(np.zeros((7, 10, 1), np.float32))
    found = common_rectangle(transform, image.size, fixed.size)
    if found is None:
        with pytest.raises(InputError):
            resample_through(image, transform, fixed)
        return
    mask = resample_through(image, transform, fixed).mask
    inside = np.ones((7, 10), bool) if mask is None else mask
    rows, columns = found
    assert inside[rows, columns].all()
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    assert area == largest_by_trying(inside)
