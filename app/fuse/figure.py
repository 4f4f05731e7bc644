"""A figure of sources and result side by side, with a legend. Painted on a worker thread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QImage, QPainter, QTransform

from app.i18n.numbers import number
from app.viewer.pyramid import RenderedImage
from app.viewer.rendering import full_image, upright_bar
from core.types import FloatArray
from core.windows import Window

_LEAST_WIDTH = 320
_MOST_WIDTH = 1600
_INK = QColor("#1c232c")
_QUIET = QColor("#566272")
_STRIP, _ON_STRIP = QColor("#0d0f12"), QColor("#d3d9e1")


@dataclass(frozen=True, eq=False)
class FigurePanel:
    """One image of a figure, with title, window and palette."""

    title: str
    image: RenderedImage
    window: Window
    palette: str = "grey"


def in_shape(image: QImage, aspect: float) -> QImage:
    """The image with square pixels, of one whose pixels are ``aspect`` times as high as wide."""
    if aspect == 1.0:
        return image
    height = max(1, round(image.height() * aspect))
    ignore, smooth = (
        Qt.AspectRatioMode.IgnoreAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )
    return image.scaled(image.width(), height, ignore, smooth)


def figure(
    panels: list[FigurePanel], legend: list[str], notice: str, aspect: float = 1.0
) -> QImage:
    """The panels in a row, titles above, colour bars below, then the legend and the notice.

    Panels have the size of the images, but are between 320 and 1600 pixels wide.

    Args:
        aspect: height of a pixel divided by its width.
    """
    width = min(max(max(p.image.size[0] for p in panels), _LEAST_WIDTH), _MOST_WIDTH)
    tallest = max(p.image.size[1] / p.image.size[0] for p in panels)
    height = max(1, round(width * tallest * aspect))
    text = max(13, width // 32)
    margin, line = text, round(text * 1.7)
    total_width = len(panels) * (width + margin) + margin
    total_height = margin + line + height + 2 * line + (len(legend) + 1) * line + margin
    image = QImage(total_width, total_height, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    font = QFont()
    font.setPixelSize(text)
    painter.setFont(font)
    for index, panel in enumerate(panels):
        left = margin + index * (width + margin)
        _paint_panel(painter, panel, QRect(left, margin, width, height), line, aspect)
    top = margin + line + height + 2 * line
    painter.setPen(_QUIET)
    flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    for row, words in enumerate(legend):
        box = QRect(margin, top + row * line, total_width - 2 * margin, line)
        painter.drawText(box, flags, words)
    painter.setPen(_INK)
    font.setBold(True)
    painter.setFont(font)
    foot = QRect(margin, top + len(legend) * line, total_width - 2 * margin, line)
    painter.drawText(foot, flags, notice)
    painter.end()
    return image


def _paint_panel(
    painter: QPainter, panel: FigurePanel, box: QRect, line: int, aspect: float
) -> None:
    painter.setPen(_INK)
    title = QRect(box.left(), box.top(), box.width(), line)
    painter.drawText(title, int(Qt.AlignmentFlag.AlignCenter), panel.title)
    shown = full_image(panel.image, panel.window, panel.palette)
    tall = max(1, round(box.width() * shown.height() * aspect / shown.width()))
    target = QRect(box.left(), box.top() + line, box.width(), tall)
    painter.drawImage(target, shown)
    if panel.image.is_colour:
        return
    bar = QRect(box.left(), box.top() + line + box.height() + line // 4, box.width(), line // 2)
    painter.drawImage(bar, upright_bar(panel.palette).transformed(QTransform().rotate(90)))
    painter.setPen(_QUIET)
    words = QRect(bar.left(), bar.bottom() + 2, bar.width(), line)
    low, high = panel.window
    painter.drawText(words, int(Qt.AlignmentFlag.AlignLeft), number(low, ".5g"))
    ends = f"{number(high, '.5g')} {panel.image.unit}".strip()
    painter.drawText(words, int(Qt.AlignmentFlag.AlignRight), ends)


def with_notice(image: QImage, notice: str) -> QImage:
    """The image with the notice on a strip below it."""
    strip = notice_strip(image.width(), notice)
    made = QImage(strip.width(), image.height() + strip.height(), QImage.Format.Format_RGB32)
    made.fill(_STRIP)
    painter = QPainter(made)
    painter.drawImage(0, 0, image)
    painter.drawImage(0, image.height(), strip)
    painter.end()
    return made


def notice_strip(width: int, notice: str) -> QImage:
    """A dark strip with the whole notice, in as many lines as it needs.

    It is ``width`` pixels wide, or as wide as the longest word if that is more.
    """
    font = QFont()
    font.setPixelSize(max(11, width // 40))
    metrics = QFontMetrics(font)
    margin = 6
    longest = max(metrics.horizontalAdvance(word) for word in notice.split())
    width = max(width, longest + 2 * margin)
    flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    flags |= int(Qt.TextFlag.TextWordWrap)
    room = QRect(0, 0, width - 2 * margin, 10_000)
    height = metrics.boundingRect(room, flags, notice).height() + metrics.height() // 2
    strip = QImage(width, height, QImage.Format.Format_RGB32)
    strip.fill(_STRIP)
    painter = QPainter(strip)
    painter.setFont(font)
    painter.setPen(_ON_STRIP)
    painter.drawText(QRect(margin, 0, width - 2 * margin, height), flags, notice)
    painter.end()
    return strip


def with_notice_below(pixels: FloatArray, notice: str) -> FloatArray:
    """Pixels, H×W×(1 or 3) in [0, 1], with the strip below them; no pixel is changed."""
    height, width, channels = pixels.shape
    strip = as_array(notice_strip(width, notice))
    if channels == 1:
        strip = strip.mean(axis=2, keepdims=True)
    made = np.zeros((height + strip.shape[0], strip.shape[1], channels), np.float32)
    made[:height, :width] = pixels
    made[height:] = strip
    return made


def as_array(image: QImage) -> FloatArray:
    """The image as H×W×3 float32 in [0, 1]."""
    rgb = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(rgb.constBits(), np.uint8).reshape(rgb.height(), rgb.bytesPerLine())
    pixels = rows[:, : rgb.width() * 3].reshape(rgb.height(), rgb.width(), 3)
    return pixels.astype(np.float32) / np.float32(255)
