"""Images side by side: A, B and the fused one in full size, strips for the contact sheet, rows."""

from __future__ import annotations

import io
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from core.tasks import TaskSpec
from core.types import FloatArray, SourcePair, notice_for

_Bytes = npt.NDArray[np.uint8]

STRIP_HEIGHT = 144
"""Height in pixels of a strip on the contact sheet."""

_GAP = 8
_CAPTION = 28
_NOTICE_WIDTH = 270


def side_by_side_image(
    pair: SourcePair, fused: FloatArray, task: TaskSpec, *, by_network: bool
) -> FloatArray:
    """A, B and the fused image side by side with titles, not resampled.

    Args:
        pair: the sources, H×W×1 or 3. fused: H×W×1 or 3 in [0, 1].
        task: gives the titles; medical ones add the notice “Research use only”.
        by_network: whether a network made the fused image, which the notice says then.

    Returns:
        H'×W'×3 in [0, 1], larger than H×3W by titles and gaps.
    """
    titles = (task.label_a, task.label_b, "Fused")
    images = (pair.a.normalised(), pair.b.normalised(), fused)
    notice = notice_for(by_network=by_network) if task.medical else ""
    return panel_image([list(zip(titles, images, strict=True))], notice=notice)


def panel_image(
    rows: Sequence[Sequence[tuple[str, FloatArray]]], *, notice: str = ""
) -> FloatArray:
    """Rows of images of one size, H×W×1 or 3 in [0, 1], each with its title above.

    Args:
        notice: a line below; "" for none.

    Returns:
        H'×W'×3 in [0, 1].
    """
    height, width = rows[0][0][1].shape[:2]
    most = max(len(row) for row in rows)
    total = most * width + (most - 1) * _GAP
    lines = len(rows) + 1 if notice else len(rows)
    total = max(total, _NOTICE_WIDTH) if notice else total
    canvas = PIL.Image.new("RGB", (total, len(rows) * height + lines * _CAPTION), "white")
    draw = PIL.ImageDraw.Draw(canvas)
    font = PIL.ImageFont.load_default(size=14)
    for index, row in enumerate(rows):
        top = index * (height + _CAPTION)
        for place, (title, image) in enumerate(row):
            left = place * (width + _GAP)
            canvas.paste(PIL.Image.fromarray(_rgb8(image)), (left, top + _CAPTION))
            draw.text((left + 2, top + 6), title, fill="black", font=font)
    if notice:
        # The font that comes with Pillow has no dash.
        text = notice.replace("–", "-")
        draw.text((2, canvas.height - _CAPTION + 6), text, fill="black", font=font)
    return np.asarray(canvas, np.float32) / np.float32(255)


def strip_jpeg(a: FloatArray, b: FloatArray, fused: FloatArray) -> bytes:
    """A JPEG file of the three images, H×W×1 or 3 in [0, 1], side by side, 144 pixels high."""
    panels = [_small(image) for image in (a, b, fused)]
    gap = np.full((STRIP_HEIGHT, 4, 3), 255, np.uint8)
    joined = np.concatenate([panels[0], gap, panels[1], gap, panels[2]], axis=1)
    stream = io.BytesIO()
    PIL.Image.fromarray(joined).save(stream, "JPEG", quality=85)
    return stream.getvalue()


def _small(image: FloatArray) -> _Bytes:
    height, width = image.shape[:2]
    # A panorama must not widen the whole sheet.
    across = min(max(1, round(width * STRIP_HEIGHT / height)), 4 * STRIP_HEIGHT)
    small = cv2.resize(
        np.ascontiguousarray(image), (across, STRIP_HEIGHT), interpolation=cv2.INTER_AREA
    )
    return _rgb8(np.asarray(small, np.float32).reshape(STRIP_HEIGHT, across, -1))


def _rgb8(image: FloatArray) -> _Bytes:
    # In double precision, as when images are written, so that the levels equal those of the file.
    levels = np.floor(np.clip(image, 0, 1).astype(np.float64) * 255 + 0.5).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(levels, (*levels.shape[:2], 3)))
