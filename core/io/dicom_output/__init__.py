"""DICOM that is given back: fused slices, resampled values as a map, regions as a segmentation."""

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
from core.io.dicom_output.segmentation import (
    MaskSegment,
    check_segmentation_target,
    write_segmentation,
)
from core.io.dicom_output.sources import DicomSources, read_dicom_source, read_dicom_sources

__all__ = [
    "CORNERS",
    "LAYOUTS",
    "NOTICE_PLACES",
    "Corner",
    "DicomChoices",
    "DicomLayout",
    "DicomSources",
    "FusedSeries",
    "MaskSegment",
    "NoticePlace",
    "check_map_target",
    "check_new_folder",
    "check_segmentation_target",
    "read_dicom_source",
    "read_dicom_sources",
    "write_fused_files",
    "write_fused_folder",
    "write_parametric_map",
    "write_segmentation",
]
