"""Thumbnails that take more than reading, in the compute process."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QImage

from app.viewer.pyramid import source_image
from app.viewer.rendering import thumbnail
from core.errors import FusionError
from core.progress import Progress
from core.types import PairTransform


def small_pair(
    a: Path, b: Path, by: PairTransform, side: int, progress: Progress
) -> tuple[QImage | None, QImage | None]:
    """Thumbnails of two pictures of which one is shown on the other, ``side`` pixels large.

    (None, None) where one cannot be read: the error is shown when the pair is opened.

    Raises:
        Cancelled: by ``progress``.
    """
    from core.io import read_pair

    try:
        pair = read_pair(a, b, transform=by, between=progress.check)
        return thumbnail(source_image(pair.a), side), thumbnail(source_image(pair.b), side)
    except (FusionError, MemoryError):
        return None, None
