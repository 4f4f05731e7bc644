"""A, B and the fused image side by side: in full size, and as strips for the contact sheet."""

from __future__ import annotations

import io

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from core.tasks import TaskSpec
from core.types import FloatArray, SourcePair

_Bytes = npt.NDArray[np.uint8]

STRIP_HEIGHT = 144
"""Height in pixels of a strip on the contact sheet."""

_GAP = 8
_CAPTION = 28
_NOTICE = "Research use only - AI-generated image"  # the font that comes with Pillow has no dash
_NOTICE_WIDTH = 270


def side_by_side_image(pair: SourcePair, fused: FloatArray, task: TaskSpec) -> FloatArray:
    """A, B and the fused image side by side with titles, not resampled.

    Args:
        pair: the sources, H×W×1 or 3. fused: H×W×1 or 3 in [0, 1].
        task: gives the titles; medical ones add the notice “Research use only”.

    Returns:
        H'×W'×3 in [0, 1], larger than H×3W by titles and gaps.
    """
    panels = [_rgb8(pair.a.normalised()), _rgb8(pair.b.normalised()), _rgb8(fused)]
    titles = (task.label_a, task.label_b, "Fused")
    height, width = panels[0].shape[:2]
    total = 3 * width + 2 * _GAP
    lines = 2 if task.medical else 1
    total = max(total, _NOTICE_WIDTH) if task.medical else total
    canvas = PIL.Image.new("RGB", (total, height + lines * _CAPTION), "white")
    draw = PIL.ImageDraw.Draw(canvas)
    font = PIL.ImageFont.load_default(size=14)
    for place, (panel, title) in enumerate(zip(panels, titles, strict=True)):
        left = place * (width + _GAP)
        canvas.paste(PIL.Image.fromarray(panel), (left, _CAPTION))
        draw.text((left + 2, 6), title, fill="black", font=font)
    if task.medical:
        draw.text((2, height + _CAPTION + 6), _NOTICE, fill="black", font=font)
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
