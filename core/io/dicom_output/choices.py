"""What a person chooses about DICOM that is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

DicomLayout = Literal["multi", "single"]
"""One multi-frame file, or a classic file for each slice."""
Corner = Literal["top-left", "top-right", "bottom-left", "bottom-right"]
NoticePlace = Literal["auto", "below", "top-left", "top-right", "bottom-left", "bottom-right"]
LAYOUTS: tuple[DicomLayout, ...] = get_args(DicomLayout)
CORNERS: tuple[Corner, ...] = get_args(Corner)
NOTICE_PLACES: tuple[NoticePlace, ...] = get_args(NoticePlace)


@dataclass(frozen=True, kw_only=True)
class DicomChoices:
    """How fused slices are written as DICOM.

    Attributes:
        layout: one file or many.
        keep_identity: copy the patient and the study of the sources. Otherwise the files are
            de-identified by the basic profile of PS3.15.
        replace_uids: also hide the UIDs of the sources and of their frame of reference, which the
            files refer to (salted hashes, the same in every export). Other systems cannot lay the
            files on the originals then.
        notice: corner that the research-use notice is burned into; "auto" for the emptiest one;
            "below" for rows of its own below each slice, so that it covers nothing.
    """

    layout: DicomLayout = "multi"
    keep_identity: bool = False
    replace_uids: bool = False
    notice: NoticePlace = "auto"
