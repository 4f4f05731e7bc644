"""A batch in the compute process, whatever happens to it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

from app.compute.process import ComputeProcess, ProcessEnded
from app.engine import engine_factory
from app.shell.main_window import MainWindow
from tests.app.batch.conftest import make_pairs, planned

_PATIENCE = 120_000
pytestmark = pytest.mark.timeout(300)


def test_killed_in_a_batch_its_rows_are_kept_and_go_on_of_the_window_does_the_rest(
    qtbot, process: ComputeProcess, tmp_path: Path, samples: Path
):
    window = MainWindow(engine_factory("cpu"), samples, "mif")
    qtbot.addWidget(window)
    window.show()
    window.workspaces.show_page("batch")
    page = window.workspaces.page("batch")
    batch, cards = page.batch, page.card_area
    folder = make_pairs(tmp_path / "in", 40, (256, 192))
    with planned(qtbot, batch):
        batch.add([folder])
        batch.choose_folder(str(tmp_path / "out"))
    ends = []
    batch.ended.connect(ends.append)
    batch.start()
    qtbot.waitUntil(
        lambda: batch.run.tally is not None and batch.run.tally.done >= 3, timeout=_PATIENCE
    )
    os.kill(process.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: len(ends) == 1 and not batch.is_planning, timeout=_PATIENCE)
    assert isinstance(ends[0].error, ProcessEnded)
    written = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("p*.png")}
    assert 3 <= len(written) < 40
    assert batch.planned.goes_on
    assert "Pairs that are done are kept" in cards.cards["error"].text.text()
    assert "is lost" not in cards.cards["error"].text.text()

    batch.run.rows_changed.connect(lambda _keys: batch.run.pause() or batch.run.resume())
    qtbot.mouseClick(cards.cards["found"].buttons["go"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(ends) == 2, timeout=_PATIENCE)
    assert ends[1].error is None
    report = ends[1].finished
    assert report.tally.ended == 40
    assert report.tally.failed == 0
    assert len(list((tmp_path / "out").rglob("p*.png"))) == 40
    kept = [
        name
        for name, time in written.items()
        if next((tmp_path / "out").rglob(name)).stat().st_mtime_ns == time
    ]
    assert len(kept) >= len(written) - 4  # only what was being recorded is made again
    qtbot.waitUntil(lambda: not batch.is_busy and not batch.is_planning, timeout=_PATIENCE)
