"""DICOM that is given back: fused slices as secondary captures, resampled values as a map."""

from core.io.dicom_output.choices import (
    CORNERS,
    LAYOUTS,
    NOTICE_PLACES,
    Corner,
    DicomChoices,
    DicomLayout,
    NoticePlace,
)
from core.io.dicom_output.fused_series import (
    FusedSeries,
    check_new_folder,
    write_fused_files,
    write_fused_folder,
)
from core.io.dicom_output.parametric_map import check_map_target, write_parametric_map
from core.io.dicom_output.sources import DicomSources, read_dicom_sources

__all__ = [
    "CORNERS",
    "LAYOUTS",
    "NOTICE_PLACES",
    "Corner",
    "DicomChoices",
    "DicomLayout",
    "DicomSources",
    "FusedSeries",
    "NoticePlace",
    "check_map_target",
    "check_new_folder",
    "read_dicom_sources",
    "write_fused_files",
    "write_fused_folder",
    "write_parametric_map",
]
