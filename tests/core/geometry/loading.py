"""Volumes from real files, as plainly as can be: no reader of the program takes part."""

from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pydicom

from core.types import Volume


def from_dicom(folder: Path) -> Volume:
    """A classic series of one orientation."""
    headers = [pydicom.dcmread(path) for path in sorted(folder.glob("*.dcm"))]
    across, down = np.array(headers[0].ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(across, down)
    headers.sort(key=lambda one: float(np.dot(one.ImagePositionPatient, normal)))
    first, last = (np.array(headers[n].ImagePositionPatient, float) for n in (0, -1))
    row_spacing, column_spacing = map(float, headers[0].PixelSpacing)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = across * column_spacing, down * row_spacing
    affine[:3, 2] = (last - first) / max(len(headers) - 1, 1)
    affine[:3, 3] = first
    slices = [
        one.pixel_array * float(one.get("RescaleSlope", 1)) + float(one.get("RescaleIntercept", 0))
        for one in headers
    ]
    return Volume(
        data=np.stack(slices).astype(np.float32),
        affine=affine,
        modality=headers[0].Modality,
        frame_of_reference=headers[0].get("FrameOfReferenceUID", ""),
    )


def from_nifti(path: Path) -> Volume:
    """A 3-D file; its axes to the right and to the front become LPS."""
    image = nibabel.load(path)
    values = np.asarray(image.dataobj, np.float32)
    return Volume(
        data=values.reshape(values.shape[:3]).transpose(2, 1, 0),
        affine=np.diag([-1.0, -1, 1, 1]) @ image.affine,
    )
