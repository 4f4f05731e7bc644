"""Labels and combo boxes that elide their text where it does not fit."""

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
    """A line of text, elided where necessary; the whole text is the tooltip."""

    def __init__(
        self,
        text: str = "",
        parent: QWidget | None = None,
        mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
    ) -> None:
        """
        Args:
            mode: where the text is elided; the middle suits file names, which differ at the end.
        """
        super().__init__(parent)
        self._mode = mode
        self._first = self._short = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)

    def set_mode(self, mode: Qt.TextElideMode) -> None:
        """Change where the text is elided."""
        self._mode = mode
        self.update()

    def setText(self, text: str, first: str = "", short: str = "") -> None:
        """Show ``text``.

        Args:
            first: a name at its beginning, shown alone where the rest does not fit.
            short: the most important part, shown where the name does not fit either.
        """
        self._first, self._short = first, short
        super().setText(text)
        self.setToolTip(text)

    def shown_text(self, room: int) -> str:
        """The text shown in a width of ``room`` px."""
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
        """Width of the name in px; 0 without one."""
        return self.fontMetrics().horizontalAdvance(self._first) + 2 if self._first else 0

    def minimumSizeHint(self) -> QSize:
        """Zero width: the text can always be elided."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the elided text."""
        painter = QPainter(self)
        room = self.contentsRect()
        flags = int(Qt.AlignmentFlag.AlignVCenter | self.alignment())
        painter.drawText(room, flags, self.shown_text(room.width()))


class ElidedComboBox(QComboBox):
    """A combo box of a small minimum width, in letters; longer choices are elided."""

    def __init__(self, letters: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumContentsLength(letters)
        adjust = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        self.setSizeAdjustPolicy(adjust)

    def width_of_choice(self) -> int:
        """Width of the whole current text in px."""
        letters = self.fontMetrics().horizontalAdvance("X") * self.minimumContentsLength()
        frame = self.sizeHint().width() - letters
        return frame + self.fontMetrics().horizontalAdvance(self.currentText())

    def shown_text(self) -> str:
        """The text shown, elided if necessary."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        part = QStyle.SubControl.SC_ComboBoxEditField
        field = self.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, part, self)
        # The style adds a pixel at either side of the text.
        room, end = field.width() - 2, Qt.TextElideMode.ElideRight
        return self.fontMetrics().elidedText(self.currentText(), end, room)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the elided text."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = self.shown_text()
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)


class ShrinkingComboBox(ElidedComboBox):
    """A combo box that prefers the width of its longest text, and can shrink to a few letters."""

    def __init__(self, letters: int, most: int, parent: QWidget | None = None) -> None:
        """
        Args:
            letters: minimum width in letters.
            most: maximum preferred width in px.
        """
        super().__init__(letters, parent)
        self._most = most

    def sizeHint(self) -> QSize:
        """Wide enough for every text, up to the maximum."""
        hint, metrics = super().sizeHint(), self.fontMetrics()
        letters = metrics.horizontalAdvance("X") * self.minimumContentsLength()
        texts = (metrics.horizontalAdvance(self.itemText(k)) for k in range(self.count()))
        width = hint.width() - letters + max(letters, *texts, 0) + 4
        return QSize(max(min(width, self._most), hint.width()), hint.height())

    def minimumSizeHint(self) -> QSize:
        """Wide enough for a few letters."""
        return QSize(super().sizeHint().width(), super().minimumSizeHint().height())
