"""Small DICOM files, written here with pydicom; no real patient is in them."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
NAME, ID, BIRTH = "Zweistein^Ottokar", "QX-447711", "19390817"
CLASSES = {
    "CT": "1.2.840.10008.5.1.4.1.1.2",
    "MR": "1.2.840.10008.5.1.4.1.1.4",
    "PT": "1.2.840.10008.5.1.4.1.1.128",
    "NM": "1.2.840.10008.5.1.4.1.1.20",
    "OT": "1.2.840.10008.5.1.4.1.1.7",
}


def dataset_of(pixels: Any, modality: str = "MR", **tags: Any) -> FileDataset:
    """A data set of one image of 8, 16 or 32 bits, grey (J×I) or RGB (J×I×3).

    ``tags`` are set last; None deletes one. ``syntax`` is the transfer syntax.
    """
    syntax = UID(tags.pop("syntax", ExplicitVRLittleEndian))
    pixels = np.asarray(pixels)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = UID(
        tags.get("SOPClassUID", CLASSES.get(modality, CLASSES["OT"]))
    )
    known = hashlib.sha256(pixels.tobytes() + repr(sorted(tags.items())).encode()).hexdigest()
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=[known])
    meta.TransferSyntaxUID = syntax
    made = FileDataset(
        "",
        {},
        file_meta=meta,
        preamble=bytes(128),
        is_implicit_VR=syntax.is_implicit_VR,
        is_little_endian=syntax.is_little_endian,
    )
    made.SOPClassUID, made.SOPInstanceUID = (
        meta.MediaStorageSOPClassUID,
        meta.MediaStorageSOPInstanceUID,
    )
    made.PatientName, made.PatientID, made.PatientBirthDate = NAME, ID, BIRTH
    made.StudyInstanceUID, made.SeriesInstanceUID = "1.2.3.1", "1.2.3.1.1"
    made.FrameOfReferenceUID = "1.2.3.9"
    made.Modality, made.SeriesNumber = modality, 5
    made.Rows, made.Columns = pixels.shape[:2]
    made.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    made.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        made.PlanarConfiguration = 0
    made.BitsAllocated = made.BitsStored = 8 * pixels.itemsize
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation = int(pixels.dtype.kind == "i")
    order = "<" if syntax.is_little_endian else ">"
    content = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    made.PixelData = content + b"\0" * (len(content) % 2)
    made["PixelData"].VR = "OW" if pixels.itemsize > 1 else "OB"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are wrong on purpose
        for keyword, value in tags.items():
            if value is not None:
                setattr(made, keyword, value)
            elif keyword in made:
                delattr(made, keyword)
    return made


def save(path: Path, dataset: Dataset) -> Path:
    """Write ``dataset``, whatever is odd about it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        dataset.save_as(path, enforce_file_format=True)
    except (AttributeError, ValueError):
        dataset.save_as(path, enforce_file_format=False)
    return path


def slice_tags(
    k: float,
    *,
    spacing: tuple[float, float, float] = (3.0, 1.5, 1.25),
    origin: Sequence[float] = (-10.0, 20.0, 30.0),
    orientation: Sequence[float] = AXIAL,
    step: Sequence[float] | None = None,
) -> dict[str, Any]:
    """The geometry of slice ``k``; ``spacing`` along (slices, rows, columns)."""
    axes = np.array(orientation, float).reshape(2, 3)
    between = np.cross(*axes) * spacing[0] if step is None else np.array(step, float)
    return {
        "ImagePositionPatient": [round(float(v), 6) for v in np.array(origin) + k * between],
        "ImageOrientationPatient": list(orientation),
        "PixelSpacing": [spacing[1], spacing[2]],
        "SliceThickness": 99,  # never to be used
    }


def write_series(
    folder: Path,
    volume: Any,
    modality: str = "MR",
    *,
    geometry: Mapping[str, Any] | None = None,
    places: Sequence[float] | None = None,
    **tags: Any,
) -> list[Path]:
    """One file for each slice of K×J×I ``volume``; names and numbers are in no sensible order."""
    paths = []
    places = range(len(volume)) if places is None else places
    for index, (place, pixels) in enumerate(zip(places, volume, strict=True)):
        wanted = {
            "SeriesDescription": "T1 ax",
            "InstanceNumber": (index * 7) % 101 + 1,
            **slice_tags(place, **(geometry or {})),
            **{
                k: v[index] if isinstance(v, list) and k in _PER_SLICE else v
                for k, v in tags.items()
            },
        }
        made = dataset_of(pixels, modality, **wanted)
        paths.append(save(folder / f"IM{(index * 5) % 17:02d}_{index}.dcm", made))
    return paths


_PER_SLICE = ("RescaleSlope", "RescaleIntercept", "EchoTime", "Units", "PatientID", "PatientName")


def item(**tags: Any) -> Dataset:
    """A data set with ``tags``, for sequences."""
    made = Dataset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some are wrong on purpose
        for keyword, value in tags.items():
            setattr(made, keyword, value)
    return made


def enhanced(
    volume: Any, modality: str = "MR", slopes: Sequence[float] = (), **tags: Any
) -> Dataset:
    """K×J×I ``volume`` as one enhanced multi-frame data set with the geometry of `slice_tags`."""
    volume = np.asarray(volume)
    made = dataset_of(volume[0], modality, **tags)
    made.NumberOfFrames = len(volume)
    made.PixelData = volume.tobytes()
    first = slice_tags(0)
    shared = item(
        PixelMeasuresSequence=DicomSequence([item(PixelSpacing=first["PixelSpacing"])]),
        PlaneOrientationSequence=DicomSequence(
            [item(ImageOrientationPatient=first["ImageOrientationPatient"])]
        ),
    )
    frames = []
    for k in range(len(volume)):
        frame = item(
            PlanePositionSequence=DicomSequence(
                [item(ImagePositionPatient=slice_tags(k)["ImagePositionPatient"])]
            )
        )
        if slopes:
            frame.PixelValueTransformationSequence = DicomSequence(
                [item(RescaleSlope=slopes[k], RescaleIntercept=0, RescaleType="US")]
            )
        frames.append(frame)
    made.SharedFunctionalGroupsSequence = DicomSequence([shared])
    made.PerFrameFunctionalGroupsSequence = DicomSequence(frames)
    return made
