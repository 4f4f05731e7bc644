"""Reader of DICOM files that hold one image: a slice, a radiograph, a secondary capture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from core.errors import InputError, Message
from core.io.readers.decoding import Decoded, SampleArray, check_size, damaged, finish
from core.io.readers.dicom.guard import reading
from core.io.readers.dicom.headers import frame_count, open_dataset
from core.io.readers.dicom.pixels import check_pixels, stored_pixels
from core.io.readers.dicom.problems import is_colour
from core.io.readers.dicom.slices import SliceReader
from core.io.readers.dicom.tags import DatasetTags, number
from core.io.readers.dicom.values import header_window, modality_of, scaling_of
from core.io.values import with_stated_window
from core.types import BitDepth, Image, ImageHeader, SliceSource

_PALETTE = "PALETTE COLOR"
_SEVERAL = Message(
    "Open it together with another volume, or save the slice you want as a file of its own."
)


def probe(path: Path) -> ImageHeader:
    """What the header of ``path`` says.

    Raises:
        InputError: it cannot be opened or understood, or holds no image.
    """
    with reading(path):
        dataset = open_dataset(path)
        tags = DatasetTags(dataset)
        width, height = int(number(tags, "Columns") or 0), int(number(tags, "Rows") or 0)
        check_size(path, width, height)
        return ImageHeader(
            "DICOM",
            width,
            height,
            3 if is_colour(tags) else 1,
            _depth(tags),
            frames=frame_count(path, dataset),
        )


def read(path: Path) -> Image:
    """The image in ``path``, in the unit on file, with the window that the header states.

    Raises:
        InputError: it cannot be opened or decoded, holds no image, or several.
    """
    with reading(path):
        dataset = open_dataset(path)
        frames = frame_count(path, dataset)
        if frames > 1:
            raise InputError(
                str(path),
                Message("it holds {0} images, and only one can be fused as a picture", frames),
                _SEVERAL,
            )
        check_pixels(path, dataset)
        tags = DatasetTags(dataset)
        image = _colour(path, tags) if is_colour(tags) else _grey(path, tags)
        spacing = tags.numbers("PixelSpacing")
        if len(spacing) == 2 and min(spacing) > 0:
            image = replace(image, spacing=(spacing[0], spacing[1]))
        return image


def _depth(tags: DatasetTags) -> BitDepth:
    bits = number(tags, "BitsAllocated") or 8
    if is_colour(tags):
        return 8 if bits <= 8 or tags.text("PhotometricInterpretation") == _PALETTE else 16
    signed = number(tags, "PixelRepresentation") == 1
    if bits <= 8 and not signed and modality_of(tags) == "OT" and scaling_of(tags).is_identity:
        return 8
    return 16 if bits <= 16 else 32


def _grey(path: Path, tags: DatasetTags) -> Image:
    if _depth(tags) == 8:
        return finish(path, _eight_bits(path, tags))
    one = SliceReader().read(SliceSource(path, 0, 0.0))
    decoded = Decoded(one.data[..., np.newaxis], "grey", None, _depth(tags))
    decoded.mask = one.measured
    decoded.unit = one.unit
    if one.inverted:
        decoded.notes.append(Message("Black and white were swapped, as the file asks for."))
    image = finish(path, decoded)
    window = header_window(tags)
    counts = modality_of(tags) in ("PT", "NM")  # a window above 0 would hide uptake
    if window is None or counts:
        return image
    return with_stated_window(image, window)


def _eight_bits(path: Path, tags: DatasetTags) -> Decoded:
    """Plain grey levels of a secondary capture."""
    samples = stored_pixels(path, tags.dataset, 0)
    top = 2 ** min(int(number(tags, "BitsStored") or 8), 8) - 1
    if samples.dtype.kind == "i" or samples.ndim != 2:
        raise damaged(path, Message("unexpected shape {0}", samples.shape))
    notes: list[str] = []
    grey = samples.astype(np.uint16).clip(0, top)
    if top < 255:
        grey = grey * 255 // top
        notes.append(Message("{0}-bit values were stretched to 0…255.", top.bit_length()))
    if tags.text("PhotometricInterpretation") == "MONOCHROME1":
        grey = 255 - grey
        notes.append(Message("Black and white were swapped, as the file asks for."))
    return Decoded(grey.astype(np.uint8)[..., np.newaxis], "grey", 255, 8, notes=notes)


def _colour(path: Path, tags: DatasetTags) -> Image:
    samples = stored_pixels(path, tags.dataset, 0)
    notes: list[str] = []
    if tags.text("PhotometricInterpretation") == _PALETTE:
        samples = _from_palette(tags.dataset, samples)
        notes.append(Message("The palette was expanded to RGB."))
    if samples.ndim != 3 or samples.shape[2] < 3 or samples.dtype not in (np.uint8, np.uint16):
        raise damaged(path, Message("unexpected shape {0}", samples.shape))
    depth: BitDepth = 8 if samples.dtype == np.uint8 else 16
    bits = depth if depth == 8 else int(number(tags, "BitsStored") or 16)
    decoded = Decoded(samples[..., :3], "rgb", 2**bits - 1, depth, notes=notes)
    return finish(path, decoded)


def _from_palette(dataset: Dataset, indices: SampleArray) -> SampleArray:
    """8-bit RGB. The tables have 16-bit entries; some writers fill only 8 of them."""
    for name in ("Red", "Green", "Blue"):
        described = dataset.get(f"{name}PaletteColorLookupTableDescriptor")
        data = f"{name}PaletteColorLookupTableData"
        if described is not None and len(dataset.get(data) or b"") == int(described[0]) + 1:
            setattr(dataset, data, dataset[data].value[:-1])  # bytes are padded to an even number
    colours = np.asarray(apply_color_lut(indices, dataset))
    if colours.dtype == np.uint8:
        return colours
    return (colours if colours.max(initial=0) < 256 else colours >> 8).astype(np.uint8)
