"""What of a German window is still English: its texts held against those of the code."""

from __future__ import annotations

import re
from functools import cache

from PySide6.QtCore import QAbstractListModel, QModelIndex, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QComboBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QTabBar,
    QWidget,
)

from tests.app.catalogue import german_texts

_ROOT = QModelIndex()
_FRAGMENT = 9
"""Letters from which a piece of a sentence says by itself that it is English."""


@cache
def english() -> tuple[frozenset[str], frozenset[str]]:
    """Whole texts that are English only, and pieces between placeholders that are."""
    known = german_texts()
    german = [done for _, done in known]
    translations = " ¶ ".join(german)
    whole = {source for source, done in known if done and source != done}
    whole -= set(german)
    pieces = {
        piece
        for text in whole
        for line in re.split(r"\{[^}]*\}|\n", text)
        if len(piece := line.strip(" .,:;()“”")) >= _FRAGMENT
        and " " in piece
        and piece not in translations
    }
    return frozenset(whole), frozenset(pieces)


def english_in(text: str) -> str:
    """The English that is in ``text``, or ""."""
    whole, pieces = english()
    for line in re.split(r"\n| · ", text):
        if line.replace("&", "").strip() in whole:
            return line
    return next((piece for piece in pieces if piece in text), "")


def left_over(root: QWidget) -> dict[str, str]:
    """English in what is seen in ``root``, or said of it, by the text it is in."""
    QApplication.processEvents()
    found = {}
    for text in dict.fromkeys(_texts(root)):
        if said := english_in(text):
            found[text] = said
    return found


def _texts(root: QWidget) -> list[str]:
    texts: list[str] = []
    for widget in (root, *root.findChildren(QWidget)):
        if not widget.isVisible():
            continue
        texts += [widget.toolTip(), widget.accessibleName(), widget.accessibleDescription()]
        texts += _own(widget)
    return [text for text in texts if text]


def _own(widget: QWidget) -> list[str]:
    if isinstance(widget, (QLabel, QAbstractButton)):
        return [widget.text()]
    if isinstance(widget, QComboBox):
        tips = (widget.itemData(k, Qt.ItemDataRole.ToolTipRole) for k in range(widget.count()))
        return [*(widget.itemText(k) for k in range(widget.count())), *(str(t or "") for t in tips)]
    if isinstance(widget, QLineEdit):
        return [widget.text(), widget.placeholderText()]
    if isinstance(widget, QGroupBox):
        return [widget.title()]
    if isinstance(widget, QTabBar):
        return [widget.tabText(k) for k in range(widget.count())]
    return _cells(widget) if isinstance(widget, QAbstractItemView) else []


def _cells(view: QAbstractItemView) -> list[str]:
    model = view.model()
    if model is None:
        return []
    texts = []
    roles = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole)
    columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(_ROOT)
    for column in range(columns):
        texts.append(model.headerData(column, Qt.Orientation.Horizontal))
        for row in range(model.rowCount(_ROOT)):
            texts += [model.index(row, column).data(role) for role in roles]
    return [text for text in texts if isinstance(text, str)]
