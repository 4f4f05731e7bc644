"""Checkable cards: one choice among several, with a title and a text."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from app.widgets import theme

_MARGIN = 10
_BADGE = 24
_ICON = 20
_LEAST = 150


class ChoiceCard(QAbstractButton):
    """A checkable button with a title, a text below it, and an icon or a number.

    With a number it is a step of a guide, and shows a tick once done.
    """

    def __init__(
        self,
        title: str,
        text: str = "",
        number: int = 0,
        parent: QWidget | None = None,
        *,
        icon: str = "",
    ) -> None:
        """Args: ``icon`` is a name in the Material Design set, "" for none; above the title."""
        super().__init__(parent)
        self.number = number
        self.done = False
        self.warns = False
        self._body = ""
        self.setText(title)
        if icon:
            theme.set_icon(self, icon, "accent")
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.set_body(text)

    @property
    def body(self) -> str:
        """The text below the title."""
        return self._body

    def set_body(self, text: str, *, done: bool = False, warns: bool = False) -> None:
        """Change the text below the title, and whether the card is done or needs attention."""
        changed = (text, done, warns) != (self._body, self.done, self.warns)
        self._body, self.done, self.warns = text, done, warns
        if changed or not self.accessibleName():
            self.setAccessibleName(f"{self.text()}. {text}" if text else self.text())
            self.updateGeometry()
            self.update()

    # --- size ------------------------------------------------------------------------------

    def _title_font(self) -> QFont:
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        return font

    def _indent(self) -> int:
        return _MARGIN + (_BADGE + 8 if self.number else 0)

    @property
    def _top(self) -> int:
        """Upper edge of the title, in px."""
        return _MARGIN + (0 if self.icon().isNull() else _ICON + 3)

    def _heights(self, width: int) -> tuple[int, int]:
        room = QRect(0, 0, max(40, width - self._indent() - _MARGIN), 10_000)
        wrap = int(Qt.TextFlag.TextWordWrap)
        title = QFontMetrics(self._title_font()).boundingRect(room, wrap, self.text()).height()
        body = self.fontMetrics().boundingRect(room, wrap, self._body).height()
        return title, body if self._body else 0

    def hasHeightForWidth(self) -> bool:
        """True: texts wrap."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Height of the wrapped texts at that width, in px."""
        title, body = self._heights(width)
        least = _BADGE if self.number else 0
        return max(least, title + (body + 3 if body else 0)) + self._top + _MARGIN

    def sizeHint(self) -> QSize:
        """As wide as the title, at least."""
        title = QFontMetrics(self._title_font()).horizontalAdvance(self.text())
        width = max(_LEAST, title + self._indent() + _MARGIN + 4)
        return QSize(width, self.heightForWidth(max(width, self.width())))

    def minimumSizeHint(self) -> QSize:
        """Below 150 px single words would be broken."""
        return QSize(_LEAST, self.heightForWidth(max(_LEAST, self.width())))

    def changeEvent(self, event: QEvent) -> None:
        """Repaint: colours and fonts of the theme may have changed."""
        super().changeEvent(event)
        self.update()

    def enterEvent(self, event: QEvent) -> None:
        """Repaint with the border of a hovered card."""
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        """Repaint with the normal border."""
        self.update()

    # --- painting --------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame, the icon or number, and the texts."""
        now = theme.colours()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen, alive = self.isChecked(), self.isEnabled()
        focused = self.hasFocus()
        edge = now.text if focused and chosen else now.accent if chosen or focused else now.border
        if alive and self.underMouse() and not chosen:
            edge = now.muted
        thick = 2.0 if chosen else 1.0
        painter.setPen(QPen(QColor(edge), thick))
        painter.setBrush(QColor(now.raised if chosen or self.isDown() else now.surface))
        inset = thick / 2
        frame = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        painter.drawRoundedRect(frame, 6, 6)
        if self.number:
            self._paint_badge(painter, now)
        self.icon().paint(painter, QRect(_MARGIN, _MARGIN, _ICON, _ICON))
        self._paint_texts(painter, QColor(now.text if alive else now.muted), now)

    def _paint_badge(self, painter: QPainter, now: theme.Colours) -> None:
        ring = QRectF(_MARGIN, _MARGIN, _BADGE, _BADGE)
        filled = self.isChecked() or self.done
        colour = QColor(now.error_border if self.warns else now.accent if filled else now.border)
        painter.setPen(QPen(colour, 1.5))
        painter.setBrush(colour if filled or self.warns else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(ring)
        painter.setPen(QColor(now.on_accent if filled or self.warns else now.text))
        painter.setFont(self._title_font())
        sign = "!" if self.warns else "✓" if self.done else str(self.number)
        painter.drawText(ring, int(Qt.AlignmentFlag.AlignCenter), sign)

    def _paint_texts(self, painter: QPainter, ink: QColor, now: theme.Colours) -> None:
        left, width = self._indent(), self.width()
        title, body = self._heights(width)
        room = QRect(left, self._top, width - left - _MARGIN, title)
        if self.number and not body:
            room.setHeight(_BADGE)
        painter.setPen(ink)
        painter.setFont(self._title_font())
        upright = Qt.AlignmentFlag.AlignVCenter if self.number else Qt.AlignmentFlag.AlignTop
        painter.drawText(room, int(Qt.TextFlag.TextWordWrap | upright), self.text())
        painter.setPen(QColor(now.error_border if self.warns else now.muted))
        painter.setFont(self.font())
        below = QRect(left, self._top + title + 3, width - left - _MARGIN, body)
        painter.drawText(below, int(Qt.TextFlag.TextWordWrap), self._body)
