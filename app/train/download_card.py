"""The card of the DINOv3 download: source, size, data sent, licence, progress."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.i18n.translate import translate, translate_all, translate_error
from app.train import formatting
from app.train.state import TrainState
from app.train.view_models import BackboneOffer, Fetch
from app.widgets.cards import Card, text_label
from app.widgets.forms import centre_labels


class DownloadCard(Card):
    """Hidden until it is requested; downloads only after the licence was accepted."""

    fetch_requested = Signal()
    cancel_requested = Signal()

    def __init__(self, state: TrainState, parent: QWidget | None = None) -> None:
        super().__init__(
            icon="", parent=parent, severity="plain", recommended="download", stacked=True
        )
        self._state = state
        self.set_answers(
            (("download", ""), ("cancel", self.tr("Cancel")), ("later", self.tr("Not now")))
        )
        self.download, self.cancel, self.later = self.buttons.values()
        self.download.clicked.connect(self.fetch_requested)
        self.cancel.clicked.connect(self.cancel_requested)
        self.later.clicked.connect(self._dismiss)
        self._make_facts()
        self._make_licence()
        self._make_progress()
        self.body.setSpacing(8)
        self.body.addLayout(self._facts)
        for part in (self._licence, self._moving, self.problem):
            self.body.addWidget(part)
        # The buttons were created first, but are last in the tab order as on screen.
        order = (self.read, self.agree, self.download, self.cancel, self.later)
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)
        state.fetch_changed.connect(self._show)
        state.capabilities_changed.connect(self._describe)
        self._describe()
        self._show()

    # --- parts -----------------------------------------------------------------------------

    def _make_facts(self) -> None:
        self.source, self.extent, self.place = text_label(), text_label(), text_label()
        sent = text_label()
        sent.setText(
            self.tr(
                "Only the request for this one file, with this program's name and version; the "
                "server sees your network address. No pictures, no names, no login. It is the "
                "only time this program uses the network."
            )
        )
        self._facts = QFormLayout()
        self._facts.setHorizontalSpacing(14)
        self._facts.setVerticalSpacing(4)
        for words, value in (
            (self.tr("From"), self.source),
            (self.tr("Size"), self.extent),
            (self.tr("Kept in"), self.place),
            (self.tr("What is sent"), sent),
        ):
            name = QLabel(words)
            name.setObjectName("hint")
            self._facts.addRow(name, value)
        centre_labels(self._facts)

    def _make_licence(self) -> None:
        self._licence = QWidget()
        self.licence, self.address = text_label("paneTitle"), text_label("hint")
        self.terms = QGridLayout()
        self.terms.setHorizontalSpacing(8)
        self.terms.setVerticalSpacing(2)
        self.terms.setColumnStretch(1, 1)
        summary = text_label()
        summary.setText(
            self.tr("This is a summary in our words. What counts is the licence itself:")
        )
        self.read = QPushButton(self.tr("Read the licence…"))
        self.read.setToolTip(self.tr("Opens its page in your browser"))
        self.read.clicked.connect(self._open_licence)
        self.agree = QCheckBox(self.tr("I have read the licence and agree to it"))
        self.agree.toggled.connect(self._show)
        line = QHBoxLayout()
        line.addWidget(self.address, 1)
        line.addWidget(self.read)
        column = QVBoxLayout(self._licence)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.licence)
        column.addLayout(self.terms)
        column.addWidget(summary)
        column.addLayout(line)
        column.addWidget(self.agree)

    def _make_progress(self) -> None:
        self._moving = QWidget()
        self.progress, self.amount = QProgressBar(), text_label("hint")
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(self.tr("Downloading DINOv3"))
        column = QVBoxLayout(self._moving)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.progress)
        column.addWidget(self.amount)
        self.problem = text_label()
        self.problem.setProperty("warns", True)

    # --- display ---------------------------------------------------------------------------

    def _describe(self) -> None:
        offer = self._state.offer
        if offer is None:
            return
        self.source.setText(offer.source)
        self.extent.setText(formatting.memory(offer.bytes))
        self.place.setText(str(offer.file.parent))
        self.licence.setText(self.tr("Licence: {0} (Meta)").format(offer.licence))
        if not self.terms.count():
            for row, term in enumerate(translate_all(offer.terms)):
                point, text = QLabel("•"), text_label()
                text.setText(term)
                self.terms.addWidget(point, row, 0, Qt.AlignmentFlag.AlignTop)
                self.terms.addWidget(text, row, 1)
        self.address.setText(offer.licence_page)

    def _show(self) -> None:
        fetch, offer = self._state.fetch, self._state.offer
        if fetch is None or offer is None:
            self.show_message("")
            self.agree.setChecked(False)
            return
        self.show_message("", self.tr("Download {0}").format("DINOv3 ViT-S/16"))
        loading = fetch.phase == "loading"
        self._licence.setVisible(not loading)
        self._moving.setVisible(loading)
        self.cancel.setVisible(loading)
        self.download.setVisible(not loading)
        self.later.setVisible(not loading)
        self.download.setText(
            self.tr("Try again") if fetch.phase == "failed" else self.tr("Download")
        )
        self.download.setEnabled(self.agree.isChecked())
        self.download.setToolTip(
            "" if self.agree.isChecked() else self.tr("Agree to the licence first")
        )
        self._show_problem(fetch, offer)
        if loading:
            self._show_progress(fetch)

    def _show_problem(self, fetch: Fetch, offer: BackboneOffer) -> None:
        self.problem.setVisible(fetch.error is not None)
        if fetch.error is None:
            return
        what, why, remedy = translate_error(fetch.error)
        page = self.tr("Its page: {0}").format(offer.page)
        text = f"{what}: {why}." if why else f"{what}."
        self.problem.setText(f"{text} {remedy}\n{page}".strip())

    def _show_progress(self, fetch: Fetch) -> None:
        known = fetch.stage == "downloading" and fetch.total > 0
        self.progress.setRange(0, int(fetch.total) if known else 0)
        self.progress.setValue(int(fetch.done) if known else 0)
        if known:
            text = self.tr("{0} of {1}")
            self.amount.setText(
                text.format(formatting.memory(fetch.done), formatting.memory(fetch.total))
            )
        else:
            words = translate(fetch.stage or "connecting")
            self.amount.setText(f"{words[:1].upper()}{words[1:]}…")

    def _open_licence(self) -> None:
        if self._state.offer is not None:
            QDesktopServices.openUrl(QUrl(self._state.offer.licence_page))
