"""Two files as one pair: sizes, resampling, the same file twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Pil

from core.errors import InputError, SizeMismatch
from core.io import read_image, read_pair, resample_onto
from core.pairing.folders import pair_folders
from core.types import Image


def _save(path: Path, width: int, height: int, seed: int = 0) -> Path:
    rng = np.random.default_rng(seed)
    Pil.fromarray(rng.integers(0, 256, (height, width), dtype=np.uint8)).save(path)
    return path


def test_pair_of_one_size(tmp_path: Path) -> None:
    a, b = _save(tmp_path / "a.png", 8, 6), _save(tmp_path / "b.png", 8, 6, 1)
    pair = read_pair(a, str(b))
    assert pair.a.origin == a
    assert pair.b.origin == b
    assert pair.a.notes == pair.b.notes == ()
    assert read_pair(a, b, resample=True).b.notes == ()


def test_sizes_that_differ(tmp_path: Path) -> None:
    a, b = _save(tmp_path / "a.png", 8, 6), _save(tmp_path / "b.png", 10, 7)
    with pytest.raises(SizeMismatch, match=r"A is 8×6 pixels and B is 10×7.*Resample"):
        read_pair(a, b)
    pair = read_pair(a, b, resample=True)
    assert pair.b.size == (8, 6)
    assert pair.b.notes == ("Resampled from 10×7 to 8×6 pixels.",)
    np.testing.assert_array_equal(pair.a.data, read_image(a).data)


def test_same_picture_twice(tmp_path: Path) -> None:
    a = _save(tmp_path / "a.png", 8, 6)
    copy = tmp_path / "copy.png"
    copy.write_bytes(a.read_bytes())
    link = tmp_path / "link.png"
    link.symlink_to(a)
    for other in (a, tmp_path / "." / "a.png", copy, link):
        pair = read_pair(a, other)
        assert "same picture" in pair.a.notes[0]
        assert "same picture" in pair.b.notes[0]
        np.testing.assert_array_equal(pair.a.data, pair.b.data)


def test_files_of_one_length_are_told_apart(tmp_path: Path) -> None:
    a, b = _save(tmp_path / "a.bmp", 8, 6), _save(tmp_path / "b.bmp", 8, 6, 5)
    assert a.stat().st_size == b.stat().st_size
    assert read_pair(a, b).a.notes == ()


def test_bad_half_is_named(tmp_path: Path) -> None:
    a = _save(tmp_path / "a.png", 8, 6)
    with pytest.raises(InputError, match=r"missing\.png"):
        read_pair(a, tmp_path / "missing.png")
    with pytest.raises(InputError, match=r"missing\.png"):
        read_pair(tmp_path / "missing.png", a)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(4, 3), (16, 12), (4, 12), (16, 3), (1, 1), (40, 1)])
def test_resampling_keeps_a_constant(channels: int, size: tuple[int, int]) -> None:
    image = Image(np.full((6, 8, channels), 77, np.float32), (0, 255), spacing=(2.0, 3.0))
    out = resample_onto(image, size)
    assert out.size == size
    assert out.data.shape[2] == channels
    np.testing.assert_allclose(out.data, 77, rtol=1e-6)
    # The field of view stays: pixels times spacing.
    assert out.spacing is not None
    assert out.spacing[0] * out.height == pytest.approx(6 * 2.0)
    assert out.spacing[1] * out.width == pytest.approx(8 * 3.0)


def test_shrinking_averages_by_hand() -> None:
    data = np.arange(16, dtype=np.float32).reshape(4, 4, 1)
    out = resample_onto(Image(data, (0, 255)), (2, 2))
    # Means of the four 2×2 blocks.
    np.testing.assert_allclose(out.data[..., 0], [[2.5, 4.5], [10.5, 12.5]])
    wide = resample_onto(Image(data, (0, 255)), (2, 4))
    np.testing.assert_allclose(wide.data[:, 0, 0], [0.5, 4.5, 8.5, 12.5])


@pytest.mark.parametrize("bit_depth", [8, 32])
def test_cubic_overshoot_stays_in_range(bit_depth: int) -> None:
    """A step overshoots under a cubic; integers stay in their window, floats in their range."""
    step = np.zeros((8, 8, 1), np.float32)
    step[:, 4:] = 255 if bit_depth == 8 else 3
    window = (0.0, 255.0) if bit_depth == 8 else (0.0, 1.0)
    image = Image(step, window, bit_depth=bit_depth)  # type: ignore[arg-type]
    out = resample_onto(image, (29, 29))
    assert float(out.data.min()) == 0.0
    assert float(out.data.max()) == step.max()
    assert out.window == window


def test_grown_ramp_stays_a_ramp() -> None:
    """Pixel centres keep their place: value at x' is (x' + ½)/2 − ½ of the old grid.

    OpenCV's cubic (a = −0.75) is off by up to 0.05 on a ramp; a grid off by half a pixel by 0.25.
    """
    ramp = np.broadcast_to(np.arange(16, dtype=np.float32)[None, :, None], (4, 16, 1))
    out = resample_onto(Image(np.array(ramp), (0, 255)), (32, 8))
    inner = np.arange(32)[4:-4]
    np.testing.assert_allclose(out.data[0, 4:-4, 0], (inner + 0.5) / 2 - 0.5, atol=0.05)


def test_same_size_is_the_same_picture() -> None:
    image = Image(np.zeros((6, 8, 1), np.float32))
    assert resample_onto(image, (8, 6)) is image


def test_absurd_target_is_refused() -> None:
    image = Image(np.zeros((6, 8, 1), np.float32))
    for size in ((0, 5), (100_000, 100_000)):
        with pytest.raises(InputError, match="pixels"):
            resample_onto(image, size)


def test_depths_may_differ(tmp_path: Path) -> None:
    a = _save(tmp_path / "a.png", 8, 6)
    tifffile.imwrite(tmp_path / "b.tif", np.full((6, 8), 40000, np.uint16))
    pair = read_pair(a, tmp_path / "b.tif")
    assert pair.bit_depth == 16
    assert pair.b.window == (0, 65535)


@pytest.mark.parametrize("task", ["ivif", "mif", "mef", "mff"])
def test_real_pairs(shared_data: Path, task: str) -> None:
    files = pair_folders(shared_data / "val" / task).matches[::6]
    for each in files:
        pair = read_pair(each.a, each.b)
        assert pair.a.notes == pair.b.notes == ()
        for image in (pair.a, pair.b):
            shown = image.normalised()
            assert 0 <= shown.min() < shown.max() <= 1
