"""Pixels without data: found, kept from spreading, filled from the other source, not scored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image as Pil

from core.baselines import BASELINES
from core.errors import InputError, SizeMismatch
from core.fusion.chroma import luma
from core.fusion.classical_engine import fuse_classically
from core.fusion.color import merge, split
from core.fusion.engine import FusionEngine
from core.io import read_image, read_pair, resample_onto
from core.metrics import evaluate, to_luma8
from core.missing_data import comparable, fill_smoothly
from core.pairing.folders import pair_folders
from core.tasks import TASKS, ColourPolicy
from core.types import FloatArray, FusionRequest, Image, SourcePair

_NOTE = "hold no data and are filled from the other source."


def _smooth(seed: int, shape: tuple[int, int] = (96, 128)) -> FloatArray:
    noise = np.random.default_rng(seed).random(shape).astype(np.float32)
    blurred = np.asarray(cv2.GaussianBlur(noise, (0, 0), 5), np.float32)
    return (blurred - blurred.min()) / (blurred.max() - blurred.min())


def _valid(shape: tuple[int, int] = (96, 128)) -> Any:
    """A missing border, a missing block and some missing pixels."""
    mask = np.ones(shape, bool)
    mask[:, :20] = False
    mask[40:60, 70:90] = False
    mask[[5, 80, 81], [50, 100, 33]] = False
    return mask


def _write(path: Path, array: Any, nodata: str | None = None, **tags: Any) -> Path:
    if nodata is not None:
        tags["extratags"] = [(42113, "s", len(nodata) + 1, nodata, True)]
    tifffile.imwrite(path, array, **tags)
    return path


# --- reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "value", "tag"),
    [
        ("f4", -9999, "-9999"),
        ("f4", np.float32(-3.4028234663852886e38), "-3.4028234663852886e+38"),
        ("f4", np.float32(-3.4028235e38), "-3.40282e+38"),
        ("f8", -1.7976931348623157e308, "-1.79769313486232e+308"),
        ("f4", np.nan, "nan"),
        ("f4", np.nan, None),
        ("f4", np.inf, None),
        ("f8", -np.inf, None),
        ("f4", -9999, None),
        ("f4", -32768, None),
        ("f4", -3.4e38, None),
        ("f4", -3.402823e38, None),
        ("f4", -1e31, None),
        ("f8", 1e35, None),
        ("i2", -32768, None),
        ("i2", -9999, "-9999"),
        ("u2", 0, "0"),
        ("u2", 65535, "65535"),
        ("u1", 255, " 255 "),
        ("i4", -2147483648, "-2147483648"),
    ],
)
def test_no_data_is_a_mask(tmp_path: Path, dtype: str, value: float, tag: str | None) -> None:
    mask = _valid()
    array = (20 + 100 * _smooth(1)).astype(dtype)
    array[~mask] = value
    image = read_image(_write(tmp_path / "n.tif", array, tag))
    assert image.mask is not None
    np.testing.assert_array_equal(image.mask, mask)
    np.testing.assert_array_equal(image.data[mask][:, 0], array[mask].astype(np.float32))
    assert np.isfinite(image.data).all()
    if dtype != "u1":
        assert 15 <= image.window[0] < image.window[1] <= 125
    assert (image.normalised()[~mask] == 0).all()
    assert any(f"{np.count_nonzero(~mask)} pixels {_NOTE}" in note for note in image.notes)
    guessed = tag is None and bool(np.isfinite(value))
    assert any("was taken for “no data”" in note for note in image.notes) is guessed


def test_the_least_number_of_double_precision_is_no_data(tmp_path: Path) -> None:
    mask = _valid()
    array = (20 + 100 * _smooth(1)).astype(np.float64)
    array[~mask] = np.finfo(np.float64).min
    image = read_image(_write(tmp_path / "d.tif", array))
    assert image.mask is not None
    np.testing.assert_array_equal(image.mask, mask)
    np.testing.assert_array_equal(image.data[mask][:, 0], array[mask].astype(np.float32))


def test_what_only_looks_odd_is_not_repaired(tmp_path: Path) -> None:
    """0 and 500 are no well-known “no data”; a dive to −9999 m among others is none either."""
    for array in (
        np.where(_valid(), 3000 + 10 * _smooth(1), 0),
        np.where(_valid(), 3000 + 10 * _smooth(1), 500),
        -10000 * _smooth(1).round(4),
    ):
        array = array.astype(np.float32)
        if array.min() < 0:
            array[3, 4] = -9999
        image = read_image(_write(tmp_path / "o.tif", array))
        assert image.mask is None
        np.testing.assert_array_equal(image.data[..., 0], array)


@pytest.mark.parametrize("tag", ["", "none", "1e999", "0x10", "12.5"])
def test_tags_that_mean_nothing(tmp_path: Path, tag: str) -> None:
    array = np.arange(300, dtype=np.uint16).reshape(15, 20)
    assert read_image(_write(tmp_path / "t.tif", array, tag or " ")).mask is None


def test_a_pixel_of_colour_is_missing_when_all_of_it_is(tmp_path: Path) -> None:
    array = np.full((4, 5, 3), 100, np.uint8)
    array[1, 1] = 0
    array[2, 2] = (0, 7, 0)
    image = read_image(_write(tmp_path / "c.tif", array, "0", photometric="rgb"))
    assert image.mask is not None
    assert np.argwhere(~image.mask).tolist() == [[1, 1]]


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_no_data_is_told_before_black_and_white_are_swapped(
    tmp_path: Path, photometric: str
) -> None:
    array = np.array([[0, 10, 200, 255]], np.uint8)
    image = read_image(_write(tmp_path / "w.tif", array, "0", photometric=photometric))
    assert image.mask is not None
    assert image.mask.tolist() == [[False, True, True, True]]


def test_one_pixel_is_said_in_the_singular(tmp_path: Path) -> None:
    array = np.ones((4, 5), np.float32)
    array[2, 3] = np.nan
    notes = read_image(_write(tmp_path / "s.tif", array)).notes
    assert notes[0] == "1 pixel holds no data and is filled from the other source."


@pytest.mark.parametrize(("value", "tag"), [(np.nan, None), (-9999, "-9999")])
def test_nothing_but_no_data_is_refused(tmp_path: Path, value: float, tag: str | None) -> None:
    path = _write(tmp_path / "all.tif", np.full((6, 7), value, np.float32), tag)
    with pytest.raises(InputError, match=r"all\.tif.*not one of its pixels holds data"):
        read_image(path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_mask_turns_with_the_picture(tmp_path: Path, orientation: int) -> None:
    array = 20 + _smooth(3, (12, 17))
    plain = read_image(_write(tmp_path / "p.tif", array))
    array[2, 5] = np.nan
    tags = [(274, "H", 1, orientation, True)]
    image = read_image(_write(tmp_path / "o.tif", array, extratags=tags))
    whole = read_image(_write(tmp_path / "w.tif", np.nan_to_num(array, nan=0), extratags=tags))
    assert image.mask is not None
    assert image.mask.shape == image.data.shape[:2]
    assert np.argwhere(~image.mask).tolist() == np.argwhere(whole.data[..., 0] == 0).tolist()
    assert plain.mask is None


# --- resampling --------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(128, 96), (64, 48), (301, 205), (64, 205), (200, 48), (97, 61)])
def test_resampled_pixels_take_nothing_from_missing_ones(size: tuple[int, int]) -> None:
    mask, data = _valid(), _smooth(2)[..., None]
    poisoned = data.copy()
    poisoned[~mask] = 100
    one, other = (
        resample_onto(Image(d, (0, 1), mask=mask, bit_depth=32), size) for d in (data, poisoned)
    )
    assert one.mask is not None
    assert other.mask is not None
    np.testing.assert_array_equal(one.mask, other.mask)
    assert one.mask.shape == size[::-1]
    np.testing.assert_allclose(one.data[one.mask], np.clip(other.data, 0, 1)[one.mask], atol=1e-5)
    # Not more is lost than what lies around the holes.
    assert one.mask.mean() > mask.mean() - 0.12


def test_counts_keep_their_range_when_resampled(tmp_path: Path) -> None:
    """Clipped to what the file can hold, not to what is black and white."""
    rng = np.random.default_rng(1)
    array = np.round(rng.normal(29800, 40, (256, 320))).astype(np.uint16)
    array[100:110, 200:210] = 60000
    image = read_image(_write(tmp_path / "c.tif", array))
    assert image.window[1] < 31000
    assert resample_onto(image, (640, 512)).data.max() == pytest.approx(60000, rel=0.1)


@pytest.mark.parametrize(
    ("size", "other", "words"),
    [
        ((1920, 1080), (640, 480), "16:9 and 4:3"),
        ((1080, 1920), (480, 640), "9:16 and 3:4"),
        ((2048, 1024), (1024, 1024), "2:1 and 1:1"),
        ((1280, 1024), (640, 512), ""),
        ((1280, 1024), (641, 512), ""),
        ((10, 7), (8, 6), ""),
    ],
)
def test_proportions_that_differ_are_told(
    tmp_path: Path, size: tuple[int, int], other: tuple[int, int], words: str
) -> None:
    Pil.new("L", other).save(tmp_path / "a.png")
    Pil.new("L", size).save(tmp_path / "b.png")
    with pytest.raises(InputError) as caught:
        read_pair(tmp_path / "a.png", tmp_path / "b.png")
    assert ("proportions differ" in str(caught.value)) is bool(words)
    assert isinstance(caught.value, SizeMismatch)
    assert bool(caught.value.proportions) is bool(words)
    pair = read_pair(tmp_path / "a.png", tmp_path / "b.png", resample=True)
    told = [note for note in pair.b.notes if "stretched" in note]
    assert len(told) == bool(words)
    if words:
        assert told[0] == f"The proportions differ ({words}): the picture is stretched."


# --- filling -----------------------------------------------------------------------------------


def test_continued_by_hand() -> None:
    """A constant stays one; valid pixels stay to the bit; a ramp is continued without a jump."""
    mask = _valid()
    flat = fill_smoothly(np.full((96, 128, 1), 0.3, np.float32), mask)
    np.testing.assert_allclose(flat, 0.3, rtol=1e-5)
    poisoned = _smooth(4)[..., None].copy()
    clean = poisoned.copy()
    poisoned[~mask] = np.nan
    filled = fill_smoothly(np.nan_to_num(poisoned, nan=1e9), mask)
    np.testing.assert_array_equal(filled[mask], clean[mask])
    assert filled.min() >= clean[mask].min() - 1e-5
    assert filled.max() <= clean[mask].max() + 1e-5
    single = np.zeros((7, 9), bool)
    single[3, 3] = True
    np.testing.assert_allclose(fill_smoothly(clean[:7, :9], single), clean[3, 3, 0], rtol=1e-5)


def _pair(colour_a: bool, colour_b: bool) -> tuple[SourcePair, Any, Any]:
    one, other = _valid(), np.ones((96, 128), bool)
    other[30:50, 60:80] = False  # overlaps the block that A lacks
    images = []
    for place, (coloured, mask) in enumerate(((colour_a, one), (colour_b, other))):
        planes = [_smooth(10 * place + k) for k in range(3 if coloured else 1)]
        images.append(Image(np.stack(planes, 2), (0, 1), mask=mask, container=(0, 1), bit_depth=32))
    return SourcePair(*images), one, other


@pytest.mark.parametrize("colour_a", [False, True])
@pytest.mark.parametrize("colour_b", [False, True])
@pytest.mark.parametrize(
    "policy",
    [
        *(ColourPolicy("luma", chroma) for chroma in ("a", "b", "both", "nearest")),
        ColourPolicy("rgb", "a"),
    ],
    ids=str,
)
def test_holes_become_the_other_source(
    colour_a: bool, colour_b: bool, policy: ColourPolicy
) -> None:
    pair, one, other = _pair(colour_a, colour_b)
    parts = split(pair, policy)
    fused = merge((parts.a + parts.b) / 2, parts)
    a, b = (np.broadcast_to(i.normalised(), fused.shape) for i in (pair.a, pair.b))
    if fused.shape[2] == 3 and policy.mode == "luma":
        # Where A is grey and B coloured, or the reverse, colour is carried as everywhere else.
        a_wanted = a if colour_a or policy.chroma == "none" else None
    else:
        a_wanted = a
    only_b, only_a = ~one & other, one & ~other
    np.testing.assert_allclose(fused[only_b], b[only_b], atol=2e-6)
    if a_wanted is not None:
        np.testing.assert_allclose(fused[only_a], a_wanted[only_a], atol=2e-6)
    else:
        np.testing.assert_allclose(luma(fused)[only_a], a[only_a][:, :1], atol=2e-6)
    assert (fused[~one & ~other] == 0).all()


@pytest.mark.parametrize("method", list(BASELINES))
def test_nothing_spreads_from_holes(method: str) -> None:
    """What stood in the holes does not matter at all; the rest is as if there were none."""
    mask, visible = _valid(), Image(_smooth(9)[..., None], (0, 1))
    clean = _smooth(5)[..., None]
    results = []
    for value in (0.0, 1.0, -9999.0):
        data = clean.copy()
        data[~mask] = value
        pair = SourcePair(Image(data, (0, 1), mask=mask), visible)
        results.append(fuse_classically(FusionRequest(pair, "ivif", method)).fused)
    for result in results[1:]:
        np.testing.assert_array_equal(result, results[0])
    whole = fuse_classically(
        FusionRequest(SourcePair(Image(clean, (0, 1)), visible), "ivif", method)
    ).fused
    error = np.abs(results[0] - whole)[mask]
    assert error.mean() < 0.012
    assert np.median(error) < 0.005


@pytest.fixture(scope="module")
def engine() -> FusionEngine:
    return FusionEngine("cpu")


@pytest.mark.parametrize("task", list(TASKS))
def test_packs_whole_and_in_tiles(engine: FusionEngine, task: str) -> None:
    mask = np.zeros((420, 400), bool)
    mask[30:, 25:] = True
    mask[100:140, 200:260] = False
    data = _smooth(5, mask.shape)[..., None].copy()
    data[~mask] = -9999
    visible = Image(np.stack([_smooth(k, mask.shape) for k in (7, 8, 9)], 2), (0, 1))
    pair = SourcePair(Image(data, (0, 1), mask=mask), visible)
    whole, tiled = (
        engine.fuse(FusionRequest(pair, task, reconstructions=True, tiles=tiles))
        for tiles in (False, True)
    )
    assert np.abs(whole.fused - tiled.fused).max() < 2e-3
    np.testing.assert_allclose(whole.fused[~mask], visible.data[~mask], atol=2e-6)
    assert whole.reconstruction_a is not None
    assert (whole.reconstruction_a[~mask] == 0).all()
    assert whole.reconstruction_a[mask].mean() > 0.1
    assert "Metrics count only where both sources hold data." in whole.notes
    other = data.copy()
    other[~mask] = 77
    again = engine.fuse(FusionRequest(SourcePair(Image(other, (0, 1), mask=mask), visible), task))
    np.testing.assert_array_equal(again.fused, whole.fused)


def test_pixels_that_neither_has_are_said() -> None:
    pair, one, other = _pair(False, False)
    notes = fuse_classically(FusionRequest(pair, "ivif", "average")).notes
    number = np.count_nonzero(~one & ~other)
    assert f"{number} pixels hold no data in either source and are black." in notes


def test_a_pair_without_common_data_is_refused() -> None:
    left = np.zeros((8, 8), bool)
    left[:, :4] = True
    a, b = (Image(np.ones((8, 8, 1), np.float32), mask=m) for m in (left, ~left))
    with pytest.raises(InputError, match="no pixel where both hold data"):
        SourcePair(a, b)


# --- scores -----------------------------------------------------------------------------------


def test_scores_are_those_of_the_area_both_have() -> None:
    """A missing border: the very scores of the pair cut to what is there."""
    mask = np.ones((96, 128), bool)
    mask[:, :40] = False
    mask[:8] = False
    a, b = _smooth(1)[..., None].copy(), _smooth(2)[..., None]
    cut = SourcePair(*(Image(d[8:, 40:], (0, 1)) for d in (a, b)))
    a[~mask] = -9999
    pair = SourcePair(Image(a, (0, 1), mask=mask), Image(b, (0, 1)))
    names = ["MI", "VIF", "Qabf", "SSIM", "CC", "PSNR", "EN", "SD"]
    fused = np.random.default_rng(3).random((96, 128, 1)).astype(np.float32)
    found = [
        evaluate(
            *comparable(p, *(to_luma8(i) for i in (p.a.normalised(), p.b.normalised(), f))), names
        )
        for p, f in ((pair, fused), (cut, fused[8:, 40:]))
    ]
    assert found[0] == found[1]


def test_scores_know_nothing_of_what_stands_in_a_hole() -> None:
    pair, _, _ = _pair(False, False)
    planes = [to_luma8(i.normalised()) for i in (pair.a, pair.b)]
    assert pair.valid is not None
    found = []
    for value in (0, 255):
        changed = [np.where(pair.valid, plane, np.uint8(value)) for plane in planes]
        found.append([plane.tobytes() for plane in comparable(pair, *changed)])
    assert found[0] == found[1]


# --- real infrared -----------------------------------------------------------------------------


@pytest.mark.parametrize("tag", ["-9999", None])
def test_no_data_in_real_infrared(tmp_path: Path, shared_data: Path, tag: str | None) -> None:
    """Degrees with −9999 in a corner: the scene keeps its brightness and its contrast."""
    files = pair_folders(shared_data / "val" / "ivif").matches[6]
    twin = luma(read_image(files.a).normalised())[..., 0]
    degrees = (10 + 30 * twin).astype(np.float32)
    whole = read_pair(_write(tmp_path / "w.tif", degrees), files.b, task="ivif")
    degrees[:60, :50] = -9999
    holed = read_pair(_write(tmp_path / "n.tif", degrees, tag), files.b, task="ivif")
    assert holed.a.window == pytest.approx(whole.a.window, abs=0.5)
    results = [
        fuse_classically(FusionRequest(pair, "ivif", "laplacian")).fused for pair in (whole, holed)
    ]
    visible = holed.b.normalised()
    np.testing.assert_allclose(results[1][:60, :50], visible[:60, :50], atol=2e-6)
    away = np.s_[80:, 70:]
    assert np.abs(results[0][away] - results[1][away]).mean() < 0.01
