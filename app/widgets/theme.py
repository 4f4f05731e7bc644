"""Light and dark appearance: one style sheet with two sets of colours."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel
from shiboken6 import isValid

Appearance = Literal["system", "light", "dark"]

_SHEET = Path("style") / "window.qss"


@dataclass(frozen=True, kw_only=True)
class Colours:
    """The colours of an appearance, by their names in the style sheet.

    Text (``text``, ``muted``, ``accent``, ``error_border``, ``good``, ``warn``) has a contrast of
    4.5 or more on ``window``, ``surface`` and ``raised``, ``on_accent`` on both accents.
    """

    window: str
    surface: str
    raised: str
    border: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    on_accent: str
    notice: str
    notice_text: str
    error: str
    error_border: str
    good: str
    warn: str


DARK = Colours(
    window="#191c21",
    surface="#21252b",
    raised="#2b3038",
    border="#363d47",
    text="#e4e8ee",
    muted="#9aa5b4",
    accent="#559de6",
    accent_hover="#76b4f0",
    on_accent="#0c1320",
    notice="#3a3320",
    notice_text="#f0dca0",
    error="#3b2528",
    error_border="#e58790",
    good="#5fc487",
    warn="#e0b040",
)

LIGHT = Colours(
    window="#eef1f4",
    surface="#fbfcfd",
    raised="#ffffff",
    border="#cfd6de",
    text="#1c232c",
    muted="#566272",
    accent="#1d6fc0",
    accent_hover="#1a63ab",
    on_accent="#ffffff",
    notice="#fdf3d2",
    notice_text="#5e4a0c",
    error="#fcebec",
    error_border="#b5303e",
    good="#1e7a45",
    warn="#876200",
)


_R = QPalette.ColorRole
_ROLES: dict[str, tuple[QPalette.ColorRole, ...]] = {
    "window": (_R.Window,),
    "surface": (_R.Base,),
    "raised": (_R.AlternateBase, _R.Button, _R.ToolTipBase),
    "text": (_R.WindowText, _R.Text, _R.ButtonText, _R.ToolTipText),
    "muted": (_R.PlaceholderText,),
    "accent": (_R.Highlight, _R.Link),
    "on_accent": (_R.HighlightedText,),
}
"""Palette roles by colour."""


@dataclass
class _Choice:
    """The chosen appearance, and the function that applies it."""

    appearance: Appearance = "system"
    reapply: Callable[[], None] | None = None


_choice = _Choice()


def set_appearance(appearance: Appearance) -> None:
    """Set the appearance; takes effect at once, or with :func:`apply` if that comes later."""
    _choice.appearance = appearance
    schemes = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark}
    # Also changes title bars and native dialogs where the platform supports it.
    QGuiApplication.styleHints().setColorScheme(schemes.get(appearance, Qt.ColorScheme.Unknown))
    if _choice.reapply is not None:
        _choice.reapply()


def is_dark() -> bool:
    """True for the dark appearance, which is also used where the system states none."""
    if _choice.appearance != "system":
        return _choice.appearance == "dark"
    return QGuiApplication.styleHints().colorScheme() != Qt.ColorScheme.Light


def colours() -> Colours:
    """The colours in use."""
    return DARK if is_dark() else LIGHT


def apply(application: QApplication, resources: Path) -> None:
    """Apply palette and style sheet, now and whenever the system's appearance changes."""
    application.setStyle("Fusion")
    _choice.reapply = partial(_apply_now, application, resources)
    _choice.reapply()
    hints = QGuiApplication.styleHints()
    hints.colorSchemeChanged.connect(lambda _scheme: _apply_now(application, resources))


def _apply_now(application: QApplication, resources: Path) -> None:
    now = colours()
    application.setPalette(_palette(now))
    application.setStyleSheet(style_sheet(now, resources))
    for target, (name, role) in list(_icons.items()):
        if isValid(target):
            _draw_icon(target, name, role)


def style_sheet(now: Colours, resources: Path) -> str:
    """The style sheet with colours in place of their names (``@accent``)."""
    text = (resources / _SHEET).read_text(encoding="utf-8")
    for name, value in sorted(asdict(now).items(), key=lambda item: -len(item[0])):
        text = text.replace(f"@{name}", value)
    folder = (resources / _SHEET.parent).as_posix()
    return text.replace("%folder", folder).replace("%look", "dark" if now is DARK else "light")


def _palette(now: Colours) -> QPalette:
    palette = QPalette()
    for colour, roles in _ROLES.items():
        for role in roles:
            palette.setColor(role, QColor(getattr(now, colour)))
            if colour == "text":
                palette.setColor(QPalette.ColorGroup.Disabled, role, QColor(now.muted))
    return palette


def set_icon(target: QAction | QAbstractButton | QLabel, name: str, role: str = "text") -> None:
    """Set a Material Design icon in a colour of the theme; it follows changes of the theme.

    Args:
        target: action, button or label that shows the icon.
        name: name in the set, without its prefix.
        role: name of a colour in :class:`Colours`.
    """
    _icons[target] = (name, role)
    _draw_icon(target, name, role)


_icons: weakref.WeakKeyDictionary[QAction | QAbstractButton | QLabel, tuple[str, str]] = (
    weakref.WeakKeyDictionary()
)
_LABEL_ICON = 20


def _draw_icon(target: QAction | QAbstractButton | QLabel, name: str, role: str) -> None:
    # Imported late: it loads fonts, which requires a QApplication.
    import qtawesome

    now = colours()
    colour = getattr(now, role)
    # Checked buttons have an accent background; icons of actions are also shown in menus.
    pressed = now.on_accent if isinstance(target, QAbstractButton) else colour
    icon = qtawesome.icon(f"mdi6.{name}", color=colour, color_on=pressed, color_disabled=now.muted)
    if isinstance(target, QLabel):
        target.setPixmap(icon.pixmap(_LABEL_ICON, _LABEL_ICON))
    else:
        target.setIcon(icon)
