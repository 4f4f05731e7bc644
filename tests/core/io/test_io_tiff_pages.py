"""Which page of a TIFF is the picture."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as Pil

from core.errors import InputError
from core.io import probe_image, read_image

_RNG = np.random.default_rng(4)
_FULL = _RNG.integers(0, 256, (96, 128), dtype=np.uint8)
_THUMB, _SMALL = _FULL[::4, ::4], _FULL[::2, ::2]
_REDUCED, _MASK = 1, 4


def _write(path: Path, pages: Sequence[tuple[Any, int | None]], **options: Any) -> None:
    with tifffile.TiffWriter(path) as tif:
        for array, kind in pages:
            # The writer itself refuses masks of grey levels, which others write.
            mark = [] if kind is None else [(254, 4, 1, kind, True)]
            tif.write(array, extratags=mark, metadata=None, **options)


def _is_full(path: Path) -> None:
    image = read_image(path)
    np.testing.assert_array_equal(image.data[..., 0], _FULL)
    header = probe_image(path)
    assert (header.width, header.height, header.frames) == (128, 96, 1)


@pytest.mark.parametrize(
    "order",
    [
        [(_THUMB, _REDUCED), (_FULL, 0)],
        [(_THUMB, _REDUCED), (_FULL, None)],
        [(_FULL, 0), (_SMALL, _REDUCED), (_THUMB, _REDUCED)],
        [(_THUMB, _REDUCED), (_SMALL, _REDUCED), (_FULL, 0)],
        [(_SMALL, _REDUCED), (_FULL, 0), (_THUMB, _REDUCED)],
        [(_THUMB, _REDUCED), (_FULL, _REDUCED)],  # marks everything: the largest it is
    ],
    ids=["thumbnail first", "unmarked", "pyramid", "pyramid upwards", "mixed", "all marked"],
)
def test_the_full_page_wherever_it_is(tmp_path: Path, order: Any) -> None:
    _write(tmp_path / "p.tif", order)
    _is_full(tmp_path / "p.tif")


def test_old_marks_of_reduced_pages(tmp_path: Path) -> None:
    """Tag 255 says 2 for a reduced page where tag 254 is not written."""
    with tifffile.TiffWriter(tmp_path / "o.tif") as tif:
        for array, kind in ((_THUMB, 2), (_FULL, 1)):
            tif.write(array, metadata=None, extratags=[(255, 3, 1, kind, True)])
    with tifffile.TiffFile(tmp_path / "o.tif") as tif:
        assert all(254 not in page.tags for page in tif.pages)
    _is_full(tmp_path / "o.tif")


def test_levels_inside_the_page(tmp_path: Path) -> None:
    """As OME writes its pyramids; with marks and without."""
    for kind in (_REDUCED, 0):
        path = tmp_path / f"sub{kind}.tif"
        with tifffile.TiffWriter(path) as tif:
            tif.write(_FULL, subifds=2, metadata=None)
            tif.write(_SMALL, subfiletype=kind, metadata=None)
            tif.write(_THUMB, subfiletype=kind, metadata=None)
        _is_full(path)
    with tifffile.TiffWriter(tmp_path / "x.ome.tif", ome=True) as tif:
        tif.write(_FULL, subifds=1)
        tif.write(_SMALL, subfiletype=_REDUCED)
    _is_full(tmp_path / "x.ome.tif")


def test_thumbnail_with_the_picture_inside(tmp_path: Path) -> None:
    """As raw converters write them: the first page is a preview, its child the picture."""
    with tifffile.TiffWriter(tmp_path / "d.tif") as tif:
        tif.write(_THUMB, subfiletype=_REDUCED, subifds=1, metadata=None)
        tif.write(_FULL, subfiletype=0, metadata=None)
    _is_full(tmp_path / "d.tif")


def test_masks_and_overviews(tmp_path: Path) -> None:
    """As GDAL writes them: overview, mask, mask of the overview."""
    mask = np.full(_FULL.shape, 255, np.uint8)
    pages = [(_FULL, 0), (_SMALL, _REDUCED), (mask, _MASK), (mask[::2, ::2], _MASK | _REDUCED)]
    _write(tmp_path / "g.tif", pages)
    _is_full(tmp_path / "g.tif")
    image = read_image(tmp_path / "g.tif")
    assert (image.mask, image.notes) == (None, ())  # all of it is inside
    _write(tmp_path / "m.tif", [(mask, _MASK), (_FULL, 0)])
    _is_full(tmp_path / "m.tif")


@pytest.mark.parametrize("first_is_small", [True, False])
def test_sizes_without_marks_are_ambiguous(tmp_path: Path, first_is_small: bool) -> None:
    pages = [(_THUMB, 0), (_FULL, 0)]
    _write(tmp_path / "a.tif", pages if first_is_small else pages[::-1])
    with pytest.raises(InputError, match=r"2 pages of different sizes \(.*128×96.*no mark") as told:
        read_image(tmp_path / "a.tif")
    assert "file of its own" in told.value.remedy
    assert probe_image(tmp_path / "a.tif").frames == 2


def test_several_full_pages_and_marks_that_lie(tmp_path: Path) -> None:
    _write(tmp_path / "s.tif", [(_FULL, 0), (255 - _FULL, 0), (_THUMB, _REDUCED)])
    with pytest.raises(InputError, match="2 pages"):
        read_image(tmp_path / "s.tif")
    _write(tmp_path / "l.tif", [(_THUMB, 0), (_FULL, _REDUCED)])
    with pytest.raises(InputError, match=r"32×24 and 128×96 pixels.*larger one a thumbnail"):
        read_image(tmp_path / "l.tif")
    _write(tmp_path / "b.tif", [(_FULL, _REDUCED), (255 - _FULL, _REDUCED)])
    with pytest.raises(InputError, match="2 pages"):
        read_image(tmp_path / "b.tif")


def test_thumbnail_of_another_kind(tmp_path: Path) -> None:
    """The preview is RGB and compressed, the picture 16-bit grey."""
    deep = _FULL.astype(np.uint16) * 200
    with tifffile.TiffWriter(tmp_path / "k.tif") as tif:
        rgb = np.dstack([_THUMB] * 3)
        tif.write(rgb, subfiletype=_REDUCED, photometric="rgb", compression="jpeg", metadata=None)
        tif.write(deep, subfiletype=0, metadata=None, compression="zlib")
    image = read_image(tmp_path / "k.tif")
    np.testing.assert_array_equal(image.data[..., 0], deep)
    assert image.bit_depth == 16
    assert probe_image(tmp_path / "k.tif").bit_depth == 16


def test_turned_picture_is_probed_upright(tmp_path: Path) -> None:
    exif = Pil.Exif()
    exif[0x0112] = 6
    for suffix in ("tif", "jpg", "png", "webp"):
        Pil.fromarray(_FULL).save(tmp_path / f"t.{suffix}", exif=exif)
        assert probe_image(tmp_path / f"t.{suffix}").upright_size == (96, 128)
        assert read_image(tmp_path / f"t.{suffix}").size == (96, 128)


def _made_by_hand(pages: Sequence[tuple[Sequence[tuple[int, int, int]], bytes]]) -> bytes:
    """A TIFF of (entries, strip) per page; entries are (tag, type, value), without the strip's."""
    data, places = bytearray(b"II*\0\0\0\0\0"), [4]
    for entries, strip in pages:
        start = len(data)
        data += strip + bytes(len(strip) % 2)
        data[places[-1] : places[-1] + 4] = len(data).to_bytes(4, "little")
        whole = sorted([*entries, (273, 4, start), (279, 4, len(strip))])
        data += struct.pack("<H", len(whole))
        for tag, kind, value in whole:
            data += struct.pack("<HHII", tag, kind, 1, value)
        places.append(len(data))
        data += bytes(4)
    return bytes(data)


@pytest.mark.parametrize("photometric", [4, 1], ids=["a mask's photometric", "grey"])
@pytest.mark.parametrize("first", [False, True])
def test_a_mask_says_where_there_is_data(tmp_path: Path, photometric: int, first: bool) -> None:
    """TIFF 6.0, NewSubfileType 4: a bit of 1 is inside the picture, rows begin on a byte."""
    size = [(256, 3, 5), (257, 3, 3), (259, 3, 1), (277, 3, 1), (278, 3, 3)]
    picture = [*size, (254, 4, 0), (258, 3, 16), (262, 3, 1)]
    values = np.array([[9, 10, 20, 30, 40], [50, 9, 60, 70, 80], [90, 95, 99, 9, 9]], np.uint16)
    mask = [*size, (254, 4, 4), (258, 3, 1), (262, 3, photometric)]
    inside = bytes([0b01111000, 0b10111000, 0b11100000])
    pages = [(picture, values.tobytes()), (mask, inside)]
    (tmp_path / "m.tif").write_bytes(_made_by_hand(pages[::-1] if first else pages))
    image = read_image(tmp_path / "m.tif")
    assert image.mask is not None
    expected = [[0, 1, 1, 1, 1], [1, 0, 1, 1, 1], [1, 1, 1, 0, 0]]
    np.testing.assert_array_equal(image.mask, np.array(expected, bool))
    np.testing.assert_array_equal(image.data[image.mask][:, 0], values[image.mask])
    assert image.window == (10, 99)
    assert image.normalised()[~image.mask].max() == 0
    assert "4 pixels hold no data and are filled from the other source." in image.notes


def test_a_mask_is_turned_with_its_picture_and_all_of_it_outside_is_refused(tmp_path: Path) -> None:
    size = [(256, 3, 3), (257, 3, 2), (259, 3, 1), (277, 3, 1), (278, 3, 2)]
    picture = [*size, (254, 4, 0), (258, 3, 8), (262, 3, 1), (274, 3, 6)]
    mask = [*size, (254, 4, 4), (258, 3, 1), (262, 3, 4)]
    values = bytes([1, 2, 3, 4, 5, 6])
    turned = [[4, 1], [5, 2], [6, 3]]
    for bits, valid in (
        (bytes([0b01100000, 0b11100000]), [[1, 0], [1, 1], [1, 1]]),
        (bytes([0b11100000, 0b11000000]), [[1, 1], [1, 1], [0, 1]]),
    ):
        (tmp_path / "t.tif").write_bytes(_made_by_hand([(picture, values), (mask, bits)]))
        image = read_image(tmp_path / "t.tif")
        assert image.mask is not None
        np.testing.assert_array_equal(image.mask, np.array(valid, bool))
        where = image.mask
        np.testing.assert_array_equal(image.data[where][:, 0], np.array(turned)[where])
    (tmp_path / "n.tif").write_bytes(_made_by_hand([(picture, values), (mask, bytes(2))]))
    with pytest.raises(InputError, match="not one of its pixels holds data"):
        read_image(tmp_path / "n.tif")
