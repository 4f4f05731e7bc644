"""A report on a fused study: what went in, how it was fused, pictures and figures, as PDF."""

from core.study_report.content import ReportSlice, StudyReport
from core.study_report.pdf import REPORT_SUFFIX, check_report_target, write_study_report
from core.study_report.region_figures import regions_tables
from core.study_report.slices import fused_report_slices, report_slice, typical_slices

__all__ = [
    "REPORT_SUFFIX",
    "ReportSlice",
    "StudyReport",
    "check_report_target",
    "fused_report_slices",
    "regions_tables",
    "report_slice",
    "typical_slices",
    "write_study_report",
]
