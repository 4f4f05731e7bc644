"""File > Archive: set up, searched, retrieved from and sent to, against a real Orthanc."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QTreeWidgetItem, QWidget

from app.archive.commands import Archiving
from app.archive.node_dialog import NodeDialog
from app.archive.search_dialog import ArchiveDialog
from app.archive.send_dialog import SendDialog
from app.archive.service import ArchiveService
from app.archive.tasks import NodeForm
from app.widgets.cards import Card
from core.archive import find_node, keep_node, list_nodes
from core.archive.retrieved import retrieved_folder
from core.io.volumes import list_series
from tests.app.acts import WAIT
from tests.core.archive.scp import Scp
from tests.orthanc import TITLE, Orthanc, free_port, start_orthanc

LONG = 4 * WAIT


@pytest.fixture(autouse=True)
def _own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIFUSION_HOME", str(tmp_path / "home"))


@pytest.fixture
def service(qtbot):
    made = ArchiveService()
    yield made
    made.shutdown()


def shown(qtbot, service: ArchiveService, kind: type[QDialog], *more: object):
    """A dialog that has heard which archives there are."""
    with qtbot.waitSignal(service.listed, timeout=WAIT):
        dialog = kind(service, *more)
        qtbot.addWidget(dialog)
        dialog.show()
    return dialog


def form_of(server: Orthanc, **changes: object) -> NodeForm:
    given = {"name": "pacs", "host": "127.0.0.1", "port": server.dicom_port, "title": TITLE}
    return dataclasses.replace(NodeForm(), **(given | changes))


def test_an_archive_is_tested_kept_changed_and_forgotten(qtbot, service, orthanc):
    dialog = shown(qtbot, service, NodeDialog)
    dialog.name.setText("pacs")
    dialog.host.setText("127.0.0.1")
    dialog.port.setValue(orthanc.dicom_port)
    dialog.title.setText("WRONG")
    dialog.test.click()
    qtbot.waitUntil(lambda: "no archive there is called WRONG" in text(dialog), timeout=LONG)
    dialog.title.setText(TITLE)
    dialog.test.click()
    qtbot.waitUntil(lambda: "answers" in text(dialog), timeout=LONG)
    assert list_nodes() == ()
    with qtbot.waitSignal(service.listed, timeout=WAIT):
        dialog.save.click()
    assert find_node("pacs") == orthanc.dicom(name="pacs")
    assert [dialog.names.item(k).text() for k in range(dialog.names.count())] == ["pacs"]
    dialog.kind.setCurrentIndex(1)
    dialog.name.setText("web")
    dialog.url.setText(orthanc.web().url)
    with qtbot.waitSignal(service.listed, timeout=WAIT):
        dialog.save.click()
    assert list_nodes() == (orthanc.web(),)
    with qtbot.waitSignal(service.listed, timeout=WAIT):
        dialog.remove.click()
    assert list_nodes() == ()


def text(dialog) -> str:
    return dialog.message.text.text()


def test_what_is_typed_wrong_is_told_and_not_kept(qtbot, service):
    dialog = shown(qtbot, service, NodeDialog)
    dialog.name.setText("pacs")
    dialog.save.click()
    qtbot.waitUntil(lambda: "no name or address of a computer" in text(dialog), timeout=WAIT)
    assert list_nodes() == ()


def test_only_fields_of_the_kind_of_archive_are_shown(qtbot, service):
    dialog = shown(qtbot, service, NodeDialog)

    def seen() -> list[bool]:
        fields = (dialog.host, dialog.authority, dialog.listen_port, dialog.url)
        return [field.isVisible() for field in fields]

    assert seen() == [True, False, False, False]
    dialog.encrypted.setChecked(True)
    dialog.move_.setChecked(True)
    assert seen() == [True, True, True, False]
    dialog.kind.setCurrentIndex(1)
    assert seen() == [False, True, False, True]


def test_nothing_can_be_asked_before_an_archive_is_set_up(qtbot, service):
    dialog = shown(qtbot, service, ArchiveDialog)
    assert "No archive is set up yet" in text(dialog)
    assert not dialog.search.isEnabled()
    assert not dialog.retrieve.isEnabled()


@pytest.mark.parametrize("web", [False, True], ids=["dicom", "web"])
def test_a_study_is_found_and_retrieved_and_opened(qtbot, service, orthanc, web):
    keep_node(orthanc.web(name="a") if web else orthanc.dicom(name="a"))
    dialog = shown(qtbot, service, ArchiveDialog)
    dialog.name.setText("nobody")
    dialog.search.click()
    qtbot.waitUntil(lambda: dialog.tree.topLevelItemCount() == 1, timeout=LONG)
    item = dialog.tree.topLevelItem(0)
    columns = [item.text(k) for k in range(6)]
    assert columns[:4] == ["2020-01-01", "Nobody^Average", "ICBM152", "Sample"]
    assert (set(columns[4].split(", ")), columns[5]) == ({"PT", "MR"}, "26")
    item.setExpanded(True)
    qtbot.waitUntil(lambda: item.childCount() == 2, timeout=LONG)
    assert [series_row(item.child(k)) for k in range(2)] == [("PT", "12"), ("MR", "14")]
    with qtbot.waitSignal(dialog.open_wanted, timeout=LONG) as opened:
        dialog.retrieve.click()
    (folder,) = opened.args
    assert folder.parent == retrieved_folder()
    assert "Nobody" not in str(folder)
    assert [len(one.files) for one in list_series(folder).series] == [12, 14]


def test_half_a_series_is_told_and_not_opened(qtbot, service, sample_files):
    with Scp(sample_files[:12], sends=5).running() as scp:
        keep_node(scp.node())
        dialog = shown(qtbot, service, ArchiveDialog)
        dialog.search.click()
        qtbot.waitUntil(lambda: dialog.tree.topLevelItemCount() == 1, timeout=LONG)
        opened = []
        dialog.open_wanted.connect(opened.append)
        dialog.retrieve.click()
        qtbot.waitUntil(lambda: "5 of 12 images arrived" in text(dialog), timeout=LONG)
        assert (opened, dialog.isVisible()) == ([], True)
        scp.sends = None
        with qtbot.waitSignal(dialog.open_wanted, timeout=LONG):
            dialog.retrieve.click()


def test_a_retrieval_is_cancelled_by_the_button(qtbot, service, sample_files):
    go_on = threading.Event()
    scp = Scp(sample_files[:12], sends=3, then=lambda event: go_on.wait(20) and None)
    with scp.running():
        keep_node(scp.node())
        dialog = shown(qtbot, service, ArchiveDialog)
        dialog.search.click()
        qtbot.waitUntil(lambda: dialog.tree.topLevelItemCount() == 1, timeout=LONG)
        dialog.retrieve.click()
        qtbot.waitUntil(scp.sent.is_set, timeout=LONG)
        assert dialog.work.isVisible()
        with qtbot.waitSignal(dialog.work.ended, timeout=3000):
            dialog.work.cancel.click()
        go_on.set()
    assert dialog.retrieve.isEnabled()
    qtbot.waitUntil(dialog.clear.isEnabled, timeout=WAIT)  # what arrived can be deleted


def test_studies_are_of_the_archive_that_is_named(qtbot, service, orthanc, sample_files):
    with Scp(sample_files[:3]).running() as scp:
        keep_node(orthanc.dicom(name="one"))
        keep_node(scp.node(name="two"))
        dialog = shown(qtbot, service, ArchiveDialog)
        dialog.search.click()
        with qtbot.waitSignal(dialog.work.ended, timeout=LONG):
            dialog.archive.setCurrentText("two")  # before the first one has answered
        assert (dialog.archive.currentText(), dialog.tree.topLevelItemCount()) == ("two", 0)
        dialog.search.click()
        qtbot.waitUntil(lambda: dialog.tree.topLevelItemCount() == 1, timeout=LONG)
        # What was found stays while the list of archives is read again, as after a retrieval.
        with qtbot.waitSignal(service.listed, timeout=WAIT):
            service.refresh()
        assert (dialog.archive.currentText(), dialog.tree.topLevelItemCount()) == ("two", 1)
        keep_node(orthanc.dicom(name="two"), replaces="two")
        with qtbot.waitSignal(service.listed, timeout=WAIT):
            service.refresh()
        assert dialog.tree.topLevelItemCount() == 0


def test_a_study_that_the_archive_has_no_more_is_told_and_not_opened(
    qtbot, service, sample_files, tmp_path
):
    server = start_orthanc(tmp_path / "orthanc")
    try:
        server.put(sample_files[:3])
        keep_node(server.dicom(name="pacs"))
        dialog = shown(qtbot, service, ArchiveDialog)
        opened = []
        dialog.open_wanted.connect(opened.append)
        dialog.search.click()
        qtbot.waitUntil(lambda: dialog.tree.topLevelItemCount() == 1, timeout=LONG)
        server.clear()
        dialog.retrieve.click()
        qtbot.waitUntil(lambda: "does not have these images" in text(dialog), timeout=LONG)
        assert (opened, dialog.isVisible()) == ([], True)
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("name", "offered"), [("fused", True), ("fused.dcm", True), ("a.nii.gz", False)]
)
def test_sending_is_offered_after_an_export_as_dicom(qtbot, orthanc, tmp_path, name, offered):
    keep_node(orthanc.dicom(name="pacs"))
    window, cards = QWidget(), []
    qtbot.addWidget(window)

    def ask(*words: object) -> Card:
        cards.append(Card("", words[2]))
        qtbot.addWidget(cards[-1])
        return cards[-1]

    made = Archiving(window, search=QAction(window), send=QAction(window), take=print, ask=ask)
    try:
        made.offer((tmp_path / name,))
        with qtbot.waitSignal(made.service.listed, timeout=WAIT):
            made.service.refresh()  # answered after what was asked before it
        assert len(cards) == int(offered)
        if offered:
            with qtbot.waitSignal(made.service.listed, timeout=WAIT):
                cards[0].buttons["send"].click()
            assert made.send_dialog.path.text() == str(tmp_path / name)
    finally:
        made.shutdown()


def test_the_window_starts_without_the_network_libraries():
    code = (
        "import sys, app.shell.application; "
        "bad = {'pynetdicom', 'pydicom', 'requests', 'dicomweb_client', 'core.archive'}; "
        "print(sorted(bad & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def series_row(item: QTreeWidgetItem) -> tuple[str, str]:
    return item.text(4), item.text(5)


def test_an_archive_that_is_away_is_told_in_the_dialog(qtbot, service):
    form = NodeForm(name="pacs", host="127.0.0.1", port=free_port(), title="X")
    keep_node(form.node())
    dialog = shown(qtbot, service, ArchiveDialog)
    dialog.search.click()
    qtbot.waitUntil(lambda: "nothing answers" in text(dialog), timeout=LONG)
    assert dialog.search.isEnabled()
    dialog.first.setText("yesterday")
    dialog.search.click()
    qtbot.waitUntil(lambda: "it is no day" in text(dialog), timeout=LONG)


def test_retrieved_studies_can_be_cleared(qtbot, service):
    kept = retrieved_folder() / "x" / "PT-1"
    kept.mkdir(parents=True)
    (kept / "1.dcm").write_bytes(bytes(1_500_000))
    dialog = shown(qtbot, service, ArchiveDialog)
    assert str(retrieved_folder()) in dialog.folder.text()
    assert "1.5 MB" in dialog.folder.text()
    with qtbot.waitSignal(service.listed, timeout=WAIT):
        dialog.clear.click()
    assert not retrieved_folder().exists()
    assert not dialog.clear.isEnabled()


def test_files_are_sent_and_what_became_of_them_is_told(qtbot, service, sample_files, tmp_path):
    server = start_orthanc(tmp_path / "orthanc")
    try:
        keep_node(server.dicom(name="pacs"))
        out = tmp_path / "out"
        out.mkdir()
        for path in sample_files[:3]:
            (out / path.name).write_bytes(path.read_bytes())
        dialog = shown(qtbot, service, SendDialog, out)
        dialog.go.click()
        qtbot.waitUntil(lambda: "3 of 3 files are in the archive" in text(dialog), timeout=LONG)
        assert len(server.get("/instances")) == 3
    finally:
        server.stop()


def test_sending_is_cancelled_and_what_is_there_is_told(qtbot, service, sample_files, tmp_path):
    go_on, stored = threading.Event(), []

    def store() -> None:
        stored.append(1)
        if len(stored) > 3:
            go_on.wait(20)

    scp = Scp(on_store=store)
    out = tmp_path / "out"
    out.mkdir()
    for path in sample_files[:8]:
        (out / path.name).write_bytes(path.read_bytes())
    with scp.running():
        keep_node(scp.node())
        dialog = shown(qtbot, service, SendDialog, out)
        dialog.go.click()
        qtbot.waitUntil(lambda: dialog.work.bar.value() == 3, timeout=LONG)
        with qtbot.waitSignal(dialog.work.ended, timeout=LONG):
            dialog.reject()  # the first time it is only cancelled
        assert dialog.isVisible()
        assert text(dialog).startswith("Cancelled. 3 of 8 files are in the archive, where the")
        go_on.set()
        assert dialog.go.isEnabled()
        dialog.reject()
        assert not dialog.isVisible()
