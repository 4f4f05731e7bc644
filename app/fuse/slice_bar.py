"""The row below the panes of volumes: plane, slice slider and its position in millimetres."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSlider,
    QSpinBox,
    QToolButton,
    QWidget,
)

from app.fuse.slice_view import SliceView
from app.i18n.numbers import number
from app.i18n.translate import plural, tr
from core.geometry.planes import PLANES, PlaneName

_ARROWS = 30
"""Pixels of a frame box beside its text."""
_SHORTEST = 36
"""Pixels that the slider has at least."""


def plane_title(plane: PlaneName) -> str:
    """The name of a plane for people."""
    return {"axial": tr("Axial"), "coronal": tr("Coronal"), "sagittal": tr("Sagittal")}[plane]


class SliceBar(QWidget):
    """Shows a slice among those of its plane; requests of the person are emitted as signals."""

    slice_chosen = Signal(int)
    plane_chosen = Signal(str)
    played = Signal(bool)
    """Whether slices are to follow each other by themselves."""
    mark_toggled = Signal()
    """The slice on show is to become a key image, or none any more."""
    mark_chosen = Signal(str, int)
    """Plane and index of a key image that is to be shown."""
    frame_chosen = Signal(int, int)
    """Of A (0) or B (1), the frame that is to be read, from 0."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.planes: dict[PlaneName, QToolButton] = {}
        group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for plane in PLANES:
            button = self.planes[plane] = QToolButton()
            button.setText(plane_title(plane))
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(lambda _=False, plane=plane: self.plane_chosen.emit(plane))
            group.addButton(button)
            layout.addWidget(button)
        self.play = QToolButton()
        self.play.setText("▶")
        self.play.setCheckable(True)
        self.play.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.play.setAccessibleName(self.tr("Play slices"))
        self.play.setToolTip(self.tr("Play slices"))
        self.play.toggled.connect(self.played)
        layout.addWidget(self.play)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName(self.tr("Slice"))
        self.slider.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.slider.setPageStep(10)
        self.slider.setMinimumWidth(_SHORTEST)
        self.slider.valueChanged.connect(self.slice_chosen)
        self.label = QLabel()
        self.label.setObjectName("hint")
        self.label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.mark = self._mark_button()
        layout.addWidget(self.mark)
        layout.addWidget(self.slider, 1)
        layout.addWidget(self.label)
        self.frames = (self._frame_box(0), self._frame_box(1))
        for box in self.frames:
            layout.addWidget(box)
        self.hide()

    def _mark_button(self) -> QToolButton:
        button = QToolButton()
        button.setText("☆")
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        button.setMenu(QMenu(button))
        button.setAccessibleName(self.tr("Key image"))
        button.clicked.connect(lambda: self.mark_toggled.emit())
        return button

    def show_marks(self, view: SliceView, marks: Sequence[tuple[PlaneName, int]]) -> None:
        """Show whether the slice is a key image, and list those of the study."""
        is_marked = (view.plane, view.index) in marks
        self.mark.setText("★" if is_marked else "☆")
        self.mark.setChecked(is_marked)
        count = plural("{0} key image", "{0} key images", len(marks)).format(len(marks))
        self.mark.setToolTip(self.tr("Mark this slice as a key image ({0})").format(count))
        menu = self.mark.menu()
        menu.clear()
        for plane, index in marks:
            text = self.tr("{0}, slice {1}").format(plane_title(plane), index + 1)
            action = menu.addAction(text)
            action.triggered.connect(
                lambda _=False, plane=plane, index=index: self.mark_chosen.emit(plane, index)
            )
        if not marks:
            menu.addAction(self.tr("No key images yet")).setEnabled(False)

    def _frame_box(self, side: int) -> QSpinBox:
        """Shows and chooses the frame of a source; hidden where there is only one."""
        box = QSpinBox()
        title = self.tr("Frame of {0}").format("AB"[side])
        box.setAccessibleName(title)
        box.setToolTip(title)
        box.setPrefix(f"{'AB'[side]} ")
        box.setKeyboardTracking(False)
        box.valueChanged.connect(lambda value: self.frame_chosen.emit(side, value - 1))
        box.hide()
        return box

    def show_frames(self, frames: tuple[int, int], counts: tuple[int, int]) -> None:
        """Show which frames of A and B are on show or being read, and how many there are."""
        for box, frame, count in zip(self.frames, frames, counts, strict=True):
            with QSignalBlocker(box):
                box.setRange(1, count)
                box.setSuffix(f"/{count}")
                box.setValue(frame + 1)
            texts = self.fontMetrics().horizontalAdvance(f"{box.prefix()}{count}{box.suffix()}")
            box.setFixedWidth(texts + _ARROWS)
            box.setVisible(count > 1)

    def show_slice(self, view: SliceView | None) -> None:
        """Show a slice; None hides the row."""
        self.setVisible(view is not None)
        if view is None:
            self.play.setChecked(False)
            return
        self.planes[view.plane].setChecked(True)
        with QSignalBlocker(self.slider):
            self.slider.setRange(0, view.count - 1)
            self.slider.setValue(view.index)
        widest = f"{view.count} / {view.count}  −000.0 mm"
        self.label.setMinimumWidth(self.fontMetrics().horizontalAdvance(widest))
        position = number(view.position, ".1f").replace("-", "−")
        self.label.setText(f"{view.index + 1} / {view.count}  {position} mm")
        tip = self.tr("Slice {0} of {1}, at {2} mm").format(view.index + 1, view.count, position)
        self.slider.setToolTip(tip)
