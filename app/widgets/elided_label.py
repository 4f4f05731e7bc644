"""Texts that give way: as much is shown as there is room for."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)


class ElidedLabel(QLabel):
    """One line, cut with an ellipsis where it must be; the whole text is its tooltip."""

    def __init__(
        self,
        text: str = "",
        parent: QWidget | None = None,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        """
        Args:
            mode: where it is cut; in the middle for file names, whose ends tell them apart.
        """
        super().__init__(parent)
        self._mode = mode
        self._first = self._short = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def set_mode(self, mode: Qt.TextElideMode) -> None:
        """Cut elsewhere."""
        self._mode = mode
        self.update()

    def setText(self, text: str, first: str = "", short: str = "") -> None:
        """Show ``text``.

        Args:
            first: its beginning, a name that is to be read where there is no room for the rest.
            short: as much of it as tells most, where there is no room for that either.
        """
        self._first, self._short = first, short
        super().setText(text)
        self.setToolTip(text)

    def shown_text(self, room: int) -> str:
        """What is shown in ``room`` pixels."""
        metrics, right = self.fontMetrics(), Qt.TextElideMode.ElideRight
        if metrics.horizontalAdvance(self.text()) <= room:
            return self.text()
        if not self._first:
            return metrics.elidedText(self.text(), self._mode, room)
        if metrics.horizontalAdvance(f"{self._first} …") <= room:
            return metrics.elidedText(self.text(), right, room)
        if metrics.horizontalAdvance(self._first) <= room:
            return self._first
        return metrics.elidedText(self._short or self._first, self._mode, room)

    def width_of_name(self) -> int:
        """Pixels in which the name can be read; 0 where there is none."""
        return self.fontMetrics().horizontalAdvance(self._first) + 2 if self._first else 0

    def minimumSizeHint(self) -> QSize:
        """No width at all, if need be."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the part that fits."""
        painter = QPainter(self)
        room = self.contentsRect()
        flags = int(Qt.AlignmentFlag.AlignVCenter | self.alignment())
        painter.drawText(room, flags, self.shown_text(room.width()))


class ElidedComboBox(QComboBox):
    """Takes the width of a few letters at least; a choice that is longer ends in an ellipsis."""

    def __init__(self, letters: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumContentsLength(letters)
        adjust = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.setSizeAdjustPolicy(adjust)

    def width_of_choice(self) -> int:
        """Pixels in which the whole choice can be read."""
        letters = self.fontMetrics().horizontalAdvance("X") * self.minimumContentsLength()
        frame = self.sizeHint().width() - letters
        return frame + self.fontMetrics().horizontalAdvance(self.currentText())

    def shown_text(self) -> str:
        """What there is room for."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        field = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self)
        # The style keeps a pixel on either side of the text.
        room, end = field.width() - 2, Qt.TextElideMode.ElideRight
        return self.fontMetrics().elidedText(self.currentText(), end, room)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the part that fits."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = self.shown_text()
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


class ShrinkingComboBox(ElidedComboBox):
    """Shows the longest of its texts where there is room, else as few letters as must be."""

    def __init__(self, letters: int, most: int, parent: QWidget | None = None) -> None:
        """
        Args:
            letters: those that are always seen.
            most: pixels it asks for at most.
        """
        super().__init__(letters, parent)
        self._most = most

    def sizeHint(self) -> QSize:
        """Room for every text."""
        hint, metrics = super().sizeHint(), self.fontMetrics()
        letters = metrics.horizontalAdvance("X") * self.minimumContentsLength()
        texts = (metrics.horizontalAdvance(self.itemText(k)) for k in range(self.count()))
        width = hint.width() - letters + max(letters, *texts, 0) + 4
        return QSize(max(min(width, self._most), hint.width()), hint.height())

    def minimumSizeHint(self) -> QSize:
        """Room for a few letters."""
        return QSize(super().sizeHint().width(), super().minimumSizeHint().height())
