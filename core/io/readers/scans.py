"""The readers of scanner files, whose libraries are loaded when such a file is first met."""

from __future__ import annotations

from pathlib import Path

from core.io.readers import kinds
from core.io.readers.registry import Reader
from core.types import Image, ImageHeader


def _read_dicom(path: Path) -> Image:
    from core.io.readers.dicom import image

    return image.read(path)


def _probe_dicom(path: Path) -> ImageHeader:
    from core.io.readers.dicom import image

    return image.probe(path)


def _read_nifti(path: Path) -> Image:
    from core.io.readers.nifti import image

    return image.read(path)


def _probe_nifti(path: Path) -> ImageHeader:
    from core.io.readers.nifti import image

    return image.probe(path)


DICOM = Reader("DICOM", (".dcm", ".dicom", ".ima"), kinds.is_dicom, _read_dicom, _probe_dicom)
NIFTI = Reader("NIfTI", (".nii", ".nii.gz"), kinds.is_nifti, _read_nifti, _probe_nifti)
