"""Writes the volumes of the medical sample as DICOM series on one frame of reference."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    RLELossless,
    generate_uid,
)

_DATE = "20200101"
_INJECTED, _SCANNED = "090000", "100000"
_DOSE_BQ, _WEIGHT_KG, _HALF_LIFE_S, _MINUTES = 185e6, 70.0, 6586.2, 60.0
_SIMULATED = "Simulated from the ICBM 152 template: the average of many heads, of no patient"


@dataclass(frozen=True)
class Grid:
    """Slices, rows, columns; mm between them; and x, y, z of the first voxel in mm, LPS."""

    shape: tuple[int, int, int]
    spacing: tuple[float, float, float]
    first: tuple[float, float, float]


def write_mr(folder: Path, volume: NDArray[np.uint16], grid: Grid) -> None:
    """Write one file for each slice, RLE compressed."""
    for index, pixels in enumerate(volume):
        data = _slice("MR", grid, index)
        data.SOPClassUID = MRImageStorage
        data.SeriesDescription = "T1 axial, simulated"
        data.ScanningSequence, data.SequenceVariant, data.ScanOptions = "GR", "MP", ""
        data.MRAcquisitionType, data.MagneticFieldStrength = "3D", 3
        data.RepetitionTime, data.EchoTime = 2300, 2.98
        data.SeriesTime = data.AcquisitionTime = data.ContentTime = "103000"
        data.WindowCenter, data.WindowWidth = 110, 220
        _save(folder, data, pixels)


def write_pet(folder: Path, suv: NDArray[np.float32], grid: Grid) -> None:
    """Write one file for each slice, in Bq/mL with a slope of its own and all that SUV needs."""
    decayed = _DOSE_BQ * 2 ** (-_MINUTES * 60 / _HALF_LIFE_S)
    activity = suv.astype(np.float64) * decayed / (_WEIGHT_KG * 1000)
    for index, plane in enumerate(activity):
        data = _slice("PT", grid, index)
        data.SOPClassUID = PositronEmissionTomographyImageStorage
        data.SeriesDescription = "FDG brain, simulated"
        data.SeriesTime = data.AcquisitionTime = data.ContentTime = _SCANNED
        data.Units, data.DecayCorrection, data.CountsSource = "BQML", "START", "EMISSION"
        data.CorrectedImage = ["DECY", "ATTN", "SCAT", "NORM"]
        data.SeriesType = ["STATIC", "IMAGE"]
        data.NumberOfSlices, data.ImageIndex = grid.shape[0], index + 1
        data.FrameReferenceTime, data.ActualFrameDuration, data.DecayFactor = 0, 600000, 1
        data.PatientWeight, data.PatientSize, data.PatientSex = _WEIGHT_KG, 1.75, "O"
        data.RadiopharmaceuticalInformationSequence = Sequence([_injection()])
        slope = float(f"{max(plane.max(), 1.0) / 4095:.8g}")
        data.RescaleSlope, data.RescaleIntercept = slope, 0
        _save(folder, data, np.round(plane / slope).astype(np.uint16))


def _injection() -> Dataset:
    item = Dataset()
    item.Radiopharmaceutical = "Fluorodeoxyglucose F^18^"
    item.RadiopharmaceuticalStartTime = _INJECTED
    item.RadiopharmaceuticalStartDateTime = _DATE + _INJECTED
    item.RadionuclideTotalDose = _DOSE_BQ
    item.RadionuclideHalfLife, item.RadionuclidePositronFraction = _HALF_LIFE_S, 0.9673
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "C-111A1", "SRT", "^18^Fluorine"
    item.RadionuclideCodeSequence = Sequence([code])
    return item


def _uid(*parts: object) -> UID:
    """The same every time."""
    return generate_uid(entropy_srcs=["unifusion-sample", *(str(part) for part in parts)])


def _slice(modality: str, grid: Grid, index: int) -> Dataset:
    """What both series say of a slice."""
    data = Dataset()
    data.add_new(0x0008001C, "CS", "YES")  # Synthetic Data
    data.ImageType = ["DERIVED", "PRIMARY", "AXIAL"]
    data.SOPInstanceUID = _uid(modality, index)
    data.StudyDate = data.SeriesDate = data.AcquisitionDate = data.ContentDate = _DATE
    data.StudyTime = _SCANNED
    data.Modality, data.Manufacturer = modality, "UniFusion Studio"
    data.StudyDescription, data.DerivationDescription = "Sample", _SIMULATED
    data.PatientName, data.PatientID = "Nobody^Average", "ICBM152"
    data.PatientBirthDate, data.PatientIdentityRemoved = "", "YES"
    data.DeidentificationMethod = _SIMULATED[:64]
    data.StudyInstanceUID, data.FrameOfReferenceUID = _uid("study"), _uid("frame")
    data.SeriesInstanceUID = _uid(modality)
    data.StudyID, data.AccessionNumber, data.ReferringPhysicianName = "1", "", ""
    data.SeriesNumber, data.InstanceNumber = (1 if modality == "PT" else 2), index + 1
    data.PatientPosition, data.PositionReferenceIndicator = "HFS", ""
    x, y, z = grid.first
    between, row, column = grid.spacing
    data.ImagePositionPatient = [x, y, z + index * between]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.SliceThickness = between
    data.PixelSpacing = [row, column]
    return data


def _save(folder: Path, data: Dataset, pixels: NDArray[np.uint16]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit = 16, 12, 11
    data.PixelRepresentation = 0
    data.PixelData = pixels.astype("<u2").tobytes()
    data.file_meta = FileMetaDataset()
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    path = folder / f"{data.InstanceNumber:03}.dcm"
    data.save_as(path, enforce_file_format=True)
