"""DICOM: files, folders and DICOMDIRs; classic, enhanced and legacy-converted multi-frame.

pydicom is heavy: nothing here is imported before a DICOM file is met.
"""

from __future__ import annotations

from core.io.readers import gdcm_import  # noqa: F401
