"""What the fused image loses: outlined, said in Info, marked where it is much; dropped if stale."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from app.fuse.info import rows_of
from app.fuse.retention import alarm_text, outline_groups
from app.fuse.scenes import scene_of
from app.viewer.outlines import Outline, OutlineGroup, box_of, paint_outlines
from app.viewer.viewport import Viewport
from core.retention import Retention, SourceRetention, Spot
from tests.app.acts import idle
from tests.app.conftest import write_png

SIDE = 96


def _spot(share: float) -> Spot:
    return Spot(
        row=20.5, column=40.5, height=6, width=8, diameter_mm=6, contrast=20, shown=20 * share
    )


@pytest.fixture
def faint(tmp_path):
    """A flat A with one spot, and a flat B: what the stand-in engine averages loses half of it."""
    rows, columns = np.indices((SIDE, SIDE))
    spot = 70 + 30 * np.exp(-((rows - 40) ** 2 + (columns - 60) ** 2) / 18)
    a = write_png(tmp_path / "pet_2.png", spot.astype(np.uint8))
    return a, write_png(tmp_path / "mri_2.png", np.full((SIDE, SIDE), 70, np.uint8))


def _open(qtbot, window, files):
    with idle(qtbot, window):
        window.controller.open_pair(*files)
    with idle(qtbot, window):
        window.controller.fuse()
    qtbot.waitUntil(lambda: window.session.retention is not None, timeout=10_000)


def test_a_faint_spot_that_is_halved_is_marked_outlined_and_told(qtbot, window, faint):
    _open(qtbot, window, faint)
    session, fused = window.session, window.view.panes["fused"]
    (spot,) = session.retention.a.lost
    assert (spot.row, spot.column) == pytest.approx((40.5, 60.5), abs=1)
    assert fused.tag("lost") == "Lost: 100 % A"
    assert window.status.alarm.text() == "▲ Lost: 100 % A"
    assert window.status.alarm.isVisible()
    told = dict(rows_of(session))["Lost in the fused picture"]
    assert told[0] == ("A", "1 of 1 spots, 100 % of their contrast")
    assert scene_of(session, "fused").outlined == ()
    window.actions_.lost.trigger()
    assert window.actions_.lost.isChecked()
    groups = scene_of(session, "fused").outlined
    assert [(g.side, len(g.outlines), g.text) for g in groups] == [
        ("a", 1, "Lost of A: 1 of 1 spots"),
        ("b", 0, "Lost of B: 0 of 0 spots"),
    ]
    assert scene_of(session, "a").outlined == ()
    fused.tag_clicked.emit("lost")
    assert not window.actions_.lost.isChecked()


def test_every_result_is_judged_where_all_are_side_by_side(qtbot, window, faint):
    _open(qtbot, window, faint)
    session = window.session
    with idle(qtbot, window):
        session.set_method("average")
        window.controller.fuse()
    session.select_result(session.results[0].key)
    board = window.view.results
    window.actions_.side_by_side.trigger()
    qtbot.waitUntil(
        lambda: all(session.retention_of(one) is not None for one in session.results),
        timeout=10_000,
    )
    shown = {one.result.method: board.panes[f"result:{one.key}"] for one in session.results}
    assert shown["average"].tag("lost") == "Lost: 100 % A"
    assert shown["laplacian"].tag("lost") == "", "the pyramid keeps details"
    average = shown["average"].canvas
    assert average.scene.outlined == ()
    shown["average"].tag_clicked.emit("lost")
    assert session.display.lost
    assert [g.text for g in average.scene.outlined] == [
        "Lost of A: 1 of 1 spots",
        "Lost of B: 0 of 0 spots",
    ]
    assert board.panes["a"].canvas.scene.outlined == ()


def test_the_pages_beside_fuse_show_no_alarm(qtbot, window, faint):
    _open(qtbot, window, faint)
    window.status.show_fusion(False)
    assert not window.status.alarm.isVisible()
    window.status.show_fusion(True)
    assert window.status.alarm.isVisible()


def test_another_pair_drops_what_is_known_of_the_last(qtbot, window, faint, files):
    _open(qtbot, window, faint)
    _open_again = window.session.retention
    with idle(qtbot, window):
        window.controller.open_pair(*files)
    assert window.session.retention is not _open_again
    assert window.view.panes["fused"].tag("lost") == ""


def test_marks_name_the_sources_that_alarm():
    little = SourceRetention((_spot(1.0),))
    much = SourceRetention((_spot(0.1),))
    assert alarm_text(None) == ""
    assert outline_groups(None) == ()
    assert alarm_text(Retention(little, little)) == ""
    assert alarm_text(Retention(little, much)) == "Lost: 100 % B"
    assert alarm_text(Retention(much, much)) == "Lost: 100 % A, 100 % B"


def test_an_outline_lies_around_its_place():
    viewport = Viewport(QPointF(10, 20), 2.0, QRectF(0, 0, 200, 200), 1.0, 1.5)
    assert box_of(Outline(40.5, 20.5, 8, 6), viewport) == QRectF(80, 69.5, 22, 24)


def test_outlines_of_both_sources_are_drawn_in_their_colours():
    image = QImage(200, 200, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.black)
    viewport = Viewport(QPointF(0, 0), 1.0, QRectF(0, 0, 200, 200), 1.0)
    groups = [
        OutlineGroup("a", (Outline(50, 50, 20, 20),), ""),
        OutlineGroup("b", (Outline(150, 50, 20, 20),), ""),
    ]
    painter = QPainter(image)
    paint_outlines(painter, viewport, groups)
    painter.end()
    left, right = image.pixelColor(37, 50), image.pixelColor(163, 50)
    assert left.red() > 150 > left.green()
    assert right.blue() > 150 > right.red()
    assert image.pixelColor(50, 50).value() == 0
