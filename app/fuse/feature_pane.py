"""The pane that shows the adapter features of A or B."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QToolButton, QWidget

from app.viewer.display_state import FeatureView
from app.viewer.number_box import CountBox
from app.viewer.pane import Pane
from app.viewer.view_link import ViewLink
from app.widgets.elided_label import ElidedComboBox


class FeaturePane(Pane):
    """A pane with selectors for adapter, view and channel.

    View and channel are in the header, or in a row of their own where the header is too narrow.
    """

    view_chosen = Signal(object)
    """A :class:`app.viewer.display_state.FeatureView`."""

    def __init__(self, name: str, link: ViewLink, parent: QWidget | None = None) -> None:
        super().__init__(name, link, parent)
        self.adapter_a = self._adapter_button("A", self.tr("Features of source A"))
        self.adapter_b = self._adapter_button("B", self.tr("Features of source B"))
        self.mode = ElidedComboBox(7)
        self.mode.addItem(self.tr("Colours"), "pca")
        self.mode.addItem(self.tr("Mean"), "mean")
        self.mode.addItem(self.tr("Channel"), "channel")
        self.mode.setAccessibleName(self.tr("Feature view"))
        self.mode.setToolTip(
            self.tr(
                "Colours: the three main directions of all channels as red, green and blue, the "
                "same for A and B.\nMean: average of all channels.\nChannel: one channel alone."
            )
        )
        self.channel = CountBox()
        self.channel.setAccessibleName(self.tr("Feature channel"))
        self.channel.setToolTip(self.tr("Which channel"))
        self.channel.setRange(0, 0)
        self.channel.setFixedWidth(58)
        # The title has to be readable in the narrowest pane, too; this pane shows no info.
        self.header.setSpacing(4)
        self.info.hide()
        self.header.insertStretch(self.header.indexOf(self.info), 1)
        self.choices = QWidget()
        row = QHBoxLayout(self.choices)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(self.header.spacing())
        row.addWidget(self.mode, 1)
        row.addWidget(self.channel)
        for widget in (self.adapter_a, self.adapter_b, self.choices):
            self.header.insertWidget(self.header.indexOf(self.maximise_button), widget)
        self.adapter_a.setChecked(True)
        self.adapter_a.toggled.connect(self._choose)
        self.mode.currentIndexChanged.connect(self._choose)
        self.channel.valueChanged.connect(self._choose)
        self.set_channels(0)

    def _adapter_button(self, letter: str, tip: str) -> QToolButton:
        button = QToolButton()
        button.setText(letter)
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        button.setCheckable(True)
        button.setAutoExclusive(True)
        return button

    @property
    def view(self) -> FeatureView:
        """The selected view."""
        return FeatureView(
            "a" if self.adapter_a.isChecked() else "b",
            self.mode.currentData(),
            self.channel.value(),
        )

    def set_channels(self, count: int) -> None:
        """Set the number of channels; 0 disables the selectors and keeps the selection."""
        if count:
            with QSignalBlocker(self.channel):
                self.channel.setRange(0, count - 1)
        for widget in (self.adapter_a, self.adapter_b, self.mode, self.channel):
            widget.setEnabled(count > 0)
        self._show_channel()

    def show_view(self, view: FeatureView) -> None:
        """Show a view that was selected elsewhere."""
        if view == self.view:
            return
        blocked = [QSignalBlocker(w) for w in (self.adapter_a, self.mode, self.channel)]
        (self.adapter_a if view.adapter == "a" else self.adapter_b).setChecked(True)
        self.mode.setCurrentIndex(self.mode.findData(view.mode))
        self.channel.setValue(view.channel)
        for blocker in blocked:
            blocker.unblock()
        self._show_channel()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the selectors according to the width."""
        super().resizeEvent(event)
        self._place_choices()

    def _show_channel(self) -> None:
        self.channel.setVisible(self.mode.currentData() == "channel")
        self._place_choices()

    def _place_choices(self) -> None:
        outer, row = self.layout(), self.choices.layout()
        if not isinstance(outer, QBoxLayout) or row is None:
            return
        shown = [self.title, self.adapter_a, self.adapter_b, self.mode, self.maximise_button]
        if not self.channel.isHidden():
            shown.append(self.channel)
        margins = self.header.contentsMargins()
        needed = sum(widget.sizeHint().width() + self.header.spacing() for widget in shown)
        fits = needed + margins.left() + margins.right() <= self.width()
        if fits == (self.header.indexOf(self.choices) >= 0):
            return
        if fits:
            outer.removeWidget(self.choices)
            row.setContentsMargins(0, 0, 0, 0)
            self.header.insertWidget(self.header.indexOf(self.maximise_button), self.choices)
        else:
            self.header.removeWidget(self.choices)
            row.setContentsMargins(margins.left(), 0, margins.right(), margins.bottom())
            outer.insertWidget(1, self.choices)

    def _choose(self, *_: object) -> None:
        self._show_channel()
        self.view_chosen.emit(self.view)
