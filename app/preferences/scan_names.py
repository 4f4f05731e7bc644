"""Which file names may be those of a scanner's files."""

from __future__ import annotations

from pathlib import Path

SCAN_SUFFIXES = (".dcm", ".dicom", ".ima", ".nii", ".nii.gz", ".img", ".hdr")


def may_be_scan(path: Path) -> bool:
    """Whether a file name may be that of a scanner's file: a suffix of theirs, or none."""
    name = path.name.lower()
    return name.endswith(SCAN_SUFFIXES) or "." not in name or name.rsplit(".", 1)[1].isdigit()
