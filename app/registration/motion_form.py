"""The numbers of a transform: how far the moving source is moved on the fixed one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QFormLayout, QWidget

from app.registration.state import AlignState
from app.viewer.number_box import NumberBox
from app.widgets.forms import centre_labels

_MOST = 1e5


class MotionForm(QWidget):
    """Shows and changes the motion of an :class:`AlignState`: of pictures, or of volumes."""

    def __init__(self, state: AlignState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._add_pictures()
        self._add_volumes()
        centre_labels(self._form)

    def _add_pictures(self) -> None:
        state = self._state
        shift = self.tr("Drag the picture, or arrow keys; Shift for tenfold steps")
        turn = self.tr("Clockwise. Drag with Ctrl, or Ctrl with left and right")
        grow = self.tr("Drag with Ctrl and Shift, or Ctrl with up and down")
        self.right = self._add(self.tr("Right"), " px", 1.0, shift)
        self.down = self._add(self.tr("Down"), " px", 1.0, shift)
        self.angle = self._add(self.tr("Rotation"), "°", 0.1, turn)
        self.scale = self._add(self.tr("Scale"), " %", 0.1, grow)
        self.scale.setRange(1, 10_000)
        self._on(self.right, lambda x: state.set_motion(shift=(x, state.parts.shift[1])))
        self._on(self.down, lambda y: state.set_motion(shift=(state.parts.shift[0], y)))
        self._on(self.angle, lambda degrees: state.set_motion(angle=degrees))
        self._on(self.scale, lambda percent: state.set_motion(scale=percent / 100))

    def _add_volumes(self) -> None:
        shift = self.tr("Drag in a slice, or arrow keys; Shift for tenfold steps")
        turn = self.tr("Drag in a slice with Ctrl, or Ctrl with left and right")
        self.shifts = [
            self._add(name, " mm", 1.0, shift)
            for name in (self.tr("Left"), self.tr("Back"), self.tr("Head"))
        ]
        self.angles = [
            self._add(name, "°", 0.1, turn)
            for name in (self.tr("Around x"), self.tr("Around y"), self.tr("Around z"))
        ]
        for axis in range(3):
            self._on(self.shifts[axis], partial(self._set_shift, axis))
            self._on(self.angles[axis], partial(self._set_angle, axis))

    def _add(self, name: str, suffix: str, step: float, tip: str) -> NumberBox:
        box = NumberBox()
        most = 180 if suffix == "°" else _MOST
        box.setRange(-most, most)
        box.setDecimals(2)
        box.setSingleStep(step)
        box.setSuffix(suffix)
        box.setWrapping(suffix == "°")
        box.setKeyboardTracking(False)
        box.setAccessibleName(name)
        box.setToolTip(tip)
        self._form.addRow(name, box)
        return box

    def _on(self, box: NumberBox, then: Callable[[float], object]) -> None:
        box.valueChanged.connect(lambda value: then(value) if self._state.is_active else None)

    def _set_shift(self, axis: int, value: float) -> None:
        shift = list(self._state.parts.shift)
        shift[axis] = value
        self._state.set_volume_motion(shift=shift)

    def _set_angle(self, axis: int, value: float) -> None:
        angles = list(self._state.parts.angles)
        angles[axis] = value
        self._state.set_volume_motion(angles=angles)

    def show_motion(self) -> None:
        """Show the motion so far."""
        parts, of_volumes = self._state.parts, self._state.view is not None
        pictures = (self.right, self.down, self.angle, self.scale)
        volumes = (*self.shifts, *self.angles)
        for boxes, there in ((pictures, not of_volumes), (volumes, of_volumes)):
            for box in boxes:
                self._form.setRowVisible(box, there)
        if of_volumes:
            values = [*parts.shift, *parts.angles]
        else:
            values = [*parts.shift, *parts.angles, 100 * parts.scale]
        for box, value in zip(volumes if of_volumes else pictures, values, strict=True):
            with QSignalBlocker(box):
                box.setValue(value)
