"""Three planes and a projection of volumes at once, and slices that follow each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from app.fuse.planes_board import PlanesBoard
from app.shell.main_window import MainWindow
from tests.app.acts import WAIT
from tests.app.fuse.volumes import settled, shows, write_study


def choose(window: MainWindow) -> PlanesBoard:
    """The board of planes, chosen as the layout."""
    window.session.set_display(replace(window.session.display, layout="planes"))
    return window.view.planes


def complete(board: PlanesBoard) -> bool:
    """Whether all four panes show something."""
    return all(pane.canvas.scene is not None for pane in board.panes.values())


@pytest.fixture
def board(study, qtbot) -> PlanesBoard:
    made = choose(study)
    qtbot.waitUntil(lambda: complete(made), timeout=WAIT)
    return made


def test_the_layout_shows_three_planes_and_the_projection(study, board):
    assert board.isVisible()
    assert not study.view.board.isVisible()
    sizes = {name: pane.canvas.image.size for name, pane in board.panes.items()}
    assert sizes == {
        "axial": (60, 40),
        "coronal": (60, 16),
        "sagittal": (40, 16),
        "projection": (12, 8),
    }
    aspects = {name: pane.canvas.link.aspect for name, pane in board.panes.items()}
    assert aspects == pytest.approx(
        {"axial": 1.5, "coronal": 1.5, "sagittal": 1.0, "projection": 0.6}
    )


def test_the_projection_holds_the_greatest_values_of_the_pet(study, board):
    pet = study.session.sources.slice.volumes.native_a
    shown = board.panes["projection"].canvas.image
    low, high = shown.extent
    values = low + shown.levels[0][..., 0] / shown.top * (high - low)
    # Rows run from head to feet.
    expected = pet.data.max(axis=1)[::-1]
    assert np.abs(values - expected).max() < 1e-3


def test_a_click_in_one_plane_moves_the_others(study, board, qtbot):
    board.panes["coronal"].canvas.link.clicked.emit(QPoint(20, 3))
    # The third row from the head is slice 12 of 16.
    qtbot.waitUntil(lambda: shows(study, 12), timeout=WAIT)
    assert board.panes["axial"].info.text().startswith("13/16")
    assert board.panes["sagittal"].info.text().startswith("21/60")
    assert board.panes["axial"].canvas.scene.marks.cross[0] == pytest.approx(20)


def test_the_wheel_over_a_plane_moves_that_plane_alone(study, board, qtbot):
    before = study.session.sources.slice
    board.panes["sagittal"].canvas.link.stepped.emit(5)
    assert board.panes["sagittal"].info.text().startswith("36/60")
    assert study.session.sources.slice.index == before.index
    assert study.session.outcome is not None
    assert not study.session.is_stale


def test_values_are_read_in_each_plane(study, board):
    board.panes["sagittal"].canvas.link.set_pointer(QPoint(20, 8))
    assert "SUVbw" in study.status.readout.text()
    board.panes["sagittal"].canvas.link.set_pointer(None)
    assert study.status.readout.text() == ""


def test_unregistered_volumes_are_marked_in_each_plane(window, qtbot, tmp_path):
    window.files.take([write_study(tmp_path / "export", FrameOfReferenceUID="1.2.3.77")])
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    board = choose(window)
    qtbot.waitUntil(lambda: complete(board), timeout=WAIT)
    tags = {board.panes[plane].tag("registration") for plane in ("axial", "coronal", "sagittal")}
    assert tags == {"Not registered"}


def test_images_in_that_layout_are_shown_in_a_row(study, board, qtbot, files):
    study.files.take(list(files))
    qtbot.waitUntil(lambda: study.session.sources.slice is None and bool(study.session.results))
    assert study.view.board.isVisible()
    assert not board.isVisible()
    assert not complete(board)


def test_slices_follow_each_other_and_begin_again(study, qtbot, engine):
    count = len(engine.requests)
    study.controller.volumes.go_to(14)
    study.actions_.cine.trigger()
    qtbot.waitUntil(lambda: shows(study, 1), timeout=WAIT)
    assert len(engine.requests) == count
    study.actions_.cine.trigger()
    assert not study.view.slices.play.isChecked()
    qtbot.waitUntil(lambda: settled(study), timeout=WAIT)
    assert study.session.outcome.pair is study.session.sources.pair
