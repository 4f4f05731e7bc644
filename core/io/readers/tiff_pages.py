"""Selects the image page of a TIFF file among thumbnails, reduced copies and masks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InputError, Message
from core.io.readers.decoding import check_frames, damaged

_MOST_PAGES = 1000
_REDUCED, _MASK = 0b1, 0b100
_NEW_TYPE, _OLD_TYPE, _OLD_REDUCED, _SUB_PAGES, _MASK_PHOTOMETRIC = 254, 255, 2, 330, 4


@dataclass(frozen=True)
class PageChoice:
    """The image page, and the number of pages that could be it.

    Attributes:
        page: tifffile's page.
        rivals: pages with the same markings, including itself.
        sizes: (width, height) of each of them.
        mask: the mask page of the same size, or None.
        odd_masks: there are only masks of other sizes.
    """

    page: Any
    rivals: int
    sizes: tuple[tuple[int, int], ...]
    mask: Any = None
    odd_masks: bool = False


def choose(path: Path, tif: Any) -> PageChoice:
    """Select the image page of ``tif``.

    Raises:
        InputError: there is no page, or markings and sizes contradict each other.
    """
    count = len(tif.pages)
    if count == 0:
        raise damaged(path, Message("it holds no picture"))
    check_frames(path, 1 if count <= _MOST_PAGES else count, Message("pages"))
    full: list[Any] = []
    reduced: list[Any] = []
    masks: list[Any] = []
    for page, parent in _pages(tif, count):
        if _is_mask(page):
            masks.append(page)
        elif _is_reduced(page) or (parent is not None and _is_level(page, parent)):
            reduced.append(page)
        else:
            full.append(page)
    if not full:
        full = _largest(reduced)
        if not full:
            raise damaged(path, Message("it holds no picture"))
    page = max(full, key=_area)
    beaten = max(reduced, key=_area, default=None)
    if beaten is not None and _area(beaten) > _area(page):
        raise InputError(
            str(path),
            Message(
                "it holds pictures of {0}×{1} and {2}×{3} pixels, and its marks call the larger "
                "one a thumbnail",
                *_size(page),
                *_size(beaten),
            ),
            Message("Save the one you want as a file of its own."),
        )
    mask = next((found for found in masks if _size(found) == _size(page)), None)
    sizes = tuple(dict.fromkeys(map(_size, full)))
    return PageChoice(page, len(full), sizes, mask, bool(masks) and mask is None)


def only_page(path: Path, tif: Any) -> PageChoice:
    """Like :func:`choose`, but require a single candidate.

    Raises:
        InputError: there are several candidates, or the page holds several slices.
    """
    choice = choose(path, tif)
    if choice.rivals > 1 and len(choice.sizes) > 1:
        sizes = ", ".join(f"{width}×{height}" for width, height in choice.sizes[:4])
        raise InputError(
            str(path),
            Message(
                "it holds {0} pages of different sizes ({1}), and no mark tells which is the "
                "picture",
                choice.rivals,
                sizes,
            ),
            Message("Save the one you want as a file of its own."),
        )
    check_frames(path, choice.rivals, Message("pages"))
    slices = max(_hidden_slices(tif, choice.page), choice.page.imagedepth)
    check_frames(path, slices, Message("slices"))
    return choice


def _pages(tif: Any, count: int) -> Iterator[tuple[Any, Any]]:
    """All pages with their parent page (None for top-level pages)."""
    for index in range(count):
        page = tif.pages[index].aspage()
        yield page, None
        if _SUB_PAGES in page.tags and page.pages is not None:
            for place in range(min(len(page.pages), _MOST_PAGES)):
                yield page.pages[place].aspage(), page


def _is_mask(page: Any) -> bool:
    return bool(page.subfiletype & _MASK) or page.photometric == _MASK_PHOTOMETRIC


def _is_reduced(page: Any) -> bool:
    if _NEW_TYPE in page.tags:
        return bool(int(page.tags.valueof(_NEW_TYPE, 0)) & _REDUCED)
    return int(page.tags.valueof(_OLD_TYPE, 0)) == _OLD_REDUCED


def _is_level(page: Any, parent: Any) -> bool:
    """Whether a nested page is a reduced copy of its parent, by its proportions."""
    if _area(page) >= _area(parent):
        return False
    shrunk = parent.imagewidth / page.imagewidth
    return bool(abs(parent.imagelength / shrunk - page.imagelength) <= 2)


def _largest(pages: list[Any]) -> list[Any]:
    most = max(map(_area, pages), default=0)
    return [page for page in pages if _area(page) == most]


def _size(page: Any) -> tuple[int, int]:
    return int(page.imagewidth), int(page.imagelength)


def _area(page: Any) -> int:
    return int(page.imagewidth) * int(page.imagelength)


def _hidden_slices(tif: Any, page: Any) -> int:
    """Number of slices that some programs store behind a single page."""
    if tif.is_imagej and tif.imagej_metadata:
        return int(tif.imagej_metadata.get("images", 1))
    if tif.is_shaped and tif.shaped_metadata and page.index == 0:
        shape = tif.shaped_metadata[0].get("shape", page.shape)
        return max(1, int(math.prod(shape)) // max(1, int(math.prod(page.shape))))
    return 1
