"""What the mouse does in a picture: the table the canvas acts by and the key sheet lists."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt

_BUTTON = Qt.MouseButton

DRAGS = {
    (_BUTTON.LeftButton, False): "window",
    (_BUTTON.LeftButton, True): "pan",
    (_BUTTON.MiddleButton, False): "pan",
    (_BUTTON.MiddleButton, True): "pan",
    (_BUTTON.RightButton, False): "zoom",
    (_BUTTON.RightButton, True): "zoom",
}
"""Button and Shift → what dragging does. Near its line, a plain left drag moves the curtain."""


def drag_of(button: Qt.MouseButton, *, shift: bool) -> str:
    """“window”, “pan”, “zoom”, or "" for a button that does nothing."""
    return DRAGS.get((button, shift), "")


def _tr(text: str) -> str:
    return QCoreApplication.translate("gestures", text)


def in_a_picture() -> list[tuple[str, str]]:
    """What can be done, and how, for people."""
    names = {
        (_BUTTON.LeftButton, False): _tr("Left drag"),
        (_BUTTON.LeftButton, True): _tr("Shift + left drag"),
        (_BUTTON.MiddleButton, False): _tr("Middle drag"),
        (_BUTTON.RightButton, False): _tr("Right drag"),
    }
    by = {
        done: [name for key, name in names.items() if DRAGS[key] == done]
        for done in ("window", "pan", "zoom")
    }
    return [
        (_tr("Zoom about the pointer"), ", ".join((_tr("Wheel"), *by["zoom"]))),
        (_tr("Window (sideways) and level (up and down)"), ", ".join(by["window"])),
        (_tr("Move the pictures"), ", ".join((*by["pan"], _tr("arrow keys")))),
        (_tr("Move the curtain"), _tr("Left drag on its line")),
        (_tr("Fit"), _tr("Double click")),
        (_tr("Closer, farther"), "+, −"),
    ]


def elsewhere() -> list[tuple[str, str]]:
    """The same of what lies around the pictures."""
    return [
        (_tr("Open two pictures, or a list of pairs"), _tr("Drop files or folders on the window")),
        (_tr("Replace A or B"), _tr("Drop one file on its pane")),
        (_tr("Change the window in the histogram"), _tr("Drag an end of it, or its middle")),
        (_tr("Enlarge a feature channel"), _tr("Click")),
        (_tr("Open a pair of the list"), _tr("Click")),
    ]
