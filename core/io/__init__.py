"""Reading and writing images and pairs, and atomic writing of files."""

from core.io.atomic import atomic_path, atomic_write
from core.io.exif import read_tags
from core.io.pairs import make_pair, read_pair, read_sources
from core.io.reader import (
    READERS,
    Damaged,
    is_image,
    probe_image,
    read_image,
)
from core.io.readers.registry import Reader, ReaderRegistry
from core.io.resampling import resample_onto, resample_through
from core.io.values import as_stored, with_window
from core.io.writer import WRITE_SUFFIXES, check_folder, check_target, write_image

__all__ = [
    "READERS",
    "WRITE_SUFFIXES",
    "Damaged",
    "Reader",
    "ReaderRegistry",
    "as_stored",
    "atomic_path",
    "atomic_write",
    "check_folder",
    "check_target",
    "is_image",
    "make_pair",
    "probe_image",
    "read_image",
    "read_pair",
    "read_sources",
    "read_tags",
    "resample_onto",
    "resample_through",
    "with_window",
    "write_image",
]
