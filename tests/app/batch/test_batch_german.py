"""A batch in a German window: preview, errors of rows and what is kept of them."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest
from PySide6.QtCore import Qt

from app.batch.last_batch import LastBatch, load_last_batch, save_last_batch
from app.batch.table_model import NOTE, STATE, WHY, A
from app.i18n.translate import translate
from core.batch.manifest import MANIFEST_NAME, BatchManifest, RowRecord
from core.errors import Message
from core.progress import NullProgress
from tests.app.batch.conftest import WAIT, planned, when
from tests.app.batch.test_batch_page import cell, go
from tests.app.german import english_in, left_over
from tests.app.shell.test_window import drop
from tests.junk import GOOD

pytestmark = pytest.mark.usefixtures("german")


def row_of(page, name: str) -> int:
    names = [cell(page, row, A) for row in range(page.table.rowCount())]
    return names.index(name)


def test_preview_run_and_errors_leave_no_english(qtbot, page, junkyard):
    with when(qtbot, page.batch, lambda: len(page.batch.headers) == len(page.batch.pairing.active)):
        drop(page.zone, junkyard)
    qtbot.waitUntil(lambda: not page.batch.is_planning, timeout=WAIT)
    assert cell(page, 0, WHY) == "gleicher Name in a/ und b/"
    assert left_over(page.window()) == {}
    go(qtbot, page)
    empty = row_of(page, "empty.png")
    assert cell(page, empty, STATE) == "Fehler"
    assert "die Datei ist leer" in cell(page, empty, NOTE)
    tip = page.table.data(page.table.index(empty, NOTE), Qt.ItemDataRole.ToolTipRole)
    assert "Neu kopieren oder exportieren." in tip
    assert left_over(page.window()) == {}


def test_what_a_row_failed_with_is_kept_with_template_and_values(qtbot, page, junkyard):
    with planned(qtbot, page.batch):
        drop(page.zone, junkyard)
    go(qtbot, page)
    out = page.batch.choices.folder
    manifest = BatchManifest(out)
    try:
        failed = [record for record in manifest.records().values() if record.state == "failed"]
    finally:
        manifest.close()
    assert len(failed) == len(page.batch.pairing.active) - len(GOOD)
    assert all(isinstance(record.text, Message) for record in failed)
    assert {english_in(translate(record.text)) for record in failed} == {""}
    assert all(english_in(record.text) for record in failed), "to all others it is English"


def test_records_of_older_versions_are_read(tmp_path):
    def record(key: str, text: str) -> RowRecord:
        return RowRecord(key, tmp_path / "a", tmp_path / "b", tmp_path / "c", "failed", text=text)

    said = Message("not a {0} file: {1}", "x", "y")
    manifest = BatchManifest(tmp_path)
    manifest.end(record("old", "plain"), now=True)
    manifest.end(record("new", said), now=True)
    manifest.close()
    with closing(sqlite3.connect(tmp_path / MANIFEST_NAME)) as database, database:
        kept = dict(database.execute("SELECT key, text FROM rows").fetchall())
        changes = [("[1, 2]", '["note"]', "old")]
        database.executemany("UPDATE rows SET text = ?, notes = ? WHERE key = ?", changes)
    assert kept["old"] == "plain"
    assert json.loads(kept["new"]) == {"said": ["not a {0} file: {1}", "x", "y"]}
    manifest = BatchManifest(tmp_path)
    records = manifest.records()
    manifest.close()
    assert (records["old"].text, records["old"].notes) == ("[1, 2]", ("note",))
    assert records["new"].text == said
    assert translate(records["new"].text) == "keine x-Datei: y"


def test_the_last_batch_remembers_its_reasons_for_any_language(qtbot, page, study, tmp_path):
    with planned(qtbot, page.batch):
        drop(page.zone, study)
    remembered = LastBatch((), page.batch.choices, page.batch.pairing)
    save_last_batch(tmp_path / "home", remembered, NullProgress())
    last = load_last_batch(tmp_path / "home", NullProgress())
    assert last is not None
    assert {m.reason for m in last.pairing.matches} == {"same name in a/ and b/"}
    assert {translate(m.reason) for m in last.pairing.matches} == {"gleicher Name in a/ und b/"}
    assert last.pairing.matches == page.batch.pairing.matches


def test_a_run_with_other_settings_is_told_in_german(qtbot, page, study):
    with planned(qtbot, page.batch):
        drop(page.zone, study)
    go(qtbot, page)
    with planned(qtbot, page.batch):
        page.batch.choose_method("average")
    text = page.cards["found"].text.text()
    assert "Verfahren: damals keine Angabe, jetzt average" in text
    assert left_over(page.window()) == {}
