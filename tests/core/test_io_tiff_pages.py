"""Which page of a TIFF is the picture."""

from __future__ import annotations

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
    assert "mask" in read_image(tmp_path / "g.tif").notes[0]
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
