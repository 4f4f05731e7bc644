"""All tags of series in the window: read on demand, filtered, without names, not kept."""

from __future__ import annotations

import gc
import re

from app.fuse import measurements
from app.fuse.tags_dialog import TagsDialog
from app.shell.main_window import MainWindow
from core.errors import InputError
from core.io.volumes import Tag
from tests.app.acts import WAIT
from tests.core.io.dicom_files import BIRTH, ID, NAME

SECRETS = re.compile("|".join((*NAME.split("^"), ID, BIRTH)), re.IGNORECASE)


def opened(window: MainWindow, qtbot) -> TagsDialog:
    window.inspector.setCurrentWidget(window.inspector.info)
    window.inspector.info.tags.click()
    qtbot.waitUntil(lambda: bool(window.inspector.findChildren(TagsDialog)), timeout=WAIT)
    return window.inspector.findChildren(TagsDialog)[0]


def cells(dialog: TagsDialog) -> list[list[str]]:
    model = dialog.shown
    return [
        [str(model.index(row, column).data()) for column in range(3)]
        for row in range(model.rowCount())
    ]


def test_tags_of_both_series_are_listed_and_filtered(study, qtbot):
    dialog = opened(study, qtbot)
    qtbot.waitUntil(lambda: dialog.shown.rowCount() > 0, timeout=WAIT)
    assert ["(0008,0060)", "Modality", "PT"] in cells(dialog)
    assert ["(0010,0010)", "Patient's Name", "removed"] in cells(dialog)
    assert not SECRETS.search(repr(cells(dialog)))
    dialog.source.setCurrentIndex(1)
    assert ["(0008,0060)", "Modality", "MR"] in cells(dialog)
    everything = dialog.shown.rowCount()
    dialog.filter.setText("pixel SPAC")
    assert cells(dialog) == [["(0028,0030)", "Pixel Spacing", "1.5, 1"]]
    dialog.filter.setText("0020,0032")
    assert [row[1] for row in cells(dialog)] == ["Image Position (Patient)"]
    dialog.filter.clear()
    assert dialog.shown.rowCount() == everything
    dialog.reject()


def read_and_closed(window: MainWindow, qtbot) -> None:
    dialog = opened(window, qtbot)
    qtbot.waitUntil(lambda: dialog.shown.rowCount() > 0, timeout=WAIT)
    assert any(isinstance(one, Tag) for one in gc.get_objects())
    dialog.reject()


def test_the_tags_are_not_kept_once_the_list_is_closed(study, qtbot):
    read_and_closed(study, qtbot)
    qtbot.waitUntil(lambda: not study.inspector.findChildren(TagsDialog), timeout=WAIT)
    gc.collect()
    # By type: isinstance asks stand-ins of deprecated names for their class, and they warn.
    assert not any(type(one) is Tag for one in gc.get_objects())


def test_a_file_that_is_gone_is_said(study, qtbot, monkeypatch):
    def gone(*_asked: object) -> None:
        raise InputError("series", "it is gone", "Copy it again.")

    monkeypatch.setattr(measurements, "tags_of", gone)
    dialog = opened(study, qtbot)
    qtbot.waitUntil(lambda: "gone" in dialog.note.text(), timeout=WAIT)
    assert dialog.shown.rowCount() == 0
    dialog.reject()


def test_images_offer_no_tags(window, qtbot, files):
    window.files.take(list(files))
    qtbot.waitUntil(lambda: window.session.outcome is not None, timeout=WAIT)
    window.inspector.setCurrentWidget(window.inspector.info)
    assert window.inspector.info.tags.isHidden()
