"""The window has room on the screens people have, in both languages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from math import nan

import pytest
from PySide6.QtCore import QByteArray, QRect, QSize
from PySide6.QtWidgets import QApplication, QDockWidget

from app.fuse.metrics_tab import MetricColumn, MetricRow, MetricsTab
from app.i18n.language import install
from app.preferences.settings import Settings
from app.shell.docks import fitted
from app.shell.main_window import MainWindow
from resources import ROOT
from tests.app.acts import idle

SMALL = QSize(1008, 728)
"""The inside of a window on 1024×768 pixels, beside its frame and above a task bar."""


@pytest.fixture(params=["en", "de"])
def speaking(request) -> str:
    if request.param == "de":
        request.getfixturevalue("german")
    return request.param


def test_every_page_has_room_on_a_small_screen(speaking, opened: MainWindow, qtbot):
    window = opened
    window.resize(SMALL)
    for method in ("guided", "laplacian", "average"):
        window.session.set_method(method)
        with idle(qtbot, window):
            window.controller.fuse()
    least: dict[str, QSize] = {}
    for page in ("fuse", "batch", "train", "evaluate", "fuse"):
        window.workspaces.show_page(page)
        for tab in range(window.inspector.count()):
            window.inspector.setCurrentIndex(tab)
            QApplication.processEvents()
            least[f"{page} {tab}"] = window.minimumSizeHint()
    window.actions_.overlay.trigger()
    QApplication.processEvents()
    least["compare"] = window.minimumSizeHint()
    for name, size in least.items():
        assert size.width() <= SMALL.width(), name
        assert size.height() <= SMALL.height(), name
    assert window.size() == SMALL


def test_docks_and_panes_lie_beside_each_other(speaking, opened: MainWindow):
    opened.resize(SMALL)
    opened.actions_.overlay.trigger()
    QApplication.processEvents()
    docks = opened.findChildren(QDockWidget)
    boxes = [dock.geometry() for dock in docks] + [opened.centralWidget().geometry()]
    assert len(boxes) == 3
    for box in boxes:
        assert opened.rect().contains(box)
        assert not any(box.intersects(other) for other in boxes if other is not box)
    bar = opened.view.bar
    shown = [w for w in (bar.results, bar.first, bar.second, bar.slider, bar.mode, bar.layouts)]
    for widget in shown:
        assert widget.width() >= widget.minimumSizeHint().width()
        assert bar.rect().contains(widget.geometry())


@pytest.mark.parametrize(
    ("room", "expected"),
    [
        (QRect(0, 0, 1920, 1080), QRect(320, 142, 1280, 820)),
        (QRect(0, 0, 1024, 728), QRect(8, 32, 1008, 688)),
        (QRect(1920, 40, 1024, 728), QRect(1928, 72, 1008, 688)),
        (QRect(0, 0, 800, 600), QRect(8, 32, 920, 560)),
    ],
)
def test_the_first_window_fits_the_free_part_of_its_screen(room, expected):
    assert fitted(QSize(1280, 820), QSize(920, 560), room) == expected


START = """
import sys
from PySide6.QtWidgets import QApplication
from app.engine import engine_factory
from app.i18n import language
from app.shell.main_window import MainWindow
from app.widgets import theme
import resources
application = QApplication([])
theme.apply(application, resources.ROOT)
language.install(application, sys.argv[1])
window = MainWindow(engine_factory("cpu"), resources.SAMPLES, "mif")
window.services.place_window()
window.show()
application.processEvents()
box, room = window.geometry(), window.screen().availableGeometry()
print(room.width(), room.height(), box.x(), box.y(), box.width(), box.height())
window.close()
"""


def screen(tmp_path, width: int, height: int) -> str:
    """A platform with one screen of so many logical pixels."""
    made = tmp_path / "screens.json"
    one = {"name": "one", "x": 0, "y": 0, "width": width, "height": height}
    one |= {"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
    made.write_text(json.dumps({"screens": [one]}), "utf-8")
    return f"offscreen:configfile={made}"


@pytest.mark.parametrize("spoken", ["en", "de"])
@pytest.mark.parametrize(("size", "factor"), [((1024, 768), "1"), ((2048, 1536), "2")])
def test_the_first_window_on_a_small_or_a_doubled_screen(tmp_path, spoken, size, factor):
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", START, spoken],
        capture_output=True,
        text=True,
        cwd=ROOT.parent,
        env={
            **os.environ,
            "QT_QPA_PLATFORM": screen(tmp_path, *size),
            "QT_SCALE_FACTOR": factor,
            "XDG_CONFIG_HOME": str(tmp_path),
        },
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    width, height, x, y, wide, high = map(int, done.stdout.split())
    assert (width, height) == (1024, 768)
    assert x >= 0
    assert y >= 20  # the title bar
    assert x + wide <= 1024
    assert y + high <= 768


def test_a_window_comes_back_from_a_screen_that_is_gone(qtbot, engine, samples, tmp_path):
    settings = Settings(tmp_path)
    first = MainWindow(lambda: engine, samples, "mif", settings=settings)
    qtbot.addWidget(first)
    first.setGeometry(5000, 4000, 1100, 600)
    settings.set_blob("window/geometry", first.saveGeometry())
    first.close()
    again = MainWindow(lambda: engine, samples, "mif", settings=settings)
    qtbot.addWidget(again)
    again.services.place_window()
    assert again.screen().availableGeometry().intersects(again.frameGeometry())
    assert again.frameGeometry().top() >= 0
    again.close()


def test_a_damaged_place_is_as_none(qtbot, engine, samples, tmp_path):
    settings = Settings(tmp_path)
    settings.set_blob("window/geometry", QByteArray(b"nonsense"))
    window = MainWindow(lambda: engine, samples, "mif", settings=settings)
    qtbot.addWidget(window)
    window.services.place_window()
    assert window.screen().availableGeometry().contains(window.geometry().topLeft())
    assert window.geometry().top() >= 20
    window.close()


@pytest.mark.parametrize("language", ["en", "de"])
def test_menus_and_workspaces_stand_on_one_line(qapp, qtbot, engine, samples, language):
    assert install(qapp, language) == language
    window = MainWindow(lambda: engine, samples, "mif")
    qtbot.addWidget(window)
    window.resize(1024, 768)
    window.show()
    install(qapp, "en")
    bar, tabs = window.menuBar(), window.workspaces.tabs
    middle = tabs.geometry().top() + tabs.tabRect(0).center().y()
    for action in bar.actions():
        if action.isVisible():
            assert abs(bar.actionGeometry(action).center().y() - middle) <= 2, action.text()
    window.close()


# --- metrics ----------------------------------------------------------------------------------

LINES = (
    MetricColumn("Qabf", "Edge preservation", True, "How well edges survive."),
    MetricColumn("MS_SSIM", "Structural similarity over five scales", True, "From near and afar."),
    MetricColumn("Nabf", "Artefacts", False, "Edges neither source has."),
)


@pytest.fixture
def tab(qtbot) -> MetricsTab:
    made = MetricsTab()
    qtbot.addWidget(made)
    made.resize(240, 400)
    made.show()
    return made


def bold(tab: MetricsTab) -> set[tuple[int, int]]:
    table = tab.table
    cells = ((r, c) for r in range(table.rowCount()) for c in range(table.columnCount()))
    return {(r, c) for r, c in cells if table.item(r, c).font().bold()}


def test_methods_are_rows_and_the_best_of_a_metric_is_marked(tab):
    tab.show_metrics(
        LINES,
        [
            MetricRow("p", "A pack with a long title", {"Qabf": 0.7, "MS_SSIM": 0.9, "Nabf": 0.1}),
            MetricRow("g", "Guided filter", {"Qabf": 0.6, "MS_SSIM": 0.95, "Nabf": 0.05}, True),
        ],
    )
    table = tab.table
    assert [table.verticalHeaderItem(r).toolTip() for r in range(2)] == [
        "A pack with a long title",
        "Guided filter (stale)",
    ]
    heads = [table.horizontalHeaderItem(c).text().partition("\n")[0] for c in range(3)]
    assert heads == ["Qabf ↑", "MS-SSIM ↑", "Nabf ↓"]
    tip = table.horizontalHeaderItem(2).toolTip()
    assert tip == "Nabf: Artefacts (lower is better). Edges neither source has."
    assert bold(tab) == {(0, 0), (1, 1), (1, 2)}
    assert "the best of these" in table.item(1, 2).toolTip()
    assert (tab.value("Qabf", 1), tab.value("Nabf", 2)) == ("0.7", "0.05")
    # Two scores and all names of methods are seen in a narrow dock.
    assert table.verticalHeader().width() <= 100
    assert table.columnViewportPosition(1) + table.columnWidth(1) <= table.viewport().width()


def marks(tab: MetricsTab, column: int) -> str:
    fonts = [tab.table.item(row, column).font() for row in range(tab.table.rowCount())]
    return "".join("b" if f.bold() else "u" if f.underline() else "-" for f in fonts)


def test_the_second_best_is_underlined_and_what_is_not_defined_is_said(tab):
    column = MetricColumn(
        "CC",
        "Correlation",
        True,
        "How closely they agree.",
        heading="C_C",
        bounds=(-1.0, 1.0),
        definition="as the literature defines it",
        undefined_when="Not defined if a source is constant.",
    )
    values = (0.7, 0.80001, nan, 0.80002, 0.7, 0.1)
    tab.show_metrics([column], [MetricRow(str(v), f"M{v}", {"CC": v}) for v in values])
    assert [tab.value("CC", n) for n in (1, 3)] == ["0.7", "–"]
    assert marks(tab, 0) == "ub-bu-"  # what looks equal shares a place
    assert "Not defined if a source is constant." in tab.table.item(2, 0).toolTip()
    assert "Not defined" not in tab.table.item(1, 0).toolTip()
    assert tab.table.item(0, 0).toolTip().startswith("M0.7: the second best of these")
    head = tab.table.horizontalHeaderItem(0)
    assert head.text() == "C_C ↑\nCorrelation"
    assert head.toolTip().endswith("\n-1 to 1; as the literature defines it")
    tab.show_metrics([column], [MetricRow(str(v), f"M{v}", {"CC": v}) for v in values[:3]])
    assert marks(tab, 0) == "-b-"  # of two, the second is no merit


@pytest.mark.parametrize("width", [300, 700])
def test_names_of_metrics_and_methods_are_whole_where_two_lines_hold_them(tab, width):
    tab.resize(width, 400)
    long = "Structural similarity over five scales"
    tab.show_metrics(
        [MetricColumn("MS_SSIM", long, True, "From near and afar.")],
        [MetricRow("p", "Compact pack of the author", {"MS_SSIM": 0.9})],
    )
    heading = tab.table.horizontalHeaderItem(0).text().split("\n", 1)[1]
    assert heading.replace("\n", " ") == long
    method = tab.table.verticalHeaderItem(0).text()
    assert ("\n" in method) == (width == 300)
    assert method.replace("\n", " ") == "Compact pack of the author"


def test_of_one_result_none_is_the_best_and_what_is_to_come_is_said(tab):
    tab.show_metrics(LINES, [MetricRow("p", "Pack", {"Qabf": 0.7})])
    assert tab.table.rowCount() == 1
    assert bold(tab) == set()
    assert [tab.value(line.name) for line in LINES] == ["0.7", "…", "…"]
    tab.table.horizontalHeader().sectionClicked.emit(2)
    assert tab.explanation.text() == "Artefacts (lower is better): Edges neither source has."
    tab.show_metrics((), ())
    assert not tab.table.isVisible()
    assert tab.value("Qabf") == ""


def test_the_foot_does_not_speak_of_a_fusion_on_another_page(opened):
    assert opened.status.stage.text().startswith("Done in")
    opened.workspaces.show_page("evaluate")
    assert opened.status.stage.text() == ""
    opened.workspaces.show_page("fuse")
    assert opened.status.stage.text().startswith("Done in")


def test_a_drop_on_a_page_that_takes_none_is_seen(opened, qtbot, files):
    from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
    from PySide6.QtGui import QDropEvent

    opened.workspaces.show_page("train")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in files])
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    event = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, button, none)
    with idle(qtbot, opened):
        opened.dropEvent(event)
    assert opened.workspaces.current == "fuse"
