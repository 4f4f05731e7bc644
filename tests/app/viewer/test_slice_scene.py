"""Where orientation letters stand beside a colour bar."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QFont, QFontMetrics

from app.viewer.overlays import ColourBar, colour_bar_area
from app.viewer.slice_scene import letter_places

LETTERS = ("R", "L", "A", "P")
BAR = ColourBar("hot_iron", (0.0, 12.5), "SUVbw")


@pytest.mark.parametrize("height", [160, 200, 240, 300, 400, 700])
@pytest.mark.parametrize("badge", ["", "Research use only – AI-generated image"])
def test_letters_are_not_covered_by_the_colour_bar(qapp, height, badge):
    metrics = QFontMetrics(QFont())
    room = QRect(0, 0, 320, height)
    taken = colour_bar_area(metrics, room, badge, BAR)
    assert not taken.isEmpty()
    clip = QRectF(room)
    places = letter_places(metrics, clip, LETTERS, taken, below=False)
    assert not any(place.intersects(taken) for place in places[:3])
    assert all(clip.contains(place) for place in places)


def test_without_a_colour_bar_both_sides_stand_level(qapp):
    metrics = QFontMetrics(QFont())
    taken = colour_bar_area(metrics, QRect(0, 0, 320, 300), "", None)
    assert taken.isEmpty()
    left, right, *_others = letter_places(
        metrics, QRectF(0, 0, 320, 300), LETTERS, taken, below=False
    )
    assert left.top() == right.top() == pytest.approx(90 - left.height() / 2)
    assert right.right() == 316
