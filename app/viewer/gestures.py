"""The mouse gestures of an image, for the canvas and for the shortcut sheet."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.i18n.translate import tr

_BUTTON = Qt.MouseButton

DRAGS = {
    (_BUTTON.LeftButton, False): "window",
    (_BUTTON.LeftButton, True): "pan",
    (_BUTTON.MiddleButton, False): "pan",
    (_BUTTON.MiddleButton, True): "pan",
    (_BUTTON.RightButton, False): "zoom",
    (_BUTTON.RightButton, True): "zoom",
}
"""What dragging does, by button and Shift. Left near a divider, it moves the divider instead."""


def drag_of(button: Qt.MouseButton, *, shift: bool) -> str:
    """The effect of a drag: “window”, “pan”, “zoom”, or "" for none."""
    return DRAGS.get((button, shift), "")


def image_gestures() -> list[tuple[str, str]]:
    """The gestures in an image, as (effect, gesture) to show to people."""
    names = {
        (_BUTTON.LeftButton, False): tr("Left drag"),
        (_BUTTON.LeftButton, True): tr("Shift + left drag"),
        (_BUTTON.MiddleButton, False): tr("Middle drag"),
        (_BUTTON.RightButton, False): tr("Right drag"),
    }
    by = {
        done: [name for key, name in names.items() if DRAGS[key] == done]
        for done in ("window", "pan", "zoom")
    }
    return [
        (tr("Zoom about the pointer"), ", ".join((tr("Wheel"), *by["zoom"]))),
        (tr("Change the slice of volumes; with Ctrl, zoom"), tr("Wheel")),
        (tr("Link the planes of volumes at a place"), tr("Click")),
        (tr("Window (sideways) and level (up and down)"), ", ".join(by["window"])),
        (tr("Move the pictures"), ", ".join((*by["pan"], tr("arrow keys")))),
        (tr("Move the curtain"), tr("Left drag on its line")),
        (tr("Fit"), tr("Double click")),
        (tr("Closer, farther"), "+, −"),
    ]


def align_gestures() -> list[tuple[str, str]]:
    """The gestures in the picture that is aligned, as (effect, gesture) to show to people."""
    return [
        (tr("Shift the picture"), ", ".join((tr("Left drag"), tr("arrow keys")))),
        (tr("Turn the picture"), tr("Ctrl + left drag, Ctrl + left and right")),
        (tr("Scale the picture"), tr("Ctrl + Shift + left drag, Ctrl + up and down")),
        (tr("Tenfold steps"), tr("Shift with the arrow keys")),
        (tr("Mark a point, where points are marked"), tr("Click")),
    ]


def region_gestures() -> list[tuple[str, str]]:
    """The gestures of regions, as (effect, gesture) to show to people."""
    return [
        (tr("Draw with the chosen tool"), tr("Left drag")),
        (tr("Put a region of the usual size"), ", ".join((tr("Click"), tr("Enter")))),
        (
            tr("Move the selected region"),
            ", ".join((tr("Left drag on its line"), tr("arrow keys"))),
        ),
        (tr("Resize it"), tr("Left drag on a handle, Ctrl + arrow keys")),
        (tr("Next handle"), "."),
        (tr("Tenfold steps"), tr("Shift with the arrow keys")),
        (tr("Delete it"), tr("Del")),
    ]


def other_gestures() -> list[tuple[str, str]]:
    """The gestures outside images, as (effect, gesture) to show to people."""
    return [
        (tr("Open two pictures, or a list of pairs"), tr("Drop files or folders on the window")),
        (tr("Replace A or B"), tr("Drop one file on its pane")),
        (tr("Change the window in the histogram"), tr("Drag an end of it, or its middle")),
        (tr("Enlarge a feature channel"), tr("Click")),
        (tr("Open a pair of the list"), tr("Click")),
    ]
