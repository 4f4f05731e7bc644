"""What is black and what is white: windows by the data, by the file, by the task and by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile

from core.baselines import BASELINES
from core.errors import InputError
from core.fusion.classical_engine import fuse_classically
from core.io import read_image, read_pair, with_window
from core.io.values import as_stored, for_task, nearly_all, seen_as
from core.metrics import to_luma8
from core.pairing.folders import pair_folders
from core.types import FloatArray, FusionRequest, Image, SourcePair

_RNG = np.random.default_rng(11)


def _scene(height: int = 120, width: int = 160, seed: int = 0) -> FloatArray:
    """A smooth scene with every value from 0 to 1, H×W."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    waves = sum(
        np.sin(rows / rng.uniform(6, 30) + rng.uniform(0, 6))
        * np.cos(columns / rng.uniform(6, 30) + rng.uniform(0, 6))
        for _ in range(5)
    )
    return np.asarray((waves - waves.min()) / (waves.max() - waves.min()), np.float32)


def _counts(scene: FloatArray, low: float = 29300, high: float = 30900) -> Any:
    return np.round(low + scene * (high - low)).astype(np.uint16)


def _save(path: Path, array: Any, **tags: Any) -> Image:
    if path.suffix == ".png":
        path.write_bytes(imagecodecs.png_encode(array))
    else:
        tifffile.imwrite(path, array, **tags)
    return read_image(path)


def _correlation(one: Any, other: Any) -> float:
    return float(np.corrcoef(np.ravel(one), np.ravel(other))[0, 1])


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize(
    ("low", "high"),
    [(29300, 30900), (0, 1023), (0, 4095), (0, 16383), (7000, 9000), (64000, 65535)],
    ids=["centikelvin", "10 bits", "12 bits", "14 bits", "counts", "top of the range"],
)
def test_counts_get_all_the_grey_levels(tmp_path: Path, suffix: str, low: int, high: int) -> None:
    scene = _scene()
    image = _save(tmp_path / f"c{suffix}", _counts(scene, low, high))
    span = high - low
    assert low - 1 <= image.window[0] <= low + 0.1 * span
    assert high - 0.1 * span <= image.window[1] <= high + 1
    assert image.container == (0, 65535)
    assert f"{image.window[0]:g}…{image.window[1]:g} of 0…65535" in image.notes[0]
    assert "--window-a" in image.notes[0]
    assert _correlation(image.normalised()[..., 0], scene) > 0.999


@pytest.mark.parametrize("share", [0.55, 1.0])
def test_a_grey_photograph_that_uses_its_range_keeps_it(tmp_path: Path, share: float) -> None:
    image = _save(tmp_path / "p.png", _counts(_scene(), 100, share * 65535))
    assert image.window == (0, 65535)
    assert image.notes == ()


def test_colour_keeps_the_range_however_dark(tmp_path: Path) -> None:
    dark = np.stack([_counts(_scene(seed=seed), 0, 900) for seed in range(3)], axis=2)
    image = _save(tmp_path / "p.png", dark)
    assert image.window == (0, 65535)
    assert image.notes == ()
    grey = _save(tmp_path / "g.png", np.repeat(dark[..., :1], 3, axis=2))
    assert grey.window[1] <= 901  # three equal channels are grey


def test_8_bits_keep_the_range(tmp_path: Path) -> None:
    dark = (_scene() * 9).astype(np.uint8)
    for suffix in (".png", ".tif"):
        image = _save(tmp_path / f"p{suffix}", dark)
        assert image.window == image.container == (0, 255)


@pytest.mark.parametrize("dead", [0, 65535])
@pytest.mark.parametrize("shape", ["scattered", "pairs", "a line"])
def test_dead_pixels_cost_next_to_nothing(tmp_path: Path, dead: int, shape: str) -> None:
    array = _counts(_scene(240, 320))
    if shape == "a line":
        array[:, 77] = dead
    else:
        places = np.random.default_rng(5).choice(array.size // 2, 60, replace=False) * 2
        array.ravel()[places] = dead
        if shape == "pairs":
            array.ravel()[places + 1] = dead
    low, high = _save(tmp_path / "d.png", array).window
    assert 29300 - 0.06 * 1600 <= low <= 29400
    assert 30800 <= high <= 30900 + 0.06 * 1600


@pytest.mark.parametrize("side", [1, 2, 3, 5])
@pytest.mark.parametrize("hot", [31000, 33000, 60000])
def test_a_small_hot_target_stays_the_brightest(tmp_path: Path, side: int, hot: int) -> None:
    rng = np.random.default_rng(2)
    array = np.round(rng.normal(29800, 40, (256, 320))).astype(np.uint16)
    array[100 : 100 + side, 200 : 200 + side] = hot
    shown = _save(tmp_path / "t.png", array).normalised()[..., 0]
    target = np.zeros(array.shape, bool)
    target[100 : 100 + side, 200 : 200 + side] = True
    assert shown[target].min() > np.percentile(shown[~target], 99.5) + 0.015
    # And the scene is not squashed for it.
    assert np.percentile(shown[~target], 99.5) - np.percentile(shown[~target], 0.5) >= 0.45


def test_the_border_of_a_warped_picture_does_not_count(tmp_path: Path) -> None:
    array = _counts(_scene())
    array[:, :40] = 0
    image = _save(tmp_path / "w.png", array)
    assert 29200 <= image.window[0] <= 29500
    assert 30700 <= image.window[1] <= 31000
    assert image.mask is None
    assert "4800 pixels hold 0, far from all others" in image.notes[1]


def test_empty_background_is_black_and_does_not_count(tmp_path: Path) -> None:
    """Uptake in counts: 97 % nothing, a spot of 0.3 % that is not to be all white."""
    array = np.zeros((200, 200), np.uint16)
    rows, columns = np.mgrid[0:200, 0:200]
    distance = np.hypot(rows - 90, columns - 90)
    spot = distance < 19
    array[spot] = (20000 - 1000 * distance[spot]).astype(np.uint16)
    low, high = _save(tmp_path / "s.png", array).window
    assert low == 0
    assert 18500 <= high <= 20000


@pytest.mark.parametrize("values", [(0, 1), (29300, 29301), (5, 9, 7)])
def test_few_distinct_values(tmp_path: Path, values: tuple[int, ...]) -> None:
    array = np.array(values, np.uint16)[np.random.default_rng(1).integers(0, len(values), (60, 60))]
    image = _save(tmp_path / "f.png", array)
    assert image.window == (min(values), max(values))
    assert set(np.unique(image.normalised())) == {
        np.float32((v - min(values)) / (max(values) - min(values))) for v in values
    }


def test_one_rare_value_among_a_constant(tmp_path: Path) -> None:
    array = np.full((60, 60), 30000, np.uint16)
    array[30, 30] = 30100
    assert _save(tmp_path / "r.png", array).window == (30000, 30100)


@pytest.mark.parametrize(("value", "shown"), [(0, 0), (30000, 30000 / 65535), (65535, 1)])
def test_a_constant_is_what_it_is(tmp_path: Path, value: int, shown: float) -> None:
    image = _save(tmp_path / "c.png", np.full((9, 8), value, np.uint16))
    assert image.window == (0, 65535)
    np.testing.assert_allclose(image.normalised(), shown, rtol=1e-6)


def test_degrees_below_zero(tmp_path: Path) -> None:
    image = _save(tmp_path / "c.tif", -25 + 40 * _scene())
    assert image.window == pytest.approx((-25, 15), abs=2)
    assert image.container is None
    assert image.notes[0].startswith("Values -2")
    assert _correlation(image.normalised(), _scene()) > 0.999


@pytest.mark.parametrize(
    ("low", "high", "kept"), [(0, 1, True), (0.2, 0.5, True), (0.44, 0.47, False)]
)
def test_floats_inside_0_to_1(tmp_path: Path, low: float, high: float, kept: bool) -> None:
    """Somebody scaled them on purpose; but counts divided by 65535 are still counts."""
    image = _save(tmp_path / "f.tif", (low + (high - low) * _scene()).astype(np.float32))
    assert image.container == (0, 1)
    if kept:
        assert image.window == (0, 1)
    else:
        assert image.window == pytest.approx((low, high), abs=0.003)


def test_signed_integers(tmp_path: Path) -> None:
    image = _save(tmp_path / "i.tif", (_scene() * 900 - 300).astype(np.int16))
    assert image.window == pytest.approx((-300, 600), abs=30)
    assert image.container is None


# --- what the file says ------------------------------------------------------------------------


def _tag(code: int, value: Any, kind: str = "H") -> tuple[int, str, int, Any, bool]:
    return (code, kind, len(value) + 1 if kind == "s" else 1, value, True)


_METADATA = (
    '<GDALMetadata><Item name="STATISTICS_MINIMUM" sample="0">29250</Item>'
    '<Item name="STATISTICS_MAXIMUM" sample="0">31000</Item></GDALMetadata>'
)


@pytest.mark.parametrize(
    "tags",
    [
        {"extratags": [_tag(280, 29250), _tag(281, 31000)]},
        {"extratags": [_tag(340, 29250.0, "f"), _tag(341, 31000.0, "f")]},
        {"extratags": [_tag(42112, _METADATA, "s")]},
        {"description": "ImageJ=1.53k\nimages=1\nmin=29250.0\nmax=31000.0\n", "metadata": None},
    ],
    ids=["sample values", "sample values of any kind", "GDAL statistics", "ImageJ"],
)
def test_a_stated_range_that_the_data_fills(tmp_path: Path, tags: Any) -> None:
    image = _save(tmp_path / "s.tif", _counts(_scene()), **tags)
    assert image.window == (29250, 31000)
    assert image.notes == ("Values 29250…31000 are black to white, as the file says.",)


@pytest.mark.parametrize(
    ("low", "high"), [(0, 65535), (0, 4095), (31000, 29000), (29300, 29301), (0, 0), (30000, 60000)]
)
def test_a_stated_range_that_is_not_true(tmp_path: Path, low: int, high: int) -> None:
    tags = [_tag(280, low), _tag(281, high)]
    image = _save(tmp_path / "s.tif", _counts(_scene()), extratags=tags)
    assert image.window == pytest.approx((29300, 30900), abs=100)


def test_scale_offset_and_unit(tmp_path: Path) -> None:
    """Hundredths of a kelvin with GDAL's scale are degrees: 29300 × 0.01 − 273.15 = 19.85."""
    text = (
        '<GDALMetadata><Item name="SCALE" sample="0" role="scale">0.01</Item>'
        '<Item name="OFFSET" sample="0" role="offset">-273.15</Item>'
        '<Item name="UNITTYPE" sample="0" role="unittype">degree_Celsius</Item></GDALMetadata>'
    )
    array = _counts(_scene())
    image = _save(tmp_path / "s.tif", array, extratags=[_tag(42112, text, "s")])
    np.testing.assert_allclose(image.data[..., 0], array * 0.01 - 273.15, atol=1e-4)
    assert image.unit == "°C"
    assert image.window == pytest.approx((19.85, 35.85), abs=1)
    assert image.container == pytest.approx((-273.15, 382.2))


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_significant_bits_of_a_png(tmp_path: Path, bits: int) -> None:
    """12 bits in words of 16: the range is 0…4095 where the file says so and it is true."""
    import struct
    import zlib

    def with_bits(array: Any) -> Image:
        content = bytes(imagecodecs.png_encode(array))
        body = b"sBIT" + bytes([bits])
        part = struct.pack(">I", 1) + body + struct.pack(">I", zlib.crc32(body))
        (tmp_path / "b.png").write_bytes(content[:33] + part + content[33:])
        return read_image(tmp_path / "b.png")

    top = 2**bits - 1
    image = with_bits(_counts(_scene(), 0, top))
    assert image.window == image.container == (0, top)
    assert image.notes == ()
    stretched = with_bits(_counts(_scene(), 0, 65535))
    assert stretched.window == stretched.container == (0, 65535)


# --- by hand and by task -----------------------------------------------------------------------


def test_by_hand(tmp_path: Path) -> None:
    image = _save(tmp_path / "c.png", _counts(_scene()))
    by_hand = with_window(image, (29500, 30500))
    assert by_hand.window == (29500, 30500)
    assert by_hand.notes == ("Values 29500…30500 are black to white, as was asked for.",)
    shown = np.clip((image.data - 29500) / 1000, 0, 1)
    np.testing.assert_allclose(by_hand.normalised(), shown, atol=1e-6)
    assert with_window(by_hand, None) is by_hand
    assert with_window(by_hand, (0, 65535)).notes == ()  # all the file can hold


@pytest.mark.parametrize(
    "window",
    [
        (5, 5),
        (9, 3),
        (float("nan"), 4),
        (1, float("inf")),
        (1e9, 1e9 + 1),
        (0, 100),
        (60000, 65535),
    ],
)
def test_wrong_windows_are_told(tmp_path: Path, window: tuple[float, float]) -> None:
    image = _save(tmp_path / "c.png", _counts(_scene()))
    with pytest.raises(InputError, match="window") as caught:
        with_window(image, window)
    assert caught.value.remedy
    _save(tmp_path / "v.png", _counts(_scene(seed=1)))
    with pytest.raises(InputError, match="window"):
        read_pair(tmp_path / "c.png", tmp_path / "v.png", windows=(window, None))


@pytest.mark.parametrize("task", ["mef", "mff"])
def test_exposures_keep_their_difference(tmp_path: Path, task: str) -> None:
    """12-bit frames of one camera: the dark one stays dark beside the bright one."""
    scene = _scene()
    _save(tmp_path / "u.png", np.round(scene * 400).astype(np.uint16))
    _save(tmp_path / "o.png", np.round(np.minimum(scene * 4000, 4095)).astype(np.uint16))
    pair = read_pair(tmp_path / "u.png", tmp_path / "o.png", task=task)
    assert pair.a.window == pair.b.window
    assert 3700 <= pair.b.window[1] <= 4000
    assert pair.a.normalised().mean() < 0.12 < 0.4 < pair.b.normalised().mean()
    assert pair.a.notes == pair.b.notes
    assert "in both pictures" in pair.a.notes[0]
    apart = read_pair(tmp_path / "u.png", tmp_path / "o.png", task="ivif")
    assert apart.a.window[1] <= 401


def test_exposures_that_fill_the_range_together_keep_it(tmp_path: Path) -> None:
    scene = _scene()
    _save(tmp_path / "u.png", np.round(scene * 3000).astype(np.uint16))
    _save(tmp_path / "o.png", np.round(scene * 65535).astype(np.uint16))
    pair = read_pair(tmp_path / "u.png", tmp_path / "o.png", task="mef")
    assert pair.a.window == pair.b.window == (0, 65535)
    assert pair.a.notes == ()
    assert for_task(pair, "mef").a.window == (0, 65535)


def test_results_and_truths_are_seen_as_stored(tmp_path: Path) -> None:
    dim = _save(tmp_path / "r.png", _counts(_scene(), 9000, 14000))
    assert dim.window[1] < 15000
    assert as_stored(dim).window == (0, 65535)
    other = with_window(dim, (9000, 10000))
    assert seen_as(dim, other).window == (9000, 10000)
    eight = Image(np.zeros((4, 4, 1), np.float32), (0, 255), container=(0, 255))
    assert seen_as(dim, eight).window == (0, 65535)


def test_large_numbers_and_tiny_spans() -> None:
    for low, span in ((1e30, 1e28), (-1e-40, 1e-41), (1e7, 1.0)):
        data = (low + span * _scene(20, 20)[..., None].astype(np.float64)).astype(np.float32)
        found = nearly_all(data)
        assert found is not None
        assert found[0] < found[1]
        image = Image(data, found)
        assert np.isfinite(image.normalised()).all()


# --- fused as the 8-bit twin -------------------------------------------------------------------


@pytest.mark.parametrize("method", list(BASELINES))
def test_counts_are_fused_as_their_8_bit_twin(
    tmp_path: Path, shared_data: Path, method: str
) -> None:
    """Real infrared as hundredths of a kelvin (0.4 to 2.4 % of the range), with dead pixels."""
    for files in pair_folders(shared_data / "val" / "ivif").matches[:4]:
        visible = read_image(files.b)
        twin = read_image(files.a)
        luma = to_luma8(twin.normalised())
        counts = (29300 + luma.astype(np.float64) * 6).round().astype(np.uint16)
        counts[7, 11], counts[-9, 30] = 0, 65535
        (tmp_path / "c.png").write_bytes(imagecodecs.png_encode(counts))
        pair = SourcePair(read_image(tmp_path / "c.png"), visible)
        plain = _fused_luma(SourcePair(twin, visible), method)
        deep = _fused_luma(pair, method)
        assert _correlation(deep, luma) >= _correlation(plain, luma) - 0.02, files.name
        assert np.abs(deep.astype(int) - plain).mean() <= 12, files.name


def _fused_luma(pair: SourcePair, method: str) -> Any:
    return to_luma8(fuse_classically(FusionRequest(pair, "ivif", method)).fused)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("shape", [(9, 8), (9, 8, 3), (14, 14, 3)])
def test_few_pixels_keep_their_ends(tmp_path: Path, shape: tuple[int, ...], seed: int) -> None:
    """Half a per cent of fewer than 200 pixels is none, in colour as in grey."""
    array = (-300 * np.random.default_rng(seed).random(shape)).astype(np.float32)
    photometric = "rgb" if len(shape) == 3 else "minisblack"
    tifffile.imwrite(tmp_path / "f.tif", array, photometric=photometric)
    assert read_image(tmp_path / "f.tif").window == (array.min(), array.max())


def test_large_colour_floats_are_sampled_in_all_channels(tmp_path: Path) -> None:
    """Six million values, of which every third would be red: blue has the range of its own."""
    array = np.empty((1000, 2001, 3), np.float32)
    array[...] = 100 * np.linspace(0, 1, 2001, dtype=np.float32)[:, np.newaxis]
    array[..., 2] += 400
    tifffile.imwrite(tmp_path / "f.tif", array, photometric="rgb")
    low, high = read_image(tmp_path / "f.tif").window
    assert low <= 1
    assert high >= 499


def test_large_greys_are_sampled_in_all_columns(tmp_path: Path) -> None:
    """4.2 million values, every second of them asked; the odd columns hold the warm half."""
    array = np.full((2100, 2000), 29000, np.uint16)
    array[:, ::2] += np.arange(1000, dtype=np.uint16)
    array[:, 1::2] += 2000 + np.arange(1000, dtype=np.uint16)
    tifffile.imwrite(tmp_path / "g.tif", array)
    low, high = read_image(tmp_path / "g.tif").window
    assert low <= 29010
    assert high >= 31980
