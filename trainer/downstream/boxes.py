"""Boxes of objects in images, read from YOLO text, Pascal VOC XML and COCO JSON files."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as xml
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InputError, Message

_TOLERANCE = 1.5
"""Pixels by which a box may exceed the image through rounding; it is cropped then."""


@dataclass(frozen=True, eq=False)
class Boxes:
    """Objects in one image.

    Attributes:
        corners: N×4 float64, left, top, right, bottom in pixels.
        classes: N int64, indices of class names, from 0.
    """

    corners: NDArray[np.float64]
    classes: NDArray[np.int64]


def read_yolo(path: Path, size: tuple[int, int], names: Sequence[str]) -> Boxes:
    """Boxes of a YOLO file: lines of class, centre x, centre y, width, height in [0, 1].

    Args:
        size: width and height of the image in pixels.
        names: names of the classes.

    Raises:
        InputError: the file cannot be read, a line is no box, a class has no name, or a box is not
            in the image.
    """
    found = []
    for number, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip():
            continue
        where = Message("{0}, line {1}", path, number)
        try:
            index, x, y, width, height = line.split()
            centre = float(x) * size[0], float(y) * size[1]
            half = float(width) * size[0] / 2, float(height) * size[1] / 2
            found.append((where, int(index), _corners_of(centre, half)))
        except ValueError as error:
            raise InputError(
                where,
                Message("it is no box"),
                Message("A line is: class, centre x, centre y, width, height, in 0 to 1."),
            ) from error
    return _boxes(found, size, names)


def read_voc(path: Path, names: Sequence[str]) -> Boxes:
    """Boxes of a Pascal VOC file, as M3FD and LLVIP have them.

    Raises:
        InputError: as for :func:`read_yolo`.
    """
    try:
        root = xml.fromstring(_text(path))
        size = int(root.findtext("size/width", "")), int(root.findtext("size/height", ""))
        found = []
        for item in root.iter("object"):
            name = item.findtext("name", "").strip()
            corners = [
                float(item.findtext(f"bndbox/{key}", ""))
                for key in ("xmin", "ymin", "xmax", "ymax")
            ]
            found.append((str(path), _class_of(name, names, str(path)), corners))
    except (xml.ParseError, ValueError) as error:
        raise InputError(
            str(path), Message("it is no Pascal VOC file"), Message("Check the file.")
        ) from error
    return _boxes(found, size, names)


def read_coco(path: Path, names: Sequence[str]) -> dict[str, Boxes]:
    """Boxes of a COCO file by the name of the image without suffix; crowds are left out.

    Raises:
        InputError: as for :func:`read_yolo`; also a box of an image that is not listed.
    """
    try:
        raw: Mapping[str, Any] = json.loads(_text(path))
        images = {item["id"]: item for item in raw["images"]}
        classes = {item["id"]: str(item["name"]) for item in raw["categories"]}
        found: dict[Any, list[tuple[str, int, list[float]]]] = {key: [] for key in images}
        for item in raw["annotations"]:
            if item.get("iscrowd"):
                continue
            where = Message("{0}, annotation {1}", path, item.get("id", "?"))
            if item["image_id"] not in images:
                raise InputError(
                    where, Message("its image is not listed"), Message("Complete the file.")
                )
            left, top, width, height = map(float, item["bbox"])
            corners = [left, top, left + width, top + height]
            index = _class_of(classes.get(item["category_id"], ""), names, where)
            found[item["image_id"]].append((where, index, corners))
        return {
            Path(item["file_name"]).stem: _boxes(
                found[key], (int(item["width"]), int(item["height"])), names
            )
            for key, item in images.items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            str(path), Message("it is no COCO file"), Message("Check the file.")
        ) from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", "") or Message("it is no text")
        raise InputError(str(path), why, Message("Check the file.")) from error


def _corners_of(centre: tuple[float, float], half: tuple[float, float]) -> list[float]:
    (x, y), (width, height) = centre, half
    return [x - width, y - height, x + width, y + height]


def _class_of(name: str, names: Sequence[str], where: str) -> int:
    folded = [known.casefold() for known in names]
    if name.casefold() not in folded:
        raise InputError(
            where,
            Message("the class “{0}” has no name in the list", name),
            Message("Classes: {0}.", ", ".join(names)),
        )
    return folded.index(name.casefold())


def _boxes(
    found: Iterable[tuple[str, int, Sequence[float]]], size: tuple[int, int], names: Sequence[str]
) -> Boxes:
    corners, classes = [], []
    for where, index, (left, top, right, bottom) in found:
        if not 0 <= index < len(names):
            raise InputError(
                where,
                Message("the class {0} has no name in the list", index),
                Message("Classes: {0}.", ", ".join(names)),
            )
        outside = max(-left, -top, right - size[0], bottom - size[1])
        shown = [round(value, 1) for value in (left, top, right, bottom)]
        if not all(map(math.isfinite, (left, top, right, bottom))) or outside > _TOLERANCE:
            raise InputError(
                where,
                Message("the box {0} is outside the image of {1} × {2}", shown, *size),
                Message("Check that the labels are those of these images."),
            )
        if right <= left or bottom <= top:
            raise InputError(
                where, Message("the box {0} is empty", shown), Message("Remove or correct it.")
            )
        corners.append((max(left, 0), max(top, 0), min(right, size[0]), min(bottom, size[1])))
        classes.append(index)
    return Boxes(
        np.array(corners, dtype=np.float64).reshape(-1, 4), np.array(classes, dtype=np.int64)
    )
