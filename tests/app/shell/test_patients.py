"""A patient planted in tags and in names of files and folders is in nothing that is written."""

from __future__ import annotations

import re
from pathlib import Path

from app.fuse.error_report import describe
from app.fuse.file_dialogs import suggested_name
from app.preferences.settings import Settings
from app.shell.main_window import MainWindow
from tests.app.acts import WAIT
from tests.app.fuse.volumes import settled, write_mr, write_pet
from tests.core.io.dicom_files import BIRTH, ID, NAME

_PLANTED = {"AccessionNumber": "ACC9911", "StudyDate": BIRTH, "InstitutionName": "Zweisteinklinik"}
_SECRETS = re.compile(rb"zweistein|ottokar|447711|19390817|ACC9911", re.IGNORECASE)


def _secrets_in(folder: Path) -> list[str]:
    """Of all files and names below."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    named = [path for path in files if _SECRETS.search(bytes(path.relative_to(folder)))]
    return sorted(
        {str(p) for p in (*named, *(f for f in files if _SECRETS.search(f.read_bytes())))}
    )


def test_nobody_is_written_by_a_run_of_the_window(qtbot, engine, samples, tmp_path, capfd):
    assert (NAME.split("^")[0], ID[-6:], BIRTH) == ("Zweistein", "447711", "19390817")
    study = tmp_path / "scans" / f"Zweistein, Ottokar {BIRTH}" / ID
    write_pet(study / "PET Zweistein", **_PLANTED)
    write_mr(study / "MR Zweistein", **_PLANTED)
    home, out = tmp_path / "home", study.parent / "out Zweistein"
    out.mkdir()

    def started(*paths: Path) -> MainWindow:
        made = MainWindow(lambda: engine, samples, "mif", settings=Settings(home))
        qtbot.addWidget(made, before_close_func=lambda _window: engine.gate.set())
        made.show()
        made.services.begin(*paths)
        return made

    window = started(study)
    qtbot.waitUntil(lambda: settled(window), timeout=WAIT)
    name = suggested_name(window.session.outcome)
    assert not _SECRETS.search(name.encode())
    with qtbot.waitSignal(window.controller.saved, timeout=WAIT):
        window.files._save(out / name, window.session.outcome)
    window.controller.volumes.step(1)
    (study / "MR Zweistein").rename(study / "moved")
    window.controller.reload()
    qtbot.waitUntil(lambda: window.session.problem is not None, timeout=WAIT)
    details = describe(window.session)
    assert details
    assert not _SECRETS.search(details.encode())
    (study / "moved").rename(study / "MR Zweistein")
    window.close()
    assert {path.name for path in home.iterdir()} >= {"session.json"}
    assert _secrets_in(home) == []
    assert _secrets_in(out) == []

    again = started()
    qtbot.waitUntil(lambda: again.actions_.restore.isEnabled(), timeout=WAIT)
    again.actions_.restore.trigger()
    qtbot.waitUntil(lambda: again.session.sources.slice is not None, timeout=WAIT)
    qtbot.waitUntil(lambda: settled(again), timeout=WAIT)
    assert again.pairs.scans == (study,)
    again.close()
    assert _secrets_in(home) == []
    told = capfd.readouterr()
    assert not _SECRETS.search((told.out + told.err).encode())
