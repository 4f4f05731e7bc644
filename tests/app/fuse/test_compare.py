"""Looking: windows, palettes, and the ways to compare two pictures, as pixels on screen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.fuse.display_commands import PRESETS
from app.fuse.layouts import PLACES
from app.fuse.scenes import dragged_window
from app.viewer.canvas import Canvas
from app.viewer.display_state import COMPARE_MODES, LAYOUTS
from app.viewer.image_scene import ImageScene, Layer
from app.viewer.pyramid import rendered_image, source_image
from app.viewer.region_cache import RegionCache
from app.viewer.rendering import full_image
from app.viewer.scene import Scene
from app.viewer.view_link import ViewLink
from core.io import read_image
from core.types import Image
from resources import SAMPLES
from tests.app.conftest import gradient, write_png

WAIT = 30_000
SIZE = 80


def flat(value: float, name: str) -> Layer:
    shown = rendered_image(np.full((SIZE, SIZE, 1), value, np.float32))
    return Layer(shown, (0.0, 1.0), "grey", name)


@pytest.fixture
def canvas(qtbot) -> Canvas:
    """A canvas on which an 80-pixel picture has one screen pixel each, from (6, 6)."""
    link = ViewLink()
    made = Canvas(link)
    qtbot.addWidget(made)
    made.resize(SIZE + 12, SIZE + 12)
    made.set_image(rendered_image(np.zeros((SIZE, SIZE, 1), np.float32)))
    link.set_size((SIZE, SIZE))
    made.show()
    return made


def seen(canvas: Canvas, scene: Scene, *, phase: bool = False) -> np.ndarray:
    """Red of the picture alone, without the texts over it."""
    image = QImage(canvas.size(), QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.black)
    from PySide6.QtGui import QPainter

    painter = QPainter(image)
    scene.paint(painter, canvas.camera.viewport(), RegionCache(), phase=phase)
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)
    return rows[6 : 6 + SIZE, 6 : 6 + SIZE, 2].astype(int)


def test_curtain_shows_the_first_on_the_left_of_its_line(canvas):
    scene = ImageScene(flat(0.2, "A"), flat(0.8, "B"), "curtain", position=0.25)
    row = seen(canvas, scene)[10]
    assert set(row[:19]) == {51}
    assert set(row[21:]) == {204}


def test_checkerboard_alternates_in_both_directions(canvas):
    scene = ImageScene(flat(0.2, "A"), flat(0.8, "B"), "checker")
    board = seen(canvas, scene)
    cells = board[5::10, 5::10]
    expected = np.where(np.indices((8, 8)).sum(axis=0) % 2, 204, 51)
    np.testing.assert_array_equal(cells, expected)


def test_overlay_mixes_by_opacity(canvas):
    scene = ImageScene(flat(0.0, "A"), flat(1.0, "B"), "overlay", opacity=0.25)
    assert np.abs(seen(canvas, scene) - 64).max() <= 1


def test_blink_shows_one_or_the_other_and_never_more_than_three_times_a_second(qtbot, canvas):
    scene = ImageScene(flat(0.2, "A"), flat(0.8, "B"), "blink")
    assert seen(canvas, scene)[40, 40] == 51
    assert seen(canvas, scene, phase=True)[40, 40] == 204
    canvas.set_scene(scene)
    assert canvas.is_blinking
    assert canvas._blink.interval() * 2 * 3 >= 1000
    with qtbot.waitSignal(canvas._blink.timeout, timeout=WAIT):
        pass
    assert canvas._phase
    canvas.set_scene(ImageScene(flat(0.2, "A")))
    assert not canvas.is_blinking


def test_difference_is_dark_where_nothing_differs_and_signed_elsewhere(canvas):
    same = seen(canvas, ImageScene(flat(0.5, "A"), flat(0.5, "B"), "difference"))
    more = seen(canvas, ImageScene(flat(0.5, "A"), flat(0.7, "B"), "difference"))
    less = seen(canvas, ImageScene(flat(0.5, "A"), flat(0.3, "B"), "difference"))
    assert same.max() < 40
    assert more.min() > 200
    assert less.max() < 120


def test_a_pan_maps_only_what_is_new_and_a_moved_curtain_nothing(canvas, monkeypatch):
    from app.viewer import region_cache as painting

    calls = []
    real = painting.render
    monkeypatch.setattr(painting, "render", lambda *a: calls.append(a) or real(*a))
    scene = ImageScene(flat(0.2, "A"), flat(0.8, "B"), "curtain", position=0.5)
    canvas.set_scene(scene)
    canvas.repaint()
    first = len(calls)
    assert first > 0
    for step in range(5):
        canvas.set_scene(replace(scene, position=0.5 + step / 20))
        canvas.repaint()
    assert len(calls) == first


# --- in the window -----------------------------------------------------------------------------


def drag(canvas: Canvas, start: QPoint, end: QPoint, **how) -> None:
    button = how.get("button", Qt.MouseButton.LeftButton)
    key = how.get("key", Qt.KeyboardModifier.NoModifier)
    QTest.mousePress(canvas, button, key, start)
    QTest.mouseMove(canvas, end)
    QTest.mouseRelease(canvas, button, key, end)


def test_left_drag_sets_window_and_level_of_its_pane_alone_in_one_step(opened):
    steps = []
    opened.session.display_settled.connect(lambda: steps.append(opened.session.display))
    canvas = opened.view.panes["a"].canvas
    middle = canvas.rect().center()
    drag(canvas, middle, middle + QPoint(-30, 0))
    low, high = opened.session.display.a.window
    # 300 screen pixels stand for the whole window of 255: 30 to the left take a tenth.
    assert high - low == pytest.approx(255 * 0.9)
    assert (low + high) / 2 == pytest.approx(127.5)
    assert opened.session.display.b.window is None
    assert len(steps) == 1
    assert opened.view.panes["a"].canvas.scene.first.window == (low, high)
    rebuilt = opened.view.panes["recon_a"].canvas.scene.first.window
    assert rebuilt == pytest.approx((low / 255, high / 255))
    assert opened.inspector.display_tab.target == "a"
    assert opened.inspector.display_tab.width_.value() == round(high - low)


def test_upwards_is_brighter_and_the_width_stays_beyond_the_ends(opened):
    canvas = opened.view.panes["b"].canvas
    middle = canvas.rect().center()
    drag(canvas, middle, middle + QPoint(-150, -40))
    low, high = opened.session.display.b.window
    # 300 screen pixels stand for 255: 150 to the left leave a half, 40 upwards take 34 off.
    assert (low, high) == pytest.approx((29.75, 157.25))
    drag(canvas, middle, middle + QPoint(0, -90))
    assert opened.session.display.b.window == pytest.approx((29.75 - 76.5, 157.25 - 76.5))


LEVELS = [
    # picture, window when the button went down, pixels to the right and down, window after it
    ("8 bit", (0, 255), 0, -40, (-34, 221)),
    ("8 bit", (0, 255), 0, 300, (255, 510)),
    ("8 bit", (200, 240), 0, 100, (285, 325)),
    ("8 bit", (0, 255), 30, 0, (-12.75, 267.75)),
    ("centikelvin", (29000, 31000), 0, -150, (28000, 30000)),
    ("kelvin", (290.0, 310.0), 0, 75, (295.0, 315.0)),
    ("PET", (0.0, 20.0), 0, -30, (0.0, 20.0)),
    ("PET", (2.0, 12.0), 0, -60, (0.0, 10.0)),
]
PICTURES = {
    "8 bit": Image(np.arange(256, dtype=np.float32).reshape(16, 16, 1), (0.0, 255.0)),
    "centikelvin": Image(
        np.linspace(28000, 32000, 256, dtype=np.float32).reshape(16, 16, 1), (29000.0, 31000.0), 16
    ),
    "kelvin": Image(
        np.linspace(-280, 320, 256, dtype=np.float32).reshape(16, 16, 1), (290.0, 310.0), 32
    ),
    "PET": Image(
        np.linspace(0, 20, 256, dtype=np.float32).reshape(16, 16, 1), (0.0, 20.0), 32, "g/ml"
    ),
}


@pytest.mark.parametrize(("name", "start", "right", "down", "expected"), LEVELS)
def test_a_level_drag_keeps_the_width_and_a_quantity_its_floor(name, start, right, down, expected):
    shown = source_image(PICTURES[name])
    window = dragged_window(shown, start, right, down)
    assert window == pytest.approx(expected)
    if not right:
        assert window[1] - window[0] == pytest.approx(start[1] - start[0])


def test_boxes_handles_and_keys_keep_the_width_beyond_the_ends_too(opened):
    tab = opened.inspector.display_tab
    tab.choose("a")
    opened.view.set_window("a", (100, 227.5))
    tab.level.setValue(250)
    assert opened.session.display.a.window == (186.25, 313.75)
    # Of an end that was not typed, what its box rounds away is kept.
    tab.low.setValue(190)
    assert opened.session.display.a.window == (190, 313.75)
    assert tab.level.value() == round((190 + 313.75) / 2)
    opened.view.set_window("a", (150, 250))
    QTest.keyClick(tab.histogram, Qt.Key.Key_Right)
    for _ in range(20):
        QTest.keyClick(tab.histogram, Qt.Key.Key_Right)
    low, high = opened.session.display.a.window
    assert high - low == pytest.approx(100)
    assert high > 255


@pytest.mark.parametrize("window", [(300.0, 400.0), (-200.0, -100.0)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_window_beyond_the_data_is_all_black_or_all_white(dtype, window):
    top = np.iinfo(dtype).max
    scale = top / 255
    data = np.linspace(0, top, 256, dtype=np.float32).reshape(16, 16, 1)
    shown = source_image(Image(data, (0.0, float(top)), 8 if dtype == np.uint8 else 16))
    image = full_image(shown, (window[0] * scale, window[1] * scale))
    grey = {image.pixelColor(x, y).red() for x in range(16) for y in range(16)}
    assert grey == ({0} if window[0] > 0 else {255})


def test_one_pane_is_active_whichever_way_it_was_chosen(opened):
    def marked() -> list[str]:
        return [name for name, pane in opened.view.panes.items() if pane.property("active")]

    tab = opened.inspector.display_tab
    assert marked() == ["a"] == [opened.view.active.name]
    QTest.mouseClick(opened.view.panes["b"].canvas, Qt.MouseButton.MiddleButton)
    opened.view.panes["b"].canvas.setFocus()
    assert marked() == ["b"]
    assert tab.target == "b"
    tab.buttons["fused"].click()
    assert marked() == ["fused"]
    focus = [n for n, pane in opened.view.panes.items() if pane.canvas.hasFocus()]
    assert focus in ([], ["fused"])
    QTest.keyClick(opened, Qt.Key.Key_4)
    assert opened.session.display.fused.window == (0, 0.5)
    assert opened.session.display.a.window is None
    opened.view.panes["recon_a"].canvas.setFocus()
    assert marked() == ["recon_a"]
    assert tab.target == "a"
    bar = opened.view.bar
    bar.layouts.setCurrentIndex(bar.layouts.findData("single"))
    bar.layouts.activated.emit(0)
    assert marked() == ["fused"]


def test_shift_drag_and_middle_drag_pan_right_drag_zooms(opened):
    canvas = opened.view.panes["a"].canvas
    canvas.camera.zoom_about(QPointF(60, 60), 4)
    before, middle = opened.view.link.centre, canvas.rect().center()
    drag(canvas, middle, middle + QPoint(9, 0), key=Qt.KeyboardModifier.ShiftModifier)
    assert before.x() - opened.view.link.centre.x() == pytest.approx(9 / canvas.camera.scale())
    drag(canvas, middle, middle - QPoint(9, 0), button=Qt.MouseButton.MiddleButton)
    assert opened.view.link.centre.x() == pytest.approx(before.x())
    scale = canvas.camera.scale()
    drag(canvas, middle, middle - QPoint(0, 20), button=Qt.MouseButton.RightButton)
    assert canvas.camera.scale() == pytest.approx(scale * 1.01**20)
    assert opened.session.display.a.window is None


def test_numbers_and_histogram_set_the_window(opened):
    tab = opened.inspector.display_tab
    tab.choose("b")
    assert "A colour picture" in tab.palette_note.text()
    assert not tab.palette_.isEnabled()
    tab.choose("a")
    assert tab.palette_.isEnabled()
    tab.high.setValue(200)
    assert opened.session.display.a.window == (0, 200)
    tab.level.setValue(120)
    assert opened.session.display.a.window == (20, 220)
    view = tab.histogram
    grip = QPoint(round(view.x_of(220)), 40)
    drag(view, grip, grip - QPoint(25, 0))
    low, high = opened.session.display.a.window
    assert low == 20
    assert 150 < high < 215
    QTest.keyClick(view, Qt.Key.Key_Right)
    assert opened.session.display.a.window[0] > 20


def test_histogram_counts_every_sampled_pixel(opened):
    counts = opened.inspector.display_tab.histogram._histogram.counts
    assert counts.sum() == 64 * 48
    # A ramp: every bin is hit.
    assert counts.min() > 0


def test_palette_applies_to_grey_and_its_reconstruction(opened):
    tab = opened.inspector.display_tab
    tab.palette_.setCurrentIndex(tab.palette_.findData("hot_iron"))
    tab.palette_.activated.emit(0)
    assert opened.session.display.a.palette == "hot_iron"
    for pane in ("a", "recon_a"):
        assert opened.view.panes[pane].canvas.scene.first.palette == "hot_iron"
    assert opened.view.panes["recon_b"].canvas.scene.first.palette == "grey"


@pytest.mark.parametrize(
    ("key", "mode"),
    [("C", "curtain"), ("K", "checker"), ("D", "difference"), ("W", "overlay")],
)
def test_keys_switch_the_ways_to_compare(opened, key, mode):
    fused = opened.view.panes["fused"].canvas
    QTest.keyClick(opened, getattr(Qt.Key, f"Key_{key}"))
    assert fused.scene.is_compared
    assert fused.scene.mode == mode
    assert [fused.scene.first.name, fused.scene.second.name] == ["A", "Fused"]
    assert opened.view.bar.mode.currentData() == mode
    QTest.keyClick(opened, getattr(Qt.Key, f"Key_{key}"))
    assert not fused.scene.is_compared


def test_b_blinks_only_while_it_is_held(opened):
    fused = opened.view.panes["fused"].canvas
    opened.actions_.curtain.trigger()
    QTest.keyPress(opened, Qt.Key.Key_B)
    assert fused.is_blinking
    QTest.keyRelease(opened, Qt.Key.Key_B)
    assert not fused.is_blinking
    assert opened.session.display.compare.mode == "curtain"


def test_q_and_e_change_the_opacity_and_w_hides_what_lies_on_top(opened):
    fused = opened.view.panes["fused"].canvas
    QTest.keyClick(opened, Qt.Key.Key_E)
    assert fused.scene.mode == "overlay"
    assert fused.scene.opacity == 0.5
    QTest.keyClick(opened, Qt.Key.Key_E)
    assert fused.scene.opacity == 0.6
    QTest.keyClick(opened, Qt.Key.Key_Q)
    QTest.keyClick(opened, Qt.Key.Key_Q)
    assert fused.scene.opacity == 0.4
    QTest.keyClick(opened, Qt.Key.Key_W)
    assert not fused.scene.is_compared


def test_the_curtain_follows_the_mouse(opened):
    QTest.keyClick(opened, Qt.Key.Key_C)
    canvas = opened.view.panes["fused"].canvas
    line = canvas.camera.to_widget(QPointF(32, 20)).toPoint()
    drag(canvas, line, line + QPoint(round(canvas.camera.scale() * 16), 0))
    assert opened.session.display.compare.position == pytest.approx(0.75, abs=0.02)
    assert opened.session.display.fused.window is None


def test_operands_are_chosen_and_a_missing_one_is_said(qtbot, opened):
    bar = opened.view.bar
    opened.actions_.difference.trigger()
    names = [bar.second.itemText(k) for k in range(bar.second.count())]
    assert names == ["A", "B", "Fused", "Â", "B̂", "Laplacian pyramid"]
    bar.second.setCurrentIndex(names.index("Laplacian pyramid"))
    bar.second.activated.emit(0)
    scene = opened.view.panes["fused"].canvas.scene
    assert scene.second.name == "Laplacian pyramid"
    key = opened.session.results[0].key
    opened.session.remove_result(key)
    assert not opened.view.panes["fused"].canvas.scene.is_compared
    assert opened.view.panes["fused"].tag("missing") == "Nothing to compare"


def test_residuals_are_source_minus_reconstruction(opened):
    pane = opened.view.panes["recon_a"]
    pane.residual.click()
    scene = pane.canvas.scene
    assert scene.mode == "difference"
    assert (scene.second.name, scene.first.name) == ("A", "Â")
    assert opened.view.panes["recon_b"].residual.isChecked()
    assert "PSNR" in pane.info.text()


def test_inverting_and_presets_work_on_the_pane_with_the_focus(opened):
    opened.view.panes["a"].canvas.setFocus()
    QTest.keyClick(opened, Qt.Key.Key_I)
    assert opened.session.display.a.palette == "inverted"
    QTest.keyClick(opened, Qt.Key.Key_4)
    assert opened.session.display.a.window == (0, 127.5)
    QTest.keyClick(opened, Qt.Key.Key_1)
    assert opened.session.display.a.window is None


def test_every_window_preset_does_something_of_its_own_and_is_in_the_menu(opened):
    opened.view.panes["a"].canvas.setFocus()
    seen = []
    for number in range(1, 10):
        QTest.keyClick(opened, getattr(Qt.Key, f"Key_{number}"))
        seen.append(opened.session.display.a.window)
    assert seen[0] is None
    # On so even a ramp the middle 98 % of the pixels and two deviations are the same.
    assert len(set(seen)) == 8
    # A ramp from 0 to 255: quarters, and two deviations around the mean end within its range.
    assert seen[6:8] == [(0, 63.75), (191.25, 255)]
    assert all(0 <= low < high <= 255 for low, high in seen[1:])
    menu = opened.actions_.menus["presets"]
    assert menu.menuAction() in opened.actions_.menus["display"].actions()
    assert [action.shortcut().toString() for action in menu.actions()] == list("123456789")
    assert all(action.text().startswith("Window: ") for action in menu.actions())


@pytest.mark.parametrize("task", ["ivif", "mef", "mff"])
def test_presets_are_sensible_for_the_samples_of_every_task(task):
    for side in "ab":
        shown = source_image(read_image(SAMPLES / f"{task}_{side}.png"))
        for number, preset in enumerate(PRESETS[1:], 2):
            low, high = preset(shown)
            assert shown.extent[0] <= low < high <= shown.extent[1], (number, low, high)


def test_crosshair_and_magnifier_are_painted_in_every_pane(opened):
    plain = opened.view.panes["b"].canvas.grab().toImage()
    QTest.keyClick(opened, Qt.Key.Key_X)
    opened.view.link.set_pointer(QPoint(20, 20))
    crossed = opened.view.panes["b"].canvas.grab().toImage()
    assert crossed != plain
    opened.view.link.set_pointer(None)
    assert opened.view.panes["b"].canvas.grab().toImage() == crossed
    QTest.keyClick(opened, Qt.Key.Key_X)
    assert opened.view.panes["b"].canvas.grab().toImage() == plain
    QTest.keyClick(opened, Qt.Key.Key_M)
    opened.view.link.set_pointer(QPoint(20, 20))
    assert opened.view.panes["b"].canvas.grab().toImage() != plain


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_show_their_panes_and_nothing_else(opened, layout):
    bar = opened.view.bar
    bar.layouts.setCurrentIndex(bar.layouts.findData(layout))
    bar.layouts.activated.emit(0)
    QApplication.processEvents()
    visible = {name for name, pane in opened.view.panes.items() if pane.isVisible()}
    # Results have panes of their own.
    assert opened.view.results.isVisible() == (layout == "results")
    assert visible == (set() if layout == "results" else set(PLACES[layout]))
    areas = {n: p.width() * p.height() for n, p in opened.view.panes.items() if p.isVisible()}
    if layout == "focus":
        assert areas["fused"] > 2.5 * areas["a"]


def test_results_that_come_and_go_move_nothing(opened):
    view, bar = opened.view, opened.view.bar
    results = [(name, name, name) for name in ("one", "two", "three")]

    def places() -> list[object]:
        for _ in range(3):
            QApplication.processEvents()
        return [w.geometry() for w in (bar, bar.mode, bar.layouts, *view.panes.values())]

    shown = []
    for count in (1, 0, 2, 3, 0):
        bar.show_results(results[:count], "one")
        shown.append(places())
    assert all(one == shown[0] for one in shown)


def test_windows_stay_for_pictures_of_one_kind_and_go_for_others(qtbot, opened, tmp_path):
    opened.view.set_window("a", (10, 90))
    alike = write_png(tmp_path / "pet_2.png", gradient(64, 48))
    with qtbot.waitSignal(opened.controller.idle, timeout=WAIT):
        opened.controller.replace_side("a", alike)
    assert opened.session.display.a.window == (10, 90)
    deeper = write_png(tmp_path / "pet_16.png", gradient(64, 48, np.uint16))
    with qtbot.waitSignal(opened.controller.idle, timeout=WAIT):
        opened.controller.replace_side("a", deeper)
    assert opened.session.display.a.window is None


def test_swapping_takes_windows_along(opened):
    opened.view.set_window("a", (10, 90))
    opened.actions_.swap.trigger()
    assert opened.session.display.b.window == (10, 90)
    assert opened.session.display.a.window is None


def test_every_mode_is_offered(opened):
    data = [opened.view.bar.mode.itemData(k) for k in range(opened.view.bar.mode.count())]
    assert data == list(COMPARE_MODES)
