"""Transforms in files: ITK's text format, and JSON.

``.tfm`` and ``.txt`` are ITK's “Insight Transform File V1.0”, which ITK, SimpleITK, 3D Slicer,
elastix and ANTs read. Its points are physical: millimetres (LPS) of volumes; of pictures without a
spacing, pixels. Homographies have no type there and are kept in JSON only.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from core.errors import InputError, Message, OutputError
from core.io.atomic import atomic_write, check_writable
from core.io.itk_transforms import itk_text, transform_from_itk
from core.io.readers.decoding import file_error
from core.types import Transform, TransformKind
from core.types.transform_data import transform_data, transform_from_data

ITK_SUFFIXES = (".tfm", ".txt")
JSON_SUFFIX = ".json"
TRANSFORM_SUFFIXES = (*ITK_SUFFIXES, JSON_SUFFIX)

_MOST_BYTES = 1 << 20
"""Of a file: one transform takes less than a kilobyte."""


def read_transform(path: str | Path) -> Transform:
    """Read the transform in a file of either format, which its content tells.

    Raises:
        InputError: it cannot be read, is damaged, too new, holds a transform of another type, or
            one that is no transform.
    """
    path = Path(path)
    text = _text_of(path)
    try:
        if text.lstrip().startswith("{"):
            return transform_from_data(json.loads(text))
        return transform_from_itk(text)
    except InputError as error:
        raise InputError(str(path), error.why, error.remedy or _CHOOSE) from error
    except (ValueError, OverflowError, RecursionError) as error:
        raise InputError(str(path), Message("it holds no transform"), _CHOOSE) from error


_CHOOSE = Message("Choose a transform file of ITK (.tfm) or of this program (.json).")


def _text_of(path: Path) -> str:
    try:
        if path.is_dir():
            raise InputError(str(path), Message("it is a folder"), _CHOOSE)
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(str(path), Message("it is too large for a transform"), _CHOOSE)
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(str(path), Message("it is not a text file"), _CHOOSE) from error
    except OSError as error:
        raise file_error(path, error) from error
    except ValueError as error:  # a NUL character in the name
        raise InputError(repr(str(path)), str(error), Message("Check the name.")) from error


def write_transform(
    path: str | Path, transform: Transform, centre: Sequence[float] | None = None
) -> None:
    """Write ``transform`` in the format that the suffix of ``path`` names, atomically.

    Args:
        centre: of rotation, in ITK files: the transform is the same around any; another program
            that goes on optimising it does so around this one. None for the origin.

    Raises:
        OutputError: the suffix is unknown, the format does not hold a transform of this kind, or
            the file cannot be written.
    """
    path = Path(path)
    check_transform_target(path, transform.kind)
    if path.suffix.lower() == JSON_SUFFIX:
        text = json.dumps(transform_data(transform), indent=2, ensure_ascii=False) + "\n"
    else:
        text = itk_text(transform, centre)
    atomic_write(path, text.encode())


def check_transform_target(path: str | Path, kind: TransformKind | None = None) -> None:
    """Refuse, before there is a transform of ``kind``, what :func:`write_transform` would refuse.

    Raises:
        OutputError: see there, but for a disk that is full.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in TRANSFORM_SUFFIXES:
        raise OutputError(
            Message("Cannot write {0}", path),
            Message("transforms are not written as “{0}”", suffix),
            Message("Name a file {0}.", ", ".join(TRANSFORM_SUFFIXES)),
        )
    if kind == "homography" and suffix != JSON_SUFFIX:
        raise OutputError(
            Message("Cannot write {0}", path),
            Message("ITK has no homographies"),
            Message("Name a file .json, or register by a kind up to affine."),
        )
    check_writable(path)
