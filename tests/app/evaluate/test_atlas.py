"""The worst pairs: thumbnails made when they are seen, and marks of the worst method."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from app.evaluate.atlas_model import CAPTION_ROLE, IMAGE_ROLE, WORST_ROLE, AtlasModel
from app.evaluate.atlas_panel import AtlasPanel
from app.evaluate.tasks import analyse
from core.progress import NullProgress
from core.types import PairTransform, Transform
from tests.app.conftest import write_png
from tests.app.evaluate.conftest import WAIT

_HEAD = Qt.Orientation.Horizontal


@pytest.fixture
def analysis(result):
    return analyse(result, "mid", NullProgress())


def columns(model):
    return [model.headerData(k, _HEAD) for k in range(model.columnCount())]


def test_rows_are_pairs_and_columns_are_sources_and_methods(analysis):
    model = AtlasModel()
    model.show_analysis(analysis)
    assert columns(model) == ["Pair", "A", "B", "mid", "best", "low"]
    assert [model.pair_at(k) for k in range(model.rowCount())] == list(analysis.worst)
    # “low” drops by 100 in MI on p3, and is the lowest everywhere.
    cell = model.index(0, columns(model).index("low"))
    assert model.pair_at(0) == "p3"
    assert cell.data(WORST_ROLE)
    assert "MI" in cell.data(CAPTION_ROLE)
    assert "-98.970, low" in cell.data(Qt.ItemDataRole.ToolTipRole)
    assert not model.index(0, columns(model).index("best")).data(WORST_ROLE)


def test_one_metric_lists_its_worst_pairs_with_every_value(analysis):
    model = AtlasModel()
    model.show_analysis(analysis)
    model.show_metric("MI")
    assert [model.pair_at(k) for k in range(model.rowCount())] == ["p3", "p0", "p1"]
    captions = [model.index(1, column).data(CAPTION_ROLE) for column in (1, 3, 4, 5)]
    assert captions == ["", "MI 5.0000", "MI 6.0000", "MI 1.0000"]
    model.show_metric("")
    assert model.rowCount() == len(analysis.worst)


def test_thumbnails_are_asked_for_when_seen_and_once(analysis, qtbot):
    model = AtlasModel()
    model.show_analysis(analysis)
    asked = []
    model.wanted.connect(asked.append)
    assert model.index(0, 1).data(IMAGE_ROLE) is None
    assert len(asked) == 1
    assert asked[0][0].parent.name == "a"
    image = QImage(4, 4, QImage.Format.Format_RGB32)
    with qtbot.waitSignal(model.dataChanged):
        model.set_images(asked[0], (image, None))
    assert model.index(0, 1).data(IMAGE_ROLE) == image
    assert model.index(0, 2).data(IMAGE_ROLE) is None, "it cannot be read"
    assert len(asked) == 1


def test_the_panel_shows_all_thumbnails_of_the_rows_in_sight(analysis, qtbot):
    panel = AtlasPanel()
    qtbot.addWidget(panel)
    panel.resize(1000, 600)
    panel.show_analysis(analysis)
    panel.show()
    try:
        qtbot.waitUntil(
            lambda: all(
                panel.model.index(0, column).data(IMAGE_ROLE) is not None for column in range(1, 6)
            ),
            timeout=WAIT,
        )
        image = panel.model.index(0, 1).data(IMAGE_ROLE)
        assert max(image.width(), image.height()) <= 104
        panel.table.setCurrentIndex(panel.model.index(1, 3))
        assert panel.current_pair == panel.model.pair_at(1)
    finally:
        panel.shutdown()


def test_an_image_that_was_not_kept_is_said(result):
    first = result.methods[0]
    without = replace(first, pairs=tuple(replace(one, fused=None) for one in first.pairs))
    model = AtlasModel()
    model.show_analysis(
        analyse(replace(result, methods=(without, *result.methods[1:])), "best", NullProgress())
    )
    cell = model.index(0, columns(model).index("mid"))
    assert cell.data(CAPTION_ROLE) == "not kept"
    assert cell.data(IMAGE_ROLE) is None


def test_sources_that_were_laid_on_each_other_are_drawn_so(result, qtbot, tmp_path):
    name = next(iter(analyse(result, "mid", NullProgress()).worst))
    whole = np.zeros((40, 64), np.uint8)
    whole[10:20, 16:24] = 255
    a = write_png(tmp_path / "a.png", whole[:, :48])
    b = write_png(tmp_path / "b.png", whole[:, 16:])
    by = PairTransform(Transform.of("translation", [[1, 0, -16], [0, 1, 0], [0, 0, 1]]))
    pairs = tuple(
        replace(one, a=a, b=b, transform=by) if one.name == name else one for one in result.pairs
    )
    panel = AtlasPanel()
    qtbot.addWidget(panel)
    panel.resize(1000, 600)
    panel.show_analysis(analyse(replace(result, pairs=pairs), "mid", NullProgress()))
    panel.show()
    model = panel.model
    try:
        row = next(k for k in range(model.rowCount()) if model.pair_at(k) == name)
        panel.table.scrollTo(model.index(row, 1))
        qtbot.waitUntil(
            lambda: all(model.index(row, k).data(IMAGE_ROLE) is not None for k in (1, 2)),
            timeout=WAIT,
        )
        for column in (1, 2):
            image = model.index(row, column).data(IMAGE_ROLE)
            x, y = (round(c * image.width() / 48) for c in (20, 15))
            assert image.pixelColor(x, y).lightness() > 200  # the bright place of both
    finally:
        panel.shutdown()
