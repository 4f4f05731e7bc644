"""The images of a DICOM file as listing knows them: tags and place in the patient, no pixels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from core.errors import InputError, Message
from core.io.readers.decoding import damaged
from core.io.readers.dicom.deflated import check_inflated
from core.io.readers.dicom.nuclear import TomogramTags, is_tomogram
from core.io.readers.dicom.tags import DatasetTags, ImageTags, number, scanned
from core.io.readers.kinds import is_dicom
from core.io.readers.registry import HEAD_BYTES

Vector = npt.NDArray[np.float64]

_DIRECTORY = "1.2.840.10008.1.3.10"
_NOT_IMAGES = {
    "1.2.840.10008.5.1.4.1.1.104.1": Message("an encapsulated PDF"),
    "1.2.840.10008.5.1.4.1.1.104.2": Message("an encapsulated document"),
    "1.2.840.10008.5.1.4.1.1.88": Message("a structured report"),
    "1.2.840.10008.5.1.4.1.1.11": Message("a presentation state"),
    "1.2.840.10008.5.1.4.1.1.66": Message("registration, segments or raw data"),
    "1.2.840.10008.5.1.4.1.1.481": Message("data of radiotherapy"),
    "1.2.840.10008.5.1.4.1.1.9": Message("curves or waveforms"),
    _DIRECTORY: Message("a list of files (DICOMDIR)"),
}
_ENVELOPED = bytes.fromhex("06092a864886f70d0107")
"""The object identifier at the beginning of an encrypted (CMS) file."""
_UNIT_LENGTH, _ACROSS = 1e-3, 1e-3
_MAX_FRAMES = 100_000


class NoImage(InputError):
    """A DICOM file without pixels. ``reason`` says what it is instead."""

    def __init__(self, path: Path, reason: Message) -> None:
        super().__init__(
            str(path),
            Message("it holds no image but {0}", reason),
            Message("Choose a file of a CT, MR, PET or other image series."),
        )
        self.reason = reason


@dataclass(frozen=True, eq=False)
class Frame:
    """One image of a file.

    Attributes:
        path: the file.
        index: which image of it, from 0.
        tags: its tags.
        count: images in the file.
    """

    path: Path
    index: int
    tags: ImageTags
    count: int = 1

    @cached_property
    def size(self) -> tuple[int, int]:
        """(rows, columns)."""
        return int(number(self.tags, "Rows") or 0), int(number(self.tags, "Columns") or 0)

    @cached_property
    def orientation(self) -> Vector | None:
        """2×3: unit vectors along a row (growing column) and along a column; None without."""
        values = self.tags.numbers("ImageOrientationPatient")
        if len(values) != 6:
            return None
        axes = np.array(values).reshape(2, 3)
        lengths = np.linalg.norm(axes, axis=1)
        if abs(lengths - 1).max() > _UNIT_LENGTH * 10 or abs(axes[0] @ axes[1]) > _ACROSS * 10:
            return None
        return np.asarray(axes / lengths[:, np.newaxis])

    @cached_property
    def position(self) -> Vector | None:
        """Patient millimetres (LPS) of the centre of the first voxel; None without."""
        values = self.tags.numbers("ImagePositionPatient")
        return np.array(values) if len(values) == 3 else None

    @cached_property
    def spacing(self) -> tuple[float, float] | None:
        """Millimetres between (rows, columns); None where the file does not say it."""
        values = self.tags.numbers("PixelSpacing")
        return (values[0], values[1]) if len(values) == 2 and min(values) > 0 else None

    @property
    def placed(self) -> bool:
        """Whether it is known where in the patient it lies."""
        return self.orientation is not None and self.position is not None

    @cached_property
    def depth(self) -> float:
        """Millimetres along the normal of the slice."""
        assert self.orientation is not None
        assert self.position is not None
        return float(np.cross(*self.orientation) @ self.position)


def frames_of(path: Path) -> list[Frame]:
    """The images in the DICOM file ``path``, without their pixels.

    Raises:
        NoImage: it holds none.
        InputError: it is no DICOM file, or encrypted, damaged or not readable.
        OSError: it cannot be opened.
    """
    tags = scanned(path)
    if tags is not None and tags.text("Rows") and tags.text("SOPClassUID"):
        _check_image(path, tags.text("SOPClassUID"), True)
        return [Frame(path, 0, tags)]
    dataset = open_dataset(path)
    count = frame_count(path, dataset)
    return [Frame(path, index, image_tags(dataset, index), count) for index in range(count)]


def image_tags(dataset: Dataset, index: int) -> DatasetTags:
    """The tags of image ``index`` of a file."""
    kind = TomogramTags if is_tomogram(dataset) else DatasetTags
    return kind(dataset, index)


def open_dataset(path: Path) -> Dataset:
    """All tags of the DICOM file ``path`` before its pixels.

    Raises:
        NoImage: it holds no image.
        InputError: it is no DICOM file, or encrypted or damaged.
        OSError: it cannot be opened.
    """
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
    if is_encrypted(head):
        raise InputError(
            str(path),
            Message("it is encrypted"),
            Message("Decrypt it, or export it again without encryption."),
        )
    if not is_dicom(head):
        raise InputError(
            str(path),
            Message("its content is not DICOM"),
            Message("Export it again."),
        )
    check_inflated(path)
    try:
        dataset = dcmread(path, stop_before_pixels=True, force=True, defer_size=1 << 20)
    except (InvalidDicomError, EOFError):
        raise damaged(path, Message("the header is incomplete")) from None
    kind = str(dataset.get("SOPClassUID") or meta_of(dataset, "MediaStorageSOPClassUID"))
    _check_image(path, kind, "Rows" in dataset and "Columns" in dataset)
    return dataset


def is_encrypted(head: bytes) -> bool:
    """Whether the first bytes are those of an encrypted (CMS) file."""
    return head[:1] == b"0" and _ENVELOPED in head[:64]


def meta_of(dataset: Dataset, keyword: str) -> str:
    """A value of the file's own header, "" without."""
    return str(getattr(dataset, "file_meta", Dataset()).get(keyword, "") or "")


def _check_image(path: Path, kind: str, has_pixels: bool) -> None:
    for beginning, reason in _NOT_IMAGES.items():
        if kind == beginning or kind.startswith(beginning + "."):
            raise NoImage(path, reason)
    if not has_pixels:
        if kind and UID(kind).name != kind:
            raise NoImage(path, Message("data of the kind “{0}”", UID(kind).name))
        raise damaged(path, Message("the header is incomplete"))


def frame_count(path: Path, dataset: Dataset) -> int:
    """Images in the file.

    Raises:
        InputError: the number is none, or functional groups are missing for some.
    """
    try:
        count = int(dataset.get("NumberOfFrames") or 1)
    except (TypeError, ValueError):
        raise damaged(path, Message("its number of images is unreadable")) from None
    groups = dataset.get("PerFrameFunctionalGroupsSequence")
    if not 1 <= count <= _MAX_FRAMES or (groups is not None and 0 < len(groups) < count):
        raise damaged(path, Message("its number of images is unreadable"))
    return count


def transfer_syntax(dataset: Dataset) -> str:
    """UID of how the pixels are coded; of a file that does not say it, what its tags are in."""
    known = meta_of(dataset, "TransferSyntaxUID")
    if known:
        return known
    implicit, little = dataset.original_encoding
    if not little:
        return "1.2.840.10008.1.2.2"
    return "1.2.840.10008.1.2" if implicit else "1.2.840.10008.1.2.1"


def is_deflated(dataset: Dataset) -> bool:
    """Whether all of the file is compressed."""
    return transfer_syntax(dataset) == DeflatedExplicitVRLittleEndian


def is_directory(path: Path) -> bool:
    """Whether ``path`` is a DICOMDIR."""
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD_BYTES)
    except OSError:
        return False
    return head[128:132] == b"DICM" and b"\2\0\2\0UI\x14\0" + _DIRECTORY.encode() in head
