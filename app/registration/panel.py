"""The panel of aligning: the transform in numbers, registration, points, and what to do with it."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QListWidget,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.i18n.numbers import filled, number
from app.i18n.translate import translate, translate_error
from app.registration.controller import AlignController
from app.registration.motion_form import MotionForm
from app.registration.verdict import verdict_card
from app.widgets.cards import CardStack, text_label
from app.widgets.elided_label import ShrinkingComboBox
from app.widgets.forms import centre_labels
from core.types import KIND_NAMES, TRANSFORM_KINDS

_WIDEST = 400
"""Pixels of a list of choices."""


class AlignPanel(QWidget):
    """Shows an :class:`AlignState`; requests go to its controller or are emitted as signals."""

    def __init__(self, align: AlignController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._align = align
        self._state = align.state
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(8, 8, 8, 8)
        self.column.setSpacing(8)
        self._add_choices()
        self._add_numbers()
        self._add_registration()
        self._add_points()
        self._add_files()
        self._add_end()
        self.column.addStretch(1)
        self._state.edited.connect(self._show)
        self._state.view_changed.connect(self._show)
        self._state.active_changed.connect(self._show)
        align.work_changed.connect(self._show)

    # --- parts -----------------------------------------------------------------------------

    def _form(self) -> QFormLayout:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.column.addLayout(form)
        return form

    def _add_choices(self) -> None:
        self.moving, self.kind = ShrinkingComboBox(2, _WIDEST), ShrinkingComboBox(2, _WIDEST)
        for side, text in (("b", self.tr("B onto A")), ("a", self.tr("A onto B"))):
            self.moving.addItem(text, side)
        self.moving.setToolTip(self.tr("Which source is moved; the pixels of the other one stay"))
        self.moving.activated.connect(lambda: self._state.set_moving(self.moving.currentData()))
        self._offer_kinds(False)
        self.kind.setToolTip(
            self.tr(
                "What registration and points may change: shift; and rotation; and scale; "
                "and shear; and perspective. Fewer are more reliable."
            )
        )
        self.kind.activated.connect(lambda: self._state.set_kind(self.kind.currentData()))
        form = self.choices = self._form()
        for name, box in ((self.tr("Move"), self.moving), (self.tr("Kind"), self.kind)):
            box.setAccessibleName(name)
            form.addRow(name, box)
        centre_labels(form)

    def _offer_kinds(self, of_volumes: bool) -> None:
        """List the kinds of transforms; there are no homographies of volumes."""
        kinds = [kind for kind in TRANSFORM_KINDS if not (of_volumes and kind == "homography")]
        if kinds == [self.kind.itemData(n) for n in range(self.kind.count())]:
            return
        with QSignalBlocker(self.kind):
            self.kind.clear()
            for kind in kinds:
                name = translate(KIND_NAMES[kind])
                self.kind.addItem(name[:1].upper() + name[1:], kind)

    def _add_numbers(self) -> None:
        self.numbers = MotionForm(self._state)
        self.column.addWidget(self.numbers)

    def _add_registration(self) -> None:
        self.register = QPushButton(self.tr("Register automatically"))
        self.register.setToolTip(self.tr("Estimate the transform from the two pictures"))
        self.register.clicked.connect(self._align.register)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(self.tr("Progress of the registration"))
        self.stage = text_label()
        self.cancel = QPushButton(self.tr("Cancel"))
        self.cancel.clicked.connect(self._align.cancel)
        row = QHBoxLayout()
        row.addWidget(self.progress, 1)
        row.addWidget(self.cancel)
        self.verdict = CardStack()
        self.column.addWidget(self.register)
        self.column.addWidget(self.stage)
        self.column.addLayout(row)
        self.column.addWidget(self.verdict)
        self._shown_verdict: object = None

    def _add_points(self) -> None:
        self.marking = QPushButton(self.tr("Mark points"))
        self.marking.setCheckable(True)
        self.marking.setToolTip(
            self.tr("Click the same place in both pictures at the right, three times or more")
        )
        self.marking.clicked.connect(self._state.mark_points)
        self.points = _PointList()
        self.points.setAccessibleName(self.tr("Points"))
        self.points.setToolTip(self.tr("Points and what the transform leaves there; Del removes"))
        self.points.removed.connect(self._state.remove_landmark)
        self.points_text = text_label()
        self.remove = QPushButton(self.tr("Remove point"))
        self.remove.clicked.connect(lambda: self._state.remove_landmark(self.points.currentRow()))
        self.points.currentRowChanged.connect(lambda row: self.remove.setEnabled(row >= 0))
        self.points.itemActivated.connect(lambda: self._align.look_at(self.points.currentRow()))
        self.points.itemClicked.connect(lambda: self._align.look_at(self.points.currentRow()))
        for widget in (self.marking, self.points_text, self.points, self.remove):
            self.column.addWidget(widget)

    def _add_files(self) -> None:
        self.more = QPushButton(self.tr("Files and rigs"))
        self.more.setToolTip(
            self.tr("Take a transform from a file or a rig of two cameras, or keep this one")
        )
        self.column.addWidget(self.more)

    def _add_end(self) -> None:
        self.crop = QCheckBox(self.tr("Crop to the overlap"))
        self.crop.setToolTip(
            self.tr("Cut both pictures to the largest rectangle without an empty border")
        )
        self.crop.clicked.connect(self._align.set_crop)
        self.before = QCheckBox(self.tr("Show before"))
        self.before.clicked.connect(self._state.show_before)
        self.accept = QPushButton(self.tr("Accept"))
        self.accept.setObjectName("fuseButton")
        self.accept.setToolTip(self.tr("Read the pair with this transform, and fuse it"))
        self.reset = QPushButton(self.tr("Reset"))
        self.reset.setToolTip(self.tr("Lay both on each other as their files are"))
        self.close_button = QPushButton(self.tr("Close"))
        self.close_button.setToolTip(self.tr("Leave the pair as it is"))
        self.accept.clicked.connect(self._align.accept)
        self.reset.clicked.connect(self._state.reset)
        self.close_button.clicked.connect(self._align.leave)
        self.column.addWidget(self.before)
        self.column.addWidget(self.crop)
        self.end = QWidget()
        """The buttons that end aligning, to be shown below the rest whatever its height."""
        grid = QGridLayout(self.end)
        grid.setContentsMargins(8, 4, 8, 8)
        grid.addWidget(self.accept, 0, 0, 1, 2)
        grid.addWidget(self.reset, 1, 0)
        grid.addWidget(self.close_button, 1, 1)

    # --- state to screen -------------------------------------------------------------------

    def _show(self) -> None:
        state, edit = self._state, self._state.edit
        if not state.is_active:
            return
        is_of_volumes = state.view is not None
        self._offer_kinds(is_of_volumes)
        self.choices.setRowVisible(self.moving, not is_of_volumes)
        self.crop.setVisible(not is_of_volumes)
        self.numbers.show_motion()
        for combo, chosen in ((self.moving, edit.moving), (self.kind, edit.kind)):
            with QSignalBlocker(combo):
                combo.setCurrentIndex(combo.findData(chosen))
        self.crop.setChecked(edit.by.crop)
        self.before.setChecked(state.shows_before)
        self._show_work()
        self._show_points()

    def _show_work(self) -> None:
        stage = self._align.stage
        self.register.setEnabled(stage is None)
        for widget in (self.progress, self.cancel, self.stage):
            widget.setVisible(stage is not None)
        if stage is not None:
            text, done, total = stage
            self.stage.setText(translate(text))
            # Without a total the bar shows that something is going on, but not how much.
            self.progress.setRange(0, 1000 if total else 0)
            self.progress.setValue(round(1000 * done / total) if total else 0)
        found = self._align.registration
        used = found is not None and (
            self._state.edit.by.origin == "registered" or found.verdict == "failed"
        )
        shown = (found, used)
        if shown != self._shown_verdict:
            self._shown_verdict = shown
            self.verdict.remove("verdict")
            if found is not None and used:
                self.verdict.add("verdict", verdict_card(found))

    def _show_points(self) -> None:
        state = self._state
        self.marking.setChecked(state.marks_points)
        unit = "px" if state.view is None else "mm"
        rows = [
            self.tr("{0}  still to be marked in {1}").format(n, (state.waits_for or "").upper())
            if left is None
            else f"{n}  {number(left, '.2f')} {unit}"
            for n, left in enumerate(state.edit.residuals, 1)
        ]
        self.points.show_rows(rows)
        self.points.setVisible(bool(rows))
        self.remove.setVisible(bool(rows))
        self.remove.setEnabled(self.points.currentRow() >= 0)
        self.points_text.setText(self._points_text())
        self.points_text.setVisible(bool(self.points_text.text()))

    def _points_text(self) -> str:
        state = self._state
        if state.fit_problem is not None:
            what, why, remedy = translate_error(state.fit_problem)
            return f"{what}: {why}. {remedy}"
        if state.waits_for is not None:
            return self.tr("Click the same place in {0}.").format(state.waits_for.upper())
        known = [left for left in state.edit.residuals if left is not None]
        if known:
            mean = (sum(left**2 for left in known) / len(known)) ** 0.5
            unit = "px" if state.view is None else "mm"
            text = self.tr("Left at the points: {0:.2f} {1} (root mean square)")
            return filled(text, mean, unit)
        if state.marks_points and state.view is not None:
            return self.tr(
                "Click a place in A, and the same in B, in any slices; three or more times."
            )
        if state.marks_points:
            return self.tr("Click a place in A, and the same in B; three or more times.")
        return ""


class _PointList(QListWidget):
    """A list from which points are removed by the Delete key."""

    removed = Signal(int)

    _HEIGHT = 110

    def __init__(self) -> None:
        super().__init__()
        self.setMaximumHeight(self._HEIGHT)

    def show_rows(self, rows: list[str]) -> None:
        """Show these texts; the selected row stays."""
        if rows == [self.item(n).text() for n in range(self.count())]:
            return
        row = self.currentRow()
        self.clear()
        self.addItems(rows)
        self.setCurrentRow(min(row, len(rows) - 1))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Remove the selected point."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and self.currentRow() >= 0:
            self.removed.emit(self.currentRow())
        else:
            super().keyPressEvent(event)
