"""The library of packs in the compute process, whatever happens to it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from app.compute import remote
from app.compute.process import ComputeProcess, ProcessEnded
from app.packs.dialog import PacksDialog
from app.packs.service import PackService
from tests.tiny import tiny_pack

_PATIENCE = 60_000
pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def dialog(qtbot, tmp_path: Path, monkeypatch):
    """The dialog, before anything was listed, where the user has one pack."""
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path))
    (tmp_path / "packs").mkdir()
    tiny_pack(tmp_path / "packs" / "mine.safetensors")
    made = ComputeProcess(warm=False)
    made.start("en")
    remote.use(made)
    service = PackService()
    shown = PacksDialog(service, "mif")
    qtbot.addWidget(shown)
    shown.open()
    yield shown
    service.shutdown()
    remote.use(None)
    made.shutdown()


def test_killed_while_listing_a_card_says_so_and_the_library_goes_on(qtbot, dialog, tmp_path):
    work, errors = dialog._work, []
    work.failed.connect(errors.append)
    process = remote.current()
    # Torch is being imported there, which takes a second at least.
    qtbot.waitUntil(lambda: bool(process._child.jobs), timeout=_PATIENCE)
    os.kill(process.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: len(errors) == 1, timeout=_PATIENCE)
    assert isinstance(errors[0], ProcessEnded)
    assert dialog.error.isVisible()
    qtbot.waitUntil(lambda: "mine" in [row.name for row in dialog.rows], timeout=_PATIENCE)

    row = next(row for row in dialog.rows if row.name == "mine")
    with qtbot.waitSignal(work.deleted, timeout=_PATIENCE) as ended:
        work.delete(row)
    assert not row.path.exists()
    with qtbot.waitSignal(work.added, timeout=_PATIENCE) as back:
        work.restore(ended.args[0])
    assert back.args == ["mine"]
    assert row.path.is_file()
    with qtbot.waitSignal(work.exported, timeout=_PATIENCE):
        work.export(row, tmp_path / "out.safetensors")
    assert (tmp_path / "out.safetensors").read_bytes() == row.path.read_bytes()
    assert len(errors) == 1
