"""DINOv3 in the window: nothing is asked of anyone before the press; then watched, or cancelled."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.train.view_models import Fetch
from core.packs import download
from core.packs.paths import backbone_file
from tests.app.train.conftest import WAIT
from tests.core.hub import Behaviour, Hub, release_of
from tests.tiny import TINY_VIT
from tests.tiny import backbone_file as random_backbone


@pytest.fixture
def content(tmp_path: Path) -> bytes:
    return random_backbone(tmp_path / "random.safetensors").read_bytes()


@pytest.fixture
def hub(monkeypatch, content):
    """A hub on this machine, with a small DINOv3 of random numbers."""
    monkeypatch.setattr(download, "CONFIG", TINY_VIT)
    monkeypatch.setattr(download, "RELEASE", release_of(content))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Hub(Behaviour(content=content)) as made:
        monkeypatch.setenv("HF_ENDPOINT", made.address)
        yield made


@pytest.fixture
def row(hub, page):
    """The row of the form, with the paper's network chosen and the card open."""
    page.training.preparing.choose_parent(None)
    page.training.preparing.set_network("paper")
    page.show_step(1)
    click(page.settings.backbone.download)
    return page.settings.backbone


def click(button) -> None:
    assert button.isVisible()
    assert button.isEnabled()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


def left() -> list[str]:
    folder = backbone_file().parent
    return [path.name for path in folder.iterdir()] if folder.is_dir() else []


def test_the_card_says_what_it_is_about_and_waits_for_a_tick_and_a_press(qtbot, page, row, hub):
    card = row.card
    assert card.isVisible()
    assert "timm/vit_small_patch16_dinov3.lvd1689m" in card.source.text()
    assert card.extent.text() == "86 MB"
    assert card.extent.isVisible()
    assert "DINOv3 License" in card.licence.text()
    assert card.address.text() == download.LICENCE_ADDRESS
    shown = [card.terms.itemAt(k).widget().text() for k in range(card.terms.count())]
    assert [text for text in shown if text != "•"] == [str(term) for term in download.TERMS]
    assert "download" in page.state.faults["backbone"]
    assert not card.download.isEnabled()
    page.training.fetching.dismiss()
    assert not card.isVisible()
    click(row.download)
    assert not card.agree.isChecked(), "asked anew"
    card.agree.setChecked(True)
    assert card.download.isEnabled()
    assert hub.does.asked == []
    assert left() == []


def test_fetched_it_is_offered_without_choosing_a_file(qtbot, page, row, hub, content):
    row.card.agree.setChecked(True)
    told = []
    page.state.fetch_changed.connect(lambda: told.append(page.state.fetch))
    with qtbot.waitSignal(page.state.capabilities_changed, timeout=WAIT):
        click(row.card.download)
    digest = hashlib.sha256(content).hexdigest()
    assert backbone_file().read_bytes() == content
    assert [path for path, _ in hub.does.asked][1:] == ["/storage/file"]
    stages = [one.stage for one in told if one is not None and one.stage]
    assert stages[0] == "connecting"
    assert "downloading" in stages
    last = [one for one in told if one is not None and one.stage == "downloading"][-1]
    assert last.done == last.total == len(content)
    assert not row.card.isVisible()
    assert not row.download.isVisible()
    assert digest[:12] in row.note.text()
    assert digest[:12] in page.message.text.text()
    assert row.path.text() == ""
    assert page.state.faults == {}
    page.training.preparing.set_network("compact")
    assert not row.isVisible()


def test_cancel_midway_leaves_nothing_and_the_window_free(qtbot, page, row, hub):
    hub.does.send, hub.does.gate = 5000, threading.Event()
    row.card.agree.setChecked(True)
    click(row.card.download)
    qtbot.waitUntil(lambda: page.state.fetch.done >= 5000, timeout=WAIT)
    assert row.card.progress.maximum() == len(hub.does.content)
    assert not row.card.download.isVisible()
    click(row.card.cancel)
    # The server still says nothing: its gate is closed.
    qtbot.waitUntil(lambda: page.state.fetch.phase == "offer", timeout=1000)
    assert row.card.agree.isChecked()
    assert row.card.download.isEnabled()
    qtbot.waitUntil(lambda: left() == [], timeout=WAIT)


def test_an_error_can_be_acted_on_and_tried_again(qtbot, page, row, hub, content):
    hub.does.sha256 = "0" * 64  # says of itself that it is another file
    row.card.agree.setChecked(True)
    click(row.card.download)
    qtbot.waitUntil(lambda: page.state.fetch.phase == "failed", timeout=WAIT)
    assert "another file" in row.card.problem.text()
    assert "choose it here instead" in row.card.problem.text()
    assert "https://huggingface.co/timm/" in row.card.problem.text()
    assert left() == []
    hub.does.sha256 = None
    assert row.card.download.text() == "Try again"
    with qtbot.waitSignal(page.state.capabilities_changed, timeout=WAIT):
        click(row.card.download)
    assert not row.card.isVisible()
    assert backbone_file().read_bytes() == content


def test_a_refusal_is_told_in_the_card_not_over_the_page(qtbot, page, row, hub):
    hub.does.status = 403
    row.card.agree.setChecked(True)
    click(row.card.download)
    qtbot.waitUntil(lambda: page.state.fetch.phase == "failed", timeout=WAIT)
    assert "agree there" in row.card.problem.text()
    assert not page.card.isVisible()


def test_closing_midway_ends_it(qtbot, page, row, hub):
    hub.does.send, hub.does.gate = 5000, threading.Event()
    row.card.agree.setChecked(True)
    click(row.card.download)
    qtbot.waitUntil(lambda: page.state.fetch.done >= 5000, timeout=WAIT)
    page.shutdown()
    assert left() == []


@pytest.mark.parametrize("fetch_", [Fetch(), Fetch("loading", 3e7, 8.6e7, "downloading")])
def test_it_fits_a_small_window_and_the_keyboard_reaches_it(qtbot, page, row, fetch_):
    page.resize(1024, 660)
    page.state.set_fetch(fetch_)
    qtbot.wait(1)
    card = row.card
    assert page.size().toTuple() == (1024, 660)
    for widget in (card.read, card.agree, card.download, card.cancel, card.later):
        if widget.isVisible():
            assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
            assert card.rect().contains(widget.mapTo(card, widget.rect().bottomRight()))
    area = page.settings.area.viewport()
    assert card.mapTo(area, card.rect().topRight()).x() <= area.width()
