"""Values of DICOM pixels in their unit, whatever their encoding."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from core.errors import InputError, SeriesError
from core.io import probe_image, read_image
from core.io.readers import isolated
from core.io.volumes import list_series, read_headers, read_volume
from core.types import Volume
from tests.core.io.dicom_files import dataset_of, enhanced, item, save, slice_tags, write_series

_RNG = np.random.default_rng(23)
_STORED = _RNG.integers(0, 4000, (7, 9)).astype(np.uint16)
_SIGNED = _RNG.integers(-1000, 3000, (7, 9)).astype(np.int16)
_RGB = _RNG.integers(0, 256, (7, 9, 3), dtype=np.uint8)


def _read(path: Path) -> Volume:
    return read_volume(list_series(path).series[0])


def _one(tmp_path: Path, pixels: Any, modality: str = "MR", **tags: Any) -> Volume:
    return _read(save(tmp_path / "one.dcm", dataset_of(pixels, modality, **slice_tags(0), **tags)))


def _compressed(pixels: Any, syntax: str, coded: bytes, **tags: Any) -> Any:
    made = dataset_of(pixels, **slice_tags(0), **tags)
    made.file_meta.TransferSyntaxUID = syntax
    made.PixelData = encapsulate([coded])
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return made


@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
@pytest.mark.parametrize("pixels", [_STORED, _SIGNED], ids=["unsigned", "signed"])
def test_plain_encodings(tmp_path: Path, syntax: str, pixels: Any) -> None:
    volume = _one(tmp_path, pixels, syntax=syntax)
    np.testing.assert_array_equal(volume.data[0], pixels)
    np.testing.assert_array_equal(read_image(tmp_path / "one.dcm").data[..., 0], pixels)


def _coded(syntax: str, pixels: Any) -> bytes:
    if syntax == JPEG2000Lossless:
        return bytes(imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="j2k"))
    if syntax == HTJ2KLossless:
        return bytes(imagecodecs.htj2k_encode(pixels, reversible=True))
    if syntax == JPEGLSLossless:
        return bytes(imagecodecs.jpegls_encode(pixels))
    return bytes(imagecodecs.ljpeg_encode(pixels, bitspersample=16))


@pytest.mark.parametrize(
    "syntax", [JPEG2000Lossless, HTJ2KLossless, JPEGLSLossless, JPEGLosslessSV1]
)
def test_compressed_encodings(tmp_path: Path, syntax: str) -> None:
    made = _compressed(_STORED, syntax, _coded(syntax, _STORED))
    path = save(tmp_path / "a.dcm", made)
    np.testing.assert_array_equal(_read(path).data[0], _STORED)
    np.testing.assert_array_equal(read_image(path).data[..., 0], _STORED)
    content = path.read_bytes()
    for cut in (len(content) // 3, len(content) * 2 // 3, len(content) - 40):
        path.write_bytes(content[:cut])
        with pytest.raises(InputError):
            read_image(path)


def test_compressed_pixels_are_decoded_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder that dies costs the file, not the program."""
    path = save(
        tmp_path / "a", _compressed(_STORED, JPEGLSLossless, _coded(JPEGLSLossless, _STORED))
    )

    class Dead:
        answered = False
        late = False

        def ask(self, request: Any, seconds: float) -> Any:
            raise isolated._ProcessEnded

        def end(self) -> None: ...

    monkeypatch.setattr(isolated._pool, "_idle_child", Dead)
    with pytest.raises(SeriesError, match="decoder crashed") as told:
        _read(path)
    assert "slice 1 of 1" in str(told.value)
    assert str(tmp_path) not in str(told.value)


def test_run_lengths(tmp_path: Path) -> None:
    made = dataset_of(_STORED, **slice_tags(0))
    made.compress(RLELossless, generate_instance_uid=False)
    path = save(tmp_path / "a.dcm", made)
    np.testing.assert_array_equal(_read(path).data[0], _STORED)
    content = path.read_bytes()
    for lost in (1, 8, 9):  # and what the end of a sequence looks like
        path.write_bytes(content[: -8 - lost] + content[-8:])
        with pytest.raises(InputError, match="cut short"):
            read_image(path)


def test_lossy_colour(tmp_path: Path) -> None:
    smooth = np.full((16, 16, 3), (200, 80, 40), np.uint8)
    coded = imagecodecs.jpeg8_encode(smooth, level=95)
    made = _compressed(smooth, JPEGBaseline8Bit, coded, PhotometricInterpretation="YBR_FULL_422")
    path = save(tmp_path / "a.dcm", made)
    assert np.abs(read_image(path).data - smooth).max() <= 6


@pytest.mark.parametrize("signed", [False, True])
def test_twelve_bits_ignore_what_is_above_them(tmp_path: Path, signed: bool) -> None:
    values = (
        np.array([[-2048, -1, 0], [1, 5, 2047]]) if signed else np.array([[0, 1, 2], [3, 5, 4095]])
    )
    stored = ((values & 0xFFF) | 0xA000).astype(np.uint16)
    volume = _one(tmp_path, stored, BitsStored=12, HighBit=11, PixelRepresentation=int(signed))
    np.testing.assert_array_equal(volume.data[0], values)


def test_eight_bits_and_floats(tmp_path: Path) -> None:
    np.testing.assert_array_equal(_one(tmp_path, _STORED.astype(np.uint8)).data[0], _STORED % 256)
    values = _RNG.normal(size=(4, 6)).astype(np.float32)
    values[1, 2] = np.nan
    made = dataset_of(_STORED[:4, :6], **slice_tags(0), BitsAllocated=32)
    del made.PixelData, made.PixelRepresentation, made.BitsStored, made.HighBit
    made.FloatPixelData = values.tobytes()
    volume = _read(save(tmp_path / "f.dcm", made))
    assert volume.mask is not None
    assert np.argwhere(~volume.mask).tolist() == [[0, 1, 2]]
    assert volume.data[0, 0, 0] == values[0, 0]


def test_ct_is_in_hounsfield_units_and_its_padding_is_no_data(tmp_path: Path) -> None:
    stored = _SIGNED.copy()
    stored[0, :3] = -2000
    volume = _one(
        tmp_path,
        stored,
        "CT",
        RescaleSlope="2",
        RescaleIntercept="-1024",
        PixelPaddingValue=-2000,
        WindowCenter=40,
        WindowWidth=401,
    )
    assert volume.unit == "HU"
    assert volume.window == (-160.5, 239.5)
    assert volume.mask is not None
    assert np.argwhere(~volume.mask)[:, 1:].tolist() == [[0, 0], [0, 1], [0, 2]]
    np.testing.assert_array_equal(volume.data[volume.mask], (stored[volume.mask[0]] * 2.0 - 1024))
    assert volume.data.min() > -2000 * 2 - 1024
    image = read_image(tmp_path / "one.dcm")
    assert (image.unit, image.window, image.spacing) == ("HU", (-160.5, 239.5), (1.5, 1.25))


def test_each_slice_has_its_own_slope(tmp_path: Path) -> None:
    stored = np.full((3, 4, 6), 1000, np.uint16)
    write_series(
        tmp_path,
        stored,
        "PT",
        Units="BQML",
        RescaleSlope=["1.5", "0.25", "3"],
        RescaleIntercept="0",
    )
    volume = _read(tmp_path)
    assert volume.unit == "Bq/mL"
    assert volume.data[:, 0, 0].tolist() == [1500, 250, 3000]
    assert volume.window == (0.0, 3000.0)


def _mapped(slope: float, intercept: float, unit: str) -> Any:
    code = item(CodeValue=unit, CodingSchemeDesignator="UCUM", CodeMeaning="x")
    return item(
        RealWorldValueSlope=slope,
        RealWorldValueIntercept=intercept,
        RealWorldValueFirstValueMapped=0,
        RealWorldValueLastValueMapped=65535,
        MeasurementUnitsCodeSequence=DicomSequence([code]),
    )


def test_real_world_values_beat_the_slope(tmp_path: Path) -> None:
    maps = DicomSequence([_mapped(0.5, 3.0, "mm2/s")])
    volume = _one(tmp_path, _STORED, RescaleSlope="9", RealWorldValueMappingSequence=maps)
    assert volume.unit == "mm²/s"
    np.testing.assert_allclose(volume.data[0], _STORED * 0.5 + 3)
    # But not what PET says of its own unit.
    volume = _one(
        tmp_path, _STORED, "PT", Units="BQML", RescaleSlope="9", RealWorldValueMappingSequence=maps
    )
    assert volume.unit == "Bq/mL"
    np.testing.assert_allclose(volume.data[0], _STORED * 9.0)


def test_tables_of_values(tmp_path: Path) -> None:
    few = (_STORED % 4).astype(np.uint16)
    table = item(
        LUTDescriptor=[4, 0, 16],
        LUTData=np.array([10, 20, 40, 80], "<u2").tobytes(),
        ModalityLUTType="HU",
    )
    volume = _one(tmp_path, few, "OT", ModalityLUTSequence=DicomSequence([table]))
    np.testing.assert_array_equal(volume.data[0], np.array([10, 20, 40, 80])[few])
    mapping = _mapped(0, 0, "1")
    del mapping.RealWorldValueSlope
    mapping.RealWorldValueLUTData = [1.5, 2.5, 4.5, 8.5]
    volume = _one(tmp_path, few, RealWorldValueMappingSequence=DicomSequence([mapping]))
    np.testing.assert_array_equal(volume.data[0], np.array([1.5, 2.5, 4.5, 8.5])[few])


def test_monochrome1_is_turned_round_unless_it_has_a_unit(tmp_path: Path) -> None:
    tags = {"PhotometricInterpretation": "MONOCHROME1", "BitsStored": 12, "HighBit": 11}
    volume = _one(tmp_path, _STORED, **tags)
    np.testing.assert_array_equal(volume.data[0], 4095 - _STORED.astype(float))
    assert any("swapped" in note for note in volume.notes)
    np.testing.assert_array_equal(
        read_image(tmp_path / "one.dcm").data[..., 0], 4095 - _STORED.astype(float)
    )
    volume = _one(tmp_path, _STORED, "CT", RescaleSlope="1", RescaleIntercept="0", **tags)
    np.testing.assert_array_equal(volume.data[0], _STORED)
    plain = dataset_of(_STORED.astype(np.uint8), "OT", PhotometricInterpretation="MONOCHROME1")
    image = read_image(save(tmp_path / "sc.dcm", plain))
    assert image.bit_depth == 8
    np.testing.assert_array_equal(image.data[..., 0], 255 - _STORED % 256)


@pytest.mark.parametrize("planar", [0, 1])
def test_colour_is_an_image_and_no_volume(tmp_path: Path, planar: int) -> None:
    made = dataset_of(_RGB, "OT", **slice_tags(0))
    made.PlanarConfiguration = planar
    if planar:
        content = np.moveaxis(_RGB, -1, 0).tobytes()
        made.PixelData = content + b"\0" * (len(content) % 2)
    path = save(tmp_path / "a.dcm", made)
    image = read_image(path)
    assert (image.bit_depth, image.window) == (8, (0.0, 255.0))
    np.testing.assert_array_equal(image.data, _RGB)
    assert probe_image(path).channels == 3
    with pytest.raises(SeriesError, match="colours"):
        _read(path)


@pytest.mark.parametrize("depth", [8, 16])
def test_palettes_are_expanded(tmp_path: Path, depth: int) -> None:
    indices = (_STORED % 5).astype(np.uint8)
    colours = _RNG.integers(0, 256, (5, 3))
    made = dataset_of(indices, "OT", PhotometricInterpretation="PALETTE COLOR")
    for channel, name in enumerate(("Red", "Green", "Blue")):
        values = colours[:, channel] * (257 if depth == 16 else 1)
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [5, 0, depth])
        kind = np.uint16 if depth == 16 else np.uint8
        content = values.astype(kind).tobytes()
        setattr(made, f"{name}PaletteColorLookupTableData", content + b"\0" * (len(content) % 2))
    image = read_image(save(tmp_path / "a.dcm", made))
    np.testing.assert_array_equal(image.data, colours[indices])
    assert image.bit_depth == probe_image(tmp_path / "a.dcm").bit_depth == 8


def test_truncated_pixels_are_refused(tmp_path: Path) -> None:
    paths = write_series(tmp_path, np.stack([_STORED] * 3))
    content = paths[1].read_bytes()
    for cut in (len(content) - 2, len(content) - 60, len(content) - _STORED.nbytes):
        paths[1].write_bytes(content[:cut])
        with pytest.raises(InputError, match="damaged"):
            read_image(paths[1])
        with pytest.raises(SeriesError, match="slice 2 of 3"):
            _read(tmp_path)


def test_a_header_that_is_cut_short_is_refused_or_left_out(tmp_path: Path) -> None:
    path = write_series(tmp_path, _STORED[np.newaxis])[0]
    content = path.read_bytes()
    for cut in range(1, len(content) - _STORED.nbytes, 23):
        path.write_bytes(content[:cut])
        with pytest.raises(InputError):
            read_image(path)


def test_codings_without_a_decoder_are_named(tmp_path: Path) -> None:
    for syntax, words in (
        ("1.2.840.10008.1.2.4.102", "MPEG-4"),
        ("1.2.840.10008.1.2.4.94", "JPIP"),
        ("1.2.3.4.5.6", "1.2.3.4.5.6"),
    ):
        made = _compressed(_STORED, syntax, b"\0" * 100)
        path = save(tmp_path / "a.dcm", made)
        with pytest.raises(InputError, match=words) as told:
            read_image(path)
        assert "no decoder" in told.value.why
        assert "uncompressed" in told.value.remedy


def test_a_file_of_two_gigabytes_costs_nothing_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = dataset_of(_STORED, **slice_tags(0))
    made.Rows = made.Columns = 32_000
    made.NumberOfFrames = 1
    path = save(tmp_path / "a.dcm", made)
    size = 32_000 * 32_000 * 2
    content = path.read_bytes()
    at = content.rindex(struct.pack("<HH2s", 0x7FE0, 0x0010, b"OW"))
    path.write_bytes(content[: at + 8] + struct.pack("<I", size) + content[at + 12 :])
    with pytest.raises(InputError):  # it only claims so
        read_image(path)
    os.truncate(path, at + 12 + size)
    assert path.stat().st_size > 2_000_000_000
    series = list_series(path).series[0]
    assert series.shape == (1, 32_000, 32_000)
    with pytest.raises(InputError, match="million"):
        read_image(path)
    monkeypatch.setattr("core.io.volumes.reading.available_bytes", lambda **_: 10**9)
    with pytest.raises(SeriesError, match="5120 MB, and 1000 MB are free"):
        read_volume(series)
    plain = tmp_path / "plain"
    plain.touch()
    os.truncate(plain, 2_100_000_000)
    with pytest.raises(InputError, match="neither"):
        list_series(plain)


def test_deflated_files_are_not_inflated_without_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = np.zeros((1000, 1000), np.uint16)
    path = save(tmp_path / "a.dcm", dataset_of(stored, syntax=DeflatedExplicitVRLittleEndian))
    assert path.stat().st_size < 20_000
    assert not read_image(path).data.any()
    monkeypatch.setattr("core.io.readers.dicom.deflated._LIMIT", 1_900_000)
    with pytest.raises(InputError, match="decompressed it takes more than 1 MB"):
        read_image(path)


def test_a_folder_called_dl_does_not_break_the_decoders(tmp_path: Path) -> None:
    """gdcm asks for a module of that name, of ancient Pythons."""
    (tmp_path / "dl").mkdir()
    made = _compressed(_STORED, JPEGLSLossless, _coded(JPEGLSLossless, _STORED))
    path = save(tmp_path / "a.dcm", made)
    code = f"from core.io import read_image; print(read_image({str(path)!r}).data.sum())"
    root = str(Path(__file__).resolve().parents[3])
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
    )
    assert told.stdout.strip() == str(np.float32(_STORED.sum())), told.stderr


def test_several_images_in_a_file_are_no_picture(tmp_path: Path) -> None:
    path = save(tmp_path / "a.dcm", enhanced(np.stack([_STORED] * 3)))
    assert probe_image(path).frames == 3
    with pytest.raises(InputError, match="3 images") as told:
        read_image(path)
    assert "volume" in told.value.remedy


def test_headers_for_what_is_derived_from_them(tmp_path: Path) -> None:
    write_series(tmp_path / "a", np.stack([_STORED] * 3), "PT", RescaleSlope=["1", "2", "3"])
    headers = read_headers(list_series(tmp_path / "a").series[0])
    assert [float(header.RescaleSlope) for header, _ in headers] == [1, 2, 3]
    assert "PixelData" not in headers[0][0]
    save(tmp_path / "b.dcm", enhanced(np.stack([_STORED] * 3), "PT", slopes=[1, 2, 3]))
    headers = read_headers(list_series(tmp_path / "b.dcm").series[0])
    assert len({id(header) for header, _ in headers}) == 1
    assert [index for _, index in headers] == [0, 1, 2]


def test_pydicoms_own_files_agree_with_it(shared_data: Path) -> None:
    folder = shared_data / "clinical" / "dicom_single"
    plain = dcmread(folder / "pydicom_MR_small.dcm").pixel_array
    found = sorted(folder.glob("pydicom_MR_small*.dcm"))
    assert len(found) == 5
    for path in found:
        np.testing.assert_array_equal(_read(path).data[0], plain)
        np.testing.assert_array_equal(read_image(path).data[..., 0], plain)
