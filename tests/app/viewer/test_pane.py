"""The header of a pane: what gives way where there is no room."""

from __future__ import annotations

from app.fuse.recon_pane import ReconPane
from app.viewer.pane import Pane
from app.viewer.view_link import ViewLink


def test_a_tag_is_shortened_before_the_title_is(qtbot):
    pane = Pane("fused", ViewLink())
    qtbot.addWidget(pane)
    pane.set_title("Fusioniert")
    pane.set_info("PET, SPECT oder CT mit MRT · CPU", "PET, SPECT oder CT mit MRT", "PET")
    pane.set_tag("lost", "Verloren: 26 % B", "", "▲ 26 % B")
    label = next(tag for tag in pane._tags.values())
    wanted = pane.title.sizeHint().width()
    pane.resize(wanted + label.sizeHint().width() + 20, 200)
    pane.show()
    assert (label.text(), pane.tag("lost")) == ("▲ 26 % B", "Verloren: 26 % B")
    qtbot.waitUntil(lambda: pane.title.width() >= min(wanted, 56), timeout=2000)
    pane.resize(900, 200)
    assert label.text() == "Verloren: 26 % B"


def test_of_a_reconstruction_the_number_is_what_stays(qtbot):
    pane = ReconPane("recon_a", ViewLink())
    qtbot.addWidget(pane)
    pane.set_info("PSNR 53.4 dB")
    room = pane.info.fontMetrics().horizontalAdvance("…53.4 dB") + 1
    assert "53.4 dB" in pane.info.shown_text(room)
