"""Which files are those of scanners, by their names, or by their first bytes where names fail.

Kept apart from :mod:`core.pairing.volume_pairs`, whose readers take long to import.
"""

from __future__ import annotations

from pathlib import Path

from core.io.reader import READERS
from core.io.readers.kinds import is_dicom
from core.io.readers.registry import HEAD_BYTES

_DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
_NIFTI_SUFFIXES = (".nii", ".nii.gz", ".img", ".hdr")
_MASK_WORDS = frozenset(("mask", "seg", "segmentation", "label", "labels", "roi"))


def is_dicom_file(path: Path) -> bool:
    """Whether a file is DICOM: a suffix of another kind of picture is believed."""
    suffix = path.suffix.lower()
    if suffix in _DICOM_SUFFIXES:
        return True
    if suffix in READERS.suffixes or is_nifti_name(path):
        return False
    try:
        with path.open("rb") as stream:
            return is_dicom(stream.read(HEAD_BYTES))
    except (OSError, ValueError):
        return False


def is_nifti_name(path: Path) -> bool:
    """Whether a name is that of a NIfTI file."""
    return path.name.lower().endswith(_NIFTI_SUFFIXES)


def is_mask(path: Path) -> bool:
    """Whether a NIfTI file is a mask by a word of its name, and no source."""
    if not is_nifti_name(path):
        return False
    words = "".join(c if c.isalpha() else " " for c in path.name.lower()).split()
    return not _MASK_WORDS.isdisjoint(words)
