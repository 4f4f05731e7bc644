"""What is left of a damaged PNG: shown on wish, and no data where nothing is left."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pil
from PIL import PngImagePlugin

from core.errors import DamagedImage, InputError
from core.io import read_image
from core.io.readers.png import header, parts
from core.types import Image

_RNG = np.random.default_rng(41)
_HEIGHT, _WIDTH = 90, 70
_NOISE = _RNG.integers(0, 256, (_HEIGHT, _WIDTH, 4), np.uint8)
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))


def _part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _saved(mode: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    if mode == "I;16":
        deep = _NOISE[..., 0].astype(np.uint16) * 257
        Pil.fromarray(deep).save(stream, "PNG", **options)
    else:
        Pil.fromarray(_NOISE).convert(mode).save(stream, "PNG", **options)
    return stream.getvalue()


def _interlaced() -> bytes:
    grey, rows = _NOISE[..., 0], b""
    for x, y, across, down in (*_PASSES, (0, 1, 1, 2)):
        rows += b"".join(b"\0" + row.tobytes() for row in grey[y::down, x::across])
    told = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 0, 0, 0, 1)
    body = _part(b"IHDR", told) + _part(b"IDAT", zlib.compress(rows)) + _part(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


_KINDS = {mode: _saved(mode) for mode in ("L", "LA", "RGB", "RGBA", "P", "1", "I;16")}
_KINDS["keyed"] = _saved("L", transparency=7)
_KINDS["interlaced"] = _interlaced()


def _shown(path: Path, content: bytes) -> Image:
    path.write_bytes(content)
    with pytest.raises(DamagedImage, match="--show-damaged") as refused:
        read_image(path)
    assert refused.value.can_be_shown
    image = read_image(path, damaged="show")
    assert "The file is damaged; what could be decoded of it is shown" in image.notes[0]
    return image


def _rows_left(content: bytes) -> int:
    """Rows that the stream of a file that is not interlaced still gives, in one go."""
    found = header(Path("x.png"), content)
    at = content.index(b"IDAT") + 4
    stream = content[at : at + struct.unpack(">I", content[at - 8 : at - 4])[0]]
    return len(zlib.decompressobj().decompress(stream)) // (found.raw_bytes() // found.height)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("kind", _KINDS)
def test_a_cut_file_keeps_its_rows_and_has_no_data_below(
    tmp_path: Path, kind: str, part: float
) -> None:
    content, path = _KINDS[kind], tmp_path / "cut.png"
    path.write_bytes(content)
    whole = read_image(path)
    start = content.index(b"IDAT") + 4
    cut = content[: start + int((len(content) - start - 16) * part)]
    shown = _shown(path, cut)
    assert shown.size == whole.size
    assert shown.bit_depth == whole.bit_depth
    assert shown.mask is not None
    np.testing.assert_array_equal(shown.data[shown.mask], whole.data[shown.mask])
    assert any("no data" in note for note in shown.notes)
    if kind == "interlaced":
        assert abs(shown.mask.mean() - part) < 0.05
        assert shown.mask[::8, ::8].all()
    else:
        left = _rows_left(cut)
        assert 0 < left < _HEIGHT
        assert shown.mask[:left].all()
        assert not shown.mask[left:].any()


def test_rows_that_are_missing_although_all_checksums_are_right(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + row.tobytes() for row in _NOISE[:50, :, 0])
    told = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 0, 0, 0, 0)
    body = _part(b"IHDR", told) + _part(b"IDAT", zlib.compress(rows)) + _part(b"IEND", b"")
    shown = _shown(tmp_path / "short.png", b"\x89PNG\r\n\x1a\n" + body)
    assert shown.mask is not None
    assert shown.mask.sum() == 50 * _WIDTH
    np.testing.assert_array_equal(shown.data[:50, :, 0], _NOISE[:50, :, 0])
    assert not any("checksum" in note for note in shown.notes)


def test_what_came_after_a_wrong_checksum_is_said_to_be_doubtful(tmp_path: Path) -> None:
    """Two parts of 45 rows each, the second with other bytes than it was written with."""
    packer = zlib.compressobj(0)
    rows = [b"\0" + row.tobytes() for row in _NOISE[..., 0]]
    first = packer.compress(b"".join(rows[:45])) + packer.flush(zlib.Z_FULL_FLUSH)
    second = bytearray(_part(b"IDAT", packer.compress(b"".join(rows[45:])) + packer.flush()))
    second[-600:-590] = bytes(10)
    told = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 0, 0, 0, 0)
    body = _part(b"IHDR", told) + _part(b"IDAT", first) + bytes(second) + _part(b"IEND", b"")
    shown = _shown(tmp_path / "flipped.png", b"\x89PNG\r\n\x1a\n" + body)
    np.testing.assert_array_equal(shown.data[:45, :, 0], _NOISE[:45, :, 0])
    assert "Up to 50 % of what is shown of it may be wrong: a checksum is." in shown.notes
    # The stream's own checksum is wrong, too: its last bytes are not given out, or all are.
    left = _HEIGHT * _WIDTH if shown.mask is None else int(shown.mask.sum())
    assert left >= (_HEIGHT - 1) * _WIDTH


def test_a_damaged_remark_costs_the_remark_alone(tmp_path: Path) -> None:
    told = PngImagePlugin.PngInfo()
    told.add_text("Comment", "a remark")
    content = bytearray(_saved("RGB", pnginfo=told))
    content[content.index(b"a remark")] ^= 1
    shown = _shown(tmp_path / "remark.png", bytes(content))
    assert shown.mask is None
    np.testing.assert_array_equal(shown.data, _NOISE[..., :3])
    assert len(shown.notes) == 1


def test_a_file_without_its_end_is_whole(tmp_path: Path) -> None:
    shown = _shown(tmp_path / "end.png", _KINDS["RGB"][:-12])
    assert shown.mask is None
    np.testing.assert_array_equal(shown.data, _NOISE[..., :3])


def test_filters_there_are_not_end_what_is_there(tmp_path: Path) -> None:
    rows = [b"\0" + row.tobytes() for row in _NOISE[..., 0]]
    rows[30] = b"\x07" + rows[30][1:]
    told = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 0, 0, 0, 0)
    packed = _part(b"IDAT", zlib.compress(b"".join(rows)))
    body = _part(b"IHDR", told) + packed + _part(b"IEND", b"")
    shown = _shown(tmp_path / "filter.png", b"\x89PNG\r\n\x1a\n" + body)
    assert shown.mask is not None
    assert shown.mask.sum() == 30 * _WIDTH


@pytest.mark.parametrize("keep", [8, 29, 33, 45])
def test_nothing_is_made_of_nothing(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "stump.png"
    path.write_bytes(_KINDS["RGB"][:keep])
    with pytest.raises(DamagedImage):
        read_image(path, damaged="show")


def test_a_few_bytes_that_claim_a_huge_picture_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    told = struct.pack(">IIBBBBB", 19_000, 19_000, 8, 2, 0, 0, 0)
    packed = zlib.compress(bytes(3 * 19_000 * 4), 9)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + _part(b"IHDR", told) + _part(b"IDAT", packed))
    with pytest.raises(InputError, match="19000×19000"):
        read_image(path, damaged="show")


def test_any_mutation_is_shown_in_its_size_or_refused(tmp_path: Path) -> None:
    path, rng, shown = tmp_path / "m.png", np.random.default_rng(6), 0
    for content in _KINDS.values():
        for _ in range(40):
            mutated = bytearray(content)
            for at in rng.integers(33, len(mutated), rng.integers(1, 6)):
                mutated[at] = rng.integers(0, 256)
            path.write_bytes(mutated[: rng.integers(60, len(mutated) + 1)])
            try:
                image = read_image(path, damaged="show")
            except InputError:
                continue
            assert image.size == (_WIDTH, _HEIGHT)
            shown += 1
    assert shown > 100


def test_real_pictures_keep_every_row_above_the_cut(shared_data: Path, tmp_path: Path) -> None:
    paths = sorted(shared_data.glob("val/*/[ab]/*.png"))[::9]
    assert len(paths) >= 5
    for path in paths:
        content, whole = path.read_bytes(), read_image(path)
        at = next(start for kind, start, _ in parts(content) if kind == b"IDAT")
        shown = _shown(tmp_path / path.name, content[: at + (len(content) - at) // 2])
        assert shown.mask is not None
        assert 0.05 < shown.mask.mean() < 0.95
        np.testing.assert_array_equal(shown.data[shown.mask], whole.data[shown.mask])


def _offers_what_works(path: Path, content: bytes) -> bool:
    """Whether showing is offered; it is exactly where it gives an image."""
    path.write_bytes(content)
    with pytest.raises(DamagedImage) as refused:
        read_image(path)
    try:
        read_image(path, damaged="show")
    except InputError:
        assert not refused.value.can_be_shown
        assert "--show-damaged" not in str(refused.value)
        return False
    assert refused.value.can_be_shown
    return True


@pytest.mark.parametrize("kind", _KINDS)
def test_showing_is_offered_where_a_row_is_left(tmp_path: Path, kind: str) -> None:
    content = _KINDS[kind]
    ends = (44, *range(60, 400, 20), *range(400, len(content) - 20, 1500))
    offered = [_offers_what_works(tmp_path / "x.png", content[:end]) for end in ends]
    assert not offered[0]
    assert offered[-1]


def test_of_a_jpeg_without_a_scan_nothing_is_offered(tmp_path: Path) -> None:
    stream = io.BytesIO()
    Pil.fromarray(_NOISE[..., :3]).save(stream, "JPEG")
    content = stream.getvalue()
    scan = content.index(b"\xff\xda")
    assert not _offers_what_works(tmp_path / "x.jpg", content[:scan] + b"\xff\xd9")
    assert _offers_what_works(tmp_path / "x.jpg", content[: len(content) // 2])
