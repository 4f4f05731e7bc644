"""Files in and out: pictures, pairs, folders of pairs, and atomic writing."""

from core.hints import suggest_task
from core.io.atomic import atomic_path, atomic_write
from core.io.exif import read_tags
from core.io.pairing import PairedFiles, pair_folders
from core.io.reading import (
    IMAGE_SUFFIXES,
    READERS,
    Damaged,
    is_image,
    probe_image,
    read_image,
    read_pair,
    resample_onto,
)
from core.io.registry import Reader, Registry
from core.io.values import as_stored, with_window
from core.io.writer import WRITE_SUFFIXES, check_target, write_image

__all__ = [
    "IMAGE_SUFFIXES",
    "READERS",
    "WRITE_SUFFIXES",
    "Damaged",
    "PairedFiles",
    "Reader",
    "Registry",
    "as_stored",
    "atomic_path",
    "atomic_write",
    "check_target",
    "is_image",
    "pair_folders",
    "probe_image",
    "read_image",
    "read_pair",
    "read_tags",
    "resample_onto",
    "suggest_task",
    "with_window",
    "write_image",
]
