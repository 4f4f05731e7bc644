"""Series and volumes of scanners: what is in a folder, and the voxels of one series."""

from core.io.volumes.listing import LeftOut, SeriesListing, list_series
from core.io.volumes.reading import Acceptance, read_headers, read_volume
from core.io.volumes.study import load_study_volume
from core.io.volumes.suv import series_suv
from core.io.volumes.tag_list import REMOVED, Tag, series_tags

__all__ = [
    "REMOVED",
    "Acceptance",
    "LeftOut",
    "SeriesListing",
    "Tag",
    "list_series",
    "load_study_volume",
    "read_headers",
    "read_volume",
    "series_suv",
    "series_tags",
]
